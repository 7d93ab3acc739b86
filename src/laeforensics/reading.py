"""All files of the evidence are read, each once, into logs and the sources they are joined with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from laeforensics import conversions, evidence
from laeforensics.activations import BadRow, Row, read_activation_requests, read_serverinfo, read_signups
from laeforensics.evidence import Content, EvidenceFile
from laeforensics.facts import Fact, Locator
from laeforensics.findings import Finding, finding
from laeforensics.joining import Sources
from laeforensics.producttokens import read_config
from laeforensics.secretsfiles import read_secrets, read_stripe
from laeforensics.signuplogs import SignupLog, read_log


@dataclass(slots=True, kw_only=True)
class Reading:
    """Everything read: `files` with their hashes, the logs, what they are joined with, and what was wrong."""

    files: list[tuple[EvidenceFile, str]] = field(default_factory=list)
    logs: list[SignupLog] = field(default_factory=list)
    sources: Sources = field(default_factory=Sources)
    findings: list[Finding] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """SHA-256 over the names and hashes of all files: the name of exactly this evidence."""
        lines = "".join(f"{sha256}  {file.name}\n" for file, sha256 in sorted(self.files, key=lambda f: f[0].name))
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def read_all(files: Iterable[EvidenceFile], *, progress: Callable[[EvidenceFile], None] | None = None) -> Reading:
    """Read every file once, one at a time. What cannot be read becomes a finding."""
    reading = Reading()
    for file in files:
        content = evidence.read(file)
        reading.files.append((file, content.sha256))
        if content.problem is not None:
            reading.findings.append(finding("unreadable-file", f"cannot be read: {content.problem}", signup=file.name))
        else:
            _READERS.get(file.kind, _ignore)(reading, file, _as_written(reading, file, content))
        if progress is not None:
            progress(file)
    return reading


def _as_written(reading: Reading, file: EvidenceFile, content: Content) -> Content:
    conversion = conversions.undo(content.data)
    if conversion is None:
        return content
    reading.findings.append(finding("converted-file", f"the file was converted: {conversion.what}", signup=file.name))
    return replace(content, data=conversion.data, back=conversion.back)


def _moved(content: Content, locator: Locator) -> Locator:
    """The place in the file of a place in what was read of it."""
    back = content.back
    return locator if back is None else locator._replace(start=back(locator.start), end=back(locator.end))


def _moved_facts(content: Content, facts: Iterable[Fact]) -> list[Fact]:
    return [fact._replace(locator=_moved(content, fact.locator)) for fact in facts]


def _move_log(log: SignupLog, back: Callable[[int], int]) -> None:
    log.tiles = [tile._replace(start=back(tile.start), end=back(tile.end)) for tile in log.tiles]
    log.residue = [r._replace(start=back(r.start), end=back(r.end)) for r in log.residue]


def _log(reading: Reading, file: EvidenceFile, content: Content) -> None:
    log = read_log(content.data, file.name)
    if content.back is not None:
        _move_log(log, content.back)
        log.facts = _moved_facts(content, log.facts)
        log.torn = [(name, _moved(content, locator)) for name, locator in log.torn]
    reading.logs.append(log)
    reading.findings.extend(_log_findings(log))


def _log_findings(log: SignupLog) -> Iterable[Finding]:
    name = log.evidence
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


def _secrets(reading: Reading, file: EvidenceFile, content: Content) -> None:
    found = read_secrets(content.data, file.name)
    found.facts = _moved_facts(content, found.facts)
    reading.sources.secrets[file.name] = found
    if not content.data:
        reading.findings.append(finding("empty-secrets", str(found.problem), signup=file.name))
    elif found.problem:
        reading.findings.append(finding("damaged-secrets", str(found.problem), signup=file.name))
    for name, locator in found.rejected:
        reading.findings.append(
            finding("damaged-secrets", f"{name} cannot be right", signup=file.name, field=name, locators=(locator,))
        )


def _stripe(reading: Reading, file: EvidenceFile, content: Content) -> None:
    found = read_stripe(content.data, file.name)
    found.facts = _moved_facts(content, found.facts)
    reading.sources.stripe[_folder(file.name)] = found
    if found.problem:
        reading.findings.append(finding("damaged-secrets", found.problem, signup=file.name))


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _activation_requests(reading: Reading, file: EvidenceFile, content: Content) -> None:
    for row in _rows(reading, content, read_activation_requests(content.data, file.name)):
        reading.sources.activations[row.value("activation_key") or ""].append(row)


def _signups(reading: Reading, file: EvidenceFile, content: Content) -> None:
    for row in _rows(reading, content, read_signups(content.data, file.name)):
        reading.sources.signups[row.value("activation_key") or ""].append(row)


def _serverinfo(reading: Reading, file: EvidenceFile, content: Content) -> None:
    for row in _rows(reading, content, read_serverinfo(content.data, file.name)):
        for key in (row.value("instance_id"), row.value("public_host")):
            if key is not None:
                reading.sources.serverinfo[key].append(row)


def _rows(reading: Reading, content: Content, rows: Iterable[Row | BadRow]) -> Iterable[Row]:
    for row in rows:
        if isinstance(row, Row):
            yield row if content.back is None else row._replace(facts=tuple(_moved_facts(content, row.facts)))
        else:
            locator = _moved(content, Locator(row.evidence, row.line, row.start, row.end))
            reading.findings.append(
                finding("damaged-row", f"row {row.line}: {row.why}", signup=row.evidence, locators=(locator,))
            )


def _config(reading: Reading, file: EvidenceFile, content: Content) -> None:
    products, problem = read_config(content.data, file.name)
    for product in products:
        reading.sources.products[product.product_code].append(product)
    if problem:
        reading.findings.append(finding("damaged-config", problem, signup=file.name))


def _ignore(reading: Reading, file: EvidenceFile, content: Content) -> None:
    """Other files are hashed, for custody, and not read further."""


_READERS: dict[str, Callable[[Reading, EvidenceFile, Content], None]] = {
    evidence.LOG: _log,
    evidence.SECRETS: _secrets,
    evidence.STRIPE: _stripe,
    evidence.ACTIVATION_REQUESTS: _activation_requests,
    evidence.SIGNUPS: _signups,
    evidence.SERVERINFO: _serverinfo,
    evidence.CONFIG: _config,
}
