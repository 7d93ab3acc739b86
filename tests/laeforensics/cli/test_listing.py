"""`list`, as typed: which accounts are contested, which lack a field, for people, spreadsheets, programs."""

from __future__ import annotations

import csv
import io
import json

import pytest
from makings import BUCKET, EMAIL, SECRET_KEY, evidence, is_three_lines, secrets
from packings import write

from laeforensics.audit.selection import NAMES

OTHER_KEY = "another0secret+key/of+forty/characters/0"


@pytest.fixture
def contested(folder):
    write(folder / "evidence", evidence(secrets=secrets(secret_key=OTHER_KEY)))


@pytest.mark.usefixtures("contested")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), 1),
        (("--verdict", "contested"), 1),
        (("--where", "contested=user_*"), 1),
        (("--where", "contested=product_token"), 0),
        (("--missing", "user_secret_key"), 0),
        (("--where", "missing="), 1),
        (("--where", "verdict!=CONTESTED"), 0),
        (("--where", f"customer_email={EMAIL}", "--where", "grade=IDENTITY_KEPT"), 1),
        (("--where", f"customer_email={EMAIL}", "--where", "server=GONE"), 0),
    ],
)
def test_accounts_are_picked_by_what_holds_of_them(words, found, typed):
    """One line each on stdout, their number on stderr."""
    code, out, err = typed("list", "evidence", *words)
    told, *more = err.splitlines()
    assert (code, out.count("\n"), told) == (0, found, f"{found} of 1 accounts and attempts")
    decide = f"decide: laeforensics decide evidence {BUCKET} user_secret_key --witness N --because WHY"
    assert more[1:] == [decide] * found
    if found:
        assert out.startswith(BUCKET) and "CONTESTED" in out and "witnesses disagree on user_secret_key" in out
        assert f"{EMAIL} invent" in out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("condition", ["nonsense=1", "contested", "user_secret_key=x", ""])
def test_what_is_no_condition_is_refused_with_those_that_there_are(condition, typed):
    """Of secrets nobody asks by value."""
    code, _, err = typed("list", "evidence", "--where", condition)
    assert code == 2
    assert is_three_lines(err)
    assert "contested, decided" in err
    assert "user_secret_key" not in NAMES


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--verdict", "BAD"), "CONTESTED"),
        (("--verdict", "B*"), "CONTESTED"),
        (("--missing", "user_secret"), "user_secret_key"),
        (("--where", "contested=producttoken"), "product_token"),
        (("--where", "server=lost"), "GONE"),
        (("--missing", "instance_id"), "--where instance_id="),
        (("--where", "customer_mail=x"), "did you mean customer_email=x?"),
        (("--verdict", "contestd"), "did you mean CONTESTED?"),
        (("--where", "grade!=new"), "NEW_FURL"),
    ],
)
def test_what_no_account_can_be_is_refused_with_what_they_can(words, said, typed):
    """A slip would find nothing, and look like an answer."""
    code, out, err = typed("list", "evidence", *words)
    assert (code, out) == (2, "")
    assert is_three_lines(err)
    assert said in err.splitlines()[-1]


def test_csv_runs_no_formula(folder, typed):
    """What a spreadsheet would calculate begins with an apostrophe; what is listed is what --json lists."""
    mail = "=cmd@example.org"
    told = {name: data.replace(EMAIL.encode(), mail.encode()) for name, data in evidence().items()}
    write(folder / "evidence", told)
    _, out, _ = typed("list", "evidence", "--csv")
    (row,) = csv.DictReader(io.StringIO(out))
    _, out, _ = typed("list", "evidence", "--json")
    (same,) = json.loads(out)
    assert (same["account_id"], same["customer_email"]) == (row["account_id"], mail)
    assert row["customer_email"] == f"'{mail}"
    assert SECRET_KEY not in out
