"""Arrow in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def small_arrow() -> Iterator[None]:
    """Let Arrow take memory from the system while it writes: its own pool keeps forty megabytes in reserve."""
    import pyarrow as pa

    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)
