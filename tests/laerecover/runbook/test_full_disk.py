"""A state folder on a disk that is really full."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.e2e


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MB, unmounted afterwards."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_stops_before_the_next_effect_and_room_lets_it_go_on(make_manifest, key_file, commands, small_disk):
    """Exit 3 with what, where, what next; nothing is launched meanwhile, and with room the same command ends well."""
    manifest, filler = make_manifest(count=2), small_disk / "filler"
    drill = ("drill", manifest, "--key-file", key_file, "--state", small_disk / "state", "--pace", "0.001")
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 3 * 2**20))
    stopped = commands(*drill)
    assert stopped.returncode == 3, stopped.stderr
    assert "the disk is full" in stopped.stderr
    assert "make room" in stopped.stderr
    assert "MB are free, 8.4 MB are wanted" in stopped.stderr
    filler.unlink()
    assert commands(*drill).returncode == 0


def test_a_disk_without_a_single_byte_is_told_in_words(make_manifest, key_file, commands, small_disk):
    """Not even the state can be written: no traceback, nothing started, and with room the same command ends well."""
    manifest, filler = make_manifest(count=1), small_disk / "filler"
    drill = ("drill", manifest, "--key-file", key_file, "--state", small_disk / "state", "--pace", "0.001")
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free))
    stopped = commands(*drill)
    assert stopped.returncode in (2, 3)
    assert "no space left" in stopped.stderr.lower() or "the disk is full" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    filler.unlink()
    ended = commands(*drill)
    assert ended.returncode == 0, ended.stderr
