"""What is found in a folder or an archive, and what is left alone."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path

import pytest
from makings import ACCESS_KEY_ID, LOG_FILE, NAME, codes, log, open_files, signup_row
from makings import evidence as whole
from packings import ARCHIVES, below, tar, write

import laeforensics as lf
from laeforensics.evidence import find
from laeforensics.evidence.recognise import LEFT_OUT


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


def test_left_out_files_are_not_among_the_files_read(tmp_path):
    """The digest names what was read."""
    write(tmp_path, whole())
    os.mkfifo(tmp_path / "fifo")
    case = lf.open_case(tmp_path)
    assert LEFT_OUT not in {file.kind for file, _ in case.judgement.reading.files}
