"""For as long as LAE_FUZZ_SECONDS says (default 60), or LAE_FUZZ_ROUNDS: broken evidence of all dialects.

The oracle is that of tests/hostile. Every round follows from its number alone; a failure names it, and
LAE_FUZZ_FIRST=number begins there.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest
from hostile_lab import Judged, Lab, Run, signup

from evidence_writer.dialects import SIGNUP_DIALECTS
from evidence_writer.signup import failures_of

SECONDS = float(os.environ.get("LAE_FUZZ_SECONDS", "60"))
FIRST = int(os.environ.get("LAE_FUZZ_FIRST", "0"))
ROUNDS = int(os.environ.get("LAE_FUZZ_ROUNDS", "1000000"))

pytestmark = pytest.mark.fuzz


def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
    """A stretch of a few or many bytes; every second one begins near a printed value."""
    at = rng.randrange(len(data) + 1)
    marks = [n for n in (data.find(m, at) for m in (b"= '", b"': ", b'": "', b"is '", b"pb://", b",")) if n >= 0]
    if marks and rng.random() < 0.5:
        at = min(len(data), min(marks) + rng.randrange(40))
    return at, min(len(data), at + rng.choice((1, 2, 4, 30, 200, 1500, 6000)))


def _removed(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + data[end:]


def _zeroed(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + b"\0" * (end - start) + data[end:]


def _cut(rng: random.Random, data: bytes) -> bytes:
    start, _ = _span(rng, data)
    return data[:start]


def _headless(rng: random.Random, data: bytes) -> bytes:
    start, _ = _span(rng, data)
    return data[start:]


def _doubled(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:end] + data[start:]


def _moved(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    rest = data[:start] + data[end:]
    at = rng.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


DAMAGE = (_removed, _removed, _zeroed, _cut, _headless, _doubled, _moved)


def _flipped(rng: random.Random, data: bytes) -> bytes:
    found = bytearray(data)
    for _ in range(rng.choice((1, 3, 50))):
        if found:
            found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def _two(rng: random.Random) -> tuple[Run, Run]:
    dialect = rng.choice(SIGNUP_DIALECTS)
    fail_at = rng.choice((None, None, None, *failures_of(dialect)))
    one = signup(dialect, rng.randrange(40), fail_at=fail_at) if fail_at else signup(dialect, rng.randrange(40))
    return one, signup(rng.choice(SIGNUP_DIALECTS), 40 + rng.randrange(40))


def _judged(lab: Lab) -> Judged:
    folder = Path(tempfile.mkdtemp())
    try:
        return lab.judge(folder / "evidence")
    finally:
        shutil.rmtree(folder)


def _run(round_: int, *, bits: bool) -> tuple[str, Judged]:
    """One round: two accounts, one file damaged once; `bits` flips bits too (then only survival is asked for)."""
    rng = random.Random(f"fuzz {round_} {bits}")
    one, two = _two(rng)
    lab = Lab.of(one, two, csv=rng.random() < 0.8, secrets=rng.random() < 0.8)
    name = rng.choice([one.log_file, one.log_file, *sorted(lab.files)])
    damage = rng.choice(DAMAGE)
    data = damage(rng, lab.files[name])
    lab.files[name] = _flipped(rng, data) if bits else data
    return f"{damage.__name__.strip('_')} {name.partition('/')[0]} {one.truth['dialect']}", _judged(lab)


def test_broken_evidence_of_all_dialects_gives_no_wrong_value():
    """Bytes gone, zeroed, doubled, moved, cut, in any file of two accounts: never a wrong value, never an exception."""
    end, number, wrong, recall = time.monotonic() + SECONDS / 2, FIRST, Counter(), []
    examples = {}
    while time.monotonic() < end and number < FIRST + ROUNDS:
        label, judged = _run(number, bits=False)
        recall.append(judged.recall)
        for complaint in judged.wrong:
            key = f"{label.rsplit(' ', 1)[0]}: {complaint.split(' = ')[0].rsplit(' ', 1)[-1]}"
            wrong[key] += 1
            examples.setdefault(key, f"round {number}, {label}: {complaint}")
        number += 1
    print(f"\n{number - FIRST} rounds, mean recall {sum(recall) / len(recall):.3f}, {sum(wrong.values())} wrong values")
    assert examples == {}, wrong
    assert sum(recall) / len(recall) > 0.85


def test_flipped_bits_are_survived():
    """Any bits of any file: signups and audit come out, whatever they say (a flipped letter of a key is a letter)."""
    end, number = time.monotonic() + SECONDS / 2, FIRST
    while time.monotonic() < end and number < FIRST + ROUNDS:
        _run(number, bits=True)
        number += 1
    print(f"\n{number - FIRST} rounds")
