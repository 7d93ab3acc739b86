"""One file's bytes become what it tells, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from laeforensics.companions.csv_rows import BadRow, Row, read_activation_requests, read_serverinfo, read_signups
from laeforensics.companions.products import Product, read_config
from laeforensics.companions.secrets_files import SecretsFile, read_secrets, read_stripe
from laeforensics.doubting.deriving import external_furl
from laeforensics.doubting.judges import hear_file
from laeforensics.doubting.views import FileView, damaged_secret
from laeforensics.evidence import convert, recognise, resaved
from laeforensics.evidence.hindrances import Hindrance, hindrance
from laeforensics.evidence.names import accounts_named
from laeforensics.evidence.read import Content
from laeforensics.evidence.recognise import EvidenceFile
from laeforensics.facts.beliefs import Beliefs, Hearing, Note
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.findings import Finding, blacked_out, damaged_value, finding
from laeforensics.parsing.logs import BLACKED, SignupLog
from laeforensics.parsing.signuplogs import read_log
from laeforensics.reading import unread
from laeforensics.reading.unread import WORDS, Unread

_LISTED_ONE_BY_ONE = 3
"""More damaged rows of a csv file that holds no other are told in one finding."""


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
    notes: list[Note] = field(default_factory=list)
    """What the judges of its prints and of the file think of its facts."""
    findings: list[Finding] = field(default_factory=list)
    spelled: dict[str, Locator] = field(default_factory=dict)
    """Whole names of buckets that stand in it, each where it stands first, be it understood or not."""
    unread: Unread | None = None
    passed_over: Hindrance | None = None
    """Why nothing was read of it, where nobody waits for what it holds."""


def read_file(file: EvidenceFile, content: Content) -> FileReading:
    """One file's bytes to what it tells. Pure: it opens nothing, and any process can do it."""
    told = FileReading(file=file, sha256=content.sha256)
    for wrong in (content.problem, *content.also):
        if wrong is not None:
            is_whole = content.code == "damaged-archive" and not wrong.is_damage
            code = "unread-evidence" if is_whole else content.code
            told.findings.append(finding(code, str(wrong), signup=file.name, remedy=wrong.remedy))
    if content.problem is None or content.data:
        try:
            _READERS.get(file.kind, _ignore)(told, file, _as_written(told, file, content))
            _note_place(told)
        except Exception as error:  # noqa: BLE001 - one file never stops the others, whatever it holds
            told = FileReading(file=file, sha256=content.sha256)
            content = replace(content, problem=hindrance("unforeseen", type(error).__name__))
            told.findings.append(finding("unreadable-file", str(content.problem), signup=file.name))
    told.unread = unread.of(told, content)
    told.spelled = unread.spelled(told, content)
    told.passed_over = unread.passed_over(told, content)
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


def _with_places(content: Content, products: Iterable[Product]) -> list[Product]:
    return [p._replace(token=p.token._replace(locator=_moved(content, p.token.locator))) for p in products]


def _move(told: FileReading, content: Content) -> None:
    """Let everything that a log or secrets file told have its place in the file as it lies."""
    back = content.back
    if back is None:
        return

    def moved(fact: Fact) -> Fact:
        return fact._replace(locator=_moved(content, fact.locator))

    for file in (told.secrets, told.stripe):
        if file is not None:
            file.facts = [moved(fact) for fact in file.facts]
            file.damaged_names = [moved(fact) for fact in file.damaged_names]
    if told.log is not None:
        log = told.log
        log.facts = [moved(fact) for fact in log.facts]
        log.products = _with_places(content, log.products)
        log.residue = [r._replace(start=back(r.start), end=back(r.end)) for r in log.residue]
        log.damaged_values = [torn._replace(locator=_moved(content, torn.locator)) for torn in log.damaged_values]
    told.notes = [
        replace(
            note,
            facts=tuple(moved(fact) for fact in note.facts),
            because=tuple(_moved(content, place) for place in note.because),
        )
        for note in told.notes
    ]
    told.findings = [
        replace(found, locators=tuple(_moved(content, place) for place in found.locators)) for found in told.findings
    ]


def _note_place(told: FileReading) -> None:
    """Say of a file that was known by its content, or by the stamp that its name bears, that it was."""
    if told.file.known != recognise.AT_HOME and told.file.kind in WORDS:
        code = "renamed-file" if told.file.known == recognise.BY_STAMP else "nameless-file"
        told.findings.append(finding(code, f"its content is {WORDS[told.file.kind]}", signup=told.file.name))
    if told.secrets is not None:
        told.secrets.is_nameless = told.file.known == recognise.BY_CONTENT


def _log(told: FileReading, file: EvidenceFile, content: Content) -> None:
    reading = read_log(content.data, file.name)
    log = told.log = reading.log
    told.notes, findings = hear_file(FileView(facts=log.facts, log=reading))
    for fact, source in external_furl(log.facts, Hearing(Beliefs(told.notes))):
        log.facts.append(fact)
        told.notes += [replace(note, facts=(fact,)) for note in told.notes if source in note.facts]
    told.findings += [*_log_findings(log, Hearing(Beliefs(told.notes))), *findings]
    _move(told, content)


def _log_findings(log: SignupLog, hearing: Hearing) -> Iterable[Finding]:
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
    for torn in log.damaged_values:
        yield (blacked_out if torn.rule == BLACKED else damaged_value)(torn.field, torn.locator)
    if hearing.asserting(f for f in log.facts if f.field == "bucket_failed"):
        yield finding("bucket-failed", "the program printed that the bucket could not be made", signup=name)


def _secrets(told: FileReading, file: EvidenceFile, content: Content) -> None:
    found = told.secrets = read_secrets(content.data, file.name)
    if not content.data:
        told.findings.append(empty_secrets(found))
    elif found.problem:
        remedy = hindrance("several").remedy if len(found.legible) > 1 else None
        told.findings.append(finding("damaged-secrets", str(found.problem), signup=file.name, remedy=remedy))
    told.findings += [damaged_secret(name, locator) for name, locator in found.rejected]
    told.findings += [blacked_out(name, locator) for name, locator in found.blacked_out]
    told.notes, findings = hear_file(FileView(facts=found.facts, secrets=found))
    told.findings += findings
    _move(told, content)


def empty_secrets(file: SecretsFile) -> Finding:
    """What is said of a secrets file of 0 bytes."""
    return finding("empty-secrets", str(file.problem), signup=file.evidence)


def _stripe(told: FileReading, file: EvidenceFile, content: Content) -> None:
    found = told.stripe = read_stripe(content.data, file.name)
    if found.problem:
        told.findings.append(finding("damaged-secrets", found.problem, signup=file.name))
    _move(told, content)


def _activation_requests(told: FileReading, file: EvidenceFile, content: Content) -> None:
    told.activations.extend(_rows(told, content, read_activation_requests(content.data, file.name)))


def _signups(told: FileReading, file: EvidenceFile, content: Content) -> None:
    told.signups.extend(_rows(told, content, read_signups(content.data, file.name)))


def _serverinfo(told: FileReading, file: EvidenceFile, content: Content) -> None:
    told.serverinfo.extend(_rows(told, content, read_serverinfo(content.data, file.name)))


def _rows(told: FileReading, content: Content, rows: Iterable[Row | BadRow]) -> Iterable[Row]:
    """The rows with their places in the file as it lies; what the judges say of them is told, too."""
    whole = list(_whole_rows(told, content, rows))
    notes, findings = hear_file(FileView(facts=[fact for row in whole for fact in row.facts]))
    told.notes += notes
    told.findings += findings
    return whole


def _whole_rows(told: FileReading, content: Content, rows: Iterable[Row | BadRow]) -> Iterable[Row]:
    bad: list[BadRow] = []
    good = False
    for row in rows:
        if isinstance(row, Row):
            good = True
            facts = tuple(f._replace(locator=_moved(content, f.locator)) for f in row.facts)
            yield row if content.back is None else row._replace(facts=facts)
        else:
            bad.append(row)
    if not good and len(bad) > _LISTED_ONE_BY_ONE:
        what = f"none of its {len(bad)} lines is a row that the site wrote (line {bad[0].line}: {bad[0].why})"
        told.findings.append(finding("damaged-row", what, signup=told.file.name))
        return
    for one in bad:
        locator = _moved(content, Locator(one.evidence, one.line, one.start, one.end))
        told.findings.append(
            finding("damaged-row", f"row {one.line}: {one.why}", signup=one.evidence, locators=(locator,))
        )


def _config(told: FileReading, file: EvidenceFile, content: Content) -> None:
    products, problem = read_config(content.data, file.name)
    told.products.extend(_with_places(content, products))
    if problem:
        told.findings.append(finding("damaged-config", problem, signup=file.name))


def _ignore(told: FileReading, file: EvidenceFile, content: Content) -> None:
    """Other files are hashed, for custody, and not parsed; an empty one that bears a stamp is told."""
    if not content.data and accounts_named(file.name.rpartition("/")[2]).surely:
        what = "0 bytes under the name of a run: if it ever held something, nothing is left"
        told.findings.append(
            finding("unread-file", what, signup=file.name, remedy="look for another copy of this file")
        )


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
_CONVERSIONS = {
    kind: (convert.undo, *((resaved.undo, resaved.as_quoted_once) if kind in _OF_CSV else ())) for kind in _READERS
}
