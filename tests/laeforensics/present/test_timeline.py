"""When an account's runs began, its rows were written, its servers launched: with the places that say so."""

from __future__ import annotations

from makings import (
    BUCKET,
    ENDED_AT,
    INSTANCE,
    LAUNCHED,
    LOG_FILE,
    STARTED_AT,
    evidence,
    log,
    open_files,
    re_record,
)


def test_runs_rows_and_servers_in_the_order_of_time(tmp_path):
    """A signup: its run and its request begin in one second, its server is launched, its result is written."""
    case = open_files(tmp_path, evidence()).timeline
    assert set(case.account_id) == {BUCKET}
    assert list(case.time) == sorted(case.time)
    rows = {(row.time, row.what, row.place.partition(":")[0]) for row in case.itertuples()}
    assert (STARTED_AT, "signup began", LOG_FILE) in rows
    assert (STARTED_AT, "request sent", "activation_requests.csv") in rows
    assert (LAUNCHED, "server launched", LOG_FILE) in rows
    assert (ENDED_AT, "run recorded", "signups.csv") in rows


def test_a_place_is_the_line_that_says_so(tmp_path):
    """The server's place is the line of its launch time."""
    case = open_files(tmp_path, evidence()).timeline
    server = case[case.what == "server launched"].iloc[0]
    assert server.detail.startswith(INSTANCE)
    assert LAUNCHED in log().decode().splitlines()[int(server.place.rpartition(":")[2]) - 1]


def test_attempts_and_later_runs_are_told_each_under_its_account(tmp_path):
    """A re-record is another run of the same account; a log without a bucket is an attempt."""
    files = evidence() | {
        "signup_logs/2012-05-01T090000Z-rererererererererererererererere": re_record(),
        "signup_logs/2012-06-01T090000Z-attemptattemptattemptattemptatte": log(until="activation"),
    }
    case = open_files(tmp_path, files).timeline
    runs = {(row.account_id.partition(":")[0], row.what) for row in case.itertuples() if row.what != "request sent"}
    assert {(BUCKET, "signup began"), (BUCKET, "secrets re-recorded"), ("attempt", "attempt began")} <= runs
