"""send_notify_failure: the staff learn of a failure, with customer, e-mail and log file."""

from __future__ import annotations

from laerecover.mail.letters import LEFT
from laerecover.mail.outbox import FAILURE
from laerecover.runbook.values import Posted
from laerecover.runbook.work import Work


def send_notify_failure(work: Work) -> Posted:
    """One notice for each round of trying (the HOWTO's *f*, customer_name, customer_email, logfilename).

    An account that is recovered all the same, with something left to do, is said to be so, and once.
    Whatever fails here never hides the first failure.
    """
    told = [m for m in work.outbox.of(work.account.account_id) if m.kind == FAILURE and m.detail.startswith(LEFT)]
    if work.failure.startswith(LEFT) and told and told[0].state != "prepared":
        return Posted.of(told[0])
    return Posted.of(work.delivery.post(FAILURE, work.failure, number=work.round))
