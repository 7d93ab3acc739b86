"""What the judges of a file see of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.doubting.sorting import Sorting, values_of
from laeforensics.facts.beliefs import Beliefs, Hearing, Note
from laeforensics.facts.channels import OWN
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import CREDENTIALS, FIELDS
from laeforensics.facts.findings import Finding, finding
from laeforensics.parsing.signuplogs import LogReading

Said = Note | Finding
"""What a judge says: a doubt, a warrant, or what a human should know."""


@dataclass(frozen=True, kw_only=True)
class FileView:
    """One log or secrets file, with what judges of earlier stages think of it."""

    facts: Sequence[Fact]
    log: LogReading | None = None
    secrets: SecretsFile | None = None
    beliefs: Beliefs = field(default_factory=Beliefs)

    @cached_property
    def hearing(self) -> Hearing:
        """What each of its facts is worth so far."""
        return Hearing(self.beliefs)

    @cached_property
    def sorting(self) -> Sorting | None:
        """Whose each fact of a log is."""
        return None if self.log is None else Sorting(self.log, self.facts, self.hearing)

    @cached_property
    def values(self) -> list[Fact]:
        """The facts that tell a value, and not how far a run came."""
        return values_of(self.facts)

    @cached_property
    def undoubted(self) -> list[Fact]:
        """The facts of the file's own run that nothing speaks against so far."""
        gone = {*(self.sorting.foreign if self.sorting is not None else ()), *self.hearing.with_notes(self.facts)}
        return [fact for fact in self.facts if fact not in gone] if gone else list(self.facts)

    @cached_property
    def _undoubted_by_field(self) -> dict[str, list[Fact]]:
        noted = frozenset(self.hearing.with_notes(self.facts))
        found: dict[str, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            if fact not in noted:
                found[fact.field].append(fact)
        return found

    @cached_property
    def is_re_record(self) -> bool:
        """True for the log of a run that read secrets out of a server."""
        if self.log is None or not any(f.field == "reading" or _is_read_out(f) for f in self.undoubted):
            return False
        return not any(f.field == "stage" and f.value == "activated" for f in self.undoubted)

    def value(self, name: str) -> str | None:
        """What a secrets file tells of a field; None if nothing sound, or two values that differ."""
        values = {fact.value for fact in self._undoubted_by_field.get(name, ()) if fact.channel == OWN}
        return values.pop() if len(values) == 1 else None

    def after(self, notes: Iterable[Note]) -> FileView:
        """The same file for the judges of the next stage."""
        said = list(notes)
        return replace(self, beliefs=Beliefs([*self.beliefs, *said])) if said else self


def _is_read_out(fact: Fact) -> bool:
    """True for what only a run that reads secrets prints: the files in which a server keeps its credentials."""
    return fact.rule == "cat_output" and FIELDS[fact.field].of == CREDENTIALS


def damaged_secret(name: str, locator: Locator) -> Finding:
    """A secrets file tells a field that cannot be right."""
    return finding(
        "damaged-secrets", f"{name} cannot be right", signup=locator.evidence, field=name, locators=(locator,)
    )
