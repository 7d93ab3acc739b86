"""Hosts of the rig that an earlier version left half installed, or whole: the present code brings them to their end."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_recipe_tahoe import BUCKET, CANARIES, Place, _account

from laerecover.manifest import Secret
from laerecover.ports.hosts import Command
from laerecover.ports.refusals import NotListening, Transient
from laerecover.rehearsal.rig.client import Rig
from laerecover.runbook.steps.install_server import replace_host_key
from laerecover.runbook.values import BOUNCE, INSTALL
from recoveries.vintages import vintages

NOTE = "/var/lib/lae-recovery/boot-before-reboot"
"""Where version 0.1.0 noted the boot id of before its reboot."""
NUMBERS = itertools.count(4)
"""Of hosts: an address is not given twice."""
UNTIL = {"half": "create-introducer", "whole": ""}
"""The last command of the phase after the reboot that was carried out; "": all were."""


@pytest.fixture
def place(rig: Rig, tmp_path: Path) -> Iterator[Place]:
    """A host, and the customer's bucket; gone at the end."""
    tokens = f"{{UserToken}}{CANARIES[1]},{{ProductToken}}{CANARIES[2]}"
    rig.ask("customer", BUCKET, "AKIAINVENTEDKEYID234", CANARIES[0], tokens)
    made = Place(rig, tmp_path / "place", next(NUMBERS), _account())
    made.boot()
    yield made
    made.vanish()


def boot_id(place: Place) -> str:
    with place.work().link(patient=True) as link:
        return link.ask(lambda host: host.boot_id(), "boot id")


@pytest.mark.parametrize("left", UNTIL)
@pytest.mark.parametrize("vintage", vintages(), ids=lambda vintage: vintage.name)
def test_a_host_of_an_earlier_version_comes_to_its_end(vintage, left, place, tmp_path) -> None:
    """Packages, users, nodes were begun by older commands: it is not rebooted again, and its nodes run."""
    root = vintage.unpack(tmp_path / "vintage", "recipes")
    phases = json.loads((root / "recipes/tahoe.json").read_text("utf-8"))
    before, after = ([Command(**told) for told in phase] for phase in phases)
    names = [command.name for command in after]
    after = after[: names.index(UNTIL[left]) + 1] if UNTIL[left] else after
    with place.rig.inside():
        _listen(place)
        first = boot_id(place)
        with place.work().link(patient=True) as link:
            link.commands(before)
            link.place(NOTE, Secret(first), mode=0o644, owner="root")
            link.host().reboot()
        while (second := boot_id(place)) == first:
            time.sleep(0.5)
        with place.work().link(patient=True) as link:
            link.commands(after)
    place.must(INSTALL)
    with place.rig.inside():
        assert boot_id(place) == second
    place.must(BOUNCE)
    status = place.shell("for name in bucket introducer storageserver; do sudo sv status lae-$name; done")
    assert status.count("run: lae-") == 3


def _listen(place: Place) -> None:
    """As soon as the host listens it gets its final key."""
    until = time.monotonic() + 60
    while True:
        try:
            return replace_host_key(place.work())
        except (NotListening, Transient):
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
