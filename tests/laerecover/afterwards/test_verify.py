"""verify: what was recovered is asked again at any later time, and nothing is changed by asking."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path

import pytest

from calm_twin import round_of
from laerecover.afterwards.inquiry import Inquiry
from laerecover.afterwards.verify import Check, checks, dialling
from laerecover.cli._show import show_verified
from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.identity import announced_key, new_node_privkey
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import REINSTALL
from laerecover.hosts.vault import Vault
from laerecover.ports.compute import NodeProbe
from laerecover.ports.refusals import NotListening, Refusal, Transient
from laerecover.ports.services import Clock
from laerecover.ports.world import World
from laerecover.state.opening import read_state

TUBS = {"introducer_tub_id": "a" * 32, "server_nodeid": "b" * 32}
CHECKS = ("introducer", "storage node", "announcement", "bucket", "store", "share", "services", "old shares")
WELL = "store ok it lets the host in, and gives a share\nshare ok one was read through the mount\n"
RUN = "introducer ok it has run for 60 s\nstorageserver ok it has run for 60 s\n"
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

    def listing(self, account):
        if isinstance(self._keys, Exception):
            raise self._keys
        yield from self._keys


class Hosts:
    """HostConnector and Host.

    `told` is what the introducer tells of, `serving` what the host says of store and share, or what goes wrong;
    `patched` what the host says of its Tahoe-LAFS, `services` of its services; `seen` what it was asked with.
    """

    def __init__(self, told, serving=WELL, patched="patched", services=RUN):
        self.told, self.seen = told, []
        self.answers = {"serving": serving, "patched": f"{patched}\n", "services": services}

    def connect(self, public_host, *, user, host_key):
        self.seen.append((public_host, user, host_key))
        return self

    def output(self, command):
        self.seen.append((command.name, command.user))
        answer = self.answers.get(command.name, self.told)
        if isinstance(answer, Exception):
            raise answer
        return answer

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


def all_checks(
    make_account,
    *,
    nodes=None,
    keys=("shares/x",),
    told=TUBS["server_nodeid"],
    serving=WELL,
    patched="patched",
    services=RUN,
    outcome="recovered",
    recipe="tahoe",
):
    account = make_account()
    store = Store(keys) if keys is not None else None
    hosts = told if isinstance(told, Hosts) else Hosts(told, serving, patched, services)
    who = Inquiry(
        world=world(nodes, store, hosts), vault=VAULT, recipe=recipe_named(recipe), patch="laerecover patch MANIFEST"
    )
    return checks(who, [account], {account.account_id: round_of(account.account_id, outcome)}, concurrency=2)


def asked(make_account, **answers):
    return {check.what: (check.ok, check.said) for check in all_checks(make_account, **answers)}


def test_all_well(make_account):
    """Both nodes answer, the introducer tells of the storage node, the bucket can be listed; the host reads a share."""
    told = asked(make_account, nodes=Nodes({}))
    assert {what: ok for what, (ok, _) in told.items()} == dict.fromkeys(CHECKS, True)


def test_a_node_that_signs_with_another_privkey_is_told(make_account, monkeypatch):
    """With the key that the vault has it is well, however many it had before; so it is where nobody knows the key."""
    ours, other = new_node_privkey(), new_node_privkey()
    wanted, theirs = (f"{TUBS['server_nodeid']} {announced_key(key)}" for key in (ours, other))
    for kept, told, ok in (
        ({"server_node_privkey": ours}, wanted, True),
        ({"server_node_privkey": ours}, f"{theirs}\n{wanted}\n", True),
        ({"server_node_privkey": ours}, theirs, False),
        ({}, theirs, True),
        ({"server_node_privkey": ours}, TUBS["server_nodeid"], True),
    ):
        monkeypatch.setattr(Vault, "load", lambda self, account_id, kept=kept: kept)
        found = asked(make_account, nodes=Nodes({}), told=told)["announcement"]
        assert found[0] is ok, found
        assert ok or "another node.privkey than this recovery put there" in found[1]


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
        ({"serving": WELL.replace("store ok", "store failed")}, "store", "it lets the host in"),
        ({"serving": WELL.replace("share ok one", "share failed \x1b[31mI/O error")}, "share", "I/O error"),
        ({"patched": "stock"}, "old shares", "its Tahoe-LAFS destroys shares of 2014"),
        ({"patched": "older"}, "old shares", "may run a Tahoe-LAFS from before it was patched"),
        ({"patched": "unknown 0"}, "old shares", "nobody knows what its Tahoe-LAFS does"),
        ({"patched": ""}, "old shares", "nobody knows"),
        ({"services": "bucket failed it does not run: x\n" + RUN}, "services", "lae-bucket: it does not run: x"),
        (
            {"services": RUN + "bucket failed it runs, but does not start at the next boot: it is disabled\n"},
            "services",
            "lae-bucket: it runs, but does not start at the next boot",
        ),
        ({"services": "welcome\nbucket maybe\n"}, "services", "what the host says of them cannot be read"),
        ({"services": Refusal("services: exit status 1")}, "services", "exit status 1"),
    ],
)
def test_each_failure_is_told_by_itself(make_account, answers, what, says):
    """A wrong TubID, a dead node, no announcement or another's, keys that open no bucket, a Tahoe-LAFS that destroys.

    That check fails, the others stand.
    """
    told = asked(make_account, **{"nodes": Nodes({}), **answers})
    assert {name for name, (ok, _) in told.items() if ok is False} == {what}
    assert says in told[what][1]
    assert [c.what for c in all_checks(make_account, **{"nodes": Nodes({}), **answers}) if c.next] == [what]


@pytest.mark.parametrize(
    ("serving", "says"),
    [
        (NotListening("203.0.113.9 does not answer"), "the host cannot be asked: 203.0.113.9 does not answer"),
        (Refusal("serving: exit status 1", kind="command_failed"), "the host cannot be asked: serving: exit status 1"),
        ("", "what the host says of it cannot be read"),
        ("hello\nstore maybe it does\nstore ok \nxstore ok fine\n store ok fine", "cannot be read"),
    ],
)
def test_a_host_that_does_not_say_is_no_success(make_account, serving, says):
    """Nothing but the words of our own question counts as an answer."""
    told = asked(make_account, nodes=Nodes({}), serving=serving)
    for what in ("store", "share"):
        assert told[what][0] is False
        assert says in told[what][1]


def test_a_bucket_without_shares_is_no_failure(make_account):
    """The store lets the host in; that nobody could read a share there is said."""
    told = asked(
        make_account, nodes=Nodes({}), serving="store ok it lets the host in\nshare none there is no share yet\n"
    )
    assert told["store"] == (True, "it lets the host in")
    assert told["share"] == (None, "there is no share yet")


def test_the_host_is_known_by_the_key_of_the_vault(make_account):
    """What the ledger calls the host key is not believed.

    Each question as the customer, but that for the services, then the connection is closed.
    """
    hosts = Hosts(TUBS["server_nodeid"])
    asked(make_account, nodes=Nodes({}), told=hosts)
    key = derive_host_key(VAULT, "token").public
    connected = ("203.0.113.9", "ubuntu", key)
    assert hosts.seen == [
        *(connected, ("announced", "customer"), "closed"),
        *(connected, ("serving", "customer"), "closed"),
        *(connected, ("services", "root"), "closed"),
        *(connected, ("patched", "customer"), "closed"),
    ]


def test_the_command_that_mends_a_host_is_told(make_account):
    """It can be typed as it stands: for this account alone, and before it an unknown Tahoe-LAFS is installed again."""
    for patched in ("stock", "older", "unknown 0"):
        (check,) = (c for c in all_checks(make_account, nodes=Nodes({}), patched=patched) if c.what == "old shares")
        typed = f"laerecover patch MANIFEST --only {make_account().account_id}"
        assert not check.ok
        assert check.next == (f"on the host: {REINSTALL}; then: {typed}" if patched == "unknown 0" else typed)


def test_the_legacy_recipe_cannot_be_asked(make_account):
    """Nobody connects to a host whose introducer cannot be asked, and which wrote those shares; that is no success."""
    hosts = Hosts("")
    told = asked(make_account, nodes=Nodes({}), told=hosts, recipe="legacy-2012-s3")
    assert (told["announcement"][0], hosts.seen) == (None, [])
    assert told["store"] == told["share"] == (None, "not asked from the host")


def test_what_nobody_can_answer_is_no_success(make_account):
    """A world without a store or nodes says that it was not asked."""
    told = asked(make_account, nodes=None, keys=None, recipe="legacy-2012-s3")
    assert {what: ok for what, (ok, _) in told.items()} == dict.fromkeys(CHECKS)


def test_a_runner_that_may_not_dial_asks_no_node(operator, make_account):
    """Where the network forbids it, as somebody has said, that is no failure of a node's, and why stands there."""
    someone = operator(make_account(0))
    someone.run(not_dialled=True, because="no way out")
    state = read_state(someone.folder)
    who = dialling(state, Inquiry(world=someone.world.world, vault=VAULT, recipe=recipe_named("tahoe")))
    account = make_account()
    told = {
        c.what: (c.ok, c.said)
        for c in checks(who, [account], {account.account_id: round_of(account.account_id)}, concurrency=1)
    }
    assert told["introducer"] == told["storage node"] == (None, "not asked from here: no way out")


def test_only_recovered_accounts_are_asked(make_account):
    """A failed account has no server that could be asked."""
    assert asked(make_account, nodes=Nodes({}), outcome="failed") == {}


def test_a_drill_can_be_verified(make_manifest, key_file, commands):
    """Exit 0 and nine checks an account; after an instance is gone, exit 1 naming it; no secret in either answer."""
    manifest = make_manifest(count=2)
    assert commands("verify", manifest, "--key-file", key_file).returncode == 2
    assert commands("drill", manifest, "--key-file", key_file, "--pace", "0.001").returncode == 0
    well = commands("verify", manifest, "--key-file", key_file, "--json")
    told = json.loads(well.stdout)["checks"]
    assert (well.returncode, len(told)) == (0, 18)
    assert [c["said"] for c in told if c["what"] in ("store", "share")] == ["not asked from the host"] * 4
    shown = commands("verify", manifest, "--key-file", key_file).stdout
    assert (shown.count("not asked from the host"), shown.count("not asked: not")) == (4, 0)
    with sqlite3.connect(f"{manifest}.drill/world.sqlite") as db:
        db.execute(
            "UPDATE instances SET state = 'terminated' WHERE public_host = (SELECT min(public_host) FROM instances)"
        )
    ended = commands("verify", manifest, "--key-file", key_file)
    assert ended.returncode == 1
    assert ended.stdout.count("FAILED") == 5
    assert "1 of 2 recovered accounts are well" in ended.stdout
    assert "canary" not in well.stdout + ended.stdout


def test_who_has_no_name_is_told_by_six_characters():
    """In each row, and where a remedy names whose it is."""
    told = io.StringIO()
    asked = {"customer": "(unknown)", "what": "bucket", "where": "b", "ok": False, "said": "gone", "next": "do so"}
    show_verified([Check(account_id="lae-7a3c2f01-abcdef0123", **asked)], stream=told)
    assert told.getvalue().count("(unknown) abcdef") == told.getvalue().count("(unknown)") == 2
