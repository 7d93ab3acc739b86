"""Before its nodes start the account's bucket is asked: what lies there decides what the host does, in a twin world.

Joining itself, by real hosts: tests/e2e/test_joining.py.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from laerecover.afterwards.notify import render
from laerecover.hosts.bucket_layout import layout_of
from laerecover.hosts.programs import joining, progress
from laerecover.hosts.programs.bucket_shares import COMPLETE, JOINING
from laerecover.hosts.recipes.tahoe import RCLONE_CONF
from laerecover.ports.hosts import CommandResult
from laerecover.ports.refusals import Refusal, Transient
from laerecover.rehearsal.twin.hosts import TwinHost
from old_buckets import CASES, index, place, share

WRITTEN = "2014-05-20T00:00:00+00:00"


def rows(objects):
    """The objects as they are listed."""
    return [(name, len(objects[name]), "tag", WRITTEN) for name in sorted(objects)]


def told_of(objects, **changes):
    """What joining would write of these."""
    left_out = {f"{index('z')}/0": "gap"}
    return {
        "format": 1,
        "at": WRITTEN,
        "of": layout_of(rows(objects)).digest,
        "joined": 2,
        "copied": 1,
        "bytes": 9_000,
        "left_out": left_out,
        **changes,
    }


class Store:
    """A bucket; what was joined, and `recovered/COMPLETE`, stand once the bench's host has joined.

    `marked`: or from the beginning. `mark`: what it holds, None if it stands there nowhere.
    """

    def __init__(self, bench, objects, mark, *, marked=False) -> None:
        self.bench, self.objects, self.mark, self.marked, self.trouble = bench, dict(objects), mark, marked, []

    @property
    def joined(self):
        return self.marked or "/var/lib/lae-recovery/join-shares" in files(self.bench)

    def listing(self, account):
        if self.trouble:
            raise self.trouble.pop()
        there = CASES["both kinds"]().joined if self.joined else {}
        marked = {COMPLETE: self.mark} if self.joined and self.mark is not None else {}
        return iter(rows({**there, **self.objects, **marked}))

    def read(self, account, name, largest):
        return self.mark if self.joined else None

    def versioned(self, account):
        return False


def files(bench):
    return {row["path"] for row in bench.rows("files")}


def effects(bench, *words):
    """What happened on the host, in order, as far as it is one of these."""
    told = [row["effect"] for row in bench.rows("effects")]
    return [each for each in told if each.endswith(words)]


@pytest.fixture
def bench(make_bench):
    def make(objects, *, mark=..., recipe="tahoe", marked=False):
        made = make_bench()
        mark = json.dumps(told_of(objects)).encode() if mark is ... else mark
        store = Store(made, objects, mark, marked=marked)
        settings = made.work.settings.changed(recipe={"name": recipe})
        made.work = replace(made.work, world=replace(made.work.world, store=store), settings=settings)
        return made

    return make


def remote(bench) -> str:
    return bench.host_file(RCLONE_CONF).rstrip().rpartition("remote = ")[2].partition(":")[2]


def test_shares_in_pieces_are_joined_after_the_keys_came_and_before_the_bucket_is_mounted(bench):
    """The mount is of what was joined. The ledger keeps both, and the vault, for the mail."""
    objects = CASES["both kinds"]().objects
    made = bench(objects)
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
    as_written = told_of(objects)
    del as_written["format"]
    lost = {"left_out": 1, "left_out_shares": as_written["left_out"]}
    assert told["joined"] == {**as_written, **lost, "versioned": False}
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
    made = bench(CASES["both kinds"]().objects, marked=True)
    made.recover()
    assert effects(made, "/joining", "/join-shares") == []
    assert remote(made) == f"{made.work.account.bucket_name}/recovered"
    assert made.values("bounce_server")["joined"]["joined"] == 2


OTHER = json.dumps(told_of(CASES["MDMF"]().objects)).encode()
MARKS = {
    "none": None,
    "empty": b"",
    "no JSON": b"hello",
    "of no text": b"\xff\xfe\x00",
    "deep": b"[" * 200_000,
    "a list": b"[1]",
    "nothing in it": b"{}",
    **{
        name: json.dumps(told_of(CASES["both kinds"]().objects, **changes)).encode()
        for name, changes in {
            "another format": {"format": 99},
            "no format": {"format": None},
            "less than none": {"joined": -5},
            "without end": {"joined": 1e999},
            "yes": {"copied": True},
            "words": {"bytes": "9000"},
            "no digest": {"of": "d" * 63},
            "no time": {"at": "yesterday"},
            "a number left out": {"left_out": 3},
            "pairs left out": {"left_out": [[f"{index('z')}/0", "x"]]},
            "a list of reasons": {"left_out": {f"{index('z')}/0": ["x"]}},
            "no share left out": {"left_out": {"a\r\nBcc: x": "x"}},
        }.items()
    },
}
"""What may stand in COMPLETE that joining did not write."""


@pytest.mark.parametrize("marked", [True, False], ids=["found so", "written so"])
@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_that_joining_did_not_write_starts_no_node(bench, mark, marked):
    """Whether it stood there, or the host said that it is done: an empty server would pass for the customer's."""
    made = bench(CASES["both kinds"]().objects, mark=MARKS[mark], marked=marked and MARKS[mark] is not None)
    (failure,) = made.recover()["failures"]
    assert failure["kind"] == "not_joined"
    assert effects(made, "start bucket", "start storageserver") == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"joined": 3}, "it tells of 4 shares, and 3 lie below recovered/"),
        ({"joined": 900, "copied": 10**30}, "and 3 lie below recovered/"),
    ],
)
def test_a_mark_that_does_not_fit_what_lies_beside_it_starts_no_node(bench, changes, why):
    """Of another bucket, or somebody has removed what was joined."""
    objects = CASES["both kinds"]().objects
    made = bench(objects, mark=json.dumps(told_of(objects, **changes)).encode(), marked=True)
    (failure,) = made.recover()["failures"]
    assert failure["kind"] == "not_joined"
    assert why in failure["message"]
    assert effects(made, "start bucket", "start storageserver") == []


def test_old_shares_that_were_neither_joined_nor_left_out_start_no_node(bench):
    """The mark of another bucket with as many shares."""
    objects = {**CASES["both kinds"]().objects, place("one more"): b"x", place("two more"): b"x"}
    made = bench(objects, marked=True)
    (failure,) = made.recover()["failures"]
    assert failure["kind"] == "not_joined"
    assert "2 of the old shares are not below recovered/, and it tells of 1 that were left out" in failure["message"]
    assert effects(made, "start bucket") == []


def test_what_a_customer_did_since_is_no_reason_to_doubt(bench):
    """Removed old objects, a share more, a file of their own: the digest is another, and it is served."""
    made = bench({"notes.txt": b"x", f"recovered/{place('new')}": b"x"}, mark=OTHER, marked=True)
    assert made.recover()["outcome"] == "recovered"
    assert remote(made) == f"{made.work.account.bucket_name}/recovered"


def test_where_other_objects_were_joined_than_were_listed_no_node_starts(bench):
    """Somebody writes to the bucket between the two listings, of this machine and of the host."""
    made = bench(CASES["both kinds"]().objects, mark=OTHER)
    assert [failure["kind"] for failure in made.recover()["failures"]] == ["bucket_changed"]
    assert effects(made, "start bucket", "start storageserver") == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (progress.STALLED, "joining_stalled"),
        (joining.CHANGED, "bucket_changed"),
        (joining.REFUSED, "store_refuses"),
        (joining.SERVED, "bucket_served"),
        (joining.NOT_NOW, "store_not_now"),
        (joining.NOT_BELIEVED, "not_joined"),
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
        ({f"recovered/{place('file')}": share("file")}, "tahoe", "bucket_served"),
        ({f"recovered/{place('file')}": share("file"), JOINING: b"0"}, "tahoe", "bucket_served"),
        ({**CASES["whole"]().objects, f"recovered/{place('file')}": share("file")}, "tahoe", "bucket_served"),
        ({**CASES["MDMF"]().objects, f"recovered/{place('mdmf')}": share("mdmf")}, "tahoe", "bucket_served"),
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


def mailed(made, **settings) -> str:
    made.recover()
    kept, (mail,) = made.vault.load(made.work.account.account_id), made.outbox.all()
    letter = render(
        mail,
        made.work.account,
        made.work.settings.changed(**settings),
        furl=kept["furl"],
        public_host=kept["public_host"].reveal(),
        found=kept["found"],
    )
    return letter.get_content()


def test_the_mail_tells_what_was_joined_and_what_removes_the_old_objects(bench):
    """And each share that could not be, by its storage index, of which the old objects are all that is left."""
    made = bench(CASES["both kinds"]().objects)
    text = mailed(made)
    bucket = made.work.account.bucket_name
    assert f"this removes them for ever:\n\n    aws s3 rm --recursive s3://{bucket}/shares/\n" in text
    assert "2 shares were joined and 1 copied" in " ".join(text.split())
    assert "\n1 share could not be joined" in text
    assert f"    {index('z')}/0: gap\n" in text
    assert "nothing else is left, and the command removes them, too" in text
    assert f"SHA-256 over their names, sizes and ETags: {made.values('bounce_server')['bucket']['digest']}" in text


@pytest.mark.parametrize(
    ("versioned", "said"),
    [
        (True, "this hides them. Versioning is on in the bucket"),
        (False, "this removes them for ever:"),
        (None, "this removes them for ever, unless the bucket keeps older versions:"),
    ],
)
def test_the_mail_promises_no_more_of_its_command_than_it_does(bench, versioned, said, monkeypatch):
    """A bucket that keeps versions keeps the old objects, and goes on to cost; and each store has its own address."""
    monkeypatch.setattr(Store, "versioned", lambda store, account: versioned)
    objects = CASES["both kinds"]().objects
    made = bench(objects, mark=json.dumps(told_of(objects, left_out={})).encode())
    text = mailed(made, recipe={"s3_endpoint": "https://s3.example.org"})
    assert said in text
    assert "/shares/ --endpoint-url https://s3.example.org\n" in text
    assert "nothing else is left" not in text


def test_where_the_customer_has_removed_the_old_objects_no_mail_offers_that_again(bench):
    """It tells of what is there by now."""
    text = mailed(bench({}, marked=True, mark=json.dumps(told_of({}, left_out={})).encode()))
    assert "Your data as we found it: 3 shares, 0.0 MB, in the folder recovered/; beside it 0 objects, 0.0 MB." in text
    assert "The old objects are not there any more." in text
    assert "aws s3 rm" not in text
    assert "no time" not in text
