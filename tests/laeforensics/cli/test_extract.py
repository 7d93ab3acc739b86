"""`extract`, as typed."""

from __future__ import annotations

from makings import (
    SECRET_KEY,
    evidence,
    is_three_lines,
    open_files,
)


def test_extract_hears_the_decisions_of_a_named_case(tmp_path, typed):
    """`extract --case` is known, as the other verbs know it."""
    root = open_files(tmp_path, evidence()).root
    code, _, err = typed("extract", root, "-o", tmp_path / "facts.jsonl", "--case", tmp_path / "c")
    assert (code, err) == (0, "")


def test_extract(folder, typed):
    """By the suffix of --output; .jsonl with a key is refused before anything is read."""
    code, out, _ = typed("extract", "evidence", "--output", "facts.jsonl")
    assert code == 0
    assert "fingerprints" in out
    assert SECRET_KEY not in (folder / "facts.jsonl").read_text("utf-8")
    code, out, _ = typed("extract", "evidence", "-o", "facts.parquet", "--key-file", "key/k")
    assert code == 0
    assert "encrypted under key/k" in out
    for words in (("-o", "f.jsonl", "--key-file", "key/k"), ("-o", "f.csv"), ("-o", "evidence/f.jsonl")):
        code, _, err = typed("extract", "evidence", *words)
        assert code == 2
        assert is_three_lines(err)


def test_each_format_has_a_name_of_its_own(folder, typed):
    """Without --output."""
    assert typed("extract", "evidence")[0] == 0
    assert typed("extract", "evidence", "--format", "timesketch")[0] == 0
    assert (folder / "facts.parquet").is_file()
    assert (folder / "timesketch.csv").read_text("utf-8").startswith("message,datetime")
