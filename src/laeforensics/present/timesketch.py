"""What happened to the accounts as events that Timesketch imports: csv, or one JSON object a line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from laeforensics.audit import rules
from laeforensics.audit.judgement import Judgement
from laeforensics.errors import ExtractionError
from laeforensics.facts.masking import plain
from laeforensics.present.timeline import timeline
from laeforensics.present.words import cell
from laeforensics.writing import write_whole

COLUMNS = (
    "message",
    "datetime",
    "timestamp",
    "timestamp_desc",
    "account_id",
    "customer_email",
    "verdict",
    "grade",
    "instance_id",
    "place",
)
"""The first four are what Timesketch needs; `timestamp` counts microseconds since 1970."""


def check(output: Path, key_file: Path | None) -> None:
    """Refuse what Timesketch cannot read. Raises ExtractionError."""
    if output.suffix not in (".csv", ".jsonl"):
        raise ExtractionError(
            "Timesketch imports .csv or .jsonl", where=str(output), next_step="give --output one of these suffixes"
        )
    if key_file is not None:
        raise ExtractionError(
            "what goes to Timesketch never holds secrets", where=f"--key-file {key_file}", next_step="leave it out"
        )


def events(judgement: Judgement) -> Iterator[dict[str, str | int]]:
    """One event (of COLUMNS) for each thing of which a time is told, account by account.

    All times are written alike, in UTC: Timesketch drops what it does not read as the first. No secret is in them.
    """
    for account in judgement.accounts:
        grade = rules.grade(account)
        about = {
            "account_id": plain(account.account_id),
            "customer_email": plain(account.values.get("customer_email") or ""),
            "verdict": rules.verdict(account).name,
            "grade": grade.name if grade else "",
            "instance_id": plain(account.values.get("instance_id") or ""),
        }
        for row in timeline(judgement, account):
            if (at := _time(row["time"])) is not None:
                message = f"{row['what']}: {row['detail']}" if row["detail"] else row["what"]
                yield {
                    "message": message,
                    "datetime": at.isoformat(timespec="microseconds"),
                    "timestamp": int(at.timestamp()) * 1_000_000 + at.microsecond,
                    "timestamp_desc": row["what"],
                    **about,
                    "place": row["place"],
                }


def write(output: Path, judgement: Judgement) -> int:
    """Write the events, by the suffix of `output`, for its owner alone; how many there are. Raises OSError."""
    found = list(events(judgement))
    if output.suffix == ".csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: value if isinstance(value, int) else cell(value) for name, value in event.items()} for event in found
        )
        lines = [text.getvalue()]
    else:
        lines = [json.dumps(event, ensure_ascii=False) + "\n" for event in found]
    write_whole(output, lines, is_private=True)
    return len(found)


def _time(written: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
