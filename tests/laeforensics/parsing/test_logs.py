"""What one log says, in bounded size."""

from __future__ import annotations

from makings import LOG_FILE, log, open_files

from laeforensics.parsing.logs import MOST_DAMAGED, MOST_RESIDUE
from laeforensics.parsing.signuplogs import read_log


def test_residue_is_bounded_but_complete():
    """Beyond so many lines neighbours become one stretch: the same bytes, few rows; a gap begins a new one."""
    junk = [b"nobody knows %d\n" % n for n in range(MOST_RESIDUE + 500)]
    data = b"".join(junk[:-100]) + b">Deploying EC2 instance...>\n" + b"".join(junk[-100:])
    kept = read_log(data, LOG_FILE).log.residue
    assert len(kept) == MOST_RESIDUE + 2
    assert [r.line for r in kept[:MOST_RESIDUE]] == list(range(1, MOST_RESIDUE + 1))
    assert sum(r.end - r.start for r in kept) == sum(map(len, junk))


def test_damage_is_told_in_bounded_number():
    """A file of ten thousand torn values is told as damaged a thousand times, not ten thousand."""
    assert len(read_log(b"secret_key = x\n" * 10_000, LOG_FILE).log.damaged_values) == MOST_DAMAGED


def test_residue_of_a_log_of_nothing_else_is_small(tmp_path):
    """A file of twenty thousand lines that nobody knows gives a thousand rows and a few."""
    junk = b"".join(b"nobody knows %d\n" % n for n in range(20_000))
    case = open_files(tmp_path, {LOG_FILE: log() + junk})
    assert len(case.residue) <= MOST_RESIDUE + 10
    size = sum(case.residue.end - case.residue.start)
    assert size >= len(junk)
