"""Logs that are lost, and files among the logs that are none."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    LOG_FILE,
    NAME,
    OTHER_SEED,
    SECRET_KEY,
    audit_row,
    config,
    evidence,
    log,
    open_files,
    secrets,
    serverinfo,
)

OTHER_BUCKET = f"lae-abcd0123-{OTHER_SEED}"


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


NAMELESS = "recup_dir.1/f0012345.txt"


@pytest.mark.parametrize(
    ("confirming", "verdict"),
    [
        ({}, "CONTESTED"),
        ({"serverinfo.csv": serverinfo()}, "RECOVERABLE"),
        ({"serverinfo.csv": serverinfo(host="192.0.2.77")}, "CONTESTED"),
        ({LOG_FILE: log()}, "RECOVERABLE"),
        ({f"old/{NAME}.bak": secrets()}, "RECOVERABLE"),
        ({"notes.json": secrets(bucket_name=OTHER_BUCKET)}, "CONTESTED"),
    ],
    ids=[
        "nothing",
        "its server's row",
        "another server's row",
        "its log",
        "a copy with its stamp",
        "another of its kind",
    ],
)
def test_a_nameless_secrets_file_is_believed_where_something_else_knows_it(confirming, verdict, tmp_path):
    """Somebody's draft, or an example out of a manual, would look the same."""
    files = {NAMELESS: secrets(), "lae_automation_config.json": config(), **confirming}
    assert audit_row(open_files(tmp_path, files))["verdict"] == verdict


def test_a_nameless_secrets_file_that_gets_its_name_is_believed(tmp_path):
    """The remedy that `explain` gives works, whatever is put behind the name."""
    case = open_files(tmp_path / "1", {NAMELESS: secrets(), "lae_automation_config.json": config()})
    assert "give it that name (TIMESTAMP-SEED)" in str(case.explain(BUCKET))
    named = {f"{NAMELESS[:12]}{NAME}.txt": secrets(), "lae_automation_config.json": config()}
    assert audit_row(open_files(tmp_path / "2", named))["verdict"] == "RECOVERABLE"
