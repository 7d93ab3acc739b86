"""The tables beside the grammars: what must follow what in a print, and that every word of them is known."""

from __future__ import annotations

import pytest

from laeforensics.facts.fields import FIELDS
from laeforensics.parsing.meanings import Print, dialects, meanings

OF_FOUR = Print(keys=("a", "b", "c", "d"), not_always=frozenset({"b"}))


@pytest.mark.parametrize(("key", "after"), [("a", {"b", "c"}), ("b", {"c"}), ("c", {"d"}), ("d", set())])
def test_a_line_is_followed_by_the_next_that_is_always_there(key, after):
    """What some dialects leave out may come, and need not."""
    assert OF_FOUR.after(key) == after


@pytest.mark.parametrize(
    ("before", "key", "lines"),
    [("", "a", 0), ("", "c", 1), ("a", "c", 0), ("a", "d", 1), ("c", "c", -1), ("d", "b", -1)],
)
def test_lines_that_are_missing_are_counted(before, key, lines):
    """Those that need not be there are not missing; what came already, or comes too early, is no order at all."""
    assert OF_FOUR.left_out(before, key) == lines


def test_a_print_is_whole_at_its_end():
    """It ends with the last line that is always there, with one behind it, or so many lines earlier as were unread."""
    shorter = Print(keys=("a", "b", "c"), not_always=frozenset({"c"}))
    assert [key for key in ("", "a", "b", "c") if shorter.is_whole(key)] == ["b", "c"]
    assert shorter.is_whole("a", unread=1)
    assert not shorter.is_whole("", unread=1)


def test_the_instance_dump_has_one_order():
    """What follows a value of the dump is told by the print alone: no terminal says it a second time."""
    terminals = meanings("signup_log").terminals
    assert terminals["INSTANCE_ID"].next_keys == {"instance_state"}
    assert terminals["PRIVATE_HOST"].next_keys == {"dns_name"}
    assert terminals["LAUNCH_TIME"].next_keys == {"placement"}
    assert not any(terminals[name].followers for name in ("INSTANCE_ID", "PRIVATE_HOST", "LAUNCH_TIME"))


def test_everything_that_is_told_is_a_field():
    """No table tells what the table of fields does not know."""
    assert (meanings("signup_log").fields | meanings("tahoe_cfg").fields) <= FIELDS.keys()


def test_the_oldest_dialect_needs_no_sign():
    """A log in which anything was read has a label: the last of the table is every log's."""
    labels = [dialect.label for dialect in dialects()]
    assert len(set(labels)) == len(labels)
    assert [d.label for d in dialects() if not d.announced | d.marked] == labels[-1:]
