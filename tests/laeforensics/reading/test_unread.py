"""What may be evidence and was not read is named; it keeps the accounts that it names from being recovered."""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from makings import (
    BUCKET,
    LOG_FILE,
    NAME,
    audit_row,
    codes,
    evidence,
    log,
    open_files,
    secrets,
)
from packings import PACK, tar, write

import laeforensics as lf
from laeforensics.evidence import marks
from laeforensics.evidence.hindrances import CAUSES
from laeforensics.present.cards import card

SECRETS_FILE = f"secrets/{NAME}"
ANOTHER_TOKEN = "{ProductToken}AAAHUHJvZHVjdANOTHER1=="


def contested() -> dict[str, bytes]:
    """Its secrets file and its configuration differ: whoever loses the secrets file finds it recoverable."""
    return evidence(secrets=secrets(product_token=ANOTHER_TOKEN))


def blocking(case: lf.Case) -> list[tuple[str | None, str]]:
    """Of every blocking finding the file and what is said of it."""
    return [(f.signup, f"{f.message}; {f.remedy}") for f in case.judgement.findings if f.severity == "blocking"]


def noise(size: int = 700) -> bytes:
    return random.Random(7).randbytes(size)


UNREADABLE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "gpg": (lambda data: b"-----BEGIN PGP MESSAGE-----\n\n" + noise().hex().encode(), "encrypted"),
    "age": (lambda data: b"age-encryption.org/v1\n" + noise(), "encrypted"),
    "openssl": (lambda data: b"Salted__" + noise(), "encrypted"),
    "vim": (lambda data: b"VimCrypt~03!" + noise(), "encrypted"),
    "7z": (lambda data: b"7z\xbc\xaf\x27\x1c" + noise(), "7z"),
    "rar": (lambda data: b"Rar!\x1a\x07\x01\0" + noise(), "rar"),
    "lz4": (lambda data: b"\x04\x22\x4d\x18" + noise(), "lz4"),
    "compress": (lambda data: b"\x1f\x9d\x90" + noise(), "compress"),
    "lfs": (lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "git lfs pull"),
    "annex": (lambda data: b"/annex/objects/SHA256E-s5--00\n", "git annex get"),
    "pdf": (lambda data: b"%PDF-1.4\n" + noise(), "PDF"),
    "word": (lambda data: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(), "Office"),
    "zeros": (lambda data: bytes(len(data)), "nothing in it"),
    "noise": (lambda data: noise(), "nothing in it"),
    "base64": (lambda data: __import__("base64").encodebytes(data), "nothing in it"),
    "gz cut at once": (lambda data: PACK[".gz"](data)[:14], "cut off"),
    "gz with a flipped byte": (lambda data: flipped(PACK[".gz"](data)), "damaged"),
    "xz with a flipped byte": (lambda data: flipped(PACK[".xz"](data)), "damaged"),
    "html": (lambda data: b"<html><body>404 Not Found</body></html>", "nothing in it"),
}


def flipped(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 0x55]) + data[len(data) // 2 + 1 :]


@pytest.mark.parametrize("how", UNREADABLE)
@pytest.mark.parametrize("name", [SECRETS_FILE, f"{NAME}.bin", f"backup/{NAME.upper()}.dat"])
def test_a_file_that_cannot_be_read_blocks_the_account_that_its_name_bears(how, name, tmp_path):
    """The cause and the remedy are told; without the file the account would be recoverable."""
    change, word = UNREADABLE[how]
    files = contested()
    files[name] = change(files.pop(SECRETS_FILE))
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["verdict"], row["blocking"]) == ("INCOMPLETE", (f"unread:{name}",))
    said = [text for file, text in blocking(case) if file == name]
    assert said
    assert word in " ".join(said) or "names an account" in " ".join(said)
    assert name in str(case.explain(BUCKET))
    assert name in card(case.judgement)


@pytest.mark.parametrize(
    "how", [how for how in UNREADABLE if how not in ("zeros", "html", "noise", "base64") and "z " not in how]
)
def test_a_file_that_names_nobody_blocks_nobody(how, tmp_path):
    """It is told all the same where it could be evidence."""
    change, _ = UNREADABLE[how]
    case = open_files(tmp_path, {**evidence(), "backup/old": change(secrets())})
    assert (audit_row(case)["verdict"], blocking(case)) == ("RECOVERABLE", [])
    assert any(f.signup == "backup/old" for f in case.judgement.findings)


@pytest.mark.parametrize("text", ["see {}\n", '{{"note": "{}"}}\n', "From: x@example.org\n\n> {} is the bucket\n"])
def test_a_file_of_another_kind_that_names_a_bucket_blocks_its_account(text, tmp_path):
    """Nobody can say that nothing is in it."""
    case = open_files(tmp_path, {**evidence(), "mail.txt": text.format(BUCKET).encode()})
    assert audit_row(case)["blocking"] == ("unread:mail.txt",)
    assert [file for file, _ in blocking(case)] == ["mail.txt"]


@pytest.mark.parametrize("lines", ["{0}  {1}\n", "SHA256 ({1}) = {0}\n", "{0} *{1}\n"])
def test_a_list_of_hashes_is_no_evidence(lines, tmp_path):
    """What sha256sum wrote beside the files names them all, and blocks nobody."""
    files = evidence()
    files["SHA256SUMS"] = "".join(lines.format("0" * 64, name) for name in files).encode()
    assert audit_row(open_files(tmp_path, files))["verdict"] == "RECOVERABLE"


def test_a_dangling_link_is_told_and_blocks(tmp_path):
    """The secrets file is a link whose end is lost."""
    files = contested()
    del files[SECRETS_FILE]
    write(tmp_path / "evidence", files)
    (tmp_path / "evidence/secrets").mkdir()
    (tmp_path / "evidence" / SECRETS_FILE).symlink_to("/nowhere/at/all")
    case = lf.open_case(tmp_path / "evidence")
    assert audit_row(case)["blocking"] == (f"unread:{SECRETS_FILE}",)
    assert any("/nowhere/at/all" in text for _, text in blocking(case))


def test_links_within_the_evidence_are_read_once(tmp_path):
    """A link to a file of the evidence is that file; a circle and a link that leads out are told."""
    write(tmp_path / "evidence", contested())
    (tmp_path / "evidence/again").symlink_to(tmp_path / "evidence" / LOG_FILE)
    (tmp_path / "evidence/round").symlink_to("round")
    (tmp_path / "elsewhere").write_bytes(b"x")
    (tmp_path / "evidence/out").symlink_to(tmp_path / "elsewhere")
    case = lf.open_case(tmp_path / "evidence")
    assert audit_row(case)["blocking"] == ("contested:product_token",)
    assert {"round", "out"} <= {f.signup for f in case.judgement.findings}


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="root reads everything")
@pytest.mark.parametrize("what", [SECRETS_FILE, "secrets"])
def test_what_may_not_be_read_is_told(what, tmp_path):
    """A file, and a whole folder, that are not ours to read: nothing below is lost in silence."""
    import subprocess
    import sys

    tmp_path.chmod(0o755)
    write(tmp_path / "evidence", contested())
    os.chmod(tmp_path / "evidence" / what, 0)  # noqa: PTH101  as the shell would
    code = (
        "import sys, laeforensics as lf\n"
        "case = lf.open_case(sys.argv[1])\n"
        "print([(f.signup, f.code) for f in case.judgement.findings if f.severity == 'blocking'])\n"
        "print([(a.account_id, a.unread) for a in case.judgement.accounts])\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "evidence")]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", *command]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stderr
    assert f"('{what}'" in told.stdout


def test_a_huge_sparse_file_is_told_before_it_costs_minutes(tmp_path):
    """It is neither read nor hashed."""
    write(tmp_path / "evidence", evidence())
    with (tmp_path / "evidence" / f"{NAME}.img").open("wb") as file:
        file.truncate(1 << 40)
    case = lf.open_case(tmp_path / "evidence")
    assert audit_row(case)["blocking"] == (f"unread:{NAME}.img",)
    assert any("sparse" in text for _, text in blocking(case))


@pytest.mark.parametrize("prefix", ["{:6d}\t", "> ", "signup.log:{}:", "2012-03-20 10:15:{:02d} host signup: "])
def test_lines_with_a_common_prefix_are_told_with_the_command_that_takes_it_off(prefix, tmp_path):
    """`cat -n`, a quoted mail, grep, syslog, with a line of somebody's own: the log is not read, the account waits."""
    lines = log().decode().split("\n")
    data = "\n".join(prefix.format(n % 60) + line for n, line in enumerate(lines, start=1)).encode()
    data += b"\nThis is all that I found.\n"
    case = open_files(tmp_path, evidence(log=data))
    assert audit_row(case)["blocking"] == (f"unread:{LOG_FILE}",)
    assert any("cut -b" in text for file, text in blocking(case) if file == LOG_FILE)


def test_a_log_of_which_nothing_was_recognised_is_a_warning(tmp_path):
    """Not a note: something lies where a log should."""
    case = open_files(tmp_path, {**evidence(), "signup_logs/readme": b"These are the logs of 2012.\n"})
    assert {f.severity for f in case.judgement.findings if f.signup == "signup_logs/readme"} == {"warning"}


def test_what_is_set_aside_blocks_no_more_until_it_changes(tmp_path, typed):
    """The decision is recorded with the file's digest, and shown; it does not outlive another content."""
    folder = tmp_path / "evidence"
    write(folder, {**evidence(), f"old/{NAME}.pdf": b"%PDF-1.4 invented"})
    name = f"old/{NAME}.pdf"
    said = typed("decide", folder, "--set-aside", name, "--because", "a printed letter", "--who", "Ann")
    assert said[0] == 0, said[2]
    case = lf.open_case(folder)
    assert (audit_row(case)["verdict"], "set-aside" in codes(case)) == ("RECOVERABLE", True)
    (folder / name).write_bytes(b"%PDF-1.4 another")
    assert audit_row(lf.open_case(folder))["blocking"] == (f"unread:{name}",)


def test_what_an_editor_left_of_many_files_is_set_aside_at_once(tmp_path, typed):
    """The command that the card proposes does it: each file with its digest, and no file beside them."""
    swap = b"b0VIM 7.3" + bytes(4087) + b"secrets"
    names = [f"secrets/.{NAME}.swp", f"old/.{NAME}.swp"]
    folder = tmp_path / "evidence"
    case = open_files(tmp_path, evidence() | dict.fromkeys(names, swap) | {f"{NAME}.pdf": b"%PDF-1.4"})
    assert len(audit_row(case)["blocking"]) == 3
    where = ("--output", tmp_path / "m.parquet", "--key-file", tmp_path / "key/k", "--case", tmp_path / "case")
    assert "--set-aside '*.swp' --because WHY" in typed("audit", folder, *where)[1]
    said = typed("decide", folder, "--set-aside", "*.swp", "--because", "older states")[1]
    assert all(f"{name}: set aside" in said for name in names)
    assert audit_row(lf.open_case(folder))["blocking"] == (f"unread:{NAME}.pdf",)
    typed("decide", folder, "--set-aside", "*.swp", "--undo", "--because", "no")
    assert len(audit_row(lf.open_case(folder))["blocking"]) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set-aside", "no/such", "--because", "x"), "no file of that name is unread"),
        (("--set-aside", LOG_FILE, "--because", "x"), "no file of that name is unread"),
        (("--set-aside", f"{NAME}.pdf"), "reason"),
    ],
)
def test_only_what_is_unread_can_be_set_aside_and_never_without_a_reason(words, said, tmp_path, typed):
    """Three ways to say it wrong."""
    write(tmp_path / "evidence", {**evidence(), f"{NAME}.pdf": b"%PDF-1.4 invented"})
    code, _, err = typed("decide", tmp_path / "evidence", *words)
    assert code == 2
    assert said in err


def test_every_reason_says_cause_and_remedy():
    """No reason is empty, and none promises a place that its remedy does not fill."""
    assert [name for name, reason in CAUSES.items() if not (reason.cause and reason.remedy)] == []


def test_a_zip_with_a_password_blocks_whom_its_names_bear(tmp_path):
    """A locked member is told by its name; the others are read."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in contested().items():
            archive.writestr(name, data)
    data = bytearray(target.getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            start = at + (30 if signature == b"PK\x03\x04" else 46)
            if data[start : start + len(SECRETS_FILE)] == SECRETS_FILE.encode():
                data[at + offset] |= 1
            at = data.find(signature, at + 4)
    path = tmp_path / "e.zip"
    path.write_bytes(data)
    case = lf.open_case(path, folder=tmp_path / "case")
    assert audit_row(case)["blocking"] == (f"unread:{SECRETS_FILE}",)
    assert any("password" in text for _, text in blocking(case))


def test_an_archive_of_another_packing_in_the_folder_is_told(tmp_path):
    """It may hold all that is missing; it names nobody, so it blocks nobody."""
    case = open_files(tmp_path, {**evidence(), "secrets.7z": b"7z\xbc\xaf\x27\x1c" + noise()})
    assert any(f.signup == "secrets.7z" and f.severity == "warning" for f in case.judgement.findings)


def test_an_archive_in_the_folder_is_read(tmp_path):
    """Whatever its name."""
    files = contested()
    packed = {"old.bin": tar({SECRETS_FILE: files.pop(SECRETS_FILE)})}
    assert audit_row(open_files(tmp_path, {**files, **packed}))["blocking"] == ("contested:product_token",)


def test_undamaged_evidence_gains_no_finding(tmp_path):
    """A whole folder says nothing of this kind."""
    assert codes(open_files(tmp_path, evidence())) == set()
    assert marks.kind_of(log()) == "log"
