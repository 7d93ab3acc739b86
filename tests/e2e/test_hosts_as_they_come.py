"""Hosts as hardening and clouds' images leave them: recovered all the same, or named at once with the remedy."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recovery import Recovery, account
from rig_hands import Shell, connect

from laerecover.adapters.ssh import SshConnector
from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import PROBLEMS
from laerecover.hosts.vault import Vault
from laerecover.ports.hosts import CommandResult
from laerecover.rehearsal.rig.client import Rig
from laerecover.rehearsal.rig.tools import missing, missing_for_systemd

NUMBERS = itertools.count(240)
"""Of hosts: an address is not given twice, and the rig's cloud gives out none of these."""
WITHOUT_VENV = """
mkdir /srv/poor
ln -s /srv/debs/*.deb /srv/poor/
awk -v RS= -v ORS='\\n\\n' '!/^Package: python3-venv\\n/' /srv/debs/Packages >/srv/poor/Packages
echo 'deb [trusted=yes] file:/srv/poor ./' >/etc/apt/sources.list
"""
"""A mirror that has all but the package python3-venv."""


def test_a_hardened_host_is_recovered(another_rig: Callable[..., Rig], tmp_path: Path):
    """/tmp noexec and small, needrestart, debconf's questions beforehand, a locale that is not there, no python3-venv.

    Nothing is asked, and what was recovered answers.
    """
    reason = missing() or missing_for_systemd()
    if reason is not None:
        pytest.skip(f"no hosts that systemd runs: {reason}")
    recovery = Recovery(another_rig(json.dumps({"image": "hardened"})), tmp_path, [account("hard")])
    done = recovery.command("run", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    code, checks = recovery.verify()
    assert (code, [what for what, check in checks.items() if check["ok"] is False]) == (0, []), checks
    _is_as_it_should_be(recovery.shell(recovery.accounts[0]))
    recovery.end()


def _is_as_it_should_be(shell: Shell) -> None:
    """The host was what this test is about: else it shows nothing."""
    for place in ("/tmp", "/var/tmp", "/dev/shm"):
        assert "noexec" in shell(f"grep ' {place} ' /proc/mounts")
    assert "setlocale" in shell("perl -e 1 2>&1 | head -1; sudo perl -e 1 2>&1 | head -1") or "locale" in shell(
        "sudo perl -e 1 2>&1"
    )
    again = (
        "sudo DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -y install --reinstall fuse3 </dev/null 2>&1"
    )
    assert "are running outdated" in shell(again), "needrestart has had a look"


@pytest.fixture
def host(rig: Rig, tmp_path: Path) -> Iterator[tuple[Shell, Callable[[], CommandResult]]]:
    """A light host: a shell there, and the last result of the recipe's first phase, as a recovery has it done."""
    name, address = f"i-comes{(number := next(NUMBERS))}", f"203.0.113.{number}"
    key = derive_host_key(Vault(tmp_path / "secrets", b"k" * 32), name, "boot")
    rig.boot(name, address, user_data=key.user_data.reveal())
    shell = connect(rig, address, key.public)

    def first_phase() -> CommandResult:
        connector = SshConnector(keys={"ubuntu": rig.key("ubuntu")}, command_seconds=300)
        with rig.inside():
            connection = connector.connect(address, user="ubuntu", host_key=key.public)
        return connection.run(recipe_named("tahoe").before_reboot())[-1]

    yield shell, first_phase
    rig.ask("terminate", name)


@pytest.mark.parametrize("place", ["/home", "/var/lib"])
def test_a_place_for_programs_that_runs_none_is_named(host: tuple[Shell, Callable[[], CommandResult]], place: str):
    """Before anything is installed; mounted otherwise, the same phase goes on."""
    shell, first_phase = host
    shell(f"sudo mount --bind {place} {place} && sudo mount -o remount,bind,noexec {place}")
    result = first_phase()
    assert (result.name, PROBLEMS[result.status].kind) == ("host", "no_exec"), result.tail
    assert "without it" in PROBLEMS[result.status].text
    assert "rclone" not in shell("dpkg-query -W -f '${Package}\\n'")
    shell(f"sudo mount -o remount,bind,exec {place}")
    result = first_phase()
    assert (result.name, result.status) == ("packages", 0), result.tail


def test_a_mirror_without_venv_is_named(host: tuple[Shell, Callable[[], CommandResult]]):
    """Which package no mirror has is told; from a mirror that has it the same phase goes on."""
    shell, first_phase = host
    shell(f"sudo sh -eu <<'END'\n{WITHOUT_VENV}END\n")
    result = first_phase()
    assert (result.name, PROBLEMS[result.status].kind) == ("packages", "no_package"), result.tail
    assert result.tail.endswith("no mirror has python3-venv")
    shell("echo 'deb [trusted=yes] file:/srv/debs ./' | sudo tee /etc/apt/sources.list")
    result = first_phase()
    assert (result.name, result.status) == ("packages", 0), result.tail
