"""The product list damaged or of another time: which token is the product's, and which name?"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from damages.classes import damage
from damages.hurting import Hurt
from damages.witnesses import CONFIG
from evidence_writer.values import hexadecimal, product_token

Products = list[dict[str, Any]]


def _change(hurt: Hurt, change: Callable[[Products], Products], *, effect: str | None = None) -> None:
    document = json.loads(hurt.written.files[CONFIG])
    document["products"] = change(document["products"])
    hurt.rewrite(CONFIG, (json.dumps(document, indent=2) + "\n").encode("ascii"), effect=effect)


def _turned(products: Products, key: str, by: int) -> Products:
    """The values of one key stand with the products `by` places further on."""
    values = [product[key] for product in products]
    return [{**p, key: value} for p, value in zip(products, values[-by:] + values[:-by], strict=True)]


def _register(
    name: str,
    what: str,
    change: Callable[[random.Random, Products], Products],
    *,
    effect: str | None = None,
) -> None:
    @damage(name, what, alone="logs")
    def make(hurt: Hurt) -> None:
        _change(hurt, lambda products: change(hurt.rng, products), effect=effect)


def _other_tokens(rng: random.Random, products: Products) -> Products:
    return [{**product, "product_token": product_token(rng)} for product in products]


def _other_products(rng: random.Random, products: Products) -> Products:
    return [{**p, "product_code": hexadecimal(rng, 8).upper(), "product_token": product_token(rng)} for p in products]


def _codes(rng: random.Random, products: Products) -> Products:
    return _turned(products, "product_code", rng.randrange(1, len(products)))


def _names(rng: random.Random, products: Products) -> Products:
    return _turned(products, "full_name", rng.randrange(1, len(products)))


def _entry_doubled(rng: random.Random, products: Products) -> Products:
    return [*products, *({**product, "product_token": product_token(rng)} for product in rng.sample(products, 4))]


_register("config-other-tokens", "every product has another token than when it was sold", _other_tokens)
_register("config-codes-permuted", "the codes stand with other products", _codes)
# A name that contradicts what the log printed makes the entry another product's.
_register("config-names-permuted", "the names stand with other products", _names, effect="other")
_register(
    "config-other-month", "the configuration is of another month: all codes and tokens are others", _other_products
)
_register("config-entries-doubled", "four products stand twice, the second time with another token", _entry_doubled)
