"""Where a run fails, and where a failure in its log is another log's."""

from __future__ import annotations

import pytest
from makings import DUMP, FAILURE, HOST, PARTS, SECRET_KEY, as_another, log, re_record, read, values

FRAMES = "".join(f"/usr/lib/python2.7/dist-packages/invented.py:{n}:deeper\n" for n in range(7))
CUT = DUMP.partition("]\n")[0] + FRAMES
DUMPS = {"whole": DUMP, "with its summary": FAILURE, "seven lines": CUT, "twice": DUMP + FAILURE}
LATER = [part for part in PARTS if part not in ("started", "activation", "credentials", "mail", "settings")]


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
@pytest.mark.parametrize("part", LATER)
def test_a_failure_that_the_run_s_own_stages_follow_is_another_log_s(part, dump):
    """A sector of a failed log lies in a finished one: nothing of the run is lost by it."""
    told = read(log(**{part: dump + PARTS[part]}))
    assert not told.failed
    assert told.stages[-1][0] == "mail_sent"
    assert values(told) == values(read(log()))


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
@pytest.mark.parametrize("part", LATER)
def test_a_failure_that_ends_a_log_is_its_own(part, dump):
    """Nothing follows, or only what any failed run prints behind it."""
    names = list(PARTS)
    before = log(until=names[names.index(part) - 1])
    behind = ">Notifying one of our staff of the failure...>\n>Failure notification sent.>\n"
    for data in (before + dump.encode(), before + (dump + behind).encode()):
        assert read(data).failed


@pytest.mark.parametrize("part", LATER)
def test_what_another_run_goes_on_with_does_not_undo_a_failure(part):
    """The end of another customer's log behind a failed one: the stages follow, but nothing ties them to the run."""
    names = list(PARTS)
    before = log(until=names[names.index(part) - 1])
    rest = as_another(log(*names[: names.index(part)]))
    assert read(before + DUMP.encode() + rest).failed


def test_a_failure_without_a_next_stage_stands():
    """The host is heard again, but the run did not go on: fabric may have been answered late."""
    late = f"[ubuntu@{HOST}] out: a late answer\n".encode()
    assert read(log(until="installing") + DUMP.encode() + late).failed


def test_a_first_mark_with_a_character_overwritten_begins_no_other_run():
    """Of a run that reads a server's secrets: all marks behind it name the server."""
    told = read(re_record().replace(HOST.encode(), HOST.replace("2", "6", 1).encode(), 1))
    assert values(told, ["testimony"])["user_secret_key"] == {SECRET_KEY}
