"""What the world itself says of each account: launches, mails, rows of serverinfo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from laerecover.mail.outbox import FAILURE, mails_in
from laerecover.ports.world import WorldCounts
from laerecover.runbook.ledger import read_ledger
from laerecover.state.state import State

if TYPE_CHECKING:
    from pathlib import Path


def count_effects(state: State, serverinfo: Path, counted: WorldCounts | None) -> Mapping[str, Counts]:
    """Per account: as its world `counted`, else as the ledger's instance ids, serverinfo.csv and the outbox tell."""
    letters = [mail for mail in mails_in(state.outbox) if mail.kind != FAILURE]
    if counted is not None:
        instances, rows, mails = counted.instances, counted.rows, counted.mails
    else:
        rounds = read_ledger(state.ledger)
        instances = {account: len(latest.launched) for account, latest in rounds.items()}
        rows = _registered(serverinfo, {account: latest.launched for account, latest in rounds.items()})
        mails = {mail.message_id: 1 for mail in letters if mail.state == "sent"}
    sent: dict[str, int] = {}
    for mail in letters:
        sent[mail.account_id] = sent.get(mail.account_id, 0) + mails.get(mail.message_id, 0)
    return {
        account: Counts(
            instances_launched=instances.get(account, 0),
            serverinfo_rows=rows.get(account, 0),
            mails_sent=sent.get(account, 0),
        )
        for account in instances.keys() | rows.keys() | sent.keys()
    }


def _registered(serverinfo: Path, launched: Mapping[str, frozenset[str]]) -> dict[str, int]:
    from laerecover.adapters.serverinfo import ServerinfoFile

    rows = [row.instance_id for row in ServerinfoFile(serverinfo).rows()]
    return {account: sum(1 for instance_id in rows if instance_id in ids) for account, ids in launched.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the world itself says of one account."""

    instances_launched: int = 0
    mails_sent: int = 0
    serverinfo_rows: int = 0
