"""The fields of an account in the HOWTO's words, each with the shape that a whole value has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from laerecover.manifest import SECRET_FIELDS, Secret

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`shape` is what a whole value looks like: a value cut, glued or overwritten seldom fits it."""

    name: str
    shape: re.Pattern[str]
    secret: bool

    def fits(self, value: str) -> bool:
        """True if `value` is Unicode text (half a surrogate pair, which JSON can name, is none) and has the field's shape throughout."""
        return self.shape.fullmatch(value) is not None and (value.isascii() or not _HALF_A_PAIR.search(value))


_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"(?:{_OCTET}(?:\.{_OCTET}){{3}}|{_LABEL}(?:\.{_LABEL})*\.[a-z][a-z0-9-]*)"
_BASE32 = r"[a-z2-7]{32}"
_PEM_BLOCK = r"-----BEGIN {0}-----\n(?:[A-Za-z0-9+/=]{{1,76}}\n)+-----END {0}-----"

# Space ! # $ ( ) * + - . / : = ? @ ^ _ ` { | } ~ and alphanumerics are what the site lets through; % quotes the rest.
_SITE_TEXT = r"[A-Za-z0-9 !#$()*+./:=?@^_`{|}~%-]+"

_SHAPES: dict[str, str] = {
    # DevPay: product code and seed (for two days the activation key). S4: the subscription id ("sub_..") and the
    # customer id ("cus_..") in base32. Forms that damage gives, too, need a second witness: see `joining`.
    "bucket_name": rf"lae-(?:(?!on2wex)[0-9a-z]{{4,16}}-{_BASE32}|[0-9a-z]{{8}}-a[a-z2-7]{{29}}"
    r"|[0-9a-zA-Z]{8}-A[A-Z2-7]{29}|on2wex[a-z2-7]{8,}-mn2xgx[a-z2-7]{8,})",
    "user_access_key_id": r"[A-Z0-9]{20}",
    "user_secret_key": r"[A-Za-z0-9/+]{40}",
    "user_token": r"\{UserToken\}[A-Za-z0-9+/=]{16,}",
    "product_token": r"\{ProductToken\}[A-Za-z0-9+/=]{16,}",
    "product_code": r"[0-9A-Z]{4,16}",
    "customer_email": r"[A-Za-z0-9!#$%&'*+./=?^_`{|}~-]+@[A-Za-z0-9.-]+",
    "customer_name": r"(?s).+",
    "customer_keyinfo": r"(?s).+",
    "full_name": r"[^\x00-\x1f\x7f]+",
    "instance_id": r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?",
    "launch_time": r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{3}Z",
    "public_host": _HOST,
    "private_host": rf"(?:ip(?:-{_OCTET}){{4}}\.(?:ec2|compute-1|[a-z]+-[a-z]+-[0-9]\.compute)\.internal|(?!ip-){_HOST})",
    "introducer_furl": rf"pb://{_BASE32}@{_HOST}:[0-9]{{1,5}}/(?:introducer|{_BASE32})",
    "internal_introducer_furl": rf"pb://{_BASE32}@{_HOST}:[0-9]{{1,5}}(?:,{_HOST}:[0-9]{{1,5}})*/(?:introducer|{_BASE32})",
    "activation_key": r"[A-Z0-9]{10,40}",
    "ami_image_id": r"ami-[0-9a-f]{8}(?:[0-9a-f]{9})?",
    "instance_size": r"[a-z]+[0-9][a-z]?\.(?:nano|micro|small|medium|[0-9]*x?large)",
    "introducer_node_pem": "(?:"
    + _PEM_BLOCK.format("CERTIFICATE")
    + "\n"
    + _PEM_BLOCK.format("(?:RSA )?PRIVATE KEY")
    + ")",
    "introducer_nodeid": _BASE32,
    "server_node_pem": "(?:"
    + _PEM_BLOCK.format("CERTIFICATE")
    + "\n"
    + _PEM_BLOCK.format("(?:RSA )?PRIVATE KEY")
    + ")",
    "server_nodeid": _BASE32,
    "server_node_privkey": r"priv-v0-[a-z2-7]+",
}

FIELDS: dict[str, Field] = {
    name: Field(name=name, shape=re.compile(shape), secret=name in SECRET_FIELDS or name == "internal_introducer_furl")
    for name, shape in _SHAPES.items()
}

_SITE_EMAIL = re.compile(r"(?:[A-Za-z0-9!#$*+./=?^_`{|}~-]|%[0-9A-F]{2})+@[A-Za-z0-9.-]+")


def understood(name: str, written: str, *, is_quoted: bool) -> str | None:
    """The value of what was written for a field, None if it cannot be whole. `is_quoted` tells that the site had quoted it."""
    if name == "customer_email" and is_quoted:
        return typed_email(written)
    return written if FIELDS[name].fits(written) else None


def typed_email(written: str) -> str | None:
    """The address that was typed in, of what the site wrote: it quoted what is not plain.

    None where the site cannot have written this, or something was typed that is no address at all.
    """
    typed = unquote(written, errors="replace")
    is_address = typed.isprintable() and not set(typed) & {" ", "\ufffd"} and typed.count("@") == 1
    return typed if _SITE_EMAIL.fullmatch(written) and is_address else None


def was_quoted(email: str) -> bool:
    """True if the site quoted this address, so that no program ever wrote to it; since 2012-01-29 it refused them."""
    return "%" in email or not _SITE_EMAIL.fullmatch(email)


#: The columns of `case.signups`, in their order.
SIGNUP_FIELDS: tuple[str, ...] = (
    "bucket_name",
    "user_access_key_id",
    "user_secret_key",
    "user_token",
    "product_token",
    "product_code",
    "customer_email",
    "customer_name",
    "customer_keyinfo",
    "instance_id",
    "launch_time",
    "public_host",
    "private_host",
    "introducer_furl",
    "activation_key",
    "ami_image_id",
    "instance_size",
    "introducer_node_pem",
    "introducer_nodeid",
    "server_node_pem",
    "server_nodeid",
    "server_node_privkey",
)


def shown(name: str, value: str | None) -> Secret | str | None:
    """A field's value as a table may hold it."""
    return Secret(value) if value is not None and FIELDS[name].secret else value
