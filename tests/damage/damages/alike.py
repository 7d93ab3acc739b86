"""What somebody, or a program, did to a whole text: alike in all prints of a log, or in all values of a file."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

from damages.classes import damage
from damages.hurting import Hurt
from damages.texts import CREDENTIALS, bytes_of
from damages.witnesses import CSV_FILES, Left
from evidence_writer.products import CATALOGUE

_LIKE = {"l": "1", "1": "l", "O": "0", "0": "O", "I": "l", "5": "S", "S": "5", "8": "B", "B": "8", "Z": "2", "2": "Z"}
_ADDRESS = re.compile(rb"(?<![\d.])((?:192\.0\.2|198\.51\.100|203\.0\.113)\.)\d+")
_HEAD = 25
"""The head of a token, which all of them share, is read right."""


def _told(hurt: Hurt, left: Left, field: str) -> str | None:
    """What a log prints of a field."""
    return next((w.value for w in hurt.written.of_file(str(left.log)) if w.field == field and w.kind == "log"), None)


@damage("log-token-misread", "a letter of the user token is taken for its like, in all prints of half of the logs")
def token_misread(hurt: Hurt) -> None:
    for left in hurt.some(hurt.logs(s4=False)):
        token = _told(hurt, left, "user_token") or ""
        places = [number for number in range(_HEAD, len(token)) if token[number] in _LIKE]
        if places:
            at = hurt.rng.choice(places)
            read = token[:at] + _LIKE[token[at]] + token[at + 1 :]
            hurt.rewrite(str(left.log), bytes_of(hurt, left.log).replace(token.encode(), read.encode()))


def _of_the_one_before(name: str, what: str, fields: tuple[str, ...], alone: str) -> None:
    @damage(name, f"each log has the {what} of the signup before it, in all its prints", alone=alone)
    def make(hurt: Hurt) -> None:
        logs = sorted(hurt.logs("origin", s4=False), key=lambda left: str(left.log))
        for before, left in pairwise(logs):
            after = bytes_of(hurt, left.log)
            for field in fields:
                own, other = _told(hurt, left, field), _told(hurt, before, field)
                if own and other:
                    after = after.replace(own.encode(), other.encode())
            if after != bytes_of(hurt, left.log):
                hurt.rewrite(str(left.log), after)


_of_the_one_before("log-keys-of-the-one-before", "keys and the token", CREDENTIALS, "logs and secrets")
_of_the_one_before("log-token-of-the-one-before", "user token", ("user_token",), "logs and secrets")


_of_the_one_before("log-activation-of-the-one-before", "activation key", ("activation_key",), "logs and csv")
_of_the_one_before(
    "log-customer-of-the-one-before", "activation key and address", ("activation_key", "customer_email"), "logs and csv"
)


@damage(
    "codes-replaced", "a product's code was replaced by another's in logs and csv files: the secrets files were not"
)
def codes_replaced(hurt: Hurt) -> None:
    codes = sorted({w.value for w in hurt.written.witnesses if w.field == "product_code"})
    old = hurt.rng.choice(codes)
    new = hurt.rng.choice([product.code for product in CATALOGUE if product.code != old])
    for path in [*(str(left.log) for left in hurt.logs(s4=False)), *CSV_FILES]:
        after = before = bytes_of(hurt, path)
        for shape in ("lae-{}-", ",{},", ",{}\n"):
            change = str.lower if shape.startswith("lae") else str
            after = after.replace(shape.format(change(old)).encode(), shape.format(change(new)).encode())
        if after != before:
            hurt.rewrite(path, after)


@damage("addresses-hidden", "the last number of every server's address is 0, in all files", alone="logs and secrets")
def addresses_hidden(hurt: Hurt) -> None:
    for path in sorted(hurt.written.files):
        if path in hurt.written.logs or "secrets/" in path or path in CSV_FILES:
            after = _ADDRESS.sub(rb"\g<1>0", bytes_of(hurt, path))
            if after != bytes_of(hurt, path):
                hurt.rewrite(path, after)


@damage("log-values-cut", "quoted values have 255 characters at most, in half of the logs", alone="logs and csv")
def log_values_cut(hurt: Hurt) -> None:
    for left in hurt.some(hurt.logs()):
        hurt.rewrite(str(left.log), re.sub(rb"'([^'\n]{255})[^'\n]*'", rb"'\1'", bytes_of(hurt, left.log)))


@damage("secrets-values-cut", "values have 255 characters at most, in all secrets files")
def secrets_values_cut(hurt: Hurt) -> None:
    for left in hurt.secrets():
        values = {key: value[:255] if value else value for key, value in _values(hurt, left).items()}
        hurt.rewrite(str(left.secrets), json.dumps(values).encode())


@damage(
    "secrets-of-a-lost-customer", "secrets files are of a customer whose files are lost, with the own bucket put in"
)
def secrets_of_a_lost_customer(hurt: Hurt) -> None:
    files = hurt.secrets(s4=False)
    for donor, left in hurt.pairs(files, files):
        if donor.account == left.account:
            continue
        values = {**_values(hurt, donor), "bucket_name": _values(hurt, left)["bucket_name"]}
        hurt.rewrite(str(left.secrets), json.dumps(values).encode())
        hurt.concern(left.account)
        theirs = {
            path for each in hurt.written.left if each.account == donor.account for path in (each.log, each.secrets)
        }
        for path in sorted(str(path) for path in theirs - {None, left.secrets} if path in hurt.files):
            hurt.remove(path)


@damage("secrets-filled-up", "keys that a secrets file lacks were filled up from another customer's", alone="secrets")
def secrets_filled_up(hurt: Hurt) -> None:
    files = hurt.secrets(s4=False)
    for donor, left in hurt.pairs(files, files):
        if donor.account == left.account:
            continue
        own = _values(hurt, left)
        lost = hurt.rng.sample([key for key in own if key != "bucket_name"], hurt.rng.randint(1, 4))
        kept = {key: value for key, value in own.items() if key not in lost}
        hurt.rewrite(str(left.secrets), json.dumps({**_values(hurt, donor), **kept}).encode())


def _values(hurt: Hurt, left: Left) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(bytes_of(hurt, left.secrets))
    return values
