"""Copies and companions that contradict each other leave a field to a human."""

from __future__ import annotations

import pytest
from makings import (
    EMAIL,
    FURL,
    LOG_FILE,
    NAME,
    PARTS,
    SECRET_KEY,
    audit_row,
    codes,
    deployment,
    evidence,
    identities_read,
    log,
    open_files,
    request,
    result,
    secrets,
)

import laeforensics as lf
from laerecover.manifest import read_manifest

OTHER_KEY = "another0secret+key/of+forty/characters/0"

COPY = f"leastauthority.com/{LOG_FILE}"


def with_key(secret_key: str) -> bytes:
    return log(credentials=PARTS["credentials"].replace(SECRET_KEY, secret_key))


@pytest.mark.parametrize("swapped", [False, True])
def test_two_copies_of_a_log_that_differ_are_contested(tmp_path, swapped):
    """Whichever lies first.

    Two logs of one name with different secret keys leave the field to a human, as a finding says.
    """
    keys = [SECRET_KEY, OTHER_KEY][:: -1 if swapped else 1]
    case = open_files(tmp_path, {**evidence(log=with_key(keys[0]), secrets=None), COPY: with_key(keys[1])})
    row = audit_row(case)
    assert (row["verdict"], row["user_secret_key"]) == ("CONTESTED", None)
    assert codes(case, "user_secret_key") == {"contested-field"}


def test_two_copies_of_a_secrets_file_that_differ_are_contested(tmp_path):
    """Also where the log is lost, two secrets files of one name are both heard."""
    files = evidence(log=None)
    case = open_files(tmp_path, {**files, f"leastauthority.com/secrets/{NAME}": secrets(secret_key=OTHER_KEY)})
    assert audit_row(case)["blocking"] == ("contested:user_secret_key",)


def test_two_roots_that_differ_are_contested(tmp_path):
    """Two folders of evidence, each with a copy of the same log, speak with equal voices."""
    open_files(tmp_path / "a", evidence(log=with_key(OTHER_KEY), secrets=None))
    open_files(tmp_path / "b", evidence(secrets=None))
    case = lf.open_case(tmp_path / "a" / "evidence", tmp_path / "b" / "evidence")
    assert audit_row(case)["blocking"] == ("contested:user_secret_key",)


def test_two_copies_that_tell_other_addresses_are_contested(tmp_path):
    """The customer's address, too, is a field of which copies of the log may disagree."""
    other = log(
        deployment=PARTS["deployment"].replace(EMAIL, "bob@example.org"),
        mail=PARTS["mail"].replace(EMAIL, "bob@example.org"),
    )
    case = open_files(tmp_path, {**evidence(secrets=None, requests=None, results=None), COPY: other})
    assert audit_row(case)["blocking"] == ("contested:customer_email",)


def test_two_furls_of_one_certificate_are_contested(tmp_path):
    """The same TubID with another swissnum in the copy: no furl is taken, and the finding names the field."""
    files = evidence(secrets=None, log=log(installed=PARTS["installed"] + identities_read()))
    other = FURL.replace("/introducer", "/" + "a" * 32)
    copy = log(installed=PARTS["installed"] + identities_read(), settings=PARTS["settings"].replace(FURL, other))
    case = open_files(tmp_path, {**files, COPY: copy})
    row = audit_row(case)
    assert (row["verdict"], row["introducer_furl"]) == ("CONTESTED", None)
    assert "contested-field" in codes(case, "introducer_furl")


TYPED = {
    "o%27brien@example.com": "o'brien@example.com",
    "50%25off@example.com": "50%off@example.com",
    "m%C3%BCller@example.org": "müller@example.org",
    "a+b@example.com": "a+b@example.com",
    "a,b@example.com": None,
    "a%zz@example.com": None,
    "a%0D%0ABcc:x@example.com": None,
    "a%FFb@example.com": None,
    "a%40b@example.com": None,
    "(par)@example.net": None,
    "two words@example.com": None,
}


@pytest.mark.parametrize("written", ["o%27brien@example.com", "m%C3%BCller@example.org"])
@pytest.mark.parametrize("printed", [True, False])
def test_an_address_that_was_quoted_is_unconfirmed(written, printed, tmp_path):
    """Log and csv agree on it, but no program ever wrote to it: the staff get the mail, not the address."""
    files = evidence(requests=request(email=written), results=result(email=written))
    files[LOG_FILE] = (
        log(deployment=deployment(email=written), mail=PARTS["mail"].replace("ann@example.org", written))
        if printed
        else log("mail", deployment=deployment(email="").replace("instance_name = ''\n", ""))
    )
    case = open_files(tmp_path, files)
    assert audit_row(case)["customer_email"] == TYPED[written]
    assert codes(case, "customer_email") == {"unconfirmed-email"}
    case.export(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k")
    (account,) = read_manifest(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k").accounts
    assert (account.customer_email, account.customer_email_confirmed) == (TYPED[written], False)
