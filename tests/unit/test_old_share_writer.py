"""The writer of old shares, held to the layout byte by byte."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

from old_shares import PIECE, is_mdmf, objects, old_share, pieces, says_468

DATA = b"\x01" + bytes(7) + b"data of a share"


def mutable(data: bytes = DATA, *, slack: int = 0, extra_leases: int = 0) -> bytes:
    """As Tahoe-LAFS 1.20 writes it: four leases in the header, more behind the data and what shrinking left over."""
    header = b"Tahoe mutable container v2\n" + bytes(5) + b"n" * 20 + b"w" * 32
    sizes = len(data).to_bytes(8, "big") + (468 + len(data) + slack).to_bytes(8, "big")
    return (
        header + sizes + b"L" * 368 + data + b"?" * slack + extra_leases.to_bytes(4, "big") + b"L" * 92 * extra_leases
    )


@pytest.mark.parametrize("share", [mutable(), mutable(slack=9), mutable(extra_leases=3)])
def test_a_mutable_share_says_468_and_has_no_lease(share):
    """Magic of version 1, server and write enabler as they were, 468, no lease in the header, none behind the data."""
    old = old_share(share)
    assert old[:32] == b"Tahoe mutable container v1\n\x75\x09\x44\x03\x8e"
    assert old[32:84] == b"n" * 20 + b"w" * 32
    assert old[84:100] == len(DATA).to_bytes(8, "big") + (468).to_bytes(8, "big")
    assert old[100:] == bytes(368) + DATA + bytes(4)
    assert (is_mdmf(old), says_468(old), says_468(share)) == (True, True, False)
    assert old_share(old) == old


def test_an_immutable_share_has_version_1_and_nothing_behind_its_data():
    """However many leases it had."""
    share = (2).to_bytes(4, "big") + b"size" + (2).to_bytes(4, "big") + b"data" + b"L" * 144
    assert old_share(share) == bytes([0, 0, 0, 1]) + bytes(8) + b"data"
    assert not says_468(old_share(share))


def test_pieces_and_their_names():
    """Counted over header and all.

    An immutable share of a whole number of pieces has an empty last one, a mutable has not.
    """
    immutable = bytes([0, 0, 0, 1]) + bytes(8)
    assert [len(p) for p in pieces(immutable.ljust(PIECE + 1, b"x"))] == [PIECE, 1]
    assert [len(p) for p in pieces(immutable.ljust(2 * PIECE, b"x"))] == [PIECE, PIECE, 0]
    assert [len(p) for p in pieces(old_share(mutable(bytes(2 * PIECE - 472))))] == [PIECE, PIECE]
    assert [len(p) for p in pieces(immutable, size=5)] == [5, 5, 2]
    assert list(objects("shares/ab/abc/10", [b"a", b"b", b"c"])) == [
        f"shares/ab/abc/10{end}" for end in ("", ".1", ".2")
    ]
