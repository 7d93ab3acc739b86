"""Decode the repr of a Python 2 string; believe it only if writing it again gives the same text."""

from __future__ import annotations

import ast
import warnings


def decode(text: str) -> str | None:
    r"""The string whose Python 2 repr is `text` (`'..'`, `".."` or `u'..'`), or None if it is no repr.

    A byte string must be UTF-8. `'it\x27s'` is refused: Python would have written `"it's"`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an escape that Python does not know
            return _decode(text)
    except (ValueError, SyntaxError, UnicodeDecodeError, MemoryError, RecursionError, Warning):
        return None


def _decode(text: str) -> str | None:
    if text.startswith("u"):
        value = ast.literal_eval(text[1:])
        return value if isinstance(value, str) and ascii(value) == text[1:] else None
    raw = ast.literal_eval("b" + text)
    return raw.decode("utf-8") if isinstance(raw, bytes) and repr(raw)[1:] == text else None
