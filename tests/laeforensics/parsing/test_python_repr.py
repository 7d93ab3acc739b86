"""Python 2's repr: what Python would have written is read, everything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laeforensics.parsing._python_repr import decode

text = st.text(st.characters(exclude_categories=["Cs"]))


def repr_of_bytes(value: str) -> str:
    """What Python 2 prints for a byte string of this UTF-8 text."""
    return repr(value.encode("utf-8"))[1:]


@given(text)
def test_the_repr_of_a_byte_string_gives_the_string(value):
    """Whatever UTF-8 text a program printed with %r comes back."""
    assert decode(repr_of_bytes(value)) == value


@given(text)
def test_the_repr_of_a_unicode_string_gives_the_string(value):
    """Values that came from JSON are printed with a u before them."""
    assert decode("u" + ascii(value)) == value


@given(st.text(st.sampled_from("'\"\\xnu0123456789abcdef {}=")))
def test_what_is_read_would_be_written_the_same(written):
    """Any text is either no repr, or exactly the one that Python writes for the value read."""
    value = decode(written)
    assert value is None or written in (repr_of_bytes(value), "u" + ascii(value))


@given(text, st.data())
def test_a_repr_that_is_cut_is_none(value, data):
    """No proper beginning of a repr is a repr of its own."""
    written = repr_of_bytes(value)
    cut = written[: data.draw(st.integers(0, len(written) - 1))]
    assert decode(cut) is None


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("''", ""),
        ("'ann'", "ann"),
        ('"it\'s"', "it's"),
        ("'\\xc3\\xa9'", "é"),
        ("u'\\xe9'", "é"),
        ("'a\\nb'", "a\nb"),
        ("'say \"it\\'s\"'", 'say "it\'s"'),
    ],
)
def test_each_spelling_of_python_is_read(written, value):
    """Quotes follow the apostrophes in the value; escapes are Python's."""
    assert decode(written) == value


@pytest.mark.parametrize(
    "written",
    [
        "",
        "'",
        "ann",
        "None",
        "b'ann'",
        "ur'ann'",
        "'it\\x27s'",  # Python writes "it's"
        '"ann"',  # Python writes 'ann'
        "'\\u00e9'",  # no escape of a byte string
        "'\\x41'",  # Python writes A
        "'\\xe9'",  # not UTF-8
        "u'é'",  # Python writes \xe9
        "'a' 'b'",
        "'a'+'b'",
        "'a'.upper()",
        " 'a'",
        "('a')",
        "'a' # a comment",
        "'a\nb'",
        "'''a'''",
        "'\\",
        "u",
        "u'" + "(" * 5000,
    ],
)
def test_what_python_would_not_have_written_is_none(written):
    """An expression that only evaluates to a string is no repr, and nothing is evaluated."""
    assert decode(written) is None
