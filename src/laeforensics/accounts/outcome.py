"""How a signup ended: was its server ever ready, is its log complete?"""

from __future__ import annotations

from bisect import bisect_left

from laeforensics.accounts.roles import REPLACEMENT
from laeforensics.doubting.signups import Signup
from laeforensics.facts.channels import OWN
from laeforensics.facts.fact import Fact
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT, RANK, impossible


def is_ready(signup: Signup, *, is_failed: bool = False) -> bool | None:
    """Was a server of this log ever ready? True, False, or None when nothing tells.

    `is_failed` tells that a copy of the log tells of a failure, which this one may have lost.
    """
    if signup.secrets is not None and signup.secrets.tells_server:
        return True
    is_told = not _READY_STAGES.isdisjoint(signup.stage_names) and not _is_of_others(signup)
    is_told = is_told and (not is_failed or bool(signup.asserted("bucket_name")))  # it may be another log's
    if signup.serverinfo_rows or is_told or _was_ready(signup):
        return True
    # For an hour of 2012 a failed signup was recorded as a success: what its run left speaks louder than the row.
    if signup.has_failed or is_failed or _may_have_failed(signup) or signup.failure_row is not None:
        return False
    if signup.success_row is not None:
        return True
    # A run makes its secrets file when it begins, and fills it when its servers run. (One without a server is no end.)
    is_filled_in = signup.log is None and signup.secrets is not None and signup.secrets.filled
    return False if signup.secrets is not None and not is_filled_in else None


def _is_of_others(signup: Signup) -> bool:
    """True if the end may be another run's: it stands out of order, and the log tells a failure, too.

    If the failure is sure to be the run's own: where the end stands before its bucket was made.
    """
    if impossible(signup.stages) is None:
        return False
    ready = next((n for n, (stage, _) in enumerate(signup.stages) if stage in _READY_STAGES), len(signup.stages))
    before = {stage for stage, _ in signup.stages[:ready]}
    failed_at = max((fact.locator.line for fact in signup.asserted("failure")), default=0)
    after = {stage for stage, line in signup.stages[ready:] if line < failed_at}
    return not BEFORE_DEPLOYMENT.isdisjoint(after - before) or _may_have_failed(signup)


PERHAPS_READY = "one was: its log tells so behind a failure that may be another run's"


def perhaps_ready(signup: Signup) -> list[Fact]:
    """What tells of a server that ran, behind a failure or a hole of which nobody knows whose it is."""
    ready = (fact for fact in signup.witnesses_of("stage") if fact.value in _READY_STAGES)
    return [f for f in ready if {note.reason for note in signup.hearing.notes(f)} & {"in-error", "nothing-ties"}]


def bucket_made(signup: Signup) -> list[Fact]:
    """What its log tells that comes only once a bucket is made, believed or not."""
    return [fact for fact in signup.witnesses_of("stage") if RANK[fact.value] >= RANK["bucket_created"]]


def _was_ready(signup: Signup) -> bool:
    """True if an earlier run of the same signup in its file was: that a later one failed does not undo it."""
    ready = (fact for fact in signup.witnesses_of("stage") if fact.value in _READY_STAGES)
    return any([note.reason for note in signup.hearing.notes(fact)] == ["earlier-run"] for fact in ready)


def _may_have_failed(signup: Signup) -> bool:
    """True for a failure in its log that may be its own.

    Lines are missing before it, the run went on, or it stands behind another run that it is not shown to be of.
    """
    others = _of_others(signup)
    for fact in signup.witnesses_of("failure"):
        reasons = {note.reason for note in signup.hearing.notes(fact)}
        if reasons & {"nothing-ties", "went-on"} or ("another-run" in reasons and fact not in others):
            return True
    return False


def _of_others(signup: Signup) -> set[Fact]:
    """The failures of runs that tell the name of another bucket, or were ready right before.

    Not those behind a line that nobody could read, or another server's: there the signup's own run may go on.
    """
    found: set[Fact] = set()
    is_named = was_ready = False
    own = signup.values.get("bucket_name")
    unread = [each.start for each in signup.log.residue] if signup.log is not None else []
    passed = 0
    for fact in signup.log.facts if signup.log is not None else ():
        before, passed = passed, bisect_left(unread, fact.locator.start)
        if before != passed or (was_ready and fact.channel == OWN and fact.field == "instance_id"):
            is_named = was_ready = False
        if fact.field == "failure" and (is_named or was_ready):
            found.add(fact)
        elif fact.channel == OWN and fact.field == "bucket_name":
            is_named = fact.value != own
        elif fact.channel == OWN and fact.field == "stage":
            was_ready = fact.value in _READY_STAGES
            is_named = is_named and not was_ready
    return found


_READY_STAGES = frozenset({"servers_running", "settings_told", "mail_sent", "recorded"})


def outcome(signup: Signup, role: str) -> str:
    """complete, failed or cut (or "log lost"). A log that just stops is failed if signups.csv says so, else cut."""
    log = signup.log
    if log is None:
        return "log lost"
    if signup.has_failed:
        return "failed"
    stages = signup.stage_names
    if signup.is_re_record:
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
