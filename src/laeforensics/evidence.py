"""Find, classify and hash the evidence; the only module that opens a file of it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from laeforensics.errors import EvidenceError

LOG = "log"
SECRETS = "secrets"
STRIPE = "stripe"
ACTIVATION_REQUESTS = "activation_requests"
SIGNUPS = "signups"
SERVERINFO = "serverinfo"
CONFIG = "config"
OTHER = "other"

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
_LARGEST = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """One file of the evidence: its POSIX path below the root, its kind, and where it lies on disk."""

    name: str
    kind: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The bytes of one file, their SHA-256, and what kept us from reading it, if anything did."""

    data: bytes
    sha256: str
    problem: str | None = None
    back: Callable[[int], int] | None = None
    """From an offset in `data` to the offset in the file, where the two differ."""


def find(root: Path) -> list[EvidenceFile]:
    """Every file below `root`, sorted by name; links that lead out of the folder are left alone.

    Raises EvidenceError: no such folder, or no file in it.
    """
    if not root.is_dir():
        raise EvidenceError(
            "no such folder", where=str(root), next_step="name the folder that holds signup_logs/ and the csv files"
        )
    top = root.resolve()
    files = sorted(_walk(top), key=lambda file: file.name)
    if not any(file.kind != OTHER for file in files):
        raise EvidenceError(
            "no evidence in this folder",
            where=str(root),
            next_step="it should hold signup_logs/, secrets/, activation_requests.csv or lae_automation_config.json",
        )
    return files


def _walk(top: Path) -> Iterator[EvidenceFile]:
    for folder, folders, names in os.walk(top, followlinks=False):
        folders.sort()
        for name in names:
            path = Path(folder) / name
            if not path.is_file() or not path.resolve().is_relative_to(top):
                continue
            relative = path.relative_to(top).as_posix()
            yield EvidenceFile(name=relative, kind=classify(relative), path=path, size=path.stat().st_size)


def classify(name: str) -> str:
    """The kind of a file by its place and name: both layouts, signup_logs/ and secrets/ at any depth."""
    *folders, base = name.split("/")
    if base in _KIND_OF_NAME:
        return _KIND_OF_NAME[base]
    if _STAMPED.fullmatch(base):
        if folders and folders[-1] == "secrets":
            return SECRETS
        return LOG
    if folders and folders[-1] == "signup_logs" and not base.startswith("."):
        return LOG
    return OTHER


def read(file: EvidenceFile) -> Content:
    """The file's bytes and their hash. An unreadable file gives no bytes and says why; it never raises."""
    if file.size > _LARGEST:
        return Content(data=b"", sha256="", problem=f"{file.size} bytes is more than this software reads ({_LARGEST})")
    try:
        data = file.path.read_bytes()
    except OSError as error:
        return Content(data=b"", sha256="", problem=error.strerror or type(error).__name__)
    return Content(data=data, sha256=hashlib.sha256(data).hexdigest())
