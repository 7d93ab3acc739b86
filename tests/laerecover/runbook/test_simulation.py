"""The runbook among kills, pauses, lost answers, throttling and two operators, in virtual time, as seeds draw them."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest

from simulation.planted import PLANTED
from simulation.promises import Broken, secrets_of
from simulation.recovery import Simulation

ACCOUNTS, EACH = 2, 50
PLAIN, THOROUGH, LONG = 150, 1000, 5000
"""Seeds: those before PLAIN belong to every test run, those before THOROUGH to `make thorough`, the rest to `make
long`.
"""


@pytest.fixture
def simulate(make_account):
    """One seed in a folder of its own; gives how the accounts ended, and the schedule."""
    accounts = [make_account(number) for number in range(ACCOUNTS)]
    secrets = ["canary", *secrets_of(accounts)]
    memory = Path("/dev/shm")

    def run(seed):
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            simulation = Simulation(seed, accounts, Path(folder))
            return simulation.run(secrets), simulation.schedule.told

    return run


def go_through(simulate, first):
    ended = sum((simulate(seed)[0] for seed in range(first, first + EACH)), Counter())
    assert ended["recovered"] == ended.total() >= ACCOUNTS * EACH
    print(f"seeds {first} to {first + EACH - 1}: {dict(ended)}")


@pytest.mark.parametrize("first", range(0, PLAIN, EACH))
def test_whatever_the_seed_draws_each_effect_comes_once(simulate, first):
    """One instance, one row, at most one mail to each customer, nothing done twice, no secret anywhere."""
    go_through(simulate, first)


@pytest.mark.thorough
@pytest.mark.parametrize("first", range(PLAIN, THOROUGH, EACH))
def test_whatever_many_seeds_draw_each_effect_comes_once(simulate, first):
    """The same."""
    go_through(simulate, first)


@pytest.mark.long
@pytest.mark.parametrize("first", range(THOROUGH, LONG, EACH))
def test_whatever_thousands_of_seeds_draw_each_effect_comes_once(simulate, first):
    """The same; it prints how the accounts ended."""
    go_through(simulate, first)


def test_the_seeds_draw_what_they_are_for(simulate):
    """Kills in the midst of steps, pauses, two operators, lost answers; nothing of it is left out."""
    told = "\n".join(line for seed in range(40) for line in simulate(seed)[1])
    assert told.count("killed at") > 60
    assert told.count("pauses") > 30
    assert "operator1" in told
    assert all(fault in told for fault in ("connection_lost=0.3", "throttled=0.3", "mail_lost=0.3"))
    killed = [line for line in told.split("\n") if "killed" in line]
    for place in ("launch", "reboot", "append", "send", "start", "install_server", "record"):
        assert any(place in line for line in killed), place


def found(simulate, seeds):
    """The first of these seeds that breaks a promise, with the error."""
    for seed in seeds:
        try:
            simulate(seed)
        except Broken as error:
            return seed, error
    return None, None


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_mistake_is_found_printed_and_found_again(simulate, monkeypatch, plant):
    """What keeps effects single is taken out, one at a time; the same seed prints the same schedule each time."""
    with monkeypatch.context() as patch:
        plant(patch)
        seed, error = found(simulate, range(PLAIN))
        assert error is not None
        _, again = found(simulate, [seed])
    assert str(error).startswith(PLANTED[plant])
    assert error.__notes__ == again.__notes__
    assert error.__notes__[0].startswith(f"seed {seed}\n")
    assert found(simulate, [seed]) == (None, None)
