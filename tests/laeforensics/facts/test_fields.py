"""The shape of a value, and what the site made of it."""

from __future__ import annotations

import pytest

from laeforensics.facts.fields import FIELDS, typed_email

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


END = ".7.7"


@pytest.mark.parametrize(
    ("host", "is_public"),
    [
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("172.16" + END, False),
        ("172.31" + END, False),
        ("192.168" + END, False),
        ("ip-10-1-2-3.ec2.internal", False),
        ("ip-10-1-2-3.us-west-1.compute.internal", False),
        ("domU-12-31-39-00-00-01.compute-1.internal", False),
        ("172.15" + END, True),
        ("172.32" + END, True),
        ("100.0" + END, True),
        ("192.0.2.1", True),
        ("10.example.org", True),
        ("ec2-192-0-2-1.compute-1.amazonaws.com", True),
    ],
)
def test_a_host_of_an_inner_network_is_no_public_one(host, is_public):
    """Nobody outside can come to it: neither an address nor a furl for customers is whole with it."""
    assert FIELDS["public_host"].fits(host) == is_public
    assert FIELDS["introducer_furl"].fits(f"pb://{'a' * 32}@{host}:12345/introducer") == is_public
