"""The statement of an audit: what it was made of, by which program, with which result; it can be signed."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from laeforensics.audit.decisions import FILE as DECISIONS
from laeforensics.audit.judgement import Judgement
from laeforensics.errors import StatementError
from laeforensics.evidence.read import read_beside
from laeforensics.export.manifest import manifest_account
from laeforensics.writing import write_whole
from laerecover import manifest

NAME = "statement.json"
_NAME, _KIND = "lae-recovery", "laeforensics audit"
_VERSION = 1
_TIMEOUT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFile:
    """A file that was named beside the evidence: `kind` is inventory, product tokens, closed or decisions."""

    kind: str
    name: str
    size: int
    sha256: str


def side_files(named: Mapping[str, Path | None], folder: Path) -> list[SideFile]:
    """The files named beside the evidence, by what they are, and the case folder's decisions. Raises OSError."""
    found = []
    for kind, path in {**named, "decisions": folder / DECISIONS}.items():
        if path is not None and (kind != "decisions" or path.is_file()):
            data = read_beside(path)
            sha256 = hashlib.sha256(data).hexdigest()
            found.append(SideFile(kind=kind, name=path.name, size=len(data), sha256=sha256))
    return found


def statement(judgement: Judgement, beside: Sequence[SideFile], *, now: datetime) -> dict[str, Any]:
    """What is stated. The same evidence, side files and program give the same, but for `at`."""
    reading = judgement.reading
    digest = reading.digest
    accounts = [manifest_account(account) for account in judgement.accounts if not account.is_attempt]
    inputs = [
        {"name": file.name, "kind": file.kind, "size": file.size, "sha256": sha256}
        for file, sha256 in sorted((*reading.files, *reading.archives), key=lambda told: told[0].name)
    ]
    inputs += [{"name": f.name, "kind": f.kind, "size": f.size, "sha256": f.sha256} for f in beside]
    return {
        "statement": _KIND,
        "version": _VERSION,
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "program": {"name": _NAME, "version": version(_NAME), "commit": _commit(), "sha256": _program_digest()},
        "grammars": dict(_grammars()),
        "options": sorted({f.kind for f in beside}),
        "inputs": inputs,
        "unread": sorted(one.file for one in judgement.unread),
        "evidence_digest": digest,
        "manifest_digest": manifest.content_digest(accounts, evidence_digest=digest),
    }


def write_statement(path: Path, told: Mapping[str, Any]) -> None:
    """Write it as JSON with one value a line. Raises OSError."""
    write_whole(path, [json.dumps(told, indent=1, ensure_ascii=True) + "\n"])


def read_statement(path: Path) -> dict[str, Any]:
    """What is stated there. Raises StatementError: it is none; OSError."""
    try:
        told = json.loads(read_beside(path))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or told.get("statement") != _KIND:
        raise StatementError("this is no statement of an audit", where=str(path), next_step="name a statement.json")
    if told.get("version") != _VERSION or not isinstance(told.get("inputs"), list):
        raise StatementError(
            f"this software reads statements of version {_VERSION}",
            where=str(path),
            next_step="check it with the version of laeforensics that it names",
        )
    return told


def differences(stated: Mapping[str, Any], today: Mapping[str, Any]) -> Iterator[str]:
    """What the audit of today says otherwise, in words; nothing, if it is the same but for the time."""
    before, now = _by_name(stated), _by_name(today)
    for key in sorted(before.keys() | now.keys()):
        name = key[1]
        if key not in now:
            yield f"{name}: stated with SHA-256 {before[key][:16]}…, not there today"
        elif key not in before:
            yield f"{name}: not stated, there today"
        elif before[key] != now[key]:
            yield f"{name}: stated with SHA-256 {before[key][:16]}…, today {now[key][:16]}…"
    for part in ("program", "grammars", "options", "unread", "evidence_digest", "manifest_digest"):
        if not (stated.get(part) == today[part] or (part == "program" and _is_same(stated.get(part), today[part]))):
            yield f"{part}: stated {json.dumps(stated.get(part))}, today {json.dumps(today[part])}"


def _is_same(one: object, other: Mapping[str, Any]) -> bool:
    """True if these are one program: by its modules, whatever else the commit that they were taken from holds."""
    if not isinstance(one, dict) or not one.get("sha256"):
        return False
    return {**one, "commit": None} == {**other, "commit": None}


def _by_name(told: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    found = [one for one in told["inputs"] if isinstance(one, dict)]
    return {(str(one.get("kind")), str(one.get("name"))): str(one.get("sha256")) for one in found}


def _commit() -> str | None:
    """The commit of the program's own working copy, `+` behind it if something is changed there; None without one."""
    package = Path(str(importlib.resources.files("laeforensics")))

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(  # noqa: S603 - a list of fixed words, no shell
                ["git", "-C", str(package), *words],  # noqa: S607 - git where the operator has it
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    if git("ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    commit = git("rev-parse", "HEAD")
    return f"{commit}+" if commit and git("status", "--porcelain", "--", ".") else commit


def _program_digest() -> str:
    """SHA-256 over the program's own modules: the same version, changed by hand, is another."""
    digest = hashlib.sha256()
    package = Path(str(importlib.resources.files("laeforensics")))
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\0".encode())
        digest.update(hashlib.sha256(read_beside(path)).digest())
    return digest.hexdigest()


def _grammars() -> Iterator[tuple[str, str]]:
    folder = importlib.resources.files("laeforensics.grammars")
    for part in sorted(folder.iterdir(), key=lambda part: part.name):
        if part.name.endswith((".lark", ".toml")):
            yield part.name, hashlib.sha256(read_beside(Path(str(part)))).hexdigest()
