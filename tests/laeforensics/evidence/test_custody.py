"""The register of what was read, and whether it is still so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from makings import LOG_FILE, NAME
from makings import evidence as whole
from packings import below, tar, write

from laeforensics.errors import CustodyError
from laeforensics.evidence import custody, find, read
from laeforensics.evidence.recognise import EvidenceFile

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PROGRAM = "laeforensics 0"


def hashed(*roots: Path) -> list[tuple[EvidenceFile, str]]:
    return [(file, content.sha256) for file, content in read.contents(find.find(*roots))]


def keep(folder: Path, *roots: Path, now: datetime = NOON) -> custody.Comparison:
    return custody.keep(hashed(*roots), folder, now=now, program=PROGRAM)


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / custody.FILE).read_text("utf-8").split("\n") if line]


def test_every_file_has_one_line(tmp_path):
    """Name, size, hash, kind, when first read (UTC) and by what."""
    root, case = write(tmp_path / "e", whole()), tmp_path / "case"
    paris = NOON.astimezone(timezone(timedelta(hours=1)))
    assert keep(case, root, now=paris).is_unchanged
    told = {line["name"]: line for line in lines(case)}
    assert set(told) == set(whole())
    assert told[LOG_FILE] == {
        "root": "e",
        "name": LOG_FILE,
        "size": (root / LOG_FILE).stat().st_size,
        "sha256": {f.name: s for f, s in hashed(root)}[LOG_FILE],
        "kind": "log",
        "first_read": "2026-03-01T12:00:00+00:00",
        "program": PROGRAM,
    }


def test_a_second_audit_adds_what_is_new_and_rewrites_nothing(tmp_path):
    """The first reading's time stays; a new file gets its own."""
    root, case = write(tmp_path / "e", whole()), tmp_path / "case"
    keep(case, root)
    before = lines(case)
    write(root, {"notes.txt": b"new"})
    again = keep(case, root, now=NOON + timedelta(days=1))
    assert again.is_unchanged
    assert lines(case)[:-1] == before
    assert (lines(case)[-1]["name"], lines(case)[-1]["first_read"]) == ("notes.txt", "2026-03-02T12:00:00+00:00")


@pytest.mark.parametrize("change", ["changed", "vanished"])
def test_a_change_is_told_every_time(change, tmp_path):
    """A changed file or one that is gone is a finding, today and tomorrow: the register does not forget."""
    root, case = write(tmp_path / "e", whole()), tmp_path / "case"
    keep(case, root)
    before = lines(case)
    (root / "signups.csv").unlink() if change == "vanished" else (root / "signups.csv").write_bytes(b"")
    for _ in range(2):
        compared = keep(case, root, now=NOON + timedelta(days=1))
        assert not compared.is_unchanged
        assert [(f.code, f.signup) for f in compared.findings()] == [("evidence-changed", "signups.csv")]
    assert lines(case) == before


def test_a_copy_is_held_against_the_register_of_the_original(tmp_path):
    """One root is compared with the one that the register knows, whatever its name; an archive of it reads the same."""
    root, case = write(tmp_path / "e", whole()), tmp_path / "case"
    keep(case, root)
    copy = write(tmp_path / "copy", {**whole(), "signups.csv": b"other"})
    compared = custody.compare(custody.load(case), hashed(copy))
    assert [file.name for _, file, _ in compared.changed] == ["signups.csv"]
    assert compared.new == ()


def test_several_folders_share_a_register(tmp_path):
    """Each root is known by its own name, so that one of them can be audited alone afterwards."""
    old, new = write(tmp_path / "old", whole()), write(tmp_path / "new", {f"{LOG_FILE}x": b"a"})
    case = tmp_path / "case"
    keep(case, old)
    both = keep(case, old, new)
    assert both.is_unchanged
    assert [(root, file.below) for root, file, _ in both.new] == [("new", f"{LOG_FILE}x")]
    assert custody.compare(custody.load(case), hashed(new)).is_unchanged
    assert keep(case, old).vanished == ()


def test_members_and_their_archive_are_in_custody(tmp_path):
    """The archive's own hash and that of every member."""
    path = tmp_path / "e.tar"
    path.write_bytes(tar(below("evidence", whole())))
    keep(tmp_path / "case", path)
    assert {line["name"] for line in lines(tmp_path / "case")} == {*whole(), "e.tar"}


@pytest.mark.parametrize("line", ["{", "[]", "{}", '"x"', '{"root": 1}'])
def test_a_damaged_register_is_told(line, tmp_path):
    """With the number of its line; nothing is overwritten."""
    root, case = write(tmp_path / "e", whole()), tmp_path / "case"
    keep(case, root)
    path = case / custody.FILE
    path.write_text(path.read_text("utf-8") + line + "\n", "utf-8")
    before = path.read_bytes()
    with pytest.raises(CustodyError, match=f"line {len(whole()) + 1}"):
        keep(case, root)
    assert path.read_bytes() == before


def test_what_could_not_be_read_is_not_entered(tmp_path):
    """There is no hash to keep; once known, unreadable is changed."""
    root, case = write(tmp_path / "e", whole()), tmp_path / "case"
    files = [(file, "" if file.name == "signups.csv" else sha) for file, sha in hashed(root)]
    custody.keep(files, case, now=NOON, program=PROGRAM)
    assert "signups.csv" not in {line["name"] for line in lines(case)}
    keep(case, root)
    compared = custody.compare(custody.load(case), files)
    assert "cannot be read" in compared.findings()[0].message


def test_the_register_holds_no_secret(tmp_path):
    """Names, sizes and hashes alone."""
    root = write(tmp_path / "e", whole())
    keep(tmp_path / "case", root)
    assert {key for line in lines(tmp_path / "case") for key in line} == set(custody.Entry.__slots__)
    assert NAME in (tmp_path / "case" / custody.FILE).read_text("utf-8")
