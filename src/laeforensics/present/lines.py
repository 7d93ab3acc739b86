"""The evidence's own lines as people may see them: what was read as a secret, or looks like one, is masked."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from laeforensics.audit.judgement import Judgement
from laeforensics.evidence import convert
from laeforensics.evidence.names import start_of
from laeforensics.evidence.read import contents
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import COURSE, FIELDS
from laeforensics.facts.masking import plain
from laerecover.manifest import Secret

BEFORE, AFTER = 64, 48
"""So many characters of a line are shown around a value."""
_LIKE_A_SECRET = re.compile(
    r"(?i:secret\w*|token|password|passwd|private_?key)[\"']?\s*[:=]\s*(?![\"']?\ue000)\S.*"
    r"|(?<== )(?![\"']\ue000[0-9]+\ue001[\"']?$)[\"'].+|(?<![\ue000\w+/=])[A-Za-z0-9+/={}]{24,}|pb:\S+"
    r"|[A-Za-z0-9+/]{6,}={1,2}(?=\s|$)|-----BEGIN.*"
)
"""A value that was read, and is no secret, stands between U+E000 and U+E001; the text holds neither."""
_MARKED = re.compile("\ue000([0-9]+)\ue001")
_LAST_WORD = re.compile(r"[A-Za-z0-9+/=]{4,}\s*$")
_LONG_WORD = re.compile(r"[A-Za-z0-9+/=]{48,}")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A value as it stands: what is before it in its line, itself, what is behind it."""

    before: str
    value: str
    after: str

    def __str__(self) -> str:
        return f"{self.before}{self.value}{self.after}"


Piece = tuple[str, Locator | None]
"""A part of a line as it may be shown (a secret is its fingerprint); of a value that was read, with its place."""


def _masked(line: bytes, spans: Iterable[tuple[int, int, Fact]], public: Collection[str]) -> list[Piece]:
    """The text and the values of a line, of which it is known where in it they stand."""
    text, values, position = "", list[Piece](), 0
    for start, stop, fact in spans:
        text += f"{_plain(line[position:start])}\ue000{len(values)}\ue001"
        shown = repr(Secret(fact.value)) if FIELDS[fact.field].secret else _plain(line[start:stop])
        values.append((shown, fact.locator))
        position = stop
    text += _plain(line[position:])
    text = _LIKE_A_SECRET.sub(lambda m: m[0] if m[0] in public else repr(Secret(m[0])), text)
    return [values[int(piece)] if n % 2 else (piece, None) for n, piece in enumerate(_MARKED.split(text))]


def _spans(facts: Iterable[Fact], number: int, line: bytes, at: int | None) -> list[tuple[int, int, Fact]] | None:
    """Where each value stands in a line that begins at byte `at` of its file (None: its bytes lie elsewhere).

    None if a secret cannot be found in it, or is not apart from others.
    """
    spans: list[tuple[int, int, Fact]] = []
    for fact in sorted(facts, key=lambda f: (not FIELDS[f.field].secret, f.locator.start)):
        is_secret, first = FIELDS[fact.field].secret, fact.locator.line
        if not first <= number <= first + fact.value.count("\n") + 1:
            continue
        start, stop = _span(fact, line, at)
        start, stop = max(start, 0), min(stop, len(line))
        if start < stop and all(stop <= s or start >= e for s, e, _ in spans):
            spans.append((start, stop, fact))
        elif is_secret and (start < stop or number == first):
            return None
    return sorted(spans, key=lambda span: span[0])


def _span(fact: Fact, line: bytes, at: int | None) -> tuple[int, int]:
    if at is not None:
        return fact.locator.start - at, fact.locator.end - at
    value = fact.value.encode("utf-8", "surrogatepass")
    start = line.find(value) if value else -1
    return (start, start + len(value)) if start >= 0 else (0, 0)


def excerpts(judgement: Judgement, locators: Iterable[Locator]) -> dict[Locator, Excerpt]:
    """Each value as it stands in the evidence, with a part of its line around it; each file is read once more.

    What cannot be read any more, or is not what it was, is left out.
    """
    wanted: dict[str, dict[int, set[Locator]]] = defaultdict(lambda: defaultdict(set))
    for locator in locators:
        wanted[locator.evidence][locator.line].add(locator)
    found: dict[Locator, Excerpt] = {}
    for file, number, pieces in _lines(judgement, {file: set(lines) for file, lines in wanted.items()}):
        for locator in wanted[file][number]:
            found[locator] = _around(pieces, locator)
    return found


def lines(judgement: Judgement, file: str, numbers: range) -> dict[int, str]:
    """The lines of these numbers (from 1) of one file, by number; those that there are."""
    found = _lines(judgement, {file: numbers})
    return {number: "".join(text for text, _ in pieces) for _, number, pieces in found}


def _around(pieces: list[Piece], locator: Locator) -> Excerpt:
    texts = [text for text, _ in pieces]
    at = next((n for n, (_, place) in enumerate(pieces) if place == locator), None)
    if at is None:
        whole = "".join(texts)
        return Excerpt(whole[: BEFORE + AFTER] + ("…" if len(whole) > BEFORE + AFTER else ""), "", "")
    before, after = "".join(texts[:at]), "".join(texts[at + 1 :])
    return Excerpt(
        ("…" if len(before) > BEFORE else "") + before[-BEFORE:],
        texts[at],
        after[:AFTER] + ("…" if len(after) > AFTER else ""),
    )


def _plain(data: bytes) -> str:
    return plain(data.decode("utf-8", "backslashreplace"))


def _lines(judgement: Judgement, wanted: Mapping[str, Collection[int]]) -> Iterator[tuple[str, int, list[Piece]]]:
    """The wanted lines of each file, in the order of the files; nothing of a file that has changed since."""
    hashes = {file.name: sha256 for file, sha256 in judgement.reading.files}
    files = [file for file, _ in judgement.reading.files if file.name in wanted]
    inside = {file.path for file in files if file.member is not None}
    archives = [file for file, _ in judgement.reading.archives if file.member is None and file.path in inside]
    known, public = _known(judgement, wanted), _public(judgement)
    for file, content in contents([*archives, *files]):
        if file.name in wanted and content.sha256 == hashes.get(file.name):
            conversion = convert.undo(content.data)
            data = content.data if conversion is None else conversion.data
            places = _places(*known[file.name], data, wanted[file.name], is_moved=conversion is not None)
            for number, line, spans in places:
                hidden: list[Piece] = [
                    (repr(Secret(line.decode("utf-8", "backslashreplace"))) if line.strip() else "", None)
                ]
                yield file.name, number, hidden if spans is None else _masked(line, spans, public)


def _places(
    told: Iterable[Fact], damaged: Collection[int], data: bytes, numbers: Collection[int], *, is_moved: bool
) -> Iterator[tuple[int, bytes, list[tuple[int, int, Fact]] | None]]:
    """The lines of these numbers, each with where its values stand in it; None where all of it is to be hidden."""
    facts = sorted(told, key=lambda f: f.locator.line)
    starts = [f.locator.line for f in facts]
    longest = max((f.value.count("\n") + 1 for f in facts), default=0)
    position, in_pem, was_long = 0, False, False
    last = numbers.stop - 1 if isinstance(numbers, range) else max(numbers, default=0)
    for number, line in enumerate(data.split(b"\n")[:last], start=1):
        begins, ends = b"-----BEGIN" in line, b"-----END" in line
        if number in numbers:
            near = facts[bisect_left(starts, number - longest) : bisect_left(starts, number + 1)]
            is_tail = was_long and _LAST_WORD.search(line.decode("latin-1")) is not None
            is_hidden = is_tail or (in_pem and not begins and not ends) or number in damaged
            text = line.rstrip(b"\r")
            yield number, text, None if is_hidden else _spans(near, number, text, None if is_moved else position)
        in_pem = (in_pem or begins) and not ends
        was_long = _LONG_WORD.search(line.decode("latin-1")) is not None
        position += len(line) + 1


def _known(judgement: Judgement, wanted: Collection[str]) -> dict[str, tuple[Collection[Fact], Collection[int]]]:
    """What was read in each of these files, however it was joined; the lines in which a secret is damaged."""
    facts: dict[str, dict[Fact, None]] = {name: {} for name in wanted}
    damaged: dict[str, set[int]] = {name: set() for name in wanted}
    sources = judgement.reading.sources
    told: list[Iterable[Fact]] = [log.facts for log in judgement.reading.logs if log.evidence in facts]
    told += [file.facts for file in (*sources.secrets.values(), *sources.stripe.values()) if file.evidence in facts]
    told += [[product.token for product in some] for some in sources.products.values()]
    told += [some for signup in judgement.signups for some in signup.witnesses.values()]
    for fact in (fact for some in told for fact in some):
        if fact.locator.evidence in facts and FIELDS[fact.field].of != COURSE:
            facts[fact.locator.evidence][fact] = None
    for log in judgement.reading.logs:
        if log.evidence in damaged:
            damaged[log.evidence].update(t.locator.line for t in log.damaged_values if FIELDS[t.field].secret)
    return {name: (facts[name], damaged[name]) for name in wanted}


def _public(judgement: Judgement) -> set[str]:
    """Long words that are no secrets: seeds, node ids, activation keys."""
    names = [name for name, field in FIELDS.items() if not field.secret]
    found = {s.values[name] for s in judgement.signups for name in names if name in s.values}
    found |= {start[1] for s in judgement.signups if (start := start_of(s.name))}
    return found | {part for text in found for part in text.split("-")}
