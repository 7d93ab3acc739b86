"""What lies in another place or under another name is held against what lies where it should.

The same bytes once more are no second witness. Of a file that is written on and on, an older state says what the newer
one says; where they differ, the newer counts.
"""

from __future__ import annotations

from collections.abc import Iterable

from laeforensics.companions.csv_rows import Row
from laeforensics.companions.products import Product
from laeforensics.companions.secrets_files import read_secrets
from laeforensics.evidence import recognise
from laeforensics.evidence.names import s4_name, stem
from laeforensics.evidence.recognise import EvidenceFile
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.fact import Fact
from laeforensics.facts.findings import finding
from laeforensics.parsing.logs import SignupLog
from laeforensics.reading.files import FileReading, empty_secrets

_OF_A_SERVER = ("bucket_name", "public_host")
_EVIDENCE = frozenset(
    {
        recognise.LOG,
        recognise.SECRETS,
        recognise.STRIPE,
        recognise.ACTIVATION_REQUESTS,
        recognise.SIGNUPS,
        recognise.SERVERINFO,
        recognise.COMPLETIONS,
        recognise.CONFIG,
    }
)


_RANK = {recognise.AT_HOME: 0, recognise.BY_STAMP: 1, recognise.BY_CONTENT: 2}
"""How far the name and place of a file speak for it."""


def without_copies(told: list[FileReading]) -> list[FileReading]:
    """Every file once: those that tell what others tell already tell it no more, and say so."""
    ordered = sorted(told, key=lambda t: (_RANK[t.file.known], t.file.name))
    first: dict[tuple[str, str], str] = {}
    kept = []
    _know_empty_secrets(ordered)
    for one in ordered:
        at_home = one.file.known == recognise.AT_HOME
        same = (
            None
            if at_home or not one.file.size or one.file.kind not in _EVIDENCE
            else first.get((one.file.kind, one.sha256))
        )
        if same is None:
            first.setdefault((one.file.kind, one.sha256), one.file.name)
            kept.append(one)
        else:
            copy = FileReading(file=one.file, sha256=one.sha256)
            copy.findings.append(finding("copied-file", f"the same bytes as {same}", signup=one.file.name))
            kept.append(copy)
    _leave_out_old_logs(kept)
    _doubt_old_secrets(kept)
    _leave_out_old_rows(kept)
    _leave_out_old_products(kept)
    return kept


def _know_empty_secrets(told: Iterable[FileReading]) -> None:
    """A file of 0 bytes that bears the stamp of a log, and lies in no known place, is what its run left of secrets."""
    logs = {stem(t.file.name) for t in told if t.log is not None and t.log.size}
    for one in told:
        is_secrets = one.file.kind in (recognise.LOG, recognise.OTHER) and not _is_among_logs(one.file)
        if is_secrets and not one.file.size and stem(one.file.name) in logs:
            one.log, one.secrets = None, read_secrets(b"", one.file.name)
            one.findings = [empty_secrets(one.secrets)]


def _leave_out_old_logs(told: Iterable[FileReading]) -> None:
    """A log is written on and on: one that tells nothing but what the one in its place tells is a state before it."""
    homes = [t for t in told if t.log is not None and _is_among_logs(t.file)]
    at_home = {stem(t.file.name): t for t in homes}
    by_bucket = {bucket: t for t in homes if t.log is not None and (bucket := _bucket(t.log))}
    for one in told:
        if one.log is None or _is_among_logs(one.file):
            continue
        is_nameless = one.file.known == recognise.BY_CONTENT
        home = by_bucket.get(_bucket(one.log)) if is_nameless else at_home.get(stem(one.file.name))
        if home is not None and home.log is not None and _prints(one.log) <= _prints(home.log):
            one.findings.append(finding("older-state", f"{home.file.name} tells all of it", signup=one.file.name))
            one.log = None


def _is_among_logs(file: EvidenceFile) -> bool:
    """True for a log in the folder of the logs; by its name alone it is one in any folder."""
    folder = file.name.rpartition("/")[0].rpartition("/")[2]
    return file.known == recognise.AT_HOME and (folder.lower() == "signup_logs" or s4_name(file.name) is not None)


def _bucket(log: SignupLog) -> str:
    return next((fact.value for fact in log.facts if fact.field == "bucket_name"), "")


def _prints(log: SignupLog) -> set[tuple[str, str, int]]:
    return {(fact.field, fact.value, fact.locator.start) for fact in log.facts}


def _doubt_old_secrets(told: Iterable[FileReading]) -> None:
    """A secrets file that lies elsewhere says nothing against the one in its place.

    Its place is told by its stamp; without one, by bucket and address: then it is of the same server.
    """
    known: dict[str, dict[str, Fact]] = {}
    for one in told:
        if one.secrets is None or not one.secrets.filled:
            continue
        values = {fact.field: fact for fact in one.secrets.facts}
        server = " ".join(values[name].value for name in _OF_A_SERVER if name in values)
        place = server if one.file.known == recognise.BY_CONTENT else stem(one.file.name)
        if one.file.known == recognise.AT_HOME:
            for key in (place, server):
                known[key] = {**values, **known.get(key, {})}
            continue
        better = known.get(place, {})
        other = tuple(f for f in one.secrets.facts if f.field in better and f.value != better[f.field].value)
        if other:
            because = tuple(better[fact.field].locator for fact in other)
            one.notes.append(Doubt(facts=other, reason="older-state", because=because))
            what = "where it differs from the file in its place, that one counts"
            one.findings.append(finding("older-state", what, signup=one.file.name))


def _leave_out_old_rows(told: Iterable[FileReading]) -> None:
    """Rows of a csv file that lies elsewhere count for runs and servers of which the one in its place says nothing."""
    for part in ("activations", "signups", "serverinfo"):
        known: set[str] = set()
        for one in told:
            rows: list[Row] = getattr(one, part)
            if one.file.known != recognise.AT_HOME:
                new = [row for row in rows if not _keys(row) & known]
                _say_history(one, len(rows) - len(new))
                setattr(one, part, new)
            known.update(*map(_keys, rows))


def _keys(row: Row) -> set[str]:
    """By what a row is joined."""
    found = {row.value(name) for name in ("activation_key", "instance_id", "public_host")}
    return {value for value in found if value}


def _leave_out_old_products(told: Iterable[FileReading]) -> None:
    """Products of a configuration that lies elsewhere count where no configuration in its place tells them."""
    at_home = {p.product_code for t in told if t.file.known == recognise.AT_HOME for p in t.products}
    for one in told:
        if one.file.known != recognise.AT_HOME and one.products:
            new: list[Product] = [p for p in one.products if p.product_code not in at_home]
            _say_history(one, len(one.products) - len(new))
            one.products = new


def _say_history(one: FileReading, count: int) -> None:
    if count:
        what = f"{count} of its rows or products tell of what the file in its place tells, which counts"
        one.findings.append(finding("older-state", what, signup=one.file.name))
