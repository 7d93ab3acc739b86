"""A dialect is recognised by what stands in the file, never by its date."""

from __future__ import annotations

import random

import pytest
from makings import log, re_record, read, replacement

from evidence_writer.dialects import SIGNUP_DIALECTS
from evidence_writer.signup import make_signup

# A later program whose log's text did not change bears its elder's label.
SAME_TEXT = {
    "d01": {"x01"},
    "d05": {"x03"},
    "d06": {"d07"},
    "d08": {"x06", "d09", "d10"},
    "d11": {"x08"},
    "d12": {"x09"},
}


@pytest.mark.parametrize("dialect", SIGNUP_DIALECTS)
def test_a_finished_log_is_recognised(dialect):
    """Whoever reads a whole log of a dialect names it, or an elder whose text is the same."""
    data = make_signup(random.Random(f"recognise {dialect}"), dialect=dialect, number=3).log_bytes
    found = read(data).log.dialect
    assert found == dialect or dialect in SAME_TEXT.get(found, set())


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("", "d03"),
        (">Setting up monitor account...>\n", "d04"),
        (">Setting up monitoring...>\n", "d05"),
        (">Getting monitoring code...>\n", "d06"),
        (">Waiting 75 seconds for the server to be ready...>\n", "d08"),
        (">Waiting 75 seconds for the server to be ready...>\n>Getting monitoring code...>\n", "x05"),
        (">The ssh public key on the server has fingerprint: 0a:1b>\n", "x07"),
        ("The ssh public key on the server has fingerprint: 0a:1b\n", "d11"),
        (">Rebooting server (this will take a while)...>\n", "d12"),
        ("d is a <Deferred at 0x2a55440>\n", "x02"),
        (">Restoring introducer identity...>\n", "d07"),
    ],
)
def test_one_line_tells_the_younger_dialect(line, label):
    """A line that only a later program prints makes the log that program's."""
    assert read(log(installing=line)).log.dialect == label


def test_programs_that_print_other_logs_have_labels_of_their_own():
    """A replacement and a re-record are recognised by how they announce themselves."""
    assert read(replacement()).log.dialect == "d07"
    assert read(re_record()).log.dialect == "re-record"
    assert read("entering activate_subscribed_service call.\n").log.dialect == "d13"


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"nothing that a program printed\n"])
def test_a_file_in_which_nothing_is_recognised_has_no_dialect(data):
    """Nothing known, no label."""
    assert read(data).log.dialect == ""


def test_an_unknown_dialect_still_gives_what_is_certain():
    """Lines that nobody has seen before are residue; the values around them are read."""
    data = log(installing=">Polishing the server...>\nshine = 'bright'\n")
    told = read(data)
    assert {f.field for f in told.facts} == {f.field for f in read(log()).facts}
    assert [r.excerpt for r in told.residue] == [">Polishing the server...>\n", "shine = 'bright'\n"]
