"""`diff`, as typed."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from makings import AUDIT, BUCKET, NAME, is_three_lines, secrets
from packings import write

OTHER_KEY = "another0secret+key/of+forty/characters/0"


def test_diff(folder, typed):
    """Text or JSON, exit code 0 whatever differs; 2 for what is no audit table."""
    typed(*AUDIT)
    (folder / "evidence" / "serverinfo.csv").unlink()
    (folder / "evidence" / f"secrets/{NAME}").unlink()
    typed("audit", "evidence", "-o", "later/m.parquet", "--key-file", "key/k")
    code, out, _ = typed("diff", "out/audit.parquet", "later/audit.parquet")
    assert code == 0
    assert "1 changed" in out
    assert f"because of  secrets/{NAME}" in out
    code, out, err = typed("diff", "out/audit.parquet", "later/audit.parquet", "--json")
    assert [change["account_id"] for change in json.loads(out)["changed"]] == [BUCKET]
    assert "1 changed" in err
    code, _, err = typed("diff", "out/audit.parquet", "later/m.parquet")
    assert code == 2
    assert is_three_lines(err)


def audited_again(typed, name: str) -> str:
    """What `diff` says since the audit before, of the audit that is made now."""
    typed("audit", "evidence", "-o", f"{name}/m.parquet", "--key-file", "key/k")
    return typed("diff", "out/audit.parquet", f"{name}/audit.parquet")[1]


@pytest.fixture
def contested(folder, typed):
    """The secrets file contradicts the log; audited once."""
    write(folder / "evidence", {f"secrets/{NAME}": secrets(secret_key=OTHER_KEY)})
    typed(*AUDIT)
    return folder


DECIDE = ("decide", "evidence", BUCKET, "user_secret_key", "--who", "Carol", "--because", "seen", "--witness")


def test_a_decision_is_not_laid_at_the_door_of_the_evidence(contested, typed):
    """Made, then taken back: each time the decision is named, and no file."""
    typed(*DECIDE, 1)
    out = audited_again(typed, "later")
    assert "verdict  CONTESTED -> RECOVERABLE" in out
    assert "the evidence is the same" in out
    assert "because of  a decision, now: user_secret_key: " in out
    assert out.count("because of") == 1
    typed(*AUDIT)
    typed(*DECIDE, 0)
    out = audited_again(typed, "again")
    assert "because of  a decision, no longer: user_secret_key: " in out
    assert out.count("because of") == 1


def test_a_decision_that_a_changed_file_ends_is_laid_at_the_door_of_the_evidence(contested, typed):
    """The chosen witness says something else now: the evidence is another, and the file is named."""
    typed(*DECIDE, 2)
    typed(*AUDIT)
    (contested / "evidence" / "secrets" / NAME).write_bytes(secrets(secret_key=OTHER_KEY[::-1]))
    out = audited_again(typed, "later")
    assert "verdict  RECOVERABLE -> CONTESTED" in out
    assert "the evidence is another" in out
    assert f"because of  secrets/{NAME}  (what it told is gone)" in out


def test_a_file_that_was_set_aside_is_told_as_a_decision(folder, typed):
    """It still lies there, and names an account."""
    name = f"secrets/{NAME}.gpg"
    write(folder / "evidence", {name: b"\x85" + bytes(range(200))})
    typed(*AUDIT)
    typed("decide", "evidence", "--set-aside", name, "--because", "a copy")
    out = audited_again(typed, "later")
    assert "verdict  INCOMPLETE -> RECOVERABLE" in out
    assert f"because of  a decision, now: {name} is set aside" in out


def test_tables_of_an_earlier_version_do_not_say_of_which_evidence(contested, typed):
    """Then nothing is said of it, and a decision is told all the same."""
    typed(*DECIDE, 1)
    table = contested / "out" / "audit.parquet"
    pq.write_table(pq.read_table(table).replace_schema_metadata(None), table)
    out = audited_again(typed, "later")
    assert "the evidence is" not in out
    assert "because of  a decision, now: user_secret_key: " in out
    assert out.count("because of") == 1


def test_an_audit_that_says_the_same_of_other_evidence_leaves_the_former_one(contested, typed):
    """A note beside the evidence changes no account: what `diff` compares with stays what it was."""
    typed(*DECIDE, 1)
    typed(*AUDIT)
    former = (contested / "out" / "audit.before.parquet").read_bytes()
    (contested / "evidence" / "note.txt").write_text("dear")
    typed(*AUDIT)
    assert (contested / "out" / "audit.before.parquet").read_bytes() == former


def test_a_folder_is_answered_with_the_audit_in_it(contested, typed):
    """What was meant is plain."""
    code, _, err = typed("diff", "out", "out")
    assert (code, is_three_lines(err)) == (2, True)
    assert "did you mean out/audit.parquet?" in err


def test_nothing_differs(contested, typed):
    """Then nothing is said of what it would come of."""
    out = typed("diff", "out/audit.parquet", "out/audit.parquet")[1]
    assert out.endswith("1 as before\nthe evidence is the same, byte for byte\n")
