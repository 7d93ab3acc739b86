"""send_notify_failure: the staff learn of a failure, with customer, e-mail and log file."""

from __future__ import annotations

from laerecover.outbox import FAILURE
from laerecover.steps.send_signup_confirmation import post
from laerecover.steps.work import Values, Work


def send_notify_failure(work: Work) -> Values:
    """One notice for each round of trying (the HOWTO's *f*, customer_name, customer_email, logfilename).

    Values: as send_signup_confirmation. Whatever fails here never hides the first failure.
    """
    return post(work, FAILURE, work.failure, number=work.round)
