"""Events for Timesketch, held to the rules by which it takes a csv file or lines of JSON.

The rules are those of `read_and_validate_csv` and `read_and_validate_jsonl` in Timesketch's timesketch/lib/utils.py:
which columns must be there, that pandas reads each time as it reads the first, that dateutil reads it, which names it
takes away. They are written down here anew, for Timesketch is a server that nobody installs for a test.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas
import pytest
from dateutil import parser
from makings import INTRODUCER, PRODUCT_TOKEN, SECRET_KEY, USER_TOKEN, open_files
from makings import evidence as whole

import laeforensics as lf
from laeforensics.errors import ExtractionError
from laeforensics.present import timesketch, words

NEEDED = {"message", "datetime", "timestamp_desc"}
TAKEN_AWAY = {"_id", "_type", "_index", "_source", "__ts_timeline_id"}
SECRETS = (SECRET_KEY, USER_TOKEN, PRODUCT_TOKEN, INTRODUCER.pem.split("\n")[4])


@pytest.fixture(scope="module")
def case() -> lf.Case:
    return lf.open_case(Path(__file__).parents[3] / "fixtures/evidence")


def test_csv_as_timesketch_reads_it(case, tmp_path):
    """No row is dropped for its time, and what it computes as timestamp is what stands there."""
    path = tmp_path / "events.csv"
    written = timesketch.write(path, case.judgement)
    table = pandas.read_csv(path)
    assert written == len(table) > 20
    assert set(table.columns) >= NEEDED
    assert not TAKEN_AWAY & set(table.columns)
    assert not table["datetime"].isnull().any()
    times = pandas.to_datetime(table["datetime"], errors="coerce")
    assert not times.isnull().any(), "a time that is written otherwise than the first is lost"
    assert [int(time.timestamp() * 1e6) for time in times] == list(table["timestamp"])
    assert path.stat().st_mode & 0o077 == 0


def test_jsonl_as_timesketch_reads_it(case, tmp_path):
    """Every line is an object with what is needed; our own fields lead back to account and evidence."""
    path = tmp_path / "events.jsonl"
    written = timesketch.write(path, case.judgement)
    events = [json.loads(line) for line in path.open(encoding="utf-8")]
    assert written == len(events)
    for event in events:
        assert event.keys() >= NEEDED
        assert all(isinstance(event[name], str) and event[name] for name in NEEDED)
        assert int(parser.parse(event["datetime"]).timestamp() * 1e6) == event["timestamp"]
        assert event["timestamp_desc"] in event["message"]
    accounts = {a.account_id for a in case.judgement.accounts}
    assert {event["account_id"] for event in events} <= accounts
    assert tuple(events[0]) == timesketch.COLUMNS


def test_no_secret_and_no_formula(tmp_path):
    """Whatever a customer is called."""
    case = open_files(tmp_path / "evidence", whole())
    for name in ("events.csv", "events.jsonl"):
        timesketch.write(tmp_path / name, case.judgement)
        text = (tmp_path / name).read_text("utf-8")
        assert not [secret for secret in SECRETS if secret in text]
    assert words.cell("=1+1") == "'=1+1"
    assert words.cell("i-1") == "i-1"


@pytest.mark.parametrize(("name", "key"), [("events.parquet", None), ("events.csv", Path("k"))])
def test_what_it_cannot_take_is_refused(name, key):
    """Before anything is read."""
    with pytest.raises(ExtractionError):
        timesketch.check(Path(name), key)
