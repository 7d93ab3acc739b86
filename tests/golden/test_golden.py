"""What the reader says today of two folders is what it said when a human looked."""

from __future__ import annotations

import hashlib
import inspect

import pytest
import tables
from doors import Secret
from goldens import HERE, hold, hold_all
from tables import FIXTURES, JUDGEMENT_COLUMNS

import laeforensics as lf


@pytest.mark.parametrize("name", ["signups", "audit", "findings", "residue"])
def test_the_fixtures_read_as_they_did(case, name):
    """Every cell of the tables of fixtures/evidence."""
    hold(f"evidence-{name}.txt", tables.paragraphs(tables.table(case, name)))


def test_every_fact_of_the_fixtures_stands_where_it_stood(case):
    """Every value with its place, rule and channel, in the same order; its hash is that of the file it stands in."""
    hold("evidence-facts.txt", tables.facts(case))
    told = {(row["evidence"], row["sha256"]) for row in tables.table(case, "facts")}
    assert len(told) > 20
    assert {(name, hashlib.sha256((FIXTURES / name).read_bytes()).hexdigest()) for name, _ in told} == told


def test_every_account_of_the_fixtures_is_explained_as_it_was(case):
    """explain() of each account and attempt, word for word."""
    keys = [row["account_id"] for row in tables.table(case, "audit")]
    hold("evidence-explain.txt", "\n\n\n".join(str(case.explain(key)) for key in keys) + "\n")


def test_columns_stay(case):
    """Names, order, dtype of every column, and the types in its cells."""
    hold("columns.txt", tables.columns(case))


def test_the_door_stays_open():
    """What `import laeforensics` gives, and how its functions are called. Names may come, none may go."""
    lines = [_door(name) for name in sorted(lf.__all__)]
    lines += [f"Case.{name}" for name in tables.TABLES if hasattr(lf.Case, name)]
    lines += [_call(f"Case.{name}", getattr(lf.Case, name)) for name in ("explain", "export")]
    hold_all("door.txt", "\n".join(lines) + "\n")


def _door(name: str) -> str:
    thing = getattr(lf, name)
    if isinstance(thing, type) and issubclass(thing, Exception):
        return f"{name}({', '.join(base.__name__ for base in thing.__bases__)}): what, where, next_step"
    return _call(name, thing) if inspect.isroutine(thing) else name


def _call(name: str, function: object) -> str:
    """The call without annotations, which name modules, and without self."""
    signature = inspect.signature(function)
    given = [p.replace(annotation=p.empty) for p in signature.parameters.values() if p.name != "self"]
    return name + str(signature.replace(parameters=given, return_annotation=signature.empty))


def test_an_error_says_what_where_and_what_next(tmp_path):
    """The three words by which every error of the library is read."""
    with pytest.raises(lf.ForensicsError) as refused:
        lf.open_case(tmp_path / "nothing")
    assert isinstance(refused.value, lf.EvidenceError)
    assert all(isinstance(getattr(refused.value, word), str) for word in ("what", "where", "next_step"))


def test_real_logs_read_as_they_did(mini):
    """Thirteen logs that the original programs printed: role, stage, outcome, verdict, grade, reason, what is known."""
    hold("mini.csv", tables.judgements(mini))


def test_every_cell_of_real_logs_is_what_it_was(mini):
    """Signups, audit, findings, residue: row by row, by digests that tell nothing to who has not the folder."""
    hold("mini-rows.csv", tables.row_digests(mini))


def test_every_fact_of_real_logs_stands_where_it_stood(mini):
    """Place, rule and channel of each value; the value itself, and its file's hash, by a salted digest."""
    hold("mini-facts.csv", tables.fact_digests(mini))


def test_real_logs_leave_no_residue_and_nothing_contested(mini):
    """Every line of the thirteen is understood, and no two witnesses contradict each other."""
    assert len(mini.residue) == 0
    assert [code for code in mini.findings["code"] if code.startswith("contested")] == []


def revealed(case, *, secrets_only=False):
    """The values of a case that would be known again; of those of several lines the longest line."""
    values = [value for value in case.facts["value"] if isinstance(value, Secret) or not secrets_only]
    texts = [value.reveal() if isinstance(value, Secret) else value or "" for value in values]
    return {line for text in texts if len(line := max(text.split("\n"), key=len)) > 8}


def test_no_golden_holds_a_secret(case):
    """None of the fixtures, though they are invented: fingerprints alone."""
    secrets = revealed(case, secrets_only=True)
    assert len(secrets) > 60
    texts = {path.name: path.read_text("utf-8") for path in HERE.iterdir() if path.is_file() and path.suffix != ".py"}
    assert [name for name, text in texts.items() for secret in secrets if secret in text] == []


def test_no_golden_holds_a_value_of_real_logs(mini):
    """Neither a secret nor an address, nor whatever else is long enough to be known again."""
    values = revealed(mini)
    assert len(values) > 100
    texts = {name: (HERE / name).read_text("utf-8") for name in ("mini.csv", "mini-rows.csv", "mini-facts.csv")}
    assert [name for name, text in texts.items() for value in values if value in text] == []


def test_the_table_of_real_logs_holds_no_value(case):
    """Thirteen rows of judgements and field names, from fixed lists of words."""
    rows = list(tables.read_csv((HERE / "mini.csv").read_text("utf-8")))
    assert len(rows) == 13
    words = {"origin", "attempt", "complete", "failed", "RECOVERABLE", "UNFINISHED", "ABANDONED", ""}
    words |= {
        "IDENTITY_KEPT",
        "NEW_STORAGE_IDENTITY",
        "mail_sent",
        "settings_told",
        "installing",
        "activated",
        "activating",
    }
    reasons = {"no attested", "bucket", "introducer PROVED", "storage PROVED", "introducer ABSENT", "storage ABSENT"}
    reasons |= {"never-ready", "no attested bucket"}
    for row in rows:
        assert tuple(row) == JUDGEMENT_COLUMNS
        assert len(row["seed"]) == 8
        assert set(row["known"].split()) <= set(case.signups.columns)
        assert set(row["reason"].split(", ")) <= reasons
        assert {row[name] for name in ("role", "stage", "outcome", "verdict", "grade")} <= words


def test_the_digests_of_real_logs_hold_no_value(case):
    """Beside digests there are names of fields, files and rules, and numbers: of a seed no more than its beginning."""
    known = {name: set(case.facts[name]) | {""} for name in ("field", "rule", "dialect", "channel")}
    facts = list(tables.read_csv((HERE / "mini-facts.csv").read_text("utf-8")))
    assert len(facts) > 500
    for row in facts:
        assert tuple(row) == tables.FACT_COLUMNS
        assert all(row[name].isdecimal() for name in ("line", "start", "end"))
        assert row["field"] in known["field"]
        assert row["channel"] in known["channel"]
        assert all(len(part) <= 48 for part in row["evidence"].split("/"))
        assert int(row["digest"], 16) < 2**48
    for row in tables.read_csv((HERE / "mini-rows.csv").read_text("utf-8")):
        assert row["table"] in tables.TABLES
        assert int(row["digest"], 16) < 2**48
