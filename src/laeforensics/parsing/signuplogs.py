"""One signup log becomes facts with their places, announcements of how far it came, tiles for every byte."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from laeforensics.companions.products import printed_products
from laeforensics.facts.channels import ERROR, OWN, REMOTE, STRAY
from laeforensics.facts.damage import is_damage
from laeforensics.facts.fact import Fact, Locator, Residue
from laeforensics.facts.fields import understood
from laeforensics.parsing import _dialects, _segments, parser
from laeforensics.parsing._islands import Coast, Island
from laeforensics.parsing._pieces import (
    ALWAYS_FOLLOW,
    BLOCK_OF_ITEM,
    BLOCKS_OF_TERMINAL,
    CARRY_ON,
    FIELD_OF_FILE,
    FIELD_OF_KEY,
    FOLLOWERS,
    FOLLOWERS_IN,
    KIND_OF_TERMINAL,
    MARKS,
    PRINTED,
    hosts,
    keys,
    output_lines,
    settings,
    value,
)
from laeforensics.parsing._vouching import certify, external_furl, testify
from laeforensics.parsing.logs import SignupLog
from laeforensics.parsing.parser import Piece
from laeforensics.parsing.stages import STAGE_OF_ITEM, is_order_broken, stage_of_announcement


def read_log(data: bytes, evidence: str) -> SignupLog:
    """Read one log of any dialect. Pure; never fails: what it cannot read is residue."""
    reader = _Reader(evidence)
    parser.each("signup_log", data, reader.take)
    return reader.finish(len(data))


class _Reader:
    """Follows the items of one file: which signup of the file it is, which block is open, whether it failed before."""

    def __init__(self, evidence: str) -> None:
        self.log = SignupLog(evidence=evidence)
        self.segments = [_segments.Segment()]
        self.block = "*"  # a lost head: the first lines may be of any block
        self.items: set[str] = set()
        self.swallowed = False
        self.hosts: set[str] = set()
        self.followers: frozenset[str] | None = None

    @property
    def here(self) -> _segments.Segment:
        return self.segments[-1]

    def take(self, rule: str, pieces: Sequence[Piece]) -> None:
        if self.followers is not None:
            self._follow(pieces[0])
        if rule == "noise":
            self._noise(pieces)
            return
        stage = STAGE_OF_ITEM.get(rule)
        if stage is not None:
            self._stage(rule, stage, pieces[0])
        elif rule == "mail" and not self.here.failed:
            self._mail(pieces[0])
        if rule == "stray":
            is_open = self.block == "*" or self.block in BLOCKS_OF_TERMINAL.get(pieces[0].type, ())
            self._facts(rule, pieces, OWN if is_open else STRAY)
            return
        if pieces[0].type == "MALFORMED":
            self._malformed(pieces[0])
            return
        if pieces[0].type == "OTHER" and not self.here.failed:
            self.here.coast.hurt()
        if pieces[0].type == "OTHER" and str(pieces[0]).startswith("\0"):
            self._tiles(pieces)  # zeros are a hole that moved nothing: the block goes on
            return
        self.block = BLOCK_OF_ITEM.get(rule, "")
        if rule == "cat_output":
            self._cat(pieces)
        elif rule == "announcement":
            self._announcement(pieces[0])
        elif rule == "failure":
            self._failure(pieces)
        elif rule == "residue":
            if not self.log.tiles:
                self.block = "*"  # the rest of a line whose beginning is lost
            self._tiles(pieces)
        else:
            self._facts(rule, pieces, OWN)

    def _stage(self, rule: str, stage: str, piece: Piece) -> None:
        if is_order_broken(rule, self.items):
            self.segments.append(_segments.Segment(coast=Coast([Island(start=piece.start_pos, line=piece.line)])))
            self.items.clear()
            self.swallowed = False
        self.items.add(rule)
        if rule == "deployment" and self.swallowed:
            # The S4 program prints that its bucket could not be made, then goes on as if it had been.
            self.here.failed = self.swallowed = False
        self._reached(stage, piece)

    def _reached(self, stage: str, piece: Piece) -> None:
        if not self.here.failed:
            self.here.stages.append((stage, piece.line))
            self.here.coast.stage(stage, piece.start_pos, piece.line)

    def _mail(self, piece: Piece) -> None:
        """The programs that named no region when they made the bucket did not write to customers."""
        if "bucket" in self.items and "region" not in self.log.marks:
            self.here.coast.part(piece.start_pos, piece.line)
        self.here.coast.stage("mail_sent", piece.start_pos, piece.line)

    def _facts(self, rule: str, pieces: Sequence[Piece], channel: str) -> None:
        for piece in pieces:
            if self.followers is not None:
                self._follow(piece)
            if piece.type in PRINTED:
                self._printed(rule, piece)
            found = value(piece)
            if found is not None:
                name, text, start = found
                known = len(self.here.facts)
                self._fact(name, text, self._locator(piece, start, start + len(text)), rule, channel)
                is_told = len(self.here.facts) > known
                followers = FOLLOWERS_IN.get((rule, piece.type)) or FOLLOWERS.get(piece.type)
                self.followers = followers if is_told else None
                if is_told and rule in ("address", "settings") and not self.here.failed:
                    self._served(piece, text)
        self._tiles(pieces)

    def _printed(self, rule: str, piece: Piece) -> None:
        if rule == "bucket" or self.here.failed:
            return
        for key, position in keys(piece):
            line = piece.line + str(piece).count("\n", 0, position - piece.start_pos)
            self.here.coast.lines(PRINTED[piece.type], key, position, line)

    def _served(self, piece: Piece, value: str) -> None:
        """The address that the program prints, and the one in the furl, are of the one server of the run."""
        host = value.partition("@")[2].partition(":")[0] or value
        known = self.here.coast.islands[-1].host
        if known is not None and known != host and is_damage(known, host):
            fact = self.here.facts[-1]
            self.here.facts[-1] = fact._replace(channel=STRAY)
            self.log.tear(fact.field, fact.locator)
        else:
            self.here.coast.host(host, piece.start_pos, piece.line)

    def _follow(self, piece: Piece) -> None:
        """Doubt the last value if this piece cannot come after it. Zeros may: they are a hole that moved nothing."""
        followers, self.followers = self.followers, None
        if followers is None or piece.type in followers or piece.type in ALWAYS_FOLLOW:
            return
        text = str(piece)
        cut = piece.type == "OTHER" and (text.startswith("\0") or not text.endswith("\n"))
        if not cut and self.here.facts and self.here.facts[-1].channel == OWN:
            fact = self.here.facts[-1]
            self.here.facts[-1] = fact._replace(channel=STRAY)
            self.log.tear(fact.field, fact.locator)
            self.here.coast.hurt()

    def _malformed(self, piece: Piece) -> None:
        """A value's line that is cut or overwritten is damage; the block that it stands in stays open."""
        key, _, rest = str(piece).partition(" = ")
        key = key.strip("- ")
        if f"{key} = " in rest:  # a hole takes lines away, it never brings the same one again
            self.here.coast.part(piece.start_pos, piece.line)
        self.here.coast.hurt()
        self.log.tear(FIELD_OF_KEY.get(key, key), self._locator(piece, piece.start_pos, piece.end_pos))
        self._tiles([piece])

    def _noise(self, pieces: Sequence[Piece]) -> None:
        piece = pieces[0]
        if piece.type not in CARRY_ON:
            self.block = ""
        if piece.type in ("RELAYED", "RELAYED_MARKED"):
            self._hosts(piece)
        elif piece.type == "LOCAL" and "'product_token'" in str(piece):
            self.log.products += printed_products(str(piece), self.log.evidence, piece.line, piece.start_pos)
        self._tiles(pieces)

    def _hosts(self, piece: Piece) -> int:
        """How many hosts fabric's own marks name (the monitoring host excepted): each is a witness of public_host."""
        told: set[str] = set()
        for mark, position in hosts(piece):
            user, _, host = mark.partition("@")
            if user == "zenoss":
                self.log.marks.add("zenoss")
                continue
            told.add(host)
            line = piece.line + str(piece).count("\n", 0, position - piece.start_pos)
            if not self.here.failed:
                first = str(piece).startswith("] run: whoami\n", position - piece.start_pos + len(mark) + 1)
                self.here.coast.host(host, position, line, first=first)
            if mark not in self.hosts and piece.type == "RELAYED":
                self.hosts.add(mark)
                start = position + 1 + len(user) + 1
                where = Locator(self.log.evidence, line, start, start + len(host))
                self._fact("public_host", host, where, "relayed", OWN)
        return len(told)

    def _announcement(self, piece: Piece) -> None:
        text = str(piece).strip(">'-\n ")
        self.log.announcements.add(text)
        if text.startswith("Waiting 75 seconds"):
            self.log.marks.add("75 seconds")
        elif text == "Setting up monitoring..." and self.here.stages and self.here.stages[-1][0] == "mail_sent":
            self.log.marks.add("monitoring after mail")
        if text == "S3 bucket creation failed.":
            self.here.bucket_failed = True
        stage = stage_of_announcement(text)
        if stage is not None:
            self._reached(stage, piece)
        self._tiles([piece])

    def _failure(self, pieces: Sequence[Piece]) -> None:
        self.swallowed = self.here.bucket_failed and not self.here.failed and "s4" in self.log.marks
        if not self.here.failed:
            self.here.failed_at = pieces[0].line
        self.here.failed = True
        if self.here.failure is None:
            self.here.failure = str(pieces[0]).split("\n", 1)[0].strip(">[")[:160]
        self._tiles(pieces)

    def _cat(self, pieces: Sequence[Piece]) -> None:
        self._tiles(pieces)
        output = pieces[0]
        if self._hosts(output) > 1:
            return  # one host's command with another's answer
        path = str(output).split("\n", 1)[0].split(": ", 1)[1].removeprefix("cat ").removeprefix("if [[ -e ")
        path = path.removeprefix("/home/customer/").split(None, 1)[0].rstrip("-;")
        lines = output_lines(output)
        if path == "storageserver/tahoe.cfg":
            self.log.announcements.add("tahoe.cfg read out")
            self._tahoe_cfg(lines, output)
            return
        name = FIELD_OF_FILE.get(path)
        while lines and not lines[-1][0]:
            lines.pop()
        if name is None or not lines:
            return
        if path.startswith("storageserver/private/s3"):
            self.log.announcements.add("secrets read out")
        text = "\n".join(content for content, _ in lines)
        start, end = lines[0][1], lines[-1][1] + len(lines[-1][0])
        self._fact(name, text, self._locator(output, start, end), "cat_output", REMOTE)

    def _tahoe_cfg(self, lines: list[tuple[str, int]], output: Piece) -> None:
        for name, text, where in settings(lines):
            self._fact(name, text, self._locator(output, where, where + len(text)), "tahoe_cfg", REMOTE)

    def _fact(self, name: str, text: str, locator: Locator, rule: str, channel: str) -> None:
        told = understood(name, text, is_quoted=not _segments.is_s4(self.log))
        if told is None:
            if text:
                self.log.tear(name, locator, "" if self.here.failed or channel == STRAY else text, rule)
            return
        self.here.facts.append(Fact(name, told, locator, rule, ERROR if self.here.failed else channel))

    def _locator(self, piece: Piece, start: int, end: int) -> Locator:
        line = piece.line + str(piece).count("\n", 0, start - piece.start_pos)
        return Locator(self.log.evidence, line, start, end)

    def _tiles(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            kind = KIND_OF_TERMINAL.get(piece.type, "fact")
            if kind == "residue":
                if self.here.failed:
                    kind = "failure"
                else:
                    where = (self.log.evidence, piece.line, piece.start_pos, piece.end_pos)
                    self.log.leave(Residue(*where, str(piece)[:120]))
            if piece.type in MARKS:
                self.log.marks.update(mark for word, mark in MARKS[piece.type] if word in str(piece))
            self.log.claim(piece.start_pos, piece.end_pos, kind)

    def finish(self, size: int) -> SignupLog:
        log = self.log
        log.size = size
        log.segments = len(self.segments)
        kept, log.facts, log.seam = _segments.keep(self.segments, log.evidence)
        log.stages = kept.stages
        log.failed, log.failure, log.bucket_failed = kept.failed, kept.failure, kept.bucket_failed
        if {"Reading secrets...", "secrets read out"} & log.announcements and not any(
            s == "activated" for s, _ in log.stages
        ):
            for fact in testify(log.facts):
                log.tear(fact.field, fact.locator)
            log.facts += external_furl(log.facts)
        else:
            certify(log.facts, is_restored="Restoring introducer identity..." in log.announcements)
        log.dialect = _dialects.recognise(log)
        return log
