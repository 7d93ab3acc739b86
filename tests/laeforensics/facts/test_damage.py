"""What damage makes of a value."""

from __future__ import annotations

import pytest
from makings import (
    OTHER_NODE,
    furl_of,
)

from laeforensics.facts.damage import is_damage, is_hybrid


@pytest.mark.parametrize(
    ("one", "other", "damaged"),
    [
        ("192.0.2.10", "192.0.10", True),
        ("ann@example.org", "annexample.org", True),
        ("ann@example.org", "eve@example.org", False),
        (furl_of(OTHER_NODE), furl_of(OTHER_NODE)[:-1] + "x", True),
        (furl_of(OTHER_NODE), furl_of(OTHER_NODE)[:-9] + "xxxxxxxxx", False),
        ("abc", "xyz", False),
        ("", "abc", True),
    ],
)
def test_a_value_that_lost_a_stretch_is_damage_and_no_other_value(one, other, damaged):
    """One stretch lost anywhere, or a character or two of a long value overwritten; in either order."""
    assert is_damage(one, other) == is_damage(other, one) == damaged


@pytest.mark.parametrize(("tail", "hybrid"), [(12, True), (6, True), (5, False)])
def test_half_of_one_token_and_half_of_another_is_neither(tail, hybrid):
    """An end of six characters, beside the = that fill it up, is nobody else's."""
    one, other = "{UserToken}" + "ab" * 80, "{UserToken}" + "cd" * 80
    mixed = other[: len(one) - tail] + one[-tail:]
    assert is_hybrid(f"{one}==", f"{mixed}==") == is_hybrid(f"{mixed}==", f"{one}==") == hybrid
