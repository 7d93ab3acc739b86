"""What the HOWTO asks is answered on docs/traceability.md, and each answer is what the evidence says."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pandas as pd

import laeforensics as lf
from laeforensics.facts.buckets import product_code_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "traceability.md").read_text("utf-8")
QUESTIONS = ("instancename", "privatehost", "producttoken", "UserToken", "one per signup")


@cache
def case() -> lf.Case:
    return lf.open_case(ROOT / "fixtures" / "evidence")


def believed(field: str) -> pd.DataFrame:
    told = case().facts[case().facts.field == field]
    return told[~told.channel.isin(["remote", "stray", "error", "foreign", "damaged"])]


def rows() -> list[tuple[str, str, list[str]]]:
    """Question, answer and tests of each row of the table."""
    section = PAGE.partition("## The HOWTO's own questions, answered\n")[2].partition("\n## ")[0]
    found = []
    for line in section.split("\n"):
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] not in ("question", "---"):
            found.append((cells[0], cells[1], re.findall(r"`([^`]+)`", cells[2])))
    return found


def test_every_question_has_its_answer_and_its_test():
    """In the HOWTO's order; each test that a row names is there."""
    assert [next(word for word in QUESTIONS if word in question) for question, _, _ in rows()] == list(QUESTIONS)
    for _, answer, tests in rows():
        assert len(answer) > 40
        assert tests
        for name in tests:
            path, _, test = name.partition("::")
            assert f"def {test}(" in (ROOT / "tests" / path).read_text("utf-8"), name


def test_the_instance_name_is_the_address_and_no_name():
    """`instance_name =` gives addresses; names come of the csv files, and the two are never alike."""
    printed = case().facts[(case().facts.rule == "deployment") & (case().facts.field == "customer_email")]
    assert len(printed) > 0
    assert printed.value.str.contains("@").all()
    names = case().facts[case().facts.field == "customer_name"]
    assert set(names.rule) == {"csv"}
    assert set(names.value) & set(printed.value) == set()


def test_privatehost_is_empty_at_the_launch_alone():
    """No dump tells one; secrets files do."""
    dumps = [path.read_bytes() for path in (ROOT / "fixtures/evidence/signup_logs").iterdir()]
    assert sum(b"  private_dns_name = ''\n" in data for data in dumps) > 5
    assert not any(re.search(rb"  private_dns_name = '[^']", data) for data in dumps)
    assert len(believed("private_host").rule[lambda rule: rule.str.startswith("secrets ")]) > 5


def test_the_product_token_is_found_by_product_code():
    """Where the config gives it, the bucket's code is the product's; no customer's access key stands there."""
    config = case().facts[(case().facts.field == "product_token") & case().facts.rule.str.startswith("config")]
    assert len(config) > 0
    for account in case().judgement.accounts:
        code, told = product_code_of(account.account_id), account.witnesses.get("product_token", ())
        for fact in told:
            if code and fact.rule.startswith("config"):
                products = case().judgement.reading.sources.products[code]
                assert fact.value in {product.token.value for product in products}
    offered = (ROOT / "fixtures/evidence/lae_automation_config.json").read_text("utf-8")
    assert [key for key in believed("user_access_key_id").value if key in offered] == []


def test_user_token_is_how_the_values_begin():
    """The word stands in no log but at the beginning of values."""
    tokens = believed("user_token")
    assert len(tokens) > 5
    assert all(token.reveal().startswith("{UserToken}") for token in tokens.value)
    for path in (ROOT / "fixtures/evidence/signup_logs").iterdir():
        data = path.read_bytes()
        assert data.count(b"UserToken") == data.count(b"{UserToken}")
        assert b"usertoken = " in data or b"UserToken" not in data or b"s3usertoken" in data


def test_logs_are_not_one_per_signup():
    """Among the logs are attempts, replacements and re-records; one account has none, and one request never had."""
    roles = set(case().signups.role)
    assert {"origin", "attempt", "replacement", "re-record"} <= roles
    accounts = [a for a in case().judgement.accounts if not a.is_attempt]
    assert any(all(signup.log is None for signup in account.signups) for account in accounts)
    assert len(case().judgement.joined) > len(accounts)
    requests = (ROOT / "fixtures/evidence/activation_requests.csv").read_text("utf-8").count("\n")
    assert requests > len(case().judgement.joined)
