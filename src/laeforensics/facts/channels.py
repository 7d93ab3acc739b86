"""Channels: the way by which a value came into the evidence, which tells how far it is believed."""

from __future__ import annotations

# Channels, best first. How far each is believed is said in `standing`.
OWN = "own"  # printed by the program, or written by it into a file of its own
CERTIFIED = "certified"  # relayed, but a hash proves it: a certificate that is the TubID the program printed
TESTIMONY = "testimony"  # remote output of a re-record run, whose very purpose was to read it out
PAIRED = "paired"  # relayed, and a second relayed value vouches for it: the storage certificate and its node id
SITE = "site"  # written by the web site or the operator: csv rows, the stripe file
FORM = "form"  # typed into the web form by anybody
REMOTE = "remote"  # relayed from a host
STRAY = "stray"  # a line without the announcement that should introduce it
ERROR = "error"  # inside or after an error message
BROKEN_KEY = "broken"  # a node.pem whose private key does not fit its own certificate
FOREIGN = "foreign"  # of a second signup in the same file
DAMAGED = "damaged"  # a character or two overwritten: other witnesses tell the value whole
STANDING = {
    OWN: 1,
    CERTIFIED: 1,
    TESTIMONY: 1,
    SITE: 2,
    PAIRED: 3,
    FORM: 3,
    REMOTE: 4,
    STRAY: 4,
    ERROR: 4,
    BROKEN_KEY: 4,
    FOREIGN: 4,
    DAMAGED: 4,
}
LAST_ASSERTING_STANDING = 3
