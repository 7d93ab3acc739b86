"""Which witness is rather to be believed, as `explain`, `list` and `decide` say it."""

from __future__ import annotations

import pytest
from makings import BUCKET, CODE, EMAIL, PRODUCT_TOKEN, as_another, config, evidence, secrets
from packings import write

from laeforensics.audit.preference import LONE

MANY = ("decide", "evidence", "--where", "contested=product_token", "--because", "x", "--yes", "--prefer")


@pytest.fixture
def torn(folder):
    """Makes the evidence of two customers of one product, in which one secrets file tells another token."""

    def make(token):
        files = evidence(secrets=secrets(product_token=token))
        theirs = {as_another(name.encode()).decode(): as_another(data) for name, data in evidence().items()}
        write(folder / "evidence", {**{n: d for n, d in theirs.items() if not n.endswith((".csv", ".json"))}, **files})

    return make


@pytest.mark.parametrize("end", ["INVENTEX==", "XXVENTED==", "INVEN==", "INVENTEDD==", "INVENTE="])
def test_what_may_be_damage_is_decided_by_no_rule(end, torn, typed):
    """A token with a character or two changed, or a piece lost: no hint, no command, no rule; but a place is one."""
    torn(PRODUCT_TOKEN.replace("INVENTED==", end))
    _, out, _ = typed("explain", "evidence", EMAIL, "--field", "product_token")
    _, found, err = typed("list", "evidence", "--verdict", "CONTESTED")
    assert (found.count("CONTESTED"), "decide: " in err, "look for another copy" in err) == (1, False, True)
    assert ("decide: " in out, "hint" in out, "look for another copy" in out.splitlines()[-1]) == (False, False, True)
    for rule in ("own", "most"):
        assert typed(*MANY, rule)[0] == 2
    assert typed(*MANY, "lae_automation_config.json:1")[0] == 0


def test_one_voice_that_is_not_sure_is_picked_by_no_rule(folder, typed):
    """Nobody disagrees with it: it is named by its place, or not at all."""
    offered = {"full_name": "An invented product", "product_code": CODE}
    torn = config({**offered, "product_token": PRODUCT_TOKEN.replace("INVENTED", "INVXXXXD")})
    both = evidence(config=torn), evidence(config=torn, secrets=secrets(product_token=None))
    theirs = {as_another(name.encode()).decode(): as_another(data) for name, data in both[0].items()}
    write(folder / "evidence", {**{n: d for n, d in theirs.items() if not n.endswith((".csv", ".json"))}, **both[1]})
    for rule in ("own", "most"):
        assert typed(*MANY, rule, "--where", f"customer_email={EMAIL}")[0] == 2
    _, out, _ = typed("explain", "evidence", EMAIL, "--field", "product_token")
    _, _, err = typed("list", "evidence", "--where", f"customer_email={EMAIL}")
    assert ("decide: " in out + err, "hint" in out, LONE in err) == (False, False, True)
    assert f"  next: product_token: {LONE}" in out.splitlines()
    assert out.splitlines()[-2:] == [
        f"product_token: {LONE}",
        f"if you know it: laeforensics decide evidence {BUCKET} product_token --witness 1 --because WHY",
    ]


@pytest.mark.parametrize("end", ["OLDER+ONE==", "AAAAAAAAAAAA=="])
def test_an_own_file_that_tells_another_value_wholly_is_hinted_at(end, torn, typed):
    """What all customers share changed with time: the account's own word is picked by hint and rule."""
    torn(PRODUCT_TOKEN.replace("INVENTED==", end))
    _, out, _ = typed("explain", "evidence", EMAIL, "--field", "product_token")
    assert "product_token --witness 1 --because WHY" in out
    assert "hint: witness 1: the account's own files say so" in out
    assert typed(*MANY, "own")[1].count("decided ") == 1
