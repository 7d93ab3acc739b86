"""All files of the evidence are read, each once, into logs and the sources they are joined with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from laeforensics import conversions, evidence, pool, thrift
from laeforensics.activations import BadRow, Row, read_activation_requests, read_serverinfo, read_signups
from laeforensics.evidence import Content, EvidenceFile
from laeforensics.evidencefiles import as_text
from laeforensics.facts import Fact, Locator
from laeforensics.findings import Finding, finding
from laeforensics.logs import SignupLog
from laeforensics.packedfacts import Facts
from laeforensics.producttokens import Product, read_config, read_monthly
from laeforensics.secretsfiles import SecretsFile, read_secrets, read_stripe
from laeforensics.signuplogs import read_log
from laeforensics.witnesses import Sources

_BATCH = 32
_BATCH_BYTES = 4 << 20


@dataclass(slots=True, kw_only=True)
class FileReading:
    """What one file told: of the parts, those that its kind can have. Plain texts and numbers, so that a process can hand it on."""

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


@dataclass(slots=True, kw_only=True)
class Reading:
    """Everything read: `files` with their hashes, the logs, what they are joined with, and what was wrong."""

    files: list[tuple[EvidenceFile, str]] = field(default_factory=list)
    archives: list[tuple[EvidenceFile, str]] = field(default_factory=list)
    """The archives themselves, whose members are in `files`."""
    logs: list[SignupLog] = field(default_factory=list)
    sources: Sources = field(default_factory=Sources)
    findings: list[Finding] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """SHA-256 over the names and hashes of all files: the name of exactly this evidence."""
        lines = "".join(f"{sha256}  {file.name}\n" for file, sha256 in sorted(self.files, key=lambda f: f[0].name))
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()

    def add(self, told: FileReading) -> None:
        """Take in what one file told."""
        file = told.file
        self.findings.extend(told.findings)
        if file.kind == evidence.ARCHIVE:
            self.archives.append((file, told.sha256))
        elif file.kind != evidence.LEFT_OUT:
            self.files.append((file, told.sha256))
        sources = self.sources
        if told.log is not None:
            self.logs.append(told.log)
            for product in told.log.products:
                sources.printed_products[product.product_code].append(product)
        if told.secrets is not None:
            sources.secrets[file.name] = told.secrets
        if told.stripe is not None:
            sources.stripe[file.name.rpartition("/")[0]] = told.stripe
        for row in told.activations:
            sources.activations[row.value("activation_key") or ""].append(row)
        for row in told.signups:
            sources.signups[row.value("activation_key") or ""].append(row)
        for row in told.serverinfo:
            for key in (row.value("instance_id"), row.value("public_host")):
                if key is not None:
                    sources.serverinfo[key].append(row)
        for product in told.products:
            sources.products[product.product_code].append(product)


def read_all(
    files: Iterable[EvidenceFile], *, jobs: int = 1, progress: Callable[[EvidenceFile], None] | None = None
) -> Reading:
    """Read every file once, one at a time; with `jobs` > 1 that many processes parse what this one reads.

    What cannot be read becomes a finding. The result is the same for any number of jobs.
    Raises EvidenceError: a process that parsed was killed.
    """
    told: list[FileReading] = []
    for some in pool.in_order(read_files, _batches(evidence.contents(files, here=jobs <= 1), jobs), jobs=jobs):
        told += some
        if progress is not None:
            for one in some:
                progress(one.file)
    reading = Reading()
    told.sort(key=lambda t: t.file.name, reverse=True)
    while told:
        reading.add(told.pop())
    return reading


def _batches(
    files: Iterable[tuple[EvidenceFile, Content | None]], jobs: int
) -> Iterator[tuple[list[tuple[EvidenceFile, Content | None]]]]:
    """One file at a time for one job; for more, as many as make it worth while to hand them over."""
    batch: list[tuple[EvidenceFile, Content | None]] = []
    size = 0
    for file, content in files:
        batch.append((file, content))
        size += file.size
        if jobs <= 1 or len(batch) >= _BATCH or size >= _BATCH_BYTES:
            yield (batch,)
            batch, size = [], 0
    if batch:
        yield (batch,)


def read_files(batch: Iterable[tuple[EvidenceFile, Content | None]]) -> list[FileReading]:
    """What each file tells; one without content is read here first."""
    return [read_file(file, evidence.read(file) if content is None else content) for file, content in batch]


def read_file(file: EvidenceFile, content: Content) -> FileReading:
    """One file's bytes to what it tells. Pure: it opens nothing, and any process can do it."""
    told = FileReading(file=file, sha256=content.sha256)
    if content.problem is not None:
        message = content.problem if content.code != "unreadable-file" else f"cannot be read: {content.problem}"
        told.findings.append(finding(content.code, message, signup=file.name))
    if content.problem is None or content.data:
        try:
            _READERS.get(file.kind, _ignore)(told, file, _as_written(told, file, content))
        except Exception as error:  # noqa: BLE001 - one file never stops the others, whatever it holds
            what = f"nobody foresaw what this file holds ({type(error).__name__}); nothing of it was used"
            told = FileReading(file=file, sha256=content.sha256)
            told.findings.append(finding("unreadable-file", what, signup=file.name))
    return told


def _as_written(told: FileReading, file: EvidenceFile, content: Content) -> Content:
    conversion = conversions.undo(content.data)
    if conversion is None:
        return content
    told.findings.append(finding("converted-file", f"the file was converted: {conversion.what}", signup=file.name))
    return replace(content, data=conversion.data, back=conversion.back)


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
    found.torn_names = list(_moved_facts(content, found.torn_names))
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


def add_monthly(reading: Reading, path: Path) -> None:
    """Read a monthly product token file (it lies beside the evidence, not in it). Raises OSError."""
    name = as_text(path.name)
    products, bad = read_monthly(evidence.read_beside(path), name)
    for product in products:
        reading.sources.products[product.product_code].append(product)
    for line in bad:
        reading.findings.append(finding("damaged-row", f"line {line} is no month, code and token", signup=name))


def _config(told: FileReading, file: EvidenceFile, content: Content) -> None:
    products, problem = read_config(content.data, file.name)
    told.products.extend(products)
    if problem:
        told.findings.append(finding("damaged-config", problem, signup=file.name))


def _ignore(told: FileReading, file: EvidenceFile, content: Content) -> None:
    """Other files are hashed, for custody, and not parsed."""


_READERS: dict[str, Callable[[FileReading, EvidenceFile, Content], None]] = {
    evidence.LOG: _log,
    evidence.SECRETS: _secrets,
    evidence.STRIPE: _stripe,
    evidence.ACTIVATION_REQUESTS: _activation_requests,
    evidence.SIGNUPS: _signups,
    evidence.SERVERINFO: _serverinfo,
    evidence.CONFIG: _config,
}
