"""A saved DescribeInstances answer: what it proves of the old servers, when it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from makings import INSTANCE, audit_row, evidence, log, open_files

import laeforensics as lf
from laeforensics.cli import main
from laeforensics.companions.inventory import GONE, RUNNING, UNKNOWN, read_inventory
from laeforensics.errors import InventoryError
from laerecover.manifest import read_manifest

ACCOUNT, REGION = "123456789012", "us-east-1"
TAKEN_AT = "2012-06-01T09:30:00Z"


def instance(instance_id: str = INSTANCE, state: str = "running", zone: str = "us-east-1b") -> dict[str, Any]:
    return {"InstanceId": instance_id, "State": {"Code": 16, "Name": state}, "Placement": {"AvailabilityZone": zone}}


def answer(*instances: dict[str, Any], owner: str = ACCOUNT, **more: Any) -> dict[str, Any]:
    return {"Reservations": [{"OwnerId": owner, "Instances": [i]} for i in instances], **more}


def pages(*given: dict[str, Any], **changed: Any) -> dict[str, Any]:
    whole = {"account": ACCOUNT, "region": REGION, "taken_at": TAKEN_AT, "pages": list(given)}
    return {key: value for key, value in {**whole, **changed}.items() if value is not None}


def read(saved: Any) -> Any:
    return read_inventory(json.dumps(saved).encode(), "saved.json")


def refused(saved: Any) -> str:
    with pytest.raises(InventoryError) as error:
        read(saved)
    assert error.value.where == "saved.json"
    assert "describe-instances" in error.value.next_step
    return error.value.what


def test_a_plain_answer_tells_account_and_region_itself():
    """The owner of the reservations and the zones of the instances; the time is not recorded in it."""
    inventory = read(answer(instance(), instance("i-00000002")))
    assert (inventory.account, inventory.region, inventory.taken_at) == (ACCOUNT, REGION, None)
    assert set(inventory.states) == {INSTANCE, "i-00000002"}
    assert inventory.source == f"inventory of account {ACCOUNT} in {REGION}, time not recorded"


def test_pages_are_read_together():
    """An object with account, region, time and several pages lists the instances of all of them."""
    first, last = answer(instance(), NextToken="more"), answer(instance("i-00000002", "terminated"))
    inventory = read(pages(first, last))
    assert (inventory.server(INSTANCE), inventory.server("i-00000002")) == (RUNNING, GONE)
    assert inventory.source == f"inventory of account {ACCOUNT} in {REGION}, {TAKEN_AT}"


def test_an_account_without_instances_is_proved_by_what_the_object_says():
    """Empty pages are an answer when the object tells whose they are."""
    inventory = read(pages(answer()))
    assert (inventory.account, inventory.server(INSTANCE)) == (ACCOUNT, GONE)


@pytest.mark.parametrize("key", ["NextToken", "nextToken"])
@pytest.mark.parametrize("in_pages", [False, True])
def test_an_answer_that_names_a_next_page_is_refused(key, in_pages):
    """It is not complete, so a server that it does not list may be on the next page."""
    last = answer(instance(), **{key: "more"})
    assert "not complete" in refused(pages(last) if in_pages else last)


@pytest.mark.parametrize("token", ["", None])
def test_an_empty_next_token_names_no_page(token):
    """Some clients write it down although it is empty."""
    assert read(answer(instance(), NextToken=token)).server(INSTANCE) == RUNNING


@pytest.mark.parametrize(
    "saved",
    [
        {
            "Reservations": answer(instance())["Reservations"]
            + answer(instance("i-2"), owner="210987654321")["Reservations"]
        },
        pages(answer(instance(), owner="210987654321")),
        pages(answer(instance()), answer(instance("i-2"), owner="210987654321"), account=None),
    ],
)
def test_two_accounts_are_refused(saved):
    """Whether told by the reservations or by the object against them."""
    assert refused(saved) == "the inventory is of several accounts"


@pytest.mark.parametrize(
    "saved",
    [
        answer(instance(), instance("i-2", zone="eu-west-1a")),
        pages(answer(instance()), region="eu-west-1"),
    ],
)
def test_two_regions_are_refused(saved):
    """Whether told by the zones or by the object against them."""
    assert refused(saved) == "the inventory is of several regions"


@pytest.mark.parametrize(
    "saved",
    [answer(), pages(answer(), account=None), pages(answer(), region=None), pages(), {"account": ACCOUNT, "pages": []}],
)
def test_an_empty_answer_that_proves_nothing_is_refused(saved):
    """No instance, and not told of which account and region there are none: it must not make every server GONE."""
    refused(saved)


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "me", 123456789012])
def test_an_account_is_twelve_digits(account):
    """Written as text; anything else tells no account."""
    refused(pages(answer(), account=account))


@pytest.mark.parametrize(
    "saved",
    [
        None,
        [],
        "text",
        3,
        {},
        {"Reservations": None},
        {"Instances": [instance()]},
        pages([]),
        pages(None),
        pages({}),
        {"pages": {}},
    ],
)
def test_other_json_is_refused(saved):
    """What is no DescribeInstances answer is never taken for an empty one."""
    assert refused(saved) == "the inventory is no DescribeInstances answer"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 200_000, b"<xml/>"])
def test_what_is_no_json_is_refused(data):
    """Cut short, binary, nested without end, or the XML of older tools."""
    with pytest.raises(InventoryError, match="no JSON"):
        read_inventory(data, "saved.json")


@pytest.mark.parametrize("state", ["pending", "running", "stopping", "stopped", "shutting-down", "rebooting"])
def test_only_a_terminated_server_is_gone(state):
    """A stopped one counts as running: somebody may start it again."""
    assert read(answer(instance(state=state))).server(INSTANCE) == RUNNING


def test_an_instance_without_a_state_counts_as_running():
    """It is listed, and nothing says that it is terminated."""
    assert read(answer({**instance(), "State": None})).server(INSTANCE) == RUNNING


def test_gone_and_unknown():
    """Terminated or not listed is GONE; of a server whose id nobody knows nothing can be said."""
    inventory = read(answer(instance(state="terminated"), instance("i-00000002")))
    assert (inventory.server(INSTANCE), inventory.server("i-0ther")) == (GONE, GONE)
    assert inventory.server(None) == UNKNOWN


def open_with(tmp_path, saved: Any, **changed: Any) -> lf.Case:
    """The customer's case, opened with an inventory that lies beside it."""
    root = open_files(tmp_path, evidence(**changed)).root
    (tmp_path / "saved.json").write_text(json.dumps(saved), "utf-8")
    return lf.open_case(root, inventory=tmp_path / "saved.json")


@pytest.mark.parametrize(
    ("listed", "server"),
    [
        ((INSTANCE, "running"), RUNNING),
        ((INSTANCE, "stopped"), RUNNING),
        ((INSTANCE, "terminated"), GONE),
        (("i-2", "running"), GONE),
    ],
)  # fmt: skip
def test_the_audit_says_which_server_still_runs(tmp_path, listed, server):
    """The account's instance, looked up in the inventory."""
    assert audit_row(open_with(tmp_path, answer(instance(*listed))))["server"] == server


def test_without_an_instance_id_the_server_is_unknown(tmp_path):
    """A log without the dump of the instance and no row of the servers: the inventory is of no use."""
    case = open_with(tmp_path, answer(instance()), log=log("instance"), servers=None)
    assert audit_row(case)["server"] == UNKNOWN


def test_an_inventory_older_than_the_server_says_nothing_of_it(tmp_path):
    """A server launched after the answer was taken cannot be listed in it, so it is not GONE."""
    old = pages(answer(instance("i-00000002")), taken_at="2012-03-01T00:00:00Z")
    assert audit_row(open_with(tmp_path, old))["server"] == UNKNOWN


def test_an_inventory_of_another_region_says_nothing_of_the_server(tmp_path):
    """The log places the server in us-east-1; that eu-west-1 does not list it does not make it GONE."""
    elsewhere = answer(instance("i-00000002", zone="eu-west-1a"))
    assert audit_row(open_with(tmp_path, elsewhere))["server"] == UNKNOWN


def test_without_an_inventory_the_server_is_unknown(tmp_path):
    """Nobody asked EC2."""
    assert audit_row(open_files(tmp_path, evidence()))["server"] == UNKNOWN


def test_the_manifest_says_where_the_answer_comes_from(tmp_path):
    """`audit --inventory` carries server and server_source into the manifest."""
    case = open_with(tmp_path, pages(answer(instance())))
    words = ["audit", str(case.root), "--inventory", str(tmp_path / "saved.json")]
    with pytest.raises(SystemExit) as end:
        main([*words, "--output", str(tmp_path / "m.parquet"), "--key-file", str(tmp_path / "key" / "k")])
    assert not end.value.code
    (account,) = read_manifest(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k").accounts
    assert account.server == RUNNING
    assert account.server_source == f"inventory of account {ACCOUNT} in {REGION}, {TAKEN_AT}"


def test_the_verb_refuses_an_inventory_that_proves_nothing(tmp_path, capsys):
    """Exit code 2 in three lines, and no manifest."""
    root = open_files(tmp_path, evidence()).root
    (tmp_path / "saved.json").write_text(json.dumps(answer()), "utf-8")
    with pytest.raises(SystemExit) as end:
        main(["audit", str(root), "--inventory", str(tmp_path / "saved.json"), "--output", str(tmp_path / "m.parquet")])
    assert end.value.code == 2
    assert len(capsys.readouterr().err.rstrip("\n").split("\n")) == 3
    assert not (tmp_path / "m.parquet").exists()
