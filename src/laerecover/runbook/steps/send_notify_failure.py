"""send_notify_failure: the staff learn of a failure, with customer, e-mail and log file."""

from __future__ import annotations

from laerecover.mail.letters import LEFT
from laerecover.mail.outbox import FAILURE
from laerecover.runbook.work import Values, Work


def send_notify_failure(work: Work) -> Values:
    """One notice for each round of trying (the HOWTO's *f*, customer_name, customer_email, logfilename).

    An account that is recovered all the same, with something left to do, is said to be so, and once.
    Values: as send_signup_confirmation. Whatever fails here never hides the first failure.
    """
    told = [m for m in work.outbox.of(work.account.account_id) if m.kind == FAILURE and m.detail.startswith(LEFT)]
    if work.failure.startswith(LEFT) and told and told[0].state != "prepared":
        return {"message_id": told[0].message_id, "kind": FAILURE, "mail": told[0].state}
    return work.delivery.post(FAILURE, work.failure, number=work.round)
