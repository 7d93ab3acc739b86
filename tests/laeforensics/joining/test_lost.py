"""Files among the logs that are none."""

from __future__ import annotations

from makings import (
    BUCKET,
    SECRET_KEY,
    audit_row,
    evidence,
    log,
    open_files,
)


def test_a_readme_among_the_logs_is_no_signup(tmp_path):
    """A file whose name is no log's and in which no program speaks is a finding, not an attempt."""
    case = open_files(tmp_path, {**evidence(), "signup_logs/README": b"Copied here in May.\nAsk Zooko.\n"})
    assert [a.account_id for a in case.judgement.accounts] == [BUCKET]
    assert [f.code for f in case.judgement.findings if f.signup == "signup_logs/README"] == ["no-log"]


def test_a_log_of_an_odd_name_is_a_log_all_the_same(tmp_path):
    """What a program said counts under whatever name."""
    files = evidence(log=None, secrets=None)
    case = open_files(tmp_path, {**files, "signup_logs/README": log()})
    assert audit_row(case)["user_secret_key"] == SECRET_KEY
