"""What stands before every line of a log is undone, and every place is still one of the file."""

from __future__ import annotations

import time

import pytest
from makings import LOG_FILE, SECRET_KEY, audit_row, evidence, judged, log, open_files

from laeforensics.evidence.convert import undo
from laeforensics.evidence.foreign import why_prefixed


def _prefixed(before) -> bytes:
    lines = log().split(b"\n")[:-1]
    return b"".join(before(number) + line + b"\n" for number, line in enumerate(lines, start=1))


PREFIXES = {
    "a mail's": lambda number: b"> ",
    "a mail's without a blank": lambda number: b">",
    "blanks": lambda number: b"    ",
    "cat -n": lambda number: b"%6d\t" % number,
    "less -N": lambda number: b"%7d " % number,
    "grep -n": lambda number: b"signup_logs/x:%d:" % number,
    "a system log's": lambda number: b"Apr %2d 21:%02d:07 lae signup[1234]: " % (9 + number // 60, number % 60),
    "a journal's": lambda number: b"2012-03-20T10:15:%02d.%03d+0000 lae signup: " % (number % 60, number),
    "a diff's": lambda number: b"+",
}


@pytest.mark.parametrize("before", PREFIXES.values(), ids=PREFIXES)
def test_the_log_behind_the_prefixes_is_the_log(before):
    """Byte for byte, and each offset is that of the same byte in the file."""
    data = _prefixed(before)
    found = undo(data)
    assert found is not None
    assert (found.data, found.what) == (log(), "a prefix before every line")
    at = log().index(SECRET_KEY.encode())
    assert found.back(at) == data.index(SECRET_KEY.encode())


def test_an_empty_line_may_have_lost_its_blanks_and_the_end_may_be_torn_off():
    """An editor strips blanks at ends of lines; what was torn within a prefix stays as it is."""
    data = _prefixed(lambda number: b"> ").replace(b"> \n", b">\n")
    found = undo(data + b">")
    assert found is not None
    assert found.data.startswith(log())
    torn = undo(data.rstrip(b"\n")[:-8])
    assert torn is not None
    assert torn.data == log().rstrip(b"\n")[:-8]


def test_a_diff_against_nothing_tells_of_itself_in_lines_that_become_empty():
    """So that the lines keep their numbers."""
    found = undo(b"--- /dev/null\n+++ b/x\n@@ -0,0 +1,9 @@\n" + _prefixed(lambda number: b"+"))
    assert found is not None
    assert found.data == b"\n\n\n" + log()


@pytest.mark.parametrize(
    "before",
    [lambda number: b"> " if number != 9 else b"", lambda number: b"%d " % (number if number < 9 else number + 1)],
    ids=["a line without", "a number that is left out"],
)
def test_what_not_every_line_bears_stays(before):
    """Somebody wrote between the lines, or a line is lost: nothing is undone, and the file is named as unread."""
    assert undo(_prefixed(before)) is None


def test_no_break_spaces_for_all_blanks_are_undone():
    """A word processor or a web page put them; beside a single blank they are somebody's own."""
    data = log().replace(b" ", b"\xc2\xa0")
    found = undo(data)
    assert found is not None
    assert found.data == log()
    assert found.back(len(log())) == len(data)
    assert undo(data + b"a b") is None


def test_a_quoted_log_tells_its_account_at_the_bytes_where_it_stands(tmp_path):
    """The account is recovered by it, and a finding says what was undone."""
    data = _prefixed(PREFIXES["cat -n"])
    case = open_files(tmp_path, evidence(log=data, secrets=None))
    assert audit_row(case)["verdict"] == "RECOVERABLE"
    place = judged(case).witnesses["user_secret_key"][0].locator
    assert data[place.start : place.end].decode() == SECRET_KEY
    told = [found for found in case.judgement.findings if found.code == "converted-file"]
    assert [found.signup for found in told] == [LOG_FILE]


def test_the_time_grows_with_the_size_and_no_faster():
    """A hostile file whose last line alone bears no prefix is read once for each shape."""
    line = b"Apr 12 21:43:20 12 34: >Automation script started. " + b"1 " * 40 + b"\n"
    took = []
    for count in (2_000, 32_000):
        start = time.perf_counter()
        undo(line * count + b"another line\n" * 2)
        took.append(time.perf_counter() - start)
    assert took[1] < 16 * took[0] * 4 + 1


@pytest.mark.parametrize("ends", [1, 3, 50])
def test_what_stands_before_a_log_s_lines_is_never_shown_where_it_may_be_a_secret(ends):
    """One long line, or few, that begin alike: what they begin with is a log's own text, keys included."""
    head = b"secret_key = 'abcdefghijklmnopqrstuvwxyz0123456789ABCD'\r>Deploying EC2 instance...>\r"
    found = why_prefixed((head + b">License activated.\r\n") * ends)
    assert found is None or "abcdef" not in f"{found} {found.remedy}"


def test_what_stands_before_each_line_is_told():
    """A mark of a pager's: as it is where it is short, by its length where it is long."""
    lines = (b">Deploying EC2 instance...>", b">EC2 instance started.>", b">Installing dependencies...>")
    assert "'> '" in str(why_prefixed(b"".join(b"> " + line + b"\n" for line in lines)))
    long = str(why_prefixed(b"".join(b"x" * 40 + line + b"\n" for line in lines)))
    assert "40 other characters" in long
    assert "xxx" not in long
