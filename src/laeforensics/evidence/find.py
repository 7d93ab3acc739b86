"""Every file of the evidence is found, whatever keeps us from reading it."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from laeforensics.errors import EvidenceError
from laeforensics.evidence import _archives
from laeforensics.evidence.read import opened
from laeforensics.evidence.recognise import (
    ARCHIVE,
    LEFT_OUT,
    LOG,
    OTHER,
    SECRETS,
    EvidenceFile,
    as_text,
    below_one_folder,
    classify,
    names_of,
    of_root,
    once,
)

_SHOULD_HOLD = (
    "it should hold signup_logs/ or secrets/, and activation_requests.csv, signups.csv, lae_automation_config.json"
)


def find(root: Path, *more: Path) -> list[EvidenceFile]:
    """Every file of the evidence, sorted by name: folders, or archives of folders (.zip, .tar and compressed ones).

    What is no file (pipes, sockets, devices), links that lead out and members of an archive that cannot be trusted are
    in the list with their `problem`. An archive that is given, and holds one folder, is read as if it were that folder.
    Raises EvidenceError: no such folder, one inside another, or no logs in it.
    """
    roots = (root, *more)
    _refuse_nested(roots)
    files: list[EvidenceFile] = []
    for path, label in zip(roots, names_of(roots), strict=True):
        found = list(_files_of(path))
        if all(file.kind in (OTHER, LEFT_OUT, ARCHIVE) for file in found):
            why = next((f"; {file.problem}" for file in found if file.kind == ARCHIVE and file.problem), "")
            raise EvidenceError(f"there is no evidence here{why}", where=str(path), next_step=_SHOULD_HOLD)
        files += of_root(found, label, prefixed=bool(more))
    if not any(file.kind in (LOG, SECRETS) for file in files):
        raise EvidenceError("there are neither logs nor secrets files here", where=str(root), next_step=_SHOULD_HOLD)
    return sorted(once(files), key=lambda file: file.name)


def _refuse_nested(roots: tuple[Path, ...]) -> None:
    resolved = [path.resolve() for path in roots]
    for number, path in enumerate(resolved):
        for other in resolved[:number]:
            if path.is_relative_to(other) or other.is_relative_to(path):
                raise EvidenceError(
                    "the same evidence is named twice", where=f"{other}, {path}", next_step="name each folder once"
                )


def _files_of(root: Path) -> Iterator[EvidenceFile]:
    if root.is_dir():
        yield from _walk(root.resolve())
    elif root.is_file():
        with opened(root) as raw:
            known = _archives.is_archive_name(root.name) or _archives.is_archive(raw)
        if not known:
            raise EvidenceError(
                "this is neither a folder nor an archive", where=str(root), next_step="name the folder it lies in"
            )
        yield from below_one_folder(list(_with_members(root, as_text(root.name), "")))
    else:
        raise EvidenceError(
            "no such folder",
            where=str(root),
            next_step="name the folder that holds signup_logs/ and the csv files, or an archive of it",
        )


def _walk(top: Path) -> Iterator[EvidenceFile]:
    failed: list[OSError] = []
    for folder, folders, names in os.walk(top, followlinks=False, onerror=failed.append):
        folders.sort()
        for name in (*folders, *names):
            path = Path(folder) / name
            relative = as_text(path.relative_to(top).as_posix())
            problem, size = _look(path, top)
            if problem is not None:
                yield EvidenceFile(name=relative, kind=LEFT_OUT, path=path, size=size, problem=problem)
            elif name in folders:
                continue
            elif _archives.is_archive_name(name):
                yield from _with_members(path, relative, f"{relative}/")
            else:
                yield EvidenceFile(name=relative, kind=classify(relative), path=path, size=size)
    for error in failed:
        path = Path(error.filename)
        why = error.strerror or type(error).__name__
        name = as_text(path.relative_to(top).as_posix())
        yield EvidenceFile(name=name, kind=LEFT_OUT, path=path, size=0, problem=f"the folder cannot be read: {why}")


def _look(path: Path, top: Path) -> tuple[str | None, int]:
    """Why the file or folder at `path` is to be left alone (None if it is not), and its size."""
    try:
        if path.is_symlink():
            if not path.resolve().is_relative_to(top):
                return "it is a link that leads out of the evidence", 0
            if path.is_dir():
                return "it is a link to a folder, which is read in its own place", 0
        found = path.stat()
    except (OSError, RuntimeError) as error:
        return f"it cannot be looked at: {getattr(error, 'strerror', None) or 'a link that leads in a circle'}", 0
    if stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
        return None, found.st_size
    return "it is no file: a pipe, a socket or a device", 0


def _with_members(path: Path, name: str, prefix: str) -> Iterator[EvidenceFile]:
    """The archive itself, then its members."""
    try:
        with opened(path) as raw:
            size = raw.seek(0, io.SEEK_END)
            raw.seek(0)
            found = _archives.listing(raw)
    except OSError as error:
        found = _archives.Listing(members=[], problem=f"it cannot be read: {error.strerror or type(error).__name__}")
        size = 0
    yield EvidenceFile(name=name, kind=ARCHIVE, path=path, size=size, problem=found.problem)
    for member in found.members:
        below = as_text(member.name)
        kind = classify(below) if member.problem is None else LEFT_OUT
        yield EvidenceFile(
            name=prefix + below, kind=kind, path=path, size=member.size, member=member.index, problem=member.problem
        )
