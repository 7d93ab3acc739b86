"""What lies on somebody's disk beside evidence, and what became of its files there."""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from makings import BUCKET, LOG_FILE, NAME, as_another, audit_row, codes, evidence, log, open_files, result, secrets
from packings import PACK, tar, write, zipped

import laeforensics as lf

SECRETS_FILE = f"secrets/{NAME}"
ANOTHER_TOKEN = "{ProductToken}AAAHUHJvZHVjdANOTHER1=="
Files = dict[str, bytes]


def said(case: lf.Case, name: str) -> list[tuple[str, str]]:
    """Code and remedy of what is said of a file."""
    return [(f.code, f.remedy) for f in case.judgement.findings if f.signup == name]


def apple_double(files: Files) -> Files:
    beside = {name.rpartition("/")[0] + "/._" + name.rpartition("/")[2]: b"\0\5\x16\7" + bytes(78) for name in files}
    beside |= {"/.DS_Store": b"\0\0\0\1Bud1" + bytes(6000)}
    return {name.removeprefix("/"): data for name, data in beside.items()}


def paths(files: Files) -> bytes:
    return "".join(f"./{name}\n" for name in files).encode()


BESIDE: dict[str, Callable[[Files], Files]] = {
    "what a Mac writes": apple_double,
    "sums": lambda files: {"SHA256SUMS": "".join(f"{'0' * 64}  {name}\n" for name in files).encode()},
    "a sum beside its file": lambda files: {f"{SECRETS_FILE}.md5": f"{'0' * 32} *{NAME}\n".encode()},
    "find": lambda files: {"files.txt": paths(files)},
    "find, on Windows": lambda files: {"files.txt": paths(files).replace(b"./", b"C:\\e\\").replace(b"\n", b"\r\n")},
    "dir, in UTF-16": lambda files: {"dir.txt": b"\xff\xfe" + paths(files).decode().encode("utf-16-le")},
    "ls": lambda files: {
        "listing": b"".join(
            b"./%s:\ntotal 12\n-rw-r--r-- 1 ann ann 512 Mar 20  2012 %s\n\n" % (folder.encode(), NAME.encode())
            for folder in ("signup_logs", "secrets")
        )
    },
    "tree": lambda files: {"tree": f".\n├── secrets\n│   └── {NAME}\n└── signup_logs\n    └── {NAME}\n".encode()},
    "git's index": lambda files: {".git/index": b"DIRC\0\0\0\2" + SECRETS_FILE.encode() + bytes(20) + NAME.encode()},
}


@pytest.mark.parametrize("how", BESIDE)
def test_what_names_files_and_no_more_is_no_evidence(how, tmp_path):
    """It bears the stamps of all runs, blocks nobody, and nothing is said of it."""
    files = evidence()
    case = open_files(tmp_path, {**files, **BESIDE[how](files)})
    assert (audit_row(case)["verdict"], case.judgement.findings) == ("RECOVERABLE", [])


@pytest.mark.parametrize(
    "tail",
    [f"$ cat secrets/{NAME}\n", "secret_key: invented/secret+key\n", f"see {BUCKET}\n"],
    ids=["a terminal's text", "a value", "a note"],
)
@pytest.mark.parametrize("size", [1, 400])
def test_what_only_begins_as_a_list_is_unread(tail, size, tmp_path):
    """Behind the names, however many, stands something else: nobody can say what it is worth."""
    text = paths(evidence()) * size + tail.encode()
    case = open_files(tmp_path, {**evidence(), "typescript": text})
    assert audit_row(case)["blocking"] == ("unread:typescript",)


@pytest.mark.parametrize("value", ["invented/secret+key/of+forty/characters/", "AKIAINVENTEDKEYID234"])
def test_a_value_alone_is_no_list_of_names(value, tmp_path):
    """A file that was copied out of a server: its name bears the account, its text is a path's at first sight."""
    name = f"from-server/{NAME}.s3secret"
    assert audit_row(open_files(tmp_path, {**evidence(), name: f"{value}\n".encode()}))["blocking"] == (
        f"unread:{name}",
    )


def test_names_of_files_in_the_place_of_evidence_are_told(tmp_path):
    """The secrets file was overwritten by what a program printed."""
    files = evidence(secrets=secrets(product_token=ANOTHER_TOKEN))
    files[SECRETS_FILE] = paths(files)
    assert audit_row(open_files(tmp_path, files))["blocking"] == (f"unread:{SECRETS_FILE}",)


CONTAINERS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "what grep found": lambda one, other: b"a:" + one.replace(b"\n", b"\na:") + b"\n" + other,
    "a log, and secrets behind it": lambda one, other: one + other,
    "a data base": lambda one, other: b"SQLite format 3\0" + bytes(84) + b"\n" + one + bytes(9) + other,
    "the image of a disk": lambda one, other: bytes(4096) + other + bytes(700) + b"\n" + one,
}


@pytest.mark.parametrize("how", CONTAINERS)
@pytest.mark.parametrize("name", ["found.txt", "lost+found/#12"])
def test_what_holds_several_files_is_unread_for_whoever_else_is_named(how, name, tmp_path):
    """One of them makes the file look like a log; of the others nothing is read, and that is told."""
    files = evidence(secrets=secrets(product_token=ANOTHER_TOKEN))
    stranger = as_another(log())
    files[name] = CONTAINERS[how](stranger, SECRETS_FILE.encode() + b":" + files.pop(SECRETS_FILE))
    case = open_files(tmp_path, files)
    assert audit_row(case)["blocking"] == (f"unread:{name}",)
    assert "unread-evidence" in {code for code, _ in said(case, name)}


@pytest.mark.parametrize("names", [("[Content_Types].xml", "xl/workbook.xml"), ("mimetype", "content.xml")])
@pytest.mark.parametrize("name", ["signups.xlsx", "Signups.ods", "activation_requests.csv.xlsx"])
def test_a_document_of_an_office_program_is_told_as_one(names, name, tmp_path):
    """Not taken apart: its parts would say nothing."""
    parts = {names[0]: b"application/vnd.oasis.opendocument.spreadsheet", names[1]: b"<a/>"}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for part, data in parts.items():
            archive.writestr(part, data)
    case = open_files(tmp_path, {**evidence(results=None), name: target.getvalue()})
    (told,) = (f for f in case.judgement.findings if f.signup == name)
    assert (told.code, "save it as plain text" in told.remedy) == ("unread-evidence", True)


# -- archives ------------------------------------------------------------------------------------------------


def in_parts(data: bytes, name: str, suffixes: list[str]) -> Files:
    size = len(data) // len(suffixes) + 1
    return {f"{name}{suffix}": data[n * size : (n + 1) * size] for n, suffix in enumerate(suffixes)}


PARTS: dict[str, Callable[[Files], Files]] = {
    "7z's parts of a zip": lambda files: in_parts(zipped(files), "old.zip", [".001", ".002", ".003"]),
    "split's parts of a tar.gz": lambda files: in_parts(PACK[".gz"](tar(files)), "old.tar.gz", [".aa", ".ab", ".ac"]),
    "split's parts of a tar.xz": lambda files: in_parts(PACK[".xz"](tar(files)), "old.tar.xz", [".aa", ".ab"]),
    "rar's parts": lambda files: in_parts(b"Rar!\x1a\x07\x01\0" + zipped(files), "old", [".part1.rar", ".part2.rar"]),
}


@pytest.mark.parametrize("how", PARTS)
def test_each_part_of_a_divided_archive_is_told_with_the_command_that_joins_them(how, tmp_path):
    """And none is called damaged: it is whole, together with the others."""
    files = evidence()
    parts = PARTS[how]({SECRETS_FILE: files.pop(SECRETS_FILE)})
    case = open_files(tmp_path, {**files, **parts})
    for part in parts:
        told = said(case, part)
        assert any("join the parts" in remedy for _, remedy in told), (part, told)
        assert "damaged-archive" not in {code for code, _ in told}


def test_the_last_part_of_a_divided_zip_names_whom_it_lists(tmp_path):
    """Its list of members stands in it, name after name, with no more than other letters between them."""
    files = evidence(secrets=secrets(product_token=ANOTHER_TOKEN))
    packed = tmp_path / "old.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(3):
            info = zipfile.ZipInfo(f"secrets/{NAME[:-1]}{'abc'[number]}")
            info.extra = b"UT\5\0\3" + bytes(4)
            archive.writestr(info, b"x" * 40)
        info = zipfile.ZipInfo(SECRETS_FILE)
        info.extra = b"UT\5\0\3" + bytes(4)
        archive.writestr(info, files.pop(SECRETS_FILE))
    data = bytearray(packed.read_bytes())
    end = data.rindex(b"PK\5\6")
    data[end + 4 : end + 8] = b"\3\0\3\0"  # it is the fourth disk, and the list begins on it
    case = open_files(tmp_path, {**files, "old.zip": bytes(data)})
    assert audit_row(case)["blocking"] == ("unread:old.zip",)


WHOLE: dict[str, Callable[[Files], bytes]] = {
    "something behind a zip": lambda files: zipped(files) + b"\n-- \nAnn\n",
    "something before a zip": lambda files: b"From: ann@example.org\n\n" + zipped(files),
    "something behind a gz": lambda files: PACK[".gz"](tar(files)) + b"-- \nAnn\n",
    "a long window": lambda files: (
        subprocess.run(
            ["zstd", "-q", "-c", "-1", "--long=28"],
            input=tar(files) + bytes(300 << 20),
            capture_output=True,
            check=True,
        ).stdout
    ),
}


@pytest.mark.parametrize("how", WHOLE)
def test_what_is_whole_is_not_called_damaged(how, tmp_path):
    """It blocks until somebody has looked, and says what to look at."""
    if how == "a long window" and not Path("/usr/bin/zstd").exists():
        pytest.skip("no zstd here to make it")
    files = evidence()
    case = open_files(tmp_path, {**files, "old.tar.zst": WHOLE[how]({"notes/a": b"nothing"})})
    told = [f for f in case.judgement.findings if f.signup == "old.tar.zst"]
    assert [(f.code, f.severity) for f in told] == [("unread-evidence", "blocking")], told
    assert audit_row(case)["verdict"] == "RECOVERABLE"


def test_an_archive_with_backslashes_and_long_names_of_windows_is_read(tmp_path):
    """As a program of Windows writes it."""
    packed = tmp_path / "e.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for number, (name, data) in enumerate(evidence().items()):
            info = zipfile.ZipInfo("x")
            info.filename = ("", "\\\\?\\C:\\e\\", "..\\..\\", "D:\\", "\\\\host\\share\\", "/srv/")[number] + (
                name if number == 5 else name.replace("/", "\\")
            )
            archive.writestr(info, data)
    case = lf.open_case(packed)
    assert audit_row(case)["verdict"] == "RECOVERABLE"
    assert not any("?" in file.name or ":" in file.name for file, _ in case.judgement.reading.files)


# -- files of 0 bytes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["geheim/{}", "{}.secrets", "backup/secrets (1)/{}.txt", "KEYS/{}"])
def test_an_empty_secrets_file_is_one_wherever_it_lies(name, tmp_path):
    """Its run never came to its end: that counts in a renamed folder, too."""
    files = evidence(log=log(until="address"), secrets=b"", results=result("failure"), servers=None)
    at_home = audit_row(open_files(tmp_path / "home", files))
    files[name.format(NAME)] = files.pop(SECRETS_FILE)
    case = open_files(tmp_path / "away", files)
    assert (audit_row(case)["verdict"], at_home["verdict"]) == ("UNFINISHED", "UNFINISHED")
    assert "empty-log" not in codes(case)


def test_empty_files_are_no_copies_of_each_other(tmp_path):
    """Every run that never came to its end leaves the same 0 bytes."""
    other = NAME.replace("2012-03-20", "2012-03-21")
    files = {**evidence(), f"x/{NAME}.dat": b"", f"x/{other}.dat": b""}
    case = open_files(tmp_path, files)
    assert "copied-file" not in codes(case)
    assert audit_row(case)["verdict"] == "RECOVERABLE"
    assert said(case, f"x/{other}.dat")[0][0] == "unread-file"


def test_the_log_of_that_stamp_stays_a_log(tmp_path):
    """An empty log in its place is no secrets file."""
    files = evidence(log=b"")
    write(tmp_path / "evidence", files)
    case = lf.open_case(tmp_path / "evidence")
    assert any(f.code == "empty-log" and f.signup == LOG_FILE for f in case.judgement.findings)
