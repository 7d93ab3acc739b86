"""Folders, links, fifos, strange names and unknown lines among the evidence.

Found, shown harmlessly, never followed.
"""

from __future__ import annotations

import os

import pytest
from hostile_lab import OF_THE_LOG, Lab, after_line, signup

DIALECTS = ("d01", "d02", "d06", "d12", "d13")


# -- the folder ------------------------------------------------------------------------------------------------------


def test_files_that_are_no_files_are_left_alone(tmp_path):
    """A directory, a fifo, a dangling, a circular and an outward link where files are due.

    Found, never followed, never waited for.
    """
    run, other = signup("d06", 1), signup("d06", 2)
    folder = Lab.of(run).write(tmp_path / "evidence")
    outside = tmp_path / "outside"
    outside.write_bytes(other.log_bytes)
    logs = folder / "signup_logs"
    (logs / other.log_name).symlink_to(outside)
    (logs / "2012-01-01T000000Z-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").mkdir()
    os.mkfifo(logs / "2012-01-01T000001Z-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    (logs / "2012-01-01T000002Z-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").symlink_to(logs / "nowhere")
    (logs / "2012-01-01T000003Z-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").symlink_to(logs)
    (folder / "secrets" / "loop").symlink_to(folder)
    (folder / "activation_requests.csv").unlink()
    (folder / "activation_requests.csv").mkdir()
    lab = Lab.of(run)
    lab.files = {}
    judged = lab.judge(folder, look=True)
    assert judged.wrong == []
    assert judged.recall == 1.0
    assert list(judged.rows) == [run.log_file]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_a_finding(tmp_path):
    """No permission for one log: the others are audited, and the finding names the file."""
    run, other = signup("d06", 1), signup("d06", 2)
    folder = Lab.of(run, other).write(tmp_path)
    (folder / other.log_file).chmod(0)
    lab = Lab.of(run, other)
    lab.files = {}
    judged = lab.judge(folder, look=True)
    assert judged.wrong == []
    assert other.log_file in set(judged.case.findings["signup"])


@pytest.mark.parametrize(
    "name", ["a\nb", "\x1b[31m", "\u202etxt", "x" * 200, "2012-01-01T000000Z-", "<img src=x>", "-rf", "lae.csv\u2028"]
)
def test_a_log_of_a_strange_name_is_read_and_shown_harmlessly(name, tmp_path):
    """Control characters, bidi, markup in a file name: the log's own values, nothing raw on a terminal or page."""
    run = signup("d06")
    lab = Lab.of(run, secrets=False).rename(run.log_file, f"signup_logs/{name}")
    judged = lab.judge(tmp_path, look=True)
    assert judged.wrong == []
    assert judged.recall > 0.7


def test_a_name_that_is_no_text_is_survived(tmp_path):
    """A file name of bytes that are no UTF-8."""
    run = signup("d06")
    folder = Lab.of(run).write(tmp_path)
    (folder / "signup_logs" / os.fsdecode(b"2012-01-01T000000Z-\xff\xfe")).write_bytes(b"")
    lab = Lab.of(run)
    lab.files = {}
    judged = lab.judge(folder, look=True)
    assert judged.wrong == []
    assert judged.recall == 1.0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_noise_in_an_unknown_language_leaves_what_is_certain(dialect, tmp_path):
    """Lines that no grammar knows, between all blocks: residue with its place, and the values stay."""
    run = signup(dialect)
    noise = [b"", b"zork: ganz unbekannt", b"\xe4\xf6 = 'x'", b"~~~", b"{json: true}"]
    lab = Lab.of(run, csv=False, secrets=False)
    for mark in (b">License activated.>", b">S3 bucket created.>", b">EC2 instance started.>", b">The server's public"):
        if mark in run.log_bytes and mark != b">License activated.>" and mark != b">EC2 instance started.>":
            lab.edit(run.log_file, after_line(mark, *noise))
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert [n for n in judged.lost if n in OF_THE_LOG] == []
    assert len(judged.case.residue) > 0
