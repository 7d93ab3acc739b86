"""A node's identity is proved by its certificate and its key, or it is not."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from makings import FURL, INTRODUCER, STORAGE

from laeforensics.facts.node_keys import key_fits, swissnum_of_furl, tub_id_of_furl
from laerecover.manifest import tub_id_of_pem

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
