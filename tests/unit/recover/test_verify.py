"""verify: what was recovered is asked again at any later time, and nothing is changed by asking."""

from __future__ import annotations

import json
import sqlite3

import pytest

from laerecover.manifest import Account
from laerecover.ports import Clock, NodeProbe, Refusal, Transient, World
from laerecover.report import Round
from laerecover.verify import checks

TUBS = {"introducer_tub_id": "a" * 32, "server_nodeid": "b" * 32}


class Nodes:
    """NodeProbe: `answers` by port; an error is raised, all else is who answers."""

    def __init__(self, answers):
        self.answers = answers

    def tub_id(self, public_host, port, *, wanted):
        answer = self.answers.get(port, wanted)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Store:
    def __init__(self, keys):
        self._keys = keys

    def keys(self, account):
        if isinstance(self._keys, Exception):
            raise self._keys
        yield from self._keys


def world(nodes: NodeProbe | None, store) -> World:
    nobody: Clock = None  # type: ignore[assignment]
    return World(
        compute=nobody,
        hosts=nobody,
        mailer=nobody,
        register=nobody,
        monitoring=None,
        clock=nobody,
        store=store,
        nodes=nodes,
    )


def round_of(account: Account, outcome: str = "recovered") -> Round:
    steps = (
        {"step": "wait_for_ec2_addresses", "values": {"public_host": "203.0.113.9"}},
        {"step": "bounce_server", "values": TUBS},
    )
    return Round(
        workflow_id="w",
        account_id=account.account_id,
        number=1,
        status="SUCCESS",
        output={"outcome": outcome},
        ended_at=None,
        steps=steps,
    )


def asked(make_account, *, nodes=None, keys=("shares/x",), outcome="recovered"):
    account = make_account()
    store = Store(keys) if keys is not None else None
    found = checks(world(nodes, store), [account], {account.account_id: round_of(account, outcome)}, concurrency=2)
    return {check.what: (check.ok, check.said) for check in found}


def test_all_well(make_account):
    """Both nodes answer as themselves, the bucket can be listed."""
    told = asked(make_account, nodes=Nodes({}))
    assert {what: ok for what, (ok, _) in told.items()} == {"introducer": True, "storage node": True, "bucket": True}


@pytest.mark.parametrize(
    ("answers", "keys", "what", "says"),
    [
        ({12345: "c" * 32}, ["x"], "introducer", "another tub answers"),
        ({12346: Transient("203.0.113.9:12346 does not answer")}, ["x"], "storage node", "does not answer"),
        ({}, Refusal("AccessDenied"), "bucket", "AccessDenied"),
    ],
)
def test_each_failure_is_told_by_itself(make_account, answers, keys, what, says):
    """A wrong TubID, a dead node, keys that no longer open the bucket: that check fails, the others stand."""
    told = asked(make_account, nodes=Nodes(answers), keys=keys)
    assert {name for name, (ok, _) in told.items() if ok is False} == {what}
    assert says in told[what][1]


def test_what_nobody_can_answer_is_no_success(make_account):
    """A world without a store or nodes says that it was not asked."""
    told = asked(make_account, nodes=None, keys=None)
    assert {ok for ok, _ in told.values()} == {None}


def test_only_recovered_accounts_are_asked(make_account):
    """A failed account has no server that could be asked."""
    assert asked(make_account, nodes=Nodes({}), outcome="failed") == {}


def test_a_drill_can_be_verified(make_manifest, key_file, commands):
    """Exit 0 and three checks an account; after an instance is gone, exit 1 naming it; no secret in either answer."""
    manifest = make_manifest(count=2)
    assert commands("verify", manifest, "--key-file", key_file).returncode == 2
    assert commands("drill", manifest, "--key-file", key_file, "--pace", "0.001").returncode == 0
    well = commands("verify", manifest, "--key-file", key_file, "--json")
    assert (well.returncode, len(json.loads(well.stdout)["checks"])) == (0, 6)
    with sqlite3.connect(f"{manifest}.drill/world.sqlite") as db:
        db.execute(
            "UPDATE instances SET state = 'terminated' WHERE public_host = (SELECT min(public_host) FROM instances)"
        )
    ended = commands("verify", manifest, "--key-file", key_file)
    assert ended.returncode == 1
    assert ended.stdout.count("FAILED") == 2
    assert "1 of 2 recovered accounts are well" in ended.stdout
    assert "canary" not in well.stdout + ended.stdout
