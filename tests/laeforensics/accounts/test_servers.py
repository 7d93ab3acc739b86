"""Which of an account's servers speaks for it, and whether one still runs."""

from __future__ import annotations

import json

import pytest
from makings import (
    INSTANCE,
    OTHER_NAME,
    OTHER_SEED,
    SEED,
    audit_row,
    evidence,
    open_files,
    replacement,
)

import laeforensics as lf
from laeforensics.companions.inventory import read_inventory


def test_the_newest_server_is_known_by_its_launch(tmp_path):
    """Whatever time the names of the logs tell: of two servers the one that was launched later is the account's."""
    case = open_files(tmp_path, {**evidence(), f"signup_logs/2011-12-31T080000Z-{OTHER_SEED}": replacement()})
    assert audit_row(case)["instance_id"] == "i-00000009"


@pytest.mark.parametrize("key", ["instance_id", "instance_state", "launch_time", "kernel_id"])
def test_a_line_that_stands_twice_hides_no_server(key, tmp_path):
    """To the character, one behind the other: no line is missing between. Another log's line hides it."""
    whole = replacement()
    (line,) = [each for each in whole.splitlines(keepends=True) if each.startswith(f"  {key} = ".encode())]
    name = f"signup_logs/2012-06-01T080000Z-{SEED}"
    doubled = {**evidence(), name: whole.replace(line, line + line)}
    assert audit_row(open_files(tmp_path / "doubled", doubled))["instance_id"] == "i-00000009"
    other = line.replace(b"0", b"1") if b"0" in line else line.replace(b"'", b"'x", 1)
    spliced = {**evidence(), name: whole.replace(line, line + other)}
    row = audit_row(open_files(tmp_path / "spliced", spliced))
    assert row["instance_id"] != "i-00000009" or row["verdict"] != "RECOVERABLE"


@pytest.mark.parametrize(
    ("running", "server"), [(INSTANCE, "RUNNING"), ("i-00000009", "RUNNING"), ("i-0000000f", "GONE")]
)
def test_any_server_of_the_account_counts(tmp_path, running, server):
    """RUNNING if the first server or its replacement runs, GONE only if both are gone."""
    files = {**evidence(), f"signup_logs/{OTHER_NAME}": replacement()}
    root = open_files(tmp_path, files).root
    instance = {
        "InstanceId": running,
        "State": {"Code": 16, "Name": "running"},
        "Placement": {"AvailabilityZone": "us-east-1b"},
    }
    saved = {"Reservations": [{"OwnerId": "123456789012", "Instances": [instance]}]}
    (tmp_path / "saved.json").write_text(json.dumps(saved))
    assert read_inventory(json.dumps(saved).encode(), "saved.json")
    assert audit_row(lf.open_case(root, inventory=tmp_path / "saved.json"))["server"] == server
