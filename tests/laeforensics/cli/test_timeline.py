"""`timeline`, as typed: one account from its request to its last server."""

from __future__ import annotations

import json

from makings import BUCKET, EMAIL, FAILURE, HOST, INSTANCE, OTHER_NAME, SECRET_KEY, evidence, log, replacement
from packings import write


def test_a_customers_story_is_told_in_its_order(folder, typed):
    """Request, run, launch, rows, then the replacement of the server; each with its place."""
    write(folder / "evidence", {f"signup_logs/{OTHER_NAME}": replacement()})
    code, out, _ = typed("timeline", "evidence", EMAIL, "--json")
    told = json.loads(out)
    assert (code, told["account_id"]) == (0, BUCKET)
    rows = told["timeline"]
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    what = [row["what"] for row in rows]
    assert {"request sent", "signup began", "server launched", "server recorded", "run recorded"} <= set(what)
    assert what.index("replacement began") > what.index("run recorded")
    launched = next(row for row in rows if row["what"] == "server launched")
    assert launched["detail"] == f"{INSTANCE} at {HOST}"
    assert all(row["place"] for row in rows)


def test_it_reads_as_lines(folder, typed):
    """A line each, for an account that is named by the beginning of its address."""
    write(folder / "evidence", evidence())
    code, out, _ = typed("timeline", "evidence", "ann@ex")
    assert code == 0
    assert out.startswith(f"{BUCKET}  {EMAIL} invent\ntimes are UTC\n")
    assert "2012-03-20 10:15:00  signup began" in out
    assert SECRET_KEY not in out


def test_earlier_attempts_of_the_same_customer_are_told(folder, typed):
    """Under the account, and the account under the attempt; of very many the first, and how one sees the others."""
    attempt = {f"signup_logs/2012-01-01T0900{n:02}Z-{'attempt' * 4}{n:04}": log(until="activation") for n in range(2)}
    write(folder / "evidence", attempt)
    rows = json.loads(typed("timeline", "evidence", BUCKET, "--json")[1])["timeline"]
    others = [row for row in rows if row["what"] == "other attempt"]
    assert [row["place"] for row in others] == sorted(attempt)
    assert rows[:2] == others
    assert "ABANDONED" in others[0]["detail"]
    told = others[0]["detail"].partition(" ")[0]
    rows = json.loads(typed("timeline", "evidence", told, "--json")[1])["timeline"]
    assert any(row["what"] == "other account" and row["detail"].startswith(BUCKET) for row in rows)


def test_of_an_earlier_attempt_is_told_how_far_it_came_and_why_it_failed(folder, typed):
    """As under the attempt itself: nobody has to ask a second time."""
    name = f"signup_logs/2012-01-01T090000Z-{'attempt' * 4}0000"
    write(folder / "evidence", {name: log(until="activation") + FAILURE.encode()})
    (other,) = (line for line in typed("timeline", "evidence", BUCKET)[1].splitlines() if "other attempt" in line)
    (own,) = (line for line in typed("timeline", "evidence", name[12:])[1].splitlines() if "attempt began" in line)
    told = own.partition("attempt began")[2].strip()
    assert told.startswith("failed, came to activating: Failure instance")
    assert told in other


def test_of_very_many_attempts_the_first_are_told(folder, typed):
    """A thousand under one address each would tell a thousand."""
    many = {f"signup_logs/2012-01-01T09{n:04}Z-{'attempt' * 4}{n:04}": log(until="activation") for n in range(25)}
    write(folder / "evidence", many)
    out = typed("timeline", "evidence", BUCKET)[1]
    assert out.count("other attempt") == 20
    assert f"5 more runs under this address: laeforensics list EVIDENCE --where customer_email={EMAIL}" in out


def test_an_address_is_one_word_of_the_command_that_is_told(folder, typed):
    """Letters that a shell would carry out may stand before the @."""
    many = {f"signup_logs/2012-01-01T09{n:04}Z-{'attempt' * 4}{n:04}": log(until="activation") for n in range(25)}
    write(folder / "evidence", many)
    for path in (folder / "evidence").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(EMAIL.encode(), b"a`id`$HOME@example.org"))
    assert "--where 'customer_email=a`id`$HOME@example.org'" in typed("timeline", "evidence", BUCKET)[1]


def test_an_address_that_is_very_long_is_shortened(folder, typed):
    """In head and rows; machines get it whole."""
    long = f"{'a' * 60}@{'b' * 60}.example"
    write(folder / "evidence", {n: d.replace(EMAIL.encode(), long.encode()) for n, d in evidence().items()})
    assert long not in typed("timeline", "evidence", BUCKET)[1]
    assert long in typed("timeline", "evidence", BUCKET, "--json")[1]
