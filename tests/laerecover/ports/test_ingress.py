"""Whom a security group lets in, told from its rules."""

from __future__ import annotations

import pytest

from laerecover.ports.ingress import Ingress, covered, sources


def rule(first, last, source):
    """A rule."""
    return Ingress(first=first, last=last, source=source)


def test_sources_of_a_port_are_joined_where_they_touch():
    """Of the rules whose ports hold it; lists of the cloud's stand beside, for nobody knows what is in them."""
    rules = [rule(0, 65535, "10.1.0.0/17"), rule(12345, 12345, "10.1.128.0/17"), rule(12000, 13000, "10.1.2.0/24")]
    rules += [rule(22, 22, "0.0.0.0/0"), rule(12345, 12346, "pl-2"), rule(12345, 12346, "pl-1")]
    assert sources(rules, 12345) == ("10.1.0.0/16", "pl-1", "pl-2")
    assert sources(rules, 12346) == ("10.1.0.0/17", "pl-1", "pl-2")
    assert sources(rules, 22)[0] == "0.0.0.0/0"
    assert sources([], 22) == ()


@pytest.mark.parametrize(
    ("wanted", "by", "is_covered"),
    [
        ("0.0.0.0/0", ("0.0.0.0/0",), True),
        ("0.0.0.0/0", ("0.0.0.0/1",), False),
        ("10.1.0.0/16", ("10.0.0.0/8",), True),
        ("203.0.113.7", ("203.0.113.0/24", "pl-1"), True),
        ("203.0.113.0/24", ("203.0.113.0/25",), False),
        ("203.0.113.0/24", ("pl-1",), False),
        ("pl-1", ("203.0.113.0/24", "pl-1"), True),
        ("pl-1", ("0.0.0.0/0",), True),
        ("0.0.0.0/0", (), False),
    ],
)
def test_who_is_covered(wanted, by, is_covered):
    """A part is not the whole, and of a list nobody knows more than its name."""
    assert covered(wanted, by) is is_covered
