"""One secrets file (a JSON object on one line, or the stripe list) becomes facts with their places."""

from __future__ import annotations

import base64
import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]  # the C scanner: it tells where a string ends

from laeforensics.evidence.names import start_of
from laeforensics.facts import rewritten
from laeforensics.facts.buckets import bears_seed
from laeforensics.facts.channels import OWN, SITE
from laeforensics.facts.damage import is_blacked_out
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import IDENTITY, SERVER, fields_of, understood

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
_FIELD_OF_PLAIN_KEY = {key.replace("_", ""): name for key, name in _FIELD_OF_KEY.items()}
_LEGIBLE = re.compile(rf'"({"|".join(_FIELD_OF_KEY)})"\s*:\s*(?=")')
_IN_OTHER_NOTATION = re.compile(
    rf"(?<![a-z0-9_])({'|'.join(key.replace('_', '_?') for key in _FIELD_OF_KEY)})"
    r"""[\\"']*[ \t]*[:=][ \t]*[\\"']*([^\s\\"',;]+)""",
    re.IGNORECASE,
)
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


@dataclass(slots=True, kw_only=True)
class SecretsFile:
    """What one secrets file says. `filled` is False for the 0 bytes that a run leaves which never came to its end."""

    evidence: str
    facts: list[Fact] = field(default_factory=list)
    filled: bool = False
    is_empty: bool = False
    """True for 0 bytes; a file that is not filled may have lost what it held."""
    problem: str | None = None
    is_nameless: bool = False
    """True if neither its name nor its place tells whose it is."""
    rejected: list[tuple[str, Locator]] = field(default_factory=list)
    """The fields whose value cannot be right, with their places."""
    blacked_out: list[tuple[str, Locator]] = field(default_factory=list)
    """The fields whose value somebody made illegible, with their places."""
    damaged_names: list[Fact] = field(default_factory=list)
    """The bucket's name with characters that no name has: no fact, and nobody's word."""
    ids: tuple[str, ...] = ()
    """Of a stripe file: the customer's and the subscription's id, as they stand in names of buckets and folders."""
    cut: Fact | None = None
    """The value right behind which the file is no JSON any more."""
    legible: list[list[Fact]] = field(default_factory=list)
    """What can still be read of a file that tells nothing, or beside the object that counts, object by object: nobody's
    word, but it may be confirmed."""

    @property
    def tells_server(self) -> bool:
        """True if it tells of a server, or may have done: a run fills it all at once, when its server runs."""
        told = {fact.field for fact in self.facts}
        is_damaged = self.problem is not None or bool(self.rejected or self.blacked_out)
        return self.filled and (is_damaged or not told.isdisjoint(fields_of(SERVER, IDENTITY)))


def read_secrets(data: bytes, evidence: str) -> SecretsFile:
    """Read a secrets file of any generation. Never fails: what is whole before damage is kept, the damage is named."""
    result = SecretsFile(evidence=evidence)
    if not data:
        result.is_empty = True
        result.problem = "0 bytes: the run that opened it never came to its end"
        return result
    text = data.decode("latin-1").rstrip("\0")
    line_of = lines_of(text)
    position = _skip(text, 0)
    if not text.startswith("{", position):
        result.legible = _legible(text, evidence)
        result.problem = "is no JSON object" if len(result.legible) < 2 else "holds several JSON objects"
        return result
    try:
        position = _object(result, text, position, line_of)
        objects = [result]
        while position < len(text):
            objects.append(SecretsFile(evidence=evidence))
            position = _object(objects[-1], text, position, line_of)
        if any(_values(each) != _values(result) for each in objects):
            result = _own_of(objects, text)
    except _Damage as damage:
        result.problem = f"damaged at byte {damage.args[0]}"
        result.cut = _last_before(result, text, damage.args[0])
    if not result.facts and not result.legible:
        result.legible = _legible(text, evidence)
    _name_address(result)
    result.filled = bool(result.facts)
    return result


def _own_of(objects: Sequence[SecretsFile], text: str) -> SecretsFile:
    """Of whole objects that differ, the one whose bucket bears the seed of the file's name; else nothing.

    Each was written as one, so what stands in it is its own bucket's.
    """
    evidence = objects[0].evidence
    start = start_of(evidence)
    own = [each for each in objects if start is not None and _bears(each, start[1])]
    if not own or any(_values(each) != _values(own[0]) for each in own):
        differ = "several JSON objects that differ"
        return SecretsFile(evidence=evidence, problem=differ, legible=_legible(text, evidence))
    result = own[0]
    result.problem = "several JSON objects that differ; the one whose bucket bears the file's seed counts"
    result.legible = [each.facts for each in objects if each not in own and each.facts]
    return result


def _bears(file: SecretsFile, seed: str) -> bool:
    names = {fact.value for fact in file.facts if fact.field == "bucket_name"}
    return len(names) == 1 and bears_seed(names.pop(), seed)


def _name_address(result: SecretsFile) -> None:
    """A furl that names its server by another word than the address beside it is the furl of that address."""
    host = next((fact.value for fact in result.facts if fact.field == "public_host"), "")
    for number, fact in enumerate(result.facts):
        if fact.field == "introducer_furl":
            result.facts[number] = fact._replace(value=rewritten.at_address(fact.value, host))


class _Damage(Exception):
    """Where the JSON ends to be JSON."""


def lines_of(text: str) -> Callable[[int], int]:
    """What tells in which line (from 1) an offset stands, and counts the lines before it but once."""
    ends = array("q", (match.start() for match in re.finditer("\n", text)))
    return lambda offset: 1 + bisect_left(ends, offset)


def _object(result: SecretsFile, text: str, position: int, line_of: Callable[[int], int]) -> int:
    """Add the facts of the object that begins at `position`; the position after it and the space that follows."""
    try:
        position = _skip(text, _expect(text, position, "{"))
        while True:
            key, position = _string(text, position)
            start = _skip(text, _expect(text, _skip(text, position), ":"))
            if text.startswith('"', start):
                value, position = _string(text, start)
                _add(result, key, value, Locator(result.evidence, line_of(start), start + 1, position - 1))
            else:  # what nobody knows is skipped, a field's own value is none
                value, position = _DECODER.raw_decode(text, start)
                if value is not None and (name := _field_of(key)):
                    place = Locator(result.evidence, line_of(start), start, position)
                    result.rejected.append((name, place))
            position = _skip(text, position)
            if text.startswith("}", position):
                return _skip(text, position + 1)
            position = _skip(text, _expect(text, position, ","))
    except (ValueError, RecursionError):
        raise _Damage(position) from None


def _legible(text: str, evidence: str) -> list[list[Fact]]:
    """Every whole value under a key that is known, wherever it stands; a key that comes again begins another object."""
    objects: list[list[Fact]] = []
    seen: set[str] = set()
    found, line_of = SecretsFile(evidence=evidence), lines_of(text)
    for match in _LEGIBLE.finditer(text):
        try:
            value, end = _string(text, match.end())
        except ValueError:
            continue
        if match[1] in seen:
            objects.append(found.facts)
            found, seen = SecretsFile(evidence=evidence), set()
        seen.add(match[1])
        _add(found, match[1], value, Locator(evidence, line_of(match.end()), match.end() + 1, end - 1))
    return [told for told in (*objects, found.facts) if told] or _in_other_notation(text, evidence, line_of)


def _in_other_notation(text: str, evidence: str, line_of: Callable[[int], int]) -> list[list[Fact]]:
    """What stands in one line under such keys, in whatever notation they were saved again, as of one object."""
    found = SecretsFile(evidence=evidence)
    for match in _IN_OTHER_NOTATION.finditer(text):
        place = Locator(evidence, line_of(match.start(2)), match.start(2), match.end(2))
        _add(found, match[1], match[2], place)
    return [found.facts] if found.facts else []


def _last_before(result: SecretsFile, text: str, position: int) -> Fact | None:
    """The value right behind which the JSON breaks off, though the file goes on."""
    last = result.facts[-1] if result.facts else None
    return last if last and position < len(text) and _skip(text, last.locator.end + 1) == position else None


def _values(file: SecretsFile) -> set[tuple[str, str]]:
    return {(fact.field, fact.value) for fact in file.facts}


def _field_of(key: str) -> str | None:
    """What stands under a key, however its words are joined: `accessKeyId` is access_key_id."""
    return _FIELD_OF_PLAIN_KEY.get(key.replace("_", "").lower())


def _add(result: SecretsFile, key: str, value: str, locator: Locator) -> None:
    name = _field_of(key)
    if name is None:
        return
    if name == "server_node_privkey" and not value:
        return  # a node that has none: the file was looked for, and nothing printed
    value = value.rstrip("\n") if name.endswith("_pem") else value
    whole = understood(name, value, is_quoted=False)
    if whole is None:
        (result.blacked_out if is_blacked_out(value) else result.rejected).append((name, locator))
        if name == "bucket_name":
            result.damaged_names.append(Fact(name, value, locator, f"secrets {key}", OWN))
        return
    result.facts.append(Fact(name, whole, locator, f"secrets {key}", OWN))


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
    ids = (v for v in values if v.startswith(("cus_", "sub_")))
    result.ids = tuple(base64.b32encode(v.encode()).decode().rstrip("=").lower() for v in ids)
    text = data.decode("latin-1")
    position = text.index("[") + 1
    for name, told in zip(("customer_email", "customer_keyinfo"), values, strict=False):
        value = told.strip() and told
        start = _skip(text, position)
        _, end = _string(text, start)
        if value and understood(name, value, is_quoted=False) is None:
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
