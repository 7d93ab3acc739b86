"""verify: what was recovered is asked again at any later time, and nothing is changed by asking."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from laerecover.hostkeys import derive_host_key
from laerecover.manifest import Account
from laerecover.ports import Clock, NodeProbe, NotListening, Refusal, Transient, World
from laerecover.recipes import recipe_named
from laerecover.report import Round
from laerecover.vault import Vault
from laerecover.verify import Asked, checks

TUBS = {"introducer_tub_id": "a" * 32, "server_nodeid": "b" * 32}
CHECKS = ("introducer", "storage node", "announcement", "bucket")
VAULT = Vault(Path("unused"), b"k" * 32)


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


class Hosts:
    """HostConnector and Host: `told` is what the introducer tells of, or what goes wrong; `seen` what it was asked."""

    def __init__(self, told):
        self.told, self.seen = told, []

    def connect(self, public_host, *, user, host_key):
        self.seen.append((public_host, user, host_key))
        return self

    def output(self, command):
        self.seen.append((command.name, command.user))
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def close(self):
        self.seen.append("closed")


def world(nodes: NodeProbe | None, store, hosts) -> World:
    nobody: Clock = None  # type: ignore[assignment]
    return World(
        compute=nobody,
        hosts=hosts,
        mailer=nobody,
        register=nobody,
        monitoring=None,
        clock=nobody,
        store=store,
        nodes=nodes,
    )


def round_of(account: Account, outcome: str = "recovered") -> Round:
    steps = (
        {"step": "deploy_ec2_instance", "values": {"client_token": "token", "host_key": "what anybody could write"}},
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


def asked(
    make_account, *, nodes=None, keys=("shares/x",), told=TUBS["server_nodeid"], outcome="recovered", recipe="tahoe"
):
    account = make_account()
    store = Store(keys) if keys is not None else None
    hosts = told if isinstance(told, Hosts) else Hosts(told)
    who = Asked(world=world(nodes, store, hosts), vault=VAULT, recipe=recipe_named(recipe))
    found = checks(who, [account], {account.account_id: round_of(account, outcome)}, concurrency=2)
    return {check.what: (check.ok, check.said) for check in found}


def test_all_well(make_account):
    """Both nodes answer as themselves, the introducer tells clients of the storage node, the bucket can be listed."""
    told = asked(make_account, nodes=Nodes({}))
    assert {what: ok for what, (ok, _) in told.items()} == dict.fromkeys(CHECKS, True)


@pytest.mark.parametrize(
    ("answers", "what", "says"),
    [
        ({"nodes": Nodes({12345: "c" * 32})}, "introducer", "another tub answers"),
        ({"nodes": Nodes({12346: Transient("no answer at 12346")})}, "storage node", "no answer at 12346"),
        ({"told": ""}, "announcement", f"does not tell clients of {'b' * 32}. Start lae-storageserver"),
        ({"told": "d" * 32 + "\n" + "e" * 32}, "announcement", f"it tells of {'d' * 32}, {'e' * 32}"),
        ({"told": "b" * 33}, "announcement", "does not tell"),
        ({"told": Refusal("announced: exit status 1: nobody")}, "announcement", "nobody"),
        ({"told": NotListening("203.0.113.9 does not answer")}, "announcement", "does not answer"),
        ({"keys": Refusal("AccessDenied")}, "bucket", "AccessDenied"),
    ],
)
def test_each_failure_is_told_by_itself(make_account, answers, what, says):
    """A wrong TubID, a dead node, no announcement or another's, keys that open no bucket.

    That check fails, the others stand.
    """
    told = asked(make_account, **{"nodes": Nodes({}), **answers})
    assert {name for name, (ok, _) in told.items() if ok is False} == {what}
    assert says in told[what][1]


def test_the_host_is_known_by_the_key_of_the_vault(make_account):
    """What the ledger calls the host key is not believed.

    One question as the customer, then the connection is closed.
    """
    hosts = Hosts(TUBS["server_nodeid"])
    asked(make_account, nodes=Nodes({}), told=hosts)
    key = derive_host_key(VAULT, "token").public
    assert hosts.seen == [("203.0.113.9", "ubuntu", key), ("announced", "customer"), "closed"]


def test_the_legacy_recipe_cannot_be_asked(make_account):
    """Nobody connects to a host whose introducer cannot be asked, and that is no success."""
    hosts = Hosts("")
    told = asked(make_account, nodes=Nodes({}), told=hosts, recipe="legacy-2012-s3")
    assert (told["announcement"][0], hosts.seen) == (None, [])


def test_what_nobody_can_answer_is_no_success(make_account):
    """A world without a store or nodes says that it was not asked."""
    told = asked(make_account, nodes=None, keys=None, recipe="legacy-2012-s3")
    assert {what: ok for what, (ok, _) in told.items()} == dict.fromkeys(CHECKS)


def test_only_recovered_accounts_are_asked(make_account):
    """A failed account has no server that could be asked."""
    assert asked(make_account, nodes=Nodes({}), outcome="failed") == {}


def test_a_drill_can_be_verified(make_manifest, key_file, commands):
    """Exit 0 and four checks an account; after an instance is gone, exit 1 naming it; no secret in either answer."""
    manifest = make_manifest(count=2)
    assert commands("verify", manifest, "--key-file", key_file).returncode == 2
    assert commands("drill", manifest, "--key-file", key_file, "--pace", "0.001").returncode == 0
    well = commands("verify", manifest, "--key-file", key_file, "--json")
    assert (well.returncode, len(json.loads(well.stdout)["checks"])) == (0, 8)
    with sqlite3.connect(f"{manifest}.drill/world.sqlite") as db:
        db.execute(
            "UPDATE instances SET state = 'terminated' WHERE public_host = (SELECT min(public_host) FROM instances)"
        )
    ended = commands("verify", manifest, "--key-file", key_file)
    assert ended.returncode == 1
    assert ended.stdout.count("FAILED") == 3
    assert "1 of 2 recovered accounts are well" in ended.stdout
    assert "canary" not in well.stdout + ended.stdout
