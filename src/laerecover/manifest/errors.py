"""Why a manifest is refused: each error says what, where and what next."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path


class OperatorError(Exception):
    """Something that cannot be done; `what`, `where` and `next_step` say so in words for an operator."""

    def __init__(self, what: str, *, where: str, next_step: str) -> None:
        super().__init__(f"{what} · {where} · {next_step}")
        self.what = what
        self.where = where
        self.next_step = next_step


class ManifestError(OperatorError):
    """A manifest that cannot be trusted; nothing was started.

    ManifestError
     ├─ ManifestUnreadable   no such file, cut, changed bytes, wrong key
     ├─ ManifestInvalid      wrong version, missing column, duplicate account, impossible value
     └─ KeyFileRefused       no key file, loose permissions, key beside the manifest
    """


class ManifestUnreadable(ManifestError):
    """The file cannot be read as an encrypted manifest."""


class ManifestInvalid(ManifestError):
    """The file is a manifest, but a row or a column of it cannot be right."""


class KeyFileRefused(ManifestError):
    """The key file is missing or not kept safely."""


def _like(path: Path) -> Path | None:
    """The file, or the folder on the way to it, whose name is most like what was typed."""
    for place in (path, *path.parents):
        inside = place.parent
        if inside.is_dir() and not place.exists():
            is_wanted = Path.is_file if place == path else Path.is_dir
            names = [each.name for each in inside.iterdir() if is_wanted(each)]
            likely = [name for name in names if place != path or name.endswith(path.suffix or ".parquet")]
            near = get_close_matches(place.name, likely, 1)
            found = inside / near[0] / path.relative_to(place) if near else None
            return found if found is not None and found.is_file() else None
    return None


def refuse_missing(path: Path) -> None:
    """Raises ManifestUnreadable if there is no such file, and says what a folder of that name is."""
    if path.is_file():
        return
    what, after = "no such manifest", "write one with `laeforensics audit EVIDENCE --output manifest.parquet`"
    if near := _like(path):
        after = f"did you mean {near}? Or {after}"
    if path.is_dir():
        what, inside = "this is a folder, no manifest", sorted(path.glob("*manifest*.parquet"))[:1]
        after = f"name the manifest itself, {inside[0] if inside else path / 'manifest.parquet'} perhaps"
        if (path / "state.json").is_file():
            what = "this is a recovery's folder, no manifest"
            after = "name the manifest that it recovers, and this folder with --state if it lies elsewhere"
    raise ManifestUnreadable(what, where=str(path), next_step=f"{after}; nothing was started")
