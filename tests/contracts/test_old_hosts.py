"""Hosts that an earlier version left half installed: the present ssh adapter understands markers and phases."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from laerecover.adapters.ssh import SshConnector
from laerecover.ports.hosts import Command
from recoveries.vintages import vintages

ALL = pytest.mark.parametrize("vintage", vintages(), ids=lambda vintage: vintage.name)
LEFT = {"interrupted": [True, False, False], "failed": [True, False, False], "ended": [True, True, True]}
"""How a phase was left -> which of its three commands need not be carried out again."""


@pytest.fixture
def root(vintage, tmp_path):
    """The vintage's hosts and recipes, unpacked."""
    return vintage.unpack(tmp_path / "vintage", "hosts", "recipes")


@ALL
@pytest.mark.parametrize("left", LEFT)
def test_a_phase_goes_on_where_it_was_left(vintage, root, left, ssh_server):
    """What was done is skipped by its marker, what was not is carried out; a failure of then is no failure of now."""
    base = ssh_server.root / "marks"
    shutil.copytree(root / "hosts" / left, base)
    keys = {ssh_server.user: ssh_server.key}
    connector = SshConnector(
        keys=keys,
        command_seconds=10,
        port=ssh_server.port,
        base=str(base),
        staging=f"{ssh_server.root}/staging",
    )
    commands = [Command(**told) for told in vintage.index["hosts"]["phases"][left]["commands"]]
    for skipped in (LEFT[left], [True, True, True]):
        host = connector.connect("127.0.0.1", user=ssh_server.user, host_key=ssh_server.public)
        results = host.run(commands)
        host.close()
        assert [(each.name, each.status, each.skipped) for each in results] == [
            (command.name, 0, done) for command, done in zip(commands, skipped, strict=True)
        ]
    host = connector.connect("127.0.0.1", user=ssh_server.user, host_key=ssh_server.public)
    (other,) = host.run([replace(commands[0], script="echo another script\n")])
    assert (other.status, other.skipped) == (0, False)


@ALL
def test_the_digests_of_old_commands_come_out_the_same(vintage, root):
    """The marker of a command that has not changed since is recognised: nothing is done anew for a way of counting."""
    for name, wanted in vintage.index["hosts"]["recipes"].items():
        phases = json.loads((root / "recipes" / f"{name}.json").read_text("utf-8"))
        assert {told["name"]: Command(**told).digest for phase in phases for told in phase} == wanted
        assert len(wanted) > 8
