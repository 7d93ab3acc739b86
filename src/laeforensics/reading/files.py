"""One file's bytes become what it tells, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import cast

from laeforensics.companions.csv_rows import BadRow, Row, read_activation_requests, read_serverinfo, read_signups
from laeforensics.companions.products import Product, read_config
from laeforensics.companions.secrets_files import SecretsFile, read_secrets, read_stripe
from laeforensics.evidence import convert, recognise, resaved
from laeforensics.evidence.read import Content
from laeforensics.evidence.reasons import obstacle
from laeforensics.evidence.recognise import EvidenceFile
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.findings import Finding, finding
from laeforensics.facts.packed import Facts
from laeforensics.parsing import thrift
from laeforensics.parsing.logs import SignupLog
from laeforensics.parsing.signuplogs import read_log
from laeforensics.reading import unread
from laeforensics.reading.unread import WORDS, Unread


@dataclass(slots=True, kw_only=True)
class FileReading:
    """What one file told: of the parts, those that its kind can have.

    Plain texts and numbers, so that a process can hand it on.
    """

    file: EvidenceFile
    sha256: str
    log: SignupLog | None = None
    secrets: SecretsFile | None = None
    stripe: SecretsFile | None = None
    activations: list[Row] = field(default_factory=list)
    signups: list[Row] = field(default_factory=list)
    serverinfo: list[Row] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unread: Unread | None = None


def read_file(file: EvidenceFile, content: Content) -> FileReading:
    """One file's bytes to what it tells. Pure: it opens nothing, and any process can do it."""
    told = FileReading(file=file, sha256=content.sha256)
    for wrong in (content.problem, *content.also):
        if wrong is not None:
            told.findings.append(finding(content.code, str(wrong), signup=file.name, remedy=wrong.remedy))
    if content.problem is None or content.data:
        try:
            _READERS.get(file.kind, _ignore)(told, file, _as_written(told, file, content))
            _note_place(told)
        except Exception as error:  # noqa: BLE001 - one file never stops the others, whatever it holds
            told = FileReading(file=file, sha256=content.sha256)
            content = replace(content, problem=obstacle("unforeseen", type(error).__name__))
            told.findings.append(finding("unreadable-file", str(content.problem), signup=file.name))
    told.unread = unread.of(told, content)
    return told


def _as_written(told: FileReading, file: EvidenceFile, content: Content) -> Content:
    """The content as its program wrote it: conversions of the whole file are undone, its places are kept."""
    for undo in _CONVERSIONS.get(file.kind, ()):
        conversion = undo(content.data)
        if conversion is not None:
            what = f"the file was converted: {conversion.what}"
            told.findings.append(finding("converted-file", what, signup=file.name))
            back = conversion.back if content.back is None else _one_after_other(conversion.back, content.back)
            content = replace(content, data=conversion.data, back=back)
    return content


def _one_after_other(second: Callable[[int], int], first: Callable[[int], int]) -> Callable[[int], int]:
    return lambda offset: first(second(offset))


def _moved(content: Content, locator: Locator) -> Locator:
    """The place in the file of a place in what was read of it."""
    back = content.back
    return locator if back is None else locator._replace(start=back(locator.start), end=back(locator.end))


def _moved_facts(content: Content, facts: Iterable[Fact]) -> Facts:
    if content.back is not None:
        facts = (fact._replace(locator=_moved(content, fact.locator)) for fact in facts)
    return Facts(facts)


def _move_log(log: SignupLog, back: Callable[[int], int]) -> None:
    log.tiles = [tile._replace(start=back(tile.start), end=back(tile.end)) for tile in log.tiles]
    log.residue = [r._replace(start=back(r.start), end=back(r.end)) for r in log.residue]


def _note_place(told: FileReading) -> None:
    """Say of a file that was known by its content, or by the stamp that its name bears, that it was."""
    if told.file.known != recognise.AT_HOME:
        code = "renamed-file" if told.file.known == recognise.BY_STAMP else "nameless-file"
        told.findings.append(finding(code, f"its content is {WORDS[told.file.kind]}", signup=told.file.name))


def _log(told: FileReading, file: EvidenceFile, content: Content) -> None:
    log = read_log(content.data, file.name)
    if content.back is not None:
        _move_log(log, content.back)
        log.facts = list(_moved_facts(content, log.facts))
        log.torn = [(name, _moved(content, locator)) for name, locator in log.torn]
        log.torn_names = list(_moved_facts(content, log.torn_names))
    told.log = thrift.log(log)
    told.findings.extend(_log_findings(log))


def _log_findings(log: SignupLog) -> Iterable[Finding]:
    name = log.evidence
    if not log.size:
        yield finding("empty-log", "0 bytes", signup=name)
    if log.residue:
        size = sum(r.end - r.start for r in log.residue)
        yield finding(
            "residue",
            f"{len(log.residue)} lines ({size} bytes) were not understood",
            signup=name,
            locators=tuple(Locator(name, r.line, r.start, r.end) for r in log.residue[:5]),
        )
    if log.segments > 1:
        yield finding("several-signups", f"{log.segments} signups stand in one file", signup=name)
    for torn_field, locator in log.torn:
        yield finding(
            "damaged-value", f"{torn_field} is damaged here", signup=name, field=torn_field, locators=(locator,)
        )
    if log.bucket_failed:
        yield finding("bucket-failed", "the program printed that the bucket could not be made", signup=name)


def _secrets(told: FileReading, file: EvidenceFile, content: Content) -> None:
    found = read_secrets(content.data, file.name)
    found.facts = cast("list[Fact]", _moved_facts(content, found.facts))
    found.damaged_names = list(_moved_facts(content, found.damaged_names))
    told.secrets = found
    if not content.data:
        told.findings.append(finding("empty-secrets", str(found.problem), signup=file.name))
    elif found.problem:
        told.findings.append(finding("damaged-secrets", str(found.problem), signup=file.name))
    for name, locator in found.rejected:
        told.findings.append(
            finding("damaged-secrets", f"{name} cannot be right", signup=file.name, field=name, locators=(locator,))
        )


def _stripe(told: FileReading, file: EvidenceFile, content: Content) -> None:
    found = read_stripe(content.data, file.name)
    found.facts = cast("list[Fact]", _moved_facts(content, found.facts))
    told.stripe = found
    if found.problem:
        told.findings.append(finding("damaged-secrets", found.problem, signup=file.name))


def _activation_requests(told: FileReading, file: EvidenceFile, content: Content) -> None:
    told.activations.extend(_rows(told, content, read_activation_requests(content.data, file.name)))


def _signups(told: FileReading, file: EvidenceFile, content: Content) -> None:
    told.signups.extend(_rows(told, content, read_signups(content.data, file.name)))


def _serverinfo(told: FileReading, file: EvidenceFile, content: Content) -> None:
    told.serverinfo.extend(_rows(told, content, read_serverinfo(content.data, file.name)))


def _rows(told: FileReading, content: Content, rows: Iterable[Row | BadRow]) -> Iterable[Row]:
    for row in rows:
        if isinstance(row, Row):
            yield row if content.back is None else row._replace(facts=_moved_facts(content, row.facts))
        else:
            locator = _moved(content, Locator(row.evidence, row.line, row.start, row.end))
            told.findings.append(
                finding("damaged-row", f"row {row.line}: {row.why}", signup=row.evidence, locators=(locator,))
            )


def _config(told: FileReading, file: EvidenceFile, content: Content) -> None:
    products, problem = read_config(content.data, file.name)
    told.products.extend(products)
    if problem:
        told.findings.append(finding("damaged-config", problem, signup=file.name))


def _ignore(told: FileReading, file: EvidenceFile, content: Content) -> None:
    """Other files are hashed, for custody, and not parsed."""


_READERS: dict[str, Callable[[FileReading, EvidenceFile, Content], None]] = {
    recognise.LOG: _log,
    recognise.SECRETS: _secrets,
    recognise.STRIPE: _stripe,
    recognise.ACTIVATION_REQUESTS: _activation_requests,
    recognise.SIGNUPS: _signups,
    recognise.SERVERINFO: _serverinfo,
    recognise.CONFIG: _config,
}

_OF_CSV = (recognise.ACTIVATION_REQUESTS, recognise.SIGNUPS, recognise.SERVERINFO)
_CONVERSIONS = {kind: (convert.undo, resaved.undo) if kind in _OF_CSV else (convert.undo,) for kind in _READERS}
