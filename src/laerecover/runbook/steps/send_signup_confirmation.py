"""send_signup_confirmation: the customer learns what to do, or the staff do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from laerecover.errors import StepFailed
from laerecover.mail.dialling import NOT_REACHED, unanswered
from laerecover.mail.letters import audience
from laerecover.mail.outbox import FAILURE, Mail
from laerecover.ports.compute import NodeProbe
from laerecover.runbook.values import WAIT, Posted
from laerecover.runbook.work import Work


def send_signup_confirmation(work: Work) -> Posted:
    """Prepare the mail of the account's grade; hold it, or send it with `--mail send`.

    Before that the new server is dialled from here: as long as it does not answer as itself, its mail is held.
    Where a mail told an address that was lost since, another one tells the new address.
    Fails: `mail_unfit`; with a follow-up: `not_reached`,
    `mail_refused`, `mail_in_doubt`.
    """
    nodes = work.world.nodes if work.dial else None
    why = _unanswered(work, nodes)
    if not why:
        return Posted.of(_prepare(work), dialled=nodes is not None)
    with suppress(StepFailed):  # An earlier mail is refused or in doubt: that is told of the mail itself.
        name = _prepare(replace(work, mail="hold")).message_id
        work.outbox.move(name, to="held", of=["prepared", "held"], now=work.world.clock.now(), answer=why)
    raise StepFailed(why, kind=NOT_REACHED, follow_up=True)


def _unanswered(work: Work, nodes: NodeProbe | None) -> str:
    """Why a customer would be told a dead address; "" if all is well, or if nobody is to dial."""
    if nodes is None:
        return ""
    kept, within = work.vault.load(work.account.account_id), work.settings.waits.dial_deadline
    return unanswered(nodes, kept, patience=work.patience, within=within)


def _prepare(work: Work) -> Mail:
    kind, reason = audience(work.account)
    delivery = work.delivery
    delivery.withdraw_failures()
    earlier = [mail for mail in work.outbox.of(work.account.account_id) if mail.kind != FAILURE]
    host = work.values_of(WAIT).public_host
    if earlier and earlier[-1].tells(host):
        return delivery.post(kind, reason, number=1, there=earlier[-1])
    return delivery.post(kind, reason, number=host if earlier else 1)
