"""Bytes of the evidence with their hashes."""

from __future__ import annotations

import gzip
import lzma

from makings import LOG_FILE, log
from makings import evidence as whole
from packings import tar, write

import laeforensics as lf
from laeforensics.evidence import _unpack, find, read


def test_a_file_that_vanishes_is_unreadable(tmp_path):
    """Between finding and reading a file may go: a finding, no crash."""
    write(tmp_path, whole())
    files = find.find(tmp_path)
    (tmp_path / LOG_FILE).unlink()
    told = {file.name: content for file, content in read.contents(files)}
    assert told[LOG_FILE].problem
    assert told[LOG_FILE].data == b""


def test_a_file_too_large_to_parse_is_hashed(tmp_path, monkeypatch):
    """It stands in custody, with a finding."""
    write(tmp_path, {**whole(), "signup_logs/huge": b"x" * 5000, "disk.img": b"y" * 5000})
    monkeypatch.setattr(_unpack, "LARGEST_FILE", 4000)
    case = lf.open_case(tmp_path)
    hashes = {file.name: sha256 for file, sha256 in case.judgement.reading.files}
    assert len(hashes["signup_logs/huge"]) == len(hashes["disk.img"]) == 64
    assert [f.signup for f in case.judgement.findings if f.code == "unreadable-file"] == ["signup_logs/huge"]


def test_nothing_is_written_to_the_evidence(tmp_path):
    """Files, folders and their times are as before."""
    write(tmp_path / "e", {**whole(), "b.tar.gz": gzip.compress(tar(whole())), f"{LOG_FILE}x.xz": lzma.compress(log())})

    def state() -> list[tuple[str, int, int]]:
        return sorted((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in (tmp_path / "e").rglob("*"))

    before = state()
    assert len(lf.open_case(tmp_path / "e").findings)
    assert state() == before
