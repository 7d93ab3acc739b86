"""One signup log becomes facts with their places; its events tell its runs apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from laeforensics.companions.products import printed_products
from laeforensics.evidence.names import s4_name
from laeforensics.facts.channels import OWN, REMOTE
from laeforensics.facts.damage import is_blacked_out
from laeforensics.facts.fact import Fact, Locator, Residue
from laeforensics.facts.fields import understood
from laeforensics.parsing import _dialects, parser
from laeforensics.parsing.course import Course, follow
from laeforensics.parsing.logs import BLACKED, HOLE, DamagedValue, Event, SignupLog
from laeforensics.parsing.meanings import Item, Terminal, meanings
from laeforensics.parsing.parser import Piece, text_of
from laeforensics.parsing.pieces import (
    FIELD_OF_KEY,
    announced,
    can_follow,
    hosts,
    keys,
    meaning,
    output_lines,
    settings,
    value,
)
from laeforensics.parsing.stages import STAGE_OF_ITEM

_LOG = meanings("signup_log")
_NO_ITEM = Item()
_BEGINS_SOMETHING = STAGE_OF_ITEM.keys() | {"mail"}
_OF_HOSTS = ("RELAYED", "RELAYED_MARKED")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """A log with the course that its file takes, which only its judges need."""

    log: SignupLog
    course: Course


def read_log(data: bytes, evidence: str) -> LogReading:
    """Read one log of any dialect. Pure; never fails: what it cannot read is residue."""
    reader = _Reader(evidence)
    parser.each("signup_log", data, reader.take)
    return reader.finish()


class _Reader:
    """Follows the items of one file: which print an item is of, which block of values is open."""

    def __init__(self, evidence: str) -> None:
        self.log = SignupLog(evidence=evidence)
        self.is_in_s4_layout = s4_name(evidence) is not None
        self.events: list[Event] = []
        self.print = 0
        self.block = "*"  # a lost head: the first lines may be of any block
        self.hosts: set[str] = set()
        self.last: tuple[Terminal, str] | None = None  # of a value, and its item: what follows shows if it is sure
        self.said = "", -1  # the first line of an item, and where the next one would begin
        self.written = "", -1  # the last line of a print, and where the next one would begin

    def take(self, rule: str, pieces: Sequence[Piece]) -> None:
        piece = pieces[0]
        if self.last is not None:
            self._follow(piece)
        if rule == "noise":
            self._noise(piece)
            return
        if rule == "announcement":
            self.print += 1
            self.block = _LOG.items.get(rule, _NO_ITEM).block
            self._announcement(piece)
            return
        if rule in _BEGINS_SOMETHING and not self._is_doubled(piece):
            self._event("item", piece, rule, text_of(piece) if rule in ("started", "bucket") else "")
        if rule == "stray":
            self._stray(pieces)
            return
        if piece.type == "MALFORMED":
            self._malformed(piece)
            return
        if piece.type == "OTHER":
            self._unread(piece)
            if text_of(piece).startswith("\0"):
                self._claim(piece)  # zeros are a hole that moved nothing: the block goes on
                return
        self.print += 1
        self.block = _LOG.items.get(rule, _NO_ITEM).block
        if rule == "cat_output":
            self._cat(piece)
        elif rule == "failure":
            self._failure(pieces)
        elif rule == "residue":
            if not self.log.size:
                self.block = "*"  # the rest of a line whose beginning is lost
            self._claim(piece)
        else:
            stage = STAGE_OF_ITEM.get(rule)
            if stage is not None:
                self._stage(stage, piece, rule)
            self._facts(rule, pieces)

    def _is_doubled(self, piece: Piece) -> bool:
        """True for a line that stands there twice, one copy right behind the other: it begins nothing again."""
        text, end = self.said
        self.said = text_of(piece), piece.end_pos
        return (text, end) == (self.said[0], piece.start_pos)

    def _event(self, kind: str, piece: Piece, word: str = "", more: str = "", fact: int = -1) -> None:
        self.events.append(Event(kind, piece.start_pos, piece.line, word, more, fact))

    def _unread(self, piece: Piece, word: str = "") -> None:
        last = self.events[-1] if self.events else None
        if last is None or (last.kind, last.word) != ("unread", word):  # of millions of lines the first is enough
            self._event("unread", piece, word)

    def _stage(self, stage: str, piece: Piece, rule: str) -> None:
        where = Locator(self.log.evidence, piece.line, piece.start_pos, piece.end_pos)
        self._event("stage", piece, stage, fact=len(self.log.facts))
        self.log.facts.append(Fact("stage", stage, where, rule, OWN, self.print))

    def _stray(self, pieces: Sequence[Piece]) -> None:
        """Lines of a block without its announcement: of the block that is open, or of none."""
        is_open = self.block == "*" or self.block in meaning(pieces[0]).blocks
        if not is_open or self.print in self.log.unannounced:
            self.print += 1
        if not is_open:
            self.log.unannounced.add(self.print)
        self._facts("stray", pieces)

    def _facts(self, rule: str, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            if self.last is not None:
                self._follow(piece)
            told = meaning(piece)
            if told.print is not None and rule in (told.print, "stray"):
                self._keys(piece, told.print)
            found = value(piece) if told.field is not None else None
            if found is not None:
                name, text, start = found
                number = self._fact(name, text, self._locator(piece, start, start + len(text)), rule, OWN)
                if number is not None and (told.followers or told.next_keys):
                    self.last = told, rule
                if number is not None and rule in ("address", "settings"):
                    named = self.log.facts[number].value
                    host = named.partition("@")[2].rpartition(":")[0] or named
                    self._event("served", piece, host, fact=number)
            self._claim(piece)

    def _keys(self, piece: Piece, printed: str) -> None:
        """Note the lines of a print; one that stands twice, to the character, parts nothing."""
        text = text_of(piece)
        for key, position in keys(piece):
            start = position - piece.start_pos
            written = text[start : text.find("\n", start) + 1]
            is_doubled = bool(written) and self.written == (written, position)
            self.written = written, position + len(written)
            if not is_doubled:
                line = piece.line + text.count("\n", 0, start)
                self.events.append(Event("key", position, line, printed, key))

    def _follow(self, piece: Piece) -> None:
        """Note the last value if this piece cannot come after it."""
        last, self.last = self.last, None
        if last is not None and not can_follow(piece, *last):
            self._event("cut", piece, fact=len(self.log.facts) - 1)

    def _malformed(self, piece: Piece) -> None:
        """A value's line that is cut or overwritten is damage; the block that it stands in stays open."""
        key, _, rest = text_of(piece).lstrip("- ").partition(" = ")
        if f"{key} = " in rest:  # a hole takes lines away, it never brings the same one again
            self._event("part", piece)
        rule = HOLE if "\0" in text_of(piece) else BLACKED if is_blacked_out(rest) else ""
        if rule != BLACKED:
            self._unread(piece, "malformed")
        where = self._locator(piece, piece.start_pos, piece.end_pos)
        self.log.add_damaged(DamagedValue(FIELD_OF_KEY.get(key, key), where, self.print, rule=rule))
        self._claim(piece)

    def _noise(self, piece: Piece) -> None:
        if piece.type not in _LOG.within_blocks:
            self.block = ""
        if piece.type in _OF_HOSTS:
            self.print += 1
            self._hosts(piece)
        elif piece.type == "LOCAL" and "'product_token'" in text_of(piece):
            self.log.products += printed_products(text_of(piece), self.log.evidence, piece.line, piece.start_pos)
        self._claim(piece)

    def _hosts(self, piece: Piece) -> int:
        """How many hosts fabric's own marks name (the monitoring host excepted): each is a witness of public_host."""
        told: set[str] = set()
        text = text_of(piece)
        for mark, position in hosts(piece):
            user, _, host = mark.partition("@")
            if user == "zenoss":
                self.log.marks.add("zenoss")
                continue
            told.add(host)
            start = position - piece.start_pos
            line = piece.line + text.count("\n", 0, start) if start else piece.line
            first = text.startswith("] run: whoami\n", start + len(mark) + 1)
            self.events.append(Event("host", position, line, host, "first" if first else ""))
            if mark not in self.hosts and piece.type == "RELAYED":
                self.hosts.add(mark)
                start = position + 1 + len(user) + 1
                where = Locator(self.log.evidence, line, start, start + len(host))
                self._fact("public_host", host, where, "relayed", OWN)
        return len(told)

    def _announcement(self, piece: Piece) -> None:
        text, stage, noted = announced(text_of(piece))
        self.log.announcements.add(text)
        if noted is not None:
            self._note(noted, piece, text)
        if stage is not None:
            self._stage(stage, piece, "announcement")
        elif text == "Setting up monitoring...":
            self._event("monitoring", piece)
        self._claim(piece)

    def _note(self, name: str, piece: Piece, text: str) -> None:
        where = Locator(self.log.evidence, piece.line, piece.start_pos, piece.end_pos)
        self._event(name, piece, text, fact=len(self.log.facts))
        rule = name if name == "failure" else "announcement"
        self.log.facts.append(Fact(name, text, where, rule, OWN, self.print))

    def _failure(self, pieces: Sequence[Piece]) -> None:
        self._note("failure", pieces[0], text_of(pieces[0]).split("\n", 1)[0].strip(">[")[:160])
        for piece in pieces:
            self._claim(piece)

    def _cat(self, output: Piece) -> None:
        self._claim(output)
        if self._hosts(output) > 1:
            return  # one host's command with another's answer
        path = text_of(output).split("\n", 1)[0].split(": ", 1)[1].removeprefix("cat ").removeprefix("if [[ -e ")
        path = path.removeprefix("/home/customer/").split(None, 1)[0].rstrip("-;")
        lines = output_lines(output)
        if path == "storageserver/tahoe.cfg":
            self.log.announcements.add("tahoe.cfg read out")
            self._tahoe_cfg(lines, output)
            return
        name = _LOG.files.get(path)
        while lines and not lines[-1][0]:
            lines.pop()
        if name is None or not lines:
            return
        text = "\n".join(content for content, _ in lines)
        start, end = lines[0][1], lines[-1][1] + len(lines[-1][0])
        self._fact(name, text, self._locator(output, start, end), "cat_output", REMOTE)

    def _tahoe_cfg(self, lines: list[tuple[str, int]], output: Piece) -> None:
        for name, text, where in settings(lines):
            self._fact(name, text, self._locator(output, where, where + len(text)), "tahoe_cfg", REMOTE)

    def _fact(self, name: str, text: str, locator: Locator, rule: str, channel: str) -> int | None:
        """Note a value; its number among the facts, None if it is none."""
        told = understood(name, text, is_quoted=not (self.is_in_s4_layout or "s4" in self.log.marks))
        if told is None:
            if text:
                self.log.add_damaged(DamagedValue(name, locator, self.print, text, rule))
            return None
        self.log.facts.append(Fact(name, told, locator, rule, channel, self.print))
        return len(self.log.facts) - 1

    def _locator(self, piece: Piece, start: int, end: int) -> Locator:
        line = piece.line + text_of(piece).count("\n", 0, start - piece.start_pos)
        return Locator(self.log.evidence, line, start, end)

    def _claim(self, piece: Piece) -> None:
        told = meaning(piece)
        if told.kind == "residue":
            where = piece.line, piece.start_pos, piece.end_pos
            self.log.leave(Residue(self.log.evidence, *where, text_of(piece)[:120]))
        if told.marks:
            self.log.marks.update([mark for word, mark in told.marks if word in text_of(piece)])
        self.log.claim(piece.start_pos, piece.end_pos, told.kind)

    def finish(self) -> LogReading:
        log = self.log
        course = follow(self.events, log)
        log.marks |= course.marks
        # What cannot be read behind an error message is a part of it.
        errors = {r for r in log.residue if course.is_error(r.start)}
        for stretch in errors:
            log.sizes["residue"] -= stretch.end - stretch.start
            log.sizes["failure"] += stretch.end - stretch.start
        log.residue = [r for r in log.residue if r not in errors] if errors else log.residue
        log.damaged_values = [
            torn._replace(value="") if torn.print in log.unannounced or course.is_error(torn.locator.start) else torn
            for torn in log.damaged_values
        ]
        log.dialect = _dialects.recognise(log)
        return LogReading(log=log, course=course)
