"""The ledger's mails compared with the outbox: one that was lost with it is in doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from laerecover.mail.letters import audience
from laerecover.mail.outbox import CONFIRMATION, FAILURE, LOST, Mail, Outbox, message_id
from laerecover.manifest import Account, Manifest
from laerecover.runbook.ledger import read_ledger
from laerecover.state.state import State

if TYPE_CHECKING:
    from laerecover.runbook.ledger import Round

_STEP = "send_signup_confirmation"


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
        step = next((s for s in latest.steps if s["step"] == _STEP), None)
        if step is None or account_id in there or step["kind"] == "mail_unfit":
            continue
        if accounts is not None and account_id not in accounts:
            continue
        kind, reason = audience(accounts[account_id]) if accounts is not None else (CONFIRMATION, "")
        ended = "refused" if step["kind"] == "mail_refused" else step["values"].get("mail")
        state_now = ended if ended in ("sent", "refused") else "in_doubt"
        usual = message_id(state.recovery_id, account_id, CONFIRMATION, 1, sender=sender)
        lost.append(
            Mail(
                message_id=step["values"].get("message_id", usual),
                account_id=account_id,
                kind=step["values"].get("kind", kind),
                state=state_now,
                detail=reason,
                prepared_at=datetime.fromisoformat(step["ended_at"]),
                host=_address_of(latest),
                answer=LOST if state_now == "in_doubt" else "as the ledger says; the outbox was lost",
            )
        )
    return lost


def _address_of(latest: Round) -> str:
    """The address that the round's mail told."""
    told = [s["values"].get("public_host") for s in latest.steps if s["step"] == "wait_for_ec2_addresses"]
    return str(told[0] or "") if told else ""


def lost_of(state: State, outbox: Outbox, accounts: Mapping[str, Account] | None, sender: str) -> list[Mail]:
    """As `lost_mails`, of the state's ledger and its outbox as they are now."""
    return lost_mails(state, read_ledger(state.ledger), outbox.all(), accounts, sender)


def doubt_lost(state: State, outbox: Outbox, manifest: Manifest, sender: str, now: datetime) -> None:
    """Put them into the outbox as they are: none of them is sent before a human has said so."""
    for mail in lost_of(state, outbox, {a.account_id: a for a in manifest.accounts}, sender):
        outbox.prepare(mail)
        outbox.move(mail.message_id, to=mail.state, of=["prepared"], now=now, answer=mail.answer)
