"""What a host is asked about store and share: the program that is sent there, with an rclone of the tests' own.

With the real one, over a real mount: tests/e2e/test_verify.py.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from laerecover.hosts.programs import serving
from laerecover.hosts.recipes.named import recipe_named

INDEX = "aabcdefghijklmnopqrstuvwxy"
SHARE = f"shares/aa/{INDEX}/0"
RCLONE = """#!/bin/sh
echo "$@" >>"{folder}/asked"
case "$1 $2" in {cases} *) echo "what?" >&2; exit 9;; esac
"""
LISTS = {
    "lsf shares:shares/": "printf 'incoming/\\naa/\\nlost+found/\\n'",
    "lsf shares:shares/aa/": f"printf '{INDEX}/\\nshort/\\n'",
    f"lsf shares:shares/aa/{INDEX}/": "printf '0\\n0.1\\n'",
    "cat --head": "printf x",
}
DENIED = (
    "printf '2026/11/22 ERROR : secret: AccessDenied: Access Denied\\n\\tstatus code: 403, request id: 7' >&2; exit 1"
)
REFUSED = "printf '2026/11/22 ERROR : 0: Failed to open: AccessDenied: AccessDenied\\n\\tstatus code: 403' >&2; exit 1"


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host whose rclone answers as `answers` says, with one share in a folder that counts as mounted."""
    folder = tmp_path / "bin"
    folder.mkdir()
    mount = tmp_path / "bucket"
    (mount / SHARE).parent.mkdir(parents=True)
    (mount / SHARE).write_bytes(b"share")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(serving, "mounted", lambda folder: folder == str(mount))
    monkeypatch.setattr(serving, "SECONDS", 2.0)

    class Host:
        place = mount

        def look(self, **answers):
            table = {**LISTS, **{key.replace("_", " "): value for key, value in answers.items()}}
            cases = "\n".join(f"'{words}') {script};;" for words, script in table.items())
            (folder / "rclone").write_text(RCLONE.format(folder=folder, cases=cases))
            (folder / "rclone").chmod(0o755)
            return serving.look(str(mount), "the.conf")

        @property
        def asked(self):
            return (folder / "asked").read_text().splitlines()

    return Host()


def test_a_share_that_can_be_read_is_well(host):
    """Found by three short lists, with the mount's own configuration.

    Its first byte comes from the store and through the mount.
    """
    assert host.look() == {
        "store": "ok it lets the host in, and gives a share",
        "share": "ok one was read through the mount",
    }
    assert [line.split(" --config the.conf")[0] for line in host.asked] == [
        *list(LISTS)[:3],
        f"cat --head 1 --include /0 shares:{SHARE.removesuffix('/0')}",
    ]
    assert {word for line in host.asked for word in line.split()[:1]} == {"lsf", "cat"}, "nothing that writes"


@pytest.mark.parametrize("first", ["", "incoming/\\n", "aa/\\n"], ids=["nothing", "uploads alone", "an empty prefix"])
def test_a_bucket_without_shares_is_said_to_be_one(host, first):
    """The store lets the host in, and there is nothing to read."""
    told = host.look(**{"lsf shares:shares/": f"printf '{first}'", "lsf shares:shares/aa/": "true"})
    assert told == {"store": "ok it lets the host in", "share": "none there is no share yet"}


@pytest.mark.parametrize(
    ("answers", "store", "share"),
    [
        ({"lsf shares:shares/": DENIED}, "failed it refuses the host: AccessDenied (403)", "none nobody can say"),
        ({"cat --head": REFUSED}, "failed it refuses the host: AccessDenied (403)", "ok one was read"),
        ({"cat --head": "true"}, "failed it gives an empty share", "ok one was read"),
        ({"lsf shares:shares/": "exit 3"}, "failed it knows no such bucket", "none nobody can say"),
        (
            {"cat --head": "echo 'panic: canary' >&2; exit 2"},
            "failed rclone ends with 2 on the host",
            "ok one was read",
        ),
        (
            {"lsf shares:shares/": "exec sleep 60"},
            "failed it does not answer the host within 2 s",
            "none nobody can say",
        ),
    ],
    ids=["lists refused", "shares refused", "empty", "no bucket", "another error", "silence"],
)
def test_a_store_that_does_not_serve_the_host_is_told_by_its_own_word(host, answers, store, share):
    """Its code and status, nothing else of what rclone printed; each question stands for itself."""
    told = host.look(**answers)
    assert told["store"] == store
    assert told["share"].startswith(share)
    assert "canary" not in str(told)
    assert "secret" not in str(told)


def test_a_mount_that_serves_no_share_is_told(host):
    """What the store gives, and the node cannot read: gone from the mount, unreadable, empty."""
    (host.place / SHARE).write_bytes(b"")
    assert host.look()["share"] == "failed it is empty"
    (host.place / SHARE).unlink()
    assert host.look()["share"] == "failed No such file or directory"
    (host.place / SHARE).mkdir()
    assert host.look()["share"] == "failed Is a directory"


def test_a_mount_that_hangs_is_not_waited_for(host):
    """Whoever opens the share there gets no answer, ever: that is the answer."""
    (host.place / SHARE).unlink()
    os.mkfifo(host.place / SHARE)
    assert host.look() == {
        "store": "ok it lets the host in, and gives a share",
        "share": "failed nothing comes within 2 s: the mount hangs",
    }


def test_what_is_no_mount_is_not_read(host, monkeypatch):
    """A folder of the host's own disk with that name proves nothing."""
    monkeypatch.setattr(serving, "mounted", lambda folder: False)
    assert host.look()["share"] == "failed the bucket is not mounted"


def test_a_mount_is_what_the_kernel_calls_one(tmp_path):
    """Of FUSE, at that very place."""
    assert not serving.mounted(str(tmp_path))
    assert not serving.mounted("/proc"), "mounted, but no bucket"


def test_the_program_is_sent_whole_and_needs_nothing_else(host, tmp_path):
    """As the recipe sends it to a host's python3, on its standard input.

    Two lines, and nothing of this project at hand.
    """
    host.look()
    script = recipe_named("tahoe").serving().script
    program = script.partition("<<'LAE_PROGRAM'\n")[2].removesuffix("LAE_PROGRAM\n")
    command = [sys.executable, "-I", "-B", "-", str(tmp_path / "bucket"), "the.conf"]
    done = subprocess.run(command, input=program, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ("store ok it lets the host in, and gives a share\nshare failed the bucket is not mounted\n")
    assert done.stderr == ""
