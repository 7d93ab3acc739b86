"""What the words of the grammars mean: the tables that stand beside them (`NAME.toml`, `dialects.toml`)."""

from __future__ import annotations

import pkgutil
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as made_of
from functools import cache
from typing import Any

from laeforensics.errors import ForensicsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """What a terminal's text tells; signup_log.toml explains each word.

    `next_keys` are the keys of its print of which one must begin the next line. A value whose line is followed by
    another stands at a seam: a hole may have joined the head of one line to the tail of another.
    """

    field: str | None = None
    keys: tuple[str, ...] = ()
    value: re.Pattern[str] | None = None
    kind: str = "fact"
    blocks: frozenset[str] = frozenset()
    print: str | None = None
    followers: frozenset[str] = frozenset()
    followers_in: Mapping[str, frozenset[str]] = made_of(default_factory=dict)
    next_keys: frozenset[str] = frozenset()
    marks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """An item of many lines `key = ..`, in their order; some dialects leave out those that are `not_always` there."""

    keys: tuple[str, ...]
    not_always: frozenset[str] = frozenset()

    def after(self, key: str) -> frozenset[str]:
        """The keys of which one must follow: all until the first that is always there."""
        found = []
        for other in self.keys[self.keys.index(key) + 1 :]:
            found.append(other)
            if other not in self.not_always:
                break
        return frozenset(found)

    def left_out(self, before: str, key: str) -> int:
        """How many lines are missing between two, "" being its beginning; -1 where they stand in the wrong order."""
        begin = self.keys.index(before) + 1 if before else 0
        place = self.keys.index(key)
        return -1 if place < begin else sum(k not in self.not_always for k in self.keys[begin:place])

    def is_whole(self, last: str, *, unread: int = 0) -> bool:
        """True if it may end with the line `last`, or with one that stands at most `unread` lines before its end."""
        end = max(n for n, key in enumerate(self.keys) if key not in self.not_always)
        return last in self.keys[end - unread :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What an item of the grammar announces, or (in a tahoe.cfg) the field that it tells."""

    stage: str | None = None
    block: str = ""
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """The meaning of one grammar."""

    terminals: Mapping[str, Terminal]
    items: Mapping[str, Item]
    prints: Mapping[str, Print] = made_of(default_factory=dict)
    stages: tuple[str, ...] = ()
    anywhere: frozenset[str] = frozenset()
    within_blocks: frozenset[str] = frozenset()
    stage_of_announcement: Mapping[str, str] = made_of(default_factory=dict)
    fact_of_announcement: Mapping[str, str] = made_of(default_factory=dict)
    files: Mapping[str, str] = made_of(default_factory=dict)

    @property
    def fields(self) -> set[str]:
        """Every field that anything tells."""
        told = {each.field for each in self.terminals.values()} | {each.field for each in self.items.values()}
        return {name for name in (*told, *self.files.values(), *self.fact_of_announcement.values()) if name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A label, and the signs by which a log bears it: one of `announced` or `marked`, and nothing of `unless`."""

    label: str
    announced: frozenset[str] = frozenset()
    marked: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()


@cache
def meanings(grammar: str) -> Meanings:
    """What the words of a grammar mean. Raises ForensicsError: its table has a word that nobody knows."""
    with _understood(grammar) as table:
        prints = {name: Print(**_unchanging(told)) for name, told in table.get("prints", {}).items()}
        announcements = table.get("announcements", {})
        return Meanings(
            terminals={name: _terminal(told, prints) for name, told in table["terminals"].items()},
            items={name: Item(**told) for name, told in table.get("items", {}).items()},
            prints=prints,
            stages=tuple(table.get("stages", ())),
            anywhere=frozenset(table.get("anywhere", ())),
            within_blocks=frozenset(table.get("within_blocks", ())),
            stage_of_announcement=announcements.get("stages", {}),
            fact_of_announcement=announcements.get("facts", {}),
            files=table.get("files", {}),
        )


@cache
def dialects() -> tuple[Dialect, ...]:
    """The dialects, newest first. Raises ForensicsError: their table has a word that nobody knows."""
    with _understood("dialects") as table:
        return tuple(Dialect(**_unchanging(row)) for row in table["dialect"])


@contextmanager
def _understood(name: str) -> Iterator[dict[str, Any]]:
    data = pkgutil.get_data("laeforensics.grammars", f"{name}.toml") or b""
    try:
        yield tomllib.loads(data.decode("utf-8"))
    except (TypeError, KeyError, ValueError, re.error) as error:
        raise ForensicsError(
            f"it cannot be understood: {error}",
            where=f"grammars/{name}.toml",
            next_step="mend it; README.md beside it leads to what its words mean",
        ) from None


def _terminal(told: Mapping[str, Any], prints: Mapping[str, Print]) -> Terminal:
    words = _unchanging(told)
    words["followers_in"] = {item: frozenset(names) for item, names in told.get("followers_in", {}).items()}
    words["marks"] = tuple(told.get("marks", {}).items())
    if "value" in words:
        words["value"] = re.compile(words["value"])
    if "print" in words:
        printed = prints[words["print"]]
        after = [printed.after(key) for key in told.get("keys", ()) if key in printed.keys]
        words["next_keys"] = frozenset().union(*after)
    return Terminal(**words)


def _unchanging(told: Mapping[str, Any]) -> dict[str, Any]:
    """Lists become what does not change: keys, whose order matters, a tuple, all others sets."""
    return {
        name: (tuple(value) if name == "keys" else frozenset(value)) if isinstance(value, list) else value
        for name, value in told.items()
    }
