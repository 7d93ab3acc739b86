"""Runs on a recovered host, as its customer: does the store let the host in, can a share be read through the mount?

`python3 - MOUNT RCLONE_CONF` prints two lines, `store …` and `share …`; the second word is ok, failed or none (there is
no share), the rest a sentence without any secret. It writes nothing, and waits for nothing that may hang for ever. It is
sent as it stands, so it needs no more than Python 3.9.
"""

from __future__ import annotations

import os
import random
import re
import select
import signal
import subprocess
import sys

SECONDS = 20.0
"""How long one answer may take: three lists and two looks at a share take less than two minutes then."""
_PREFIX, _INDEX, _NUMBER = r"[a-z2-7]{2}/", r"[a-z2-7]{26}/", r"[0-9]+"
_NO_FOLDER = 3
"""rclone's exit status where a bucket is not there."""


class Trouble(Exception):
    """What a customer would run into."""


def rclone(conf: str, *words: str) -> bytes:
    """What rclone prints with the mount's own configuration. Raises Trouble."""
    command = ["rclone", *words, "--config", conf, "--retries", "1", "--low-level-retries", "2", "--contimeout", "10s"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Trouble(f"it does not answer the host within {SECONDS:.0f} s") from None
    except OSError as error:
        raise Trouble(f"rclone cannot be run: {error.strerror}") from None
    if done.returncode == 0:
        return done.stdout
    # Of what rclone says only the store's own word is told: the rest could hold anything.
    said = re.search(rb"\b([A-Z][A-Za-z]{2,40}): [^\n]*\n?[^\n]{0,40}status code: (\d{3})", done.stderr)
    if said is not None:
        raise Trouble(f"it refuses the host: {said[1].decode()} ({said[2].decode()})")
    if done.returncode == _NO_FOLDER:
        raise Trouble("it knows no such bucket")
    raise Trouble(f"rclone ends with {done.returncode} on the host")


def some_share(conf: str) -> str | None:
    """The name of any share, found by three short lists; None if there is none. Raises Trouble."""
    place = "shares/"
    for pattern in (_PREFIX, _INDEX, _NUMBER):
        names = rclone(conf, "lsf", f"shares:{place}").decode("ascii", "replace").split("\n")
        found = [name for name in names if re.fullmatch(pattern, name)]
        if not found:
            return None
        place += random.choice(found)  # noqa: S311  another one each time: what was read before lies in the mount's cache
    return place


def first_byte(path: str) -> str:
    """Why it cannot be read through the mount; "" if it can. A child reads: nobody can end who waits for a dead mount."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        try:
            with open(path, "rb", buffering=0) as share:  # noqa: PTH123
                said = "" if share.read(1) else "it is empty"
        except OSError as error:
            said = str(error.strerror)
        os.write(writing, b"." + said.encode())
        os._exit(0)
    os.close(writing)
    if not select.select([reading], [], [], SECONDS)[0]:
        os.kill(child, signal.SIGKILL)
        return f"nothing comes within {SECONDS:.0f} s: the mount hangs"
    answer = os.read(reading, 1000).decode()
    return answer[1:] if answer else "the reader was ended"


def mounted(folder: str) -> bool:
    """As the kernel's table says: a question to the mount itself may hang."""
    with open("/proc/mounts") as table:  # noqa: PTH123
        fields = [line.split(" ") for line in table]
    return any(each[1] == folder and each[2].startswith("fuse") for each in fields)


def look(mount: str, conf: str) -> dict[str, str]:
    """What to say of `store` and of `share`."""
    try:
        share = some_share(conf)
    except Trouble as trouble:
        return {"store": f"failed {trouble}", "share": "none nobody can say which shares there are"}
    if share is None:
        return {"store": "ok it lets the host in", "share": "none there is no share yet"}
    try:
        folder, _, number = share.rpartition("/")
        # Not by its own name: of an object that it may not look at, rclone 1.60 says that it is an empty folder.
        read = rclone(conf, "cat", "--head", "1", "--include", f"/{number}", f"shares:{folder}")
        store = "ok it lets the host in, and gives a share" if read else "failed it gives an empty share"
    except Trouble as trouble:
        store = f"failed {trouble}"
    why = first_byte(f"{mount}/{share}") if mounted(mount) else "the bucket is not mounted"
    return {"store": store, "share": f"failed {why}" if why else "ok one was read through the mount"}


def main() -> None:
    """Arguments: where the bucket is mounted, rclone's configuration."""
    for what, answer in look(*sys.argv[1:3]).items():
        sys.stdout.write(f"{what} {answer}\n")


if __name__ == "__main__":
    main()
