"""How files become what they tell, in any order, by any number of processes."""

from __future__ import annotations

import pickle
import random
import sys

import pytest
from makings import LOG_FILE, NAME, codes, log, open_files, secrets
from makings import evidence as whole
from packings import write

import laeforensics as lf
from laeforensics.evidence import find, read
from laeforensics.facts.fact import Tile
from laeforensics.parsing import thrift
from laeforensics.parsing.logs import MOST_RESIDUE, MOST_TORN
from laeforensics.parsing.signuplogs import read_log
from laeforensics.reading import _pool
from laeforensics.reading.files import read_file
from laeforensics.reading.whole import read_all
from laerecover.manifest import Secret


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


@pytest.mark.parametrize("name", whole())
def test_what_a_file_told_can_travel(name, tmp_path):
    """It pickles as plain texts and numbers, and comes back the same: a process can hand it on."""
    write(tmp_path, whole())
    (file,) = (f for f in find.find(tmp_path) if f.name == name)
    content = read.read(file)
    one = read_file(*pickle.loads(pickle.dumps((file, content))))
    assert pickle.loads(pickle.dumps(one)) == one
    assert one.log or one.secrets or one.activations or one.signups or one.serverinfo or one.products


def test_a_secret_cannot_travel():
    """What may be shown is made where it is shown: a `Secret` refuses to be pickled."""
    with pytest.raises(TypeError):
        pickle.dumps(Secret("invented"))


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


def _end_at_once(number: int) -> None:
    # By the name of the module: the fresh process imports this one too.
    sys.modules["os"]._exit(number)


def test_an_unreadable_file_is_a_finding(tmp_path):
    """The others are read."""
    write(tmp_path, whole())
    files = find.find(tmp_path)
    (tmp_path / "signups.csv").unlink()
    reading = read_all(files)
    assert [(f.code, f.signup) for f in reading.findings] == [("unreadable-file", "signups.csv")]
    assert len(reading.logs) == 1


def test_what_a_log_told_holds_no_text_of_it(tmp_path):
    """A log with much noise is kept in the memory of one with little: facts are kept, text is not."""
    noise = b"".join(b"[ubuntu@192.0.2.1] out: line %d\n" % n for n in range(20_000))
    quiet, loud = (open_files(tmp_path / str(len(extra)), {LOG_FILE: log() + extra}) for extra in (noise[:33], noise))
    quiet_size, loud_size = (len(pickle.dumps(case.judgement.reading.logs)) for case in (quiet, loud))
    assert loud_size < quiet_size + 200


def test_equal_values_are_kept_once(tmp_path):
    """The log's and the secrets file's keys are the same text in memory."""
    case = open_files(tmp_path, whole())
    keys = [f.value for f in case.judgement.joined[0].witnesses["user_secret_key"]]
    assert len(keys) > 1
    assert len({id(key) for key in keys}) == 1


def test_tiles_are_kept_as_they_were():
    """Packed tiles have the length, the order and the places of the list they were made of."""
    tiles = read_log(log(), LOG_FILE).tiles
    kept = thrift.Tiles(tiles)
    assert list(kept) == tiles
    assert kept == tiles
    assert (len(kept), kept[0], kept[-1], kept[1:3]) == (len(tiles), tiles[0], tiles[-1], tiles[1:3])
    assert all(type(tile) is Tile for tile in kept)


def test_residue_is_bounded_but_complete():
    """Beyond so many lines neighbours become one stretch: the same bytes, few rows; a gap begins a new one."""
    junk = [b"nobody knows %d\n" % n for n in range(MOST_RESIDUE + 500)]
    data = b"".join(junk[:-100]) + b">Deploying EC2 instance...>\n" + b"".join(junk[-100:])
    kept = read_log(data, LOG_FILE).residue
    assert len(kept) == MOST_RESIDUE + 2
    assert [r.line for r in kept[:MOST_RESIDUE]] == list(range(1, MOST_RESIDUE + 1))
    assert sum(r.end - r.start for r in kept) == sum(map(len, junk))


def test_damage_is_told_in_bounded_number():
    """A file of ten thousand torn values is told as damaged a thousand times, not ten thousand."""
    assert len(read_log(b"secret_key = x\n" * 10_000, LOG_FILE).torn) == MOST_TORN


def test_residue_of_a_log_of_nothing_else_is_small(tmp_path):
    """A file of twenty thousand lines that nobody knows gives a thousand rows and a few."""
    junk = b"".join(b"nobody knows %d\n" % n for n in range(20_000))
    case = open_files(tmp_path, {LOG_FILE: log() + junk})
    assert len(case.residue) <= MOST_RESIDUE + 10
    size = sum(case.residue.end - case.residue.start)
    assert size >= len(junk)


def test_damage_of_a_compressed_secrets_file_is_told(tmp_path):
    """A .gz that is only its head gives no values, and two findings say so."""
    import gzip

    files = {**whole(secrets=None), f"secrets/{NAME}.gz": gzip.compress(secrets())[:12]}
    assert "damaged-archive" in codes(open_files(tmp_path, files))
