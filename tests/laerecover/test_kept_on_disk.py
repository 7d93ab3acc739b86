"""Ledger and outbox: in their own folder whatever its name, on disk before they count, looked at wherever they lie."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest
import sqlalchemy

import laerecover.databases
import laerecover.mounts
from laerecover.databases import readable
from laerecover.errors import LaeRecoverError
from laerecover.mail.outbox import mails_in
from laerecover.options import make_options
from laerecover.report.status import status
from laerecover.runbook.ledger import read_ledger

NAMES = ["state", "state?b", "state#b", "state%3Fb", "sta te", "state?mode=memory", "ünd 'so'", "file:x"]


def test_a_folder_of_any_name_keeps_its_own_ledger(make_manifest, key_file, commands, tmp_path):
    """No two folders share a ledger, none lies outside its folder, and each is read back from where it is."""
    manifest, place = make_manifest(count=1), tmp_path / "places"
    place.mkdir()
    for name in NAMES:
        drilled = ("drill", manifest, "--key-file", key_file, "--state", place / name, "--pace", "0.001")
        assert commands(*drilled).returncode == 0
    assert sorted(each.name for each in place.iterdir()) == sorted(NAMES)
    for name in NAMES:
        with sqlite3.connect(place / name / "ledger.sqlite") as db:
            assert db.execute("SELECT count(*) FROM workflow_status").fetchone() == (1,), name
        (latest,) = read_ledger(place / name / "ledger.sqlite").values()
        assert latest.outcome == "recovered"
        told = json.loads(commands("status", manifest, "--state", place / name, "--json").stdout)
        assert (len(told["accounts"]), told["mails"]) == (1, {"held": 1})


class Watched(sqlite3.Connection):
    """Notes how the file is kept at every commit that is asked of it."""

    seen: list[tuple[str, str, int]] = []  # noqa: RUF012

    def execute(self, sql, *parameters):
        if sql == "COMMIT":
            self.seen.append(kept(super().execute))
        return super().execute(sql, *parameters)


def kept(execute):
    """File, journal mode and synchronous of a connection; 2 is FULL."""
    file = execute("PRAGMA database_list").fetchone()[2]
    mode, level = (execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous"))
    return os.path.basename(file), mode, level  # noqa: PTH119


def test_no_commit_is_taken_back_by_a_power_cut(operator, make_account, monkeypatch):
    """Asked of the very connections that DBOS and the outbox commit on: a write-ahead log, synced at each commit."""
    seen, someone = [], operator(make_account())

    def committing(connection):
        seen.append(kept(connection.exec_driver_sql))

    opened = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: opened(*args, **{"factory": Watched, **more}))
    monkeypatch.setattr(Watched, "seen", seen)
    sqlalchemy.event.listen(sqlalchemy.Engine, "commit", committing)
    try:
        assert someone.run().exit_code == 0
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "commit", committing)
    of_state = [each for each in seen if each[0] in ("ledger.sqlite", "outbox.sqlite")]
    assert set(of_state) == {("ledger.sqlite", "wal", 2), ("outbox.sqlite", "wal", 2)}
    assert sum(name == "ledger.sqlite" for name, _, _ in of_state) > len(someone.folder.name)


@pytest.fixture
def killed(make_manifest, key_file, tmp_path):
    """A drill that ended by a kill, its logs beside ledger and outbox; what `status` tells of it."""
    manifest = make_manifest(count=2)
    main = [sys.executable, "-c", "from laerecover.cli import main; main()"]
    drill = ["drill", manifest, "--key-file", key_file, "--pace", "0.001", "--concurrency", "1"]
    environment = {**os.environ, "LAERECOVER_CRASH_AT": "notify_zenoss:before-record"}
    assert subprocess.run([*main, *drill], env=environment, capture_output=True, check=False).returncode != 0
    folder = make_options(manifest=manifest).places.folder("drill")
    assert {"ledger.sqlite-wal", "outbox.sqlite-wal"} <= {each.name for each in folder.iterdir()}
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    return copy, told(folder)


def told(folder):
    """Accounts and mails of a state folder, as `status` tells them."""
    body = status(make_options(manifest=folder / "none", state=folder)).body
    return {name: body[name] for name in ("accounts", "mails", "planned_digest")}


def held(folder):
    """Every file with its content, but for what SQLite shares between processes."""
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file() and "-shm" not in each.name}


def test_a_copy_tells_what_the_original_does(killed):
    """With its logs beside it, and after they were read into it."""
    copy, wanted = killed
    assert any(row["steps"] for row in wanted["accounts"].values())
    (copy / "ledger.sqlite-shm").unlink()
    assert told(copy) == wanted
    assert told(copy) == wanted
    assert list(copy.glob("*-wal")) == []


@pytest.mark.parametrize("gone", [(), ("ledger.sqlite-shm", "outbox.sqlite-shm")])
def test_where_nothing_can_be_written_a_copy_is_looked_at(killed, monkeypatch, gone):
    """The logs are read with their files, and the folder stays as it is, byte for byte."""
    folder, wanted = killed
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    monkeypatch.setattr(laerecover.databases.os, "access", lambda path, how: False)
    monkeypatch.setattr(laerecover.databases, "_opens", lambda path: False)
    before = held(folder)
    assert told(folder) == wanted
    assert held(folder) == before


def test_a_folder_that_cannot_be_written_is_reported_of(killed, make_manifest, key_file, tmp_path):
    """The same is told as of the original; the page is not written, which is said, and the folder stays as it is."""
    folder, _ = killed
    manifest, own = make_manifest(count=2), os.geteuid()
    ask = [sys.executable, "-c", "from laerecover.cli import main; main()", "report", manifest, "--key-file", key_file]
    wanted = subprocess.run([*ask, "--json"], capture_output=True, check=False)
    lately = shutil.copytree(f"{manifest}.drill", tmp_path / "lately")
    for place in (folder, lately):
        (place / "report.html").unlink(missing_ok=True)
        (place / "report.json").unlink(missing_ok=True)
        before = held(place)
        place.chmod(0o500)
        try:  # root writes wherever it may override a mode
            bound = [] if own else ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
            looked = [
                subprocess.run([*bound, *ask, "--state", place, *more], capture_output=True, text=True, check=False)
                for more in (["--json"], [])
            ]
        finally:
            place.chmod(0o700)
        assert held(place) == before
        for each in looked:
            assert each.returncode == wanted.returncode, each.stderr
            assert each.stderr == f"report.html and report.json were not written: permission denied: {place}\n"
        original, same = (json.loads(each) for each in (wanted.stdout, looked[0].stdout))
        for row in (*original["accounts"], *same["accounts"]):
            row.pop("follow_ups")  # they name the folder
        assert {**same, "written_at": ""} == {**original, "written_at": ""}
        assert "report: " not in looked[1].stdout and "accounts recovered" in looked[1].stdout


def test_an_empty_ledger_and_no_outbox_are_no_recovery(tmp_path):
    """What a runner left that was killed before its first table; nothing is made by looking."""
    laerecover.databases.durable(tmp_path / "ledger.sqlite").close()
    assert read_ledger(tmp_path / "ledger.sqlite") == {}
    assert list(mails_in(tmp_path / "outbox.sqlite")) == []
    laerecover.databases.durable(tmp_path / "outbox.sqlite").close()
    assert list(mails_in(tmp_path / "outbox.sqlite")) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ledger.sqlite", "outbox.sqlite"]


def test_who_only_looks_cannot_write(tmp_path):
    """Not even by mistake."""
    laerecover.databases.durable(tmp_path / "a.sqlite").close()
    with readable(tmp_path / "a.sqlite") as look, pytest.raises(sqlite3.OperationalError, match="readonly"):
        look().execute("CREATE TABLE t (x)")


LINES = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 22 0:45 / {0}/nas\\040one rw,relatime shared:20 - nfs4 nas.example.org:/export rw,vers=4.2
32 22 0:46 / {0}/share rw,relatime - cifs //198.51.100.7/share rw,vers=3.1.1
33 22 0:47 / {0}/guest rw - 9p host rw,trans=virtio
34 22 0:48 / {0}/far rw,nosuid,nodev - fuse.sshfs someone@example.org:/srv rw,user_id=0
35 22 0:49 / {0}/phone rw - fuseblk /dev/sdb1 rw
36 31 0:50 / {0}/nas\\040one/disk rw - xfs /dev/sdc1 rw
37 22 0:51 / {0}/over rw - nfs nas.example.org:/old rw
38 37 0:52 / {0}/over rw - tmpfs tmpfs rw
"""
KINDS = {"nas one": "nfs4", "share": "cifs", "guest": "9p", "far": "fuse.sshfs"}
DISKS = ["phone", "nas one/disk", "over", "nas", "shared"]


@pytest.fixture
def mounts(tmp_path, monkeypatch):
    """A machine with these mounts below the returned folder."""
    (tmp_path / "mountinfo").write_text(LINES.format(tmp_path))
    monkeypatch.setattr(laerecover.mounts, "MOUNTS", tmp_path / "mountinfo")
    return tmp_path


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_network_file_system_is_refused_by_name(mounts, make_manifest, key_file, operator, make_account, name, kind):
    """Before anything is written there; a link that leads there is seen through."""
    (mounts / "link").symlink_to(mounts / name)
    someone = operator(make_account())
    for folder in (mounts / name / "deeper/state", mounts / "link/state"):
        with pytest.raises(LaeRecoverError, match=rf"network file system \({kind}\).*name a folder on a disk of this"):
            someone.run(state=folder)
    assert not (mounts / name).exists()


@pytest.mark.parametrize("name", DISKS)
def test_disks_of_this_machine_are_not(mounts, name):
    """Neither what is mounted within or over a network's folder, nor a folder whose name begins alike."""
    assert laerecover.mounts.network_of(mounts / name / "state") == ""


def test_a_state_that_was_begun_on_a_network_is_read_and_to_be_moved(mounts, operator, make_account):
    """`status` still tells of it; whoever would write is told to move it first."""
    someone = operator(make_account())
    someone.run()
    begun = mounts / "share" / "state"
    shutil.copytree(someone.folder, begun)
    assert told(begun)["mails"] == {"held": 1}
    with pytest.raises(LaeRecoverError, match="after moving it there whole"):
        someone.run(state=begun)
