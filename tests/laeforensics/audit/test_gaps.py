"""What the evidence lacks: kinds of which there is no file at all."""

from __future__ import annotations

import pytest
from makings import (
    BUCKET,
    FAILURE,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    OTHER_SEED,
    SEED,
    as_another,
    evidence,
    log,
    open_files,
    secrets,
)

from laeforensics.present.cards import card
from laeforensics.present.pages import write_page

KINDS = {
    "log": "signup_logs",
    "secrets": "secrets",
    "config": "lae_automation_config.json",
    "requests": "activation_requests.csv",
    "results": "signups.csv",
}


def _told(case) -> list[str]:
    found = case.findings
    return sorted(found[found["code"] == "missing-evidence"]["signup"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_which_there_is_no_file_is_told(kind, tmp_path):
    """As a finding, and beside the headline of card and page."""
    case = open_files(tmp_path, evidence(**{kind: None}))
    assert _told(case) == [KINDS[kind]]
    words = f"s far as this evidence tells: it has no {KINDS[kind]}"
    assert f"  a{words}" in card(case.judgement).splitlines()
    write_page(case.judgement, tmp_path / "audit.html")
    assert f"A{words}." in (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert f"a{words}" in case._repr_html_()


def test_a_folder_that_has_all_kinds_lacks_none(tmp_path):
    """Nor does the card say so."""
    case = open_files(tmp_path, evidence())
    assert _told(case) == []
    assert "as far as" not in card(case.judgement)


def test_secrets_files_and_config_alone_are_a_part(tmp_path):
    """What was lost with the rest is told as what would complete the accounts that are there."""
    case = open_files(tmp_path, evidence(log=None, requests=None, results=None, servers=None))
    assert _told(case) == ["activation_requests.csv", "signup_logs", "signups.csv"]
    (row,) = case.audit.to_dict("records")
    assert (row["account_id"], row["verdict"]) == (BUCKET, "RECOVERABLE")
    wanted = case.shopping_list().to_dict("records")
    assert [(each["evidence"], each["effect"], each["accounts"]) for each in wanted] == [
        ("activation_requests.csv", "completes", (BUCKET,)),
        ("signup_logs", "completes", (BUCKET,)),
    ]
    assert wanted[1]["fields"] == ("customer_email", "instance_id", "launch_time")


def test_the_log_of_an_s4_folder_is_none_of_the_devpay_years(tmp_path):
    """It tells of nobody but its own customer."""
    files = evidence(log=None)
    files["secrets/S4_plan/2014-06-01T000000Z-on2wex2k-mn2xgx2s/signup_logs"] = b">Automation script started.>\n"
    assert _told(open_files(tmp_path, files)) == ["signup_logs"]


def test_where_no_account_is_of_the_devpay_years_neither_csv_nor_products_are_missed(tmp_path):
    """The program of the S4 years wrote no rows, and sold no product with a token."""
    files = {"secrets/S4_plan/2014-06-01T000000Z-on2wex2k-mn2xgx2s/signup_logs": b">Automation script started.>\n"}
    assert _told(open_files(tmp_path, files)) == ["secrets"]


def test_a_file_of_which_nothing_can_be_read_is_not_missing(tmp_path):
    """It is there; other findings say what is wrong with it."""
    assert _told(open_files(tmp_path, evidence(results=b"\n"))) == []


OTHER_BUCKET = BUCKET.replace(SEED, OTHER_SEED)
FAILED = log(until="bucket") + FAILURE.encode()


def _without_account(case) -> dict[str, set[str]]:
    """By file: the buckets that are named and no account's."""
    found = case.findings[case.findings["code"] == "bucket-without-account"]
    assert set(found["severity"]) <= {"blocking"}
    said = zip(found["signup"], found["message"], strict=True)
    return {file: {name for name in (BUCKET, OTHER_BUCKET) if name in message} for file, message in said}


UNHEARD = {
    "an empty line behind each": lambda data: data.replace(b"\n", b"\n\n"),
    "curly quotes": lambda data: data.replace(b"'", "\u2019".encode()),
    "colours at the ends of lines": lambda data: data.replace(b"\n", b"\x1b[0m\n"),
    "no digits": lambda data: data.translate(None, b"6789"),
}


@pytest.mark.parametrize("how", UNHEARD)
def test_a_log_that_was_not_understood_loses_nobody_without_a_word(how, tmp_path):
    """Its bucket has an account, or is named as one that has none."""
    case = open_files(tmp_path, evidence(log=UNHEARD[how](log()), secrets=None))
    assert BUCKET in set(case.audit["account_id"]) or _without_account(case) == {LOG_FILE: {BUCKET}}


def test_a_log_of_another_under_a_third_ones_name_loses_nobody(tmp_path):
    """Two whole logs, the second under the name of the first: whoever has no row is named."""
    case = open_files(tmp_path, {LOG_FILE: log() + as_another(log()), **evidence(log=None, secrets=None)})
    there = set(case.audit["account_id"])
    assert {BUCKET, OTHER_BUCKET} - there == set().union(*_without_account(case).values())
    assert OTHER_BUCKET not in there


def test_two_secrets_files_in_one_piece_lose_nobody(tmp_path):
    """What a rescue carved with zeros between them, nobody's name on it."""
    carved = secrets() + bytes(2048) + as_another(secrets())
    case = open_files(tmp_path, {"carved/f0000001": carved, **evidence(log=None, secrets=None)})
    there = set(case.audit["account_id"])
    assert {BUCKET, OTHER_BUCKET} - there <= set().union(*_without_account(case).values())


def test_a_damaged_secrets_file_that_names_nobody_who_is_there_blocks(tmp_path):
    """The account is none, for its bucket was cut off: the file is evidence that was not read."""
    data = secrets()
    case = open_files(tmp_path, evidence(log=None, secrets=data[: data.index(b'"bucket_name"')]))
    assert case.audit.empty
    found = case.findings
    assert set(found[found["signup"] == f"secrets/{NAME}"]["severity"]) >= {"blocking"}


def test_buckets_of_accounts_and_of_told_failures_are_none(tmp_path):
    """Nor is one that differs from an account's in a character."""
    near = log().replace(BUCKET.encode(), BUCKET.replace("invented", "invanted", 1).encode(), 1)
    case = open_files(tmp_path, {**evidence(log=near), f"signup_logs/{OTHER_NAME}": as_another(FAILED)})
    assert _without_account(case) == {}
    assert OTHER_BUCKET.encode() in as_another(FAILED)
    assert "ABANDONED" in set(case.audit["verdict"])


def test_a_bucket_that_was_made_is_named_by_its_log_where_its_name_is_lost(tmp_path):
    """Whether the run failed later or not; but not where a run that failed before had none."""
    lost = bytes(len(BUCKET))
    for data in (log(), log(until="created"), log(until="created") + FAILURE.encode()):
        case = open_files(tmp_path, evidence(log=data.replace(BUCKET.encode(), lost), secrets=None))
        assert _without_account(case) == {LOG_FILE: set()}
        assert "unknown-end" not in set(case.findings["code"])
    case = open_files(tmp_path, evidence(log=log(until="activation") + FAILURE.encode(), secrets=None))
    assert _without_account(case) == {}


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "utf-16-le"])
def test_a_bucket_in_wide_characters_is_found_where_nothing_is_understood(codec, tmp_path):
    """A log of which an editor left notes alone: whom they name is told, with the bytes."""
    text = f"a note\nof {OTHER_BUCKET} somebody wrote\n"
    path = "signup_logs/notes-of-somebody"
    case = open_files(tmp_path, evidence() | {path: text.encode(codec)})
    found = case.findings[case.findings.code == "bucket-without-account"]
    assert list(found.signup) == [path]
    (place,) = next(f for f in case.judgement.findings if f.code == "bucket-without-account").locators
    data = (case.root / path).read_bytes()[place.start : place.end]
    assert data.decode("utf-16-be" if data.startswith(b"\0") else "utf-16-le") == OTHER_BUCKET
    assert place.line == 2


def test_a_log_that_goes_on_is_not_said_to_stop(tmp_path):
    """Its bucket's name is damaged in each print: headline, explanation and finding say what stands there."""
    whole = log().replace(BUCKET.encode(), b"lae-!!!!!")
    case = open_files(tmp_path, {LOG_FILE: whole})
    (end,) = [f for f in case.judgement.findings if f.code == "bucket-without-account"]
    assert "it goes on behind the making of its bucket" in end.message
    told = str(case.explain(f"attempt:{SEED}")).splitlines()[1]
    assert "nothing that is believed attests a bucket (but at signup_logs/" in told
    assert "(of 1 a log tells a bucket, and is not believed)" in card(case.judgement)


def test_an_attempt_that_failed_has_no_bucket_that_is_not_believed(tmp_path):
    """What its program printed before it failed is no doubt about the verdict."""
    case = open_files(tmp_path, {LOG_FILE: log(until="activation") + FAILURE.encode()})
    assert "(but at" not in str(case.explain(f"attempt:{SEED}"))
    assert "is not believed)" not in card(case.judgement)


def test_a_secrets_file_of_its_own_name_is_not_called_misnamed(tmp_path):
    """A log without a name is joined to the secrets file that bears its bucket's seed: that one has the right name."""
    files = {path.replace(LOG_FILE, "recup_dir.1/f0001.txt"): data for path, data in evidence().items()}
    case = open_files(tmp_path, files)
    assert "misnamed-secrets" not in set(case.findings.code)
    assert "secrets/" in " ".join(map(str, case.facts.evidence))
