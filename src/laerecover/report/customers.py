"""All customers of a manifest as a csv file: what became of each, what can be said to them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from laerecover.manifest import Account, Manifest
from laerecover.planning.plan import UNREACHABLE
from laerecover.report.outcomes import AccountOutcome
from laerecover.report.report import Report
from laerecover.text import clean
from laerecover.writing import write_atomically

COLUMNS = ("account", "name", "email", "email_is_sure", "outcome", "mail", "why", "say")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_SAY = {
    "recovered": "Your server is back.",
    "finished": "Your signup is finished: your server is ready.",
    "failed": "Your server is not back yet; we are working on it, and your data are untouched.",
    "on its way": "Your server is being recovered right now.",
    "not started": "Your server will be recovered; its turn has not come yet.",
    "left out": "Your server will be recovered; its turn has not come yet.",
}
_BLOCKED = (
    "We cannot recover your server yet: something that it needs is not known or not sure. Your data are untouched."
)
_UNREACHABLE = (
    "Your bucket does not open with the keys that we have. If you still have it, please tell us an access key and "
    "secret key that can list it, by telephone or encrypted, never in a plain mail."
)
_LACKING = (
    "We have lost a part of what your server needs ({}). If you have kept it, please tell us, and do not mail it in "
    "the clear."
)
_CLOSED = "Nothing: this customer has left."


def write_customers(path: Path, manifest: Manifest, report: Report) -> int:
    """Write the file, readable for its owner alone; how many rows. No secret is in it, and no cell is a formula."""
    rows = {row.account_id: row for row in report.accounts}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for account in manifest.accounts:
        writer.writerow([_cell(value) for value in _row(account, rows[account.account_id])])
    write_atomically(path, text.getvalue().encode())
    return len(manifest.accounts)


def _row(account: Account, row: AccountOutcome) -> tuple[str, ...]:
    sure = "yes" if account.customer_email and account.customer_email_confirmed else "no"
    mail = f"{row.mail}, to the {row.mail_to}" if row.mail else ""
    known = (account.account_id, account.customer_name or "", account.customer_email or "", sure)
    return (*known, row.outcome, mail, row.why, _say(account, row))


def _say(account: Account, row: AccountOutcome) -> str:
    if account.verdict == "CLOSED":
        return _CLOSED
    if row.outcome == "recovered":
        back, todo = _SAY["finished" if account.finishes_signup else "recovered"], row.customer_does
        return f"{back} What you have to do: {todo}." if todo else back
    if row.outcome != "blocked":
        return _SAY.get(row.outcome, _SAY["failed"])
    if row.why.startswith(UNREACHABLE):
        return _UNREACHABLE
    return _LACKING.format(", ".join(account.missing).replace("_", " ")) if account.missing else _BLOCKED


def _cell(value: str) -> str:
    """Names are the customers' own, and programs take what begins so for a formula."""
    shown = clean(value)
    return f"'{shown}" if shown.startswith(_FORMULAS) else shown
