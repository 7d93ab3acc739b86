"""Compressed files: known by their bytes, never past a limit."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from makings import ACCESS_KEY_ID, LOG_FILE, NAME, codes, log, open_files, signup_row
from makings import evidence as whole
from packings import PACK

from laeforensics.evidence import _unpack


@pytest.mark.parametrize("suffix", PACK)
def test_a_compressed_file_is_read_as_what_it_was(suffix, tmp_path):
    """X.gz is the log X: it joins with its secrets file and its rows by the name X, and an account is found by it."""
    plain = open_files(tmp_path / "plain", whole())
    packed_files = {name + suffix: PACK[suffix](data) for name, data in whole().items()}
    case = open_files(tmp_path / "packed", packed_files)
    row, expected = signup_row(case, LOG_FILE + suffix), signup_row(plain)
    assert {**row, "log_file": LOG_FILE} == expected
    assert case.judgement.joined[0].matched_by == plain.judgement.joined[0].matched_by
    assert codes(case) == codes(plain)
    assert case.explain(NAME).account_id == case.explain(NAME + suffix).account_id


def test_a_compressed_file_is_known_by_its_bytes_not_by_its_name(tmp_path):
    """A log that was unpacked but kept its suffix, and one that was packed but lost it, are both read."""
    for name, data in ((LOG_FILE + ".gz", log()), (LOG_FILE, gzip.compress(log()))):
        case = open_files(tmp_path / str(len(data)), {name: data})
        assert signup_row(case, name)["user_access_key_id"] == ACCESS_KEY_ID


def test_a_compressed_bomb_in_a_folder_is_not_unpacked(tmp_path, monkeypatch):
    """A .gz that unpacks past the limit gives no bytes and a finding."""
    monkeypatch.setattr(_unpack.unpack, "__kwdefaults__", {"limit": 1 << 20})
    case = open_files(tmp_path, {**whole(), f"signup_logs/{NAME}x.gz": gzip.compress(bytes(2 << 20))})
    assert list(case.signups.log_file) == [LOG_FILE]
    assert "unread-evidence" in codes(case)
    assert "damaged-archive" not in codes(case)  # it is whole


def test_a_compressed_log_cut_off_gives_what_comes_before(tmp_path):
    """And no value that is not the log's."""
    noise = b"\n".join(b"[ubuntu@192.0.2.1] out: %d" % random.Random(n).getrandbits(400) for n in range(3000)) + b"\n"
    data = gzip.compress(log() + noise)
    case = open_files(tmp_path, {LOG_FILE + ".gz": data[: len(data) // 2]})
    assert signup_row(case, LOG_FILE + ".gz")["user_access_key_id"] == ACCESS_KEY_ID
    assert "damaged-archive" in codes(case)


@pytest.mark.parametrize("suffix", PACK)
def test_an_unpacked_stream_is_what_was_packed(suffix):
    """Several packed streams one after the other are one; a damaged one gives nothing or what comes before."""
    data = random.Random(2).randbytes(400_000)
    pack = PACK[suffix]
    assert _unpack.unpack(io.BytesIO(pack(data) + pack(data)), suffix) == (data + data, None)
    cut = _unpack.unpack(io.BytesIO(pack(data)[:-9]), suffix)
    assert data.startswith(cut.data)
    assert cut.problem is not None
