"""Files under other names, and files of which nothing but the name is left."""

from __future__ import annotations

from damages.classes import damage
from damages.flips import turned
from damages.hurting import Hurt
from damages.witnesses import CONFIG, CSV_FILES


@damage("untouched", "nothing was done: whatever stands here is no damage's fault")
def untouched(hurt: Hurt) -> None:
    return


@damage("names-with-suffix", "half of the logs and of the secrets files have a suffix: .txt, .bak, ' (1)'")
def suffix(hurt: Hurt) -> None:
    for path in _some_of_both(hurt):
        hurt.rename(path, path + hurt.rng.choice([".txt", ".bak", " (1)"]))


@damage("names-lower-cased", "all files went through a medium that knows one case")
def lower_cased(hurt: Hurt) -> None:
    for path in sorted(hurt.written.files):
        if path.lower() != path and not path.endswith(("/signup_logs", "/SSEC2", "/stripe")):
            hurt.rename(path, path.lower())


@damage("names-carved", "half of the logs and of the secrets files bear the names of a carver, in lost+found/")
def carved(hurt: Hurt) -> None:
    for number, path in enumerate(sorted(_some_of_both(hurt))):
        hurt.rename(path, f"lost+found/f{1000 + 8 * number:07}.txt")


@damage("names-seed-flipped", "half of the logs have a bit of the seed in their name turned over")
def seed_flipped(hurt: Hurt) -> None:
    for each in hurt.some(hurt.logs(s4=False)):
        name = str(each.log).encode()
        start, end, new = turned(hurt, name, name.index(b"Z-") + 2, len(name))
        flipped = (name[:start] + new + name[end:]).decode("latin-1")
        if flipped.isalnum() or "/" in flipped:
            hurt.rename(str(each.log), flipped)


@damage("names-other-time", "half of the logs bear the time of another log")
def other_time(hurt: Hurt) -> None:
    logs = hurt.logs(s4=False)
    for each in hurt.some(logs):
        time = str(hurt.rng.choice(logs).log).partition("Z-")[0]
        hurt.rename(str(each.log), f"{time}Z-{each.run.log_name.partition('Z-')[2]}")


def _some_of_both(hurt: Hurt) -> list[str]:
    """Half of the logs and half of the secrets files of the DevPay years."""
    logs = [str(each.log) for each in hurt.logs(s4=False)]
    return hurt.some(logs) + hurt.some([str(each.secrets) for each in hurt.secrets(s4=False)])


def _emptied(name: str, kind: str, content: bytes | None, what: str) -> None:
    """Half of the files of a kind: 0 bytes, or so many zeros (content None)."""

    @damage(name, what)
    def make(hurt: Hurt) -> None:
        paths = {
            "log": [str(each.log) for each in hurt.logs()],
            "secrets": [str(each.secrets) for each in hurt.secrets()],
            "csv": list(CSV_FILES),
            "config": [CONFIG],
        }[kind]
        for path in hurt.some(paths) if kind in ("log", "secrets") else paths:
            hurt.rewrite(path, b"\0" * len(hurt.written.files[path]) if content is None else content)


_emptied("log-empty", "log", b"", "half of the logs have 0 bytes")
_emptied("secrets-empty", "secrets", b"", "half of the secrets files have 0 bytes")


@damage("only-logs", "nothing but logs and config is left")
def only_logs(hurt: Hurt) -> None:
    hurt.isolate("logs")
