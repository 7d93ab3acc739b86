"""Killed at any moment and started again, a drill ends with each effect exactly once."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from laerecover.rehearsal.twin.world import TwinFile
from laerecover.runbook.values import STEPS
from simulation.promises import check, secrets_of, told_in

if TYPE_CHECKING:
    from conftest import Started

PACE = "0.002"
ACCOUNTS = 4
KILLS = 10
POINTS = ("before-probe", "before-act", "after-act", "before-record")
WITHOUT_ACT = {"wait_for_ec2_addresses"}


def tables(state: Path) -> dict[str, list[tuple]]:
    """What the twin's own file and the outbox say."""
    with sqlite3.connect(state / "world.sqlite") as db:
        rows = {
            "instances": db.execute("SELECT account_id, count(*) FROM instances GROUP BY account_id").fetchall(),
            "rows": db.execute("SELECT instance_id, count(*) FROM serverinfo GROUP BY instance_id").fetchall(),
            "mails": db.execute("SELECT message_id, count(*) FROM mailbox GROUP BY message_id").fetchall(),
            "starts": db.execute(
                "SELECT subject, count(*) FROM effects WHERE effect LIKE 'start%' GROUP BY subject, effect"
            ).fetchall(),
        }
    with sqlite3.connect(state / "outbox.sqlite") as db:
        rows["outbox"] = db.execute("SELECT state, count(*) FROM mails GROUP BY state").fetchall()
    return rows


@pytest.fixture
def check_once(make_account):
    """Holds a drill's state to what the simulation promises; its mails are held, its services were started."""

    def look(state: Path, count: int) -> None:
        accounts = [make_account(number) for number in range(count)]
        check(TwinFile(state / "world.sqlite"), accounts, [told_in(state)], secrets_of(accounts))
        told = tables(state)
        assert len(told["starts"]) >= 2 * count
        assert dict(told["outbox"]) == {"held": count}

    return look


def test_ten_kills_at_seeded_moments_double_nothing(make_manifest, key_file, commands, check_once):
    """Two drills, each killed five times at other points of their progress, recover every account once."""
    manifest = make_manifest(count=ACCOUNTS)
    states = [manifest.parent / f"drill{number}" for number in range(2)]
    drills = [
        ("drill", manifest, "--key-file", key_file, "--pace", PACE, "--concurrency", "3", "--seed", n, "--state", state)
        for n, state in enumerate(states)
    ]
    dice = random.Random(20120320)
    kills = 0
    for number in range(KILLS // len(drills)):
        for runner in [commands.start(*drill) for drill in drills]:
            # A moment is a number of lines of progress and a little more: the same work on slow machines and fast ones.
            runner.read_lines(dice.randint(1, 3 + 2 * number))
            time.sleep(dice.random() * 0.05)
            kills += runner.wait(signal=signal.SIGKILL).returncode == -signal.SIGKILL
    assert kills >= KILLS - 2
    for drill, state in zip(drills, states, strict=True):
        ended = commands(*drill, "--json")
        assert ended.returncode == 0, ended.stderr[-2000:]
        rows = json.loads(ended.stdout)["accounts"]
        assert {(a["outcome"], a["instances_launched"], a["serverinfo_rows"]) for a in rows} == {("recovered", 1, 1)}
        check_once(state, ACCOUNTS)
        before = tables(state)
        again = commands(*drill)
        assert again.returncode == 0
        assert "4 of 4 accounts recovered" in again.stdout
        assert tables(state) == before


def test_a_kill_at_every_crash_point_of_every_step_doubles_nothing(make_manifest, key_file, commands, check_once):
    """Killed before the probe, before and after the act, before the record of each step in turn, a drill ends well."""
    manifest = make_manifest(count=1)

    def drill(point: str, crash_at: str) -> Started:
        arguments = ("drill", manifest, "--key-file", key_file, "--pace", PACE, "--state", manifest.parent / point)
        return commands.start(*arguments, LAERECOVER_CRASH_AT=crash_at)

    for step in [each.name for each in STEPS]:
        met = [point for point in POINTS if step not in WITHOUT_ACT or point not in ("before-act", "after-act")]
        begun = {point: drill(point, f"{step}:{point}") for point in met}
        ended = {point: runner.wait().returncode for point, runner in begun.items()}
        assert ended == dict.fromkeys(met, -signal.SIGKILL), step
    ended = {point: runner.wait().returncode for point, runner in {p: drill(p, "") for p in POINTS}.items()}
    assert ended == dict.fromkeys(POINTS, 0)
    for point in POINTS:
        check_once(manifest.parent / point, 1)


@pytest.mark.parametrize("point", ["before-send", "after-send"])
def test_a_kill_while_sending_leaves_the_mail_in_doubt(make_manifest, key_file, commands, point):
    """A runner that died while it gave a mail away cannot know; nobody sends it again, and the exit code says 4."""
    manifest = make_manifest(count=1)
    drill = ("drill", manifest, "--key-file", key_file, "--pace", PACE, "--mail", "send")
    dead = commands(*drill, LAERECOVER_CRASH_AT=f"send_signup_confirmation:{point}")
    assert dead.returncode == -signal.SIGKILL
    state = Path(f"{manifest}.drill")
    delivered = tables(state)["mails"]
    assert commands(*drill).returncode == 4
    assert dict(tables(state)["outbox"])["in_doubt"] == 1
    mail = json.loads((state / "report.json").read_text())["accounts"][0]["message_id"]
    assert dict(tables(state)["mails"]).get(mail, 0) == dict(delivered).get(mail, 0)
    resolved = commands("resolve", manifest, account_of(state), "mail", "--resend")
    assert resolved.returncode == 0
    assert commands("notify", manifest, "--key-file", key_file).returncode == 0
    assert dict(tables(state)["outbox"]).get("in_doubt") is None


def account_of(state: Path) -> str:
    return json.loads((state / "report.json").read_text())["accounts"][0]["account_id"]
