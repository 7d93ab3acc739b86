"""`audit`, as typed."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from makings import (
    AUDIT,
    EMAIL,
    LOG_FILE,
    NAME,
    evidence,
    is_three_lines,
    log,
    open_files,
    secrets,
)
from packings import below, tar, write

import laeforensics as lf
from laerecover.manifest import read_manifest


def test_the_audit_names_its_case_folder(tmp_path, typed):
    """Whoever looks for custody and decisions finds the folder in the audit's own words."""
    root = open_files(tmp_path, evidence()).root
    code, out, _ = typed(
        "audit",
        root,
        "-o",
        tmp_path / "m.parquet",
        "--key-file",
        tmp_path / "k" / "key",
        "--case",
        tmp_path / "my.case",
    )
    assert code == 0
    assert f"{tmp_path / 'my.case'}  custody" in out


def test_audit_writes_its_files_and_custody(folder, typed):
    """The manifest, audit.parquet and audit.html, and the register beside the evidence; exit code 0."""
    code, out, err = typed(*AUDIT)
    assert (code, err) == (0, "")
    assert "1 RECOVERABLE" in out
    assert {path.name for path in (folder / "out").iterdir()} == {
        "m.parquet",
        "audit.parquet",
        "audit.html",
        "audit.d",
        "statement.json",
    }
    assert (folder / "evidence.case" / "custody.jsonl").is_file()


def test_what_holds_names_is_its_owners_alone(folder, typed):
    """audit.html, audit.parquet, the pages beside them."""
    typed(*AUDIT)
    modes = {path.name: path.stat().st_mode & 0o077 for path in (folder / "out").iterdir()}
    assert {name for name, mode in modes.items() if mode} <= {"statement.json"}


def test_quiet(folder, typed):
    """Nothing is said of an audit that went well; with --json, JSON alone."""
    assert typed(*AUDIT, "--quiet") == (0, "", "")
    code, out, err = typed(*AUDIT, "-q", "--json")
    assert (code, json.loads(out)["accounts"], err) == (0, 1, "")
    assert typed("audit", "nowhere", "-q")[2] != ""


def test_the_former_audit_is_kept_if_it_said_something_else(folder, typed):
    """An audit that changes nothing leaves it alone; one that does names the `diff` to type."""
    former = folder / "out/audit.before.parquet"
    typed(*AUDIT)
    assert "diff" not in typed(*AUDIT)[1]
    assert not former.exists()
    (folder / "evidence/signups.csv").write_bytes(b"")
    _, out, _ = typed(*AUDIT)
    assert f"laeforensics diff out/{former.name} out/audit.parquet" in out
    typed(*AUDIT)
    code, out, _ = typed("diff", former, folder / "out/audit.parquet")
    assert (code, "1 changed" in out or "1 told by other evidence" in out) == (0, True)


def test_audit_as_json(folder, typed):
    """JSON alone on stdout, people's text on stderr."""
    code, out, err = typed(*AUDIT, "--json")
    told = json.loads(out)
    assert (code, told["verdicts"], told["evidence_changed"]) == (0, {"RECOVERABLE": 1}, [])
    assert "RECOVERABLE" in err


def test_audit_of_changed_evidence_ends_with_1(folder, typed):
    """Everything is written, the change is a finding on the page, and the last word says what to do."""
    typed(*AUDIT)
    (folder / "evidence" / "signups.csv").write_bytes(b"")
    code, out, err = typed(*AUDIT, "--json")
    assert code == 1
    assert json.loads(out)["evidence_changed"] == ["signups.csv"]
    assert "changed    signups.csv" in err
    assert "next: laerecover" not in err
    assert "evidence-changed" in (folder / "out" / "audit.html").read_text("utf-8")


def test_audit_of_several_folders_and_of_an_archive(folder, typed):
    """old/ and an archive of new/ are one case."""
    (folder / "new.tar.gz").write_bytes(gzip.compress(tar(below("new", {f"{LOG_FILE}x": log()}))))
    code, out, _ = typed("audit", "evidence", "new.tar.gz", *AUDIT[2:])
    assert code == 0
    assert "2 signup logs" in out


def test_jobs_write_the_same_audit(folder):
    """As typed in a real shell: two processes, the same digests; nothing on stderr when piped."""
    told = []
    for jobs in ("1", "2"):
        words = [*AUDIT, "--json", "--jobs", jobs]
        command = [sys.executable, "-c", "from laeforensics.cli import main; main()", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        told.append([json.loads(done.stdout)[name] for name in ("digest", "manifest_digest")])
    assert told[0] == told[1]


def test_a_disk_that_is_full_is_told(folder, typed, monkeypatch):
    """An error of the system is three lines too."""

    def full(*args: object, **named: object) -> None:
        raise OSError(28, "No space left on device", "out/m.parquet")

    monkeypatch.setattr("laeforensics.export.manifest.export", full)
    code, _, err = typed(*AUDIT)
    assert code == 2
    assert is_three_lines(err)
    assert "No space left" in err


def test_both_digests_are_told_whole_by_their_names(folder, typed):
    """`digest` is the evidence's, as card, page and manifest have it; the manifest's own has its own name."""
    code, out, err = typed(*AUDIT, "--json")
    told = json.loads(out)
    manifest = read_manifest(Path("out/m.parquet"), key_file=Path("key/k"))
    evidence_digest = lf.open_case("evidence").judgement.reading.digest
    assert (code, told["digest"], told["manifest_digest"]) == (0, evidence_digest, manifest.digest)
    assert told["digest"] == manifest.evidence_digest != manifest.digest
    assert err.count(evidence_digest) == 1
    assert (folder / "out" / "audit.html").read_text("utf-8").count(evidence_digest) == 1
    code, out, _ = typed(*AUDIT)
    assert (code, out.count(evidence_digest)) == (0, 1)


def test_commands_name_evidence_that_begins_with_a_dash_as_it_can_be_typed(folder, typed):
    """As a folder of here, for the shell's library takes it for an option else."""
    (folder / "evidence").rename(folder / "-e")
    (folder / "-e" / "secrets" / NAME).write_bytes(secrets(secret_key="another0secret+key/of+forty/characters/0"))
    _, out, _ = typed("audit", "./-e", "--output", "out/m.parquet", "--key-file", "key/k")
    (line,) = (line for line in out.splitlines() if line.startswith("      laeforensics explain "))
    assert typed(*line.split()[1:])[0] == 0


@pytest.mark.parametrize("verb", [("audit",), ("list",), ("explain", EMAIL)], ids=lambda words: words[0])
def test_what_the_programs_made_of_evidence_is_refused_as_evidence(verb, folder, typed):
    """An audit's folder, though it holds what a drill's servers left, its pages, a recovery's state: with what to name.

    Nothing is written, no key is made.
    """
    assert typed(*AUDIT)[0] == 0
    write(folder / "out/m.parquet.drill", {"ledger.sqlite": b"", **{f"evidence/{n}": d for n, d in evidence().items()}})
    before = {path for path in folder.rglob("*") if path.is_file()}
    for own, said in (
        ("out", "it holds what came of an audit"),
        ("out/audit.d", "laeforensics itself wrote this folder"),
        ("out/m.parquet.drill", "out/m.parquet.drill/evidence"),
    ):
        code, out, err = typed(verb[0], own, *verb[1:])
        assert (code, out, is_three_lines(err)) == (2, "", True)
        assert said in err
    assert {path for path in folder.rglob("*") if path.is_file()} == before


def test_what_a_drill_left_is_told_as_invented(folder, typed):
    """Of a run's evidence, with the same files, nothing is said: the next disaster starts from it."""
    state = {"ledger.sqlite": b"", "state.json": b'{"mode": "drill"}'}
    write(folder / "kept", {**state, **{f"evidence/{n}": d for n, d in evidence().items()}})
    code, _, err = typed("audit", "kept/evidence", *AUDIT[2:], "--case", "of-it")
    assert (code, "its servers, addresses and node keys are invented" in err) == (0, True)
    (folder / "kept/state.json").write_text('{"mode": "run"}')
    assert typed("audit", "kept/evidence", *AUDIT[2:], "--case", "of-it")[2] == ""
