"""The tables of a case as text: what a human can check and a difference can show. Secrets are fingerprints.

Of a folder of real logs no value is written down, but digests. They are salted with the hashes of the folder's own
files, so that only who holds the folder can compare anything with them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doors import Secret

if TYPE_CHECKING:
    import pandas as pd

    import laeforensics as lf

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
TABLES = ("signups", "audit", "findings", "facts", "residue")
JUDGEMENT_COLUMNS = ("seed", "role", "stage", "outcome", "verdict", "grade", "reason", "known")
FACT_COLUMNS = ("signup", "field", "evidence", "line", "start", "end", "rule", "dialect", "channel", "digest")
_OF_A_LOG = ("log_file", "dialect", "role", "stage", "outcome")
# The time and the seed by which a log, and the secrets file of the same signup, are called.
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z-([a-z2-7]{8})[^/]*")


def table(case: lf.Case, name: str) -> list[dict[str, Any]]:
    """The rows of one of TABLES."""
    rows: list[dict[str, Any]] = getattr(case, name).to_dict("records")
    return rows


def shown(value: Any) -> str:
    """A cell: text in quotes, so that blanks and control characters can be seen; secrets as their fingerprint."""
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    return repr(value)


def paragraphs(rows: Iterable[Mapping[str, Any]]) -> str:
    """Each row a paragraph, each cell a line. None is left out; the members of a tuple stand below each other."""
    lines: list[str] = []
    for row in rows:
        for name, value in row.items():
            members = list(value) if isinstance(value, tuple | list) else [value]
            lines += [f"{name:<22} {shown(member)}" for member in members if member is not None]
        lines.append("")
    return "\n".join(lines)


def columns(case: lf.Case) -> str:
    """Every column of every table, in order: its dtype, and the types of what stands in it."""
    lines: list[str] = []
    for name in TABLES:
        frame: pd.DataFrame = getattr(case, name)
        lines.append(f"case.{name}")
        for column in frame.columns:
            kinds = sorted({type(value).__name__.replace("NoneType", "None") for value in frame[column]})
            lines.append(f"  {column:<22} {frame[column].dtype}  {' or '.join(kinds)}")
        lines.append("")
    return "\n".join(lines)


def facts(case: lf.Case) -> str:
    """Per signup its facts: field, value, place (`=` is the signup's own log), rule, channel.

    The hashes are left out.
    """
    lines: list[str] = []
    for (signup, dialect), rows in groupby(table(case, "facts"), key=lambda row: (row["signup"], row["dialect"])):
        lines.append(f"{signup}  {dialect}")
        for row in rows:
            file = "=" if row["evidence"] == signup else row["evidence"]
            place = f"{file}:{row['line']} [{row['start']}:{row['end']})"
            lines.append(f"  {row['field']}  {shown(row['value'])}  {place}  {row['rule']}  {row['channel']}")
        lines.append("")
    return "\n".join(lines)


def seed_of(name: str) -> str:
    """The first characters of the seed in a log's name."""
    found = _STAMP.search(name)
    return found[1] if found else "no seed"


def judgements(case: lf.Case) -> str:
    """One row per log: the first characters of its name's seed, its judgement, why, and which fields are known."""
    audited = {row["log_file"]: row for row in table(case, "audit")}
    return _csv(JUDGEMENT_COLUMNS, (_judgement(row, audited[row["log_file"]]) for row in table(case, "signups")))


def _judgement(log: Mapping[str, Any], account: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: log[name] for name in ("role", "stage", "outcome")},
        **{name: account[name] or "" for name in ("verdict", "grade")},
        "seed": seed_of(log["log_file"]),
        "reason": _reason(account),
        "known": " ".join(name for name, value in log.items() if name not in _OF_A_LOG and value is not None),
    }


def _reason(account: Mapping[str, Any]) -> str:
    if account["introducer_identity"] is None:
        return "no attested bucket"
    identities = f"introducer {account['introducer_identity']}, storage {account['storage_identity']}"
    return ", ".join([*account["blocking"], identities])


def row_digests(case: lf.Case) -> str:
    """Every row of every table but the facts, in order: the table's name, and a salted digest of all its cells."""
    salt = _salt(case)
    rows = ((name, row) for name in TABLES if name != "facts" for row in table(case, name))
    return _csv(("table", "digest"), ({"table": name, "digest": _digest(row, salt)} for name, row in rows))


def fact_digests(case: lf.Case) -> str:
    """Every fact with its place (`=` is the signup's own log), rule, channel, and a salted digest of all its cells."""
    salt = _salt(case)
    return _csv(FACT_COLUMNS, (_fact_digest(row, salt) for row in table(case, "facts")))


def _fact_digest(row: Mapping[str, Any], salt: bytes) -> dict[str, Any]:
    kept = {name: row[name] for name in FACT_COLUMNS if name != "digest"}
    signup, evidence = (_STAMP.sub(r"\1", row[name]) for name in ("signup", "evidence"))
    names = {"signup": seed_of(row["signup"]), "evidence": "=" if evidence == signup else evidence}
    return {**kept, **names, "digest": _digest(row, salt)}


def _salt(case: lf.Case) -> bytes:
    return hashlib.sha256("".join(sorted(set(case.facts["sha256"]))).encode("ascii")).digest()


def _digest(row: Mapping[str, Any], salt: bytes) -> str:
    text = json.dumps({name: plain(value) for name, value in row.items()})
    return hashlib.blake2b(text.encode("utf-8"), digest_size=6, key=salt).hexdigest()


def plain(value: Any) -> Any:
    """A cell as JSON may hold it: a secret is its fingerprint."""
    return str(value) if isinstance(value, Secret) else value


def _csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_csv(text: str) -> Iterator[dict[str, str]]:
    """The rows of a golden table."""
    return csv.DictReader(io.StringIO(text))
