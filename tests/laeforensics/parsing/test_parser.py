"""A text falls into the pieces that the library finds; many unknown lines are read as if each were read by itself."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from laeforensics.parsing import parser
from laeforensics.parsing.signuplogs import read_log

LOGS = sorted((Path(__file__).parents[3] / "fixtures/evidence/signup_logs").iterdir())
KNOWN = (
    b">License activated.>\naccess_key_id = 'AKIAINVENTEDKEYID234'\n",
    b"secret_key = 'cut\n",
    b"[ubuntu@192.0.2.1] out: a line\n",
    b"[Failure instance: Traceback: no reason\nof any kind\n]\nmore of it\n",
    b"\n\n--\n",
    b"\0\0\0\n",
    b">Deploying EC2 instance...>\n",
)


def _read(data: bytes) -> object:
    told = read_log(data, "2012-02-03T040506Z-inventedseedinventedseedinvented")
    log = told.log
    facts = [fact._replace(print=0) for fact in log.facts]  # which are of one print is what counts, not its number
    prints = [fact.print for fact in log.facts]
    together = [[prints.index(number) for number in prints], [d._replace(print=0) for d in log.damaged_values]]
    return facts, together, log.residue, log.sizes, log.announcements, told.course


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.name[:17])
def test_the_pieces_are_those_that_the_library_itself_finds(log: Path) -> None:
    """Sound, and with lines lost, doubled, cut: whatever stands behind what."""
    rng = random.Random(log.name)
    lines = log.read_bytes().splitlines(keepends=True)
    hurt = [line[: rng.randrange(len(line) + 1)] if rng.random() < 0.05 else line for line in lines]
    for data in (b"".join(lines), b"".join(rng.choices(hurt, k=400)), b"".join(rng.choice(hurt) * 2 for _ in hurt)):
        found = [place.piece for place in parser.places("signup_log", data)]
        told = [piece for _, pieces in parser.items("signup_log", data) for piece in pieces]
        assert [_place(piece) for piece in told] == [_place(piece) for piece in found if piece is not None]


def _place(piece: parser.Piece) -> tuple[object, ...]:
    return parser.text_of(piece), piece.type, piece.line, piece.start_pos, piece.end_pos


@pytest.mark.parametrize("patience", [1024, 1500])
@pytest.mark.parametrize("seed", range(4))
def test_stretches_of_unknown_lines_tell_what_their_lines_tell(
    seed: int, patience: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    parts = []
    for _ in range(6):
        parts += [b"no program printed this line %d\n" % rng.randrange(10**6)] * rng.choice((0, 3, 1100, 2600, 6000))
        parts += rng.choices(KNOWN, k=rng.randrange(4))
    data = b"".join([*parts, b"the last line has no end"])
    monkeypatch.setattr(parser, "PATIENCE", 10**9)
    one_by_one = _read(data)
    monkeypatch.setattr(parser, "PATIENCE", patience)
    assert _read(data) == one_by_one


def test_a_long_stretch_is_handed_on_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"what is this\n" * 5000
    items = parser.items("signup_log", data)
    assert len(items) == parser.PATIENCE + 2  # the last of them is all that is left
    assert sum(piece.end_pos - piece.start_pos for _, pieces in items for piece in pieces) == len(data)
    assert items[-1][1][0].line == parser.PATIENCE + 2


def test_a_tree_keeps_its_compiled_grammars(monkeypatch):
    """A second start compiles nothing; of another text the tables have another name."""
    first = "from laeforensics.parsing import parser; parser.items('signup_log', b'x')"
    second = f"import lark; lark.Lark.open_from_package = None; {first}"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    for script in (first, second):
        subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    before = parser._kept("signup_log")
    monkeypatch.setattr(parser.pkgutil, "get_data", lambda package, name: name.encode())
    assert parser._kept("signup_log") != before
