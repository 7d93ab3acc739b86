"""Channels: how a value came into the evidence. How far it is believed is another question: see `beliefs`."""

from __future__ import annotations

OWN = "own"  # printed by the program, or written by it into a file of its own
SITE = "site"  # written by the web site or the operator: csv rows, the stripe file
FORM = "form"  # typed into the web form by anybody
REMOTE = "remote"  # relayed from a host

STANDING = {OWN: 1, SITE: 2, FORM: 3, REMOTE: 4}
"""How far a channel is believed while nothing speaks for or against a fact: 1 is the program's own word."""
LAST_ASSERTING_STANDING = 3
ASSERTS_NOTHING = LAST_ASSERTING_STANDING + 1
