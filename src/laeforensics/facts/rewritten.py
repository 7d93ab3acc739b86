"""Values that a later program wrote in another way, as the signup program would have written them."""

from __future__ import annotations

import re
from textwrap import wrap

_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+=*")
_WIDTH = 64
_INVISIBLE = re.compile("[\u200b\u2060\ufeff]|\xe2\x80\x8b|\xe2\x81\xa0|\xef\xbb\xbf|^(?:\xc2?\xa0)+|(?:\xc2?\xa0)+$")
_FURL = re.compile(r"pb://([a-z2-7]{32})@([^/\s]+)/([^/\s]+)", re.IGNORECASE)
_ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_HINT = re.compile(r"(?:tcp:)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")
_OCTETS = "-".join(["([0-9]{1,3})"] * 4)
_NAME_OF_ADDRESS = re.compile(rf"\bec2-{_OCTETS}\.(?:compute-1|[a-z]+-[a-z]+-[0-9]\.compute)\.amazonaws\.com\b")
_OF_INSIDE = re.compile(r"(?:10|127|169\.254|192\.168|172\.(?:1[6-9]|2[0-9]|3[01]))\.")


def visible(text: str) -> str:
    """A text without the blanks of no width that a page puts into it, or unbreakable ones around it.

    Be its bytes decoded or not.
    """
    return _INVISIBLE.sub("", text)


def pem(text: str) -> str:
    """A node.pem: its one certificate, then its one private key, each in lines of 64 characters.

    CR LF, another order, text around and between the blocks, other widths are no other PEM. What holds no such pair, or
    what no PEM holds, is left as it is.
    """
    blocks = [(match[1], "".join(match[2].split())) for match in _BLOCK.finditer(text)]
    certificates = [block for block in blocks if block[0] == "CERTIFICATE"]
    keys = [block for block in blocks if block[0] in ("RSA PRIVATE KEY", "PRIVATE KEY")]
    if len(certificates) != 1 or len(keys) != 1 or not all(_BASE64.fullmatch(body) for _, body in blocks):
        return text
    return "\n".join(
        "\n".join([f"-----BEGIN {name}-----", *wrap(body, _WIDTH), f"-----END {name}-----"])
        for name, body in (*certificates, *keys)
    )


def token(text: str) -> str:
    """A token that was wrapped, as in a mail: its lines are as wide as each other, but for the first and the last.

    A line break alone may be damage.
    """
    first, *lines = text.split("\n")
    widths = {len(line) for line in lines[:-1]}
    is_wrapped = len(widths) == 1 and max(len(first), len(lines[-1])) <= max(widths)
    return first + "".join(lines) if is_wrapped else text


def external_furl(text: str) -> str:
    """A furl with the one hint by which a customer reaches the server: an address before a name, neither of inside.

    TubID and swissnum are what identifies it; `tcp:` and further hints came with later versions of foolscap.
    """
    match = _FURL.fullmatch(text.strip())
    hints = _hints(match[2]) if match is not None else []
    if match is None or not hints:
        return text
    outside = [hint for hint in hints if not _OF_INSIDE.match(hint)] or hints
    best = next((hint for hint in outside if _ADDRESS.match(hint)), outside[0])
    return f"pb://{match[1].lower()}@{best}/{match[3]}"


def internal_furl(text: str) -> str:
    """A furl of inside with its hints as older versions of foolscap wrote them."""
    match = _FURL.fullmatch(text.strip())
    hints = _hints(match[2]) if match is not None else []
    return text if match is None or not hints else f"pb://{match[1].lower()}@{','.join(hints)}/{match[3]}"


def by_address(text: str) -> str:
    """A host, or a furl, with the address in place of the name that the provider makes of it."""
    return _NAME_OF_ADDRESS.sub(r"\1.\2.\3.\4", text)


def at_address(furl: str, host: str) -> str:
    """A furl whose one hint is a name or of IPv6, with the IPv4 address of the same server in its place."""
    told, _, rest = furl.partition("@")
    hint, _, swissnum = rest.partition("/")
    if not _ADDRESS.fullmatch(host) or _ADDRESS.match(hint):
        return furl
    return f"{told}@{host}:{hint.rpartition(':')[2]}/{swissnum}"


def _hints(location: str) -> list[str]:
    """HOST:PORT of each hint, none if one of them is of another kind (tor:, i2p:)."""
    found = [_HINT.fullmatch(hint) for hint in location.split(",")]
    return [f"{match[1].lower()}:{match[2]}" for match in found if match] if all(found) else []
