"""A file is written whole, or stays as it was."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` once that went well: synced, renamed, the folder synced.

    `mode`: from the start, less what the process's umask takes away. Raises OSError, where a device or a pipe stands at
    `path`, too; whatever is raised inside, then nothing has changed there.
    """
    if is_no_file(path):
        raise OSError(errno.EINVAL, "no ordinary file", str(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def is_no_file(path: Path) -> bool:
    """True if something stands there that a file must not take the place of: a device, a pipe, a way to one."""
    if path.is_symlink() and path.readlink().is_relative_to("/proc"):  # as /dev/stdout is
        return True
    return path.exists() and not path.is_file() and not path.is_dir()
