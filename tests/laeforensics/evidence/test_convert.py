"""Whole-file conversions are undone, and every place is still one of the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makings import HOST, LOG_FILE, PARTS, evidence, log, open_files, signup_row

from laeforensics.evidence.convert import undo

BOM = b"\xef\xbb\xbf"
lines = st.lists(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), min_size=1), min_size=1)


def whole(parts: list[str]) -> bytes:
    return "".join(f"{part}\n" for part in parts).encode("latin-1")


def test_a_log_as_it_was_written_went_through_none():
    """Plain bytes are no conversion, nor is an empty file."""
    assert undo(log()) is None
    assert undo(b"") is None


@pytest.mark.parametrize(
    ("convert", "what"),
    [
        (lambda data: data.replace(b"\n", b"\r\n"), "CRLF line ends"),
        (lambda data: BOM + data, "a byte order mark"),
        (lambda data: data.decode().encode("utf-16"), "UTF-16"),
        (lambda data: data.decode().encode("utf-16-le"), "UTF-16"),
        (lambda data: data.decode().encode("utf-16-be"), "UTF-16"),
        (lambda data: b"\xfe\xff" + data.decode().encode("utf-16-be"), "UTF-16"),
        (lambda data: data.replace(b"\n", b"\r\r\n"), "CRLF line ends, CRLF line ends"),
        (lambda data: BOM + data.replace(b"\n", b"\r\n"), "a byte order mark, CRLF line ends"),
        (lambda data: data.replace(b"\n", b"\r\n").decode().encode("utf-16"), "UTF-16, CRLF line ends"),
    ],
)
def test_what_was_undone_is_named_and_the_log_is_back(convert, what):
    """The bytes after undoing are those of before, and the finding can say what happened."""
    found = undo(convert(log()))
    assert found is not None
    assert (found.data, found.what) == (log(), what)


def test_crlf_at_some_line_ends_loses_one_carriage_return_each():
    """Where only some lines end with CRLF one carriage return goes with each of them, and no other.

    No line is won or lost.
    """
    found = undo(b"one\r\ntw\ro\nthree\r\r\nfour\r")
    assert found is not None
    assert (found.data, found.what) == (b"one\ntw\ro\nthree\r\nfour\r", "CRLF at some line ends")


def test_a_log_whose_second_half_became_crlf_tells_every_value(tmp_path):
    """The facts of a log that is CRLF from its middle on are those of the whole log, at the bytes where they lie."""
    plain = log()
    cut = plain.index(b">Creating S3 bucket")
    mixed = plain[:cut] + plain[cut:].replace(b"\n", b"\r\n")
    case = open_files(tmp_path, evidence(log=mixed, secrets=None))
    assert signup_row(case) == signup_row(open_files(tmp_path / "plain", evidence(secrets=None)))
    facts = [f for s in case.judgement.joined for f in s.witnesses["public_host"] if f.locator.evidence == LOG_FILE]
    assert len(facts) > 1
    assert {mixed[f.locator.start : f.locator.end].decode() for f in facts} == {HOST}


def test_a_carriage_return_makes_no_line_of_remote_text(tmp_path):
    """A host that sends CR and a look-alike of an address line in a file with some CRLF lines is not believed."""
    forged = "[ubuntu@192.0.2.1] out: x\r>The server's public address is '203.0.113.66'.>\r\n"
    data = log(installing=PARTS["installing"] + forged)
    row = signup_row(open_files(tmp_path, evidence(log=data, secrets=None, servers=None)))
    assert row["public_host"] == HOST


@given(
    st.lists(st.tuples(st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), min_size=1), st.booleans())),
    st.data(),
)
def test_places_of_some_crlf_lines_point_at_the_same_text(parts, data):
    """Wherever a piece of the view begins, the original from that place on is the view from there on."""
    original = "".join(text + ("\r\n" if crlf else "\n") for text, crlf in parts).encode()
    found = undo(original)
    assert (found is None) == (b"\r\n" not in original)
    if found is not None:
        start = data.draw(st.integers(0, len(found.data)))
        assert original[found.back(start) :].replace(b"\r\n", b"\n") == found.data[start:]


@given(lines, st.data())
def test_crlf_places_point_at_the_same_text(parts, data):
    """A piece of the converted file and its place in the original hold the same characters."""
    original = whole(parts).replace(b"\n", b"\r\n")
    found = undo(original)
    assert found is not None
    start = data.draw(st.integers(0, len(found.data) - 1))
    end = data.draw(st.integers(start, len(found.data)))
    there = original[found.back(start) : found.back(end)]
    assert there.replace(b"\r\n", b"\n").rstrip(b"\r") == found.data[start:end].rstrip(b"\r")


@given(lines, st.sampled_from(["utf-16-le", "utf-16-be"]), st.data())
def test_utf_16_places_point_at_the_same_text(parts, codec, data):
    """Offsets of a log that an editor saved as UTF-16 lead back to the bytes of that file."""
    text = whole(parts).decode("latin-1")
    mark = b"\xff\xfe" if codec == "utf-16-le" else b"\xfe\xff"
    original = mark + text.encode(codec)
    found = undo(original)
    assert found is not None
    assert found.data == text.encode("latin-1")
    start = data.draw(st.integers(0, len(found.data)))
    assert original[found.back(start) :].decode(codec) == text[start:]


@given(st.binary(max_size=200))
def test_any_bytes_are_undone_or_left_alone(data):
    """Nothing raises, and places of what was undone lie inside the file."""
    found = undo(data)
    if found is not None:
        assert 0 <= found.back(0) <= found.back(len(found.data)) <= len(data)
