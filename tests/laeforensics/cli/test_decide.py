"""`decide`, as typed."""

from __future__ import annotations

from makings import (
    BUCKET,
    evidence,
    open_files,
    secrets,
)

import laeforensics as lf

OTHER_KEY = "another0secret+key/of+forty/characters/0"


def contested(tmp_path) -> lf.Case:
    return open_files(tmp_path, evidence(secrets=secrets(secret_key=OTHER_KEY)))


def test_a_case_folder_that_cannot_be_made_is_told_with_the_option_that_helps(tmp_path, typed):
    """`decide` where the case folder cannot be made names --case."""
    case = contested(tmp_path)
    (tmp_path / "file").write_text("no folder")
    code, _, err = typed("decide", case.root, BUCKET, "user_secret_key", "--witness", 1, "--because", "x",
        "--case", tmp_path / "file" / "case",
    )  # fmt: skip
    assert code == 2
    assert "--case" in err
