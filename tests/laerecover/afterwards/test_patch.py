"""Hosts whose Tahoe-LAFS destroys shares of 2014: no node of an unfinished recovery starts so.

One that serves is named.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import sqlite3
import subprocess
import sys
import threading
import venv
from pathlib import Path
from types import SimpleNamespace

import pytest

from calm_twin import round_of
from laerecover.afterwards.inquiry import Inquiry
from laerecover.afterwards.patch import patched
from laerecover.afterwards.verify import old_shares as ask_old_shares
from laerecover.hosts.identity import STORAGE_PORT
from laerecover.hosts.programs import old_shares
from laerecover.hosts.recipes.recipe import HOME, PROBLEMS, STORAGE
from laerecover.hosts.recipes.tahoe import Tahoe
from laerecover.hosts.vault import Vault
from laerecover.ports.compute import RECOVERED_TAG
from laerecover.ports.refusals import NotListening, Refusal, Transient
from laerecover.rehearsal.twin.hosts import TwinHost
from laerecover.runbook.values import BOUNCE

MARKERS = {f"/var/lib/lae-recovery/{name}" for name in ("old-shares", "old-shares-in-force")}


@pytest.fixture
def former(monkeypatch):
    """The recipe as it was before it patched anything."""
    with monkeypatch.context() as changed:
        changed.setattr(Tahoe, "patches", lambda self: ())
        changed.setattr(Tahoe, "patched", lambda self: None)
        yield changed


def markers(bench):
    """Those of the patch's markers that the host has."""
    return MARKERS & {row["path"] for row in bench.rows("files")}


def bounced_again(bench):
    """What bounce_server says when it is carried out once more with what the other steps told."""
    known = {effect.step: effect.values for effect in bench.effects if effect.ok}
    return bench.perform(BOUNCE, 1, known, "")


def test_the_patch_comes_before_the_first_node(make_bench):
    """Both commands are done on the host, once, before anything is started there."""
    bench = make_bench()
    bench.recover()
    effects = [row["effect"] for row in bench.rows("effects")]
    starts = [number for number, effect in enumerate(effects) if effect.startswith("start ")]
    assert markers(bench) == MARKERS
    for marker in MARKERS:
        assert effects.count(f"file {marker}") == 1
        assert effects.index(f"file {marker}") < min(starts)


def test_a_recovery_of_the_former_version_goes_on_with_the_patch(make_bench, former):
    """Its host was installed and its nodes run, but it is not recovered.

    It is patched before a customer hears of it.
    """
    bench = make_bench()
    bench.recover()
    assert markers(bench) == set()
    former.undo()
    assert bounced_again(bench).ok
    assert markers(bench) == MARKERS


def test_a_node_that_serves_is_left_as_it_is(make_bench, former):
    """On a host that is tagged as recovered nothing is changed and nothing is started again by itself."""
    bench = make_bench()
    bench.recover()
    former.undo()
    bench.work.world.compute.tag(bench.values("deploy_ec2_instance")["instance_id"], {RECOVERED_TAG: "2026-11-22"})
    before = len(bench.rows("effects"))
    assert bounced_again(bench).ok
    assert (markers(bench), len(bench.rows("effects"))) == (set(), before)


def test_a_marker_alone_starts_no_node(make_bench, monkeypatch):
    """Somebody installed Tahoe-LAFS again after it was patched: the account stops, nothing runs, the remedy is told."""
    real = TwinHost.output
    answer = "stock"

    def output(self, command):
        return f"{answer}\n" if command.name == "patched" else real(self, command)

    monkeypatch.setattr(TwinHost, "output", output)
    bench = make_bench()
    assert bench.recover()["outcome"] == "failed"
    failed = next(effect for effect in bench.effects if not effect.ok and effect.kind != "not_listening")
    assert (failed.step, failed.kind, bench.rows("services")) == (BOUNCE, "unknown_tahoe", [])
    assert all(marker in failed.message for marker in MARKERS)
    answer = "older 4711"
    bench.effects.clear()
    assert bench.recover()["outcome"] == "failed"
    failed = next(effect for effect in bench.effects if not effect.ok and effect.kind != "not_listening")
    assert (failed.kind, "end it there" in failed.message) == ("service_failed", True), "somebody started one by hand"
    answer = "patched"
    bench.effects.clear()
    assert bench.recover()["outcome"] == "recovered"


def test_a_host_recovered_earlier_is_named_and_mended_by_what_is_told(make_manifest, key_file, commands):
    """verify exits with 1 and tells the command.

    That command asks first, mends this host alone, and can be given again.
    """
    manifest = make_manifest(count=2)
    assert commands("drill", manifest, "--key-file", key_file, "--pace", "0.001").returncode == 0
    with sqlite3.connect(f"{manifest}.drill/world.sqlite") as db:
        db.execute("DELETE FROM files WHERE path LIKE '%/old-shares%'")

    def verified():
        told = commands("verify", manifest, "--key-file", key_file, "--json")
        checks = json.loads(told.stdout)["checks"]
        return told.returncode, [check for check in checks if check["kind"] == "old_shares"]

    code, faulty = verified()
    assert (code, len(faulty)) == (1, 2)
    assert {(check["what"], check["ok"]) for check in faulty} == {("old shares", False)}
    program, *words = shlex.split(faulty[0]["next"])
    assert program == "laerecover"
    unasked = commands(*words)
    assert (unasked.returncode, "nobody is there to confirm" in unasked.stderr) == (3, True)
    assert verified() == (1, faulty)
    for _ in range(2):
        done = commands(*words, "--yes")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "1 of 1 recovered accounts are well" in done.stdout
        assert verified() == (1, faulty[1:])
    assert commands("patch", manifest, "--key-file", key_file, "--yes", "--json").returncode == 0
    assert verified() == (0, [])


class Weak:
    """HostConnector, Host, NodeProbe and Clock: `troubles` come one after the other, then all goes well."""

    def __init__(self, *, troubles=(), silent=0):
        self.troubles, self.silent, self.seconds, self.done = list(troubles), silent, 0.0, []

    def connect(self, public_host, *, user, host_key):
        return self

    def output(self, command):
        if self.troubles:
            raise self.troubles.pop(0)
        self.done.append(command.name)
        return {"patched": "patched\n", "old-shares-in-force": "started again\n"}.get(command.name, "")

    def close(self):
        pass

    def tub_id(self, public_host, port, *, wanted):
        self.silent -= 1
        if self.silent >= 0:
            raise Transient("connection refused")
        return wanted

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


@pytest.mark.parametrize(
    ("weak", "kind", "waited"),
    [
        (Weak(troubles=[Transient("lost"), NotListening("closed")]), "not_listening", 2),
        (Weak(troubles=[Transient("lost"), Transient("lost")], silent=3), "", 10),
        (Weak(troubles=[Transient("lost")] * 9), "transient", 10),
        (Weak(troubles=[Refusal("exit status 87", kind="command_failed")]), "command_failed", 0),
        (Weak(silent=99), "service_failed", 62),
    ],
)
def test_a_lost_link_is_not_the_end_of_a_patch(make_account, weak, kind, waited):
    """What may be done again is, a few times; a node that stays silent, or whatever is final, is told."""
    world = SimpleNamespace(hosts=weak, nodes=weak, clock=weak)
    asked = Inquiry(world=world, vault=Vault(Path("unused"), b"k" * 32), recipe=Tahoe())
    latest = round_of(make_account().account_id)
    check = patched(asked, make_account(), latest, stop=threading.Event())
    assert (check.kind, check.ok, weak.seconds) == (kind, not kind, waited)
    if not kind:
        assert weak.done == ["old-shares", "old-shares-in-force", "patched"]


def test_an_unknown_tahoe_is_left_as_it_is(tmp_path):
    """The command on the host changes no byte of a file that it does not know.

    Its exit status is a problem with a remedy.
    """
    venv.create(tmp_path / "venv", symlinks=True, with_pip=False)
    (packages,) = tmp_path.glob("venv/lib/python3*/site-packages")
    module = packages / "allmydata/storage/mutable.py"
    module.parent.mkdir(parents=True)
    module.write_text("# another release\n")

    def run(command):
        script = command.script.replace(HOME, str(tmp_path))
        return subprocess.run(["sh", "-eu"], input=script, capture_output=True, text=True, check=False)

    done = run(Tahoe().patches()[0])
    assert (PROBLEMS[done.returncode].kind, "nothing was changed" in done.stderr) == ("unknown_tahoe", True)
    assert list(module.parent.iterdir()) == [module]
    assert module.read_text() == "# another release\n"
    asked = run(Tahoe().patched())
    assert (asked.returncode, asked.stdout.split()[0]) == (0, "unknown")


class Watched:
    """A folder with a file of the known release, and what runs beside it: real processes, told by the real /proc."""

    def __init__(self, root):
        self.path, self.node = root / "mutable.py", root / old_shares.FOLDER
        self.path.write_text("# patched\n")
        self.node.mkdir()
        self.python = root / "python3"
        self.python.symlink_to(sys.executable)

    def start(self, *words, cwd=None, port=None):
        """A process of Python with these words at its end; it has said that it is there."""
        program = "import socket, sys, time\n"
        program += f"s = socket.create_server(('127.0.0.1', {port}))\n" if port else ""
        command = [self.python, "-c", f"{program}print(flush=True)\ntime.sleep(600)", *words]
        process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE)
        process.stdout.readline()
        return process

    def patch(self):
        """As `main` leaves it."""
        old_shares.put(old_shares.stamp_of(self.path), old_shares.moment().encode())

    def answer(self):
        return old_shares.answer(self.path, old_shares.PATCHED)


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """Nobody else's node of this machine counts: only what this test starts has its folder's name."""
    monkeypatch.setattr(old_shares, "FOLDER", "node-of-this-test")
    with socket.create_server(("127.0.0.1", 0)) as found:
        monkeypatch.setattr(old_shares, "PORT", found.getsockname()[1])
    return Watched(tmp_path)


@pytest.mark.parametrize(
    "how",
    [
        lambda w: w.start("run", w.node),
        lambda w: w.start("run", f"{w.node}/"),
        lambda w: w.start("run", cwd=w.node),
        lambda w: w.start("-d", w.node.name, "start", cwd=w.node.parent),
        lambda w: w.start("run", "client", port=old_shares.PORT),
    ],
    ids=["by its path", "with a slash", "from its folder", "in other words", "by its port alone"],
)
def test_a_node_that_was_started_by_hand_is_seen(watched, how):
    """However it was called: it is `older` until it was started after the patch, whatever clocks say."""
    assert watched.answer() == "patched", "nothing runs"
    with how(watched) as process:
        try:
            assert watched.answer() == f"older {process.pid}", "nobody knows when it was patched"
            watched.patch()
            assert watched.answer() == f"older {process.pid}"
        finally:
            process.kill()
    assert watched.answer() == "patched"
    with how(watched) as process:
        try:
            for clock in (0, 4e9):
                for path in (watched.path, old_shares.stamp_of(watched.path)):
                    os.utime(path, (clock, clock))
                assert watched.answer() == "patched", "started since; a clock that was set says nothing"
            watched.patch()
            assert watched.answer() == f"older {process.pid}", "patched anew"
            other_boot = f"another-boot {old_shares.moment().partition(' ')[2]}"
            old_shares.stamp_of(watched.path).write_text(other_boot)
            assert watched.answer() == "patched", "it was patched before this boot"
        finally:
            process.kill()


def test_what_is_no_node_is_none(watched):
    """Somebody's shell in the folder, or an editor of its files; another port."""
    with subprocess.Popen(["sleep", "600"], cwd=watched.node) as one, watched.start("edit", watched.path) as two:
        try:
            assert watched.answer() == "patched"
        finally:
            one.kill()
            two.kill()


def test_a_listener_that_nobody_may_look_at_is_not_proved_new(watched, tmp_path, monkeypatch):
    """Somebody else's process holds the port: the host's customer cannot see which."""
    monkeypatch.setattr(old_shares, "listening", lambda: iter(["socket:[0]"]))
    watched.patch()
    assert watched.answer() == "older of another user"


def test_the_program_knows_the_port_and_the_folder():
    """It is sent as it stands, so it names them once more."""
    assert (STORAGE_PORT, Path(STORAGE).name) == (old_shares.PORT, old_shares.FOLDER)


def test_a_node_that_is_older_after_the_patch_is_for_a_human(make_account):
    """It is none of the service's: what to type ends it."""

    class ByHand(Weak):
        def output(self, command):
            return "older 4711\n" if command.name == "patched" else super().output(command)

    weak = ByHand()
    world = SimpleNamespace(hosts=weak, nodes=weak, clock=weak)
    asked = Inquiry(world=world, vault=Vault(Path("unused"), b"k" * 32), recipe=Tahoe())
    latest = round_of(make_account().account_id)
    before = ask_old_shares(asked, make_account(), latest)
    assert (before.kind, before.ok, "process 4711" in before.said) == ("old_shares", False, True)
    after = patched(asked, make_account(), latest, stop=threading.Event())
    assert (after.kind, after.ok, "started by hand" in after.next) == ("by_hand", False, True)
