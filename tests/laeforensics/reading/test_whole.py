"""How files become what they tell, in any order, by any number of processes."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from makings import LOG_FILE, log, open_files
from makings import evidence as whole
from packings import write

import laeforensics as lf
from laeforensics.evidence import find
from laeforensics.reading import _pool
from laeforensics.reading.whole import read_all


def told(case: lf.Case) -> list[object]:
    """Everything that a case shows, in its order."""
    tables = (case.facts, case.signups, case.audit, case.findings, case.residue, case.coverage)
    return [list(map(str, t.itertuples(index=False))) for t in tables] + [case.judgement.reading.digest]


def test_the_result_is_the_same_for_any_number_of_jobs(tmp_path):
    """Same tables in the same order, whoever parsed."""
    many = {f"{LOG_FILE[:-1]}{letter}": log() for letter in "abcdefghij"}
    one = open_files(tmp_path, {**whole(), **many})
    two = lf.open_case(tmp_path / "evidence", jobs=2)
    assert told(one) == told(two)


def test_the_order_of_the_files_does_not_matter(tmp_path):
    """An archive gives its members in its own order; the tables are sorted all the same."""
    write(tmp_path, whole())
    files = find.find(tmp_path)
    shuffled = random.Random(3).sample(files, len(files))
    first, second = read_all(files), read_all(shuffled)
    assert first.digest == second.digest
    assert [log.evidence for log in first.logs] == [log.evidence for log in second.logs]
    assert first.findings == second.findings


def test_progress_is_told_after_each_file(tmp_path):
    """Once for every file, with the number of all."""
    write(tmp_path, whole())
    seen: list[tuple[str, int]] = []
    lf.open_case(tmp_path, progress=lambda file, files: seen.append((file.name, files)))
    assert sorted(seen) == sorted((name, len(whole())) for name in whole())


def test_a_process_that_is_killed_is_told(tmp_path):
    """The error names the number of jobs and what to do."""
    with pytest.raises(lf.EvidenceError, match="--jobs 2") as error:
        list(_pool.in_order(_end_at_once, [(1,)], jobs=2))
    assert "--jobs 1" in error.value.next_step


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells how many threads a process has")
def test_processes_fork_where_there_is_one_thread():
    """A fork needs no imports; beside a thread, whose locks it would copy, processes are begun afresh."""
    script = """if True:
        import threading
        from laeforensics.reading import _pool
        print(_pool._begun_how())
        ends = threading.Event()
        threading.Thread(target=ends.wait).start()
        print(_pool._begun_how())
        ends.set()
    """
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["fork", "spawn"]


def _end_at_once(number: int) -> None:
    # By the name of the module: a process that is begun afresh imports this one too.
    sys.modules["os"]._exit(number)
