"""Signup: one log with all its witnesses, ready to be weighed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from laeforensics.companions.csv_rows import Row
from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.evidence.names import start_of
from laeforensics.facts.beliefs import Beliefs, Doubt, Heard, Hearing
from laeforensics.facts.channels import REMOTE
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import Finding
from laeforensics.facts.reasons import DAMAGE
from laeforensics.parsing.logs import BLACKED, SignupLog

_NOTHING = Heard(asserting=(), sure=(), value=None, is_contested=False, is_of_one_mind=True)


@dataclass(kw_only=True)
class Signup:
    """One log with all its witnesses, by field, as they were told; `hearing` says what each is worth here.

    `values` holds what the best witnesses agree on; `contested` what they do not.
    """

    name: str
    log: SignupLog | None
    beliefs: Beliefs
    secrets: SecretsFile | None = None
    witnesses: dict[str, list[Fact]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict, repr=False)
    exchanged_with: str | None = None
    """The file whose name its own file bore, before the two were exchanged."""
    undecided_bucket: str | None = None
    """Stands for several names of its bucket, of which nothing tells the right one."""
    contested: set[str] = field(default_factory=set)
    matched_by: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    success_row: Row | None = None
    failure_row: Row | None = None
    serverinfo_rows: list[Row] = field(default_factory=list)
    _heard: dict[str, tuple[int, int, Heard]] = field(default_factory=dict, repr=False)
    """By field, what was heard, when so many witnesses were known, and so much was said of the field's facts."""

    @cached_property
    def hearing(self) -> Hearing:
        """What its witnesses are worth here."""
        return Hearing(self.beliefs, [self.name])

    @property
    def stamp(self) -> tuple[str, str] | None:
        """When its run began (ISO) and its seed, as its file's name tells them, or told."""
        return start_of(self.exchanged_with or self.name)

    def add(self, facts: Iterable[Fact]) -> None:
        """Hear these witnesses, too."""
        for fact in facts:
            self.witnesses.setdefault(fact.field, []).append(fact)

    def witnesses_of(self, name: str) -> Sequence[Fact]:
        """All witnesses of a field, believed or not."""
        return self.witnesses.get(name, ())

    def heard(self, name: str) -> Heard:
        """What the witnesses of a field say together: heard once, until more is told, or said of its facts."""
        facts = self.witnesses.get(name)
        if not facts:
            return _NOTHING
        told, said = len(facts), self.beliefs.said.get(name, 0)
        known = self._heard.get(name)
        if known is None or known[0] != told or known[1] != said:
            known = self._heard[name] = told, said, self.hearing.together(facts)
        return known[2]

    def asserted(self, name: str) -> Sequence[Fact]:
        """The witnesses of a field that assert something."""
        return self.heard(name).asserting

    def sure(self, name: str) -> Sequence[Fact]:
        """The witnesses of a field that assert something by themselves."""
        return self.heard(name).sure

    def weigh(self, name: str) -> tuple[str | None, bool]:
        """What the best witnesses of a field say, and whether they contradict each other."""
        heard = self.heard(name)
        return heard.value, heard.is_contested

    @property
    def is_re_record(self) -> bool:
        """True for a record_secrets log: its values were read out of a server."""
        if self.log is None:
            return False
        if self.asserted("reading"):
            return True
        notes = self.hearing.notes
        relayed = (fact for fact in self.log.facts if fact.channel == REMOTE)
        raised = [fact for fact in relayed if any(note.reason == "testimony" for note in notes(fact))]
        return any(self.hearing.channel(fact) == "testimony" for fact in raised)

    def damaged(self) -> set[str]:
        """The files of this signup that have damage."""
        files = {file.evidence for file in (self.log, self.secrets) if file is not None}
        return {file for file in files if self.is_damaged(file)}

    def is_damaged(self, evidence: str) -> bool:
        """True if a file of this signup has damage: what cannot be read in it, or not be right."""
        if self.log is not None and self.log.evidence == evidence:
            if self.log.residue or any(torn.rule != BLACKED for torn in self.log.damaged_values):
                return True
            facts = self.log.facts
        elif self.secrets is not None and self.secrets.evidence == evidence:
            if self.secrets.problem is not None or self.secrets.rejected:
                return True
            facts = self.secrets.facts
        else:
            return False
        return any(note.reason in DAMAGE for fact in facts for note in self.hearing.notes(fact))

    def doubt(self, facts: Iterable[Fact], reason: str, against: Iterable[Fact] = ()) -> None:
        """Note a doubt that holds for this signup alone; the facts `against` them speak for it."""
        told = tuple(facts)
        if told:
            because = tuple(dict.fromkeys(fact.locator for fact in against))
            self.beliefs.add([Doubt(facts=told, reason=reason, because=because, about=frozenset({self.name}))])

    @property
    def stages(self) -> list[tuple[str, int]]:
        """How far its run came: the stages that are believed, each with its line."""
        return [(fact.value, fact.locator.line) for fact in self.asserted("stage")]

    @property
    def stage_names(self) -> set[str]:
        """The stages that are believed, in no order."""
        return {fact.value for fact in self.asserted("stage")}

    @property
    def has_failed(self) -> bool:
        """True if the program itself told that its run failed."""
        return bool(self.asserted("failure"))

    @property
    def failure(self) -> str | None:
        """The first error that its run told of, whether or not it went on behind it."""
        for fact in self.witnesses_of("failure"):
            notes = self.hearing.notes(fact)
            if all(note.reason == "went-on" for note in notes):
                return fact.value
        return None

    @property
    def bucket_failed(self) -> bool:
        """True if the program printed that the bucket could not be made."""
        return bool(self.asserted("bucket_failed"))
