"""What a file told, kept in little memory."""

from __future__ import annotations

import pickle

from makings import LOG_FILE, log, open_files

from laeforensics.facts.fact import Tile
from laeforensics.parsing import thrift
from laeforensics.parsing.signuplogs import read_log


def test_what_a_log_told_holds_no_text_of_it(tmp_path):
    """A log with much noise is kept in the memory of one with little: facts are kept, text is not."""
    noise = b"".join(b"[ubuntu@192.0.2.1] out: line %d\n" % n for n in range(20_000))
    quiet, loud = (open_files(tmp_path / str(len(extra)), {LOG_FILE: log() + extra}) for extra in (noise[:33], noise))
    quiet_size, loud_size = (len(pickle.dumps(case.judgement.reading.logs)) for case in (quiet, loud))
    assert loud_size < quiet_size + 200


def test_tiles_are_kept_as_they_were():
    """Packed tiles have the length, the order and the places of the list they were made of."""
    tiles = read_log(log(), LOG_FILE).tiles
    kept = thrift.Tiles(tiles)
    assert list(kept) == tiles
    assert kept == tiles
    assert (len(kept), kept[0], kept[-1], kept[1:3]) == (len(tiles), tiles[0], tiles[-1], tiles[1:3])
    assert all(type(tile) is Tile for tile in kept)
