"""The end of `plan --check`: whether anything stands in the way, and which command goes on."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from laerecover.cli._planned import question, show_conclusion, show_plan
from laerecover.instances.rebuilt import REBUILT
from laerecover.manifest import Manifest
from laerecover.options import Options, make_options
from laerecover.planning.buckets import BUCKET_SERVED, DATA_UNREACHABLE
from laerecover.planning.obstacles import Obstacle
from laerecover.planning.plan import Circumstances, Plan, make_plan
from laerecover.planning.planner import plan as planned_by
from laerecover.settings import drill_settings


@pytest.fixture
def options():
    """Of a manifest whose name needs quoting."""
    return make_options(manifest=Path("my manifest.parquet"), key_file=Path("key"))


def planned(accounts, tmp_path, servers: dict[str, str], obstacles: list[Obstacle]) -> Plan:
    """A plan of accounts whose old servers are gone, but for `servers`."""
    ids = [a.account_id for a in accounts]
    manifest = Manifest(accounts=tuple(accounts), evidence_digest="e", digest="d" * 64)
    given = Circumstances(
        mode="run",
        selected=frozenset(ids),
        concurrency=2,
        inventory={name: servers.get(name, "GONE") for name in ids},
        obstacles={o.account_id: f"{o.what}: {o.message}" for o in obstacles if o.account_id},
    )
    return make_plan(manifest, drill_settings(tmp_path), given)


def words_after(line: str) -> list[str]:
    """The words of the command at the end of a line."""
    return shlex.split(line[line.index("laerecover run") :])


def test_nothing_in_the_way_ends_with_the_command_that_goes_on(make_account, tmp_path, options: Options, capsys):
    """A shell reads it as it was meant."""
    show_conclusion(planned([make_account(0)], tmp_path, {}, []), [], options)
    check, next_ = capsys.readouterr().out.splitlines()
    assert check == "check: nothing stands in the way"
    assert words_after(next_) == ["laerecover", "run", "my manifest.parquet", "--key-file", "key"]


def test_what_a_human_may_accept_is_a_command_and_nothing_else_is(make_account, tmp_path, options: Options, capsys):
    """Old servers that run, or of which nobody knows, and rebuilt ones by their names; no bucket that is served."""
    accounts = [make_account(n) for n in range(6)]
    ids = [a.account_id for a in accounts]
    obstacles = [
        Obstacle(what=REBUILT, message="m", remedy="r", account_id=ids[2], instances=("i-1", "i-2")),
        Obstacle(what=BUCKET_SERVED, message="m", remedy="r", account_id=ids[3]),
        Obstacle(what=DATA_UNREACHABLE, message="m", remedy="r", account_id=ids[4]),
    ]
    plan = planned(accounts, tmp_path, {ids[0]: "RUNNING", ids[1]: "UNKNOWN"}, obstacles)
    show_conclusion(plan, obstacles, options)
    check, next_, consent = capsys.readouterr().out.splitlines()
    assert check == "check: nothing stands in the way of 1 of 6 accounts"
    assert "--accept" not in next_
    assert "only if their other servers surely do no harm" in consent
    wanted = [ids[0], ids[1], f"{ids[2]}=i-1", f"{ids[2]}=i-2"]
    more = [word for each in wanted for word in ("--accept", each)]
    assert words_after(consent)[5:] == [*more, "--because", "WHY"]


def test_what_stops_the_whole_run_is_to_be_mended_first(make_account, tmp_path, options: Options, capsys):
    """No command is proposed that would be refused."""
    obstacle = Obstacle(what="image", message="m", remedy="r")
    show_conclusion(planned([make_account(0)], tmp_path, {}, [obstacle]), [obstacle], options)
    assert (
        capsys.readouterr().out == "check: nothing is started before the above is mended; then the same command again\n"
    )


def test_where_all_are_kept_back_no_run_is_proposed_but_with_consent(make_account, tmp_path, options, capsys):
    """Of many accounts the first are named, and how many more there are."""
    accounts = [make_account(n) for n in range(5)]
    plan = planned(accounts, tmp_path, {a.account_id: "RUNNING" for a in accounts}, [])
    show_conclusion(plan, [], options)
    check, consent = capsys.readouterr().out.splitlines()
    assert check == "check: nothing stands in the way of 0 of 5 accounts"
    assert "(and 2 more)" in consent
    assert consent.count("--accept") == 3


STOPS = Obstacle(what="key of the admin", message="it has a passphrase", remedy="make a copy without one")
ONE_ACCOUNT = replace(STOPS, account_id="lae-somebody")


@pytest.fixture
def shown(operator, make_account, capsys):
    """The last part of a plan of two accounts, as people see it; `unfit`: none of them can be recovered."""

    def show(*obstacles, unfit=False, **options):
        wrong = {"introducer_furl": None, "verdict": "INCOMPLETE", "grade": None} if unfit else {}
        someone = operator(make_account(0, **wrong), make_account(1, **wrong))
        made, _ = planned_by(someone.options(**options), worlds=someone.worlds)
        show_plan(made, someone.options(**options), obstacles=obstacles)
        return capsys.readouterr().out

    return show


def test_a_plan_that_can_be_run_proposes_drill_and_run(shown):
    """With how long it takes; one account that is blocked keeps nobody from it."""
    for out in (shown(), shown(ONE_ACCOUNT)):
        assert out.count("next: ") == 1
        assert re.search(r", about \d+ min by", out)
        assert ", then laerecover run " in out


@pytest.mark.parametrize(
    ("given", "options", "wanted"),
    [
        ([STOPS], {}, "next: mend what the check names, then plan again"),
        ([], {"without": ("customer0@example.org", "customer1@example.org")}, "select some with --only"),
        ([], {"unfit": True}, "mend what blocks them, or select others"),
    ],
)
def test_a_plan_that_cannot_be_run_proposes_no_run(shown, given, options, wanted):
    """The check says NO; nothing is selected; what was selected is blocked."""
    out = shown(*given, **options)
    assert out.count("next: ") == 1
    assert wanted in out
    assert not any(word in out for word in ("laerecover drill", "laerecover run"))
    assert bool(re.search(r"about \d+ min", out)) == bool(given)


def test_whoever_says_yes_sees_who_goes_ahead(make_account, tmp_path):
    """By the short name; of one account, and where nobody goes ahead, there is nothing to say."""
    accounts = [make_account(n) for n in range(3)]
    made = planned(accounts, tmp_path, {}, [])
    ids = tuple(a.account_id for a in accounts)
    name = f"customer1@example.org {ids[1].rpartition('-')[2][:6]}"
    assert question(replace(made, starts=ids, first=ids[1])) == f"Recover 3 accounts, {name} alone before the others"
    assert question(replace(made, starts=ids)) == "Recover 3 accounts"
    assert question(replace(made, starts=ids[1:2], first=ids[1])) == "Recover 3 accounts"
