"""Backups and old folders beside the files: sound, cut, stale, flipped, or all that is left."""

from __future__ import annotations

from collections.abc import Callable

from damages.classes import damage
from damages.flips import turned
from damages.hurting import Hurt
from damages.texts import CREDENTIALS, IDENTITY, bytes_of
from damages.witnesses import CONFIG, CSV_FILES, Left


def _flipped(hurt: Hurt, path: str, fields: tuple[str, ...]) -> bytes | None:
    """A copy of a file with one bit turned over in one of these fields; None if it tells none."""
    told = [w for w in hurt.written.of_file(path) if w.field in fields]
    if not told:
        return None
    data, witness = hurt.written.files[path], hurt.rng.choice(told)
    start, end, new = turned(hurt, data, witness.start, witness.end)
    return data[:start] + new + data[end:]


def _cut(hurt: Hurt, path: str) -> bytes:
    data = hurt.written.files[path]
    return data[: hurt.rng.randrange(len(data) // 4, len(data))]


def _beside(name: str, what: str, where: Callable[[str], str], change: Callable[[Hurt, str], bytes | None]) -> None:
    """A changed copy of half of the logs, at another path."""

    @damage(name, what, alone="logs")
    def make(hurt: Hurt) -> None:
        for each in hurt.some(hurt.logs()):
            _copy(hurt, each, str(each.log), where, change)


def _copy(
    hurt: Hurt, each: Left, path: str, where: Callable[[str], str], change: Callable[[Hurt, str], bytes | None]
) -> None:
    data = change(hurt, path)
    if data is not None:
        like = path if path in hurt.written.logs else None
        hurt.put(where(path), data, like=like, about=each.account)


def _in(folder: str) -> Callable[[str], str]:
    return lambda path: f"{folder}/{path}"


_beside("backup-logs-cut", "cut copies of half of the logs lie in nightly/", _in("nightly"), _cut)
_beside(
    "backup-logs-flipped",
    "copies of half of the logs, with a bit of the keys turned over, lie in backup/",
    _in("backup"),
    lambda h, p: _flipped(h, p, CREDENTIALS),
)
_beside(
    "backup-logs-flipped-suffix",
    "copies of half of the logs, with a bit of the keys turned over, lie beside them as NAME~",
    lambda path: path + "~",
    lambda h, p: _flipped(h, p, CREDENTIALS),
)


@damage(
    "backup-logs-spliced", "copies of half of the logs, with a stretch of another log over their middle, lie in backup/"
)
def spliced(hurt: Hurt) -> None:
    logs = hurt.logs()
    for each in hurt.some(logs):
        data, other = bytes_of(hurt, each.log), bytes_of(hurt, hurt.rng.choice(logs).log)
        start = hurt.rng.randrange(len(data) // 512) * 512
        new = other[start : start + 4096]
        hurt.put(f"backup/{each.log}", data[:start] + new + data[start + len(new) :], like=each.log)


@damage(
    "backup-secrets-flipped", "copies of half of the secrets files, with a bit of the keys turned over, lie in backup/"
)
def secrets_flipped(hurt: Hurt) -> None:
    for each in hurt.some(hurt.secrets()):
        _copy(hurt, each, str(each.secrets), _in("backup"), lambda h, p: _flipped(h, p, (*CREDENTIALS, *IDENTITY)))


@damage("old-folder", "an older state of everything lies in old/: logs cut, secrets files of 0 bytes, csv files stale")
def old_folder(hurt: Hurt) -> None:
    for path, data in sorted(hurt.written.files.items()):
        if path in hurt.written.logs:
            hurt.put(f"old/{path}", _cut(hurt, path), like=path)
        elif path in CSV_FILES:
            hurt.put(f"old/{path}", data[: data.index(b"\n", len(data) // 2) + 1])
        elif path.startswith("secrets/"):
            hurt.put(f"old/{path}", b"" if not path.endswith("/stripe") else data)


@damage("other-config-beside", "an older configuration, with other tokens for the same codes, lies in old/")
def other_config(hurt: Hurt) -> None:
    data = hurt.written.files[CONFIG]
    hurt.put(f"old/{CONFIG}", data.replace(b"{ProductToken}AAAG", b"{ProductToken}BBBG"))
    for account, truth in hurt.written.truths.items():
        if truth.values["product_token"]:
            hurt.contradict(account, "product_token")
            hurt.concern(account)


@damage(
    "log-copied-under-another-name",
    "a copy of half of the logs lies beside them, with the seed of another customer's log",
)
def another_name(hurt: Hurt) -> None:
    logs = hurt.logs("origin", s4=False)
    for one, other in hurt.pairs(logs, logs):
        time = str(one.log).partition("Z-")[0]
        hurt.put(f"{time}Z-{other.run.log_name.partition('Z-')[2]}", bytes_of(hurt, one.log), like=one.log)
        hurt.concern(other.account)


@damage("another-log-in-old", "another customer's log lies in old/ under the name of a log", alone="logs")
def another_log(hurt: Hurt) -> None:
    logs = hurt.logs(s4=False)
    for one, other in hurt.pairs(logs, logs):
        hurt.put(f"old/{one.log}", bytes_of(hurt, other.log), like=other.log)
        hurt.concern(one.account)


@damage("another-secrets-in-old", "another customer's secrets file lies in old/ under the name of one", alone="secrets")
def another_secrets(hurt: Hurt) -> None:
    files = hurt.secrets(s4=False)
    for one, other in hurt.pairs(files, files):
        hurt.put(f"old/{one.secrets}", bytes_of(hurt, other.secrets), about=other.account)
        hurt.concern(one.account)
