"""Which of an account's servers speaks for it, and whether one still runs."""

from __future__ import annotations

import json

import pytest
from makings import (
    FAILURE,
    HOST,
    INSTANCE,
    LAUNCHED,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    OTHER_SEED,
    PARTS,
    SEED,
    as_another,
    audit_row,
    evidence,
    log,
    open_files,
    re_record,
    replacement,
    secrets,
    serverinfo,
)

import laeforensics as lf
from laeforensics.companions.inventory import read_inventory


def test_the_newest_server_is_known_by_its_launch(tmp_path):
    """Whatever time the names of the logs tell: of two servers the one that was launched later is the account's."""
    case = open_files(tmp_path, {**evidence(), f"signup_logs/2011-12-31T080000Z-{OTHER_SEED}": replacement()})
    assert audit_row(case)["instance_id"] == "i-00000009"


def test_what_two_files_tell_otherwise_of_one_server_is_not_known(tmp_path):
    """The signup's and a re-record's, of one address: its inner one cannot be both."""
    other = secrets(privatehost="ip-10-9-9-9.ec2.internal", internal_introducer_furl=None)
    files = evidence(log=None) | {f"secrets/2012-03-20T101702Z-{OTHER_SEED}": other}
    row = audit_row(open_files(tmp_path, files))
    assert (row["public_host"], row["private_host"]) == (HOST, None)


def test_a_copy_with_another_logs_instance_tells_nothing_of_the_server(tmp_path):
    """Before its instance an unannounced print names another bucket: it is not believed, nor is its address taken."""
    theirs = as_another((PARTS["deployment"] + PARTS["instance"]).encode()).decode()
    spliced = log("deployment", instance=">Deploying EC2 instance...>\nen" + theirs, until="installing")
    spliced = spliced.replace(HOST.encode(), b"192.0.2.5")
    files = evidence(log=log(until="instance"), secrets=b"", servers=None, results=None)
    row = audit_row(open_files(tmp_path, files | {f"backup/{LOG_FILE}": spliced}))
    assert (row["instance_id"], row["public_host"]) == (INSTANCE, None)


def test_a_log_that_was_given_a_later_time_has_no_later_server(tmp_path):
    """Its launch is of another day than its name and not believed; its secrets file bears the old name."""
    files = evidence(log=None, servers=None)
    files |= {f"signup_logs/2013-08-07T054657Z-{SEED}": log(), f"signup_logs/{OTHER_NAME}": replacement()}
    assert audit_row(open_files(tmp_path, files))["public_host"] == "192.0.2.9"


@pytest.mark.parametrize("name", ["instance_id", "launch_time", "public_host"])
def test_what_a_copy_of_its_log_tells_otherwise_of_the_server_is_not_known(name, tmp_path):
    """Somebody replaced it in one of the two; nothing else tells which."""
    others = {"instance_id": (INSTANCE, "i-99999999"), "launch_time": (LAUNCHED, LAUNCHED.replace(":17:", ":19:"))}
    old, new = others.get(name, (HOST, "192.0.2.99"))
    files = evidence(secrets=None, servers=None)
    files |= {f"old/signup_logs/{NAME}": files[f"signup_logs/{NAME}"].replace(old.encode(), new.encode())}
    assert audit_row(open_files(tmp_path, files))[name] is None


@pytest.mark.parametrize("instance", [INSTANCE, "i-99999999"])
def test_a_row_tells_no_other_server_than_the_log_at_its_address(instance, tmp_path):
    """The re-record tells but the address: the row of it is another time's, if the signup's log tells another."""
    files = evidence(servers=serverinfo(instance)) | {f"signup_logs/2012-03-20T101702Z-{OTHER_SEED}": re_record()}
    assert audit_row(open_files(tmp_path, files))["instance_id"] == (INSTANCE if instance == INSTANCE else None)


@pytest.mark.parametrize("key", ["instance_id", "instance_state", "launch_time", "kernel_id"])
def test_a_line_that_stands_twice_hides_no_server(key, tmp_path):
    """To the character, one behind the other: no line is missing between."""
    whole = replacement()
    (line,) = [each for each in whole.splitlines(keepends=True) if each.startswith(f"  {key} = ".encode())]
    name = f"signup_logs/2012-06-01T080000Z-{SEED}"
    doubled = {**evidence(), name: whole.replace(line, line + line)}
    assert audit_row(open_files(tmp_path / "doubled", doubled))["instance_id"] == "i-00000009"


def test_another_server_under_the_same_key_is_not_the_accounts(tmp_path):
    """Another log's rest may begin with the key that was told last: neither server is known then."""
    line = b"  instance_id = 'i-00000009'\n"
    spliced = replacement().replace(line, line + line.replace(b"i-00000009", b"i-99999999"))
    case = open_files(tmp_path, {**evidence(), f"signup_logs/2012-06-01T080000Z-{SEED}": spliced})
    assert audit_row(case)["instance_id"] is None


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


def test_a_failed_replacement_is_not_the_server_where_the_signups_log_is_not_believed(tmp_path):
    """Its lines stand in turns with another's: whether its server was ready, nothing tells."""
    lines = zip(log().splitlines(keepends=True), as_another(log()).splitlines(keepends=True), strict=True)
    files = evidence(log=b"".join(line for pair in lines for line in pair), secrets=None, results=None, servers=None)
    files[f"signup_logs/2012-06-01T080000Z-{OTHER_SEED}"] = replacement().partition(b">Restoring")[0] + FAILURE.encode()
    row = audit_row(open_files(tmp_path, files))
    assert (row["verdict"], row["instance_id"], row["public_host"]) == ("UNFINISHED", None, None)


def test_a_time_that_a_line_of_another_log_tells_does_not_date_a_server(tmp_path):
    """The replacement is later than the signup; whether its server counts, nothing tells."""
    strange = b"  launch_time = '2012-01-01T00:00:00.000Z'\n"
    spliced = replacement().replace(
        b">Restoring", strange + as_another(log()).partition(b">The server's")[2] + b">Rest"
    )
    case = open_files(tmp_path, {**evidence(), f"signup_logs/2012-06-01T080000Z-{OTHER_SEED}": spliced})
    assert audit_row(case)["instance_id"] is None
