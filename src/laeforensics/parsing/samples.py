"""The samples that stand beside the grammars: texts that the programs printed, each with how it is to be read."""

from __future__ import annotations

import pkgutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

GRAMMARS = ("signup_log", "tahoe_cfg")
"""Every grammar of the package; `terminals` is a part of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One table of a samples file; the head of signup_log.samples.toml explains the keys."""

    name: str
    text: str
    rule: str
    dialects: str = ""
    facts: Mapping[str, str | list[str]]
    kind: str | None = None
    channel: str = "own"
    doubts: Mapping[str, str | list[str]]
    stretches: int = 1
    overlap: frozenset[str] = frozenset()

    @property
    def data(self) -> bytes:
        """The bytes that the text stands for."""
        return self.text.encode("utf-8")

    @property
    def values(self) -> set[tuple[str, str]]:
        """The facts as pairs of field and value."""
        return _pairs(self.facts)

    @property
    def reasons(self) -> set[tuple[str, str]]:
        """The doubts and warrants as pairs of field and reason."""
        return _pairs(self.doubts)


def written(grammar: str) -> str | None:
    """The samples file of a grammar, from the package data; None if there is none."""
    try:
        data = pkgutil.get_data("laeforensics.grammars", f"{grammar}.samples.toml")
    except FileNotFoundError:
        return None
    return None if data is None else data.decode("utf-8")


def read_samples(text: str) -> tuple[list[Sample], frozenset[str]]:
    """The samples of a file, and the terminals that are last resorts.

    Raises ValueError, naming what cannot be right.
    """
    document = tomllib.loads(text)
    return [_sample(table) for table in document.get("sample", [])], frozenset(document.get("last_resorts", ()))


def _sample(table: dict[str, Any]) -> Sample:
    name = table.get("name", "without a name")
    unknown = set(table) - {f.name for f in fields(Sample)}
    missing = {"name", "text", "rule"} - set(table)
    if unknown or missing or not table["text"]:
        raise ValueError(f"sample {name!r}: unknown {sorted(unknown)}, missing {sorted(missing)}, or no text")
    return Sample(**{"facts": {}, "doubts": {}, **table, "overlap": frozenset(table.get("overlap", ()))})


def _pairs(table: Mapping[str, str | list[str]]) -> set[tuple[str, str]]:
    return {(name, one) for name, told in table.items() for one in ([told] if isinstance(told, str) else told)}
