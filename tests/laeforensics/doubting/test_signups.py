"""What a signup hears is heard once, and anew as soon as more is told, or thought of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from makings import fact

from laeforensics.doubting.signups import Signup
from laeforensics.facts.beliefs import Beliefs, Doubt, Warrant
from laeforensics.facts.channels import OWN, REMOTE, SITE
from laeforensics.facts.reasons import ASSURES, RAISES, REASONS

NAMES = ("bucket_name", "product_code")
LOG = "a log"
TOLD = st.tuples(st.sampled_from(NAMES), st.sampled_from("ab"), st.sampled_from((OWN, SITE, REMOTE)))
SAID = st.tuples(st.integers(0, 9), st.sampled_from(sorted(REASONS)), st.sampled_from(((), (LOG,), ("another",))))


def say(beliefs: Beliefs, told, reason: str, about: tuple[str, ...]) -> None:
    kind = Warrant if REASONS[reason].weight in (RAISES, ASSURES) else Doubt
    beliefs.add([kind(facts=(told,), reason=reason, about=frozenset(about))])


@settings(deadline=None)
@given(st.lists(st.one_of(TOLD, SAID, st.just("derived")), max_size=12))
def test_what_was_heard_is_what_is_believed_now(happenings):
    """However telling, doubting and deriving take turns."""
    beliefs = Beliefs()
    signup, facts = Signup(name=LOG, log=None, beliefs=beliefs), []
    for start, each in enumerate(happenings):
        if each == "derived":
            source = next((one for one in facts if one.field == "bucket_name"), None)
            new = source and beliefs.derive(source._replace(field="product_code", rule=f"derived {start}"), source)
        elif isinstance(each[0], str):
            name, value, channel = each
            new = fact(value, channel, start=start)._replace(field=name)
        else:
            number, reason, about = each
            new = None
            if facts:
                say(beliefs, facts[number % len(facts)], reason, about)
        if new is not None:
            facts.append(new)
            signup.add([new])
        for name in NAMES:
            witnesses = signup.witnesses_of(name)
            assert signup.weigh(name) == signup.hearing.weigh(witnesses)
            assert list(signup.asserted(name)) == signup.hearing.asserting(witnesses)
            assert list(signup.sure(name)) == signup.hearing.sure(witnesses)
            alike = len(signup.sure(name)) == len(witnesses) and len({each.value for each in witnesses}) < 2
            assert signup.heard(name).is_of_one_mind == alike
