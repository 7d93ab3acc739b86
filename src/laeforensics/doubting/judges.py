"""The judges, by stage. A judge sees the doubts of earlier stages only: within a stage their order does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from laeforensics.doubting import (
    broken_json,
    broken_key,
    cut,
    hosts_differ,
    in_error,
    other_host,
    runs,
    swapped,
    testimony,
    unannounced,
    vouching,
)
from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt, Warrant
from laeforensics.facts.findings import Finding

FileJudge = Callable[[FileView], Iterable[Said]]

OF_A_PRINT: tuple[FileJudge, ...] = (
    unannounced.judge,
    cut.judge,
    in_error.judge,
    other_host.judge,
    broken_key.judge,
    broken_json.judge,
)
OF_A_FILE: tuple[FileJudge, ...] = (runs.judge, vouching.judge, testimony.judge, hosts_differ.judge, swapped.judge)


def hear_file(view: FileView) -> tuple[list[Doubt | Warrant], list[Finding]]:
    """What the judges of prints, and then of files, say of a log or a secrets file."""
    notes: list[Doubt | Warrant] = []
    findings: list[Finding] = []
    for stage in (OF_A_PRINT, OF_A_FILE):
        told = hear(stage, view)
        notes += told[0]
        findings += told[1]
        view = view.after(told[0])
    return notes, findings


def hear(stage: Sequence[FileJudge], view: FileView) -> tuple[list[Doubt | Warrant], list[Finding]]:
    """What the judges of one stage say."""
    said = [each for judge in stage for each in judge(view)]
    return [s for s in said if not isinstance(s, Finding)], [s for s in said if isinstance(s, Finding)]
