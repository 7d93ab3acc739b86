"""A host's console."""

from __future__ import annotations

import os
from pathlib import Path

from laerecover.rehearsal.rig.console import open_terminal


def test_what_is_written_on_the_terminal_is_kept(tmp_path: Path):
    """The host sees a terminal; what each boot writes there comes behind what was there before."""
    kept = tmp_path / "console.log"
    for word in (b"first\n", b"second\n"):
        with open_terminal(kept) as (descriptor, path):
            assert os.isatty(descriptor)
            assert os.ttyname(descriptor) == path
            os.write(descriptor, word)
    assert kept.read_bytes() == b"first\nsecond\n"
