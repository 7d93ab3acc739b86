"""What holds of every log: it is read, every byte is accounted for, and damage takes values away but changes none."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_lab import FIELDS, OF_THE_LOG, Judged, Lab, Signup, relayed, spread
from hypothesis import given, note
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from mutations import holes, mutated, places, signups

from laeforensics.parsing.parser import source
from laeforensics.parsing.signuplogs import read_log

# Fields of which several own prints, a checksum or a strict shape watch over every byte lost.
NOISE = st.lists(
    st.sampled_from(
        [
            b"Reading package lists...",
            b"\x1b[1mbold\x1b[0m",
            b"50% [====>    ]\r100%",
            b"secret_key = 'Forged1by2whom3nobody4knows5inventedKey6'",
            b">The server's public address is '203.0.113.66'.>",
            b"introducer.furl = pb://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@203.0.113.66:12345/forged",
            b"page\x0cbucketname = 'lae-f0f0f0f0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
            b"\xe2\x80\xa8usertoken = '{UserToken}AAAA'",
            b"\x00\xff\xfe",
            b"",
        ]
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module", autouse=True)
def folders() -> Iterator[None]:
    """A place for each example's folder."""
    with tempfile.TemporaryDirectory() as top:
        _TOP.append(Path(top))
        yield
    _TOP.clear()


_TOP: list[Path] = []


def _place() -> Path:
    return Path(tempfile.mkdtemp(dir=_TOP[-1])) / "evidence"


def check_tiles(data: bytes) -> None:
    """What was claimed of `data`: in order, disjoint, no byte left out (`SignupLog.claim` refuses a gap).

    Every fact stands where it says.
    """
    log = read_log(data, "signup_logs/2012-04-01T000000Z-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").log
    assert log.size == sum(log.sizes.values()) == len(data)
    assert all(size >= 0 for size in log.sizes.values())
    assert sum(r.end - r.start for r in log.residue) == log.sizes["residue"]
    assert all(one.end <= other.start for one, other in itertools.pairwise(log.residue))
    assert all(0 <= fact.locator.start <= fact.locator.end <= log.size for fact in log.facts)


def _row(judged: Judged, label: str) -> dict[str, object]:
    return next(row for name, row in judged.rows.items() if name.startswith(f"{label}/"))


def check_subset(run: Signup, damaged: bytes, *, equal: bool = False) -> None:
    """The values of the damaged log are those of the whole one, or None; `equal`: none is lost either."""
    judged = spread(_place(), run, {"whole": run.log_bytes, "hurt": damaged})
    whole, hurt = _row(judged, "whole"), _row(judged, "hurt")
    note(f"{run.truth['dialect']} {run.log_name}")
    assert [n for n in FIELDS if hurt[n] is not None and hurt[n] != (whole[n] or run.truth["fields"][n])] == []
    assert not equal or [n for n in FIELDS if hurt[n] != whole[n]] == []


@given(drawn=signups())
def test_what_was_written_is_read(drawn):
    """Write, read: every value of the truth, no other, for every dialect and every way to fail."""
    run = drawn.run
    judged = Lab.of(run).judge(_place())
    assert [w for w in judged.wrong if not any(f": {name} = " in w for name in run.truth["unsure"])] == []
    lost = [n for n in judged.lost if n not in run.truth["unsure"]]
    assert lost == []


@given(drawn=signups())
def test_every_byte_of_a_log_is_accounted_for(drawn):
    """Facts, noise and residue tile a written log exactly."""
    run = drawn.run
    check_tiles(run.log_bytes)


@given(data=st.data(), drawn=signups())
def test_every_byte_of_a_broken_log_is_accounted_for(data, drawn):
    """Holes, flipped bits, moved chunks: still read, still tiled."""
    run = drawn.run
    check_tiles(data.draw(mutated(run.log_bytes)))


PIECES = st.sampled_from(
    [
        b">", b"\n", b"\r", b"'", b"-", b"[", b"]", b" ", b"\0", b"\\", b'"', b"u'", b"=", b">\n", b"\n\n", b"\xff",
        b"pb://",
        b"[customer@192.0.2.1] out: ", b"[customer@192.0.2.1] run: cat /home/customer/introducer/private/node.pem\n",
        b"[ubuntu@192.0.2.1] sudo: ", b"[customer@h] out:", b"-[u@h] out: -x-", b">Deploying EC2 instance...>\n",
        b"access_key_id = 'AKIA0000000000000000'\n", b"secret_key = ", b"usertoken = None\n", b"bucketname = 'lae-",
        b"[Failure instance: Traceback: x\n", b"]\n", b">Traceback (most recent call last):\n", b">Error: x\n",
        b"  a = b\n",
        b">\nThe settings for your gateway's tahoe.cfg are:\n\n[client]\nintroducer.furl = ", b"\nshares.needed = 1\n",
        b">The server's public address is '", b"'.>\n", b">S3 bucket created.>\n''\n", b"-----BEGIN CERTIFICATE-----\n",
        b">Automation script started.>\n", b">Reading secrets...>\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n",
    ]
)  # fmt: skip


@given(data=st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=60).map(b"".join)))
def test_any_bytes_can_be_read(data):
    """Arbitrary bytes, and shreds of the programs' own lines in any order: read, tiled, never an exception."""
    check_tiles(data)


@given(text=from_lark(source("signup_log"), alphabet=st.characters(codec="latin-1")))
def test_what_the_grammar_can_write_it_can_read(text):
    """Inputs made from the grammar itself: tiled like any other."""
    check_tiles(text.encode("latin-1"))


@given(data=st.data(), drawn=signups())
def test_cutting_a_log_takes_values_away_and_changes_none(data, drawn):
    """The log up to byte k has the values of the whole log, or none."""
    run = drawn.run
    check_subset(run, run.log_bytes[: data.draw(places(len(run.log_bytes)))])


@given(data=st.data(), drawn=signups())
def test_losing_the_head_takes_values_away_and_changes_none(data, drawn):
    """The log from byte k on has the values of the whole log, or none."""
    run = drawn.run
    check_subset(run, run.log_bytes[data.draw(places(len(run.log_bytes))) :])


@given(data=st.data(), drawn=signups())
def test_zeros_in_a_log_take_values_away_and_change_none(data, drawn):
    """A stretch of the log is zeros: its values are gone, the others are what they were."""
    run = drawn.run
    start = data.draw(places(len(run.log_bytes)))
    length = data.draw(st.integers(1, 3000))
    gone = run.log_bytes[start : start + length]
    check_subset(run, run.log_bytes[:start] + b"\0" * len(gone) + run.log_bytes[start + length :])


@given(data=st.data(), drawn=signups(dialects=("d01", "d04", "d06", "d09", "d12", "d13")))
def test_relayed_noise_between_the_lines_changes_nothing(data, drawn):
    """Lines from a host between two commands, whatever they say: the same values, none more, none less."""
    run = drawn.run
    lines = run.log_bytes.split(b"\n")
    commands = [i for i, line in enumerate(lines) if line.startswith(b"[ubuntu@") and b"] sudo: " in line]
    if not commands:
        return
    at = data.draw(st.sampled_from(commands)) + 1
    noise = relayed(run.server.public_host, *data.draw(NOISE), user="ubuntu")
    check_subset(run, b"\n".join([*lines[:at], *noise, *lines[at:]]), equal=True)


@given(drawn=signups(), bom=st.booleans())
def test_windows_line_ends_change_nothing(drawn, bom):
    """CRLF, with and without BOM: the same values."""
    run = drawn.run
    data = run.log_bytes.replace(b"\n", b"\r\n")
    check_subset(run, b"\xef\xbb\xbf" + data if bom else data, equal=True)


@given(data=st.data(), drawn=signups(failed=False, dialects=("d03", "d06", "d09", "d12")))
def test_a_hole_in_a_log_with_its_witnesses_beside_it_gives_no_wrong_value(data, drawn):
    """Bytes gone, zeroed or overwritten anywhere, secrets file, csv files and config whole: lost or true."""
    run = drawn.run
    lab = Lab.of(run)
    lab.files[run.log_file] = data.draw(holes(run.log_bytes))
    judged = lab.judge(_place())
    assert judged.wrong == []
    assert judged.recall > 0.4


@given(data=st.data(), drawn=signups())
def test_a_broken_folder_is_audited_whatever_is_broken(data, drawn):
    """One file of the folder mutated at will: signups, audit, findings come out, with the right columns."""
    run = drawn.run
    lab = Lab.of(run)
    name = data.draw(st.sampled_from(sorted(lab.files)))
    lab.files[name] = data.draw(mutated(lab.files[name]))
    judged = lab.judge(_place(), look=True)
    assert set(judged.rows) <= {run.log_file}
    assert set(OF_THE_LOG) <= set(judged.case.signups.columns)
