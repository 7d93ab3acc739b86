"""The hosts' images are read by the hosts' own users, whoever makes them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from laerecover.rehearsal.rig import cache


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the rig's images are made by Python 3.11")
def test_what_a_careful_umask_makes_is_read_by_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`laerecover` itself lets nobody read what it writes; a customer's pip on a host has to read the wheels."""

    def make(temporary: Path, say: Callable[[str], None]) -> None:
        (temporary / "wheels").mkdir(mode=0o755)
        (temporary / "wheels" / "tahoe.txt").write_text("")

    monkeypatch.setenv("LAE_RIG_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "_make", make)
    before = os.umask(0o077)
    try:
        place = cache.prepare(lambda _: None)
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in (place, place / "wheels", place / "wheels" / "tahoe.txt")]
    assert modes == [0o755, 0o755, 0o644]
