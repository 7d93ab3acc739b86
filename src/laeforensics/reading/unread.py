"""What may be unread evidence: a file, why it was not read, whom it names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from laeforensics.evidence import convert, foreign, marks, recognise
from laeforensics.evidence.hindrances import Hindrance, hindrance
from laeforensics.evidence.names import NOBODY, Named, accounts_named, buckets_spelled
from laeforensics.evidence.read import Content
from laeforensics.facts.buckets import seed_of
from laeforensics.facts.fact import Fact, Locator

if TYPE_CHECKING:
    from laeforensics.reading.files import FileReading

WORDS: dict[str, str] = {
    recognise.LOG: "a signup log",
    recognise.SECRETS: "a secrets file",
    recognise.STRIPE: "a stripe file",
    recognise.ACTIVATION_REQUESTS: "rows of activation_requests.csv",
    recognise.SIGNUPS: "rows of signups.csv",
    recognise.SERVERINFO: "rows of serverinfo.csv",
    recognise.COMPLETIONS: "rows of devpay_completions.csv",
    recognise.CONFIG: "a configuration with products",
}
"""What each kind of evidence is, in words."""

_PASSED_OVER = {recognise.COMPLETIONS: "page views", recognise.LISTING: "listing", recognise.OTHER: "no evidence"}
_HOLDS_NOTHING = frozenset({"folder link", "earlier", "device"})
"""Reasons for which nothing is lost: what is meant is read elsewhere, or there is nothing."""
_HEAD = 64
"""In so many bytes at its beginning a text of wide characters shows as one."""
_OF_ONE_RUN = frozenset({recognise.LOG, recognise.SECRETS, recognise.STRIPE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """One file of which nothing was read. `named` are those whom its name or its bytes name."""

    file: str
    sha256: str
    """Empty where it could not even be hashed."""
    problem: Hindrance
    named: Named = NOBODY
    legible: tuple[frozenset[tuple[str, str]], ...] = field(default=(), repr=False)
    """Fields with their values that can still be read in it, object by object, though nothing of it is believed."""
    is_spent: bool = False
    """True for a damaged secrets file of which all that is left was looked at: nothing is packed or encrypted in it."""

    @property
    def named_by_name(self) -> frozenset[str]:
        """Whom its name names."""
        return accounts_named(self.file).surely


def of(told: FileReading, content: Content) -> Unread | None:
    """What was not read of one file, if nothing was, or what a damaged secrets file lost.

    None for what was read, and for what is plainly no evidence.
    """
    secrets = told.secrets
    if secrets is not None and secrets.filled and secrets.problem is not None:
        return _unread(told, content, hindrance("read in part", secrets.problem), [secrets.facts, *secrets.legible])
    if told.file.known == recognise.BY_CONTENT and told.file.kind in _OF_ONE_RUN and _was_read(told):
        return _of_others(told, content)
    wrong = content.problem or (_why(told, content) if _tells_nothing(told, content) else None)
    if wrong is None or wrong.reason in _HOLDS_NOTHING or (content.problem is not None and _was_read(told)):
        return None
    return _unread(told, content, wrong, secrets.legible if secrets is not None else [])


def spelled(told: FileReading, content: Content) -> dict[str, Locator]:
    """The whole names of buckets in what may be a run's files, each with its first place."""
    if told.file.kind not in _OF_ONE_RUN and told.unread is None:
        return {}
    wide = convert.undo(content.data) if b"\0" in content.data[:_HEAD] else None
    data = wide.data if wide is not None else content.data
    found, line, before = dict[str, Locator](), 1, 0
    for name, place in buckets_spelled(data).items():
        line += data.count(b"\n", before, place)
        before, end = place, place + len(name)
        there = (place, end) if wide is None else (wide.back(place), wide.back(end))
        found[name] = Locator(told.file.name, line, *there)
    return found


def passed_over(told: FileReading, content: Content) -> Hindrance | None:
    """Why nothing was read of a file for which nobody waits; None for one that is read, or of which more is said."""
    kind = told.file.kind
    if told.unread is not None or content.problem is not None or kind in (recognise.ARCHIVE, recognise.LEFT_OUT):
        return None
    if not content.data:
        return hindrance("empty")
    return hindrance(_PASSED_OVER[kind]) if kind in _PASSED_OVER else None


def _of_others(told: FileReading, content: Content) -> Unread | None:
    """A file that was known by its content alone is one run's: it says nothing for whoever else is named in it."""
    facts = [fact for part in (told.log, told.secrets) if part is not None for fact in part.facts]
    own = {fact.value for fact in facts if fact.field == "bucket_name"}
    halves = [bucket.removeprefix("lae-").partition("-") for bucket in own]
    own |= {seed_of(bucket) or bucket for bucket in own} | {f"{second}-{first}" for first, _, second in halves}
    named = accounts_named(_as_text(content).decode("latin-1")).surely
    others = frozenset(name for name in named if not own & {name, seed_of(name)})
    if not others:
        return None
    problem = hindrance("others named", WORDS[told.file.kind])
    return Unread(file=told.file.name, sha256=told.sha256, problem=problem, named=Named(surely=others))


def _unread(told: FileReading, content: Content, wrong: Hindrance, objects: Sequence[Iterable[Fact]]) -> Unread:
    legible = tuple(frozenset((fact.field, fact.value) for fact in one) for one in objects)
    buckets = " ".join(value for one in legible for field, value in one if field == "bucket_name")
    if told.file.kind in _OF_ONE_RUN:
        buckets = " ".join((buckets, *buckets_spelled(_as_text(content))))
    is_left = bool(legible) or (told.file.kind == recognise.SECRETS and _is_blank(content))
    return Unread(
        file=told.file.name,
        sha256=told.sha256,
        problem=wrong,
        named=accounts_named(told.file.name) | accounts_named(buckets) | content.named,
        legible=legible,
        is_spent=is_left and wrong.reason in ("unrecognised", "several", "read in part"),
    )


def _is_blank(content: Content) -> bool:
    return bool(content.data) and not content.data.strip(b"\0")


def _was_read(told: FileReading) -> bool:
    """True if the file told anything, even if it was cut."""
    log, secrets = told.log, told.secrets
    rows = (told.activations, told.signups, told.serverinfo, told.products)
    return (
        (log is not None and bool(log.facts))
        or (secrets is not None and secrets.filled)
        or (told.stripe is not None and told.stripe.filled)
        or any(rows)
    )


def _tells_nothing(told: FileReading, content: Content) -> bool:
    """True for a file of no known kind, and for one of a known kind that holds bytes, but nothing of that kind."""
    if told.file.kind == recognise.OTHER:
        return bool(content.data)
    if told.file.kind == recognise.LISTING:
        return told.file.told == recognise.LISTING and not _is_listing(_as_text(content))
    if told.file.kind == recognise.STRIPE and told.file.told is not None:
        return False  # it is one, and damaged, which is said
    return told.file.kind in _OF_ONE_RUN and not _was_read(told) and bool(_as_text(content))


def _as_text(content: Content) -> bytes:
    conversion = convert.undo(content.data)
    return content.data if conversion is None else conversion.data


def _is_listing(text: bytes) -> bool:
    """True if not only its first bytes are a list of names."""
    return marks.is_written_beside(text) or marks.is_listed(text)


def _why(told: FileReading, content: Content) -> Hindrance | None:
    """The likely cause; None where the file names nobody and nothing tells that it is evidence."""
    head, base = content.data[: marks.SECOND_LOOK], told.file.name.rpartition("/")[2]
    found = foreign.why_prefixed(head) or foreign.why_unread(head, base)
    if found is not None:
        return found
    if told.secrets is not None and len(told.secrets.legible) > 1:
        return hindrance("several")
    if told.file.kind in _OF_ONE_RUN:
        is_lost = told.file.told is not None or bool(accounts_named(told.file.name).surely)
        return hindrance("unrecognised", WORDS[told.file.kind]) if is_lost else None
    named = accounts_named(told.file.name) | content.named
    return hindrance("unknown") if named.surely or named.perhaps else None
