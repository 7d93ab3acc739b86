"""A function mapped over arguments by several processes, the results in the arguments' order."""

from __future__ import annotations

import gc
import linecache
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from laeforensics.errors import EvidenceError

if TYPE_CHECKING:
    from concurrent.futures import Future

_Result = TypeVar("_Result")
_AHEAD = 4
"""Arguments on their way for each process: enough to keep it busy, few enough to keep memory small."""


def _begin() -> None:
    """Interrupts are the parent's; garbage has no circles here either, and is not looked for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _begun_how() -> str:
    """`fork` where this process has one thread: a fork would copy the locks of threads that libraries have started.

    Else `spawn`: each fresh process imports everything once more, which takes as long as reading eighty logs.
    """
    try:
        return "fork" if sum(1 for _ in Path("/proc/self/task").iterdir()) == 1 else "spawn"
    except OSError:  # not Linux, which alone tells
        return "spawn"


def _begins_itself_anew() -> bool:
    """True for a script without a guard: each process that is begun afresh carries it out once more."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if file is None or getattr(main, "__spec__", None) is not None:
        return False
    lines = linecache.getlines(file)
    return bool(lines) and not any("__name__" in line for line in lines)


def in_order(
    function: Callable[..., _Result], arguments: Iterable[tuple[object, ...]], *, jobs: int
) -> Iterator[_Result]:
    """`function(*a)` for each tuple of arguments. With one job, here; with more, in as many processes.

    Arguments and results must be picklable; a `Secret` is not, so none can travel.
    Raises EvidenceError: a process was killed (mostly for want of memory).
    """
    if jobs <= 1:
        yield from (function(*a) for a in arguments)
        return
    if _begins_itself_anew():
        raise EvidenceError(
            "this script would begin itself anew in every process",
            where=f"jobs={jobs}",
            next_step='put what it does below `if __name__ == "__main__":`, or give jobs=1',
        )
    import multiprocessing  # a single job needs none of it
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(jobs, multiprocessing.get_context(_begun_how()), _begin) as executor:
        waiting: deque[Future[_Result]] = deque()
        try:
            for a in arguments:
                waiting.append(executor.submit(function, *a))
                if len(waiting) >= _AHEAD * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise EvidenceError(
                "a process that parsed the evidence ended at once",
                where=f"--jobs {jobs}",
                next_step="run it again with --jobs 1, or with fewer jobs if memory is short",
            ) from None
