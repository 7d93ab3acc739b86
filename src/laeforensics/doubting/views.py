"""What the judges of a file see of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.doubting.sorting import Sorting, values_of
from laeforensics.facts.beliefs import Beliefs, Hearing, Note
from laeforensics.facts.channels import OWN
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import CREDENTIALS, fields_of
from laeforensics.facts.findings import Finding, finding
from laeforensics.parsing.signuplogs import LogReading

_READ_OUT = fields_of(CREDENTIALS)
"""What only a run that reads secrets prints out of the files in which a server keeps it."""
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
        return None if self.log is None else Sorting(self.log, self.facts, self.by_field, self.hearing)

    @cached_property
    def by_field(self) -> dict[str, list[Fact]]:
        """Its facts by field."""
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            found.setdefault(fact.field, []).append(fact)
        return found

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
    def is_re_record(self) -> bool:
        """True for the log of a run that read secrets out of a server."""
        shown = list(self.by_field.get("reading", ()))
        shown += [fact for name in _READ_OUT for fact in self.by_field.get(name, ()) if fact.rule == "cat_output"]
        if self.log is None or not shown or set(shown).isdisjoint(self.undoubted):
            return False
        return not any(f.field == "stage" and f.value == "activated" for f in self.undoubted)

    def value(self, name: str) -> str | None:
        """What a secrets file tells of a field; None if nothing sound, or two values that differ."""
        told = [fact for fact in self.by_field.get(name, ()) if fact.channel == OWN]
        values = {fact.value for fact in told if self.beliefs.is_silent or not self.hearing.notes(fact)}
        return values.pop() if len(values) == 1 else None

    def after(self, notes: Iterable[Note]) -> FileView:
        """The same file for the judges of the next stage."""
        said = list(notes)
        if not said:
            return self
        later = replace(self, beliefs=Beliefs([*self.beliefs, *said]))
        later.__dict__["by_field"] = self.by_field  # what it tells is the same, whatever is thought of it
        return later


def damaged_secret(name: str, locator: Locator) -> Finding:
    """A secrets file tells a field that cannot be right."""
    return finding(
        "damaged-secrets", f"{name} cannot be right", signup=locator.evidence, field=name, locators=(locator,)
    )
