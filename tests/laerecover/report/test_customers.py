"""All customers as a csv file."""

from __future__ import annotations

import csv
import stat

import pytest

from laerecover.report.customers import COLUMNS, write_customers
from laerecover.report.written import report

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def test_all_customers_stand_in_it_and_what_to_say_to_each(operator, make_account, tmp_path):
    """Recovered or not, each has a row and something to say.

    No secret is there, nothing that a program would carry out.
    """
    kept, hostile = make_account(0), make_account(1, customer_name='=cmd|"/c calc"!A1', customer_email_confirmed=False)
    lacking = make_account(2, verdict="INCOMPLETE", grade=None, missing=("user_secret_key",), user_secret_key=None)
    closed = make_account(3, verdict="CLOSED", grade=None)
    unsure = make_account(4, verdict="CONTESTED", grade=None, blocking=("contested:product_token",))
    new = make_account(5, grade="NEW_STORAGE_IDENTITY", decisions=("finish: the signup should be finished, says C",))
    everyone = (kept, hostile, lacking, closed, unsure, new)
    someone = operator(*everyone)
    someone.run(mail="send", concurrency=1)
    path = tmp_path / "customers.csv"
    made = report(someone.options(), someone.worlds)[1]
    assert write_customers(path, someone.options().places.read(), made) == len(everyone)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "canary" not in text
    assert "pb://" not in text
    with path.open(newline="") as file:
        rows = {row["account"]: row for row in csv.DictReader(file)}
    assert list(rows[kept.account_id]) == list(COLUMNS)
    assert len(rows) == len(everyone)
    assert rows[kept.account_id]["outcome"] == "recovered"
    assert rows[kept.account_id]["say"] == "Your server is back. What you have to do: take the new address."
    told = "Your signup is finished: your server is ready. What you have to do: take the furl of a new service; "
    assert rows[new.account_id]["say"] == f"{told}nothing was there before."
    assert rows[kept.account_id]["mail"] == "sent, to the customer"
    assert rows[hostile.account_id]["name"].startswith("'=")
    assert rows[hostile.account_id]["email_is_sure"] == "no"
    assert "(user secret key)" in rows[lacking.account_id]["say"]
    assert rows[closed.account_id]["say"] == "Nothing: this customer has left."
    assert rows[unsure.account_id]["say"].startswith("We cannot recover your server yet")
    assert all(row["say"] for row in rows.values())
