"""How the shares of a bucket are told apart, and what they are made of."""

from __future__ import annotations

import hashlib

import pytest

from laerecover.hosts.programs.bucket_shares import (
    PIECE,
    Listed,
    Share,
    Unfit,
    digest_of,
    joined,
    shares_in,
)
from old_buckets import CASES, SMALL, OldBucket, immutable, index, mended, mutable, place, share
from old_shares import objects, pieces


def listing(objects):
    """As a store gives it: in the order of the names' bytes."""
    return [Listed(name, len(objects[name]), "tag") for name in sorted(objects)]


def shares(objects):
    return [each for each in shares_in(listing(objects)) if isinstance(each, Share)]


def made_of(bucket: OldBucket, each: Share) -> bytes:
    """The joined share, read by ranges as from a store."""
    plan = joined(each, lambda entry, start, count: bucket.objects[entry.name][start : start + count])
    whole = b"".join(bucket.objects[piece.name] for piece in plan.pieces)[: plan.size - len(plan.end)] + plan.end
    return whole[:92] + plan.mend + whole[100:] if plan.mend else whole


@pytest.mark.parametrize("case", CASES)
def test_each_case_is_joined_as_it_must_be_or_left_out(case):
    """Byte for byte; and whatever is left out, for the reason that holds."""
    bucket = CASES[case]()
    found, left_out = {}, {}
    for each in shares(bucket.objects):
        try:
            found[f"recovered/{each.name}"] = made_of(bucket, each)
        except Unfit as reason:
            left_out[each.called] = str(reason)
    assert found == bucket.joined
    assert left_out.keys() == bucket.left_out.keys()
    assert all(why in left_out[name] for name, why in bucket.left_out.items()), left_out


def test_each_share_is_of_a_kind_by_sizes_alone():
    """One that is incomplete by its listing is not read; one that could be cut is."""
    assert {case: {each.kind for each in shares(made().objects)} for case, made in CASES.items()} == {
        **{key: {"cut"} for key in CASES},
        "whole": {"whole"},
        "both kinds": {"whole", "cut"},
        "a gap of full pieces": {"incomplete"},
        "the first piece missing": {"incomplete"},
        "nothing in the first": {"incomplete"},
    }


def test_what_only_looks_like_a_share_is_none():
    """Numbers are numbers, base32 is Tahoe-LAFS's, the first two characters are the index's."""
    ours, two = index("x"), index("x")[:2]
    other = "bb" if two != "bb" else "cc"
    names = [
        f"shares/{two}/{ours}/0.0",
        f"shares/{two}/{ours}/00",
        f"shares/{two}/{ours}/1.01",
        f"shares/{two}/{ours}/0.1.2",
        f"shares/{two}/{ours}/0.x",
        f"shares/{two}/{ours}/-1",
        f"shares/{two}/{ours}/\u0661",
        f"shares/{two}/{ours}/0.1\n",
        f"shares/{two}/{ours}/",
        f"shares/{two}/{ours}",
        f"shares/{two}/{ours.upper()}/0",
        f"shares/{two}/{ours[:-1]}/0",
        f"shares/{two}/{ours[:-1]}b/0",
        f"shares/{other}/{ours}/0",
        f"shares//{ours}/0",
        f"shares/incoming/{two}/{ours}/0",
        f"customer/shares/{two}/{ours}/0",
        f"recovered/shares/{two}/{ours}/0",
        f"/shares/{two}/{ours}/0",
    ]
    assert [each for each in shares_in(listing(dict.fromkeys(names, b"x"))) if isinstance(each, Share)] == []
    assert len(list(shares_in(listing(dict.fromkeys(names, b"x"))))) == len(names)


def test_pieces_of_one_share_come_together_though_others_stand_between():
    """Of a store they come as 0, 0.1, 0.10, 0.2, 1, 1.1, 10: by the bytes of their names."""
    names = [f"{place('x')}{end}" for end in ("", *(f".{n}" for n in range(1, 13)))] + [
        place("x", 1),
        place("x", 10) + ".1",
    ]
    found = shares({**dict.fromkeys(names, b"x"), f"{place('x').removesuffix('0')}00": b"", "aaa": b"", "zzz": b""})
    assert [(each.name, sorted(each.pieces)) for each in found] == [
        (place("x"), list(range(13))),
        (place("x", 1), [0]),
        (place("x", 10), [1]),
    ]


@pytest.mark.parametrize(
    "stranger",
    ["0.01", "0.-1", "0.0", "0-1", "0 (copy)", "0!", "0.1.bak", "0.1~", "0.10.tmp", "0.10000000", "0/", "0/x"],
)
def test_a_stranger_between_the_pieces_parts_no_share(stranger):
    """By its name it would stand in their midst; it is none of ours, and the share is what it was."""
    whole = immutable(12 * PIECE + 77)
    content = {**objects(place("x"), pieces(whole)), place("x")[:-1] + stranger: b"stranger"}
    (found,) = shares(content)
    assert sorted(found.pieces) == list(range(13))
    assert made_of(OldBucket(objects=content), found) == whole
    assert [each.name for each in shares_in(listing(content)) if isinstance(each, Listed)] == [
        place("x")[:-1] + stranger
    ]


def test_a_header_that_lies_is_no_reason_to_count_for_ever():
    """A length of 2**64 in a mutable share, an end of 2**32 in an immutable one."""
    lying = share("mdmf")[:84] + b"\xff" * 8 + share("mdmf")[92:]
    lies = {
        place("a"): lying,
        place("a") + ".1": b"x",
        place("b"): immutable(900)[:44] + b"\xff" * 4 + immutable(900)[48:],
    }
    lies[place("b") + ".1"] = b"x"
    bucket = OldBucket(objects=lies)
    for each in shares(lies):
        with pytest.raises(Unfit):
            made_of(bucket, each)


@pytest.mark.parametrize("more", [1, 4, 72, 92, 600_000 - PIECE + 90, 700_472 - PIECE])
def test_a_mutable_share_whose_first_piece_grew_is_left_out(more):
    """As today's nodes grow it, with leases or data that lie where N.1 does: all behind would be shifted by as much."""
    content = objects(place("grown"), pieces(mutable(700_000)))
    content[place("grown")] += b"\1" * more
    (grown,) = shares(content)
    with pytest.raises(Unfit, match="its first piece has another length than it had"):
        made_of(OldBucket(objects=content), grown)


@pytest.mark.parametrize("size", [PIECE, SMALL])
def test_a_mutable_share_that_ends_too_early_is_left_out(size):
    """Its last piece is there, and a few bytes of it are not."""
    whole = pieces(mutable(PIECE + 3_000), size=size)
    content = objects(place("m"), [*whole[:-1], whole[-1][:-5]])
    (short,) = shares(content)
    with pytest.raises(Unfit, match="it ends before its data do"):
        made_of(OldBucket(objects=content), short)


@pytest.mark.parametrize("kind", [immutable, mutable])
def test_a_last_piece_longer_than_the_first_fits_no_share(kind):
    """No server wrote that; what it is made of nobody knows."""
    whole = pieces(kind(2 * PIECE + 3_000))
    content = objects(place("x"), [*whole[:-1], whole[-1] + bytes(PIECE)])
    (long,) = shares(content)
    with pytest.raises(Unfit, match="its pieces do not fit together"):
        made_of(OldBucket(objects=content), long)


def test_what_lies_behind_the_end_of_a_mutable_share_is_forgotten():
    """In its last piece, in more of them, or in the one that is left of it after it became shorter."""
    whole = mutable(PIECE + 3_000)
    behind = objects(place("m"), [*pieces(whole)[:-1], pieces(whole)[-1] + b"lease" * 9, b"stale"])
    one = objects(place("o"), [mutable(3_000) + b"forgotten", b"stale"])
    for content, made in ((behind, whole), (one, mutable(3_000))):
        (each,) = shares(content)
        assert made_of(OldBucket(objects=content), each) == mended(made)


def test_what_a_later_node_wrote_whole_is_taken_as_it_is():
    """Its containers are of version 2, with leases; of what nobody knows one object is one share."""
    later = (2).to_bytes(4, "big") + bytes(4) + (1).to_bytes(4, "big") + immutable(PIECE)[12:] + bytes(72)
    bucket = OldBucket(objects={place("a"): later, place("b"): b"?" * PIECE})
    assert [made_of(bucket, each) for each in shares(bucket.objects)] == [
        bucket.objects[name] for name in sorted(bucket.objects)
    ]


def test_the_digest_is_a_line_for_each_object():
    """As docs tell it, so that anybody can compute it again."""
    lines = '["a/b",3,"\\"tag\\""]\n["ü",0,"x"]\n'
    assert (
        digest_of([Listed("a/b", 3, '"tag"', "2014"), Listed("ü", 0, "x")])
        == hashlib.sha256(lines.encode()).hexdigest()
    )
