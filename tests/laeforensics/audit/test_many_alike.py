"""What files cost that are nearly alike: each is held against what is told, not against each of its fellows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from makings import LOG_FILE, NAME, SEED, USER_TOKEN, evidence, log, open_files, secrets

LETTERS = b"abcdefghijklmnopqrstuvwxyz234567"
FEW, MANY = 16, 64


def overwritten(text: bytes, number: int) -> bytes:
    """The text with a letter overwritten, and for higher numbers another one."""
    told = bytearray(text)
    for place in (number % len(told), number * 7 // len(told) % len(told)):
        told[place] = LETTERS[(told[place] + number) % len(LETTERS)]
    return bytes(told)


def copies(count: int) -> dict[str, bytes]:
    """Copies of one log, each with another letter of the user's token overwritten."""
    token = USER_TOKEN.partition("}")[2].encode()
    return {f"b{n}/{LOG_FILE}": log().replace(token, overwritten(token, n)) for n in range(count)}


def near_names(count: int) -> dict[str, bytes]:
    """Secrets files whose bucket's name is almost the known one."""
    seed = SEED.encode()
    seeds = [overwritten(seed, n) for n in range(count)]
    return {
        f"b{n}/secrets/{NAME.replace(SEED, each.decode())}": secrets().replace(seed, each)
        for n, each in enumerate(seeds)
    }


def steps(work: Callable[[], object]) -> int:
    """How many lines of the product are run, each time that a loop comes to one counted anew."""
    run = 0

    def in_frame(frame: FrameType, event: str, told: Any) -> Any:
        nonlocal run
        run += event == "line"
        return in_frame

    before = sys.gettrace()
    sys.settrace(lambda frame, event, told: in_frame if "/laeforensics/" in frame.f_code.co_filename else None)
    try:
        work()
    finally:
        sys.settrace(before)
    return run


@pytest.mark.parametrize("made", [copies, near_names])
def test_four_times_as_many_take_no_five_times_as_many_steps(made, tmp_path):
    """Reading, judging and telling of them."""
    took = []
    for count in (0, FEW, MANY):
        folder = tmp_path / str(count)
        folder.mkdir()
        files = {**evidence(), **made(count)}
        took.append(steps(lambda folder=folder, files=files: tables(folder, files)))
    alone, few, many = took
    assert many - alone < 5 * (few - alone)


def tables(folder, files: dict[str, bytes]) -> tuple[Any, ...]:
    """All that is said of the accounts."""
    case = open_files(folder, files)
    return case.audit, case.findings, case.doubts
