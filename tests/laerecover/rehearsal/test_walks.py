"""Random walks: recoveries among mishaps drawn by a seed, killed at random points, keep their promises."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from laerecover.rehearsal.twin.world import faults_of

SEEDS, MANY_SEEDS, ROUNDS, KILLS = 50, 1000, 3, 3
ENGINE_SEEDS, ACCOUNTS, PACE = (7, 42), 3, "0.0005"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_walk_among_mishaps_and_kills_doubles_nothing(make_life, make_account, seed):
    """One living instance, its row, at most one mail, and no secret in what the ledger keeps: whatever happens."""
    walk(make_life, make_account, seed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(SEEDS, MANY_SEEDS, SEEDS))
def test_many_walks_among_mishaps_and_kills_double_nothing(make_life, make_account, first):
    """The same for the seeds that CI leaves out; it prints how the recoveries ended."""
    ended = Counter(walk(make_life, make_account, seed) for seed in range(first, first + SEEDS))
    print(f"seeds {first} to {first + SEEDS - 1}: {dict(ended)}")


def walk(make_life, make_account, seed) -> str:
    """One walk; how it ended."""
    life = make_life(
        make_account(seed), f"walk{seed}", seed=seed, faults=replace(faults_of(f"seed:{seed}"), slowness=0)
    )
    dice, kept, outcome = random.Random(seed), [], {"outcome": "failed"}
    for number in range(1, ROUNDS + 1):
        for _ in range(KILLS):
            outcome = life.live(dice.randint(1, 90), number=number)
            if outcome is not None:
                break
        outcome = outcome or life.live(number=number)
        check_promises(life, outcome)
        kept, life.ledger = [*kept, *life.ledger], []
        if outcome.outcome == "recovered":
            break
    told = json.dumps([effect.body for effect in kept])
    assert "canary" not in told
    assert life.work.account.server_node_pem.reveal().splitlines()[1] not in told
    return outcome.outcome


def check_promises(life, outcome) -> None:
    """Asked of the twin's own file."""
    living = [row["instance_id"] for row in life.bench.rows("instances") if row["state"] != "terminated"]
    rows = Counter(row["instance_id"] for row in life.bench.rows("serverinfo"))
    mails = Counter(row["message_id"] for row in life.bench.rows("mailbox"))
    states = {mail.message_id: mail.state for mail in life.bench.outbox.all()}
    assert len(living) <= 1
    assert set(rows.values()) <= {1}
    assert set(mails.values()) <= {1}
    assert all(states[message_id] in ("sent", "in_doubt") for message_id in mails)
    if outcome.outcome == "recovered":
        assert rows[living[0]] == 1
        assert len(life.bench.rows("services")) >= 2
    else:
        assert outcome.failures[0].message


@pytest.mark.parametrize("seed", ENGINE_SEEDS)
def test_a_walk_of_the_whole_command_doubles_nothing(make_manifest, make_account, key_file, commands, seed):
    """The same with several accounts at a time, the engine, and kill -9; no secret is in any output or in its store."""
    lost = make_account(0, introducer_identity="ABSENT", grade="NEW_FURL")
    manifest = make_manifest(lost, *(make_account(n) for n in range(1, ACCOUNTS)))
    state, dice, told = Path(f"{manifest}.drill"), random.Random(seed), []
    drill = ("drill", manifest, "--key-file", key_file, "--pace", PACE, "--mail", "send", "--faults", f"seed:{seed}")
    for _ in range(KILLS):
        runner = commands.start(*drill, "--json")
        runner.read_lines(dice.randint(1, 25))
        told.append(runner.wait(signal=signal.SIGKILL))
    told += [commands(*drill, "--json") for _ in range(2)]
    assert told[-1].returncode in (0, 1, 4), told[-1].stderr[-2000:]
    accounts = json.loads(told[-1].stdout)["accounts"]
    with sqlite3.connect(state / "world.sqlite") as db:
        living = dict(db.execute("SELECT account_id, count(*) FROM instances WHERE state != 'terminated' GROUP BY 1"))
        mails = dict(db.execute("SELECT message_id, count(*) FROM mailbox GROUP BY 1"))
    assert all(number == 1 for number in [*living.values(), *mails.values()]), (living, mails)
    for row in accounts:
        assert row["mails_sent"] <= 1
        assert row["outcome"] == "recovered" or (row["outcome"] == "failed" and row["why"])
        assert row["outcome"] == "failed" or living[row["account_id"]] == 1
    texts = [text for each in told for text in (each.stdout, each.stderr)] + store_texts(state)
    for secret in ("canary", lost.server_node_pem.reveal().splitlines()[1]):
        assert not any(secret in text for text in texts), secret


def store_texts(state: Path) -> list[str]:
    """Every text that the engine stored."""
    with sqlite3.connect(state / "ledger.sqlite") as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        cells = [str(cell) for table in tables for row in db.execute(f'SELECT * FROM "{table}"') for cell in row]
    assert any("deploy_ec2_instance" in cell for cell in cells)
    return cells
