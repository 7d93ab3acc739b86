"""One secrets file (a JSON object on one line, or the stripe list) becomes facts with their places."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]  # the C scanner: it tells where a string ends

from laeforensics.facts.channels import BROKEN_KEY, DAMAGED, OWN, SITE, STRAY
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import FIELDS
from laeforensics.facts.node_keys import key_fits, tub_id_of_furl, tub_id_of_pem

_FIELD_OF_KEY = {
    "access_key_id": "user_access_key_id",
    "secret_key": "user_secret_key",
    "user_token": "user_token",
    "product_token": "product_token",
    "bucket_name": "bucket_name",
    "publichost": "public_host",
    "public_host": "public_host",
    "privatehost": "private_host",
    "private_host": "private_host",
    "introducer_node_pem": "introducer_node_pem",
    "introducer_nodeid": "introducer_nodeid",
    "server_node_pem": "server_node_pem",
    "server_nodeid": "server_nodeid",
    "server_node_privkey": "server_node_privkey",
    "external_introducer_furl": "introducer_furl",
    "internal_introducer_furl": "internal_introducer_furl",
}
_SPACE = " \t\r\n"


@dataclass(slots=True, kw_only=True)
class SecretsFile:
    """What one secrets file says. `filled` is False for the 0 bytes that a run leaves which never came to its end."""

    evidence: str
    facts: list[Fact] = field(default_factory=list)
    filled: bool = False
    problem: str | None = None
    rejected: list[tuple[str, Locator]] = field(default_factory=list)
    damaged_names: list[Fact] = field(default_factory=list)
    """The bucket's name with characters that no name has: it asserts nothing."""

    def value(self, name: str) -> str | None:
        """The file's value of a field; None if it has none, or two that differ."""
        values = {fact.value for fact in self.facts if fact.field == name and fact.channel == OWN}
        return values.pop() if len(values) == 1 else None


def read_secrets(data: bytes, evidence: str) -> SecretsFile:
    """Read a secrets file of any generation. Never fails: what is whole before damage is kept, the damage is named."""
    result = SecretsFile(evidence=evidence)
    if not data:
        result.problem = "0 bytes: the run that opened it never came to its end"
        return result
    text = data.decode("latin-1").rstrip("\0")
    position = _skip(text, 0)
    if not text.startswith("{", position):
        result.problem = "is no JSON object"
        return result
    try:
        position = _object(result, text, position)
        if position < len(text):
            again = SecretsFile(evidence=evidence)
            position = _object(again, text, position)
            if position < len(text) or _values(again) != _values(result):
                result.problem = "several JSON objects that differ"
                result.facts.clear()
    except _Damage as damage:
        result.problem = f"damaged at byte {damage.args[0]}"
        _doubt_last(result, text, damage.args[0])
    _doubt_swapped(result)
    _doubt_hosts(result)
    result.filled = bool(result.facts)
    return result


class _Damage(Exception):
    """Where the JSON ends to be JSON."""


def _object(result: SecretsFile, text: str, position: int) -> int:
    """Add the facts of the object that begins at `position`; the position after it and the space that follows."""
    try:
        position = _skip(text, _expect(text, position, "{"))
        while True:
            key, position = _string(text, position)
            start = _skip(text, _expect(text, _skip(text, position), ":"))
            if text.startswith("null", start):
                position = start + 4
            else:
                value, position = _string(text, start)
                line = 1 + text.count("\n", 0, start)
                _add(result, key, value, Locator(result.evidence, line, start + 1, position - 1))
            position = _skip(text, position)
            if text.startswith("}", position):
                return _skip(text, position + 1)
            position = _skip(text, _expect(text, position, ","))
    except ValueError:
        raise _Damage(position) from None


def _doubt_last(result: SecretsFile, text: str, position: int) -> None:
    """The JSON breaks off behind a value, not with the file.

    A character of the value may have become its closing quote.
    """
    last = result.facts[-1] if result.facts else None
    if last is not None and position < len(text) and _skip(text, last.locator.end + 1) == position:
        result.facts[-1] = last._replace(channel=STRAY)
        result.rejected.append((last.field, last.locator))


def _values(file: SecretsFile) -> set[tuple[str, str]]:
    return {(fact.field, fact.value) for fact in file.facts}


def _doubt_hosts(result: SecretsFile) -> None:
    """The furls tell the hosts once more: where they differ from the hosts told, neither is sure."""
    for host_field, furl_field, same in (
        ("public_host", "introducer_furl", lambda host: host),
        ("private_host", "internal_introducer_furl", _address_of),
    ):
        host, furl = result.value(host_field), result.value(furl_field)
        if host is None or furl is None:
            continue
        told = furl.partition("@")[2].partition(":")[0]
        if same(host) not in (None, told):
            doubted = {host_field, furl_field}
            result.rejected += [(f.field, f.locator) for f in result.facts if f.field in doubted]
            result.facts = [f._replace(channel=STRAY) if f.field in doubted else f for f in result.facts]


def _address_of(private_host: str) -> str | None:
    """The address in `ip-10-1-2-3.ec2.internal`, None for a host of another form."""
    label = private_host.partition(".")[0]
    return label[3:].replace("-", ".") if label.startswith("ip-") else None


def _doubt_swapped(result: SecretsFile) -> None:
    """Where a node.pem's certificate is not the node id beside it, the two were swapped or changed: neither is sure.

    The introducer's furl decides between its node.pem and its node id; nothing decides for the storage server.
    """
    furl = result.value("introducer_furl")
    for pem_field, id_field, witness in (
        ("introducer_node_pem", "introducer_nodeid", tub_id_of_furl(furl) if furl else None),
        ("server_node_pem", "server_nodeid", None),
    ):
        pem, node_id = result.value(pem_field), result.value(id_field)
        if pem is None or node_id is None or (tub_id := tub_id_of_pem(pem)) == node_id:
            continue
        doubted = {pem_field: BROKEN_KEY, id_field: STRAY}
        if witness == node_id:
            del doubted[id_field]
        elif witness == tub_id:
            del doubted[pem_field]
        result.facts = [f._replace(channel=doubted[f.field]) if f.field in doubted else f for f in result.facts]
        result.rejected += [(f.field, f.locator) for f in result.facts if f.field in doubted]


def _add(result: SecretsFile, key: str, value: str, locator: Locator) -> None:
    name = _FIELD_OF_KEY.get(key)
    if name is None:
        return
    if name == "server_node_privkey" and not value:
        return  # a node that has none: the file was looked for, and nothing printed
    value = value.rstrip("\n") if name.endswith("_pem") else value
    if not FIELDS[name].fits(value):
        result.rejected.append((name, locator))
        if name == "bucket_name":
            result.damaged_names.append(Fact(name, value, locator, f"secrets {key}", DAMAGED))
        return
    is_broken = name.endswith("_pem") and not key_fits(value)
    if is_broken:
        result.rejected.append((name, locator))
    result.facts.append(Fact(name, value, locator, f"secrets {key}", BROKEN_KEY if is_broken else OWN))


def read_stripe(data: bytes, evidence: str) -> SecretsFile:
    """The stripe file of the S4 era: a JSON list of e-mail, PGP information, customer, plan and subscription."""
    result = SecretsFile(evidence=evidence)
    try:
        values = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        result.problem = "is no JSON list"
        return result
    if not isinstance(values, list) or len(values) < 2 or not all(isinstance(v, str) for v in values):
        result.problem = "is no list of texts"
        return result
    text = data.decode("latin-1")
    position = text.index("[") + 1
    for name, told in zip(("customer_email", "customer_keyinfo"), values, strict=False):
        value = told.strip() and told
        start = _skip(text, position)
        _, end = _string(text, start)
        if value and not FIELDS[name].fits(value):
            result.facts.clear()  # a list with one impossible cell is damaged as a whole
            result.problem = f"{name} cannot be right"
            break
        if value:
            result.facts.append(Fact(name, value, Locator(evidence, 1, start + 1, end - 1), "stripe", SITE))
        position = _skip(text, end) + 1
    result.filled = True
    return result


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _expect(text: str, position: int, mark: str) -> int:
    if not text.startswith(mark, position):
        raise ValueError(f"{mark!r} expected")
    return position + 1


def _string(text: str, position: int) -> tuple[str, int]:
    if not text.startswith('"', position):
        raise ValueError("a string expected")
    value, end = scanstring(text, position + 1, True)
    return str(value), int(end)
