"""The report: what came of each account, how long it took, and what is left for a human."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from calm_twin import round_of
from laerecover.cli._display import PlainWatcher
from laerecover.options import make_options
from laerecover.rehearsal.drill import drill
from laerecover.report.follow_ups import IN_DOUBT, grouped
from laerecover.report.outcomes import FollowUp
from laerecover.runbook.ledger import pauses
from laerecover.runbook.values import STEPS


@pytest.fixture(scope="module")
def drilled(commands, make_account, tmp_path_factory):
    """A drill of an account as usual, one for the staff, one without an old server, one that cannot be recovered."""
    from laerecover.manifest import write_manifest

    folder = tmp_path_factory.mktemp("report")
    (folder / "key").mkdir(mode=0o700)
    accounts = (
        make_account(0),
        make_account(1, customer_keyinfo="0xC0FFEE", customer_name="<script>alert(1)</script>"),
        make_account(
            2, old_instance_id=None, old_public_host=None, grade="NEW_STORAGE_IDENTITY", storage_identity="ABSENT"
        ),
        make_account(3, verdict="INCOMPLETE", missing=("user_token",)),
    )
    key = folder / "key" / "manifest.key"
    write_manifest(folder / "manifest.parquet", accounts, evidence_digest="e" * 64, key_file=key)
    ended = commands("drill", folder / "manifest.parquet", "--key-file", key, "--pace", "0.001", "--json")
    body = json.loads(ended.stdout)
    body["accounts"].sort(key=lambda row: row["customer"])  # in the order of the accounts above
    return body, Path(f"{folder / 'manifest.parquet'}.drill/report.html").read_text()


def left(row):
    return {f["do"].partition(":")[0]: f["about"] for f in row["follow_ups"]}


def test_a_mail_to_the_staff_is_not_told_as_the_customer_s(drilled, commands):
    """Beside a customer who is still to be told stands whose mail it is, in the table and where they are counted."""
    body, page = drilled
    key = Path(body["manifest"]).parent / "key" / "manifest.key"
    lines = commands("report", body["manifest"], "--key-file", key).stdout.splitlines()
    mails = {row["account_id"]: (row["mail"], row["mail_to"]) for row in body["accounts"] if row["mail"]}
    assert sorted(mails.values()) == [("held", "customer"), ("held", "customer"), ("held", "staff")]
    for name, (_, reader) in mails.items():
        (row,) = [line for line in lines if line.lstrip().startswith(name)]
        assert ("held, to the staff" in row) == (reader == "staff")
    assert ">2 held<" in page and ">1 held, to the staff<" in page


def test_each_account_has_its_time(drilled):
    """Time to recovery for what was recovered, none for the rest; the forecast stands beside what was measured."""
    body, _ = drilled
    assert [a["outcome"] for a in body["accounts"]] == ["recovered"] * 3 + ["blocked"]
    assert [a["rto_seconds"] is not None for a in body["accounts"]] == [True] * 3 + [False]
    assert 0 < max(a["rto_seconds"] or 0 for a in body["accounts"]) <= body["seconds"]
    assert body["forecast_seconds"] > 0
    assert list(body["step_seconds"]) == [step.name for step in STEPS]


def test_the_digests_are_told_whole(drilled):
    """Those of manifest and evidence, by which anybody can say what this recovery was made from."""
    body, page = drilled
    assert (body["evidence_digest"], len(body["manifest_digest"])) == ("e" * 64, 64)
    assert all(f"<code>{body[name]}</code>" in page for name in ("evidence_digest", "manifest_digest"))


def test_what_is_superseded_is_told(drilled):
    """The lost server's address is to be taken out of monitoring, its row is superseded.

    Without a lost server, neither.
    """
    rows = drilled[0]["accounts"]
    told = left(rows[0])
    assert told["remove the lost server from monitoring"] == "203.0.113.1"
    assert told["the lost server's row stays in serverinfo.csv"] == "i-00000000"
    assert (
        not {"remove the lost server from monitoring", "the lost server's row stays in serverinfo.csv"}
        & left(rows[2]).keys()
    )


def test_what_the_customer_has_to_do(drilled):
    """One sentence for each grade, nothing for who is not recovered."""
    told = [a["customer_does"] for a in drilled[0]["accounts"]]
    assert told[0] == told[1] == "take the new address"
    assert "read-only" in told[2]
    assert told[3] == ""


def test_where_the_evidence_lies(drilled):
    """The names of the log and the secrets file that the recovery left are in the report."""
    steps = {s["step"]: s["values"] for s in drilled[0]["accounts"][0]["steps"]}
    assert steps["leave_evidence"]["log_file"].startswith("signup_logs/")
    assert steps["leave_evidence"]["secrets_file"] in drilled[1]


def test_the_page_is_harmless(drilled):
    """Names are escaped, no script, nothing from elsewhere, no secret."""
    page = drilled[1]
    assert "<script" not in page
    assert "canary" not in page + json.dumps(drilled[0])
    assert "src=" not in page
    assert "Where the time went" in page


def test_a_pause_between_two_runs_is_no_time_of_work():
    """Between the last step before and the first after nobody ran it; what overlaps, or follows at once, is work."""
    at = [datetime(2026, 11, 22, 10, tzinfo=UTC) + timedelta(minutes=n) for n in range(200)]
    rounds = [
        replace(round_of("a"), spans=((at[0], at[3]), (at[3], at[7]))),
        replace(round_of("b"), spans=((at[2], at[10]), (at[100], at[104]))),
        replace(round_of("c"), spans=((at[101], at[120]),)),
    ]
    assert pauses(rounds, None) == pauses(rounds, at[0] - timedelta(seconds=2)) == [(at[10], at[100])]
    assert pauses([], None) == pauses([], at[0]) == []


def test_a_begin_that_came_to_nothing_is_no_time_of_work():
    """The first runner was refused before any step; the next one came later."""
    at = [datetime(2026, 11, 22, 10, tzinfo=UTC) + timedelta(minutes=n) for n in range(200)]
    rounds = [replace(round_of("a"), spans=((at[90], at[95]),)), replace(round_of("b"), spans=((at[91], at[120]),))]
    assert pauses(rounds, at[0]) == [(at[0], at[90])]


def test_the_same_things_stand_together_and_doubts_first():
    """Each with its account's own command, and nobody's is lost."""
    doubt = [FollowUp(IN_DOUBT, "", f"resolve {n}") for n in range(2)]
    rows = [
        SimpleNamespace(account_id=str(n), customer=f"c{n}", follow_ups=(FollowUp("look", "", "notify"), *more))
        for n, more in enumerate([(), (), doubt[:1], doubt[1:]])
    ]
    left = grouped(rows)
    assert [(each.do, each.accounts, each.commands) for each in left] == [
        (IN_DOUBT, 2, ("resolve 0", "resolve 1")),
        ("look", 4, ("notify",)),
    ]


def test_status_tells_how_many_there_are(drilled, commands):
    """Of those that were begun, and of all: whoever looks has neither key nor manifest at hand."""
    told = commands("status", drilled[0]["manifest"])
    assert told.stdout.startswith("3 recovered; of 3 accounts to recover, 4 in the manifest\n"), told.stderr


def test_a_drill_names_the_canary_of_a_run(make_manifest, make_account, key_file):
    """Whoever watches learns whom a run would recover before all others; the drill itself sends nobody ahead."""
    heard = []
    options = make_options(manifest=make_manifest(make_account(0)), key_file=key_file, pace=0.001)
    given = replace(options, limits=replace(options.limits, canary=False))
    drill(
        given, watch=lambda plan: PlainWatcher(io.StringIO(), plan.recover), stop=threading.Event(), heard=heard.append
    )
    assert [make_account(0).account_id in said for said in heard] == [True]


def test_verify_says_that_it_asks_a_rehearsal(drilled, commands):
    """Nobody is to take a drill's servers for the customers'; machines read JSON alone."""
    manifest = Path(drilled[0]["manifest"])
    given = ("verify", manifest, "--state", f"{manifest}.drill", "--key-file", manifest.parent / "key" / "manifest.key")
    assert commands(*given).stdout.startswith("DRILL: ")
    assert json.loads(commands(*given, "--json").stdout)["checks"]
