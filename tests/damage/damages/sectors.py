"""Sectors of a medium that are zero, or another file's, or elsewhere: aligned stretches of 512 and 4,096 bytes."""

from __future__ import annotations

from collections.abc import Callable

from damages.classes import damage
from damages.hurting import Hurt
from damages.witnesses import CSV_FILES

Filler = Callable[[Hurt, str, int, int], bytes]  # the folder, the file, the sector's start and length
Paths = Callable[[Hurt], list[str]]


def _place(hurt: Hurt, path: str, size: int) -> tuple[int, int]:
    """A sector of a file; in three of four cases one in which something is told."""
    data, rng = hurt.written.files[path], hurt.rng
    starts = [w.start for w in hurt.written.of_file(path)]
    at = rng.choice(starts) if starts and rng.random() < 0.75 else rng.randrange(len(data))
    start = at // size * size
    return start, min(len(data), start + size)


def _zeros(hurt: Hurt, path: str, start: int, length: int) -> bytes:
    return b"\0" * length


def _of(donors: Paths) -> Filler:
    """A sector out of another file: the one at the same place, or another that tells something."""

    def filler(hurt: Hurt, path: str, start: int, length: int) -> bytes:
        files, rng = hurt.written.files, hurt.rng
        fit = [name for name in donors(hurt) if name != path and len(files[name]) >= length]
        if not fit:
            return b"\0" * length
        donor = rng.choice(fit)
        if len(files[donor]) < start + length or rng.random() < 0.5:
            start = min(_place(hurt, donor, 512)[0], len(files[donor]) - length)
        return files[donor][start : start + length]

    return filler


def _logs(hurt: Hurt) -> list[str]:
    return [str(each.log) for each in hurt.logs()]


def _secrets(hurt: Hurt) -> list[str]:
    return [str(each.secrets) for each in hurt.secrets()]


def _csv(hurt: Hurt) -> list[str]:
    return list(CSV_FILES)


def _register(kind: str, targets: Paths, what: str, filler: Filler, size: int, *, alone: str | None = None) -> None:
    @damage(
        f"{kind}-sector-{what}-{size}", f"a sector of {size} bytes is {what}, in half of the {kind} files", alone=alone
    )
    def make(hurt: Hurt) -> None:
        for path in hurt.some(targets(hurt)):
            start, end = _place(hurt, path, size)
            new = filler(hurt, path, start, end - start)
            if new != hurt.written.files[path][start:end]:
                hurt.edit(path, (start, end, new))


for _size in (512, 4096):
    _register("log", _logs, "zero", _zeros, _size, alone="logs")
    _register("log", _logs, "foreign", _of(_logs), _size, alone="logs")
    _register("secrets", _secrets, "zero", _zeros, _size, alone="secrets")
    _register("secrets", _secrets, "foreign", _of(_secrets), _size, alone="secrets")
_register("log", _logs, "of-secrets", _of(_secrets), 4096)
_register("csv", _csv, "zero", _zeros, 512)
_register("csv", _csv, "foreign", _of(_csv), 512)


@damage(
    "log-sector-lost-512",
    "a sector of 512 bytes is missing, and what follows has moved up, in half of the logs",
    alone="logs",
)
def sector_lost(hurt: Hurt) -> None:
    for path in hurt.some(_logs(hurt)):
        hurt.edit(path, (*_place(hurt, path, 512), b""))


def _hybrid(hurt: Hurt, path: str, donor: str) -> None:
    """One value has the other's head and keeps its own tail, as where a sector's border runs through it."""
    rng, files = hurt.rng, hurt.written.files
    fields = (
        "user_access_key_id",
        "user_secret_key",
        "user_token",
        "product_token",
        "introducer_furl",
        "server_node_pem",
    )
    mine = {w.field: w for w in hurt.written.of_file(path) if w.field in fields}
    theirs = {w.field: w for w in hurt.written.of_file(donor) if w.field in fields}
    shared = sorted(set(mine) & set(theirs))
    if shared:
        field = rng.choice(shared)
        length = min(mine[field].end - mine[field].start, theirs[field].end - theirs[field].start)
        cut = rng.randrange(length // 4, length - 2)
        start, at = mine[field].start, theirs[field].start
        hurt.edit(path, (start, start + cut, files[donor][at : at + cut]))


@damage("log-value-hybrid", "one value has the head of another log's and its own tail, in some logs", alone="logs")
def log_value_hybrid(hurt: Hurt) -> None:
    logs = hurt.logs("origin", s4=False)
    for one, other in hurt.pairs(logs, logs):
        _hybrid(hurt, str(one.log), str(other.log))


@damage(
    "secrets-value-hybrid",
    "one value has the head of another file's and its own tail, in some secrets files",
    alone="secrets",
)
def secrets_value_hybrid(hurt: Hurt) -> None:
    files = hurt.secrets(s4=False)
    for one, other in hurt.pairs(files, files):
        _hybrid(hurt, str(one.secrets), str(other.secrets))
