"""Which of the runs in a file is the one that the file is about: what the others told is foreign."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.findings import finding


def judge(view: FileView) -> Iterator[Said]:
    """The run whose bucket bears the seed of the file's name counts.

    If none does, the first one: unless it has another bucket, for then nothing tells whose run the file is about, and
    no fact counts.
    """
    if view.log is None or view.sorting is None:
        return
    sorting = view.sorting
    for reason in dict.fromkeys(sorting.foreign.values()):
        yield Doubt(facts=tuple(f for f, why in sorting.foreign.items() if why == reason), reason=reason)
    name, runs = view.log.log.evidence, len(view.log.course.runs)
    if runs > 1:
        yield finding("several-signups", f"{runs} signups stand in one file", signup=name)
    if sorting.seam is not None:
        yield finding(
            "several-signups",
            f"two signups are glued together: {sorting.seam} changes; only the part that bears the file's name counts"
            if sorting.seam
            else "lines are missing, and nothing ties what stands behind them to the signup: it does not count",
            signup=name,
            field=sorting.seam or None,
        )
