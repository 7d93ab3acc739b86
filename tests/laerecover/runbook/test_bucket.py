"""Before its nodes start the account's bucket is asked: what lies there decides what the host does, in a twin world.

Joining itself, by real hosts: tests/e2e/test_joining.py.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from laerecover.afterwards.notify import render
from laerecover.hosts.programs import joining
from laerecover.hosts.programs.bucket_shares import COMPLETE
from laerecover.hosts.recipes.tahoe import RCLONE_CONF
from laerecover.ports.hosts import CommandResult
from laerecover.ports.refusals import Refusal, Transient
from laerecover.rehearsal.twin.hosts import TwinHost
from old_buckets import CASES, index

WRITTEN = "2014-05-20T00:00:00+00:00"
TOLD = {"at": WRITTEN, "of": "d" * 64, "joined": 2, "copied": 1, "bytes": 9_000, "left_out": {f"{index('z')}/0": "gap"}}


class Store:
    """A bucket; `recovered/COMPLETE` stands once the bench's host has joined, unless `told` is None."""

    def __init__(self, bench, objects, told=TOLD) -> None:
        self.bench, self.objects, self.told, self.trouble = bench, dict(objects), told, []

    def listing(self, account):
        if self.trouble:
            raise self.trouble.pop()
        names = {**self.objects, **({COMPLETE: b"{}"} if self.read(account, COMPLETE) else {})}
        return iter([(name, len(names[name]), "tag", WRITTEN) for name in sorted(names)])

    def read(self, account, name):
        done = COMPLETE in self.objects or "/var/lib/lae-recovery/join-shares" in files(self.bench)
        return json.dumps(self.told).encode() if done and self.told else None


def files(bench):
    return {row["path"] for row in bench.rows("files")}


def effects(bench, *words):
    """What happened on the host, in order, as far as it is one of these."""
    told = [row["effect"] for row in bench.rows("effects")]
    return [each for each in told if each.endswith(words)]


@pytest.fixture
def bench(make_bench):
    def make(objects, *, told=TOLD, recipe="tahoe"):
        made = make_bench()
        store = Store(made, objects, told)
        settings = replace(made.work.settings, recipe=recipe)
        made.work = replace(made.work, world=replace(made.work.world, store=store), settings=settings)
        return made

    return make


def remote(bench) -> str:
    return bench.host_file(RCLONE_CONF).rstrip().rpartition("remote = ")[2].partition(":")[2]


def test_shares_in_pieces_are_joined_after_the_keys_came_and_before_the_bucket_is_mounted(bench):
    """The mount is of what was joined. The ledger keeps both, and the vault, for the mail."""
    made = bench(CASES["both kinds"]().objects)
    assert made.recover()["outcome"] == "recovered"
    order = effects(made, "rclone.conf", "/join-shares", "start bucket", "start storageserver")
    assert [each.rpartition("/")[2] for each in order] == [
        "rclone.conf",
        "join-shares",
        "start bucket",
        "start storageserver",
    ]
    assert remote(made) == f"{made.work.account.bucket_name}/recovered"
    told = made.values("bounce_server")
    assert (told["bucket"]["whole"], told["bucket"]["cut"], told["bucket"]["complete"]) == (1, 2, False)
    assert told["joined"] == {**TOLD, "left_out": 1, "left_out_shares": TOLD["left_out"]}
    assert json.loads(made.vault.load(made.work.account.account_id)["found"].reveal())["bucket"] == told["bucket"]


def test_a_bucket_of_whole_shares_is_mounted_as_it_is(bench):
    """Nothing is installed for joining; nothing below recovered/ is used."""
    made = bench(CASES["whole"]().objects)
    made.recover()
    assert effects(made, "/joining", "/join-shares") == []
    assert remote(made) == made.work.account.bucket_name
    assert made.values("bounce_server")["bucket"]["whole"] == 3
    assert "joined" not in made.values("bounce_server")


def test_where_the_mark_stands_nothing_is_joined_again(bench):
    """Whatever the ledger and the manifest know: what was joined may have been changed since."""
    made = bench({**CASES["both kinds"]().objects, COMPLETE: b"{}"})
    made.recover()
    assert effects(made, "/joining", "/join-shares") == []
    assert remote(made) == f"{made.work.account.bucket_name}/recovered"
    assert made.values("bounce_server")["joined"]["joined"] == 2


@pytest.mark.parametrize("told", [None, {}, {**TOLD, "left_out": 3}, [1]], ids=["none", "empty", "other", "list"])
def test_without_the_mark_no_node_starts(bench, told):
    """Though the host says that it is done: nor with a mark that joining did not write."""
    made = bench(CASES["both kinds"]().objects, told=told)
    assert [failure["kind"] for failure in made.recover()["failures"]] == ["not_joined"]
    assert effects(made, "start bucket", "start storageserver") == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (joining.STALLED, "joining_stalled"),
        (joining.CHANGED, "bucket_changed"),
        (joining.REFUSED, "store_refuses"),
        (joining.SERVED, "bucket_served"),
        (1, "command_failed"),
    ],
)
def test_what_ends_joining_is_the_accounts_failure_and_no_node_starts(bench, monkeypatch, status, kind):
    """Each with a word of its own, and with the last that the host said."""
    made, one = bench(CASES["both kinds"]().objects), TwinHost._one

    def ended(host, command):
        if command.name == "join-shares":
            return CommandResult(name=command.name, status=status, tail="what the store said")
        return one(host, command)

    with monkeypatch.context() as patch:
        patch.setattr(TwinHost, "_one", ended)
        (failure,) = made.recover()["failures"]
    assert failure["kind"] == kind
    assert "what the store said" in failure["message"]
    assert effects(made, "start bucket", "start storageserver") == []


@pytest.mark.parametrize(
    ("objects", "recipe", "kind"),
    [
        (CASES["the first piece missing"]().objects, "tahoe", "data_unreachable"),
        (CASES["both kinds"]().objects, "legacy-2012-s3", "data_unreachable"),
        ({**CASES["MDMF"]().objects, "recovered/lease_checker.state": b"x"}, "tahoe", "bucket_served"),
    ],
)
def test_what_cannot_be_served_whole_is_not_served(bench, objects, recipe, kind):
    """Whatever the check before the launch had found."""
    made = bench(objects, recipe=recipe)
    assert [failure["kind"] for failure in made.recover()["failures"]] == [kind]
    assert effects(made, "start bucket", "start storageserver") == []


def test_a_listing_that_breaks_off_is_begun_anew(bench):
    """No half of it counts; a refusal is the account's failure."""
    made = bench(CASES["both kinds"]().objects)
    made.work.world.store.trouble = [Transient("connection lost"), Transient("connection lost")]
    assert made.recover()["outcome"] == "recovered"
    refused = bench({})
    refused.work.world.store.trouble = [Refusal("the cloud says AccessDenied", kind="data_unreachable")]
    assert [failure["kind"] for failure in refused.recover()["failures"]] == ["data_unreachable"]


def test_a_bucket_that_is_served_by_now_goes_on_as_it_began(bench):
    """An older version mounted a bucket with a share of exactly a piece: what its node wrote since must not vanish."""
    made = bench(CASES["whole"]().objects)
    made.recover()
    again = bench(CASES["the first of several alone"]().objects)
    assert again.recover()["outcome"] == "recovered"
    assert effects(again, "/join-shares") == []
    assert again.values("bounce_server")["bucket"]["whole"] == 3, "as it was found"


def test_the_mail_tells_what_was_joined_and_what_removes_the_old_objects(bench):
    """And each share that could not be, by its storage index."""
    made = bench(CASES["both kinds"]().objects)
    made.recover()
    kept, (mail,) = made.vault.load(made.work.account.account_id), made.outbox.all()
    letter = render(
        mail,
        made.work.account,
        made.work.settings,
        furl=kept["furl"],
        public_host=kept["public_host"].reveal(),
        found=kept["found"],
    )
    text = letter.get_content()
    bucket = made.work.account.bucket_name
    assert f"    aws s3 rm --recursive s3://{bucket}/shares/\n" in text
    assert "2 shares were joined and 1 copied" in " ".join(text.split())
    assert f"    {index('z')}/0: gap\n" in text
    assert f"SHA-256 over their names, sizes and ETags: {made.values('bounce_server')['bucket']['digest']}" in text
