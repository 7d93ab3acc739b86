"""Recoveries that earlier versions began are read, and go on to the end that they would have had undisturbed."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from laerecover.adapters.serverinfo import ServerinfoFile
from laerecover.afterwards.notify import notify
from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.identity import tub_id_of
from laerecover.hosts.vault import Vault
from laerecover.instances.tags import client_token
from laerecover.mail.outbox import CONFIRMATION, COPIED, FAILURE, Outbox
from laerecover.manifest import read_manifest
from laerecover.rehearsal.worlds import DrillWorlds
from laerecover.report import report
from laerecover.runbook import ledger, runbook, values
from laerecover.runbook.ledger import read_ledger
from recoveries.vintages import (
    HOLDS,
    Left,
    OneWorld,
    Vintage,
    go_on,
    open_cloud,
    options_of,
    reading_of,
    settle,
    vintages,
)

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

ALL = [(vintage, left) for vintage in vintages() for left in vintage.left]
KILLED = [each for each in ALL if each[1].killed_at]
SENDING = ("before-send", "after-send")
IN_DOUBT = [each for each in KILLED if each[1].killed_at.endswith(SENDING)]
QUICK = [each for each in KILLED if each[1].mode == "drill" and each[1].killed_at.endswith(":before-record")]
ENDED = [each for each in ALL if not each[1].killed_at]
LATE = [each for each in ALL if each[1].name == "drill/notify_zenoss.before-record"]
HELD = [each for each in ALL if each[1].name.endswith("/ended-hold")]
Place = tuple[Path, Path]


def each(pairs: Iterable[tuple[Vintage, Left]]) -> pytest.MarkDecorator:
    """Once with each of these, called by vintage and name."""
    return pytest.mark.parametrize(("vintage", "left"), [pytest.param(v, a, id=f"{v.name}/{a.name}") for v, a in pairs])


@pytest.fixture(scope="session")
def root_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Vintage], Path]:
    """Where a vintage is unpacked."""
    known: dict[str, Path] = {}

    def unpacked(vintage: Vintage) -> Path:
        if vintage.name not in known:
            known[vintage.name] = vintage.unpack(tmp_path_factory.mktemp("vintage"))
        return known[vintage.name]

    return unpacked


@pytest.fixture
def placed(root_of, tmp_path: Path) -> Callable[[Vintage, Left], Place]:
    """A recovery put where it was made, as far as it can tell: root of its vintage, its own folder."""

    def place(vintage: Vintage, left: Left) -> Place:
        root = root_of(vintage)
        shutil.copytree(root / "recoveries" / left.name, tmp_path / "place")
        settle(tmp_path / "place" / "state")
        return root, tmp_path / "place"

    return place


@pytest.fixture(scope="session")
def undisturbed(root_of, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Vintage, Left], dict[str, Any]]:
    """Account -> its row of the report where the present code recovers all of the manifest without a kill."""
    known: dict[str, dict[str, Any]] = {}

    def rows(vintage: Vintage, left: Left) -> dict[str, Any]:
        asked = {name: left.asked[name] for name in ("mail", "new_identity") if name in left.asked}
        key = json.dumps([vintage.name, left.mode, left.recipe, left.wrong, asked])
        if key not in known:
            root, place = root_of(vintage), tmp_path_factory.mktemp("undisturbed")
            if left.mode == "run":
                of_the_world = shutil.ignore_patterns("cloud.sqlite*", "serverinfo.csv", "hosts")
                shutil.copytree(root / "recoveries" / left.name / "operator", place / "operator", ignore=of_the_world)
            more = {**asked, "canary": False}
            done = go_on(root, place, mode=left.mode, asked=more, wrong=left.wrong, told=io.StringIO())
            known[key] = {row["account_id"]: row for row in done.body["accounts"]}
        return known[key]

    return rows


def picture(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of an account's row must not depend on kills or versions: no times, addresses, ids; who the nodes are."""
    values = {step["step"]: step["values"] for step in row["steps"]}
    nodes = values.get("bounce_server", {})
    kept = {
        key: nodes.get(key if nodes.get(flag) else flag)
        for flag, key in (("introducer_restored", "introducer_tub_id"), ("storage_restored", "server_nodeid"))
    }
    names = ("outcome", "grade", "price", "customer_does", "mail", "mail_to", "mails_sent", "serverinfo_rows")
    steps = [(step["step"], step["ok"], step["kind"]) for step in row["steps"]]
    return {**{name: row[name] for name in names}, "steps": steps, "nodes": kept}


def effects(place: Path, left: Left) -> dict[str, Any]:
    """What is there, as the world itself tells, with how often."""
    world = place / ("state/world.sqlite" if left.mode == "drill" else "operator/cloud.sqlite")
    with sqlite3.connect(world) as db:
        living = "SELECT account_id, instance_id FROM instances WHERE account_id != '' AND state = 'running'"
        instances = db.execute(living).fetchall()
        rows = [instance_id for (instance_id,) in db.execute("SELECT instance_id FROM serverinfo")]
        mails = Counter(message_id for (message_id,) in db.execute("SELECT message_id FROM mailbox"))
        starts = Counter(db.execute("SELECT subject, effect FROM effects WHERE effect LIKE 'start%'").fetchall())
    db.close()
    if left.mode == "run":
        rows = [row.instance_id for row in ServerinfoFile(place / "operator/serverinfo.csv").rows()]
    evidence = place / "state/evidence"
    left_behind = [path.name[-32:] for path in evidence.glob("signup_logs/*")]
    lines = {path.name: path.read_text("utf-8").split("\n")[:-1] for path in evidence.glob("*.csv")}
    told = {"instances": Counter(instances), "rows": Counter(rows), "mails": mails, "starts": starts}
    return {
        **told,
        "logs": Counter(left_behind),
        "csv": Counter((n, line) for n, some in lines.items() for line in some),
    }


def ends_well(at: Place, left: Left, undisturbed: Mapping[str, Any]) -> None:
    """Go on with it; each account is as in the undisturbed recovery, each effect is there once."""
    root, place = at
    doubt = left.killed_at.endswith(SENDING)
    done = go_on(root, place, mode=left.mode, asked=left.asked, told=io.StringIO())
    rows = {row["account_id"]: row for row in done.body["accounts"]}
    for account_id in left.asked["only"]:
        told, wanted = picture(rows[account_id]), picture(undisturbed[account_id])
        if doubt:
            told, wanted = ({**each, "mail": "", "mails_sent": 0, "steps": []} for each in (told, wanted))
            assert rows[account_id]["in_doubt"]
        assert told == wanted
    assert done.exit_code == (4 if doubt else 0)
    found = effects(place, left)
    assert sorted(account for account, _ in found["instances"]) == sorted(left.asked["only"])
    assert sorted(found["rows"]) == sorted(instance_id for _, instance_id in found["instances"])
    assert {n for counted in found.values() for n in counted.values()} == {1}
    go_on(root, place, mode=left.mode, asked=left.asked, told=io.StringIO())
    assert effects(place, left) == found


@each(QUICK)
def test_a_recovery_killed_before_a_record_goes_on(vintage, left, placed, undisturbed):
    """One killed before the record of each step in turn ends as if it had not been."""
    ends_well(placed(vintage, left), left, undisturbed(vintage, left))


@each(pair for pair in KILLED if pair not in QUICK)
def test_a_killed_recovery_goes_on(vintage, left, placed, undisturbed):
    """Killed at any named point, of a drill or a run, of one account or several, it ends as if it had not been."""
    ends_well(placed(vintage, left), left, undisturbed(vintage, left))


@each(IN_DOUBT)
def test_a_mail_in_doubt_is_settled(vintage, left, placed, commands):
    """After a kill while it was given away a mail waits for a human's word, and is sent once more only by that word."""
    root, place = placed(vintage, left)
    go_on(root, place, mode=left.mode, asked=left.asked, told=io.StringIO())
    before = effects(place, left)["mails"]
    (account_id,), sent = left.asked["only"], left.killed_at.endswith("after-send")
    options = options_of(root, place, {})
    given = (
        "--state",
        options.places.state,
        "--key-file",
        options.places.key_file,
        "--settings",
        options.places.settings,
    )
    word = "--sent" if sent else "--resend"
    assert commands("resolve", options.places.manifest, account_id, "mail", word, *given).returncode == 0
    if left.mode == "drill":
        assert commands("notify", options.places.manifest, *given, "--yes").returncode == 0
    else:
        register = options.settings_for("run", place / "state").files.serverinfo
        world = open_cloud(place / "operator", register)
        notify(options, stop=threading.Event(), confirm=lambda state, letters: True, worlds=OneWorld(world))
    mails = [mail for mail in Outbox(place / "state/outbox.sqlite").all() if mail.state != "withdrawn"]
    assert {mail.state for mail in mails} == {"sent"}
    after = effects(place, left)["mails"]
    assert set(after) == {mail.message_id for mail in mails}
    assert set(after.values()) == {1}
    assert after.keys() >= before.keys()


@each(ALL)
def test_a_state_folder_is_read(vintage, left, placed, monkeypatch):
    """State, ledger, outbox and vault tell what they told whoever wrote them; keys and tokens come out the same."""
    root, place = placed(vintage, left)
    key = (root / "key/manifest.key").read_bytes()
    assert reading_of(place / "state", key) == json.loads((place / HOLDS).read_text("utf-8"))
    vault = Vault(place / "state/secrets", key)
    recovery_id = json.loads((place / "state/state.json").read_text("utf-8"))["recovery_id"]
    rounds = read_ledger(place / "state/ledger.sqlite")
    monkeypatch.setattr(ledger, "read_tables", lambda look, *, with_steps: None)
    assert read_ledger(place / "state/ledger.sqlite") == rounds
    for account_id, latest in rounds.items():
        told = {step.step.name: step.values for step in latest.steps if step.ok}
        if launched := told.get("deploy_ec2_instance"):
            named = (recovery_id, account_id, launched["generation"], launched["attempt"])
            assert client_token(*named, mode=left.mode) == launched["client_token"]
            for name, which in (("host_key", "final"), ("boot_host_key", "boot")):
                assert derive_host_key(vault, launched["client_token"], which).public == launched[name]
        if nodes := told.get("bounce_server"):
            kept = vault.load(account_id)
            assert tub_id_of(kept["introducer_node_pem"]) == nodes["introducer_tub_id"]
            assert tub_id_of(kept["server_node_pem"]) == nodes["server_nodeid"]


@pytest.mark.parametrize("vintage", vintages(), ids=lambda vintage: vintage.name)
def test_a_manifest_is_read(vintage, root_of):
    """Digest, verdicts, grades, decisions and secrets are those that were exported."""
    root, wanted = root_of(vintage), vintage.index["manifest"]
    read = read_manifest(root / "case/manifest.parquet", key_file=root / "key/manifest.key")
    assert (read.digest, read.evidence_digest) == (wanted["digest"], wanted["evidence_digest"])
    assert {
        a.account_id: {
            "verdict": a.verdict,
            "grade": a.grade,
            "secret_key": a.user_secret_key and a.user_secret_key.fingerprint,
            "decisions": list(a.decisions),
        }
        for a in read.accounts
    } == wanted["accounts"]


@each(ENDED)
def test_an_ended_recovery_is_told_as_it_ended(vintage, left, placed, commands):
    """status, report and the same command again: everything is as it was, and nothing is done anew that was done."""
    root, place = placed(vintage, left)
    wanted, before = json.loads((place / HOLDS).read_text("utf-8")), effects(place, left)
    options = options_of(root, place, {})
    given = (options.places.manifest, "--state", options.places.state)
    told = commands("status", *given, "--json")
    assert told.returncode == 0, told.stderr
    outcomes = {account: known["outcome"] for account, known in json.loads(told.stdout)["accounts"].items()}
    assert outcomes == {account: known["outcome"] for account, known in wanted["ledger"].items()}
    given = (*given, "--key-file", options.places.key_file, "--settings", options.places.settings)
    told = commands("report", *given, "--json")
    rows = {row["account_id"]: row for row in json.loads(told.stdout)["accounts"] if row["account_id"] in outcomes}
    assert {account: row["outcome"] for account, row in rows.items()} == outcomes
    again = go_on(root, place, mode=left.mode, asked=left.asked, told=io.StringIO())
    after = effects(place, left)
    assert not reading_of(place / "state", options.places.key_file.read_bytes())["untagged"]
    if "failed" in outcomes.values():
        assert again.exit_code == 0
        assert sorted(after["rows"].elements()) == sorted(instance_id for _, instance_id in after["instances"])
        assert [after[name] for name in ("instances", "starts")] == [before[name] for name in ("instances", "starts")]
    else:
        assert f"exit {again.exit_code}" == left.ended
        assert after == before


@each(pair for pair in ENDED if pair[1].mode == "drill")
def test_an_ended_drill_still_answers(vintage, left, placed, commands):
    """`verify` asks the nodes of hosts that an earlier version set up, and they are who they were."""
    root, place = placed(vintage, left)
    options = options_of(root, place, {})
    told = commands(
        "verify",
        options.places.manifest,
        "--state",
        options.places.state,
        "--key-file",
        options.places.key_file,
        "--json",
    )
    checks = json.loads(told.stdout)["checks"]
    recovered = [a for a, known in read_ledger(place / "state/ledger.sqlite").items() if known.outcome == "recovered"]
    nodes = [check for check in checks if check["what"] in ("introducer", "storage node", "announcement")]
    assert Counter(check["account_id"] for check in nodes if check["ok"]) == dict.fromkeys(recovered, 3)


@each(HELD)
def test_held_mails_are_sent_once(vintage, left, placed):
    """What was held is shown and sent after a yes: a mail for each account, to the reader whom it was meant for."""
    root, place = placed(vintage, left)
    options = options_of(root, place, {})
    held = {mail.message_id for mail in Outbox(place / "state/outbox.sqlite").all() if mail.kind != FAILURE}
    assert len(held) == len(left.asked["only"])
    worlds: Any = DrillWorlds()
    if left.mode == "run":
        worlds = OneWorld(open_cloud(place / "operator", options.settings_for("run", place / "state").files.serverinfo))
    shown: list[Any] = []

    def confirm(state: object, letters: list[Any]) -> bool:
        shown.extend(letters)
        return True

    for _ in range(2):
        notify(options, stop=threading.Event(), confirm=confirm, worlds=worlds)
        assert {mail.message_id: mail.state for mail in Outbox(place / "state/outbox.sqlite").all()} == dict.fromkeys(
            held, "sent"
        )
    assert effects(place, left)["mails"] == dict.fromkeys(held, 1)
    accounts = read_manifest(options.places.manifest, key_file=options.places.key_file).accounts
    customers = {a.account_id: a.customer_email for a in accounts}
    for letter in shown:
        to_customer = letter.mail.kind == CONFIRMATION
        assert (customers[letter.mail.account_id] in letter.to) == to_customer
        assert ("staff@example.org" in letter.to) != to_customer


@each(HELD)
def test_a_copy_of_an_old_state_doubts_what_the_original_may_send(vintage, left, root_of, tmp_path):
    """A state folder from elsewhere is told to be one by the note of its place, whichever version wrote that."""
    root, place = root_of(vintage), tmp_path / "place"
    shutil.copytree(root / "recoveries" / left.name, place)
    assert go_on(root, place, mode=left.mode, asked=left.asked, told=io.StringIO()).exit_code == 4
    mails = Outbox(place / "state/outbox.sqlite").all()
    assert {(mail.state, mail.answer) for mail in mails} == {("in_doubt", COPIED)}


DIAL: values.Step[Any] = values.Step(name="dial", title="dial", plain="dialling", tells=values.Installed)
"""A step that somebody would like to have."""
KEPT = replace(values.LEAVE, name="keep_evidence")
CHANGED = {
    "renamed": [KEPT if s is values.LEAVE else s for s in values.STEPS],
    "inserted": [each for s in values.STEPS for each in ((DIAL, s) if s is values.CONFIRM else (s,))],
    "inserted at the front": [DIAL, *values.STEPS],
    "moved": [{values.LEAVE: values.APPEND, values.APPEND: values.LEAVE}.get(s, s) for s in values.STEPS],
    "left out": [s for s in values.STEPS if s is not values.LEAVE],
}


@pytest.mark.parametrize("change", CHANGED)
@each(LATE[:1])
def test_another_order_of_steps_is_noticed(vintage, left, change, placed, undisturbed, monkeypatch):
    """Where a step is renamed, inserted, moved or left out, an old recovery ends badly, and these tests see it."""
    at, wanted = placed(vintage, left), undisturbed(vintage, left)
    steps = CHANGED[change]
    acts = {KEPT: runbook.ACTS[values.LEAVE], DIAL: lambda work: values.Installed(boot_id="")}
    monkeypatch.setattr(runbook, "ACTS", {**runbook.ACTS, **acts})
    monkeypatch.setattr(runbook, "STEPS", steps)
    for module in (ledger, report):
        monkeypatch.setattr(module, "ALL_STEPS", (*steps, values.NOTICE))
    monkeypatch.setattr(values, "_NAMED", {step.name: step for step in (*steps, values.NOTICE)})
    with pytest.raises(AssertionError):
        ends_well(at, left, wanted)
    assert [latest.outcome for latest in read_ledger(at[1] / "state/ledger.sqlite").values()] == ["failed"]
