"""The ledger's mails compared with the outbox: one that was lost with it is in doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from laerecover.mail.letters import audience
from laerecover.mail.outbox import CONFIRMATION, FAILURE, LOST, Mail, Outbox, message_id
from laerecover.manifest import Account, Manifest
from laerecover.runbook.ledger import read_ledger
from laerecover.runbook.values import CONFIRM, WAIT
from laerecover.state.state import State

if TYPE_CHECKING:
    from laerecover.runbook.ledger import Round


def lost_mails(
    state: State,
    rounds: Mapping[str, Round],
    mails: Sequence[Mail],
    accounts: Mapping[str, Account] | None,
    sender: str,
) -> list[Mail]:
    """Mails that the ledger knows, while the outbox has none for the account: as the ledger says, where it says how
    they ended.

    `accounts`: None to count only, without the manifest; kind and Message-ID may be wrong then.
    """
    there = {mail.account_id for mail in mails if mail.kind != FAILURE}
    lost = []
    for account_id, latest in rounds.items():
        done = latest.done(CONFIRM)
        if done is None or account_id in there or done.effect.kind == "mail_unfit":
            continue
        if accounts is not None and account_id not in accounts:
            continue
        kind, reason = audience(accounts[account_id]) if accounts is not None else (CONFIRMATION, "")
        posted = CONFIRM.tells.read(done.effect.values) if done.effect.ok else None
        ended = "refused" if done.effect.kind == "mail_refused" else posted and posted.mail
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


def lost_of(state: State, outbox: Outbox, accounts: Mapping[str, Account] | None, sender: str) -> list[Mail]:
    """As `lost_mails`, of the state's ledger and its outbox as they are now."""
    return lost_mails(state, read_ledger(state.ledger), outbox.all(), accounts, sender)


def doubt_lost(state: State, outbox: Outbox, manifest: Manifest, sender: str, now: datetime) -> None:
    """Put them into the outbox as they are: none of them is sent before a human has said so."""
    for mail in lost_of(state, outbox, {a.account_id: a for a in manifest.accounts}, sender):
        outbox.prepare(mail)
        outbox.move(mail.message_id, to=mail.state, of=["prepared"], now=now, answer=mail.answer)
