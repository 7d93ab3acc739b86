"""The golden tables: what the reader says of two folders, in a form that a human can check and a diff can show.

`python tests/golden/tables.py` writes evidence.txt anew, and mini.csv too where LAE_EVIDENCE names that folder.
Look at the difference before you keep it.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import laeforensics as lf
from laeforensics.evidence.names import start_of
from laeforensics.facts.fields import SIGNUP_FIELDS
from laerecover.manifest import Secret

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / "fixtures" / "evidence"
EVIDENCE, MINI = HERE / "evidence.txt", HERE / "mini.csv"
MINI_COLUMNS = ("seed", "role", "stage", "outcome", "verdict", "grade", "reason", "known")


def _fingerprint(value: Any) -> str:
    return (value if isinstance(value, Secret) else Secret(value)).fingerprint


def _words(row: dict[str, Any], *names: str) -> str:
    return "  ".join(str(row[name] or "-") for name in names)


def evidence_table(case: lf.Case) -> str:
    """Per log and per account a line of judgement, then a line for each value: its field and its fingerprint."""
    lines = []
    for row in case.signups.to_dict("records"):
        lines += [
            f"log {row['log_file']}",
            f"  {_words(row, 'role', 'stage', 'outcome')}",
            *_values(row),
            "",
        ]
    for row in case.audit.to_dict("records"):
        lines += [f"account {row['account_id']}", f"  {_words(row, 'verdict', 'grade')}"]
        lines += [f"  introducer {row['introducer_identity'] or '-'}  storage {row['storage_identity'] or '-'}"]
        lines += [f"  {code}" for code in row["blocking"]] + [f"  {line}" for line in row["history"]]
        lines += [*_values(row), ""]
    return "\n".join(lines)


def _values(row: dict[str, Any]) -> Iterator[str]:
    for name in SIGNUP_FIELDS:
        if row[name] is not None:
            yield f"    {name:<22} {_fingerprint(row[name])}"


def mini_table(case: lf.Case) -> str:
    """One row per log: the first characters of its name's seed, its judgement, why, and which fields are known.

    No value of the folder is in it.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, MINI_COLUMNS, lineterminator="\n")
    writer.writeheader()
    account_of = {s.name: a for a in case.judgement.accounts for s in a.signups}
    audited = {row["account_id"]: row for row in case.audit.to_dict("records")}
    for row in case.signups.to_dict("records"):
        account = audited[account_of[row["log_file"]].account_id]
        writer.writerow(
            {
                **{name: row[name] for name in ("role", "stage", "outcome")},
                **{name: account[name] or "" for name in ("verdict", "grade")},
                "seed": (start_of(row["log_file"]) or ("", "no seed"))[1][:8],
                "reason": _reason(account),
                "known": " ".join(name for name in SIGNUP_FIELDS if row[name] is not None),
            }
        )
    return text.getvalue()


def _reason(account: dict[str, Any]) -> str:
    if account["introducer_identity"] is None:
        return "no attested bucket"
    identities = f"introducer {account['introducer_identity']}, storage {account['storage_identity']}"
    return ", ".join([*account["blocking"], identities])


def main() -> None:
    """Write the tables anew."""
    EVIDENCE.write_text(evidence_table(lf.open_case(FIXTURES)), encoding="utf-8")
    folder = os.environ.get("LAE_EVIDENCE")
    if folder:
        MINI.write_text(mini_table(lf.open_case(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
