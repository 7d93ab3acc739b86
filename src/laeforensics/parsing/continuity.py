"""Stretches: the parts of a run between which lines must be missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from laeforensics.facts.damage import is_misprint
from laeforensics.parsing.meanings import meanings
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT, STAGES

# What every signup announces from its bucket on, in this order. (Failures end a log; nothing is left out before them.)
_CHAIN = STAGES[STAGES.index("bucket_creating") : STAGES.index("recorded")]
_PLACE = {stage: place for place, stage in enumerate(_CHAIN)}
_LOG = meanings("signup_log")
_PRINT_OF_STAGE = {item.stage: name for name, item in _LOG.items.items() if name in _LOG.prints}


@dataclass(slots=True, kw_only=True)
class Stretch:
    """From byte `start` in line `line` to the next stretch; `host` is the one server that it speaks of."""

    start: int
    line: int
    host: str | None = None


@dataclass(slots=True)
class Continuity:
    """Follows one run through a file, and says where it cannot go on without lines that are missing."""

    stretches: list[Stretch] = field(default_factory=lambda: [Stretch(start=0, line=0)])
    _last: str | None = None
    _print: str = ""
    _key: str = ""
    _begun: bool = False
    _unread: int = 0
    _marks: int = 0

    @property
    def host(self) -> str | None:
        """The server that is spoken of here."""
        return self.stretches[-1].host

    def stage(self, stage: str, start: int, line: int) -> None:
        """A stage is announced at byte `start`: of its predecessor's stretch, unless others must stand between."""
        if stage in BEFORE_DEPLOYMENT:
            self._begun = True
        if stage not in _PLACE:
            return
        if self._last is not None:
            skips = not 0 <= _PLACE[stage] - _PLACE[self._last] <= 1
        else:
            spoken = self.host is not None and _PLACE[stage] <= _PLACE["address_known"]
            skips = spoken or (self._begun and _PLACE[stage] > 1)
        if skips or self._is_unfinished(stage):
            self.part(start, line)
        self._last = stage
        self._unread = 0
        self._print = _PRINT_OF_STAGE.get(stage, "")
        self._key = ""

    def _is_unfinished(self, stage: str) -> bool:
        """True if the print before this stage has not come to its end."""
        if not self._print or stage == self._last:
            return False
        return not _LOG.prints[self._print].is_whole(self._key, unread=self._unread)

    def key(self, printed: str, key: str, start: int, line: int) -> None:
        """A line of a print of many lines, `key = ..`: none of its lines can be left out."""
        if printed != self._print:
            return
        lines = _LOG.prints[printed]
        if key not in lines.keys:
            return
        if not 0 <= lines.left_out(self._key, key) <= self._unread:
            self.part(start, line)
        self._key, self._unread = key, 0

    def unread(self) -> None:
        """A line that cannot be read: it may be one of the print that is being told."""
        self._unread = 2  # a hole takes the end of one line with the beginning of the next

    def speak_of(self, host: str, start: int, line: int, *, first: bool = False) -> None:
        """The server spoken of at byte `start`: a run has one.

        `first` is true of the first command given to a server.
        """
        if _PLACE[self._last] < _PLACE["address_known"] if self._last else self._begun:
            # Nobody speaks to a server before its address is told, in a line that may be the one that cannot be read.
            if not (first and self._unread and self._last == "instance_started"):
                self.part(start, line)
            self._last, self._begun, self._print = None, False, ""
        here = self.stretches[-1]
        is_lone = self._last == "address_known" or (self._marks == 1 and len(self.stretches) == 1)
        self._marks += 1
        if here.host is None or (is_lone and is_misprint(here.host, host)):
            here.host = host  # a torn address line, or the first mark of all: fabric's marks are many
        elif here.host != host:
            self.part(start, line)
            self.stretches[-1].host = host

    def part(self, start: int, line: int) -> None:
        """Begin another stretch at byte `start`."""
        self.stretches.append(Stretch(start=start, line=line))
