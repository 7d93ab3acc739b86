"""`show`, as typed: the evidence itself, secrets masked."""

from __future__ import annotations

import json

import pytest
from makings import LOG_FILE, NAME, SECRET_KEY, is_three_lines, log

from laerecover.manifest import Secret

LINE = next(n for n, text in enumerate(log().decode().split("\n"), start=1) if "secret_key" in text)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", [LOG_FILE, "signups.csv", f"{LOG_FILE}:{LINE} [10:50)"])
def test_a_place_is_shown(name, typed):
    """As `explain` tells it, with or without bytes."""
    code, out, err = typed("show", "evidence", name)
    assert (code, err) == (0, "")
    assert SECRET_KEY not in out


@pytest.mark.usefixtures("folder")
def test_lines_around_it_are_shown_and_it_is_marked(typed):
    """The line that was asked for bears a mark; its secret is a fingerprint."""
    _, out, _ = typed("show", "evidence", f"{LOG_FILE}:{LINE}", "--context", "1")
    head, before, line, behind = out.rstrip("\n").split("\n")
    assert head == LOG_FILE
    assert line == f"> {LINE}  secret_key = '{Secret(SECRET_KEY)!r}'"
    assert "access_key_id" in before and "usertoken" in behind
    _, out, _ = typed("show", "evidence", f"{LOG_FILE}:{LINE}", "--json")
    told = json.loads(out)
    assert told["file"] == LOG_FILE
    assert [row["line"] for row in told["lines"] if row["asked"]] == [LINE]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("signup.csv:1", "signups.csv"),
        (NAME, "secrets/"),
        ("signups.csv:99", "its last line is 1: laeforensics show evidence signups.csv:1\n"),
        ("", "no"),
    ],
)
def test_what_is_not_there_is_told_with_what_may_be_meant(place, said, typed):
    """A name that is nearly one, one of two files, a line beyond the end."""
    code, _, err = typed("show", "evidence", place, "--context", 0)
    assert code == 2
    assert is_three_lines(err)
    assert said in err
