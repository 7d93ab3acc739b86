"""What people see: everything escaped, no secret shown, each value with its witnesses."""

from __future__ import annotations

import re

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    EMAIL,
    HOST,
    LOG_FILE,
    NAME,
    OTHER_NODE,
    SEED,
    evidence,
    log,
    open_files,
    replacement,
    request,
    result,
    secrets,
)

from laeforensics.present import cards
from laeforensics.present.explanations import explain

EVIL = "%3Cscript%3Ealert(1)%3C/script%3E%1B%5B2J%E2%80%A8%00"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """One customer with a hostile name, a hostile line in the log, and a contested key."""
    hostile = log(installing=">Polishing <b>the server</b>\x1b[2J " + "A" * 30 + "\n")
    files = evidence(
        log=hostile,
        requests=request(name=EVIL),
        results=result(name=EVIL),
        secrets=secrets(access_key_id="AKIASTRANGERKEYID234"),
    )
    return open_files(tmp_path_factory.mktemp("display"), files)


def test_hostile_text_is_escaped_for_the_terminal(case):
    """Names and lines of a log hold no control character when they are printed."""
    text = str(case.explain(BUCKET)) + cards.card(case.judgement)
    assert "\x1b" not in text
    assert "\u2028" not in text
    assert "\\x1b" in text


def test_an_explanation_shows_each_witness_with_its_place(case):
    """The value, how many agree, and for each witness file, line, bytes, rule and how far it is believed."""
    explained = {field.name: field for field in case.explain(BUCKET).fields}
    host = explained["public_host"]
    assert host.value == HOST
    agree = sum(line.agrees and line.believed for line in host.lines)
    assert host.verdict == f"{agree} of {len(host.lines)} witnesses agree"
    assert {line.place.partition(":")[0] for line in host.lines} >= {LOG_FILE, f"secrets/{NAME}", "serverinfo.csv"}
    assert all(re.search(r":\d+ \[\d+:\d+\)$", line.place) for line in host.lines)


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"log": log("credentials", "poll", "bucket"), "secrets": None}, f"find secrets/{NAME}, for user_"),
        ({"config": None, "secrets": secrets(product_token=None)}, "in lae_automation_config.json, for product_token"),
    ],
)
def test_what_is_missing_is_told_with_the_file_that_has_it(files, wanted, tmp_path):
    """The explanation itself names it: nobody has to look for it on another screen."""
    told = open_files(tmp_path, evidence(**files)).explain(BUCKET)
    assert told.verdict == "INCOMPLETE"
    assert wanted in told.remedy


def test_a_field_without_a_witness_names_the_places_of_what_cannot_be_used(tmp_path):
    """Log and csv tell an address that is none: where, to the byte; of what is told nowhere, only that."""
    bad = b"<b>ann</b>@example.org"
    files = {name: data.replace(EMAIL.encode(), bad) for name, data in evidence(secrets=None).items()}
    told = {field.name: field.verdict for field in open_files(tmp_path, files).explain(BUCKET).fields}
    assert re.fullmatch(
        rf"no witness; what stands at {LOG_FILE}:\d+ \[\d+:\d+\).* cannot be used", told["customer_email"]
    )
    assert told["server_node_pem"] == "no witness"


def test_a_bucket_that_an_attempt_tells_is_not_called_made(tmp_path):
    """Its log told the name, and then that it could not be made."""
    failed = log(until="bucket") + b">S3 bucket creation failed.>\n"
    (attempt,) = open_files(tmp_path, evidence(log=failed, secrets=None, results=None, servers=None)).judgement.accounts
    assert attempt.is_attempt
    told = {field.name: field for field in explain(attempt).fields}["bucket_name"]
    assert told.value == BUCKET
    assert told.verdict.endswith("; nothing attests that it was made")


def test_an_address_that_is_very_long_is_shortened_in_the_head(tmp_path):
    """As in every other line for people; with its fields it stands as they do."""
    long = f"{'a' * 60}@{'b' * 60}.example"
    files = {name: data.replace(EMAIL.encode(), long.encode()) for name, data in evidence().items()}
    told = str(open_files(tmp_path, files).explain(BUCKET)).split("\n")[0]
    assert long not in told
    assert "…bbb.example" in told


def test_a_contested_field_is_shown_without_a_value(case):
    """Both witnesses are there, and no value is."""
    field = next(f for f in case.explain(BUCKET).fields if f.name == "user_access_key_id")
    assert field.value is None
    assert field.verdict.startswith("witnesses of equal standing disagree")
    assert {line.value for line in field.lines} == {ACCESS_KEY_ID, "AKIASTRANGERKEYID234"}


def test_verdict_and_grade_are_told_with_their_meaning(case):
    """The first lines say what is the matter and what to do next."""
    head = str(case.explain(BUCKET)).split("\n")[:4]
    assert head[0].split()[:3] == [BUCKET, EMAIL, "CONTESTED"]
    assert head[1].strip().startswith("CONTESTED: ")
    assert head[2].strip().startswith("next: ")
    assert head[3].strip().startswith("IDENTITY_KEPT: ")


def test_an_explanation_follows_an_auditors_questions(tmp_path):
    """Bucket, credentials, tokens, customer, furl, identities, and the lost server last."""
    names = [f.name for f in open_files(tmp_path, evidence()).explain(BUCKET).fields]
    asked = [
        "bucket_name",
        "user_secret_key",
        "product_token",
        "customer_email",
        "introducer_furl",
        "server_node_pem",
        "public_host",
    ]
    assert sorted(asked, key=names.index) == asked


@pytest.mark.parametrize(
    ("host", "name", "why"),
    [
        ("192.0.2.9", "public_host", "it is an older server's, and a later one counts"),
        ("192.0.2.9", "introducer_furl", "it is of another node than the one whose key is proved"),
    ],
)
def test_a_witness_that_nobody_doubts_tells_why_it_was_not_taken(host, name, why, tmp_path):
    """The older server's address lost against the later one's, its furl against a key: places say which."""
    later = f"pb://{OTHER_NODE.nodeid}@{host}:12345/introducer"
    files = evidence() | {f"signup_logs/2012-06-01T080000Z-{SEED}": replacement(host=host, furl=later)}
    explained = {field.name: field for field in open_files(tmp_path, files).explain(BUCKET).fields}
    others = [line for line in explained[name].lines if not line.agrees and line.believed]
    taken = [line.place for line in explained[name].lines if line.agrees]
    assert others
    assert all(any(f"not taken: {why} (because of {place})" in line.trust for place in taken) for line in others)
    told = [line.trust for field in explained.values() for line in field.lines if field.value and not line.agrees]
    assert all("not " in trust for trust in told)


def test_an_empty_cell_is_the_word_that_there_is_none(tmp_path):
    """The form asked for key information, and the customer left it empty: two witnesses, and nothing unbelievable."""
    told = {f.name: f.verdict for f in open_files(tmp_path, evidence()).explain(BUCKET).fields}
    assert told["customer_keyinfo"] == "2 of 2 witnesses tell that there is none"
