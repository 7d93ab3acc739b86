"""Two logs in one file, and one log in two: both orders, every kind of run, whole and torn."""

from __future__ import annotations

from collections.abc import Callable

from damages.classes import damage
from damages.hurting import Hurt
from damages.texts import bytes_of, spans
from damages.witnesses import Left

Choice = Callable[[Hurt], list[Left]]


def _signups(hurt: Hurt) -> list[Left]:
    return hurt.logs("origin", s4=False)


def _s4(hurt: Hurt) -> list[Left]:
    return hurt.logs("origin", s4=True)


def _replacements(hurt: Hurt) -> list[Left]:
    return hurt.logs("replacement", s4=False)


def _re_records(hurt: Hurt) -> list[Left]:
    return hurt.logs("re-record")


def _glue(hurt: Hurt, first: Left, second: Left, named: str, *, lost: bool = False) -> None:
    """Both logs, one after the other, in the file of the first or the second; `lost`: the other's own file is gone."""
    here, there = (first, second) if named == "first" else (second, first)
    _lay(hurt, here, there, bytes_of(hurt, first.log) + bytes_of(hurt, second.log), lost=lost)


def _lay(hurt: Hurt, here: Left, there: Left, data: bytes, *, lost: bool) -> None:
    assert here.log
    assert there.log
    hurt.rewrite(here.log, data)
    hurt.concern(here.account)
    hurt.concern(there.account)
    if lost:
        hurt.remove(there.log)


def _register(name: str, what: str, ones: Choice, others: Choice, named: str = "first", *, lost: bool = False) -> None:
    ending = "; the other has no file of its own any more" * lost

    @damage(name, f"{what} in one file, under the name of the {named} of them{ending}", alone="logs")
    def make(hurt: Hurt) -> None:
        for first, second in hurt.pairs(ones(hurt), others(hurt)):
            _glue(hurt, first, second, named, lost=lost)


_register("glued-signup-signup", "two signups", _signups, _signups)
_register("glued-signup-signup-second-lost", "two signups", _signups, _signups, "second", lost=True)
_register("glued-replacement-signup", "a replacement, then a signup", _replacements, _signups)
_register("glued-signup-replacement", "a signup, then a replacement", _signups, _replacements)
_register("glued-re-record-signup", "a re-record, then a signup", _re_records, _signups)
_register("glued-re-record-signup-second", "a re-record, then a signup", _re_records, _signups, "second")
_register("glued-signup-re-record", "a signup, then a re-record", _signups, _re_records)
_register("glued-s4-s4", "two signups of S4", _s4, _s4)


def _cut(hurt: Hurt, data: bytes) -> int:
    """A place in the middle half of a log, in the middle of a line."""
    return hurt.rng.randrange(len(data) // 4, 3 * len(data) // 4)


def _torn(name: str, what: str, put: Callable[[Hurt, bytes, bytes], bytes], ones: Choice = _signups) -> None:
    @damage(name, what, alone="logs")
    def make(hurt: Hurt) -> None:
        for first, second in hurt.pairs(ones(hurt), _signups(hurt)):
            _lay(hurt, first, second, put(hurt, bytes_of(hurt, first.log), bytes_of(hurt, second.log)), lost=False)


def _head_and_tail(hurt: Hurt, one: bytes, other: bytes) -> bytes:
    return one[: _cut(hurt, one)] + other[_cut(hurt, other) :]


def _within(hurt: Hurt, one: bytes, other: bytes) -> bytes:
    at = _cut(hurt, one)
    return one[:at] + other + one[at:]


def _in_turns(hurt: Hurt, one: bytes, other: bytes, fewest: int, most: int) -> bytes:
    """Some lines of either, in turns, as two processes append to one file."""
    lines = [[data[a:b] for a, b in spans(data)] for data in (one, other)]
    parts: list[bytes] = []
    while lines[0] or lines[1]:
        for which in (0, 1):
            count = hurt.rng.randint(fewest, most)
            parts += lines[which][:count]
            lines[which] = lines[which][count:]
    return b"".join(parts)


def _interleaved(hurt: Hurt, one: bytes, other: bytes) -> bytes:
    return _in_turns(hurt, one, other, 5, 60)


def _line_by_line(hurt: Hurt, one: bytes, other: bytes) -> bytes:
    return _in_turns(hurt, one, other, 1, 3)


_torn("torn-head-tail", "the head of a log, then the tail of another", _head_and_tail)
_torn("torn-within", "another log in the middle of a log", _within)
_torn("torn-interleaved", "two logs in turns, some lines of each", _interleaved)
_torn("torn-line-by-line", "two logs in turns, one to three lines of each", _line_by_line)


@damage("re-record-then-cut-signup", "a re-record, then the head of a signup, under the signup's name", alone="logs")
def re_record_then_cut_signup(hurt: Hurt) -> None:
    for first, second in hurt.pairs(_re_records(hurt), _signups(hurt)):
        head = bytes_of(hurt, second.log)
        _lay(hurt, second, first, bytes_of(hurt, first.log) + head[: _cut(hurt, head)], lost=False)


@damage("rotated-within", "half of the logs begin in their middle, and their head follows their tail", alone="logs")
def rotated_within(hurt: Hurt) -> None:
    for each in hurt.some(hurt.logs()):
        assert each.log
        data = bytes_of(hurt, each.log)
        at = _cut(hurt, data)
        hurt.rewrite(each.log, data[at:] + data[:at])


@damage("head-once-more", "half of the logs are followed by their own head, as of a copy begun anew", alone="logs")
def head_once_more(hurt: Hurt) -> None:
    for each in hurt.some(hurt.logs()):
        assert each.log
        data = bytes_of(hurt, each.log)
        hurt.rewrite(each.log, data + data[: _cut(hurt, data)])


@damage(
    "rotated-in-two",
    "half of the logs were rotated: the tail bears the name, the head lies beside it as NAME.1",
    alone="logs",
)
def rotated_in_two(hurt: Hurt) -> None:
    for each in hurt.some(hurt.logs(s4=False)):
        assert each.log
        data = bytes_of(hurt, each.log)
        start = hurt.rng.choice(spans(data)[len(spans(data)) // 4 : -5])[0]
        hurt.edit(each.log, (0, start, b""))
        hurt.put(f"{each.log}.1", data[:start], like=each.log)


@damage(
    "glued-secrets",
    "two secrets files in one, under the first's name; the second remains elsewhere or not",
    alone="secrets",
)
def glued_secrets(hurt: Hurt) -> None:
    files = hurt.secrets(s4=False)
    for first, second in hurt.pairs(files, files):
        assert first.secrets
        assert second.secrets
        hurt.rewrite(first.secrets, bytes_of(hurt, first.secrets) + bytes_of(hurt, second.secrets))
        hurt.concern(first.account)
        hurt.concern(second.account)
        if hurt.rng.random() < 0.5:
            hurt.remove(second.secrets)
