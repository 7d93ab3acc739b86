"""E-mail addresses as envelopes bear them: a domain beyond ASCII as IDNA writes it, what stands before the @ as is."""

from __future__ import annotations

import re
import unicodedata
from email.errors import MessageError
from email.headerregistry import Address

from laerecover.text import clean

_BEYOND = re.compile(r"[^\x00-\x7f]")


def address_of(email: str, display_name: str = "") -> Address:
    """The address, its domain in ASCII.

    Raises ValueError, LookupError, MessageError for what is none, or where nobody can be sure which one it is.
    """
    if clean(email) != email or any(c.isspace() for c in email):
        raise ValueError("it holds a line break, a space or a control character")
    local, _, domain = email.rpartition("@")
    written = _domain(domain)
    if local.isascii():
        return Address(display_name=display_name, addr_spec=f"{local}@{written}")
    # The parser takes no such letters, so it is asked of the same address with others in their places.
    likeness = Address(addr_spec=f"{_BEYOND.sub('x', local)}@{written}")
    if len(likeness.username) != len(local):
        raise ValueError("what stands before its @ is quoted")
    return Address(display_name=display_name, username=local, domain=written)


def unfit_address(email: str) -> str:
    """Why no envelope bears the address, or ""."""
    try:
        address_of(email)
    except (ValueError, LookupError, MessageError) as error:
        return clean(error) or "it is none"
    return ""


def is_international(email: str) -> bool:
    """Whether only a mail server with SMTPUTF8 (RFC 6531) takes the address: letters beyond ASCII before its @."""
    return not email.rpartition("@")[0].isascii()


def _domain(domain: str) -> str:
    """In ASCII. The two versions of IDNA make different domains of some letters (ß, for one), and of such a domain
    nobody here can tell which is meant.
    """
    if domain.isascii():
        return domain
    try:
        written = domain.encode("idna")
        same = written.decode("idna") == unicodedata.normalize("NFC", domain.lower())
    except UnicodeError:
        same = False
    if not same:
        raise ValueError("its domain is none that IDNA writes in one way")
    return written.decode("ascii")
