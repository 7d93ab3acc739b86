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
        (f"recovered/{place('mdmf')}", False),
        ("recovered/", False),
        ("recovered/shares/", False),
        (f"recovered/{place('new')}", True),
        (f"recovered/{place('mdmf')}.1", True),
        ("recovered/bucket_counter.state", True),
        ("recovered/A", True),
        (f"recovered/shares/incoming/{index('x')}/0", True),
    ],
)
def test_what_joining_did_not_put_below_recovered_is_strange(name, strange):
    """Unless it has ended: then a node may write there. A folder's mark holds nothing, and is nobody's."""
    body = b"" if name.endswith("/") else b"x"
    begun = {**CASES["MDMF"]().objects, name: body, JOINING: b"0"}
    assert look(begun).strange == (name if strange else "")
    assert look({**begun, COMPLETE: b"{}"}).strange == ""


@pytest.mark.parametrize("case", ["MDMF", "whole"])
def test_shares_that_nobody_is_joining_are_a_nodes(case):
    """Where COMPLETE is gone they may be the only copy of what a customer changed, whatever the old objects are."""
    name = f"recovered/{place('mdmf')}"
    objects = CASES[case]().objects
    assert look({**objects, name: b"x"}).strange == name
    assert look({name: b"x"}).strange == name
    assert look({name: b"x", JOINING: b"0"}).strange == name
    assert look({**objects, name: b"x", JOINING: b"0"}).strange == ""


def test_a_customers_own_folder_of_that_name_harms_no_bucket_of_whole_shares():
    """Nothing is joined there."""
    found = look({**CASES["whole"]().objects, "recovered/notes.txt": b"mine"})
    assert (found.strange, found.to_be_joined, found.complete) == ("", False, False)


def test_an_empty_object_does_not_have_a_whole_bucket_joined():
    """It is no piece. Beside pieces it is one of those that are left out."""
    found = look({**CASES["whole"]().objects, place("nothing"): b""})
    assert (found.whole, found.empty, found.to_be_joined, found.serves_nothing) == (3, 1, False, False)
    assert look({place("nothing"): b""}).serves_nothing


def test_what_was_begun_is_finished():
    """An older version may have begun it where there are no pieces; so a bucket is never half joined."""
    found = look({**CASES["whole"]().objects, JOINING: b"0"})
    assert (found.begun, found.to_be_joined) == (True, True)


def test_the_newest_object_is_the_newest_that_joining_did_not_write():
    """While it is at work, what lies below `recovered/` is its own; then what is newer than the mark is not.

    Whatever its name is.
    """
    objects = {**CASES["MDMF"]().objects, f"recovered/{place('mdmf')}": b"x", f"recovered/{place('z')}": b"x"}
    assert look(objects, recovered=LATEST).newest == EARLY
    marked = {**objects, COMPLETE: b"{}", "recovered/A": b"x"}
    assert look(marked, recovered=LATER).newest == EARLY
    for name in (f"recovered/{place('z')}", "recovered/A"):
        assert look(marked, **{name: LATEST, "recovered": LATER}).newest == LATEST


def test_what_was_joined_is_counted_beside_what_was_not():
    """By which it is known whether the mark fits."""
    objects = {**CASES["both kinds"]().objects, f"recovered/{place('file')}": b"four", f"recovered/{place('z')}": b"x"}
    found = look({**objects, "recovered/bucket_counter.state": b"x", COMPLETE: b"{}"})
    assert (found.there, found.there_bytes, found.missing) == (2, 5, 2)


def test_what_lies_in_cold_storage_is_counted():
    """No listing tells whether its owner has brought it back."""
    rows = [(place(name), 9, "tag", EARLY, cold) for name, cold in (("a", "GLACIER"), ("b", "STANDARD"), ("c", ""))]
    assert layout_of(sorted(rows)).cold == 1


def test_the_expected_time_grows_with_bytes_and_shares():
    """One of ten gigabytes, or forty thousand of ten bytes."""
    large = {place("a") + (f".{n}" if n else ""): PIECE for n in range(20_000)}
    many = {place(f"{n}"): 10 for n in range(1_000)}
    assert 100 < look(large).seconds < 1_000
    assert look({**large, **many}).seconds > look(large).seconds
