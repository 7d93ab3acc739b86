"""Where output goes once nobody reads it: nowhere, while the work goes on."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path

_NOBODY = (errno.EPIPE, errno.EIO)
"""The pipe's reader is gone; the terminal is closed."""


class _Unread(io.FileIO):
    """A stream of this process that is turned to nowhere once it cannot be written."""

    def __init__(self, number: int, *, always: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._always = always

    def write(self, data: bytes) -> int | None:  # type: ignore[override]
        """Everything counts as written once nobody is there to read it. Raises OSError for what is another trouble."""
        try:
            return super().write(data)
        except BlockingIOError:
            raise
        except OSError as error:
            if not self._always and error.errno not in _NOBODY:
                raise OSError(error.errno, error.strerror, "standard output") from None
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def outlive_readers() -> None:
    """Let this process go on where its pipe's reader is gone or its terminal is closed.

    What is told to people is dropped whatever the trouble (their file may be on a full disk), for nobody could be told
    of it; a result that was to go into a file is still an error.
    """
    if sys.stdout is None:  # it was closed before this process began
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  for as long as the process lives
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  as above
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _unread(sys.stdout, 1, always=False)
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _unread(sys.stderr, 2, always=True)


def drop_unread() -> None:
    """Turn stdout to nowhere if it cannot be written: it was told, and the end of the process would trip over it."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


def _unread(stream: io.TextIOWrapper, number: int, *, always: bool) -> io.TextIOWrapper:
    raw: io.RawIOBase = _Unread(number, always=always)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering or always,
    )


def tell(said: bytes) -> None:
    """One line on stderr out of a signal handler; nobody may be there any more."""
    try:
        os.write(2, said)
    except OSError:
        return
