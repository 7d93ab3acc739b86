"""What witnesses of different standing say together."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makings import (
    fact,
)

from laeforensics.facts.channels import (
    BROKEN_KEY,
    CERTIFIED,
    ERROR,
    FOREIGN,
    FORM,
    OWN,
    PAIRED,
    REMOTE,
    SITE,
    STRAY,
    TESTIMONY,
)
from laeforensics.facts.fact import weigh

CHANNELS = (OWN, CERTIFIED, TESTIMONY, SITE, PAIRED, FORM, REMOTE, STRAY, ERROR, BROKEN_KEY, FOREIGN)

FIRST, SECOND, THIRD = (OWN, CERTIFIED, TESTIMONY), (SITE,), (PAIRED, FORM)

NOTHING = (REMOTE, STRAY, ERROR, BROKEN_KEY, FOREIGN)


def test_no_witness_no_value():
    """Where nobody says anything, nothing is contested."""
    assert weigh([]) == (None, False)


@pytest.mark.parametrize("channel", NOTHING)
def test_some_witnesses_assert_nothing(channel):
    """Relayed, stray, erroneous, broken or foreign text gives no value and contests none."""
    assert weigh([fact("a", channel)]) == (None, False)
    assert weigh([fact("a", channel), fact("b", channel)]) == (None, False)
    for other in (*FIRST, *SECOND, *THIRD):
        assert weigh([fact("a", channel), fact("b", other)]) == ("b", False)


@pytest.mark.parametrize("standing", [FIRST, SECOND, THIRD])
def test_witnesses_of_one_standing_agree_or_contest(standing):
    """Two that say the same are one value; two that differ are none, and contested."""
    for one, other in itertools.product(standing, repeat=2):
        assert weigh([fact("a", one), fact("a", other)]) == ("a", False)
        assert weigh([fact("a", one), fact("b", other)]) == (None, True)


@pytest.mark.parametrize(("better", "lesser"), [(FIRST, SECOND), (FIRST, THIRD), (SECOND, THIRD)])
def test_a_lesser_witness_neither_replaces_nor_contests(better, lesser):
    """Only the highest standing present speaks, however many lesser ones disagree."""
    for one, other in itertools.product(better, lesser):
        assert weigh([fact("b", other), fact("a", one), fact("c", other)]) == ("a", False)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(CHANNELS))), st.randoms())
def test_the_order_of_witnesses_does_not_matter(told, random):
    """Weighing is the same for any order, and a value is always one that the best present say."""
    facts = [fact(value, channel) for value, channel in told]
    value, contested = weigh(facts)
    random.shuffle(facts)
    assert weigh(facts) == (value, contested)
    assert not (value is not None and contested)
    if value is not None:
        best = min(f.standing for f in facts)
        assert {f.value for f in facts if f.standing == best} == {value}
