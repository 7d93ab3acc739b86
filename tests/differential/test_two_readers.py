"""Two readers that share no line agree on what a log says: the library's, and one that is slow and obvious."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import plain_reader
import pytest

from evidence_writer import KeyPool, make_signup
from evidence_writer.certificates import default_pool
from evidence_writer.dialects import DIALECTS, SIGNUP_DIALECTS
from evidence_writer.replacement import REPLACING, make_replacement
from evidence_writer.rerecord import make_rerecord
from evidence_writer.signup import failures_of
from laeforensics.doubting.judges import hear_file
from laeforensics.doubting.views import FileView
from laeforensics.facts.beliefs import Beliefs, Hearing
from laeforensics.facts.fields import COURSE, fields_of
from laeforensics.parsing.signuplogs import read_log

EVIDENCE = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
FOLDER_LOGS = sorted(
    p.relative_to(EVIDENCE).as_posix()
    for p in EVIDENCE.rglob("*")
    if p.is_file() and (p.parent.name == "signup_logs" or p.name == "signup_logs")
)
RELAYED = ("certified", "testimony", "paired", "remote", "broken")


def check(data: bytes) -> None:
    """Both readers find the same own words, and the same values read out of a host.

    But one thing: what a host printed in the two hours of x00, a `-` before every byte, the library leaves unread. It
    is the internal furl alone, which no account needs: the program printed the external one.
    """
    reading = read_log(data, "a log")
    hearing = Hearing(Beliefs(hear_file(FileView(facts=reading.log.facts, log=reading))[0]))
    told = [(f, hearing.channel(f)) for f in reading.log.facts if f.field not in fields_of(COURSE)]
    own, relayed = plain_reader.read(data)
    assert {(f.field, f.value) for f, channel in told if channel == "own"} == own
    if b"\n-activationkey = " in data:
        assert {field for field, _ in relayed} <= {"internal_introducer_furl"}
        relayed = set()
    assert {(f.field, f.value) for f, channel in told if channel in RELAYED} == relayed


@cache
def keys() -> KeyPool:
    return default_pool()


@cache
def complete(dialect: str, seed: int):
    return make_signup(random.Random(seed), dialect=dialect)


@pytest.mark.parametrize("dialect", SIGNUP_DIALECTS)
@pytest.mark.parametrize("seed", range(2))
def test_they_agree_on_signups(dialect, seed):
    """Signups of every dialect, as far as the dialect gets."""
    check(complete(dialect, seed).log_bytes)


@pytest.mark.parametrize("dialect", SIGNUP_DIALECTS)
def test_they_agree_on_failed_signups(dialect):
    """Three of the ways in which a dialect's signup fails: all dialects together go through all ways."""
    ways = failures_of(dialect)
    first = SIGNUP_DIALECTS.index(dialect)
    for fail_at in {ways[(first + step) % len(ways)] for step in (0, 3, 6)} if ways else ():
        check(make_signup(random.Random(f"{dialect} {fail_at}"), dialect=dialect, fail_at=fail_at).log_bytes)


@pytest.mark.parametrize("dialect", REPLACING)
@pytest.mark.parametrize("throw_away", [False, True])
def test_they_agree_on_replacements(dialect, throw_away):
    """Replacement logs, with the old furl or a throw-away one."""
    origin = complete("d13" if dialect == "d14" else "d06", 1)
    when = DIALECTS[dialect].random_time(random.Random(dialect))
    check(
        make_replacement(
            random.Random(7), origin, dialect=dialect, when=when, number=600, keys=keys(), throw_away=throw_away
        ).log_bytes
    )


@pytest.mark.parametrize("seed", range(3))
def test_they_agree_on_re_records(seed):
    """Everything is read out of the host, nothing is the program's own but the host's address."""
    when = DIALECTS["d07"].random_time(random.Random(seed))
    run = make_rerecord(random.Random(seed), complete("d06", seed), when=when)
    check(run.log_bytes)
    own, relayed = plain_reader.read(run.log_bytes)
    assert {field for field, _ in own} == {"public_host"}
    assert {"bucket_name", "user_token", "product_token", "server_node_pem"} <= {field for field, _ in relayed}


@pytest.mark.parametrize("name", FOLDER_LOGS)
def test_they_agree_on_the_evidence_folder(name):
    """Every log of the folder that the documentation works with."""
    check((EVIDENCE / name).read_bytes())


@pytest.mark.parametrize("dialect", SIGNUP_DIALECTS)
def test_the_plain_reader_reads_the_truth(dialect):
    """The reference itself is right: what the generator noted as printed, field by field, it finds."""
    run = complete(dialect, 1)
    own, _ = plain_reader.read(run.log_bytes)
    truth = run.truth["fields"]
    found = {field: value for field, value in own if field in truth}
    assert found
    assert {field: truth[field] for field in found} == found
