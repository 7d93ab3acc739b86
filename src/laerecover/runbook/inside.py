"""Which accounts' workflows are within their steps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Inside:
    """Who is within, and who has left since somebody asked; told by several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: set[str] = set()
        self._left: set[str] = set()

    @contextmanager
    def of(self, account_id: str) -> Iterator[None]:
        """Within, until the block is left, however it is left."""
        with self._changed:
            self._inside.add(account_id)
        try:
            yield
        finally:
            with self._changed:
                self._inside.discard(account_id)
                self._left.add(account_id)
                self._changed.notify_all()

    def take_left(self, *, within: float) -> set[str]:
        """Those that have left since the last call; if nobody has, waits so many seconds for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._left, within)
            left, self._left = self._left, set()
            return left

    def wait_until_empty(self, *, within: float) -> None:
        """Give those within so many seconds to leave."""
        with self._changed:
            self._changed.wait_for(lambda: not self._inside, within)
