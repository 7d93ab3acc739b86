"""The members of archives, hostile ones too."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest
from makings import ACCESS_KEY_ID, LOG_FILE, NAME, codes, log, signup_row
from makings import evidence as whole
from packings import ARCHIVES, below, special, tar, write, zipped

import laeforensics as lf
from laeforensics.evidence import _archives, _unpack, find, read


def problems(path: Path) -> dict[str, str]:
    """Why files were left out, or not read whole, by their names."""
    return {file.name: str(file.problem) for file in find.find(path) if file.problem}


class Zeros(io.RawIOBase):
    """So many zero bytes, without the memory."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        taken = min(size, self.left)
        self.left -= taken
        return bytes(taken)


def bomb(path: Path, mode: str, *sizes: int) -> Path:
    """An archive with a log and members of zeros."""
    with tarfile.open(path, mode) as archive:
        info = tarfile.TarInfo(f"evidence/{LOG_FILE}")
        info.size = len(log())
        archive.addfile(info, io.BytesIO(log()))
        for number, size in enumerate(sizes):
            info = tarfile.TarInfo(f"evidence/signup_logs/zeros-{number}")
            info.size = size
            archive.addfile(info, Zeros(size))
    return path


def noisy() -> dict[str, bytes]:
    """A folder whose second log is noise that does not compress, so that a cut falls inside it."""
    noise = random.Random(1).randbytes(300_000)
    return {LOG_FILE: log(), f"signup_logs/z{NAME}": noise}


def test_no_member_leads_out_of_its_archive(tmp_path):
    """Absolute names and `..` are taken off, as tar does; links that lead out and devices are told; the log is read."""
    hostile = {"../up": b"x", "/abs": b"x", "evidence/../../signup_logs/up": b"x", "evidence/inner.zip": b"x"}
    others = [
        special("evidence/signup_logs/link", tarfile.SYMTYPE, "/etc/hostname"),
        special("evidence/signup_logs/hard", tarfile.LNKTYPE, "/etc/hostname"),
        special("evidence/fifo", tarfile.FIFOTYPE),
        special("evidence/device", tarfile.CHRTYPE),
    ]
    path = tmp_path / "e.tar"
    path.write_bytes(tar({**hostile, **below("evidence", whole())}, *others))
    left_out = {"signup_logs/link", "signup_logs/hard", "fifo", "device"}
    assert left_out <= set(problems(path))
    case = lf.open_case(path)
    assert signup_row(case)["user_access_key_id"] == ACCESS_KEY_ID
    assert {file.name for file in find.find(path)} >= {"up", "abs", "signup_logs/up"}
    assert {f.signup for f in case.judgement.findings if f.code == "left-out"} == left_out


def test_no_member_leads_out_of_its_zip(tmp_path):
    """The same for .zip, with drive letters, backslashes, links, and members locked or packed by rare methods."""
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"evidence\\signup_logs\\{NAME}", log())
        archive.writestr("..\\signup_logs\\up", b"x")
        archive.writestr("C:/signup_logs/other", b"x")
        archive.writestr("evidence/signup_logs/rare", b"x", zipfile.ZIP_LZMA)
        link = zipfile.ZipInfo("evidence/signup_logs/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/hostname")
    assert {Path(name).name for name in problems(path)} == {"rare", "link"}
    assert {file.name for file in find.find(path)} >= {"signup_logs/up", "signup_logs/other"}
    assert f"evidence/{LOG_FILE}" in list(lf.open_case(path).signups.log_file)


def test_of_two_members_with_one_name_the_later_counts(tmp_path):
    """As when tar unpacks them; the earlier is left out with a finding."""
    path = tmp_path / "e.tar"
    path.write_bytes(tar([(LOG_FILE, b"old"), (LOG_FILE, log())]))
    case = lf.open_case(path)
    assert signup_row(case)["user_access_key_id"] == ACCESS_KEY_ID
    assert "left-out" in codes(case)


@pytest.mark.parametrize("mode", ["w:xz", "w:bz2"])
def test_a_bomb_of_an_archive_is_not_unpacked(mode, tmp_path, monkeypatch):
    """What unpacks to a thousand times its size gives nothing, and the error says why."""
    monkeypatch.setattr(_unpack, "RATIO_FROM", 4 << 20)
    path = bomb(tmp_path / "e.tar", mode, 5 << 20, 25 << 20)
    with pytest.raises(lf.EvidenceError, match="1000 times its size"):
        find.find(path)


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    """A small zip whose members claim to be huge together gives nothing."""
    monkeypatch.setattr(_unpack, "RATIO_FROM", 1 << 20)
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"signup_logs/{number}", bytes(4 << 20))
    with pytest.raises(lf.EvidenceError, match="1000 times its size"):
        find.find(path)


def test_zip_files_one_after_another_are_all_read(tmp_path):
    """However many: each is gone through once, and none is read out of another."""
    names = [f"signup_logs/{number}" for number in range(400)]
    write(tmp_path, {LOG_FILE: log(), "all.zip": b"".join(zipped({name: name.encode()}) for name in names)})
    held = {file.name: content.data for file, content in read.contents(find.find(tmp_path))}
    assert {f"all.zip/{name}": name.encode() for name in names}.items() <= held.items()
    assert problems(tmp_path) == {}


def test_packings_behind_a_zip_are_unpacked_a_few_times(tmp_path):
    """One behind the other, as deep as archives may lie in archives; the rest of the case is read all the same."""
    data = b""
    for number in range(500):
        data = zipped({f"signup_logs/{number}": b"x"}) + (gzip.compress(data) if data else b"")
    write(tmp_path, {LOG_FILE: log(), "all.zip": data})
    held = [file.name for file, content in read.contents(find.find(tmp_path)) if content.data == b"x"]
    assert held == [f"all.zip/signup_logs/{number}" for number in range(499, 494, -1)]
    assert problems(tmp_path) == {"all.zip": "it is packed more than 4 times over"}


def test_a_large_member_is_left_out_and_the_others_are_read(tmp_path):
    """One member past the limit costs that member."""
    path = bomb(tmp_path / "e.tar", "w", _unpack.LARGEST_FILE + 1)
    assert list(lf.open_case(path).signups.log_file) == [LOG_FILE]
    assert "more than this software reads" in problems(path)["signup_logs/zeros-0"]


def test_too_many_members_are_not_listed(tmp_path, monkeypatch):
    """An archive with more members than the limit gives nothing."""
    monkeypatch.setattr(_archives, "MOST_MEMBERS", 3)
    path = tmp_path / "e.tar"
    path.write_bytes(tar(whole()))
    with pytest.raises(lf.EvidenceError, match="more than 3 files"):
        find.find(path)


def test_a_header_that_claims_gigabytes_is_refused():
    """A pax header of a size that no name needs is not read into memory."""
    info = special("x", tarfile.XHDTYPE)
    info.size = _unpack.LARGEST_FILE + 1
    with pytest.raises(_unpack.Damaged, match="header"):
        list(_archives.members(io.BytesIO(info.tobuf() + bytes(4096))))


# bzip2 packs blocks of 900 kB: a smaller archive that is cut gives nothing at all.
@pytest.mark.parametrize("name", ["e.tar", "e.tar.gz", "e.tar.xz", "e.tar.zst"])
def test_an_archive_cut_off_gives_what_comes_before(name, tmp_path):
    """The whole members before the cut are read; the archive is named in a finding that needs a mended file."""
    data = ARCHIVES[name](noisy())
    path = tmp_path / name
    path.write_bytes(data[: len(data) * 3 // 4])
    case = lf.open_case(path)
    assert signup_row(case)["user_access_key_id"] == ACCESS_KEY_ID
    assert any(f.code == "damaged-archive" and f.signup == name for f in case.judgement.findings)


@pytest.mark.parametrize("name", ["e.tar.gz", "e.tar.xz", "e.tar.bz2"])
def test_an_archive_with_a_wrong_checksum_gives_nothing(name, tmp_path):
    """Where a byte was changed, and nothing tells which, no value is believed."""
    data = bytearray(ARCHIVES[name](noisy()))
    data[len(data) // 2] ^= 0x55
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(lf.EvidenceError, match="its checksum or its structure is wrong"):
        find.find(path)


def test_a_zip_member_with_a_wrong_checksum_is_left_out(tmp_path):
    """The others are read."""
    data = bytearray(zipped(noisy()))
    data[len(data) // 2] ^= 0x55
    path = tmp_path / "e.zip"
    path.write_bytes(data)
    case = lf.open_case(path)
    assert list(case.signups.log_file) == [LOG_FILE]
    assert "damaged-archive" in codes(case)
