"""The program that joins a bucket's shares, at a store on loopback: what it makes, what stops it, how it goes on."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from laerecover.hosts.programs import joining, progress, s3_joining
from laerecover.hosts.programs.bucket_shares import COMPLETE, JOINING, PIECE, Listed, digest_of
from laerecover.hosts.programs.joining import CHANGED, NOT_BELIEVED, REFUSED, SERVED, Changed, Ended, join
from laerecover.hosts.programs.progress import STALLED, Progress
from laerecover.hosts.programs.s3_joining import S3Bucket
from laerecover.rehearsal.rig.faults import FaultRule, RigFaults
from laerecover.rehearsal.rig.proxy import serve
from old_buckets import CASES, OldBucket, immutable, index, mended, mutable, place, share
from old_shares import objects, pieces

NAME, KEY, SECRET = "customer-bucket", "AKIAINVENTED", "invented-secret"
OTHERS = {"notes.txt": b"the customer's own", "shares/aa/short/0": b"no share", "recoveredness": b"no folder of ours"}


class Store:
    """One customer's bucket in a cloud of the test's own."""

    def __init__(self, cloud, folder: Path) -> None:
        self.cloud = cloud
        self.configuration = folder / "rclone.conf"
        store = f"type = s3\naccess_key_id = {KEY}\nsecret_access_key = {SECRET}\nregion = us-east-1\n"
        store += f"endpoint = {cloud.endpoint}\nforce_path_style = true\n"
        self.configuration.write_text(f"[store]\n{store}\n[shares]\ntype = alias\nremote = store:{NAME}/recovered\n")
        cloud.allow(KEY, SECRET, bucket=NAME)
        cloud.allow("operator", "operator-secret")
        self.client = boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=cloud.endpoint,
            aws_access_key_id="operator",
            aws_secret_access_key="operator-secret",
        )
        self.client.create_bucket(Bucket=NAME)

    def put(self, content) -> None:
        for name, body in content.items():
            self.client.put_object(Bucket=NAME, Key=name, Body=body)

    def listing(self):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=NAME)
        return {row["Key"]: (row["Size"], row["ETag"]) for page in pages for row in page.get("Contents", [])}

    def content(self, prefix=""):
        names = [name for name in self.listing() if name.startswith(prefix)]
        return {name: self.client.get_object(Bucket=NAME, Key=name)["Body"].read() for name in names}

    def old(self):
        return {name: about for name, about in self.listing().items() if not name.startswith("recovered/")}

    def told(self):
        return json.loads(self.client.get_object(Bucket=NAME, Key=COMPLETE)["Body"].read())

    def join(self):
        return join(S3Bucket(str(self.configuration)))

    def strike(self, *rules) -> None:
        self.cloud.faults.rules = rules
        self.cloud.faults.calls = Counter()

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", s3_joining.__name__, str(self.configuration)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def cloud():
    with serve(faults=RigFaults()) as made:
        yield made


@pytest.fixture
def store(cloud, tmp_path):
    cloud.reset()
    return Store(cloud, tmp_path)


def with_a_whole_one(bucket: OldBucket) -> OldBucket:
    """The same bucket with one share more."""
    more, where = share("directory"), place("whole")
    return replace(
        bucket, objects={**bucket.objects, where: more}, joined={**bucket.joined, f"recovered/{where}": more}
    )


def test_where_nothing_can_be_joined_nothing_is_served(store):
    """Were that called done, an empty server would pass for the customer's."""
    store.put(CASES["a gap"]().objects)
    with pytest.raises(Ended, match=f"none of its 1 shares could be joined; {index('file')}/0: piece 3 is missing"):
        store.join()
    assert COMPLETE not in store.listing()


@pytest.mark.parametrize("case", CASES)
def test_each_case_is_joined_as_it_must_be(store, case):
    """What belongs below `recovered/` is there byte for byte, nothing else; the old objects stay; once and for all."""
    bucket = with_a_whole_one(CASES[case]())
    store.put({**bucket.objects, **OTHERS})
    before = store.old()
    said = store.join()
    found = store.content("recovered/")
    told = json.loads(found.pop(COMPLETE))
    assert found == bucket.joined
    assert store.old() == before
    assert told["left_out"].keys() == bucket.left_out.keys()
    assert all(why in told["left_out"][name] for name, why in bucket.left_out.items()), told
    assert told["joined"] + told["copied"] == len(bucket.joined)
    assert told["bytes"] == sum(map(len, bucket.joined.values()))
    assert told["of"] == digest_of(Listed(name, *before[name]) for name in sorted(before, key=str.encode))
    assert said.startswith(f"joined {told['joined']} shares, copied {told['copied']}, left out {len(told['left_out'])}")
    everything = store.listing()
    assert store.join() == "joined before: nothing was done"
    assert store.listing() == everything


def test_where_a_customer_changed_joined_shares_they_stay(store):
    """Joining again would bring old ones back: the marker says no."""
    bucket = CASES["both kinds"]()
    store.put(bucket.objects)
    store.join()
    changed = dict.fromkeys(bucket.joined, b"changed")
    store.put(changed)
    store.join()
    assert {name: content for name, content in store.content("recovered/").items() if name in changed} == changed


@pytest.mark.parametrize("name", ["recovered/lease_checker.state", f"recovered/{place('new')}", "recovered/my own.txt"])
@pytest.mark.parametrize("begun", [True, False])
def test_where_a_node_has_run_and_the_marker_is_gone_nothing_is_joined(store, name, begun):
    """Or where the customer has a folder of that name."""
    store.put({**CASES["MDMF"]().objects, name: b"x", **({JOINING: b"0"} if begun else {})})
    before = store.listing()
    with pytest.raises(Ended, match="nothing was joined") as ended:
        store.join()
    assert ended.value.status == SERVED
    assert store.listing() == before


def test_a_share_that_its_customer_changed_stays_though_both_marks_are_gone(store):
    """It has the name of what would be joined there, and maybe its length."""
    store.put(CASES["both kinds"]().objects)
    store.join()
    store.put({f"recovered/{place('mdmf')}": b"the customer's new directory"})
    store.client.delete_object(Bucket=NAME, Key=COMPLETE)
    before = store.listing()
    with pytest.raises(Ended, match="nothing was joined") as ended:
        store.join()
    assert (ended.value.status, store.listing()) == (SERVED, before)


def test_keys_that_may_not_delete_leave_no_mark_of_what_was_begun(store):
    """What says `begun` for ever would have a later joiner bring old shares back, were COMPLETE lost."""

    class Keeps(S3Bucket):
        def remove(self, name):
            raise Ended(REFUSED, "AccessDenied")

    store.put(CASES["both kinds"]().objects)
    join(Keeps(str(store.configuration)))
    assert store.content(JOINING)[JOINING] == b"joined\n"
    store.put({f"recovered/{place('mdmf')}": b"changed"})
    store.client.delete_object(Bucket=NAME, Key=COMPLETE)
    with pytest.raises(Ended) as ended:
        store.join()
    assert ended.value.status == SERVED


def test_a_mark_of_what_was_begun_does_not_outlive_that_of_its_end(store):
    """Killed between the two."""
    bucket = CASES["both kinds"]()
    store.put(bucket.objects)
    store.join()
    store.put({JOINING: f"{store.told()['of']}\n".encode()})
    assert store.join() == "joined before: nothing was done"
    assert JOINING not in store.listing()


@pytest.mark.parametrize("mark", [b"", b"garbage", b"{}", b"[" * 100_000])
def test_a_mark_that_joining_did_not_write_is_not_believed(store, mark):
    """It would start a node over an empty folder."""
    store.put({**CASES["both kinds"]().objects, COMPLETE: mark})
    said, _ = (process := store.start()).communicate(timeout=60)
    assert (process.returncode, said) == (
        NOT_BELIEVED,
        "recovered/COMPLETE is not believed: it is nothing that joining wrote\n",
    )


def test_a_mark_without_what_it_tells_of_is_not_believed(store):
    """Somebody has removed what was joined."""
    store.put(CASES["both kinds"]().objects)
    store.join()
    store.client.delete_object(Bucket=NAME, Key=f"recovered/{place('mdmf')}")
    with pytest.raises(Ended, match="it tells of 3 shares, and 2 lie below") as ended:
        store.join()
    assert ended.value.status == NOT_BELIEVED


def test_what_the_version_before_wrote_is_believed(store):
    """Its mark, as it stood in buckets."""
    bucket = with_a_whole_one(CASES["a gap"]())
    store.put({**bucket.objects, **bucket.joined})
    old = store.old()
    told = {
        "format": 1,
        "at": "2026-11-20T10:00:00+00:00",
        "of": digest_of(Listed(name, *old[name]) for name in sorted(old)),
        "joined": 0,
        "copied": 1,
        "bytes": 4_711,
        "left_out": {f"{index('file')}/0": "piece 3 is missing"},
    }
    store.put({COMPLETE: f"{json.dumps(told, indent=1)}\n".encode()})
    assert store.join() == "joined before: nothing was done"


class Late(S3Bucket):
    """Another joins the same meanwhile, its node starts, and its customer changes a directory."""

    def __init__(self, store) -> None:
        super().__init__(str(store.configuration))
        self.store = store

    def forget_unfinished(self):
        self.store.join()
        self.store.put({f"recovered/{place('mdmf')}": b"CHANGED", "recovered/lease_checker.state": b"x"})


def test_who_comes_late_brings_nothing_old_back(store):
    """Before anything is put it is looked whether that is still to be done."""
    store.put(CASES["both kinds"]().objects)
    with pytest.raises(Ended, match="somebody else has joined it meanwhile") as ended:
        join(Late(store))
    assert ended.value.status == SERVED
    assert store.content(f"recovered/{place('mdmf')}") == {f"recovered/{place('mdmf')}": b"CHANGED"}


def test_two_who_join_the_same_at_once_end_with_the_same(store):
    """Whoever is first; the other either ends, too, or says that it was done."""
    bucket = CASES["both kinds"]()
    store.put({**bucket.objects, **{place(f"more {n}"): immutable(1_000 + n) for n in range(60)}})
    both = [store.start(), store.start()]
    said = [process.communicate(timeout=100)[0] for process in both]
    assert {process.returncode for process in both} <= {0, SERVED}, said
    assert 0 in [process.returncode for process in both], said
    found = store.content("recovered/shares/")
    assert {name: found[name] for name in bucket.joined} == bucket.joined
    assert store.join() == "joined before: nothing was done"
    assert JOINING not in store.listing()


def test_folders_that_a_program_marked_are_in_nobodys_way(store):
    """Empty objects whose names end with a slash."""
    bucket = CASES["both kinds"]()
    store.put({**bucket.objects, "recovered/": b"", "recovered/shares/": b""})
    store.join()
    assert {name: body for name, body in store.content("recovered/shares/").items() if body} == bucket.joined


def test_killed_at_any_moment_it_goes_on_and_makes_the_same(store):
    """kill -9 after some bytes, again and again; what is there is not read again but for its head."""
    content = {f"{place(f'share {n}')}": immutable(PIECE + 40_000 + n) for n in range(24)}
    store.put({k: v for name, whole in content.items() for k, v in objects(name, pieces(whole)).items()})
    store.put({place(f"small {n}"): immutable(1_000 + n) for n in range(40)})
    before, kills = store.old(), 0
    for wanted in (1, 9, 20):
        process = store.start()
        until = time.monotonic() + 60
        while len([n for n in store.listing() if n.startswith("recovered/shares/")]) < wanted:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
        os.kill(process.pid, signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        process.communicate()
        assert JOINING in store.listing()
        assert COMPLETE not in store.listing()
    done = {name for name in store.listing() if name.startswith("recovered/shares/")}
    store.strike()
    said, _ = (process := store.start()).communicate(timeout=60)
    assert (process.returncode, kills) == (0, 3), said
    assert store.cloud.faults.calls["s3:PUT"] == 64 - len(done) + 1  # the mark at the end; that of the beginning stands
    assert {n: c for n, c in store.content("recovered/shares/").items() if len(c) > PIECE} == {
        f"recovered/{name}": whole for name, whole in content.items()
    }
    assert store.old() == before
    assert JOINING not in store.listing()


def test_after_another_listing_nothing_of_an_earlier_attempt_is_believed(store):
    """A piece of the same length was put meanwhile, say by who had served the bucket until then."""
    where, old, new = place("a"), immutable(3_000), immutable(3_000)[:-9] + b"different"
    store.put({**objects(where, pieces(old, size=1_000)), f"recovered/{where}": new, JOINING: b"0" * 64})
    store.join()
    assert store.content("recovered/shares/") == {f"recovered/{where}": old}


class Meddling(S3Bucket):
    """`meddle` is called once, after so many reads."""

    def __init__(self, configuration, after, meddle) -> None:
        super().__init__(configuration)
        self.left, self.meddle = after, meddle

    def read(self, entry, start, count):
        self.left -= 1
        if self.left == 0:
            self.meddle()
        return super().read(entry, start, count)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.put({place("file") + ".5": b"x" * 1_000}),
        lambda s: s.client.delete_object(Bucket=NAME, Key=place("file") + ".5"),
        lambda s: s.put({place("directory"): b"another"}),
        lambda s: s.put({"notes.txt": b"somebody works here"}),
        lambda s: s.put({place("new"): share("file")}),
    ],
    ids=["piece changed", "piece deleted", "whole share changed", "another object", "share added"],
)
def test_who_changes_the_bucket_meanwhile_stops_it(store, change, monkeypatch):
    """Somebody else serves it: nothing is finished, and the share that was seen to change is not there."""
    monkeypatch.setattr(joining, "AT_A_TIME", 1)
    store.put({**CASES["both kinds"]().objects, "notes.txt": b"mine"})
    with pytest.raises(Ended, match="somebody changed") as ended:
        join(Meddling(str(store.configuration), 2, lambda: change(store)))
    assert ended.value.status == CHANGED
    assert COMPLETE not in store.listing()


def test_an_object_is_read_as_it_was_listed_or_not_at_all(store):
    """Its length may be the same; the second listing comes only when all is joined."""
    store.put({place("a"): b"old"})
    bucket = S3Bucket(str(store.configuration))
    (entry,) = bucket.listing()
    store.put({place("a"): b"new"})
    with pytest.raises(Changed):
        bucket.read(entry, 0, 3)


class Last(S3Bucket):
    """`meddle` is called before the second listing."""

    def __init__(self, configuration, meddle) -> None:
        super().__init__(configuration)
        self.lists, self.meddle = 0, meddle

    def listing(self):
        self.lists += 1
        if self.lists == 2:
            self.meddle()
        return super().listing()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda s: s.client.delete_object(Bucket=NAME, Key=f"recovered/{place('mdmf')}"), 1),
        (lambda s: s.put({f"recovered/{place('mdmf')}": b"short"}), 1),
        (lambda s: s.put({f"recovered/{place('another')}": b"x"}), 1),
        (lambda s: s.put({"recovered/bucket_counter.state": b"x"}), SERVED),
    ],
    ids=["lost", "short", "one more", "a node's"],
)
def test_what_is_not_as_it_must_be_at_the_end_is_not_complete(store, change, status):
    """What lies below recovered/ is compared, share by share."""
    store.put(CASES["both kinds"]().objects)
    with pytest.raises(Ended) as ended:
        join(Last(str(store.configuration), lambda: change(store)))
    assert ended.value.status == status
    assert COMPLETE not in store.listing()


def test_a_bucket_whose_objects_vanish_is_told_as_that(store, monkeypatch, capsys):
    """Wherever it is noticed."""

    def vanish(bucket):
        raise Changed

    monkeypatch.setattr(s3_joining, "join", vanish)
    assert s3_joining.main(str(store.configuration)) == CHANGED
    assert "somebody changed or removed objects" in capsys.readouterr().out


def test_a_key_refused_in_the_midst_is_told_by_the_stores_own_word(store):
    """Not as a share that is incomplete; later it goes on."""
    store.put(CASES["both kinds"]().objects)
    with pytest.raises(Ended, match=r"refuses the host: SignatureDoesNotMatch \(GetObject\)") as ended:
        join(Meddling(str(store.configuration), 3, lambda: store.cloud.allow(KEY, "another", bucket=NAME)))
    assert (ended.value.status, COMPLETE in store.listing()) == (REFUSED, False)
    store.cloud.allow(KEY, SECRET, bucket=NAME)
    store.join()
    assert store.told()["left_out"] == {}


@pytest.mark.parametrize("fault", ["throttle", "error", "reset_before", "reset_after"])
def test_a_store_that_stumbles_is_asked_again(store, fault):
    """Throttling, errors of its own, lost answers: of every call of each kind that it takes."""
    bucket = CASES["both kinds"]()
    store.put({**bucket.objects, place("x"): pieces(immutable(9 << 20))[0]})
    store.put(objects(place("x"), pieces(immutable(9 << 20))))
    at = (2,) if fault == "throttle" else (1, 3, 4, 11)
    store.strike(*(FaultRule(call=f"s3:{verb}", fault=fault, at=at) for verb in ("GET", "PUT", "POST")))
    store.join()
    found = store.content("recovered/shares/")
    assert found.pop(f"recovered/{place('x')}") == immutable(9 << 20)
    assert found == bucket.joined


def test_no_part_of_an_object_that_never_came_to_be_stays(store):
    """The store would charge for it, and no listing shows it."""
    store.put(CASES["file"]().objects)
    begun = store.client.create_multipart_upload(Bucket=NAME, Key=f"recovered/{place('file')}")
    theirs = store.client.create_multipart_upload(Bucket=NAME, Key="theirs")
    store.client.upload_part(Bucket=NAME, Key=begun["Key"], UploadId=begun["UploadId"], PartNumber=1, Body=b"x" * 1_000)
    store.join()
    left = store.client.list_multipart_uploads(Bucket=NAME)["Uploads"]
    assert [upload["UploadId"] for upload in left] == [theirs["UploadId"]]


class Memory:
    """A bucket without a store: `bodies` are bytes, or a function of start and count for what would not fit."""

    def __init__(self, bodies, sizes=None) -> None:
        self.bodies, self.sizes = bodies, sizes or {name: len(body) for name, body in bodies.items()}
        self.calls, self.largest, self.written = Counter(), 0, {}

    def listing(self):
        self.calls["list"] += 1
        return [Listed(name, self.sizes[name], "tag") for name in sorted(self.sizes)]

    def read(self, entry, start, count):
        self.calls["read"] += 1
        self.largest = max(self.largest, count)
        body = self.bodies[entry.name]
        return body(start, min(count, entry.size - start)) if callable(body) else body[start : start + count]

    def peek(self, name, count):
        return self.written.get(name)

    def copy(self, entry, name):
        self.calls["copy"] += 1
        self.sizes[name] = entry.size

    def put(self, name, chunks, size):
        self.calls["put"] += 1
        self.sizes[name] = 0
        for chunk in chunks:
            self.sizes[name] += len(chunk)
            self.written[name] = chunk
        assert self.sizes[name] == size

    def forget_unfinished(self):
        pass

    def remove(self, name):
        del self.sizes[name]


def test_a_share_of_three_gigabytes_takes_no_more_memory_than_its_pieces():
    """6,144 pieces; it is read in their order, each once but for head and end."""
    size, name = 3 << 30, place("huge")
    last = size - 12 - 4 - 100
    head = (1).to_bytes(4, "big") + bytes(11) + b"\1" + bytes(28) + last.to_bytes(4, "big")
    ends = {0: lambda start, count: (head + bytes(PIECE))[start : start + count]}
    ends[6143] = lambda start, count: (bytes(PIECE - 104) + b"\0\0\0d" + bytes(100))[start : start + count]
    names = [f"{name}.{n}" if n else name for n in range(6144)]
    bodies = {each: ends.get(n, lambda start, count: bytes(count)) for n, each in enumerate(names)}
    bucket = Memory(bodies, dict.fromkeys(names, PIECE))
    join(bucket)
    assert bucket.sizes[f"recovered/{name}"] == size
    assert bucket.largest <= PIECE
    assert bucket.calls["read"] <= 6144 + 3


def test_ten_thousand_tiny_shares_are_copied_unread():
    """One call each; those in pieces take four and one for each piece."""
    bodies = {place(f"tiny {n}"): b"tiny" for n in range(10_000)}
    bucket = Memory({**bodies, **objects(place("cut"), pieces(share("file"), size=5_000))})
    assert join(bucket) == "joined 1 shares, copied 10,000, left out 0"
    assert bucket.calls == {"list": 2, "copy": 10_000, "read": 1 + 1 + 2, "put": 1 + 2}


def test_the_last_bytes_of_a_mutable_are_never_those_of_a_lease():
    """The number of extra leases is none, whatever the old object held there; what lies behind is not taken along."""
    whole = mutable(PIECE + 2_000)
    bucket = Memory({})
    content = pieces(whole[:-4] + b"\1\2\3\4" + b"stale")
    bucket.bodies.update(objects(place("m"), content))
    bucket.sizes.update({name: len(body) for name, body in bucket.bodies.items()})
    bucket.put = lambda name, chunks, size: (
        bucket.written.update({name: b"".join(chunks)}) or bucket.sizes.update({name: size})
    )
    join(bucket)
    assert bucket.written[f"recovered/{place('m')}"] == mended(whole)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("listing", "listing, 1 objects"),
        ("giving up", "what an earlier attempt had sent is given up"),
        ("copying", "1 of 2 shares, 0.00 of 0.00 GB, expected end 20"),
        ("comparing", "comparing, 1 objects"),
    ],
)
def test_when_nothing_moves_it_ends_by_itself(where, told):
    """Wherever it is; and tells until then how far it is."""
    program = f"""
from laerecover.hosts.programs import joining, progress
from laerecover.hosts.programs.bucket_shares import Listed
import sys, time
progress.TELL, progress.PATIENCE = 0.1, 0.4
def stop(where): time.sleep(60 if where == sys.argv[1] else 0)
class Bucket:
    name, lists = "", 0
    def peek(self, name, count): return self.text if name == joining.JOINING else None
    text = b""
    def listing(self):
        yield Listed("{place("a")}", 10, "")
        self.lists += 1
        stop("listing" if self.lists == 1 else "comparing")
        if self.lists > 1: yield Listed("{place("b")}", 20, "")
        if self.lists == 1: yield Listed("{place("b")}", 20, "")
    def copy(self, entry, name):
        if entry.size == 20: stop("copying")
    def put(self, name, chunks, size): self.text = b"".join(chunks)
    def forget_unfinished(self): stop("giving up")
joining.shares_in, shares = (lambda old: sorted(shares(old), key=lambda each: each.size)), joining.shares_in
joining.join(Bucket())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, where], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == STALLED, done.stderr
    assert f"joining: {told}" in done.stdout
    assert done.stdout.splitlines()[-1] == "nothing was done for 0 s: the store does not answer"


@pytest.mark.parametrize(("patient", "named"), [(0.2, True), (60.0, False)])
def test_a_store_that_is_silent_is_named_long_before_it_is_given_up(patient, named):
    """Who waits reads it beside how far the work is; not of one that has just moved."""
    program = f"""
from laerecover.hosts.programs import progress
import time
progress.TELL, progress.QUIET = 0.1, {patient}
with progress.Progress():
    time.sleep(1)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("joining: listing")
    assert last.endswith(" s: does the store answer?") == named


def test_the_expected_end_is_that_of_what_is_still_to_be_done(monkeypatch):
    """What an earlier attempt had done took no time of this one."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    told = Progress()
    told.begin([1_000_000] * 100)
    for _ in range(90):
        told.move(1_000_000, shares=1, found=True)
    assert "expected end" not in told.text
    now[0] = 10.0
    told.move(1_000_000, shares=1)
    end = datetime.fromisoformat(told.text.partition("expected end ")[2].replace(" UTC", "+00:00"))
    assert timedelta(seconds=80) < end - datetime.now(UTC) < timedelta(seconds=100)


@pytest.mark.parametrize("module", ["bucket_shares", "below", "progress", "store_answers", "joining", "s3_joining"])
def test_hosts_with_python_3_9_can_read_it(module):
    """By its grammar; e2e tests run it."""
    ast.parse(Path(joining.__file__).with_name(f"{module}.py").read_text(), feature_version=(3, 9))
