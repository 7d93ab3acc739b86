"""How a signup ended: was its server ever ready, is its log complete?"""

from __future__ import annotations

from laeforensics.accounts.roles import REPLACEMENT, is_re_record
from laeforensics.doubting.signups import Signup


def is_ready(signup: Signup, *, is_failed: bool = False) -> bool | None:
    """Was a server of this log ever ready? True, False, or None when nothing tells.

    `is_failed` tells that a copy of the log tells of a failure, which this one may have lost.
    """
    says_failed = signup.has_failed or is_failed
    if signup.secrets is not None and signup.secrets.filled:
        return True
    if signup.serverinfo_rows or any(stage in _READY_STAGES for stage, _ in signup.stages):
        return True
    # For an hour of 2012 a failed signup was recorded as a success: the log's own failure speaks louder.
    if signup.success_row is not None and not says_failed:
        return True
    empty_secrets = signup.secrets is not None and not signup.secrets.filled
    if says_failed or signup.failure_row is not None or empty_secrets or _may_have_failed(signup):
        return False
    return None


def _may_have_failed(signup: Signup) -> bool:
    """True for a failure in its log that may be its own: lines are missing before it, or follow it."""
    notes = (note for fact in signup.witnesses_of("failure") for note in signup.hearing.notes(fact))
    return any(note.reason in ("nothing-ties", "went-on") for note in notes)


_READY_STAGES = frozenset({"servers_running", "settings_told", "mail_sent", "recorded"})


def outcome(signup: Signup, role: str) -> str:
    """complete, failed or cut (or "log lost"). A log that just stops is failed if signups.csv says so, else cut."""
    log = signup.log
    if log is None:
        return "log lost"
    if signup.has_failed:
        return "failed"
    stages = {stage for stage, _ in signup.stages}
    if is_re_record(signup):
        return "complete" if "recorded" in stages else "cut"
    # Replacements confirm nothing; the two oldest dialects had no mail.
    told = "settings_told" in stages and (role == REPLACEMENT or not {"region", "e-mail"} & log.marks)
    # Recoveries print no furl, hence no settings: their log ends with these words.
    told = told or ("Signup done." in log.marks and role == REPLACEMENT)
    # Whoever fetched the monitoring code set up the monitoring after the mail; it tells no other programs apart.
    monitored = "Getting monitoring code..." not in log.announcements or "monitoring after mail" in log.marks
    if told or ("mail_sent" in stages and monitored):
        return "complete"
    return "failed" if signup.failure_row is not None else "cut"
