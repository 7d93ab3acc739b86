"""All files of the evidence are read, each once, into what the logs are joined from."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from laeforensics.companions.products import read_monthly
from laeforensics.companions.sources import Sources
from laeforensics.evidence import read, recognise
from laeforensics.evidence.custody import Entry, compare
from laeforensics.evidence.hindrances import Hindrance
from laeforensics.evidence.read import Content
from laeforensics.evidence.recognise import EvidenceFile, as_text
from laeforensics.facts.fact import Locator
from laeforensics.facts.findings import Finding, finding
from laeforensics.parsing.logs import SignupLog
from laeforensics.reading import _pool, copies
from laeforensics.reading.files import FileReading, read_file
from laeforensics.reading.unread import Unread

_BATCH = 32
_BATCH_BYTES = 4 << 20


@dataclass(slots=True, kw_only=True)
class Reading:
    """Everything read: `files` with their hashes, the logs, what they are joined with, and what was wrong."""

    files: list[tuple[EvidenceFile, str]] = field(default_factory=list)
    archives: list[tuple[EvidenceFile, str]] = field(default_factory=list)
    """The archives themselves, whose members are in `files`."""
    logs: list[SignupLog] = field(default_factory=list)
    sources: Sources = field(default_factory=Sources)
    findings: list[Finding] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    """What may be evidence and could not be read."""
    spelled: dict[str, list[Locator]] = field(default_factory=lambda: defaultdict(list))
    """Where whole names of buckets stand, once for each file."""
    passed_over: list[tuple[str, Hindrance]] = field(default_factory=list)
    """The other files of which nothing was read, each with why: nobody waits for what they hold."""

    @property
    def digest(self) -> str:
        """SHA-256 over the names and hashes of all files: the name of exactly this evidence."""
        lines = "".join(f"{sha256}  {file.name}\n" for file, sha256 in sorted(self.files, key=lambda f: f[0].name))
        return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()

    def add(self, told: FileReading) -> None:
        """Take in what one file told."""
        file = told.file
        self.findings.extend(told.findings)
        if file.kind == recognise.ARCHIVE:
            self.archives.append((file, told.sha256))
        elif file.kind != recognise.LEFT_OUT:
            self.files.append((file, told.sha256))
        if told.unread is not None:
            self.unread.append(told.unread)
        for name, place in told.spelled.items():
            self.spelled[name].append(place)
        if told.passed_over is not None and not told.findings:
            self.passed_over.append((file.name, told.passed_over))
        sources = self.sources
        sources.beliefs.add(told.notes)
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
    for some in _pool.in_order(read_files, _batches(read.contents(files, here=jobs <= 1), jobs), jobs=jobs):
        told += some
        if progress is not None:
            for one in some:
                progress(one.file)
    reading = Reading()
    told = copies.without_copies(told)
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
    return [read_file(file, read.read(file) if content is None else content) for file, content in batch]


def miss(reading: Reading, entries: Iterable[Entry]) -> None:
    """Tell what is not as the register of the case knows it: what changed, and what is not there any more."""
    reading.findings.extend(compare(entries, [*reading.files, *reading.archives]).findings())


def add_monthly(reading: Reading, path: Path) -> None:
    """Read a monthly product token file (it lies beside the evidence, not in it). Raises OSError."""
    name = as_text(path.name)
    products, bad = read_monthly(read.read_beside(path), name)
    for product in products:
        reading.sources.products[product.product_code].append(product)
    for line in bad:
        reading.findings.append(finding("damaged-row", f"line {line} is no month, code and token", signup=name))
