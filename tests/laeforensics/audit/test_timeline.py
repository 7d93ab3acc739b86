"""When an account's runs began, its rows were written, its servers launched: with the places that say so."""

from __future__ import annotations

from makings import (
    BUCKET,
    ENDED_AT,
    INSTANCE,
    LAUNCHED,
    LOG_FILE,
    NAME,
    STARTED_AT,
    evidence,
    log,
    open_files,
    re_record,
)


def test_runs_rows_and_servers_in_the_order_of_time(tmp_path):
    """A signup: its run and its request begin in one second, its server is launched, its result is written."""
    told = open_files(tmp_path, evidence()).timeline
    assert set(told.account_id) == {BUCKET}
    assert list(told.time) == sorted(told.time)
    rows = {(row.time, row.what, row.detail, row.evidence) for row in told.itertuples()}
    assert (STARTED_AT, "run", "origin, complete", LOG_FILE) in rows
    assert (STARTED_AT, "row", "", "activation_requests.csv") in rows
    assert (LAUNCHED, "server", INSTANCE, LOG_FILE) in rows
    assert (ENDED_AT, "row", "success", "signups.csv") in rows


def test_a_place_is_the_line_that_says_so(tmp_path):
    """The server's place is the line of its launch time."""
    told = open_files(tmp_path, evidence()).timeline
    server = told[told.what == "server"].iloc[0]
    assert LAUNCHED in log().decode().splitlines()[server.line - 1]


def test_attempts_and_later_runs_are_told_each_under_its_account(tmp_path):
    """A re-record is another run of the same account; a log without a bucket is an attempt."""
    files = evidence() | {
        "signup_logs/2012-05-01T090000Z-rererererererererererererererere": re_record(),
        "signup_logs/2012-06-01T090000Z-attemptattemptattemptattemptatte": log(until="activation"),
    }
    told = open_files(tmp_path, files).timeline
    runs = told[told.what == "run"]
    of_account = [row.evidence for row in runs.itertuples() if row.account_id == BUCKET]
    assert of_account[0].endswith(NAME)
    assert len(of_account) == 2
    assert [row.detail for row in runs.itertuples() if row.account_id.startswith("attempt:")] == ["attempt, cut"]
