"""`timeline`, as typed: one account from its request to its last server."""

from __future__ import annotations

import json

from makings import BUCKET, EMAIL, HOST, INSTANCE, OTHER_NAME, SECRET_KEY, evidence, replacement
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
    assert out.startswith(f"{BUCKET}  {EMAIL} invent\n")
    assert "2012-03-20 10:15:00  signup began" in out
    assert SECRET_KEY not in out
