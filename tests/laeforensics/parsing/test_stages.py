"""How far a signup came: the order of stages and of items."""

from __future__ import annotations

import itertools

import pytest
from makings import (
    PARTS,
    codes,
    evidence,
    log,
    open_files,
)

from laeforensics.parsing.stages import STAGE_OF_ITEM, STAGES, furthest, is_order_broken, stage_of_announcement

ORDER = ["started", "activating", "credentials", "bucket", "deployment", "instance", "address", "settings"]


def test_the_furthest_stage_is_that_of_the_order_not_of_the_lines():
    """The furthest stage told counts, wherever in the log it was told; without any there is none."""
    assert furthest([("bucket_created", 9), ("started", 12), ("activated", 3)]) == "bucket_created"
    assert furthest([]) is None


def test_each_stage_is_further_than_the_one_before():
    """Of any two stages, the later in the list is the furthest, in whichever order they are given."""
    for earlier, later in itertools.combinations(STAGES, 2):
        assert furthest([(later, 1), (earlier, 2)]) == later


def test_every_item_and_announcement_tells_a_known_stage():
    """What tells a stage tells one of the list."""
    assert set(STAGE_OF_ITEM.values()) <= set(STAGES)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("Subscription verified.", "subscription_verified"),
        ("S3 bucket created.", "bucket_created"),
        ("Finished server installation.", "installed"),
        ("The introducer and storage server are running.", "servers_running"),
        ("Confirmation e-mail sent.", "mail_sent"),
        ("Notification sent.", "mail_sent"),
        ("Writing secrets file...", "recorded"),
        ("S3 bucket creation failed.", None),
        ("Setting up monitoring...", None),
        ("subscription verified.", None),
    ],
)
def test_an_announcement_tells_its_stage_or_none(text, stage):
    """The programs' own words tell the stage, letter by letter."""
    assert stage_of_announcement(text) == stage


def test_items_in_their_order_break_nothing():
    """The items of one signup, in order, with or without some of them, are one signup."""
    for size in (2, 4, len(ORDER)):
        for items in itertools.combinations(ORDER, size):
            assert not any(is_order_broken(item, set(items[:n])) for n, item in enumerate(items))


@pytest.mark.parametrize("item", ORDER)
def test_an_item_that_came_already_breaks_the_order(item):
    """No signup announces the same twice: the second is another signup's."""
    assert is_order_broken(item, {item})


@pytest.mark.parametrize(
    ("item", "seen"), [("credentials", "bucket"), ("address", "settings"), ("started", "instance")]
)
def test_an_item_after_a_later_one_breaks_the_order(item, seen):
    """What comes before cannot follow."""
    assert is_order_broken(item, {seen})


@pytest.mark.parametrize(
    "data", [PARTS["mail"] + PARTS["started"], log("started", "activation", "credentials")[:300] + log()]
)
def test_impossible_orders_are_flagged(data, tmp_path):
    """Announcements that no program makes in that order are a finding."""
    data = data.encode() if isinstance(data, str) else data
    case = open_files(tmp_path, evidence(log=data, secrets=None, results=None, servers=None))
    assert {"impossible-order", "several-signups"} & codes(case)


def test_a_server_that_runs_before_its_introducer_is_impossible(tmp_path):
    """Confirmation before introducer: lines are missing, or not of this signup."""
    case = open_files(tmp_path, evidence(log=log("instance", "address", "installing", "installed", "running")))
    assert "impossible-order" in codes(case)
