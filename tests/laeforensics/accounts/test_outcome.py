"""How a signup ended, and whether its server was ever ready."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    FAILURE,
    HOST,
    INSTANCE,
    LOG_FILE,
    OTHER_NAME,
    OTHER_SEED,
    PARTS,
    SEED,
    as_another,
    audit_row,
    codes,
    evidence,
    judged,
    log,
    open_files,
    replacement,
    result,
    secrets,
    signup_row,
)

from laeforensics.accounts.outcome import is_ready


def _ready(tmp_path, **changed):
    case = open_files(tmp_path, evidence(**{"secrets": None, "servers": None, "results": None, **changed}))
    (signup,) = case.judgement.joined
    return is_ready(signup)


@pytest.mark.parametrize(
    ("data", "stage", "outcome"),
    [
        (log(), "mail_sent", "complete"),
        (log("mail"), "settings_told", "cut"),
        (log(mail=PARTS["mail"].split("\n")[0] + "\n"), "settings_told", "cut"),
        (log(until="running"), "servers_running", "cut"),
        (log(until="address"), "address_known", "cut"),
        (log(until="address") + FAILURE.encode(), "address_known", "failed"),
        (log(until="activation") + FAILURE.encode(), "activating", "failed"),
        (log() + FAILURE.encode(), "mail_sent", "failed"),
        (b"", None, "cut"),
    ],
)
def test_stage_and_outcome_are_those_that_the_log_tells(data, stage, outcome, tmp_path):
    """The furthest announcement, and whether the program came to its end, failed, or just stops."""
    row = signup_row(open_files(tmp_path, evidence(log=data, results=None)))
    assert (row["stage"], row["outcome"]) == (stage, outcome)


def test_the_first_programs_end_with_the_furl(tmp_path):
    """Where no mail is named in the log at all, the settings told are the end."""
    bucket = PARTS["bucket"].replace(" in 'US East' region", "")
    silent = log("mail", bucket=bucket, deployment=PARTS["deployment"].partition("instance_name")[0])
    assert signup_row(open_files(tmp_path, evidence(log=silent)))["outcome"] == "complete"


def test_a_log_that_just_stops_failed_if_the_site_says_so(tmp_path):
    """In the first weeks a failed log was closed before the error was printed."""
    case = open_files(tmp_path, evidence(log=log(until="address"), secrets=None, results=result("failure")))
    assert signup_row(case)["outcome"] == "failed"


@pytest.mark.parametrize(
    ("changed", "ready"),
    [
        ({"log": log(until="installing")}, None),
        ({"log": log(until="installing") + FAILURE.encode()}, False),
        ({"log": log(until="installing"), "results": result("failure")}, False),
        ({"log": log(until="installing"), "secrets": b""}, False),
        ({"log": log(until="installing"), "secrets": secrets()}, True),
        ({"log": log(until="installing"), "results": result()}, True),
        (
            {
                "log": log(until="installing"),
                "servers": b"2012-03-20T10:40:00Z,2012-03-20T10:17:02.000Z,i-0a1b2c3d,192.0.2.1\n",
            },
            True,
        ),
        ({"log": log(until="running")}, True),
        ({"log": log(until="running") + FAILURE.encode()}, True),
        ({"log": log(until="running") + FAILURE.encode(), "results": result("failure")}, True),
        ({"log": log(until="running"), "secrets": b""}, True),
        ({"log": log(), "results": result("failure")}, True),
    ],
)
def test_ready_wins_over_not_ready(changed, ready, tmp_path):
    """Mail or monitoring may have failed afterwards: a server that was ready was ready; where nothing tells, None."""
    assert _ready(tmp_path, **changed) is ready


@pytest.mark.parametrize(("before", "ready"), [(log(), True), (log(until="installing"), False)])
def test_a_replacement_that_failed_in_the_same_file_undoes_no_server(before, ready, tmp_path):
    """Its signup's server was ready once; where that was not, none was."""
    failed = replacement().partition(b">Restoring")[0] + FAILURE.encode()
    assert _ready(tmp_path, log=before + failed, secrets=None, results=None, servers=None) is ready


@pytest.mark.parametrize("until", ["running", "address", "credentials"])
def test_the_head_of_a_failed_run_once_more_is_no_later_run(until, tmp_path):
    """A copy that was begun anew, at the file's end: it tells nothing that the run did not tell."""
    failed = log(until="installing") + FAILURE.encode()
    again = failed[: len(log(until=until)) if until != "running" else -len(FAILURE) - 5]
    assert _ready(tmp_path, log=failed + again) is False
    case = open_files(tmp_path / "again", evidence(log=failed + again, secrets=None, servers=None, results=None))
    assert list(case.audit["verdict"]) == ["UNFINISHED"]


def test_another_customers_end_under_the_name_of_a_failed_run_ends_nothing(tmp_path):
    """A copy whose bucket bears another seed tells of its own server, and the log in its place of a failure."""
    failed = log(until="installing") + FAILURE.encode()
    beside = {"old/" + LOG_FILE: as_another(log()), LOG_FILE: failed}
    case = open_files(tmp_path, {**evidence(secrets=None, servers=None, results=None, requests=None), **beside})
    assert audit_row(case)["verdict"] == "UNFINISHED"


def test_the_success_row_of_a_failed_signup_is_not_believed(tmp_path):
    """For an hour of February 2012 a failed signup was recorded as a success: the log's own failure speaks louder."""
    failed = log(until="installing") + FAILURE.encode()
    assert _ready(tmp_path, log=failed, results=result("success")) is False
    case = open_files(tmp_path / "again", evidence(log=failed, secrets=None, servers=None))
    assert "success-despite-failure" in codes(case)
    assert list(case.audit["verdict"]) == ["UNFINISHED"]


@pytest.mark.parametrize("left", [b"", b"\0" * 512], ids=["empty", "zeroed"])
def test_a_success_row_tells_that_a_secrets_file_was_filled_once(left, tmp_path):
    """The log is cut, and the file was emptied since, on a full disk for one."""
    stopped = log(until="installing")
    assert _ready(tmp_path, log=stopped, results=result("success"), secrets=left) is True


def test_beside_an_empty_secrets_file_no_moved_result_counts(tmp_path):
    """A finished run is called a failure in the same csv file: its result has moved to another row."""
    results = result("success") + as_another(result("failure", "2012-04-21T08:25:00Z"))
    files = evidence(log=log(until="installing"), results=results, secrets=b"", servers=None, requests=None)
    files |= {f"signup_logs/{OTHER_NAME}": as_another(log())}
    assert judged(open_files(tmp_path, files)).ready is False


def test_a_failure_that_may_be_the_runs_own_speaks_louder_than_a_success_row(tmp_path):
    """Lines are missing before it: it is not shown to be another's."""
    line = f"  instance_id = '{INSTANCE}'\n".encode()
    failed = log(until="installing") + FAILURE.encode()
    assert line in failed
    assert _ready(tmp_path, log=failed.replace(line, b""), results=result("success")) is False


def test_the_head_of_a_file_that_was_written_round_tells_its_failure(tmp_path):
    """What stands before the run's beginning names nobody else's bucket; another run's, whole, is another's."""
    whole = log(until="installing") + FAILURE.encode()
    cut = whole.index(b"\n", whole.index(b"instance_type")) + 1
    assert _ready(tmp_path, log=whole[cut:] + whole[:cut], results=result("success")) is False


def test_another_runs_failure_in_the_same_file_is_anothers(tmp_path):
    """That run names its own bucket, or was ready before."""
    for number, end in enumerate(("installing", "running")):
        other = log(until=end).replace(SEED.encode(), OTHER_SEED.encode()).replace(HOST.encode(), b"192.0.2.9")
        mixed = log(until="installing") + other + FAILURE.encode()
        assert _ready(tmp_path / str(number), log=mixed, results=result("success")) is True


@pytest.mark.parametrize("end", ["mail", "settings"])
@pytest.mark.parametrize("at", ["adba70>", "  instance_id"])
def test_a_failure_behind_another_log_within_the_own_is_the_runs_own(at, end, tmp_path):
    """Behind its end the own server is told of, or a line goes on that was cut in two."""
    whole = log(until="instance").decode() + FAILURE
    within = as_another(log(until=end)).decode()
    assert _ready(tmp_path, log=whole.replace(at, within + at).encode()) is False


@pytest.mark.parametrize("at", ["[Failure", ">Installing"])
def test_a_failure_behind_a_piece_that_names_another_bucket_is_the_runs_own(at, tmp_path):
    """Where the piece ends, a line is cut in two."""
    whole, piece = log(until="installing").decode() + FAILURE, as_another(log()).decode()
    piece = piece[piece.index(">S3 bucket") : piece.index("ec2.model")]
    assert _ready(tmp_path, log=whole.replace(at, piece + at).encode()) is False


def test_another_logs_end_before_the_runs_own_bucket_makes_no_failed_run_ready(tmp_path):
    """A sector of it lies over the polls."""
    poll = PARTS["poll"].partition("usertoken")[0] + PARTS["running"] + PARTS["poll"]
    whole = log(until="instance", poll=poll) + FAILURE.encode()
    assert _ready(tmp_path, log=whole) is False


def test_a_failure_behind_a_line_that_stands_twice_is_the_runs_own(tmp_path):
    """The second of the two begins no run of anybody: what fails behind it names no other bucket."""
    doubled = log(until="installing", address=PARTS["address"] * 2) + FAILURE.encode()
    assert _ready(tmp_path, log=doubled) is False


def test_an_end_without_what_leads_to_it_is_nobodys_beside_a_failure(tmp_path):
    """Its sector may be another log's: the failure behind it may be the run's own."""
    end, installing = PARTS["running"] + PARTS["settings"], PARTS["installing"]
    mixed = log(until="address") + end.encode() + installing.encode() + FAILURE.encode()
    assert _ready(tmp_path, log=mixed) is False
    assert _ready(tmp_path / "again", log=log(until="address") + end.encode()) is True


def test_an_address_line_that_stands_there_twice_begins_no_other_run(tmp_path):
    """Right behind each other: no run tells its address in one line."""
    line = f">The server's public address is '{HOST}'.>\n".encode()
    assert _ready(tmp_path, log=log().replace(line, line * 2), secrets=None, results=None, servers=None) is True


def test_an_end_behind_a_failure_that_may_be_anothers_is_told(tmp_path):
    """Its signup is not finished for a customer who may have a server: the finding says so, with the place."""
    failed, begun = as_another(log(until="installing") + FAILURE.encode()), len(log(until="installing"))
    own = log(until="installed")
    spliced = own[:-40] + failed[begun - 60 :] + log()[len(own) :]
    case = open_files(tmp_path, evidence(log=spliced, secrets=None, results=None, servers=None))
    assert audit_row(case)["verdict"] == "UNFINISHED"
    (found,) = (f for f in case.judgement.findings if f.code == "never-ready")
    assert "or one was" in found.message
    assert b"server are running" in spliced[found.locators[0].start : found.locators[0].end]
    assert "nothing of before" not in str(case.explain(BUCKET))


OF_A_SERVER = (
    "publichost privatehost introducer_node_pem introducer_nodeid server_node_pem server_nodeid "
    "external_introducer_furl internal_introducer_furl"
)


@pytest.mark.parametrize("data", [log(until="created"), log(until="created") + FAILURE.encode()])
def test_a_secrets_file_that_tells_no_server_shows_none(data, tmp_path):
    """Somebody filled it in: the run fills it all at once, when its server runs."""
    files = evidence(log=data, secrets=secrets(**dict.fromkeys(OF_A_SERVER.split())), results=None, servers=None)
    assert audit_row(open_files(tmp_path, files))["verdict"] == "UNFINISHED"


@pytest.mark.parametrize("failed", [True, False])
def test_results_that_call_a_failed_run_a_success_show_no_end(failed, tmp_path):
    """Beside an emptied secrets file they count only where they are borne out."""
    files = evidence(log=log(until="installing"), secrets=b"", servers=None)
    other = as_another(log(until="created")) + (FAILURE.encode() if failed else b"")
    files["signup_logs/" + OTHER_NAME] = other
    files["signups.csv"] += as_another(result(when="2012-04-21T08:05:00Z"))
    row = audit_row(open_files(tmp_path, files))
    assert row["verdict"] == ("UNFINISHED" if failed else "RECOVERABLE")
