"""What is found in a folder or an archive, and what is left alone."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import random
import socket
import tarfile
import zipfile
from pathlib import Path

import pytest
from makings import ACCESS_KEY_ID, LOG_FILE, NAME, codes, log, open_files, signup_row
from makings import evidence as whole
from packings import ARCHIVES, PACK, below, special, tar, write, zipped

import laeforensics as lf
from laeforensics.evidence import _archives, _unpack, find, read, recognise
from laeforensics.evidence.recognise import LEFT_OUT, LOG, OTHER, SECRETS


def problems(path: Path) -> dict[str, str]:
    """Why files were left out, by their names."""
    return {file.name: file.problem for file in find.find(path) if file.problem}


def plain_facts(case: lf.Case) -> list[tuple[str, ...]]:
    """The facts, but for the hash of the file (a compressed file has another)."""
    return sorted(tuple(map(str, row)) for row in case.facts.drop(columns="sha256").itertuples(index=False))


@pytest.mark.parametrize("top", ["evidence", "./evidence", "."])
@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_of_a_folder_reads_like_the_folder(name, top, tmp_path):
    """Same facts at the same places, same names and the same digest, whatever the archive and its one folder."""
    plain = open_files(tmp_path / "plain", whole())
    path = tmp_path / name
    path.write_bytes(ARCHIVES[name](below(top, whole())))
    case = lf.open_case(path)
    assert plain_facts(case) == plain_facts(plain)
    assert case.judgement.reading.digest == plain.judgement.reading.digest
    assert codes(case) == codes(plain)


def test_an_archive_whose_only_folder_is_signup_logs_keeps_its_name(tmp_path):
    """signup_logs/ is a place, not a wrapping."""
    path = tmp_path / "logs.tar"
    path.write_bytes(tar({LOG_FILE: log()}))
    assert list(lf.open_case(path).signups.log_file) == [LOG_FILE]


def test_an_archive_in_a_folder_is_read_under_its_own_name(tmp_path):
    """Its members are called ARCHIVE/PATH."""
    write(tmp_path, {"backup.tar.gz": gzip.compress(tar(below("evidence", whole())))})
    row = signup_row(lf.open_case(tmp_path), f"backup.tar.gz/evidence/{LOG_FILE}")
    assert row["user_access_key_id"] == ACCESS_KEY_ID


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


def test_several_folders_are_one_case(tmp_path):
    """Names begin with the folder's own, made unique; a log finds its secrets file in another folder."""
    files = whole()
    first = write(tmp_path / "a" / "old", {LOG_FILE: files[LOG_FILE]})
    second = write(tmp_path / "b" / "old", {n: d for n, d in files.items() if n != LOG_FILE})
    case = lf.open_case(first, second)
    row = signup_row(case, f"old/{LOG_FILE}")
    assert row["product_token"] is not None
    assert {file.name.split("/")[0] for file, _ in case.judgement.reading.files} == {"old", "old-2"}
    assert case.folder == (tmp_path / "a" / "old.case").resolve()


def test_a_folder_named_twice_is_refused(tmp_path):
    """One folder inside another would count its files twice."""
    write(tmp_path, whole())
    for other in (tmp_path, tmp_path / "signup_logs"):
        with pytest.raises(lf.EvidenceError, match="named twice"):
            find.find(tmp_path, other)


def test_no_member_leads_out_of_its_archive(tmp_path):
    """Absolute names, .., links and devices are left out, each with a finding; the log beside them is read."""
    hostile = {"../up": b"x", "/abs": b"x", "evidence/../../signup_logs/up": b"x", "evidence/inner.zip": b"x"}
    others = [
        special("evidence/signup_logs/link", tarfile.SYMTYPE, "/etc/hostname"),
        special("evidence/signup_logs/hard", tarfile.LNKTYPE, "/etc/hostname"),
        special("evidence/fifo", tarfile.FIFOTYPE),
        special("evidence/device", tarfile.CHRTYPE),
    ]
    path = tmp_path / "e.tar"
    path.write_bytes(tar({**hostile, **below("evidence", whole())}, *others))
    left_out = problems(path)
    assert len(left_out) == 8
    case = lf.open_case(path)
    assert list(case.signups.log_file) == [LOG_FILE]
    found = [f for f in case.judgement.findings if f.code == "left-out"]
    assert {f.signup for f in found} == set(left_out)


def test_no_member_leads_out_of_its_zip(tmp_path):
    """The same for .zip, with drive letters, backslashes, links, and members locked or packed by rare methods."""
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"evidence\\signup_logs\\{NAME}", log())
        archive.writestr("..\\signup_logs\\up", b"x")
        archive.writestr("C:/signup_logs/up", b"x")
        archive.writestr("evidence/signup_logs/rare", b"x", zipfile.ZIP_LZMA)
        link = zipfile.ZipInfo("evidence/signup_logs/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/hostname")
    assert len(problems(path)) == 4
    assert list(lf.open_case(path).signups.log_file) == [LOG_FILE]


def test_of_two_members_with_one_name_the_later_counts(tmp_path):
    """As when tar unpacks them; the earlier is left out with a finding."""
    path = tmp_path / "e.tar"
    path.write_bytes(tar([(LOG_FILE, b"old"), (LOG_FILE, log())]))
    case = lf.open_case(path)
    assert signup_row(case)["user_access_key_id"] == ACCESS_KEY_ID
    assert "left-out" in codes(case)


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


@pytest.mark.parametrize("mode", ["w:xz", "w:bz2"])
def test_a_bomb_of_an_archive_is_not_unpacked(mode, tmp_path, monkeypatch):
    """What unpacks to a thousand times its size gives nothing, and the error says why."""
    monkeypatch.setattr(_unpack, "RATIO_FROM", 4 << 20)
    path = bomb(tmp_path / "e.tar", mode, 5 << 20, 25 << 20)
    with pytest.raises(lf.EvidenceError, match="1000 times its size"):
        find.find(path)


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    """A small zip whose members claim to be huge together gives nothing."""
    monkeypatch.setattr(_archives, "RATIO_FROM", 1 << 20)
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"signup_logs/{number}", bytes(4 << 20))
    with pytest.raises(lf.EvidenceError, match="1000 times its size"):
        find.find(path)


def test_a_large_member_is_left_out_and_the_others_are_read(tmp_path):
    """One member past the limit costs that member."""
    path = bomb(tmp_path / "e.tar", "w", _unpack.LARGEST_FILE + 1)
    assert list(lf.open_case(path).signups.log_file) == [LOG_FILE]
    assert "more than this software reads" in problems(path)["signup_logs/zeros-0"]


def test_a_compressed_bomb_in_a_folder_is_not_unpacked(tmp_path, monkeypatch):
    """A .gz that unpacks past the limit gives no bytes and a finding."""
    monkeypatch.setattr(_unpack.unpack, "__kwdefaults__", {"limit": 1 << 20})
    case = open_files(tmp_path, {**whole(), f"signup_logs/{NAME}x.gz": gzip.compress(bytes(2 << 20))})
    assert list(case.signups.log_file) == [LOG_FILE]
    assert "damaged-archive" in codes(case)


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
    found = _archives.listing(io.BytesIO(info.tobuf() + bytes(4096)))
    assert found.members == []
    assert "header" in found.problem


def noisy() -> dict[str, bytes]:
    """A folder whose second log is noise that does not compress, so that a cut falls inside it."""
    noise = random.Random(1).randbytes(300_000)
    return {LOG_FILE: log(), f"signup_logs/z{NAME}": noise}


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
    with pytest.raises(lf.EvidenceError, match="nothing of it was read"):
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


def test_what_is_no_file_is_left_out(tmp_path):
    """Pipes, sockets, links that lead out or in a circle: each has a finding, none is opened, none hangs."""
    write(tmp_path / "e", whole())
    logs = tmp_path / "e" / "signup_logs"
    os.mkfifo(logs / "fifo")
    (logs / "out").symlink_to("/etc/hostname")
    (logs / "circle").symlink_to("circle")
    (logs / "gone").symlink_to(tmp_path / "e" / "nothing")
    (tmp_path / "e" / "folder").symlink_to("/etc")
    server = socket.socket(socket.AF_UNIX)
    where = Path.cwd()
    os.chdir(logs)
    try:
        server.bind("socket")
    finally:
        os.chdir(where)
        server.close()
    case = lf.open_case(tmp_path / "e")
    assert list(case.signups.log_file) == [LOG_FILE]
    left_out = {f.signup for f in case.judgement.findings if f.code == "left-out"}
    names = {f"signup_logs/{name}" for name in ("fifo", "out", "circle", "gone", "socket")}
    assert left_out == names | {"folder"}


def test_a_folder_named_like_a_log_is_a_folder(tmp_path):
    """It is gone into, not read."""
    write(tmp_path, {**whole(), "signup_logs/signups.csv/x": b"", f"secrets/{NAME[:-1]}a/y": b""})
    assert list(lf.open_case(tmp_path).signups.log_file) == [LOG_FILE]


def test_a_link_inside_the_folder_is_read(tmp_path):
    """A file that is a link to another file of the evidence is that file."""
    write(tmp_path, {"kept/" + NAME: log()})
    (tmp_path / "signup_logs").mkdir()
    (tmp_path / LOG_FILE).symlink_to("../kept/" + NAME)
    assert signup_row(lf.open_case(tmp_path))["user_access_key_id"] == ACCESS_KEY_ID


def test_a_name_that_is_no_utf8_is_written_with_escapes(tmp_path):
    """So that every table, file and terminal can hold it; the log is read, and the manifest can be written."""
    write(tmp_path / "e", whole())
    name = os.fsencode(tmp_path / "e" / "signup_logs") + b"/odd\xff\n"
    Path(os.fsdecode(name)).write_bytes(log())
    case = lf.open_case(tmp_path / "e")
    assert "signup_logs/odd\\xff\n" in set(case.signups.log_file)
    case.export(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k")


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


@pytest.mark.parametrize(
    "files", [{}, {"signups.csv": b""}, {"letter.txt": b"dear"}, {"signup_logs/.hidden": b""}], ids=str
)
def test_without_logs_there_is_no_evidence(files, tmp_path):
    """An empty folder and one without logs or secrets files: one clear error with its remedy."""
    with pytest.raises(lf.EvidenceError) as error:
        lf.open_case(write(tmp_path, files))
    assert error.value.where == str(tmp_path)
    assert "signup_logs/" in error.value.next_step


def test_what_is_neither_folder_nor_archive_is_refused(tmp_path):
    """No such path; a file that is no archive; an empty one; text that is called .tar."""
    for name, data in (("letter.txt", b"dear"), ("e.tar.gz", b""), ("e.tar", b"text" * 400), ("e.zip", b"PK\3\4")):
        path = tmp_path / name
        with pytest.raises(lf.EvidenceError, match="no such folder"):
            find.find(path)
        path.write_bytes(data)
        with pytest.raises(lf.EvidenceError):
            find.find(path)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (LOG_FILE, LOG),
        (LOG_FILE + ".gz", LOG),
        (f"a/b/{LOG_FILE}.zst", LOG),
        (f"secrets/{NAME}.xz", SECRETS),
        (f"secrets/plan/{NAME}/SSEC2.bz2", SECRETS),
        (f"secrets/plan/{NAME}/signup_logs.gz", LOG),
        ("signups.csv.gz", "signups"),
        ("signup_logs/notes.txt", LOG),
        ("notes.txt.gz", OTHER),
    ],
)
def test_the_kind_of_a_file_ignores_its_compression(name, kind):
    """Place and name tell the kind, in both layouts."""
    assert recognise.classify(name) == kind


def test_nothing_is_written_to_the_evidence(tmp_path):
    """Files, folders and their times are as before."""
    write(tmp_path / "e", {**whole(), "b.tar.gz": gzip.compress(tar(whole())), f"{LOG_FILE}x.xz": lzma.compress(log())})

    def state() -> list[tuple[str, int, int]]:
        return sorted((str(p), p.stat().st_mtime_ns, p.stat().st_size) for p in (tmp_path / "e").rglob("*"))

    before = state()
    assert len(lf.open_case(tmp_path / "e").findings)
    assert state() == before


def test_left_out_files_are_not_among_the_files_read(tmp_path):
    """The digest names what was read."""
    write(tmp_path, whole())
    os.mkfifo(tmp_path / "fifo")
    case = lf.open_case(tmp_path)
    assert LEFT_OUT not in {file.kind for file, _ in case.judgement.reading.files}
