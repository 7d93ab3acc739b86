"""Which csv rows are of a log's own run: they tell the customer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from laeforensics.companions.csv_rows import Row
from laeforensics.companions.sources import Sources
from laeforensics.doubting.redacted import is_redacted
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of
from laeforensics.facts.buckets import bears_seed, seed_of
from laeforensics.facts.damage import Neighbours, is_damage, is_near
from laeforensics.facts.findings import finding
from laeforensics.joining._customers import (
    LONGEST_RUN,
    LONGEST_START,
    REQUEST_TO_LOG,
    doubt_address,
    doubt_customer,
    doubt_differing,
    doubt_key_of_others,
    is_another,
    is_damaged_address,
    is_heard,
    is_in_capitals,
    moment,
    other_keys_of_start,
    stand_against,
)

_LAST_FIELDS = ("customer_email", "customer_keyinfo")
_FALSE_SUCCESSES = ("2012-02-24T04:43:00Z", "2012-02-24T06:14:00Z")
"""From the first run of that program that may have ended to the last."""
_USUAL_KEY = re.compile(r"A[A-Z2-7]{29}")


def join_csv(signup: Signup, sources: Sources, known: Neighbours) -> None:
    """Add the rows that are of this run and that nothing contradicts to its witnesses.

    `known` are the activation keys of all rows. Keys that differ in a character or two are one, overwritten here or
    there: the row tells another then, and which is right, the witnesses settle.
    """
    key, _ = signup.weigh("activation_key")
    if key and key not in sources.activations and key not in sources.signups and len(near := known.near(key)) == 1:
        key = near.pop()
    start = start_of(signup.name)
    if key and not (_USUAL_KEY.fullmatch(key) or key in sources.activations or key in sources.signups):
        # A key of unusual length that no csv row knows may have lost a piece.
        signup.doubt(signup.witnesses_of("activation_key"), "unknown-key")
        key = None
    if _is_renamed(signup, start):
        start = None
    if key and start is not None and (others := other_keys_of_start(signup, key, start, sources)):
        # Whose rows they are, nothing tells; but that the run failed keeps from harm.
        results = [row for told in (key, *sorted(others)) for row in _rows_by_key(told, start, sources)[1]]
        signup.failure_row = next((row for row in results if row.outcome != "success"), None)
        return
    activations, signups = _rows_by_key(key, start, sources) if key else _rows_by_start(signup, start, sources)
    # What cells have moved in tells of no customer; but that a run failed keeps from harm, and is heard all the same.
    signup.failure_row = next((row for row in signups if row.outcome != "success"), None)
    signups = [row for row in signups if not _is_glued(row, activations, sources)]
    activations, signups = ([row for row in rows if is_heard(signup, row)] for rows in (activations, signups))
    email, _ = signup.weigh("customer_email")
    if not (activations or signups):
        doubt_key_of_others(signup, key, email, sources)
        return
    code, _ = signup.weigh("product_code")
    rows = [*activations, *signups]
    signups, activations = _without_damagedcells(signup, signups, activations)
    if email is not None and is_damaged_address(email, signups, activations):
        doubt_address(signup, email, signups, activations)
        email = None
    if email is not None and start is not None and stand_against(email, start, signups, activations):
        doubt_customer(signup, [*signups, *activations])
        email = None
    doubt_differing(signup, signups, activations, has_email=email is not None)
    by_start = not key and (signup.log is None or email is None)
    signups, activations = (_without_false_keyinfo(signup, rows) for rows in (signups, activations))
    if by_start and not any(row.outcome == "success" for row in signups):
        return  # second and product alone do not tell whose run this was
    signups = _credible(signup, signups, email, code)
    if email is None:
        emails = {f.value for f in signup.hearing.sure(f for row in signups for f in row.of("customer_email"))}
        email = emails.pop() if len(emails) == 1 else None
    activations = _credible(signup, activations, email, code)
    if rows and not (activations or signups) and key:
        # Every row that knows the key tells of another customer: then the key is not this log's for sure.
        theirs = (f for row in rows for f in row.of("customer_email"))
        signup.doubt(signup.witnesses_of("activation_key"), "rows-of-others", theirs)
    if activations or signups:
        signup.matched_by.append("activation key" if key else "start time and product code")
    if key:
        _note_other_claims(signup, sources, [*signups, *activations], email)
    for row in (*signups, *activations):
        signup.add(row.facts)
        if by_start:  # whom nothing but second and product tie to the run, is told as anybody could have typed it
            signup.doubt(row.facts, "loosely-tied")
    for row in signups:
        if row.outcome == "success":
            signup.success_row, signup.failure_row = row, None
        else:
            signup.failure_row = row


def leave_out_moved(signups: Sequence[Signup]) -> None:
    """Beside an empty secrets file no success counts of the hour in which one program called failures so.

    Nor does one out of a csv file that calls a finished run a failure, or a failed one a success: its results have
    moved from row to row, or were changed.
    """
    moved = {row.evidence for s in signups if (row := s.failure_row) is not None and _has_ended_well(s)}
    told = [(s, row, s.secrets) for s in signups if (row := s.success_row) is not None]
    told = [(s, row, file) for s, row, file in told if file is None or not file.filled]
    moved |= {row.evidence for s, row, _ in told if s.has_failed and not _is_false(row)}
    for signup, row, file in told:
        if file is not None and file.is_empty and (row.evidence in moved or _is_false(row)):
            signup.success_row = None


def _is_false(row: Row) -> bool:
    return _FALSE_SUCCESSES[0] <= row.time <= _FALSE_SUCCESSES[1]


def _has_ended_well(signup: Signup) -> bool:
    return "mail_sent" in {stage for stage, _ in signup.stages} and not signup.has_failed


def _note_other_claims(signup: Signup, sources: Sources, kept: Sequence[Row], email: str | None) -> None:
    """Rows of the same activation key that were not of this run, and name somebody else."""
    key, _ = signup.weigh("activation_key")
    known = {each.lower() for each in ([email] if email else [row.value("customer_email") or "" for row in kept])}
    for row in (*sources.activations.get(key or "", ()), *sources.signups.get(key or "", ())):
        other = row.value("customer_email")
        if not other or is_redacted("customer_email", other):
            continue
        if known and other.lower() not in known and row not in kept:
            signup.findings.append(
                finding(
                    "csv-contradicts-log",
                    f"{row.evidence}:{row.line} names this activation key with another customer_email; "
                    "the row was left out",
                    signup=signup.name,
                    field="customer_email",
                    locators=tuple(f.locator for f in row.of("customer_email")),
                )
            )


def _is_renamed(signup: Signup, start: tuple[str, str] | None) -> bool:
    """True if the log's own bucket bears another seed than the file's name.

    Then the name tells nothing about the run.
    """
    bucket, _ = signup.weigh("bucket_name")
    return start is not None and bucket is not None and not bears_seed(bucket, start[1])


def _rows_by_key(key: str, start: tuple[str, str] | None, sources: Sources) -> tuple[list[Row], list[Row]]:
    """The rows of an activation key that are of the run that began at `start`.

    The same key may have been sent twice, or typed in by somebody else: a run's own request is of the seconds in which
    its log begins, and its own result is the first one of the day that follows.
    """
    activations, signups = sources.activations.get(key, []), sources.signups.get(key, [])
    if start is None:
        return activations, signups
    began = moment(start[0])
    if len(activations) == len(signups) == 1 and cells(activations[0]) == cells(signups[0]):
        return activations, signups  # request and result agree in everything: the file's name may be wrong
    alone = len(activations) == 1 and not signups
    within = LONGEST_START if alone else REQUEST_TO_LOG
    activations = [row for row in activations if abs(moment(row.time) - began) <= within]
    after = [row for row in signups if timedelta(0) <= moment(row.time) - began <= LONGEST_RUN]
    first = min((row.time for row in after), default="")
    signups = [row for row in after if row.time == first]
    return activations, signups


def cells(row: Row) -> list[str | None]:
    """What a row says of the customer."""
    return [row.value(name) for name in ("product_code", "customer_name", "customer_email", "customer_keyinfo")]


def _is_glued(row: Row, requests: Sequence[Row], sources: Sources) -> bool:
    """True if a result row ends with another customer's fields.

    Two rows were torn, then glued so that the number of fields is right. Its own request says something else there (no
    letter overwritten), and somebody else's request says just that, from there to its end.
    """
    told = [(name, value) for name in reversed(_LAST_FIELDS) if (value := row.value(name)) is not None]
    differing = [name for name, value in told if value and _is_known_otherwise(name, value, requests)]
    others: set[str] | None = None
    for name, value in told if differing else ():  # whoever gave no key info sent in what most others did
        senders = sources.keys_sent_with(name, value) - {row.value("activation_key") or ""}
        others = senders if others is None else others & senders
        if others and name in differing:
            return True
    return False


def _is_known_otherwise(name: str, value: str, requests: Sequence[Row]) -> bool:
    told = [request.value(name) for request in requests]
    return bool(told) and not any(each == value or is_near(each or "", value) for each in told)


def _rows_by_start(signup: Signup, start: tuple[str, str] | None, sources: Sources) -> tuple[list[Row], list[Row]]:
    """For a log without its head: the one request of its second, for its product (with its e-mail, if it tells one)."""
    email, _ = signup.weigh("customer_email")
    code, _ = signup.weigh("product_code")
    bucket, _ = signup.weigh("bucket_name")
    if not (code and start and bucket and seed_of(bucket) == start[1]):
        return [], []
    keys = {
        key
        for key, row in sources.requests_at([start[0]])
        if row.value("product_code") == code and email in (None, row.value("customer_email"))
    }
    return _rows_by_key(keys.pop(), start, sources) if len(keys) == 1 else ([], [])


def _without_damagedcells(signup: Signup, signups: list[Row], activations: list[Row]) -> tuple[list[Row], list[Row]]:
    """Where a result's cell is its own request's with a stretch lost (or the other way round), neither is sure."""
    for name in ("customer_name", "customer_email", "customer_keyinfo"):
        ours, theirs = {row.value(name) for row in signups}, {row.value(name) for row in activations}
        if not theirs or ours & theirs or not any(a and b and _is_damaged_cell(a, b) for a in ours for b in theirs):
            continue
        signup.findings.append(
            finding("damaged-row", f"one of the csv rows has lost a piece of {name}", signup=signup.name, field=name)
        )
        signups, activations = [_without(name, row) for row in signups], [_without(name, row) for row in activations]
    return signups, activations


def _without_false_keyinfo(signup: Signup, rows: list[Row]) -> list[Row]:
    """Whom the program wrote to gave no key information; whom the staff were to write to gave some."""
    log = signup.log
    if log is None or "mail_sent" not in signup.stage_names:
        return rows
    to_staff = "key info" in log.marks
    kept = []
    for row in rows:
        told = row.value("customer_keyinfo")
        if told is None or bool(told) == to_staff:
            kept.append(row)
            continue
        went = "the staff" if to_staff else "the customer"
        what = (
            f"{row.evidence}:{row.line} tells {'some' if told else 'no'} key information, but the mail went to {went}"
        )
        locators = tuple(f.locator for f in row.facts if f.field == "customer_keyinfo")
        signup.findings.append(
            finding("csv-contradicts-log", what, signup=signup.name, field="customer_keyinfo", locators=locators)
        )
        kept.append(_without("customer_keyinfo", row))
    return kept


def _is_damaged_cell(one: str, other: str) -> bool:
    # Judged as it was written: a hole may have cut an escape in two.
    return is_damage(one, other) or is_damage(quote(one), quote(other))


def _without(name: str, row: Row) -> Row:
    return row._replace(facts=tuple(f for f in row.facts if f.field != name))


def _credible(signup: Signup, rows: list[Row], email: str | None, code: str | None) -> list[Row]:
    kept = []
    for row in rows:
        contradicted = [
            (name, fact)
            for name, known in (("customer_email", email), ("product_code", code))
            for fact in row.facts
            if known and fact.field == name and is_another(fact.value, known)
        ]
        for name, fact in contradicted:
            signup.findings.append(
                finding(
                    "csv-contradicts-log",
                    f"{row.evidence}:{row.line} names this activation key with another {name}; the row was left out",
                    signup=signup.name,
                    field=name,
                    locators=(fact.locator,),
                )
            )
        if not contradicted:
            kept.append(_without("customer_email", row) if is_in_capitals(row, email) else row)
    return kept
