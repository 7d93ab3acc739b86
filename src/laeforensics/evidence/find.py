"""Every file of the evidence is found, whatever keeps us from reading it."""

from __future__ import annotations

import itertools
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from laeforensics.errors import EvidenceError
from laeforensics.evidence import _archives, _unpack
from laeforensics.evidence._contained import first_kind, with_members
from laeforensics.evidence.foreign import is_document
from laeforensics.evidence.hindrances import Hindrance, hindrance
from laeforensics.evidence.marks import FIRST_LOOK, SECOND_LOOK
from laeforensics.evidence.read import opened, peek
from laeforensics.evidence.recognise import (
    ARCHIVE,
    LEFT_OUT,
    LISTING,
    LOG,
    OTHER,
    PLACES,
    SECRETS,
    EvidenceFile,
    as_text,
    bears_known_name,
    below_one_folder,
    classify,
    names_of,
    of_root,
    once,
)

_SHOULD_HOLD = (
    "it should hold signup_logs/ or secrets/, and activation_requests.csv, signups.csv, lae_automation_config.json"
)
PAGES_MARK = "written-by-laeforensics"
"""A file of this name marks a folder of the audit's pages."""
_NO_EVIDENCE = (OTHER, LEFT_OUT, ARCHIVE, LISTING)
_WRITTEN_HERE = frozenset({"custody.jsonl", "decisions.jsonl", "audit.parquet", "statement.json", PAGES_MARK})
_OUTPUT = frozenset({"audit.parquet", "statement.json"})
"""They lie side by side where an audit was written."""
_LEDGER = "ledger.sqlite"
"""It lies where a recovery, or a drill of one, keeps its state."""
_LARGEST_STATE = 10_000_000
_SPARSE = 8
"""A file beyond the limit that claims so many times what it takes on the disk is sparse."""
_BLOCK = 512


def find(root: Path, *more: Path) -> list[EvidenceFile]:
    """Every file of the evidence, sorted by name: folders, or archives of folders (.zip, .tar and compressed ones).

    The kind of each is known by its first bytes, then by its name and place; a root's own name counts as its folder.
    What is no file (pipes, sockets, devices), links that lead out and members of an archive that cannot be read are
    in the list with their `problem`. An archive that is given, and holds one folder, is read as if it were that folder.
    Raises EvidenceError: no such folder, one inside another, one that these programs wrote, or no logs in it.
    """
    roots = (root, *more)
    _refuse_nested(roots)
    _refuse_own(roots)
    files: list[EvidenceFile] = []
    for path, label in zip(roots, names_of(roots), strict=True):
        found = list(_files_of(path))
        if all(file.kind in _NO_EVIDENCE for file in found):
            why, next_step = "", _SHOULD_HOLD
            for file in reversed(found):  # the first with a problem is told
                if file.problem is not None:
                    named = "" if file.path == path else f"{file.name}: "
                    why, next_step = f"; {named}{file.problem}", file.problem.remedy
            raise EvidenceError(f"there is no evidence here{why}", where=str(path), next_step=_mind(path, next_step))
        files += of_root(found, label, prefixed=bool(more))
    if not any(file.kind in (LOG, SECRETS) for file in files):
        raise EvidenceError(
            "there are neither logs nor secrets files here", where=str(root), next_step=_mind(root, _SHOULD_HOLD)
        )
    return sorted(once(files), key=lambda file: file.name)


def parent_meant(roots: tuple[Path, ...]) -> Path | None:
    """The folder that was perhaps meant: of a root that is signup_logs/ or secrets/ while its sisters are not named."""
    given = {path.resolve() for path in roots}
    for path in sorted(given):
        if path.is_dir() and path.name.lower() in PLACES:
            names = _names_in(path.parent)
            sisters = [name for name in names if name.lower() in PLACES or bears_known_name(name)]
            others = [path.parent / name for name in sisters if path.parent / name not in given]
            if others:
                return path.parent
    return None


def drill_of(root: Path) -> Path | None:
    """The state's folder of the drill whose servers left that evidence; None if it is a run's, or somebody's own."""
    folder = root.resolve().parent
    try:
        state = json.loads(peek(folder / "state.json", _LARGEST_STATE)) if _LEDGER in _names_in(folder) else None
    except (OSError, ValueError):
        return None
    return folder if isinstance(state, dict) and state.get("mode") == "drill" else None


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _mind(path: Path, next_step: str) -> str:
    meant = parent_meant((path,))
    if meant is None and not _WRITTEN_HERE.isdisjoint(_names_in(path)):
        beside = path.with_name(path.name.removesuffix(".case"))
        named = f": {beside}" if beside != path and beside.exists() else ""
        return f"laeforensics itself wrote this folder; name the evidence{named}"
    return next_step if meant is None else f"did you mean {meant}? {next_step}"


def _refuse_own(roots: tuple[Path, ...]) -> None:
    """Raises EvidenceError: a folder holds what these programs made of evidence, and is none."""
    for path in roots:
        names = frozenset(_names_in(path))
        if names >= _OUTPUT:
            next_step = "it holds what came of an audit, not what was audited; name the evidence"
            raise EvidenceError("laeforensics itself wrote this folder", where=str(path), next_step=next_step)
        if _LEDGER in names:
            next_step = f"of a run, name what its servers left: {path / 'evidence'}; what a drill made is invented"
            raise EvidenceError("this is the state of a recovery", where=str(path), next_step=next_step)


def _refuse_nested(roots: tuple[Path, ...]) -> None:
    for other, path in itertools.combinations([path.resolve() for path in roots], 2):
        if path.is_relative_to(other) or other.is_relative_to(path):
            where = f"{other}, {path}"
            raise EvidenceError("the same evidence is named twice", where=where, next_step="name each folder once")


def _files_of(root: Path) -> Iterator[EvidenceFile]:
    if root.is_dir():
        yield from _walk(root.resolve())
    elif root.is_file():
        head = peek(root, SECOND_LOOK)
        if not (_archives.is_archive_name(root.name) or _archives.is_archive(head) or _ends_as_zip(root)):
            raise EvidenceError(
                "this is neither a folder nor an archive", where=str(root), next_step="name the folder it lies in"
            )
        yield from below_one_folder(list(with_members(root, as_text(root.name), "")))
    else:
        raise EvidenceError(
            "no such folder",
            where=str(root),
            next_step="name the folder that holds signup_logs/ and the csv files, or an archive of it",
        )


def _walk(top: Path) -> Iterator[EvidenceFile]:
    failed: list[OSError] = []
    root = as_text(top.name)
    for folder, folders, names in os.walk(top, followlinks=False, onerror=failed.append):
        folders.sort()
        place = Path(folder)
        inside = "" if folder == str(top) else f"{_below(place, top)}/"
        for name, is_folder in (*((name, True) for name in folders), *((name, False) for name in names)):
            path = place / name
            relative = inside + as_text(name)
            found, size = _look(path, top)
            if found is not None:
                yield EvidenceFile(name=relative, kind=LEFT_OUT, path=path, size=size, problem=found)
            elif not is_folder:
                yield from _file(path, relative, size, root)
    for error in failed:
        path = Path(error.filename)
        found = hindrance("folder", error.strerror or type(error).__name__)
        yield EvidenceFile(name=_below(path, top), kind=LEFT_OUT, path=path, size=0, problem=found)


def _below(path: Path, top: Path) -> str:
    return as_text(path.relative_to(top).as_posix())


def _file(path: Path, name: str, size: int, root: str) -> Iterator[EvidenceFile]:
    """A file of a folder: itself, or an archive with its members."""
    try:
        head = peek(path, FIRST_LOOK)
        is_packed = _unpack.packing(head) is not None
        seen = peek(path, SECOND_LOOK) if is_packed and size > FIRST_LOOK else head
    except OSError:
        kind, known = classify(f"{root}/{name}")  # whoever reads it is told why it cannot be read
        yield EvidenceFile(name=name, kind=kind, known=known, path=path, size=size)
        return
    if _archives.is_archive(seen) and not is_document(seen):
        inside = list(with_members(path, name, f"{name}/"))
        kind, _ = classify(f"{root}/{name}")
        if len(inside) > 1 or kind == OTHER:
            yield from inside
        else:  # it bears the name of a log or a secrets file: whoever reads it tells why it cannot be one
            yield EvidenceFile(name=name, kind=kind, path=path, size=size)
        return
    told = first_kind(seen, lambda size: peek(path, size), size)
    kind, known = classify(f"{root}/{name}", told)
    if kind == OTHER and not is_document(seen) and (_archives.is_archive_name(name) or _ends_as_zip(path)):
        yield from with_members(path, name, f"{name}/")
    else:
        yield EvidenceFile(name=name, kind=kind, known=known, told=told, path=path, size=size)


def _ends_as_zip(path: Path) -> bool:
    with opened(path) as raw:
        return _archives.ends_as_zip(raw)


def _look(path: Path, top: Path) -> tuple[Hindrance | None, int]:
    """Why the file or folder at `path` is to be left alone (None if it is not), and its size."""
    try:
        found = path.lstat()
    except OSError as error:  # it is gone since its folder was listed, or the disk does not give it
        return hindrance("unreadable", error.strerror or type(error).__name__), 0
    if stat.S_ISLNK(found.st_mode):
        linked = _linked(path, top)
        if isinstance(linked, Hindrance):
            return linked, 0
        found = linked
    if not stat.S_ISREG(found.st_mode):
        return None if stat.S_ISDIR(found.st_mode) else hindrance("no file"), found.st_size
    on_disk = found.st_blocks * _BLOCK
    if found.st_size > max(_unpack.LARGEST_FILE, _SPARSE * on_disk):
        return hindrance("sparse", found.st_size, on_disk), found.st_size
    return None, found.st_size


def _linked(path: Path, top: Path) -> os.stat_result | Hindrance:
    """What a link leads to: a file of this folder, or why it is left alone."""
    try:
        if path.resolve().is_relative_to(top):
            return hindrance("folder link") if path.is_dir() else path.stat()
        if path.exists():
            return hindrance("link out")
    except FileNotFoundError:
        pass
    except (OSError, RuntimeError):
        return hindrance("circle")
    return hindrance("dangling", as_text(str(path.readlink())))
