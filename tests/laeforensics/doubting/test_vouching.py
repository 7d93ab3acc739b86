"""Relayed identities that prove themselves, or vouch for each other."""

from __future__ import annotations

import pytest
from makings import FURL, INTRODUCER, OTHER_NODE, STORAGE, fact, furl_of

from laeforensics.doubting import vouching
from laeforensics.doubting.views import FileView
from laeforensics.facts.beliefs import Beliefs, Hearing, Warrant
from laeforensics.facts.channels import OWN, REMOTE
from laeforensics.parsing.signuplogs import read_log

BROKEN_KEY, CERTIFIED, PAIRED = "broken", "certified", "paired"

CERTIFICATE, _, KEY = INTRODUCER.pem.partition("-----BEGIN RSA")

SWAPPED = CERTIFICATE + "-----BEGIN RSA" + STORAGE.pem.partition("-----BEGIN RSA")[2]


def _channels(*facts):
    nothing_else = read_log(b"", "signup_logs/a log")
    hearing = Hearing(Beliefs(vouching.judge(FileView(facts=facts, log=nothing_else))))
    return [hearing.channel(fact) for fact in facts]


def test_a_relayed_certificate_that_the_program_printed_is_the_programs_own_word():
    """node.pem and node id are certified by a furl of the program with their TubID."""
    furl = fact(FURL, OWN, "introducer_furl")
    pem, nodeid = (
        fact(INTRODUCER.pem, REMOTE, "introducer_node_pem"),
        fact(INTRODUCER.nodeid, REMOTE, "introducer_nodeid"),
    )
    assert _channels(furl, pem, nodeid) == [OWN, CERTIFIED, CERTIFIED]


def test_a_relayed_furl_certifies_nothing():
    """Text from a host cannot raise other text from that host."""
    furl = fact(FURL, REMOTE, "introducer_furl")
    assert _channels(furl, fact(INTRODUCER.pem, REMOTE, "introducer_node_pem")) == [REMOTE, REMOTE]


def test_another_certificate_than_the_printed_one_stays_relayed():
    """A forged node.pem in the remote output is not believed beside the program's furl."""
    furl = fact(FURL, OWN, "introducer_furl")
    assert _channels(furl, fact(OTHER_NODE.pem, REMOTE, "introducer_node_pem")) == [OWN, REMOTE]


def test_a_certified_certificate_with_another_key_is_broken():
    """The hash proves the certificate, not the private key that follows it."""
    furl = fact(FURL, OWN, "introducer_furl")
    assert _channels(furl, fact(SWAPPED, REMOTE, "introducer_node_pem")) == [OWN, BROKEN_KEY]


def test_storage_certificate_and_node_id_vouch_for_each_other():
    """Nobody but the host tells the storage server's TubID: the two are believed together, a step lower."""
    pem, nodeid = fact(STORAGE.pem, REMOTE, "server_node_pem"), fact(STORAGE.nodeid, REMOTE, "server_nodeid")
    assert _channels(pem, nodeid) == [PAIRED, PAIRED]
    hearing = Hearing(Beliefs([Warrant(facts=(pem,), reason="paired")]))
    assert hearing.standing(pem) > hearing.standing(pem._replace(channel=OWN))


@pytest.mark.parametrize("ids", [(), (OTHER_NODE.nodeid,), (STORAGE.nodeid, OTHER_NODE.nodeid)])
def test_a_storage_certificate_without_its_one_node_id_stays_relayed(ids):
    """No id, another id, or two ids that differ: nobody vouches."""
    facts = [fact(i, REMOTE, "server_nodeid") for i in ids]
    assert set(_channels(fact(STORAGE.pem, REMOTE, "server_node_pem"), *facts)) == {REMOTE}


def test_the_introducers_certificate_does_not_vouch_for_the_storage_server():
    """A pair is a storage node's; an introducer needs the program's furl."""
    pem, nodeid = (
        fact(OTHER_NODE.pem, REMOTE, "introducer_node_pem"),
        fact(OTHER_NODE.nodeid, REMOTE, "introducer_nodeid"),
    )
    assert _channels(pem, nodeid, fact(furl_of(INTRODUCER), OWN, "introducer_furl")) == [REMOTE, REMOTE, OWN]
