"""A key is proved, stated or broken, by the TubIDs that name its node."""

from __future__ import annotations

import pytest
from makings import INTRODUCER, OTHER_NODE, STORAGE

from laeforensics.accounts.identities import judge

CERTIFICATE, _, KEY = INTRODUCER.pem.partition("-----BEGIN RSA")

SWAPPED = CERTIFICATE + "-----BEGIN RSA" + STORAGE.pem.partition("-----BEGIN RSA")[2]


@pytest.mark.parametrize(
    ("pem", "tub_ids", "verdict"),
    [
        (None, {INTRODUCER.nodeid}, "ABSENT"),
        (None, set(), "ABSENT"),
        (INTRODUCER.pem, set(), "STATED"),
        (INTRODUCER.pem, {INTRODUCER.nodeid}, "PROVED"),
        (INTRODUCER.pem, {INTRODUCER.nodeid, OTHER_NODE.nodeid}, "PROVED"),
        (INTRODUCER.pem, {OTHER_NODE.nodeid}, "BROKEN"),
        (SWAPPED, {INTRODUCER.nodeid}, "BROKEN"),
        (SWAPPED, set(), "BROKEN"),
        ("no certificate", {INTRODUCER.nodeid}, "BROKEN"),
    ],
)
def test_the_verdict_on_a_key(pem, tub_ids, verdict):
    """PROVED needs a fitting TubID and a fitting key; a key with nothing against it is STATED.

    A throw-away furl breaks nothing.
    """
    assert judge(pem, tub_ids) == verdict
