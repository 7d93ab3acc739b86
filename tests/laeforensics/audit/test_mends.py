"""What would mend an account: the smallest set of evidence, ranked by the accounts that it would unlock."""

from __future__ import annotations

from makings import (
    BUCKET,
    CODE,
    FAILURE,
    NAME,
    OTHER_NAME,
    OTHER_SEED,
    SEED,
    account,
    as_another,
    evidence,
    log,
    open_files,
    secrets,
)

from laeforensics.audit.mends import Mend, mends, most_useful_first, shopping_list


def _only(case):
    (found,) = case.judgement.accounts
    return mends(found)


def test_a_sound_account_needs_nothing(tmp_path):
    """Recoverable, both identities kept: nothing is on the list."""
    case = open_files(tmp_path, evidence())
    assert _only(case) == []
    assert len(case.shopping_list()) == 0


def test_an_attempt_needs_nothing():
    """There is nothing to unlock."""
    assert mends(account(is_attempt=True, missing=("user_token",))) == []


def test_a_missing_token_is_mended_by_the_config(tmp_path):
    """Where the product token alone is missing, one entry of the config mends all its customers."""
    case = open_files(tmp_path, evidence(secrets=None, config=None))
    assert _only(case) == [(f"the product {CODE} in lae_automation_config.json", "unlocks", ("product_token",))]


def test_missing_credentials_are_mended_by_the_secrets_file(tmp_path):
    """One file, named as it would be called, holds them all."""
    lost = log("credentials")
    case = open_files(tmp_path, evidence(log=lost, secrets=None))
    ((what, effect, fields),) = _only(case)
    assert (what, effect) == (f"secrets/{NAME}", "unlocks")
    assert set(fields) == {"user_access_key_id", "user_secret_key"}


def test_a_contested_field_is_mended_by_a_decision(tmp_path):
    """One decision for each contested field."""
    case = open_files(
        tmp_path,
        evidence(
            secrets=secrets(secret_key="some/other+secret/of+forty/characters/00", access_key_id="AKIASTRANGERKEYID234")
        ),
    )
    assert [what for what, _, _ in _only(case)] == ["a decision on user_access_key_id", "a decision on user_secret_key"]


def test_an_unfinished_signup_is_mended_by_the_customer(tmp_path):
    """No evidence helps: the customer's word does."""
    files = evidence(log=log(until="installing") + FAILURE.encode(), secrets=b"", results=None, servers=None)
    assert _only(open_files(tmp_path, files)) == [
        ("the customer's word that the signup should be finished", "unlocks", ())
    ]


def test_a_recoverable_account_may_be_bettered(tmp_path):
    """Without identities the files are safe, but a new furl must be sent: the secrets file would better that."""
    ((what, effect, fields),) = _only(open_files(tmp_path, evidence(secrets=None)))
    assert (what, effect) == (f"secrets/{NAME}", "betters")
    assert {"introducer_node_pem", "server_node_pem"} <= set(fields)


def test_what_unlocks_comes_before_what_betters():
    """Then by the number of accounts, then by name."""
    found = shopping_list(
        [
            account(account_id="lae-aaaa1111-" + SEED, storage_identity="ABSENT"),
            account(account_id="lae-bbbb2222-" + SEED, contested={"user_token"}),
            account(account_id="lae-cccc3333-" + SEED, contested={"user_token"}),
            account(account_id="lae-dddd4444-" + SEED, contested={"customer_email"}),
        ]
    )
    assert [(m.evidence, m.effect, len(m.accounts)) for m in found] == [
        ("a decision on user_token", "unlocks", 2),
        ("a decision on customer_email", "unlocks", 1),
        (f"secrets/lae-aaaa1111-{SEED}", "betters", 1),
    ]


def test_a_lost_account_counts_as_any_other():
    """What brings back one whom no file names stands behind what unlocks more."""
    word, log_ = (
        Mend(evidence=e, effect="unlocks", fields=(), accounts=a) for e, a in (("b", ("x", "y")), ("a", ("z",)))
    )
    assert most_useful_first([log_, word]) == [word, log_]


def test_one_piece_of_evidence_is_listed_once_with_all_its_accounts(tmp_path):
    """Two customers of a product that the config lost: one line, both accounts."""
    own = evidence(secrets=None, config=None, requests=None, results=None, servers=None)
    files = own | {path.replace(NAME, OTHER_NAME): as_another(data) for path, data in own.items()}
    listed = open_files(tmp_path, files).shopping_list()
    unlocking = listed[listed["effect"] == "unlocks"]
    assert list(unlocking["evidence"]) == [f"the product {CODE} in lae_automation_config.json"]
    assert unlocking["accounts"].iloc[0] == (f"lae-abcd0123-{OTHER_SEED}", BUCKET)
