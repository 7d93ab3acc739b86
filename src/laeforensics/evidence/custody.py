"""The register of every file that was ever read for a case: when first, by what, with which hash."""

from __future__ import annotations

import getpass
import json
import platform
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from laeforensics.errors import CustodyError
from laeforensics.evidence.read import lines_beside
from laeforensics.evidence.recognise import EvidenceFile
from laeforensics.facts.findings import Finding, finding
from laeforensics.writing import write_whole

FILE = "custody.jsonl"
SUMS = "custody.sha256"
_READER = "reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file as it was first read. `root` is the name of the folder or archive given, `name` the path below it."""

    root: str
    name: str
    size: int
    sha256: str
    kind: str
    first_read: str
    """UTC, ISO."""
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The files of today beside the register."""

    entries: tuple[Entry, ...]
    """What the register knows of these roots."""
    changed: tuple[tuple[Entry, EvidenceFile, str], ...]
    """Other bytes than when first read (the hash of today; "" if the file cannot be read)."""
    vanished: tuple[Entry, ...]
    new: tuple[tuple[str, EvidenceFile, str], ...]
    """Root (as the register calls it), file and hash."""

    @property
    def is_unchanged(self) -> bool:
        """True if every known file is there with the bytes that were first read. New files change nothing."""
        return not (self.changed or self.vanished)

    def findings(self) -> list[Finding]:
        """One finding for each file that changed or vanished."""
        found = [
            finding(
                "evidence-changed",
                f"first read on {entry.first_read} with SHA-256 {entry.sha256[:16]}…, "
                + (f"now {sha256[:16]}…" if sha256 else "now it cannot be read"),
                signup=file.name,
            )
            for entry, file, sha256 in self.changed
        ]
        return found + [
            finding("evidence-changed", f"read on {e.first_read}, now it is not there", signup=e.name)
            for e in self.vanished
        ]


def default_folder(root: Path) -> Path:
    """Where custody and decisions of a case are kept if nothing else is said: `EVIDENCE.case/`, beside the evidence."""
    resolved = root.resolve()
    return resolved.with_name(resolved.name + ".case")


def keep_reader(folder: Path, beside: Iterable[dict[str, Any]], *, digest: str, now: datetime, program: str) -> None:
    """Enter who read, by what, which evidence (its digest), beside which side files (kind, name, size, SHA-256).

    Each differing one once. Raises CustodyError, OSError.
    """
    told = {
        "reader": _who(),
        "program": program,
        "evidence_digest": digest,
        "beside": list(beside),
    }
    readers = load_readers(folder)
    if any({key: value for key, value in one.items() if key != "read_at"} == told for one in readers):
        return
    readers.append({**told, "read_at": now.astimezone(UTC).isoformat(timespec="seconds")})
    _save(folder, load(folder), readers)


def load_readers(folder: Path) -> list[dict[str, Any]]:
    """Every reader of the register, in its order. Raises CustodyError, OSError."""
    return list(lines_beside(folder / FILE, lambda line: line if _READER in line else None, _refused(folder)))


def _who() -> str:
    """The user and the machine; what nothing tells is a question mark."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "?"
    return f"{user}@{platform.node() or '?'}"


def write_sums(
    folder: Path, files: Iterable[tuple[EvidenceFile, str]], archives: Iterable[tuple[EvidenceFile, str]]
) -> None:
    """Write SUMS beside the register: what lies on the disk, as `sha256sum -c` reads it from above the evidence.

    Members of archives are left out: their archive is there. Raises OSError.
    """
    lines = []
    for file, sha256 in sorted((*files, *archives), key=lambda told: (told[0].root, told[0].below)):
        if file.member is None and sha256:
            name = file.root if file.path.name == file.root and "/" not in file.name else f"{file.root}/{file.below}"
            bare = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
            lines.append(f"{'' if bare == name else chr(92)}{sha256}  {bare}\n")
    if lines:
        write_whole(folder / SUMS, lines)


def load(folder: Path) -> list[Entry]:
    """The register of a case folder, in its order; empty if there is none.

    Raises CustodyError: a line is damaged. OSError.
    """
    return list(lines_beside(folder / FILE, lambda line: None if _READER in line else _checked(line), _refused(folder)))


def _refused(folder: Path) -> Callable[[int], CustodyError]:
    return lambda number: CustodyError(
        f"line {number} is no entry of the register",
        where=str(folder / FILE),
        next_step="restore the register from its copy, or begin a new case with --case",
    )


def _checked(line: dict[str, object]) -> Entry:
    entry = Entry(**line)  # type: ignore[arg-type]
    if not all(isinstance(getattr(entry, name), int if name == "size" else str) for name in Entry.__slots__):
        raise TypeError
    return entry


def compare(entries: Iterable[Entry], files: Iterable[tuple[EvidenceFile, str]]) -> Comparison:
    """Hold files and their hashes against the register. Only the roots that are there are compared.

    One root alone is compared with the one root that the register knows, whatever it is called: so a copy can be
    checked.
    """
    entries, files = list(entries), list(files)
    alias = _alias({e.root for e in entries}, {file.root for file, _ in files})
    today = {(alias.get(file.root, file.root), file.below): (file, sha256) for file, sha256 in files}
    roots = {root for root, _ in today}
    known = {(e.root, e.name): e for e in entries if e.root in roots}
    return Comparison(
        entries=tuple(known.values()),
        changed=tuple((e, *today[key]) for key, e in known.items() if key in today and today[key][1] != e.sha256),
        vanished=tuple(e for key, e in known.items() if key not in today),
        new=tuple((key[0], *told) for key, told in today.items() if key not in known and told[1]),
    )


def _alias(known: set[str], given: set[str]) -> dict[str, str]:
    if len(known) == len(given) == 1:
        return dict(zip(given, known, strict=True))
    return {}


def keep(files: Iterable[tuple[EvidenceFile, str]], folder: Path, *, now: datetime, program: str) -> Comparison:
    """Compare with the register, then enter the files that it does not know. What it knows is never rewritten.

    Raises CustodyError, OSError.
    """
    entries = load(folder)
    compared = compare(entries, files)
    if compared.new:
        stamp = now.astimezone(UTC).isoformat(timespec="seconds")
        entries += [
            Entry(
                root=root,
                name=file.below,
                size=file.size,
                sha256=sha256,
                kind=file.kind,
                first_read=stamp,
                program=program,
            )
            for root, file, sha256 in compared.new
        ]
        _save(folder, entries, load_readers(folder))
    return compared


def _save(folder: Path, entries: Iterable[Entry], readers: Iterable[dict[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(folder / FILE, (json.dumps(line) + "\n" for line in (*map(asdict, entries), *readers)))
