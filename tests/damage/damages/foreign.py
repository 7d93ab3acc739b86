"""Pieces of another log in a log: failure dumps, what a host said, prints of the program itself."""

from __future__ import annotations

import re
from collections.abc import Callable

from damages.classes import damage
from damages.hurting import Hurt
from damages.texts import bytes_of, line_at, printed
from damages.witnesses import Left

Piece = Callable[[Hurt, Left], bytes]
Place = Callable[[Hurt, Left], int]


def _put_in(hurt: Hurt, into: list[Left], of: list[Left], piece: Piece, place: Place) -> None:
    for one, other in hurt.pairs(into, of):
        new = piece(hurt, other)
        if new:
            at = place(hurt, one)
            hurt.edit(str(one.log), (at, at, new))
            hurt.concern(one.account)


# -- places: always between two lines ----------------------------------------------------------------------


def _at_end(hurt: Hurt, left: Left) -> int:
    return len(bytes_of(hurt, left.log))


def _before(stage: str) -> Place:
    """Before the line of a stage; at the end where the log has none."""

    def place(hurt: Hurt, left: Left) -> int:
        span = printed(left, "stage", stage)
        return line_at(bytes_of(hurt, left.log), span[0])[0] if span else _at_end(hurt, left)

    return place


def _after(name: str, value: str | None = None) -> Place:
    def place(hurt: Hurt, left: Left) -> int:
        span = printed(left, name, value)
        return span[1] if span else _at_end(hurt, left)

    return place


def _anywhere(hurt: Hurt, left: Left) -> int:
    data = bytes_of(hurt, left.log)
    return line_at(data, hurt.rng.randrange(len(data)))[0]


# -- pieces ------------------------------------------------------------------------------------------------


def _dump(hurt: Hurt, left: Left) -> bytes:
    """The whole failure dump of a failed log, to its end."""
    data = bytes_of(hurt, left.log)
    at = data.find(b"[Failure instance: ")
    return data[at:] if at >= 0 else b""


def _dump_lines(hurt: Hurt, left: Left) -> bytes:
    """Seven lines out of a failure dump."""
    return b"".join(_dump(hurt, left).splitlines(keepends=True)[:7])


def _relayed(pattern: bytes, count: int) -> Piece:
    """So many lines that a host relayed, from the first on that matches."""

    def piece(hurt: Hurt, left: Left) -> bytes:
        lines = bytes_of(hurt, left.log).splitlines(keepends=True)
        first = next((at for at, line in enumerate(lines) if re.search(pattern, line)), None)
        return b"" if first is None else b"".join(lines[first : first + count])

    return piece


def _announced(name: str, value: str | None = None) -> Piece:
    """A print with the announcement before it."""

    def piece(hurt: Hurt, left: Left) -> bytes:
        span, data = printed(left, name, value), bytes_of(hurt, left.log)
        return data[line_at(data, span[0] - 1)[0] : span[1]] if span else b""

    return piece


def _end(hurt: Hurt, left: Left) -> bytes:
    """From the line that the servers run to the end."""
    span = printed(left, "stage", "servers_running")
    return bytes_of(hurt, left.log)[span[0] :] if span else b""


def _register(
    name: str, what: str, piece: Piece, place: Place, donors: str = "complete", into: str = "complete"
) -> None:
    @damage(name, what, alone="logs")
    def make(hurt: Hurt) -> None:
        targets = hurt.logs("origin", s4=False, outcome=into)
        of = [each for each in hurt.logs(s4=False, outcome=donors) if each.role in ("origin", "attempt")]
        _put_in(hurt, targets, of, piece, place)


_FAILED = "failed"
_register(
    "foreign-dump-in-middle",
    "another log's failure dump before the installation's end",
    _dump,
    _before("installed"),
    _FAILED,
)
_register(
    "foreign-dump-lines",
    "seven lines of another log's failure dump anywhere in a finished log",
    _dump_lines,
    _anywhere,
    _FAILED,
)
_register(
    "foreign-relayed-early-unfinished",
    "a line that another host relayed, before the deployment of a failed run",
    _relayed(rb"^\[.* out: ", 1),
    _before("deploying"),
    into=_FAILED,
)
_register(
    "foreign-relayed-identity",
    "another host's node.pem and ids, before the servers run",
    _relayed(rb" run: cat .*introducer/private/node\.pem", 80),
    _before("servers_running"),
)
_register(
    "foreign-credentials",
    "another customer's print of keys and token after the own one",
    _announced("mark", "credentials"),
    _after("mark", "credentials"),
)
_register(
    "foreign-bucket",
    "another customer's bucket block after the own one",
    _announced("bucket_name"),
    _after("bucket_name"),
)
_register(
    "foreign-deploy",
    "another customer's deploy block after the own one",
    _announced("mark", "deploy"),
    _after("mark", "deploy"),
)
_register("foreign-end-of-failure", "the end of a finished log behind a failed one", _end, _at_end, into=_FAILED)
