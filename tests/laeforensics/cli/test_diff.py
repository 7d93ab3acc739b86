"""`diff`, as typed."""

from __future__ import annotations

import json

from makings import AUDIT, BUCKET, NAME, is_three_lines


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
