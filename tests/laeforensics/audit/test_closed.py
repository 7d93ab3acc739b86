"""Customers who left are never brought back."""

from __future__ import annotations

import json

import pytest
from makings import (
    AUDIT,
    BUCKET,
    EMAIL,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    OTHER_SEED,
    SEED,
    as_another,
    audit_row,
    evidence,
    log,
    open_files,
    request,
    secrets,
)
from packings import write

import laeforensics as lf
from laeforensics.audit.closed import read_closed
from laeforensics.errors import ClosedListError
from laerecover.manifest import read_manifest

OTHER_KEY = "another0secret+key/of+forty/characters/0"
WHY = "2014-05-01,left for another provider"


def listed(folder, *lines: str):
    path = folder / "closed.csv"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("key", [BUCKET, BUCKET.upper(), EMAIL, EMAIL.upper(), SEED, NAME, LOG_FILE])
def test_an_account_is_closed_by_any_of_its_names(key, tmp_path):
    """Before every other verdict; what it would have been does not matter."""
    for number, files in enumerate([evidence(), evidence(secrets=secrets(secret_key=OTHER_KEY))]):
        write(tmp_path / str(number), files)
        case = lf.open_case(tmp_path / str(number), closed=listed(tmp_path, "# those who left", "", f"{key},{WHY}"))
        row = audit_row(case)
        assert row["verdict"] == "CLOSED"
        assert row["blocking"][0] == "closed:2014-05-01"
        assert "another provider" in str(case.explain(BUCKET))
        assert len(case.shopping_list()) == 0


@pytest.mark.parametrize(
    ("day", "key", "is_closed"),
    [
        ("2012-03-19", EMAIL, False),
        ("2012-03-20", EMAIL, True),
        ("2012-03-19", BUCKET, True),
    ],
)
def test_a_customer_who_came_back_is_not_closed_by_an_address(day, key, is_closed, tmp_path):
    """What was signed up for after the day of leaving is told, and closed by its own name alone."""
    write(tmp_path / "evidence", evidence())
    case = lf.open_case(tmp_path / "evidence", closed=listed(tmp_path, f"{key},{day},left"))
    assert audit_row(case)["verdict"] == ("CLOSED" if is_closed else "RECOVERABLE")
    assert [BUCKET in f.message for f in case.judgement.findings if f.code.startswith("closed-")] == (
        [] if is_closed else [True]
    )


@pytest.mark.parametrize("lines", [(f"{EMAIL},2012-03-19,left", f"{BUCKET},2013-01-01,left"), (f"{BUCKET},{WHY}",)])
def test_what_is_closed_by_its_own_name_is_not_asked_about(lines, tmp_path):
    """In whatever order the lines stand: that is how the question is answered."""
    write(tmp_path / "evidence", evidence())
    for number, told in enumerate((lines, lines[::-1])):
        (tmp_path / str(number)).mkdir()
        case = lf.open_case(tmp_path / "evidence", closed=listed(tmp_path / str(number), *told))
        assert audit_row(case)["verdict"] == "CLOSED"
        assert not any(f.code.startswith("closed-") for f in case.judgement.findings)


def test_who_is_not_listed_stays_as_they_are(tmp_path):
    """And a line that names nobody blocks until it is mended: it may have been meant for somebody."""
    write(tmp_path / "evidence", evidence())
    case = lf.open_case(tmp_path / "evidence", closed=listed(tmp_path, f"anne@example.org,{WHY}"))
    assert audit_row(case)["verdict"] == "RECOVERABLE"
    (told,) = (f for f in case.judgement.findings if f.code == "closed-unknown")
    assert told.severity == "blocking"
    assert EMAIL in told.message


@pytest.mark.parametrize(
    "line",
    [
        "x@example.org",
        "x@example.org,gone",
        "x@example.org,2014-13-01,y",
        ",2014-01-01,y",
        "a,2014-01-01,",
        '"x,2014-01-01,y',
    ],
)
def test_a_line_that_is_half_understood_stops_everything(line):
    """It might be the one that keeps a customer from being brought back."""
    with pytest.raises(ClosedListError, match="line 2"):
        read_closed(f"a@example.org,2014-01-01,b\n{line}\n".encode(), "closed.csv")


def test_the_list_may_come_from_a_spreadsheet():
    """With a mark of byte order, quotes, and a reason with commas."""
    found = read_closed('\ufeff"a@example.org","2014-01-01","moved, died, left"\r\n'.encode(), "closed.csv")
    assert [(e.key, e.on, e.because) for e in found.entries] == [("a@example.org", "2014-01-01", "moved, died, left")]


def test_the_audit_counts_the_closed_and_a_recovery_leaves_them_out(tmp_path, typed, monkeypatch, capsys):
    """In the card, in the manifest, in the plan; not even `--accept` brings them back."""
    from laerecover.cli import main
    from laerecover.planning.plan import Circumstances, make_plan
    from laerecover.settings import drill_settings

    monkeypatch.chdir(tmp_path)
    write(tmp_path / "evidence", evidence())
    code, out, err = typed(*AUDIT, "--closed", listed(tmp_path, f"{EMAIL},{WHY}"))
    assert (code, "CLOSED" in out) == (0, True), err
    manifest = read_manifest(tmp_path / "out/m.parquet", key_file=tmp_path / "key/k")
    assert [(a.verdict, a.blocking) for a in manifest.accounts] == [("CLOSED", ("closed:2014-05-01",))]
    assert manifest.recoverable == ()
    monkeypatch.setattr("sys.argv", ["laerecover", "plan", "out/m.parquet", "--key-file", "key/k", "--state", "state"])
    with pytest.raises(SystemExit):
        main()
    assert "CLOSED: the customer left (2014-05-01)" in capsys.readouterr().out
    accepted = Circumstances(mode="run", concurrency=1, selected=frozenset({BUCKET}), accepted=frozenset({BUCKET}))
    assert [row.action for row in make_plan(manifest, drill_settings(tmp_path), accepted).accounts] == ["blocked"]


def test_a_closed_account_is_closed_after_a_decision_too(tmp_path):
    """Deciding its contested field does not open it."""
    write(tmp_path / "evidence", evidence(secrets=secrets(secret_key=OTHER_KEY)))
    case = lf.open_case(tmp_path / "evidence", closed=listed(tmp_path, f"{BUCKET},{WHY}"))
    case.decide(BUCKET, "user_secret_key", witness=1, who="Ann", because="the log is right")
    assert audit_row(case)["verdict"] == "CLOSED"
    assert audit_row(open_files(tmp_path / "other", evidence()))["verdict"] == "RECOVERABLE"


def test_the_report_of_a_recovery_tells_who_was_closed_and_why(tmp_path, typed, monkeypatch, capsys):
    """One customer left, another is brought back: the report names both, and the world saw one of them alone."""
    from laerecover.cli import main

    monkeypatch.chdir(tmp_path)
    files = evidence(requests=request() + as_another(request()))
    files |= {f"signup_logs/{OTHER_NAME}": as_another(log()), f"secrets/{OTHER_NAME}": as_another(secrets())}
    write(tmp_path / "evidence", files)
    code, _, err = typed(*AUDIT, "--closed", listed(tmp_path, f"{EMAIL},{WHY}"))
    assert code == 0, err
    drill = ("drill", "out/m.parquet", "--key-file", "key/k", "--state", "state", "--pace", "0.001", "--json")
    monkeypatch.setattr("sys.argv", ["laerecover", *drill])
    with pytest.raises(SystemExit) as ended:
        main()
    body = json.loads(capsys.readouterr().out)
    rows = {row["account_id"]: row for row in body["accounts"]}
    left, stayed = rows[BUCKET], rows[BUCKET.replace(SEED, OTHER_SEED)]
    assert (left["outcome"], left["why"]) == ("blocked", "the verdict is CLOSED: closed:2014-05-01")
    assert [left[name] for name in ("instances_launched", "mails_sent", "serverinfo_rows", "mail")] == [0, 0, 0, None]
    assert (left["steps"], left["follow_ups"], left["guarded"]) == ([], [], False)
    assert (stayed["outcome"], stayed["instances_launched"]) == ("recovered", 1)
    assert ended.value.code == 0
    page = (tmp_path / "state/report.html").read_text("utf-8").replace("<wbr>", "")
    assert "the verdict is CLOSED: closed:2014-05-01" in page
    assert "1 closed: the customer left before, and is not brought back." in page
