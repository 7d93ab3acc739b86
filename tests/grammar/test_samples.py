"""Every grammar is what its samples show: each is read as it says, together they show all that the programs print."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

import pytest

from evidence_writer.dialects import DIALECTS, SIGNUP_DIALECTS
from evidence_writer.replacement import make_replacement
from evidence_writer.rerecord import make_rerecord
from evidence_writer.signup import Signup, failures_of, make_signup
from laeforensics.parsing import parser, samples, signuplogs
from laeforensics.reading import linting

GRAMMARS = Path(__file__).resolve().parents[2] / "grammars"
READ = {name: samples.read_samples(samples.written(name) or "") for name in samples.GRAMMARS}
ORDER = list(DIALECTS)


PARAMETERS = [
    pytest.param(grammar, sample, last_resorts, id=f"{grammar}: {sample.name}")
    for grammar, (found, last_resorts) in READ.items()
    for sample in found
]


@pytest.mark.parametrize(("grammar", "sample", "last_resorts"), PARAMETERS)
def test_a_sample_is_read_as_it_says(grammar, sample, last_resorts):
    """The rule, the values, the kind of its bytes and the overlaps are those that the sample names."""
    assert linting.render(linting.check(grammar, sample, last_resorts)) == linting.render([])


def test_the_samples_leave_nothing_unsaid():
    """The lint finds nothing."""
    assert linting.lint() == []


def test_no_grammar_is_forgotten():
    """Every .lark file that can be parsed with is linted; the others are parts of those."""
    whole = {path.stem for path in GRAMMARS.glob("*.lark") if re.search(r"^start:", path.read_text("utf-8"), re.M)}
    assert whole == set(samples.GRAMMARS)


def _spoken(words: str) -> set[str]:
    """`"x00 d02-d04"` as the dialects it stands for, in the order of the dated table."""
    spoken: set[str] = set()
    for word in words.split():
        first, _, last = word.partition("-")
        spoken.update(ORDER[ORDER.index(first) : ORDER.index(last or first) + 1])
    return spoken


@cache
def _printed(dialect: str) -> list[bytes]:
    """A log of every way in which a run of the dialect can end, and those of the programs that came later."""
    if dialect == "d14":
        origin = _signup("d13", None)
        return [_later(origin, dialect)]
    logs = [_signup(dialect, fail_at).log_bytes for fail_at in (None, *failures_of(dialect))]
    if dialect in ("d07", "d12"):
        logs.append(_later(_signup("d06", None), dialect))
    if dialect == "d06":
        origin = _signup(dialect, None)
        logs.append(make_rerecord(random.Random(1), origin, when=origin.ended).log_bytes)
    return logs


def _signup(dialect: str, fail_at: str | None) -> Signup:
    return make_signup(random.Random(f"{dialect} {fail_at}"), dialect=dialect, fail_at=fail_at, number=1)


def _later(origin: Signup, dialect: str) -> bytes:
    from evidence_writer.certificates import default_pool

    when = DIALECTS[dialect].since
    return make_replacement(
        random.Random(1), origin, dialect=dialect, when=when, number=2, keys=default_pool()
    ).log_bytes


@pytest.mark.parametrize("dialect", [*SIGNUP_DIALECTS, "d14"])
def test_every_terminal_that_a_dialect_needs_has_a_sample_of_it(dialect):
    """Whatever terminal takes a line of a generated log is hit by a sample that says to be of that dialect."""
    shown = {
        place.piece.type
        for sample in READ["signup_log"][0]
        if dialect in _spoken(sample.dialects)
        for place in parser.places("signup_log", sample.data)
        if place.piece
    }
    needed = {
        piece.type for log in _printed(dialect) for _, pieces in parser.items("signup_log", log) for piece in pieces
    }
    assert needed - shown == set()


def test_every_announcement_of_the_generator_is_a_sample():
    """Each announcement that a generated log makes stands in the samples, but for numbers, names and addresses."""
    shown = {line for sample in READ["signup_log"][0] for line in _announced(sample.data)}
    made = {line for dialect in (*SIGNUP_DIALECTS, "d14") for log in _printed(dialect) for line in _announced(log)}
    assert made - shown == set()
    assert len(made) > 30


def _announced(data: bytes) -> set[str]:
    texts = signuplogs.read_log(data, "").log.announcements
    return {re.sub(r"(?:package: |<)\S+|[0-9]+", "*", text) for text in texts}
