"""What changes beneath a recovery between two commands: manifests, settings, the state itself."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import pytest

from laerecover.afterwards.adopt import adopt
from laerecover.afterwards.cleanup import cleanup
from laerecover.errors import Guarded, LaeRecoverError, LockHeld, StepFailed
from laerecover.options import Options, Selection
from laerecover.planning.planner import Planner, plan
from laerecover.ports.refusals import Refusal, Transient
from laerecover.rehearsal.twin.compute import TwinCompute
from laerecover.runbook.runbook import ACTS
from laerecover.runbook.values import DEPLOY, INSTALL
from laerecover.state.lock import locked
from laerecover.state.opening import read_state

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
UNFIT = {"server_nodeid": "b" * 32}
RUNS = "i-0000abcd"


def outcomes(made):
    """Account -> outcome, in the manifest's order."""
    return [account["outcome"] for account in made.body["accounts"]]


@pytest.fixture
def someone(operator, make_manifest):
    """Somebody in whose cloud an old server runs, and who can mend the manifest."""

    class Mending(operator):
        def __init__(self, *accounts):
            super().__init__(*accounts)
            with self.file.change() as db:
                db.execute(
                    "INSERT INTO instances (instance_id, client_token, request_digest, account_id, tags, state, "
                    "launch_time, hidden, pending, public_host, private_host, host_key, refusals) "
                    "VALUES (?, 'old', '', '', '{}', 'running', '2012-01-01T00:00:00Z', 0, 0, "
                    " '192.0.2.250', 'ip', 'k', 0)",
                    (RUNS,),
                )

        def mend(self, *accounts):
            self.manifest = make_manifest(*accounts)
            plan(self.options(), worlds=self.worlds)

    return Mending


@pytest.mark.parametrize("field", ["former_instance_ids", "old_instance_id"])
def test_an_old_server_that_a_mended_manifest_names_is_asked_about(someone, make_account, field):
    """After a round that failed, too.

    What runs blocks the account, exit 3, though the first manifest's server was gone.
    """
    me = someone(make_account(0, **UNFIT))
    assert outcomes(me.run()) == ["failed"]
    me.mend(make_account(0, **{field: (RUNS,) if field == "former_instance_ids" else RUNS}))
    made = me.run()
    assert (outcomes(made), made.exit_code) == (["blocked"], 3)
    assert "still runs" in made.body["accounts"][0]["why"]
    me.world.world.compute.terminate(RUNS)
    assert outcomes(me.run()) == ["recovered"]


@pytest.mark.parametrize("written", ["now", "before decisions said what they are about"])
def test_a_decision_holds_for_the_old_servers_that_it_was_about(someone, make_account, written):
    """Accepted while nobody knew the old server; a mended manifest names one that runs.

    Blocked until it is accepted, too.
    """
    me, unknown = someone(make_account(0, old_instance_id=None), make_account(1)), make_account(0).account_id
    other = Selection(only=("customer1@example.org",))
    accepting = {"accept": (unknown,), "because": "its log ends"}
    assert outcomes(me.run(selection=other, **accepting)) == ["left out", "recovered"]
    if written != "now":
        path = me.folder / "state.json"
        body = json.loads(path.read_text())
        del body["accepted"][unknown]["about"]
        path.write_text(json.dumps(body))
    me.mend(make_account(0, old_instance_id=RUNS), make_account(1))
    assert outcomes(me.run()) == ["blocked", "recovered"]
    assert outcomes(me.run(**accepting)) == ["recovered", "recovered"]


def test_a_decision_is_kept_while_its_old_servers_are_the_same(someone, make_account):
    """A round that fails after it, and a manifest that was mended elsewhere, ask for no second decision."""
    me = someone(make_account(0, old_instance_id=RUNS, **UNFIT))
    assert outcomes(me.run(accept=(make_account(0).account_id,), because="it is cut off")) == ["failed"]
    me.mend(make_account(0, old_instance_id=RUNS))
    assert outcomes(me.run()) == ["recovered"]


def test_an_email_of_two_accounts_accepts_neither(someone, make_account):
    """The accounts are listed; the state keeps no decision, and nothing is launched."""
    shared = [make_account(n, customer_email="shared@example.org", old_instance_id=RUNS) for n in range(2)]
    me = someone(*shared)
    with pytest.raises(LaeRecoverError, match="names 2 accounts") as refused:
        me.run(accept=("shared@example.org",), because="the first is mine")
    assert all(account.account_id in refused.value.where for account in shared)
    assert not read_state(me.folder).decisions.accepted
    assert outcomes(me.run(accept=(shared[0].account_id,), because="it is mine")) == ["recovered", "blocked"]


@pytest.fixture
def slow_plan(monkeypatch):
    """`plan --check` in whose questions to the cloud somebody does something else meanwhile."""

    def ask(me, meanwhile):
        todo = [meanwhile]

        def checked(*_):
            if todo:
                todo.pop()()
            return ()

        with monkeypatch.context() as patch:
            patch.setattr("laerecover.planning.planner.guard_files", lambda settings: None)
            patch.setattr(Planner, "check", checked)
            return plan(me.options(), worlds=me.worlds, check=True)[0]

    return ask


def test_a_slow_plan_takes_nothing_back_that_a_run_wrote(someone, make_account, slow_plan):
    """Decisions, the beginning, --new-identity and answers stand in state.json as the run left them."""
    me = someone(make_account(0, old_instance_id=RUNS), make_account(1))
    plan(me.options(), worlds=me.worlds)
    folder, written = me.folder, []

    def meanwhile():
        me.run(accept=(make_account(0).account_id,), because="it is cut off", new_identity=True)
        written.append(read_state(folder))

    made = slow_plan(me, meanwhile)
    assert read_state(folder) == replace(written[0], planned=replace(written[0].planned, shown=made.digest))
    assert written[0].started_at
    assert written[0].decisions.accepted


def test_a_plan_beside_a_runner_writes_nothing_and_says_so(someone, make_account, slow_plan):
    """The plan is shown with a note that names the runner; what would change the state is refused."""
    me = someone(make_account(0))
    plan(me.options(), worlds=me.worlds)
    state = (me.folder / "state.json").read_bytes()
    with locked(me.folder, "run"):
        made = slow_plan(me, lambda: None)
        with pytest.raises(LockHeld):
            plan(me.options(new_identity=True), worlds=me.worlds)
    assert any("at work" in note for note in made.notes)
    assert (me.folder / "state.json").read_bytes() == state


def test_another_region_is_refused_once_something_was_launched(someone, make_account, monkeypatch, tmp_path):
    """By run as by cleanup, with both regions; an account that never got to its launch holds nobody."""
    me = someone(make_account(0))
    real, elsewhere = Options.read_settings, "eu-west-1"

    def failing(kind):
        return lambda work: (_ for _ in ()).throw(StepFailed("as the test wants it", kind=kind))

    for kind, step in (("ec2_refused", DEPLOY), ("command_failed", INSTALL)):
        with monkeypatch.context() as patch:
            patch.setitem(ACTS, step, failing(kind))
            accepted = {"accept": (make_account(0).account_id,), "because": "the lost server was of another region"}
            assert outcomes(me.run(**accepted)) == ["failed"]
        monkeypatch.setattr(Options, "read_settings", lambda self: real(self).changed(ec2={"region": elsewhere}))
    elsewhere = "us-west-2"
    ask = {"stop": me.stop, "confirm": lambda *_: True, "worlds": me.worlds}
    for act in (me.run, lambda: cleanup(me.options(), **ask)):
        with pytest.raises(Guarded, match="settings say us-west-2, but this recovery launched in eu-west-1"):
            act()
    elsewhere = "eu-west-1"
    assert outcomes(me.run()) == ["recovered"]


def test_a_recovery_id_that_no_instance_bears_is_not_adopted(someone, make_account):
    """The ids that there are stand in the refusal, and no state is made."""
    me = someone(make_account(0))
    me.run()
    right, folder = (
        read_state(me.folder).recovery_id,
        me.folder.with_name("new"),
    )
    ask = {"stop": me.stop, "worlds": me.worlds}
    with pytest.raises(LaeRecoverError, match="no instance bears the recovery id 'typo'") as refused:
        adopt(me.options(state=folder), recovery="typo", **ask)
    assert right in refused.value.where
    assert not folder.exists()
    assert len(adopt(me.options(state=folder), recovery=right, **ask)[1]) == 1


def test_an_instance_that_cannot_be_ended_does_not_keep_the_others(someone, make_account, monkeypatch):
    """EC2 throttles one of them: it is named with exit 3, and the same command ends it later."""
    me = someone(*(make_account(n, **UNFIT) for n in range(3)))
    me.run(canary=False)
    ask = {"stop": me.stop, "confirm": lambda *_: True, "worlds": me.worlds}
    real, asked = TwinCompute.terminate, []

    def throttled(self, instance_id):
        asked.append(instance_id)
        if len(asked) == 2:
            raise Transient("RequestLimitExceeded")
        real(self, instance_id)

    with monkeypatch.context() as patch:
        patch.setattr(TwinCompute, "terminate", throttled)
        with pytest.raises(Guarded, match="1 of 3 instances were not ended: RequestLimitExceeded") as refused:
            cleanup(me.options(), **ask)
    assert (len(asked), refused.value.where) == (3, asked[1])
    assert [each.instance_id for each in cleanup(me.options(), **ask)] == [asked[1]]


def test_proposed_commands_can_be_typed_as_they_stand(someone, make_account, tmp_path):
    """Blanks, quotes, shell words in paths, ids, selections come back from a shell as the words that they were."""
    name, hostile = "Ann $(id)'s; x", "lae-$(reboot) 'x"
    me = someone(
        make_account(0, customer_email=name, customer_email_confirmed=False),
        make_account(1, account_id=hostile, old_instance_id=RUNS),
    )
    folder = tmp_path / "it's $HOME"
    folder.mkdir()
    me.manifest = me.manifest.rename(folder / "m p.parquet")
    options = me.options(selection=Selection(only=(name, hostile)), state=folder / "s t")
    words = shlex.split(f"laerecover run {options.places.quoted}{options.repeat('run', state=True)}")
    assert words[2] == str(me.manifest)
    assert words[-4:] == ["--only", name, "--only", hostile]
    made = me.run(state=folder / "s t")
    commands = [shlex.split(f["command"]) for row in made.body["accounts"] for f in row["follow_ups"] if f["command"]]
    assert {words[2] for words in commands} == {str(me.manifest)}
    assert next(w for w in commands if "--accept" in w)[4] == hostile


def test_a_tag_that_is_refused_is_left_for_a_human_until_a_run_sets_it(someone, make_account, monkeypatch):
    """The account is recovered; the report names instance, reason, command, and the next run takes it off the list."""
    me = someone(make_account(0), make_account(1))

    def refused(self, instance_id, tags):
        raise Refusal("UnauthorizedOperation", kind="ec2_refused")

    def untagged(made):
        return [f["about"] for row in made.body["accounts"] for f in row["follow_ups"] if "lae-recovered" in f["do"]]

    with monkeypatch.context() as patch:
        patch.setattr(TwinCompute, "tag", refused)
        made = me.run()
        assert len(untagged(me.run())) == 2
    assert (outcomes(made), made.exit_code, len(untagged(made))) == (["recovered", "recovered"], 0, 2)
    assert all(about.startswith("i-") and "UnauthorizedOperation" in about for about in untagged(made))
    assert untagged(me.run()) == []
    assert [row["instance_id"] for row in me.rows("instances") if "lae-recovered" not in row["tags"]] == [RUNS]


def test_a_manifest_of_what_this_recovery_left_is_no_other_disaster_until_its_servers_are_gone(someone, make_account):
    """Audited with the recovery's own evidence, it names the new servers as the old ones.

    While they live all is recovered, and the plan says why. Once one is gone nobody calls its account recovered: in a
    folder of its own it is, and the other, which lives, is left alone.
    """
    me = someone(make_account(0), make_account(1))
    assert outcomes(me.run()) == ["recovered", "recovered"]
    servers = {row["account_id"]: row["instance_id"] for row in me.rows("instances") if row["account_id"]}
    accounts = [make_account(n) for n in range(2)]
    accounts = [replace(a, former_instance_ids=(), old_instance_id=servers[a.account_id]) for a in accounts]
    me.mend(*accounts)
    made, _ = plan(me.options(), worlds=me.worlds)
    assert any("what this very recovery launched" in note for note in made.notes)
    again = me.run()
    assert (outcomes(again), again.exit_code) == (["recovered", "recovered"], 0)

    lost = accounts[0].account_id
    me.world.world.compute.terminate(servers[lost])
    with pytest.raises(Guarded) as refused:
        me.run()
    assert (str(refused.value.where), "that is another disaster" in str(refused.value)) == (lost, True)
    other = me.run(state=me.folder.with_name("other.state"))
    assert outcomes(other) == ["recovered", "blocked"]
    living = {row["account_id"] for row in me.rows("instances") if row["account_id"] and row["state"] == "running"}
    assert living == set(servers)
