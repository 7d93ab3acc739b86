"""The fields of an account in the HOWTO's words, each with the shape that a whole value has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from laeforensics.facts import rewritten
from laerecover.manifest import SECRET_FIELDS, Secret

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`shape` is what a whole value looks like (a value cut, glued or overwritten seldom fits it), `of` whose it is."""

    name: str
    of: str | None
    shape: re.Pattern[str]
    secret: bool

    def fits(self, value: str) -> bool:
        """True if `value` has the field's shape throughout and is Unicode text.

        (Half a surrogate pair, which JSON can name, is none.)
        """
        return self.shape.fullmatch(value) is not None and (value.isascii() or not _HALF_A_PAIR.search(value))


_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"(?:{_OCTET}(?:\.{_OCTET}){{3}}|{_LABEL}(?:\.{_LABEL})*\.[a-z][a-z0-9-]*)"
_INNER = (
    r"(?:(?:10|127|192\.168|172\.(?:1[6-9]|2[0-9]|3[01]))(?:\.[0-9]+){2,3}(?![a-z0-9.-])"
    r"|(?:ip|domU)-[0-9A-F-]+\.[a-z0-9.-]*internal(?![a-z0-9.-]))"
)
_PUBLIC_HOST = f"(?!{_INNER}){_HOST}"
"""A host of an inner network is none: nobody outside ever came to one."""
_IPV6 = r"\[[0-9a-f:.]{2,45}\]"
_BASE32 = r"[a-z2-7]{32}"
_PEM_BLOCK = r"-----BEGIN {0}-----\n(?:[A-Za-z0-9+/=]{{1,76}}\n)+-----END {0}-----"
_NODE_PEM = f"(?:{_PEM_BLOCK.format('CERTIFICATE')}\n{_PEM_BLOCK.format('(?:RSA )?PRIVATE KEY')})"

# What the site lets through unquoted: in addresses these, elsewhere space ( ) : @ too. It quotes the rest as %XX.
_IN_ADDRESSES = "A-Za-z0-9!#$*+./=?^_`{|}~-"
_QUOTED = "%[0-9A-F]{2}"
SITE_TEXT = rf"(?:[ ():@{_IN_ADDRESSES}]|{_QUOTED})*"
"""The expression of everything that the site writes into a csv cell."""
_SITE_EMAIL = re.compile(rf"(?:[{_IN_ADDRESSES}]|{_QUOTED})+@[A-Za-z0-9.-]+")

# What a field is of. An auditor asks in this order.
CREDENTIALS, CUSTOMER, IDENTITY, SERVER = "credentials", "customer", "identity", "server"
COURSE = "course"
"""What a run announced of itself: no value of an account, and in no table of values."""

# Name, what it is of (None: read, but no column of a table), shape. The columns of `case.signups` come in this order.
_TABLE: tuple[tuple[str, str | None, str], ...] = (
    # DevPay: product code and seed (for two days the activation key). S4: the subscription id ("sub_..") and the
    # customer id ("cus_..") in base32. Forms that damage gives, too, need a second witness: see `joining`.
    (
        "bucket_name",
        CREDENTIALS,
        rf"lae-(?:(?!on2wex)[0-9a-z]{{4,16}}-{_BASE32}|[0-9a-z]{{8}}-a[a-z2-7]{{29}}"
        r"|[0-9a-zA-Z]{8}-A[A-Z2-7]{29}|on2wex[a-z2-7]{8,}-mn2xgx[a-z2-7]{8,})",
    ),
    ("user_access_key_id", CREDENTIALS, r"[A-Z0-9]{20}"),
    ("user_secret_key", CREDENTIALS, r"[A-Za-z0-9/+]{40}"),
    ("user_token", CREDENTIALS, r"\{UserToken\}[A-Za-z0-9+/=]{16,}"),
    ("product_token", CREDENTIALS, r"\{ProductToken\}[A-Za-z0-9+/=]{16,}"),
    ("product_code", CREDENTIALS, r"[0-9A-Z]{4,16}"),
    ("customer_email", CUSTOMER, r"[A-Za-z0-9!#$%&'*+./=?^_`{|}~-]+@[A-Za-z0-9.-]+"),
    ("customer_name", CUSTOMER, r"(?s).+"),
    ("customer_keyinfo", CUSTOMER, r"(?s).+"),
    ("instance_id", SERVER, r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?"),
    (
        "launch_time",
        SERVER,
        r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{3}Z",
    ),
    ("public_host", SERVER, _PUBLIC_HOST),
    (
        "private_host",
        SERVER,
        rf"(?:ip(?:-{_OCTET}){{4}}\.(?:ec2|compute-1|[a-z]+-[a-z]+-[0-9]\.compute)\.internal"
        rf"|domU(?:-[0-9A-F]{{2}}){{6}}\.compute-1\.internal|(?!ip-){_HOST})",
    ),
    ("introducer_furl", IDENTITY, rf"pb://{_BASE32}@(?:{_PUBLIC_HOST}|{_IPV6}):[0-9]{{1,5}}/(?:introducer|{_BASE32})"),
    ("activation_key", CREDENTIALS, r"[A-Z0-9]{10,40}"),
    ("ami_image_id", SERVER, r"ami-[0-9a-f]{8}(?:[0-9a-f]{9})?"),
    ("instance_size", SERVER, r"[a-z]+[0-9][a-z]?\.(?:nano|micro|small|medium|[0-9]*x?large)"),
    ("introducer_node_pem", IDENTITY, _NODE_PEM),
    ("introducer_nodeid", IDENTITY, _BASE32),
    ("server_node_pem", IDENTITY, _NODE_PEM),
    ("server_nodeid", IDENTITY, _BASE32),
    ("server_node_privkey", IDENTITY, r"priv-v0-[a-z2-7]{52}"),
    ("full_name", None, r"[^\x00-\x1f\x7f]+"),
    (
        "internal_introducer_furl",
        None,
        rf"pb://{_BASE32}@(?:{_HOST}|{_IPV6}|localhost):[0-9]{{1,5}}(?:,(?:{_HOST}|{_IPV6}|localhost):[0-9]{{1,5}})*"
        rf"/(?:introducer|{_BASE32})",
    ),
    ("stage", COURSE, r"[a-z_]+"),
    ("failure", COURSE, r".+"),
    ("bucket_failed", COURSE, r".+"),
    ("reading", COURSE, r".+"),
)
_SECRET = {*SECRET_FIELDS, "internal_introducer_furl"}

FIELDS: dict[str, Field] = {
    name: Field(name=name, of=of, shape=re.compile(shape), secret=name in _SECRET) for name, of, shape in _TABLE
}
SIGNUP_FIELDS: tuple[str, ...] = tuple(name for name, field in FIELDS.items() if field.of not in (None, COURSE))
"""The columns of `case.signups`, in their order."""


def fields_of(*what: str) -> tuple[str, ...]:
    """The fields of CREDENTIALS, CUSTOMER, IDENTITY or SERVER (or of several), in the order of the table."""
    return tuple(name for name, field in FIELDS.items() if field.of in what)


OF_ONE_SERVER = (*fields_of(SERVER), "server_node_privkey")
"""What each server of an account has for itself, though the account's nodes come back on it as themselves."""


def understood(name: str, written: str, *, is_quoted: bool) -> str | None:
    """The value of what was written for a field, None if it cannot be whole.

    `is_quoted` tells that the site had quoted it.
    """
    if name == "customer_email" and is_quoted:
        return typed_email(written)
    if name in _AT_AN_ADDRESS:
        written = rewritten.by_address(written)
    if FIELDS[name].fits(written):
        return None if name == "customer_email" and exceeds_mail_limits(written) else written
    seen = rewritten.visible(written)
    again = _REWRITTEN[name](seen) if name in _REWRITTEN else seen
    return again if FIELDS[name].fits(again) else None


_AT_AN_ADDRESS = frozenset({"public_host", "introducer_furl"})
_REWRITTEN = {
    "user_token": rewritten.token,
    "product_token": rewritten.token,
    "introducer_node_pem": rewritten.pem,
    "server_node_pem": rewritten.pem,
    "introducer_furl": rewritten.external_furl,
    "internal_introducer_furl": rewritten.internal_furl,
}


def typed_email(written: str) -> str | None:
    """The address that was typed in, of what the site wrote: it quoted what is not plain.

    None where the site cannot have written this, or something was typed that is no address at all.
    """
    typed = unquote(written, errors="replace")
    is_address = typed.isprintable() and not set(typed) & {" ", "\ufffd"} and typed.count("@") == 1
    is_address = is_address and not exceeds_mail_limits(typed)
    return typed if _SITE_EMAIL.fullmatch(written) and is_address else None


def exceeds_mail_limits(email: str) -> bool:
    """True if no server takes an address of this length (RFC 5321: 254, of which 64 before the @)."""
    return len(email) > 254 or email.find("@") > 64


def was_quoted(email: str) -> bool:
    """True if the site quoted this address, so that no program ever wrote to it; since 2012-01-29 it refused them."""
    return "%" in email or not _SITE_EMAIL.fullmatch(email)


def shown(name: str, value: str | None) -> Secret | str | None:
    """A field's value as a table may hold it."""
    return Secret(value) if value is not None and FIELDS[name].secret else value
