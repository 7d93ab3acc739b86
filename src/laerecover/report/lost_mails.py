"""The ledger's mails compared with the outbox: what was lost with it, or is older there, is not sent again unasked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from laerecover.mail.letters import audience
from laerecover.mail.outbox import CONFIRMATION, FAILURE, LOST, Mail, Outbox, decided_in, message_id
from laerecover.manifest import Account, Manifest
from laerecover.runbook.ledger import read_ledger
from laerecover.runbook.values import CONFIRM, WAIT
from laerecover.state.state import State

if TYPE_CHECKING:
    from laerecover.runbook.ledger import Round


_WAITING = ("prepared", "held", "sending")
OLDER = "as the ledger says; the outbox is older, as one that came from a backup"


def lost_mails(
    state: State,
    rounds: Mapping[str, Round],
    mails: Sequence[Mail],
    accounts: Mapping[str, Account] | None,
    sender: str,
) -> list[Mail]:
    """Mails that the ledger knows, while the outbox has none for the account, or an older state of them: as the ledger
    says, where it says how they ended.

    `accounts`: None to count only, without the manifest; kind and Message-ID may be wrong then.
    """
    there = {mail.account_id for mail in mails if mail.kind != FAILURE}
    lost = _older(rounds, mails, decided_in(state.outbox))
    for account_id, latest in rounds.items():
        done = latest.done(CONFIRM)
        if done is None or account_id in there or done.kind == "mail_unfit":
            continue
        if accounts is not None and account_id not in accounts:
            continue
        kind, reason = audience(accounts[account_id]) if accounts is not None else (CONFIRMATION, "")
        posted = CONFIRM.tells.read(done.values) if done.ok else None
        ended = "refused" if done.kind == "mail_refused" else posted and posted.mail
        state_now = ended if ended in ("sent", "refused") else "in_doubt"
        usual = message_id(state.recovery_id, account_id, CONFIRMATION, 1, sender=sender)
        lost.append(
            Mail(
                message_id=posted.message_id if posted else usual,
                account_id=account_id,
                kind=posted.kind if posted else kind,
                state=state_now,
                detail=reason,
                prepared_at=datetime.fromisoformat(done.ended_at or ""),
                host=latest.values_of(WAIT).public_host if latest.has(WAIT) else "",
                answer=LOST if state_now == "in_doubt" else "as the ledger says; the outbox was lost",
            )
        )
    return lost


def _older(rounds: Mapping[str, Round], mails: Sequence[Mail], decided: frozenset[str]) -> list[Mail]:
    """Mails that wait in the outbox, though the ledger says that they were given away: it came from a backup.

    Where a human has `decided`, the outbox is the younger one.
    """
    older = []
    for mail in mails:
        if mail.kind == FAILURE or mail.state not in _WAITING or mail.account_id in decided:
            continue
        latest = rounds.get(mail.account_id)
        done = latest.done(CONFIRM) if latest is not None else None
        if done is None:
            continue
        posted = CONFIRM.tells.read(done.values) if done.ok else None
        if posted is not None and posted.mail == "sent" and posted.message_id == mail.message_id:
            older.append(replace(mail, state="sent", answer=OLDER))
        elif done.kind == "mail_in_doubt":
            older.append(replace(mail, state="in_doubt", answer=OLDER))
    return older


def lost_of(state: State, outbox: Outbox, accounts: Mapping[str, Account] | None, sender: str) -> list[Mail]:
    """As `lost_mails`, of the state's ledger and its outbox as they are now."""
    return lost_mails(state, read_ledger(state.ledger), outbox.all(), accounts, sender)


def doubt_lost(state: State, outbox: Outbox, manifest: Manifest, sender: str, now: datetime) -> None:
    """Put them into the outbox as they are: none of them is sent before a human has said so."""
    for mail in lost_of(state, outbox, {a.account_id: a for a in manifest.accounts}, sender):
        outbox.prepare(mail)
        outbox.move(mail.message_id, to=mail.state, of=_WAITING, now=now, answer=mail.answer)
