"""What is known of a file of the evidence before it is read: its name, its kind, whether it lies in its place."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from laeforensics.evidence._members import Index
from laeforensics.evidence.hindrances import Hindrance
from laeforensics.evidence.names import is_exact, s4_name, stamp_in, without_suffix

LOG = "log"
SECRETS = "secrets"
STRIPE = "stripe"
ACTIVATION_REQUESTS = "activation_requests"
SIGNUPS = "signups"
SERVERINFO = "serverinfo"
COMPLETIONS = "completions"
CONFIG = "config"
LISTING = "listing"
"""Names of files and no more: lists of hashes, what a system or this software wrote beside the evidence."""
ARCHIVE = "archive"
OTHER = "other"
LEFT_OUT = "left out"

_KIND_OF_NAME = {
    "activation_requests.csv": ACTIVATION_REQUESTS,
    "signups.csv": SIGNUPS,
    "serverinfo.csv": SERVERINFO,
    "devpay_completions.csv": COMPLETIONS,
    "lae_automation_config.json": CONFIG,
    "audit.parquet": LISTING,
    "facts.parquet": LISTING,
}
_KNOWN_NAMES = frozenset(name.partition(".")[0] for name, kind in _KIND_OF_NAME.items() if kind != LISTING)
_KIND_OF_S4_NAME = {"signup_logs": LOG, "SSEC2": SECRETS, "stripe": STRIPE}
_KIND_OF_FOLDER = {"signup_logs": LOG, "secrets": SECRETS}
_ARCHIVE = re.compile(r"\.(?:zip|tgz|tbz2?|txz|tzst|tar(?:\.[a-z0-9]+)?)")
PLACES = frozenset({*_KIND_OF_FOLDER, "secret_config"})

AT_HOME, BY_STAMP, BY_CONTENT = "at home", "by stamp", "by content"
"""How a kind is known: name and place are those that the program gave; the name still bears its stamp; neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """One file of the evidence.

    `name` is its POSIX path below the root, or `archive/path` for a member of an archive; with several roots it begins
    with the root's name. `path` is where it lies on disk (the archive's path for a member).
    """

    name: str
    kind: str
    path: Path
    size: int
    root: str = ""
    """The name of the folder or archive that was given."""
    below: str = ""
    """The name below its own root, however many roots there are."""
    known: str = AT_HOME
    """How its kind is known: AT_HOME, BY_STAMP or BY_CONTENT."""
    told: str | None = None
    """The kind that its first bytes tell."""
    member: Index | None = None
    """Its place among the members of its archive."""
    problem: Hindrance | None = None
    """Why it is left out unread, or not all of it can be read."""
    also: tuple[Hindrance, ...] = ()
    """What else is wrong with it, of an archive."""


def names_of(roots: Iterable[Path]) -> list[str]:
    """The roots' own names, made unique by a number."""
    seen: Counter[str] = Counter()
    names = []
    for path in roots:
        name = as_text(path.resolve().name) or "evidence"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def below_one_folder(files: list[EvidenceFile]) -> Iterator[EvidenceFile]:
    """Names below the one folder that an archive holds.

    Unchanged if it holds several, or that folder is signup_logs/ itself.
    """
    known = [file for file in files if file.kind not in (OTHER, LEFT_OUT, ARCHIVE, LISTING)]
    tops = {file.name.partition("/")[0] if "/" in file.name else "" for file in known}
    top = tops.pop() if len(tops) == 1 else ""
    inside = f"{top}/" if top and top.lower() not in PLACES and stamp_in(top) is None else ""
    return (replace(file, name=file.name.removeprefix(inside)) for file in files)


def once(files: list[EvidenceFile]) -> Iterator[EvidenceFile]:
    """The files with names that are each one's alone: of two that are called alike, one bears a number."""
    seen: Counter[str] = Counter()
    for file in sorted(files, key=lambda file: file.kind == LEFT_OUT):
        seen[file.name] += 1
        yield file if seen[file.name] == 1 else replace(file, name=f"{file.name} ({seen[file.name]})")


def as_text(name: str) -> str:
    """A file's name as text.

    Bytes that are no UTF-8 are written as `\\xff`, so that every table and file can hold it.
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def classify(name: str, told: str | None = None) -> tuple[str, str]:
    """The kind of a file, and how it is known: by the kind that its first bytes told, then by its place and name.

    Content decides; where it tells nothing, the program's own names do, in any case, compressed or not.
    """
    named, is_called = _by_name(name)
    if told is None:
        return named or OTHER, AT_HOME
    if is_called and named is not None and told in (named, LISTING):
        return named, AT_HOME  # names of files in the place of evidence are no evidence, and are told
    return told, BY_STAMP if _stamped(name) else BY_CONTENT


def bears_known_name(name: str) -> bool:
    """True if a file, or the archive that it lies in, is called as the csv files and the configuration are.

    Whatever stands behind its name (`signups.xlsx`, `signups.csv.gpg`).
    """
    return any(part.lower().partition(".")[0] in _KNOWN_NAMES for part in name.split("/"))


def _stamped(name: str) -> bool:
    folder, _, base = name.rpartition("/")
    return stamp_in(base) is not None or (s4_name(name) is not None and stamp_in(folder.rpartition("/")[2]) is not None)


def _by_name(name: str) -> tuple[str | None, bool]:
    """The kind that name and place tell, and whether the file is called just what the program called it."""
    *folders, base = without_suffix(name).split("/")
    folder = _ARCHIVE.sub("", folders[-1].lower()) if folders else ""
    kind = _KIND_OF_NAME.get(base.lower())
    if kind is not None:
        return kind, True
    s4 = s4_name(name)
    if s4 is not None:
        return _KIND_OF_S4_NAME[s4], base.lower() == s4.lower()
    if folder in _KIND_OF_FOLDER and stamp_in(base) is not None:
        exact = is_exact(base) or (is_exact(stamp_in(base) or "") and base.lower() == (stamp_in(base) or "").lower())
        return _KIND_OF_FOLDER[folder], exact
    if is_exact(base):
        return LOG, True
    if folder == "signup_logs" and not base.startswith("."):
        return LOG, True
    return None, False


def of_root(files: Iterable[EvidenceFile], root: str, *, prefixed: bool) -> list[EvidenceFile]:
    """The files as those of a root, with its name before theirs where there are several roots."""
    prefix = f"{root}/" if prefixed else ""
    return [replace(file, name=prefix + file.name, root=root, below=file.name) for file in files]
