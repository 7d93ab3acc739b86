"""Cases that earlier versions kept: custody and decisions hold, tables are read, what a recovery left is evidence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import laeforensics as lf
from laeforensics.cli import main
from laerecover.manifest import read_audit_table, read_manifest
from recoveries.vintages import Left, Vintage, vintages

ALL = pytest.mark.parametrize("vintage", vintages(), ids=lambda vintage: vintage.name)


def held(vintage: Vintage) -> list[Left]:
    """Its recoveries that ended with their mails held."""
    return [left for left in vintage.left if left.name.endswith("/ended-hold")]


@pytest.fixture
def root(vintage, tmp_path: Path) -> Path:
    """The vintage, unpacked, without most of its recoveries."""
    parts = ("evidence", "case", "key", *(f"recoveries/{left.name}/" for left in held(vintage)))
    return vintage.unpack(tmp_path / "vintage", *parts)


def told_in(case: Path, name: str) -> list[dict[str, Any]]:
    """The lines of a file of the case folder."""
    return [json.loads(line) for line in (case / name).read_text("utf-8").split("\n") if line]


@pytest.fixture
def typed(capsys):
    """Type a line; exit code, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([*map(str, words)])
        return (int(end.value.code or 0), *capsys.readouterr())

    return run


@ALL
def test_custody_still_holds(vintage, root, typed):
    """Every file is what it was; a byte that changed since is told with the time of that first reading."""
    evidence, case = root / "evidence", root / "case"
    first = told_in(case, "custody.jsonl")[0]
    code, told, _ = typed("custody", "--check", evidence, "--case", case, "--json")
    assert (code, json.loads(told)["unchanged"], json.loads(told)["new"]) == (0, True, [])
    with (evidence / first["name"]).open("ab") as file:
        file.write(b"x")
    code, told, _ = typed("custody", "--check", evidence, "--case", case)
    assert code == 1
    assert f"first read on {first['first_read']}" in told


@ALL
def test_decisions_still_apply(vintage, root, typed):
    """An audit by the present code takes the decided witnesses, at their places; the manifest says who decided."""
    case, wanted = root / "case", vintage.index["manifest"]
    before = {name: (case / name).read_bytes() for name in ("custody.jsonl", "decisions.jsonl")}
    output, key = root / "again" / "manifest.parquet", root / "key/manifest.key"
    code, told, _ = typed("audit", root / "evidence", "--output", output, "--key-file", key, "--case", case, "--json")
    assert (code, json.loads(told)["evidence_changed"]) == (0, [])
    after = {name: (case / name).read_bytes() for name in before}
    assert after["decisions.jsonl"] == before["decisions.jsonl"]
    assert after["custody.jsonl"].startswith(before["custody.jsonl"])
    assert b'"reader": ' in after["custody.jsonl"].removeprefix(before["custody.jsonl"])
    accounts = {a.account_id: a for a in read_manifest(output, key_file=key).accounts}
    decided = {account_id: known for account_id, known in wanted["accounts"].items() if known["decisions"]}
    assert len(decided) >= 2
    for account_id, known in decided.items():
        account = accounts[account_id]
        assert (account.verdict, list(account.decisions)) == ("RECOVERABLE", known["decisions"])
        assert account.user_secret_key.fingerprint == known["secret_key"]
    assert "stale-decision" not in set(lf.open_case(root / "evidence", folder=case).findings["code"])


@ALL
def test_an_old_decision_can_be_withdrawn(vintage, root, typed):
    """What was decided then is contested again once somebody withdraws it now."""
    case = root / "case"
    last = told_in(case, "decisions.jsonl")[-1]
    account_id, field = last["account_id"], last["field"]
    words = (account_id, field, "--witness", 0, "--because", "it was wrong", "--who", "Dan", "--case", case)
    assert typed("decide", root / "evidence", *words)[0] == 0
    audit = lf.open_case(root / "evidence", folder=case).audit.set_index("account_id")
    assert audit.loc[account_id, "blocking"] == (f"contested:{field}",)


@ALL
def test_an_old_audit_table_is_read_and_compared(vintage, root, typed):
    """`diff` holds an audit.parquet of then against one of now; held against itself it has not changed."""
    old, new = root / "case/audit.parquet", root / "again/manifest.parquet"
    rows = read_audit_table(old)
    told = {account_id: known["verdict"] for account_id, known in vintage.index["manifest"]["accounts"].items()}
    assert {row["account_id"]: row["verdict"] for row in rows}.items() >= told.items()
    code, told, _ = typed("diff", old, old, "--json")
    assert (code, json.loads(told)["unchanged"]) == (0, len(rows))
    new.parent.mkdir()
    lf.open_case(root / "evidence", folder=root / "case").export(new, key_file=root / "key/manifest.key")
    assert typed("diff", old, new.with_name("audit.parquet"))[0] == 0


@ALL
def test_what_an_old_recovery_left_is_evidence(vintage, root, tmp_path):
    """The next disaster can start from it: every account that was recovered then is RECOVERABLE again."""
    for left in held(vintage):
        shutil.copytree(root / "recoveries" / left.name / "state/evidence", tmp_path / left.mode)
        case = lf.open_case(tmp_path / left.mode)
        verdicts = dict(zip(case.audit["account_id"], case.audit["verdict"], strict=True))
        assert verdicts == dict.fromkeys(left.asked["only"], "RECOVERABLE")
