"""What a host is sent to join shares: two scripts, without a secret, that say what the host lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from laerecover.hosts.identity import NodeKeys
from laerecover.hosts.recipes.joining import PLACE, join_shares
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import HOME, PROBLEMS, Site
from laerecover.hosts.recipes.tahoe import RCLONE_CONF
from laerecover.manifest import Account, Secret

SECRET = Secret("invented/secret+key")


@pytest.fixture
def site():
    """A customer's new server; the keys of its nodes are none."""
    none = Secret("pb://inventedtubidinventedtubidinvent@192.0.2.7:12345/swissnum")
    return Site(
        account=Account(
            account_id="lae-1",
            verdict="RECOVERABLE",
            bucket_name="lae-1",
            user_access_key_id="KEY",
            user_secret_key=SECRET,
        ),
        public_host="192.0.2.7",
        private_host="10.0.0.7",
        keys=NodeKeys(introducer_node_pem=none, introducer_furl=none, server_node_pem=none, server_node_privkey=none),
    )


def bucket_of(site):
    return next(service for service in recipe_named("tahoe").services(site) if service.name == "bucket")


def test_shares_are_joined_by_the_keys_that_the_mount_has(site, monkeypatch):
    """A phase of the mount, with the deadline that was counted; no secret is in it."""
    monkeypatch.setattr("laerecover.hosts.recipes.tahoe.any_weak", lambda keys: False)
    service = bucket_of(replace(site, recovered=True, joining=1_234.5))
    assert [(each.name, each.user, each.seconds) for each in service.preparation] == [
        ("joining", "customer", None),
        ("join-shares", "customer", 1_234.5),
    ]
    assert service.files[0].content.reveal().endswith("remote = store:lae-1/recovered\n")
    assert all(SECRET.reveal() not in each.script for each in service.preparation)
    assert service.preparation[1].script.endswith(f" -m laerecover.hosts.programs.s3_joining {RCLONE_CONF}\n")


def test_the_deadline_makes_no_other_command(site, monkeypatch):
    """What is done on a host is known by the script alone."""
    monkeypatch.setattr("laerecover.hosts.recipes.tahoe.any_weak", lambda keys: False)
    one, other = (bucket_of(replace(site, recovered=True, joining=s)).preparation for s in (1.0, 2.0))
    assert [each.digest for each in one] == [each.digest for each in other]
    assert bucket_of(replace(site, recovered=True)).preparation == ()


def here(script: str, folder) -> str:
    return script.replace(HOME, str(folder))


def test_a_full_disk_is_told_before_anything_is_installed(tmp_path):
    """By the number that df tells."""
    (tmp_path / "df").write_text("#!/bin/sh\necho Filesystem\necho /dev/root 8000000 7990000 10000 99% /\n")
    (tmp_path / "df").chmod(0o755)
    tools, _ = join_shares(RCLONE_CONF, seconds=1)
    done = subprocess.run(
        ["sh", "-eu"],
        input=here(tools.script, tmp_path),
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert PROBLEMS[done.returncode].kind == "disk_full", done
    assert not (tmp_path / PLACE.removeprefix(f"{HOME}/")).exists()


def test_the_program_comes_whole(tmp_path):
    """Each module word for word, below the packages that it names, and what lay there before is gone."""
    _, program = join_shares("none.conf", seconds=1)
    place = tmp_path / "joining"
    (place / "venv/bin").mkdir(parents=True)
    (place / "venv/bin/python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')  # a link would lose the venv
    (place / "venv/bin/python").chmod(0o755)
    (place / "programs/laerecover").mkdir(parents=True)
    (place / "programs/laerecover/old.py").touch()
    done = subprocess.run(
        ["sh", "-eu"], input=here(program.script, tmp_path), capture_output=True, text=True, check=False
    )
    assert "none.conf" in done.stderr, "it ran, and looked for its configuration"
    sent = {path.name: path.read_text() for path in (place / "programs").rglob("*.py")}
    assert sorted(sent) == [
        "below.py",
        "bucket_shares.py",
        "joining.py",
        "progress.py",
        "s3_joining.py",
        "store_answers.py",
    ]
    assert all(f"LAE_PROGRAM'\n{text}LAE_PROGRAM\n" in program.script for text in sent.values())
