"""Lines lost, doubled, swapped, wrapped, joined; files re-encoded: what editors, mails and copying do to text."""

from __future__ import annotations

from collections.abc import Callable

from damages.classes import damage
from damages.effects import Edit
from damages.hurting import Hurt
from damages.texts import line_at, spans
from damages.witnesses import FAILED, READY


def _paths(hurt: Hurt) -> list[str]:
    return [str(each.log) for each in hurt.logs()]


def _telling(hurt: Hurt, path: str) -> tuple[int, int]:
    """A line of a log that tells a value by itself; any line where none does."""
    data = hurt.written.files[path]
    told = [w for w in hurt.written.of_file(path) if w.kind == "log" and w.field not in (READY, FAILED)]
    return line_at(data, hurt.rng.choice(told).start) if told else hurt.rng.choice(spans(data))


def _announcing(hurt: Hurt, path: str) -> tuple[int, int]:
    data = hurt.written.files[path]
    return hurt.rng.choice([(a, b) for a, b in spans(data) if data[a : a + 1] == b">" and data[b - 2 : b] == b">\n"])


def _per_log(name: str, what: str, edits: Callable[[Hurt, str], list[Edit]]) -> None:
    @damage(name, what, alone="logs")
    def make(hurt: Hurt) -> None:
        for path in hurt.some(_paths(hurt)):
            hurt.edit(path, *edits(hurt, path))


def _line_lost(hurt: Hurt, path: str) -> list[Edit]:
    return [(*_telling(hurt, path), b"")]


def _announcement_lost(hurt: Hurt, path: str) -> list[Edit]:
    return [(*_announcing(hurt, path), b"")]


def _doubled(hurt: Hurt, path: str) -> list[Edit]:
    start, end = _telling(hurt, path)
    return [(end, end, hurt.written.files[path][start:end])]


def _swapped(hurt: Hurt, path: str) -> list[Edit]:
    data = hurt.written.files[path]
    whole, one = spans(data), _telling(hurt, path)
    at = whole.index(one)
    other = whole[at + 1] if at + 1 < len(whole) else whole[at - 1]
    (a, b), (c, d) = sorted((one, other))
    return [(a, d, data[c:d] + data[a:b])]


def _wrapped(hurt: Hurt, path: str) -> list[Edit]:
    at = [a + n for a, b in spans(hurt.written.files[path]) for n in range(80, b - a - 1, 80)]
    return [(position, position, b"\n") for position in at]


def _head_lost(hurt: Hurt, path: str) -> list[Edit]:
    return [(0, _telling(hurt, path)[0] + hurt.rng.randrange(20), b"")]


def _tail_lost(hurt: Hurt, path: str) -> list[Edit]:
    return [(_telling(hurt, path)[0] + hurt.rng.randrange(20), len(hurt.written.files[path]), b"")]


_per_log("log-line-lost", "a line that tells a value is lost, in half of the logs", _line_lost)
_per_log("log-announcement-lost", "an announcement is lost, in half of the logs", _announcement_lost)
_per_log("log-line-doubled", "a line that tells a value stands twice, in half of the logs", _doubled)
_per_log("log-lines-swapped", "a line that tells a value has changed places with its neighbour", _swapped)
_per_log("log-lines-wrapped", "half of the logs are wrapped at 80 columns", _wrapped)
_per_log("log-head-lost", "half of the logs begin at some value", _head_lost)
_per_log("log-tail-lost", "half of the logs end at some value", _tail_lost)


def _converted(name: str, what: str, change: Callable[[bytes], bytes]) -> None:
    @damage(name, what)
    def make(hurt: Hurt) -> None:
        for path in hurt.some(_paths(hurt)):
            hurt.convert(path, change)


def _twice(data: bytes) -> bytes:
    return data.decode("latin-1").encode("utf-8")


def _utf_16(data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode("utf-16")


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def _numbered(data: bytes) -> bytes:
    return b"".join(b"%6d\t" % number + line + b"\n" for number, line in enumerate(data[:-1].split(b"\n"), start=1))


def _quoted(data: bytes) -> bytes:
    return b"".join(b"> " + line + b"\n" for line in data[:-1].split(b"\n"))


_converted("log-lines-numbered", "the lines of half of the logs are numbered", _numbered)
_converted("log-lines-quoted", "the lines of half of the logs are quoted as in a mail", _quoted)
_converted("log-utf-16", "half of the logs were saved as UTF-16", _utf_16)
_converted("log-latin-1-twice", "half of the logs were taken for latin-1 and saved as UTF-8", _twice)


@damage("everything-crlf", "every file has CR LF at the ends of lines")
def everything_crlf(hurt: Hurt) -> None:
    for path in sorted(hurt.files):
        hurt.convert(path, _crlf)
