"""What only one account can have, and what a customer with two accounts may have in both."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    EMAIL,
    OTHER_NAME,
    OTHER_SEED,
    SEED,
    USER_TOKEN,
    as_another,
    audit_row,
    evidence,
    log,
    open_files,
)

OTHER_BUCKET = BUCKET.replace(SEED, OTHER_SEED)


def _again(data: bytes) -> bytes:
    """Another signup of the same customer, to whom Amazon gave the same token."""
    theirs = as_another(USER_TOKEN.encode())
    return as_another(data).replace(theirs, USER_TOKEN.encode()).replace(b"bob@example.org", EMAIL.encode())


CUT = {
    "its last lines": lambda data: data[: data.index(b">Sending confirmation")],
    "a letter of its activation key": lambda data: data.replace(b"AINVENTEDKEY", b"AINVEN+EDKEY", 1),
    "a line, which was overwritten": lambda data: data + b"\0" * 40 + b"\n",
    "nothing": lambda data: data,
}


@pytest.mark.parametrize("lost", CUT)
def test_a_token_that_a_customer_got_twice_is_sure_in_both_accounts(lost, tmp_path):
    """Whatever became of one of the logs."""
    files = evidence(secrets=None, log=CUT[lost](log())) | {f"signup_logs/{OTHER_NAME}": _again(log())}
    case = open_files(tmp_path, files)
    assert [audit_row(case, bucket)["user_token"] for bucket in (BUCKET, OTHER_BUCKET)] == [USER_TOKEN] * 2


def test_a_log_with_a_piece_of_theirs_takes_the_token_from_neither(tmp_path):
    """A third customer's log has lost its address, and tells the token in one of its prints."""
    third = as_another(log("mail", deployment="", settings="")).replace(OTHER_SEED.encode(), SEED[::-1].encode())
    token = as_another(USER_TOKEN.encode())
    third = third.replace(token, USER_TOKEN.encode(), 1)[: third.index(b">Creating S3")]
    files = evidence(secrets=None) | {f"signup_logs/{OTHER_NAME}": _again(log())}
    case = open_files(tmp_path, files | {f"signup_logs/2012-05-01T080000Z-{SEED[::-1]}": third})
    assert [audit_row(case, bucket)["user_token"] for bucket in (BUCKET, OTHER_BUCKET)] == [USER_TOKEN] * 2
