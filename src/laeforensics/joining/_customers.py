"""What is sure where the csv rows tell another customer than their log, or than each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from laeforensics.companions.csv_rows import Row
from laeforensics.companions.sources import Sources
from laeforensics.doubting.redacted import is_redacted
from laeforensics.doubting.signups import Signup
from laeforensics.facts.damage import is_damage, is_near
from laeforensics.facts.fields import CUSTOMER, fields_of
from laeforensics.facts.findings import finding

REQUEST_TO_LOG = timedelta(seconds=5)
LONGEST_START = timedelta(minutes=10)
"""A request that nobody else's stands beside may have waited for its run."""
LONGEST_RUN = timedelta(days=1)
_LAST_YEAR = 9999


def moment(stamp: str) -> datetime:
    """The time of a row or of a file's name."""
    return datetime.fromisoformat(stamp)


def is_heard(signup: Signup, row: Row) -> bool:
    """True unless all that the row tells is denied: its file contradicts the logs wholesale."""
    return not row.facts or bool(signup.hearing.asserting(row.facts))


def is_another(other: str, email: str) -> bool:
    """True if a row's address contradicts this one: neither blacked out, nor the same in capitals or but for damage."""
    return not (is_redacted("customer_email", other) or other.lower() == email.lower() or is_near(other, email))


def is_in_capitals(row: Row, email: str | None) -> bool:
    """True if a row tells this address in capitals: one that differs in a letter or two is a witness against damage."""
    told = row.value("customer_email") or ""
    return email is not None and told != email and told.lower() == email.lower() and not is_near(told, email)


def doubt_differing(signup: Signup, signups: Sequence[Row], activations: Sequence[Row], *, has_email: bool) -> None:
    """Request and result tell what was typed in once: where they differ, and the log is silent, neither is sure."""
    for name in ("customer_name", "customer_keyinfo", *(() if has_email else ("customer_email",))):
        ours, theirs = ([f for row in rows for f in row.of(name)] for rows in (signups, activations))
        if ours and theirs and not {f.value for f in ours} & {f.value for f in theirs}:
            signup.doubt([*ours, *theirs], "rows-differ", [*ours, *theirs])


def is_damaged_address(email: str, signups: Sequence[Row], activations: Sequence[Row]) -> bool:
    """True if request and result agree on an address of which the log's own has lost a piece."""
    told = {row.value("customer_email") for row in (*signups, *activations)}
    other = told.pop() if len(told) == 1 and signups and activations else None
    return bool(other) and len(str(other)) > len(email) and is_damage(email, str(other))


def doubt_address(signup: Signup, email: str, signups: Sequence[Row], activations: Sequence[Row]) -> None:
    """The log's own address has lost a piece."""
    facts = [f for f in signup.witnesses_of("customer_email") if f.value == email]
    signup.findings.append(
        finding(
            "damaged-value",
            "customer_email has lost a piece here: both csv rows of the activation key tell the whole",
            signup=signup.name,
            field="customer_email",
            locators=tuple(f.locator for f in facts),
        )
    )
    signup.doubt(facts, "lost-a-piece", (f for row in (*signups, *activations) for f in row.of("customer_email")))


def doubt_key_of_others(signup: Signup, key: str | None, email: str | None, sources: Sources) -> None:
    """No row of the key is of this run: if each tells another customer, the key, too, may be another log's."""
    if key is None or email is None:
        return
    rows = [*sources.activations.get(key, ()), *sources.signups.get(key, ())]
    heard = [row for row in rows if is_heard(signup, row)]
    told = [row.value("customer_email") for row in heard]
    if told and all(other is not None and is_another(other, email) for other in told):
        theirs = (fact for row in heard for fact in row.of("customer_email"))
        signup.doubt(signup.witnesses_of("activation_key"), "rows-of-others", theirs)


def other_keys_of_start(signup: Signup, key: str, start: tuple[str, str], sources: Sources) -> set[str]:
    """The other keys that requests of the log's own second tell, where those of the log's key are of another time.

    Then the log's key is another customer's; and so may its address be, if it is not the one of its own second. Where
    a renamed log tells the bucket of this log's name, that name and its second are the renamed one's.
    """
    if start[1] in sources.seeds_of_renamed:
        return set()
    began, requests = moment(start[0]), sources.activations.get(key, ())
    told = [abs(moment(row.time) - began) > LONGEST_START for row in requests]
    told = told or [not timedelta(0) <= moment(row.time) - began <= LONGEST_RUN for row in sources.signups.get(key, ())]
    code, _ = signup.weigh("product_code")
    if not told or not all(told):
        return set()
    own = {
        other: row
        for other, row in sources.requests_at(_seconds_around(began))
        if other and not is_near(other, key) and code in (None, row.value("product_code"))
    }
    if not own:
        return set()
    theirs = [fact for row in own.values() for fact in row.facts]
    signup.doubt(
        signup.witnesses_of("activation_key"), "of-another-request", (f for f in theirs if f.field == "activation_key")
    )
    emails = signup.witnesses_of("customer_email")
    others = [fact for fact in theirs if fact.field == "customer_email"]
    if not {fact.value for fact in others} & {fact.value for fact in emails}:
        signup.doubt(emails, "rows-against-log", others)
    signup.findings.append(
        finding(
            "csv-contradicts-log",
            "a request of the second in which this log begins tells another activation key; "
            "what the csv files tell of the log's key is of another time",
            signup=signup.name,
            field="activation_key",
            locators=tuple(fact.locator for fact in theirs),
        )
    )
    return set(own)


def _seconds_around(began: datetime) -> list[str]:
    if not 1 < began.year < _LAST_YEAR:
        return []
    within = range(-REQUEST_TO_LOG.seconds, REQUEST_TO_LOG.seconds + 1)
    return [f"{began + timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ}" for n in within]


def stand_against(email: str, start: tuple[str, str], signups: Sequence[Row], activations: Sequence[Row]) -> bool:
    """True if a request of the log's own second, and whatever else is of its run, tells another address."""
    began = moment(start[0])
    told = [row.value("customer_email") for row in (*signups, *activations)]
    return any(abs(moment(row.time) - began) <= REQUEST_TO_LOG for row in activations) and all(
        other is not None and is_another(other, email) for other in told
    )


def doubt_customer(signup: Signup, rows: Sequence[Row]) -> None:
    """Neither the log's address nor anything that these rows tell of the customer is sure."""
    told = [fact for row in rows for fact in row.facts]
    told += signup.witnesses_of("customer_email")
    signup.findings.append(
        finding(
            "csv-contradicts-log",
            "log and csv rows of one activation key and second tell two addresses: neither is sure",
            signup=signup.name,
            field="customer_email",
            locators=tuple(f.locator for f in told if f.field == "customer_email"),
        )
    )
    emails = [f for f in told if f.field == "customer_email"]
    signup.doubt([f for f in told if f.field in fields_of(CUSTOMER)], "rows-against-log", emails)
