"""Where the shell is begun without what a shell has: one clear word before the long work, and nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from makings import evidence, instance_dump
from packings import write

from laeforensics.companions.inventory import read_inventory

PROGRAM = "from laeforensics.cli import main; main()"


def run(folder: Path, *words: str, code: str = PROGRAM, env: dict[str, str] | None = None, **more):
    """The program as a process of its own."""
    given = {"PATH": os.environ["PATH"], "HOME": str(folder), **(env or {})}
    given = {name: value for name, value in given.items() if value is not None}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(
        command, cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=120, **more
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    write(tmp_path / "evidence", evidence())
    return tmp_path


def test_without_a_home_folder_the_key_file_is_asked_for_before_the_audit(folder):
    """Nobody waits an hour to be told."""
    patch = "import pathlib\ndef home():\n    raise RuntimeError('no home')\npathlib.Path.home = home\n"
    told = run(folder, "audit", "evidence", code=patch + PROGRAM)
    assert (told.returncode, "--key-file" in told.stderr, "Traceback" in told.stderr) == (2, True, False)
    assert not (folder / "evidence.case").exists()


def test_without_a_user_name_it_is_asked_for_before_the_evidence_is_read(folder):
    """A container without users."""
    patch = "import getpass\ndef nobody():\n    raise KeyError('uid')\ngetpass.getuser = nobody\n"
    words = ("decide", "evidence", "x", "customer_email", "--witness", "1", "--because", "y")
    told = run(folder, *words, code=patch + PROGRAM)
    assert (told.returncode, "--who NAME" in told.stderr) == (2, True)


def test_standard_output_may_be_closed(folder):
    """Everything is written all the same."""
    told = subprocess.run(
        [
            "sh",
            "-c",
            'exec "$@" >&- 2>&-',
            "sh",
            sys.executable,
            "-c",
            PROGRAM,
            "audit",
            "evidence",
            "-o",
            "out/m.parquet",
        ],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder / "home")},
        check=False,
        timeout=120,
    )
    assert told.returncode == 0
    assert (folder / "out/audit.parquet").exists()


def test_a_reader_that_hears_no_more_is_no_error(folder):
    """`laeforensics explain … | head -1` ends without a complaint."""
    script = (
        f'"{sys.executable}" -c "{PROGRAM}" explain evidence ann@example.org | head -1; echo "${{PIPESTATUS[0]}}" >&2'
    )
    told = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert "laeforensics:" not in told.stderr
    assert told.stderr.split()[-1] in ("0", "141")


@pytest.mark.parametrize("verb", [("explain", "evidence", "ann@example.org"), ("extract", "evidence")])
def test_a_reader_that_hears_nothing_at_all_is_no_error(verb, folder):
    """It is gone before the first word."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", PROGRAM, *verb]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    told = subprocess.run(
        command, cwd=folder, env=buffered, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (told.returncode, told.stderr) == (0, "")


def test_a_tilde_in_an_option_is_the_home_folder(folder):
    """Shells leave it alone behind `=`."""
    told = run(folder, "audit", "evidence", "--output=~/out/m.parquet", "--key-file=~/key/k")
    assert told.returncode == 0, told.stderr
    assert (folder / "out/m.parquet").exists()
    assert not (folder / "~").exists()


def test_a_key_beside_the_manifest_is_refused_before_the_audit(folder):
    """Not after it; a key that others may read as well."""
    for key, mode in (("out/k", None), ("key/k", 0o644)):
        if mode is not None:
            write(folder, {key: bytes(32)})
            (folder / key).chmod(mode)
        told = run(folder, "audit", "evidence", "--output", "out/m.parquet", "--key-file", key)
        assert (told.returncode, "key" in told.stderr) == (2, True)
        assert not (folder / "evidence.case").exists()


@pytest.mark.parametrize("part", ["signup_logs", "secrets"])
def test_a_part_of_the_evidence_is_audited_with_a_word(part, folder):
    """Perhaps the folder above was meant."""
    told = run(
        folder, "audit", f"evidence/{part}", "--output", "out/m.parquet", "--key-file", "key/k", "--case", "case"
    )
    assert f"did you mean {folder / 'evidence'}?" in told.stderr
    assert told.returncode == 0
    before = sorted(folder.rglob("*"))
    told = run(folder, "audit", f"evidence/{part}", "--output", "other/m.parquet", "--key-file", "key/k")
    assert (told.returncode, f"did you mean {folder / 'evidence'}? If not" in told.stderr) == (2, True)
    assert sorted(folder.rglob("*")) == before, "nothing is written into the evidence"


def test_whoever_stops_reading_has_an_audit_all_the_same(folder):
    """`| head` ends the words, not the work."""
    words = ["audit", "evidence", "--output", "out/m.parquet", "--key-file", "key/k", "--case", "case"]
    program = [sys.executable, "-c", "from laeforensics.cli import main; main()", *words]
    with subprocess.Popen(program, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0
    assert {path.name for path in (folder / "out").iterdir()} >= {"m.parquet", "audit.parquet", "audit.html"}


def test_a_script_without_a_guard_is_told_before_it_begins_itself_anew(folder):
    """`jobs=2` begins the script once more in every process."""
    script = folder / "script.py"
    script.write_text(
        "import laeforensics as lf\nprint(len(lf.open_case('evidence', jobs=2).audit))\n", encoding="utf-8"
    )
    told = subprocess.run(
        [sys.executable, script], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert told.returncode != 0
    assert "would begin itself anew" in told.stderr
    assert told.stderr.count("Traceback") == 1
    script.write_text(
        "import laeforensics as lf\nif __name__ == '__main__':\n print(len(lf.open_case('evidence', jobs=2).audit))\n",
        encoding="utf-8",
    )
    told = subprocess.run(
        [sys.executable, script], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert told.stdout == "1\n"


@pytest.mark.parametrize("zone", ["us-east-1a", "us-east-1-bos-1a", "us-east-1-wl1-bos-wlz-1"])
def test_a_local_zone_is_of_its_region(zone):
    """The inventory of a region may tell zones of three kinds."""
    instance = {
        "InstanceId": "i-0a1b2c3d",
        "LaunchTime": "2012-03-20T10:17:02+00:00",
        "State": {"Name": "running"},
        "Placement": {"AvailabilityZone": zone},
    }
    told = {"Reservations": [{"OwnerId": "123456789012", "Instances": [instance]}]}
    assert read_inventory(json.dumps(told).encode(), "inventory.json").source.count("us-east-1") == 1
    assert instance_dump()
