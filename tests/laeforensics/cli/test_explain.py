"""`explain`, as typed."""

from __future__ import annotations

import json

from makings import (
    BUCKET,
    EMAIL,
    LOG_FILE,
    NAME,
    SECRET_KEY,
    evidence,
    is_three_lines,
    open_files,
)
from packings import write


def test_an_explanation_for_machines_names_everything_whole(tmp_path, typed):
    """`explain --json` is JSON with the bucket's whole name, every field in its order, and no secret."""
    root = open_files(tmp_path, evidence()).root
    code, out, err = typed("explain", root, BUCKET, "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["account_id"], told["fields"][0]["name"]) == (BUCKET, "bucket_name")
    assert SECRET_KEY not in out + err


def test_explain_takes_several_folders(folder, typed):
    """The last word is the key; a key that nobody has ends with 2."""
    write(folder / "more", {"secrets/2012-01-01T000000Z-x": b"", "serverinfo.csv": b""})
    code, out, _ = typed("explain", "evidence", "more", EMAIL)
    assert code == 0
    assert BUCKET in out
    assert "evidence/" + LOG_FILE in out
    code, _, err = typed("explain", "evidence", "nobody@example.org")
    assert code == 2
    assert is_three_lines(err)
    assert typed("explain", "evidence", NAME, "--field", "nothing")[0] == 2


def test_a_field_that_there_is_not_is_refused_before_anything_is_read(folder, typed):
    """With the one that was perhaps meant, and all that there are; the evidence need not even be there."""
    code, _, err = typed("explain", "nowhere", EMAIL, "--field", "user_secret")
    assert (code, is_three_lines(err)) == (2, True)
    assert "did you mean user_secret_key? choose one of bucket_name, " in err
