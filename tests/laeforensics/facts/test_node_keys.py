"""A node's identity is proved by its certificate and its key, or it is not."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from makings import FURL, INTRODUCER, STORAGE, STRANGER, fact, furl_of

from laeforensics.accounts.identities import judge
from laeforensics.facts.channels import BROKEN_KEY, CERTIFIED, OWN, PAIRED, REMOTE
from laeforensics.facts.node_keys import key_fits, swissnum_of_furl, tub_id_of_furl, tub_id_of_pem
from laeforensics.parsing._vouching import certify

CERTIFICATE, _, KEY = INTRODUCER.pem.partition("-----BEGIN RSA")
SWAPPED = CERTIFICATE + "-----BEGIN RSA" + STORAGE.pem.partition("-----BEGIN RSA")[2]


def test_the_tub_id_is_the_certificates_sha_1_in_base32():
    """Lower case, without padding, over the certificate in DER."""
    der = x509.load_pem_x509_certificate(INTRODUCER.pem.encode()).public_bytes(Encoding.DER)
    expected = base64.b32encode(hashlib.sha1(der).digest()).decode().lower()
    assert tub_id_of_pem(INTRODUCER.pem) == expected == INTRODUCER.nodeid


@pytest.mark.parametrize("pem", ["", "no certificate", CERTIFICATE.replace("M", "*"), "-----BEGIN CERTIFICATE-----\n"])
def test_what_holds_no_certificate_has_no_tub_id(pem):
    """Nothing is guessed from half a certificate."""
    assert tub_id_of_pem(pem) is None


def test_a_furl_is_taken_apart():
    """TubID before the @, swissnum after the last slash."""
    assert tub_id_of_furl(FURL) == INTRODUCER.nodeid
    assert swissnum_of_furl(FURL) == "introducer"


def test_a_key_fits_its_own_certificate_only():
    """RSA of 1024 bits under MD5 or SHA-1 is normal for these years; another node's key is not this one's."""
    assert key_fits(INTRODUCER.pem)
    assert not key_fits(SWAPPED)
    assert not key_fits(CERTIFICATE)
    assert not key_fits("")


@given(st.data())
def test_a_key_that_lost_or_changed_a_character_does_not_fit(data):
    """Damage anywhere inside the base64 of the private key is noticed."""
    start = INTRODUCER.pem.index("KEY-----\n") + len("KEY-----\n")
    end = INTRODUCER.pem.index("\n-----END RSA")
    at = data.draw(st.integers(start, end - 1).filter(lambda n: INTRODUCER.pem[n] not in "=\n"))
    lost = INTRODUCER.pem[:at] + INTRODUCER.pem[at + 1 :]
    assert not key_fits(lost)
    other = "A" if INTRODUCER.pem[at] != "A" else "B"
    if INTRODUCER.pem[at + 1] not in "=\n":  # the last characters hold bits that mean nothing
        assert not key_fits(INTRODUCER.pem[:at] + other + INTRODUCER.pem[at + 1 :])


@pytest.mark.parametrize(
    ("pem", "tub_ids", "verdict"),
    [
        (None, {INTRODUCER.nodeid}, "ABSENT"),
        (None, set(), "ABSENT"),
        (INTRODUCER.pem, set(), "STATED"),
        (INTRODUCER.pem, {INTRODUCER.nodeid}, "PROVED"),
        (INTRODUCER.pem, {INTRODUCER.nodeid, STRANGER.nodeid}, "PROVED"),
        (INTRODUCER.pem, {STRANGER.nodeid}, "BROKEN"),
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


def _channels(*facts):
    found = list(facts)
    certify(found)
    return [f.channel for f in found]


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
    assert _channels(furl, fact(STRANGER.pem, REMOTE, "introducer_node_pem")) == [OWN, REMOTE]


def test_a_certified_certificate_with_another_key_is_broken():
    """The hash proves the certificate, not the private key that follows it."""
    furl = fact(FURL, OWN, "introducer_furl")
    assert _channels(furl, fact(SWAPPED, REMOTE, "introducer_node_pem")) == [OWN, BROKEN_KEY]


def test_storage_certificate_and_node_id_vouch_for_each_other():
    """Nobody but the host tells the storage server's TubID: the two are believed together, a step lower."""
    pem, nodeid = fact(STORAGE.pem, REMOTE, "server_node_pem"), fact(STORAGE.nodeid, REMOTE, "server_nodeid")
    assert _channels(pem, nodeid) == [PAIRED, PAIRED]
    assert pem._replace(channel=PAIRED).standing > pem._replace(channel=OWN).standing


@pytest.mark.parametrize("ids", [(), (STRANGER.nodeid,), (STORAGE.nodeid, STRANGER.nodeid)])
def test_a_storage_certificate_without_its_one_node_id_stays_relayed(ids):
    """No id, another id, or two ids that differ: nobody vouches."""
    facts = [fact(i, REMOTE, "server_nodeid") for i in ids]
    assert set(_channels(fact(STORAGE.pem, REMOTE, "server_node_pem"), *facts)) == {REMOTE}


def test_the_introducers_certificate_does_not_vouch_for_the_storage_server():
    """A pair is a storage node's; an introducer needs the program's furl."""
    pem, nodeid = (
        fact(STRANGER.pem, REMOTE, "introducer_node_pem"),
        fact(STRANGER.nodeid, REMOTE, "introducer_nodeid"),
    )
    assert _channels(pem, nodeid, fact(furl_of(INTRODUCER), OWN, "introducer_furl")) == [REMOTE, REMOTE, OWN]
