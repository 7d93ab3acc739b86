"""The products of lae_automation_config.json, each with its token in the months when it was sold."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from laeforensics.companions.secrets_files import lines_of
from laeforensics.facts.beliefs import Hearing
from laeforensics.facts.channels import OWN
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import FIELDS, understood

_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_DAY = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)(?:T.*)?")
_BETWEEN = re.compile(r"[\s,]*")
_CONFIG, _MONTHLY, _PRINT = "config products", "monthly file", "debug print"
NEVER: frozenset[str] = frozenset()
"""The months of a product whose config entry tells them, but not readably."""


class Product(NamedTuple):
    """One entry of the config's products."""

    product_code: str
    full_name: str
    token: Fact
    months: frozenset[str] | tuple[str, str] | None
    """The months (`YYYY-MM`) in which it was sold, or its first and last month or day.

    None if the config does not say.
    """
    position: int
    """Its place in the list, from 0 (in a monthly file its line)."""

    def is_sold_on(self, day: str) -> bool:
        """True if it was sold on a day (ISO), as far as the config says."""
        if self.months is None:
            return True
        if isinstance(self.months, frozenset):
            return day[:7] in self.months
        first, last = self.months
        # A bound may be a month: then the whole month counts.
        return first <= day[: len(first)] and (not last or day[: len(last)] <= last)


def read_config(data: bytes, evidence: str) -> tuple[list[Product], str | None]:
    """The products that carry a code and a token, and what is wrong with the file, if anything is.

    S4 plans (which have a plan_ID and no token) are no products of this kind.
    """
    text, problem = data.decode("utf-8-sig", "replace").rstrip("\0 \t\r\n").lstrip(), None
    if "\ufffd" in text:
        problem = "is not UTF-8 throughout"
    try:
        config, end = _edited(text)
        rest = text[end:].lstrip()
        if rest and _edited(rest)[0] != config:
            return [], "holds several configurations that differ"
    except (ValueError, RecursionError) as error:
        config, problem = {"products": _entries_before_cut(text)}, f"is no JSON: {error}"[:200]
    if _MERGED.search(text):
        problem = "holds the marks of a merge: what stands on both of their sides is offered"
    products = config.get("products") if isinstance(config, dict) else None
    if not isinstance(products, list):
        return [], "has no list of products"
    return _products(products, data, evidence), problem


_TEXT = r'"(?:\\.|[^"\\])*"'
_BY_HAND = re.compile(rf"{_TEXT}|//[^\n]*|^(?:<{{7}}|={{7}}|>{{7}})(?: [^\n]*)?$", re.DOTALL | re.MULTILINE)
_MERGED = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_COMMA = re.compile(rf"{_TEXT}|,(?=\s*[]}}])|(?<=}})\s(?=\s*{{)", re.DOTALL)
"""One that is spare, or the place of one that is missing."""
_TOLD_TWICE = ("products", "product_token")


def _edited(text: str) -> tuple[Any, int]:
    """JSON that a human may have edited, with its end.

    Comments, marks of a merge, a comma too many or too few say nothing.
    Where a key stands twice in an object, both of its values count.
    """
    decoder = json.JSONDecoder(strict=False, object_pairs_hook=_of_pairs)
    try:
        return decoder.raw_decode(text)
    except json.JSONDecodeError:
        plain = _COMMA.sub(lambda match: "," if match[0].isspace() else _blanked(match), _BY_HAND.sub(_blanked, text))
        start = len(plain) - len(plain.lstrip())
        return decoder.raw_decode(plain, start)


def _blanked(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])


def _of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    for name in _TOLD_TWICE:
        told = [value for key, value in pairs if key == name]
        if len(told) > 1:
            found[name] = [each for value in told for each in (value if isinstance(value, list) else [value])]
    return found


def _entries_before_cut(text: str) -> list[Any]:
    """The whole entries of a product list that just stops; none where anything else is wrong.

    Bytes may be missing anywhere.
    """
    match = re.search(r'"products"\s*:\s*\[', text)
    entries: list[Any] = []
    position = match.end() if match else len(text)
    while True:
        position = _BETWEEN.match(text, position).end()  # type: ignore[union-attr]
        try:
            entry, position = json.JSONDecoder().raw_decode(text, position)
        except json.JSONDecodeError as error:
            stops = error.pos >= len(text) or error.msg.startswith("Unterminated string")
            return entries if stops else []
        except RecursionError:
            return []
        entries.append(entry)


_TOKEN = re.compile(r"\{ProductToken\}[A-Za-z0-9+/=]+")
_WRITTEN = re.compile(rf'"product_token"\s*:\s*({_TEXT})', re.DOTALL)


def _products(entries: Iterable[Any], data: bytes, evidence: str) -> list[Product]:
    """Those entries that carry a code and a token, each with the first place of its token."""
    found: list[Product] = []
    text = data.decode("latin-1")
    line_of, places = lines_of(text), dict[str, tuple[int, int]]()
    for match in _TOKEN.finditer(text):
        places.setdefault(match[0], match.span())
    for match in _WRITTEN.finditer(text):
        with suppress(ValueError):
            places.setdefault(str(json.loads(match[1], strict=False)), (match.start(1) + 1, match.end(1) - 1))
    for index, entry in enumerate(entries):
        told = entry if isinstance(entry, dict) else {}
        code, tokens = told.get("product_code"), told.get("product_token")
        for written in tokens if isinstance(tokens, list) else [tokens]:
            token = understood("product_token", written, is_quoted=False) if isinstance(written, str) else None
            if token is None or not isinstance(code, str) or not FIELDS["product_code"].fits(code.upper()):
                continue
            start, end = places.get(str(written), (0, len(text)))  # one whose place is not found: somewhere
            locator = Locator(evidence, line_of(start), start, end)
            fact = Fact("product_token", token, locator, f"{_CONFIG}[{index}]", OWN)
            found.append(Product(code.upper(), str(told.get("full_name", "")), fact, _months(told), index))
    return found


def printed_products(text: str, evidence: str, line: int, start: int) -> list[Product]:
    """The product list that x02 printed while it was debugged, out of lines that begin at byte `start`.

    Believed only if writing it again gives the same line.
    """
    found: list[Product] = []
    for written in text.split("\n"):
        try:
            entries = ast.literal_eval(written) if written.startswith("[{") else []
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            entries = []
        if isinstance(entries, list) and written in _reprs(entries):
            for product in _products(entries, written.encode("latin-1"), evidence):
                place = product.token.locator
                place = place._replace(line=line, start=start + place.start, end=start + place.end)
                found.append(product._replace(token=product.token._replace(locator=place, rule=_PRINT)))
        start, line = start + len(written) + 1, line + 1
    return found


def _reprs(entries: list[Any]) -> tuple[str, str]:
    """The reprs of Python 2 that the list can have.

    Its JSON reader gave texts of ASCII as bytes, or (without its C part) all as unicode.
    """
    fields = [entry.items() for entry in entries if isinstance(entry, dict)]
    mixed, unicode = (
        [", ".join(f"{_repr(k, u)}: {_repr(v, u)}" for k, v in entry) for entry in fields] for u in (False, True)
    )
    return "[" + ", ".join(f"{{{e}}}" for e in mixed) + "]", "[" + ", ".join(f"{{{e}}}" for e in unicode) + "]"


def _repr(text: Any, is_unicode: bool) -> str:
    if not isinstance(text, str):
        return repr(text)
    return ("u" if is_unicode or not text.isascii() else "") + ascii(text)


def of_another_time(facts: Iterable[Fact], hearing: Hearing, also: Iterable[Fact] = ()) -> list[Fact]:
    """Those witnesses of a product token that config or monthly file offers, but for another time.

    The one of several offered that the account's own secrets (or `also` a re-record) name was the product's when it was
    sold. Where its own say nothing, or something else, all stand.
    """
    told = list(facts)
    offered = {f.value for f in told if is_offered(f)}
    own = {f.value for f in hearing.asserting((*told, *also)) if not is_offered(f)}
    if len(offered) < 2 or len(own) != 1 or not own <= offered:
        return []
    return [f for f in told if is_offered(f) and f.value not in own]


def doubled(products: Iterable[Product]) -> frozenset[Fact]:
    """The tokens that one file tells of two products, whose codes are no damage of each other."""
    told: dict[tuple[str, str], list[Product]] = defaultdict(list)
    for product in products:
        told[product.token.locator.evidence, product.token.value].append(product)
    return frozenset(
        one.token
        for alike in told.values()
        for codes in ({each.product_code for each in alike},)
        for one in alike
        if any(code != one.product_code and not is_near(one.product_code, code) for code in codes)
    )


def is_offered(fact: Fact) -> bool:
    """True for a token that config or monthly file offers, or that was printed of the config."""
    return fact.rule.startswith((_CONFIG, _MONTHLY, _PRINT))


def _months(entry: dict[str, Any]) -> frozenset[str] | tuple[str, str] | None:
    months, bounds = entry.get("months"), (entry.get("valid_from"), entry.get("valid_until"))
    if months is not None:
        listed = [months] if isinstance(months, str) else months
        readable = isinstance(listed, list) and all(isinstance(m, str) and _MONTH.fullmatch(m) for m in listed)
        return frozenset(listed) if readable else NEVER
    if bounds == (None, None):
        return None
    days = [_DAY.fullmatch(bound) if isinstance(bound, str) else None for bound in bounds]
    if any(bound is not None and day is None for bound, day in zip(bounds, days, strict=True)):
        return NEVER
    first, last = (day[1] if day else "" for day in days)
    return first, last


def read_monthly(data: bytes, evidence: str) -> tuple[list[Product], list[int]]:
    """A separate monthly file: lines `YYYY-MM,product code,product token`.

    The products, and the lines that are none.
    """
    products: list[Product] = []
    bad: list[int] = []
    position = 0
    data = data.replace(b"\xef\xbb\xbf", b"   ", 1) if data.startswith(b"\xef\xbb\xbf") else data
    for number, line in enumerate(data.split(b"\n"), start=1):
        start, position = position, position + len(line) + 1
        text = line.decode("latin-1").strip("\r ")
        month, code, token = (*text.split(","), "", "", "")[:3]
        if not text or text.startswith("#"):
            continue
        if not (
            _MONTH.fullmatch(month)
            and FIELDS["product_code"].fits(code.upper())
            and FIELDS["product_token"].fits(token)
        ):
            bad.append(number)
            continue
        at = start + line.index(token.encode("latin-1"))
        fact = Fact("product_token", token, Locator(evidence, number, at, at + len(token)), _MONTHLY, OWN)
        products.append(Product(code.upper(), "", fact, frozenset({month}), number))
    return products, bad
