"""What one complete listing tells of a bucket."""

from __future__ import annotations

from dataclasses import replace

import pytest

from laerecover.hosts.bucket_layout import BucketLayout, layout_of
from laerecover.hosts.programs.bucket_shares import COMPLETE, JOINING, PIECE, Listed, digest_of
from old_buckets import CASES, index, place, share

EARLY, LATER, LATEST = "2014-04-01T00:00:00+00:00", "2026-11-02T10:00:00+00:00", "2026-11-03T10:00:00+00:00"


def look(objects, **times) -> BucketLayout:
    """`objects`: name -> bytes of it, or its size; `times`: prefix -> when it was written."""

    def time(name):
        return next((when for prefix, when in times.items() if name.startswith(prefix)), EARLY)

    sizes = {name: body if isinstance(body, int) else len(body) for name, body in objects.items()}
    return layout_of((name, sizes[name], "tag", time(name)) for name in sorted(sizes))


def test_a_bucket_of_all_kinds_is_counted():
    """Shares by kind, objects and bytes of all that joining did not put there; the digest is over those, too."""
    objects = {**CASES["both kinds"]().objects, **CASES["a gap of full pieces"]().objects, "notes.txt": b"mine"}
    put = {JOINING: b"0", f"recovered/{place('file')}": share("file")}
    found = look({**objects, **put}, recovered=LATEST)
    assert (found.whole, found.cut, found.incomplete, found.others) == (1, 2, 1, 1)
    assert (found.objects, found.bytes) == (len(objects), sum(map(len, objects.values())))
    assert found.digest == digest_of(Listed(name, len(objects[name]), "tag") for name in sorted(objects))
    assert (found.newest, found.strange, found.complete) == (EARLY, "", False)
    assert found.to_be_joined
    assert not found.serves_nothing


@pytest.mark.parametrize(
    ("case", "to_be_joined", "serves_nothing"),
    [("whole", False, False), ("both kinds", True, False), ("the first piece missing", True, True)],
)
def test_only_a_bucket_with_pieces_is_joined(case, to_be_joined, serves_nothing):
    """And none without a share that could be whole is recovered."""
    found = look(CASES[case]().objects)
    assert (found.to_be_joined, found.serves_nothing) == (to_be_joined, serves_nothing)
    joined = look({**CASES[case]().objects, COMPLETE: b"{}"})
    assert (joined.to_be_joined, joined.serves_nothing) == (False, False)


def test_an_empty_bucket_needs_nothing():
    """A customer who never stored anything."""
    assert look({}) == replace(look({}), objects=0, bytes=0, newest="", whole=0, cut=0, incomplete=0, others=0)
    assert not look({}).to_be_joined


@pytest.mark.parametrize(
    ("name", "strange"),
    [
        (f"recovered/{place('new')}", False),
        ("recovered/", False),
        (JOINING, False),
        (f"recovered/{place('new')}.1", True),
        ("recovered/bucket_counter.state", True),
        (f"recovered/shares/incoming/{index('x')}/0", True),
    ],
)
def test_what_joining_did_not_put_below_recovered_is_strange(name, strange):
    """Unless it has ended: then a node may write there."""
    assert look({**CASES["MDMF"]().objects, name: b"x"}).strange == (name if strange else "")
    assert look({**CASES["MDMF"]().objects, name: b"x", COMPLETE: b"{}"}).strange == ""


def test_the_newest_object_is_the_newest_that_joining_did_not_write():
    """While it is at work, what lies below `recovered/` is its own; then what is newer than the mark is not."""
    objects = {**CASES["MDMF"]().objects, f"recovered/{place('mdmf')}": b"x", f"recovered/{place('z')}": b"x"}
    assert look(objects, recovered=LATEST).newest == EARLY
    marked = {**objects, COMPLETE: b"{}"}
    assert look(marked, recovered=LATER).newest == EARLY
    times = {f"recovered/{place('z')}": LATEST, "recovered": LATER}
    assert look(marked, **times).newest == LATEST


def test_the_expected_time_grows_with_bytes_and_shares():
    """One of ten gigabytes, or forty thousand of ten bytes."""
    large = {place("a") + (f".{n}" if n else ""): PIECE for n in range(20_000)}
    many = {place(f"{n}"): 10 for n in range(1_000)}
    assert 100 < look(large).seconds < 1_000
    assert look({**large, **many}).seconds > look(large).seconds
