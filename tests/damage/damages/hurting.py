"""A folder under damage: how a class of damage changes files, and how it is known what that touched.

What is touched follows from the bytes that were changed. A witness is touched when its *unit* is: the print with the
announcement that opens it, the csv row, the config entry, the whole secrets file; what was written as one is doubted
as one. The effect is `gone` (its value can no longer be read there), `tied` (it can, but its neighbours cannot), or
`other` (another value of the field's shape can be read there now, so that it contradicts the others). A new file, or
entry, that tells another value of an account contradicts them, too.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from damages.effects import Edit, effect_on, hits, is_json, moved, other_values
from damages.witnesses import CONFIG, CSV_FILES, Left, Witness
from damages.written import Written

T = TypeVar("T")


@dataclass(frozen=True)
class Damaged:
    """What a class of damage left: the files, the effect on each witness that it touched, the accounts it was aimed at.

    `contradicted` are accounts with a field of which something tells another value now.
    `origins` says of each log that has another path than it was written at, or stands in for another, which one it is.
    """

    files: dict[str, bytes]
    touched: dict[Witness, str]
    contradicted: frozenset[tuple[str, str]]
    concerned: frozenset[str]
    origins: dict[str, str]


class Hurt:
    """The folder under one class of damage: `files` as they are by now, and an rng that nothing else draws from."""

    def __init__(self, written: Written, rng: random.Random) -> None:
        self.written, self.rng = written, rng
        self.files = dict(written.files)
        self._touched: dict[Witness, str] = {}
        self._contradicted: set[tuple[str, str]] = set()
        self._concerned: set[str] = set()
        self._origins: dict[str, str] = {}

    def damaged(self) -> Damaged:
        """The outcome."""
        concerned = frozenset(self._concerned | {w.account for w in self._touched})
        others = {(w.account, w.field) for w, effect in self._touched.items() if effect == "other"}
        return Damaged(self.files, self._touched, frozenset(self._contradicted | others), concerned, self._origins)

    # -- choosing ----------------------------------------------------------------------------------------

    def some(self, things: Iterable[T], share: float = 0.5) -> list[T]:
        """About half of them, one at least."""
        whole = list(things)
        return self.rng.sample(whole, max(1, round(len(whole) * share))) if whole else []

    def pairs(self, ones: Sequence[T], others: Sequence[T], count: int = 3) -> list[tuple[T, T]]:
        """Up to `count` pairs of one and another; nothing is in two of them."""
        found: list[tuple[T, T]] = []
        used: list[T] = []
        for one in self.rng.sample(list(ones), len(ones)):
            free = [other for other in others if other is not one and other not in used]
            if one not in used and free and len(found) < count:
                found.append((one, self.rng.choice(free)))
                used += found[-1]
        return found

    def logs(self, *roles: str, s4: bool | None = None, outcome: str | None = None) -> list[Left]:
        """Runs whose log is there: of these roles, of the S4 layout or not, of an outcome."""
        return [
            each
            for each in self.written.left
            if each.log
            and (not roles or each.role in roles)
            and s4 in (None, each.is_s4)
            and outcome in (None, each.run.truth["outcome"])
        ]

    def secrets(self, *, s4: bool | None = None) -> list[Left]:
        """Runs whose secrets file is there, and filled."""
        return [each for each in self.written.left if each.secrets and s4 in (None, each.is_s4)]

    # -- changing ----------------------------------------------------------------------------------------

    def edit(self, path: str, *edits: Edit, effect: str | None = None) -> None:
        """Change bytes of a file that is as it was written; `effect` overrules what is found out by looking."""
        before = self.written.files[path]
        assert self.files.get(path) == before, f"{path} was changed already: offsets would not fit"
        ordered = sorted(edits)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(ordered)), "edits overlap"
        parts, position = [], 0
        for start, end, new in ordered:
            parts += [before[position:start], new]
            position = end
        self.files[path] = after = b"".join([*parts, before[position:]])
        self._aim_at(path)
        for witness in self.written.of_file(path):
            if any(hits(witness.unit, edit) for edit in ordered):
                window = after[moved(witness.unit[0], ordered, 0) : moved(witness.unit[1], ordered, 1)]
                self._touch(witness, effect or effect_on(witness, window, after))
        if path == CONFIG and not is_json(after):
            self._gone(path)

    def rewrite(self, path: str, after: bytes, *, effect: str | None = None) -> None:
        """Give a file other bytes: what stood in it is untouched where its whole unit still stands there as it was."""
        before, self.files[path] = self.written.files[path], after
        self._aim_at(path)
        for witness in self.written.of_file(path):
            if before[slice(*witness.unit)] not in after:
                self._touch(witness, effect or effect_on(witness, after, after))
            elif witness.kind == "config" and effect_on(witness, after, after) == "other":
                self.contradict(witness.account, witness.field)

    def remove(self, path: str) -> None:
        """A file is lost."""
        del self.files[path]
        self._gone(path)

    def put(self, path: str, data: bytes, *, like: str | None = None, about: str | None = None) -> None:
        """A file beside the others, or over one: a copy of the log `like`, about an account."""
        if path in self.written.files:
            self._gone(path)
        self.files[path] = data
        if like:
            self._origins[path] = like
            about = about or self.written.logs[like].account
        if about:
            self.concern(about)
            for name in other_values(data, self.written.truths[about]):
                self.contradict(about, name)

    def isolate(self, kinds: str) -> None:
        """Lose all but these kinds of evidence (logs, secrets, csv) and the configuration."""
        for path in sorted(self.files):
            is_log = path in self.written.logs or path in self._origins
            kind = "csv" if path in CSV_FILES else "logs" if is_log else "secrets" if "secrets/" in path else "config"
            if kind not in (*kinds.split(" and "), "config"):
                self.remove(path)

    def rename(self, old: str, new: str) -> None:
        """A file has another name; what it tells is untouched."""
        self.files[new] = self.files.pop(old)
        self._follow(old, new)

    def exchange(self, one: str, other: str) -> None:
        """Two files bear each other's names."""
        self.files[one], self.files[other] = self.files[other], self.files[one]
        self._follow(one, other)
        self._follow(other, one)

    def convert(self, path: str, change: Callable[[bytes], bytes]) -> None:
        """The same text written otherwise: nothing of it is touched."""
        self.files[path] = change(self.files[path])
        self._aim_at(path)

    def concern(self, account: str) -> None:
        """The damage is aimed at this account, though it touched none of its witnesses."""
        self._concerned.add(account)

    def concern_keys(self, path: str, keys: set[str]) -> None:
        """The damage is aimed at the accounts whose rows bear these activation keys."""
        told = self.written.of_file(path)
        self._concerned |= {w.account for w in told if w.field == "activation_key" and w.value in keys}

    def contradict(self, account: str, field: str) -> None:
        """Something tells another value of this field now."""
        self._contradicted.add((account, field))

    def _follow(self, old: str, new: str) -> None:
        if old in self.written.logs:
            self._origins[new] = old
        self._aim_at(old)

    def _aim_at(self, path: str) -> None:
        """A file of one account was changed: it is concerned, whether or not what it tells was touched."""
        told = {w.account for w in self.written.of_file(path)}
        self._concerned |= told if len(told) == 1 else set()

    def _gone(self, path: str) -> None:
        for witness in self.written.of_file(path):
            self._touch(witness, "gone")

    def _touch(self, witness: Witness, effect: str) -> None:
        if self._touched.get(witness) != "other":
            self._touched[witness] = effect
