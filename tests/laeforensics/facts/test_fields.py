"""The shape of a value, and what the site made of it."""

from __future__ import annotations

import pytest

from laeforensics.facts.fields import typed_email

TYPED = {
    "o%27brien@example.com": "o'brien@example.com",
    "50%25off@example.com": "50%off@example.com",
    "m%C3%BCller@example.org": "müller@example.org",
    "a+b@example.com": "a+b@example.com",
    "a,b@example.com": None,
    "a%zz@example.com": None,
    "a%0D%0ABcc:x@example.com": None,
    "a%FFb@example.com": None,
    "a%40b@example.com": None,
    "(par)@example.net": None,
    "two words@example.com": None,
}


@pytest.mark.parametrize(("written", "typed"), TYPED.items())
def test_an_address_is_told_as_it_was_typed(written, typed):
    """What the site quoted is unquoted; what it cannot have written, and what is no address, is none."""
    assert typed_email(written) == typed
