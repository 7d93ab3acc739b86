"""The seeds of the simulation through DBOS: each life of a runner is a process, and a kill is SIGKILL."""

from __future__ import annotations

import itertools
import os
import signal
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from simulation.killed import KilledRecovery, see_through
from simulation.planted import PLANTED
from simulation.promises import Broken, secrets_of
from simulation.recovery import terms_of

ACCOUNTS, AT_ONCE = 2, 5
FEW, MANY = 5, 50
_killing = list(itertools.islice((seed for seed in itertools.count() if terms_of(seed).kills), FEW + MANY))
NAMED = os.environ.get("LAE_SEED")
"""A seed that somebody wants to see again, instead of all."""
SEEDS = [int(NAMED)] if NAMED else _killing
"""Those that kill: the first FEW belong to `make thorough`, the others to `make long`."""
SOME, OTHERS = (SEEDS[:FEW], SEEDS[FEW:] or SEEDS)


def replay(seed, plant):
    """What to type to see a seed again."""
    test = "whatever_fifty" if plant is None else f"planted and {plant.__name__}"
    where = f"tests/laerecover/runbook/test_seeded_kills.py -rP -k '{test}'"
    return f"again: LAE_SEED={seed} .venv/bin/python -m pytest {where}"


@pytest.fixture
def go_through(make_account):
    """Some seeds, all at once; how their accounts ended, and their schedules. Raises the first one's Broken."""
    accounts = [make_account(number) for number in range(ACCOUNTS)]
    secrets = ["canary", *secrets_of(accounts)]
    memory = Path("/dev/shm")

    def run(seeds, plant=None):
        with ExitStack() as folders:
            places = [
                tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix=f"seed{seed}-")
                for seed in seeds
            ]
            paths = [Path(folders.enter_context(place)) for place in places]
            recoveries = [
                KilledRecovery(seed, accounts, path, plant=plant) for seed, path in zip(seeds, paths, strict=True)
            ]
            see_through(recoveries)
            ended = Counter()
            for each in recoveries:
                try:
                    ended += each.check(secrets)
                except Broken as error:
                    error.add_note(replay(each.seed, plant))
                    raise
            return ended, [line for each in recoveries for line in each.schedule]

    return run


def batches(seeds):
    return [seeds[first : first + AT_ONCE] for first in range(0, len(seeds), AT_ONCE)]


def told_of(go_through, seeds):
    """Everybody recovered; prints how, or all of it where somebody asked for that seed."""
    ended, schedules = go_through(seeds)
    assert ended["recovered"] == ended.total() >= ACCOUNTS * len(seeds)
    kills = sum("killed at" in line for line in schedules)
    print("\n".join(schedules) if NAMED else f"seeds {seeds}: {dict(ended)}, {kills} kills")
    return kills


@pytest.mark.thorough
def test_whatever_few_seeds_kill_each_effect_comes_once(go_through):
    """The promises of the simulation hold of DBOS, too."""
    assert told_of(go_through, SOME) >= len(SOME) or NAMED


@pytest.mark.long
@pytest.mark.parametrize("seeds", batches(OTHERS), ids=str)
def test_whatever_fifty_seeds_kill_each_effect_comes_once(go_through, seeds):
    """The same."""
    assert told_of(go_through, seeds) >= len(seeds) or NAMED


@pytest.mark.long
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_mistake_is_found_among_fifty_seeds(go_through, plant):
    """What keeps effects single is taken out in each process, one at a time: a seed breaks a promise, and says which
    and how to see it again.
    """
    for seeds in batches(OTHERS):
        try:
            go_through(seeds, plant)
        except Broken as error:
            print(error, *error.__notes__, sep="\n")
            assert str(error).startswith(PLANTED[plant])
            schedule, again = error.__notes__
            seed = int(again.partition("LAE_SEED=")[2].partition(" ")[0])
            assert seed in seeds
            assert schedule.startswith(f"seed {seed}\n")
            return
    pytest.fail(f"{plant.__name__} was not found")


@pytest.mark.thorough
def test_a_process_that_ends_by_itself_is_no_kill(go_through):
    """One that dies of a mistake of ours is not begun again: its output is told."""

    def dies(patch):
        del patch
        print("here it ends")
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Broken, match=f"(?s)ended with -{signal.SIGTERM.value}: here it ends"):
        go_through(SEEDS[:1], dies)
