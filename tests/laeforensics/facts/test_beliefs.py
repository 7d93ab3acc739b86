"""What facts are worth, and what several of different standing say together."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makings import fact

from laeforensics.facts.beliefs import Beliefs, Doubt, Hearing, Warrant
from laeforensics.facts.channels import FORM, OWN, REMOTE, SITE
from laeforensics.facts.reasons import ASSURES, DENIES, LESSENS, RAISES, REASONS, UNSURE

# A channel, and the reason of a doubt or warrant about it.
FIRST = ((OWN, None), (REMOTE, "certified"), (REMOTE, "testimony"))
SECOND = ((SITE, None), (OWN, "of-another-time"))
THIRD = ((FORM, None), (REMOTE, "paired"), (SITE, "loosely-tied"))
NOTHING = ((REMOTE, None), *((OWN, reason) for reason, row in REASONS.items() if row.weight == DENIES))
EVERY = (*FIRST, *SECOND, *THIRD, *NOTHING)


def heard(*told: tuple[str, tuple[str, str | None]]):
    """Facts of these values that came so, and what they are worth."""
    facts, beliefs = [], Beliefs()
    for start, (value, (channel, reason)) in enumerate(told):
        facts.append(fact(value, channel, start=start))
        if reason is not None:
            kind = Warrant if REASONS[reason].weight == RAISES else Doubt
            beliefs.add([kind(facts=(facts[-1],), reason=reason)])
    return facts, Hearing(beliefs)


def weigh(*told: tuple[str, tuple[str, str | None]]) -> tuple[str | None, bool]:
    facts, hearing = heard(*told)
    return hearing.weigh(facts)


def test_no_witness_no_value():
    """Where nobody says anything, nothing is contested."""
    assert weigh() == (None, False)


@pytest.mark.parametrize("how", NOTHING)
def test_some_witnesses_assert_nothing(how):
    """Relayed or denied facts give no value and contest none."""
    assert weigh(("a", how)) == (None, False)
    assert weigh(("a", how), ("b", how)) == (None, False)
    for other in (*FIRST, *SECOND, *THIRD):
        assert weigh(("a", how), ("b", other)) == ("b", False)


@pytest.mark.parametrize("standing", [FIRST, SECOND, THIRD])
def test_witnesses_of_one_standing_agree_or_contest(standing):
    """Two that say the same are one value; two that differ are none, and contested."""
    for one, other in itertools.product(standing, repeat=2):
        assert weigh(("a", one), ("a", other)) == ("a", False)
        assert weigh(("a", one), ("b", other)) == (None, True)


@pytest.mark.parametrize(("better", "lesser"), [(FIRST, SECOND), (FIRST, THIRD), (SECOND, THIRD)])
def test_a_lesser_witness_neither_replaces_nor_contests(better, lesser):
    """Only the highest standing present speaks, however many lesser ones disagree."""
    for one, other in itertools.product(better, lesser):
        assert weigh(("b", other), ("a", one), ("c", other)) == ("a", False)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(EVERY))), st.randoms())
def test_the_order_of_witnesses_does_not_matter(told, random):
    """Weighing is the same for any order, and a value is always one that the best present say."""
    facts, hearing = heard(*told)
    value, contested = hearing.weigh(facts)
    random.shuffle(facts)
    assert hearing.weigh(facts) == (value, contested)
    assert not (value is not None and contested)
    if value is not None:
        best = min(map(hearing.standing, facts))
        assert {f.value for f in facts if hearing.standing(f) == best} == {value}


def test_a_doubt_changes_no_fact():
    """The fact says how it came; what is thought of it stands beside it, and its word for the tables follows."""
    told = fact("a")
    hearing = Hearing(Beliefs([Doubt(facts=(told,), reason="cut")]))
    assert (told.channel, hearing.channel(told), hearing.standing(told)) == (OWN, "stray", 4)


def test_a_doubt_about_some_signups_holds_there_alone():
    """A product's token is offered to many; that one's own secrets name another is nothing to the others."""
    told = fact("a")
    beliefs = Beliefs([Doubt(facts=(told,), reason="of-another-time", about=frozenset({"a log"}))])
    assert Hearing(beliefs, ["a log"]).standing(told) == 2
    assert Hearing(beliefs, ["another"]).standing(told) == Hearing(beliefs).standing(told) == 1


def test_a_denial_outweighs_every_warrant():
    """A certificate that proves itself, in a piece of another's log, is another's all the same."""
    told = fact("a", REMOTE)
    beliefs = Beliefs([Warrant(facts=(told,), reason="certified"), Doubt(facts=(told,), reason="another-run")])
    assert (Hearing(beliefs).standing(told), Hearing(beliefs).channel(told)) == (4, "foreign")


def test_what_follows_from_a_fact_is_believed_as_it_is():
    """Also what is found out later about the source counts."""
    source, beliefs = fact("a"), Beliefs()
    derived = beliefs.derive(fact("b", start=7), source)
    beliefs.add([Doubt(facts=(source,), reason="misprint")])
    assert Hearing(beliefs).channel(derived) == "damaged"


def test_every_reason_says_what_it_does():
    """Weight, meaning and remedy; a standing where it lessens or raises, and there alone."""
    for code, reason in REASONS.items():
        assert reason.weight in (DENIES, UNSURE, ASSURES, LESSENS, RAISES), code
        assert (reason.standing is not None) == (reason.weight in (LESSENS, RAISES)), code
        assert reason.means, code
        assert reason.remedy, code
