"""Which of the HOWTO's calls can be made for an account, and which argument blocks the others."""

from __future__ import annotations

import pytest
from makings import BUCKET, EMAIL, account, config, evidence, log, open_files, secrets

from laeforensics.audit import calls

S4_BUCKET = "lae-on2wexzwkzeekssfkbdfsvsfivhuk-mn2xgx2wijitivccijfesq2dgrbus"
KNOWN = {
    "bucket_name": BUCKET,
    "user_access_key_id": "known",
    "user_secret_key": "known",
    "user_token": "known",
    "product_token": "known",
    "customer_email": EMAIL,
}


def blocked(**given) -> dict[str, tuple[str, ...]]:
    """Per function that cannot be called, the arguments that block it."""
    given.setdefault("values", KNOWN)
    found = calls.rows([account(**given)])
    assert all(row["callable"] is not bool(row["blocked_by"]) for row in found)
    return {str(row["function"]): row["blocked_by"] for row in found if not row["callable"]}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in KNOWN.items() if name not in names}


def test_each_function_of_the_howto_has_a_row():
    """In the order in which they are called, once for each account."""
    names = [row["function"] for row in calls.rows([account(values=KNOWN)])]
    assert names == [
        "deploy_EC2_instance",
        "install_server",
        "bounce_server",
        "append_record",
        "send_signup_confirmation",
        "notify_zenoss",
        "send_notify_failure",
    ]


def test_with_everything_known_every_call_can_be_made():
    """Nothing blocks."""
    assert blocked() == {}


@pytest.mark.parametrize("name", ["user_access_key_id", "user_secret_key", "user_token", "product_token"])
def test_a_credential_that_is_missing_blocks_bounce_server_alone(name):
    """The other calls do not take it."""
    assert blocked(values=without(name)) == {"bounce_server": (name,)}


def test_the_bucket_blocks_two_calls():
    """The new instance is named after it, and the node serves it."""
    assert blocked(values=without("bucket_name")) == {
        "deploy_EC2_instance": ("bucket_name",),
        "bounce_server": ("bucket_name",),
    }


def test_without_an_address_only_the_mail_is_blocked():
    """The server can be brought back although nobody can be told."""
    assert blocked(values=without("customer_email")) == {"send_signup_confirmation": ("customer_email",)}


def test_every_argument_that_blocks_is_named():
    """In the order of the function's arguments."""
    assert blocked(values={})["bounce_server"] == (
        "bucket_name",
        "user_access_key_id",
        "user_secret_key",
        "user_token",
        "product_token",
    )


def test_a_contested_argument_blocks_as_a_missing_one_does():
    """A call with one of two candidates would be a guess."""
    assert blocked(contested={"user_token"}) == {"bounce_server": ("user_token",)}


@pytest.mark.parametrize("name", ["introducer_node_pem", "introducer_furl", "server_node_pem", "server_node_privkey"])
def test_what_is_only_used_blocks_nothing(name):
    """Without the old identities bounce_server makes new ones."""
    assert blocked(contested={name}) == {}


def test_an_s4_account_needs_no_tokens():
    """Its bucket name holds no product code, and there are no tokens in that era."""
    s4 = {**without("user_token", "product_token"), "bucket_name": S4_BUCKET}
    assert blocked(account_id=S4_BUCKET, values=s4) == {}
    keyless = {name: value for name, value in s4.items() if name != "user_secret_key"}
    assert blocked(account_id=S4_BUCKET, values=keyless) == {"bounce_server": ("user_secret_key",)}


def test_an_attempt_has_no_calls():
    """There is nothing to bring back."""
    assert calls.rows([account(is_attempt=True, values=KNOWN)]) == []


def test_the_case_has_them_as_a_table(tmp_path):
    """`case.calls` of real evidence: the token that no config has blocks the one call that takes it."""
    case = open_files(tmp_path, evidence(secrets=b"", config=config({"full_name": "another product"})))
    rows = {row["function"]: row for row in case.calls.to_dict("records")}
    assert list(case.calls.columns) == ["account_id", "function", "callable", "blocked_by"]
    assert {row["account_id"] for row in rows.values()} == {BUCKET}
    assert (rows["bounce_server"]["callable"], rows["bounce_server"]["blocked_by"]) == (False, ("product_token",))
    assert rows["send_signup_confirmation"]["callable"] is True


def test_the_case_blocks_a_contested_call(tmp_path):
    """Log and secrets file differ in the secret key."""
    case = open_files(
        tmp_path, evidence(secrets=secrets(secret_key="some/other+secret/of+forty/characters/00"), log=log())
    )
    blocking = {r["function"]: r["blocked_by"] for r in case.calls.to_dict("records") if not r["callable"]}
    assert blocking == {"bounce_server": ("user_secret_key",)}
