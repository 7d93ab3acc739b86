"""What an edit does to the places that tell something: which it hits, and what can be read there afterwards."""

from __future__ import annotations

import json
import re

from damages.witnesses import FAILED, READY, Truth, Witness

Edit = tuple[int, int, bytes]  # the bytes from start to end become these

_SPACE = rb"['\"\s:=]+"
_LABELLED = {
    "bucket_name": rb"(?:bucket_?name|nickname|s3\.bucket)" + _SPACE + rb"(lae-[0-9A-Za-z-]+)",
    "user_access_key_id": rb"access_?key_?id" + _SPACE + rb"([A-Z0-9]{20})(?![A-Za-z0-9])",
    "user_secret_key": rb"secret_?key" + _SPACE + rb"([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    "user_token": rb"user_?token" + _SPACE + rb"(\{UserToken\}[A-Za-z0-9+/=]{16,})",
    "product_token": rb"product_?token" + _SPACE + rb"(\{ProductToken\}[A-Za-z0-9+/=]{16,})",
}


def other_values(data: bytes, truth: Truth) -> list[str]:
    """The fields of which a file tells a value that is not the account's.

    What a host printed to deceive does not count.
    """
    told = {name: {v.decode() for v in re.findall(pattern, data)} for name, pattern in _LABELLED.items()}
    return [
        name for name, values in told.items() if {v for v in values if "decoy" not in v.lower()} - truth.values[name]
    ]


def is_json(data: bytes) -> bool:
    """Whether a file is one JSON document: a configuration that is none tells nothing."""
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def hits(unit: tuple[int, int], edit: Edit) -> bool:
    """Whether bytes of the unit were changed, or something was put between them."""
    start, end, new = edit
    return start < unit[1] and unit[0] < end if start < end else bool(new) and unit[0] < start < unit[1]


def moved(position: int, edits: list[Edit], side: int) -> int:
    """Where a position is after the edits; within one, its head (side 0) or its tail (side 1)."""
    shift = 0
    for start, end, new in edits:
        if start >= position:
            break
        if position < end or (position == end and side == 1):
            return start + shift + len(new) * side
        shift += len(new) - (end - start)
    return position + shift


def effect_on(witness: Witness, window: bytes, after: bytes) -> str:
    """What became of a witness whose unit was changed; `window` is what stands in the unit's place."""
    if witness.field in (READY, FAILED):
        return "gone"
    value = witness.value.encode()
    if witness.kind == "config":
        code = witness.voice.rpartition(" ")[2].encode()
        tokens = re.findall(rb'"product_code": "' + code + rb'",\s*"product_token": "([^"]*)"', after)
        told = set(tokens) if witness.field == "product_token" else set()
    elif witness.kind == "relayed":
        same_length = b"\0" not in window and value not in window and len(window) == witness.unit[1] - witness.unit[0]
        return "other" if same_length else "tied" if value in window else "gone"
    else:
        told = set(re.findall(_LABELLED[witness.field], window)) if witness.field in _LABELLED else set()
    if told - {value}:
        return "other"
    shown = json.dumps(witness.value)[1:-1].encode() if witness.kind == "secrets" else value
    return "tied" if shown in window else "gone"
