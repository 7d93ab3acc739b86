"""What is known of a file of the evidence before it is read: its name, its kind, why it is left out."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from laeforensics.evidence.names import without_suffix

LOG = "log"
SECRETS = "secrets"
STRIPE = "stripe"
ACTIVATION_REQUESTS = "activation_requests"
SIGNUPS = "signups"
SERVERINFO = "serverinfo"
CONFIG = "config"
ARCHIVE = "archive"
OTHER = "other"
LEFT_OUT = "left out"

_KIND_OF_NAME = {
    "activation_requests.csv": ACTIVATION_REQUESTS,
    "signups.csv": SIGNUPS,
    "serverinfo.csv": SERVERINFO,
    "lae_automation_config.json": CONFIG,
    "signup_logs": LOG,
    "SSEC2": SECRETS,
    "stripe": STRIPE,
}
_STAMPED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}Z-[a-z0-9-]+")
_PLACES = frozenset({"signup_logs", "secrets", "secret_config"})


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
    prefixed: bool = False
    """True if `name` begins with it."""
    member: int | None = None
    """Its place among the members of its archive."""
    problem: str | None = None
    """Why it is left out unread."""

    @property
    def below(self) -> str:
        """The name below its own root, however many roots there are."""
        return self.name.removeprefix(f"{self.root}/") if self.prefixed else self.name


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
    tops = {file.name.partition("/")[0] for file in files if file.kind not in (OTHER, LEFT_OUT, ARCHIVE)}
    top = f"{tops.pop()}/" if len(tops) == 1 else ""
    for file in files:
        inside = top and top[:-1] not in _PLACES and file.name.startswith(top)
        below = file.name.removeprefix(top) if inside else file.name
        kind = file.kind if file.kind in (LEFT_OUT, ARCHIVE) else classify(below)
        yield replace(file, name=below, kind=kind)


def once(files: list[EvidenceFile]) -> Iterator[EvidenceFile]:
    seen: Counter[str] = Counter()
    for file in sorted(files, key=lambda file: file.kind == LEFT_OUT):
        seen[file.name] += 1
        if seen[file.name] == 1:
            yield file
        else:
            again = f"{file.name} ({seen[file.name]})"
            yield replace(file, name=again, kind=LEFT_OUT, problem=file.problem or "another file has the same name")


def as_text(name: str) -> str:
    """A file's name as text.

    Bytes that are no UTF-8 are written as `\\xff`, so that every table and file can hold it.
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def classify(name: str) -> str:
    """The kind of a file by its place and name.

    Both layouts, signup_logs/ and secrets/ at any depth, compressed or not.
    """
    *folders, base = without_suffix(name).split("/")
    if base in _KIND_OF_NAME:
        return _KIND_OF_NAME[base]
    if _STAMPED.fullmatch(base):
        if folders and folders[-1] == "secrets":
            return SECRETS
        return LOG
    if folders and folders[-1] == "signup_logs" and not base.startswith("."):
        return LOG
    return OTHER


def of_root(files: Iterable[EvidenceFile], root: str, *, prefixed: bool) -> list[EvidenceFile]:
    """The files as those of a root, with its name before theirs where there are several roots."""
    prefix = f"{root}/" if prefixed else ""
    return [replace(file, name=prefix + file.name, root=root, prefixed=prefixed) for file in files]
