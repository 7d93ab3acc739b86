"""The reboot in install_server: proved by the boot id, told with the console's end when it fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from laerecover.ports.hosts import CommandResult
from laerecover.rehearsal.twin.compute import TwinCompute
from laerecover.rehearsal.twin.hosts import TwinHost


@pytest.fixture
def bench(make_bench):
    """Waits only a moment for a reboot."""
    made = make_bench()
    made.work = replace(made.work, settings=made.work.settings.changed(waits={"reboot_deadline": 5.0}))
    return made


def test_a_host_is_rebooted_once(bench):
    """However often the step is carried out, the host was booted twice in all."""
    bench.recover()
    bench.recover()
    assert [row["boots"] for row in bench.rows("instances")] == [2]


def test_a_host_that_never_went_down_is_told_apart(bench, monkeypatch):
    """The same boot id all along: no reboot took place."""
    monkeypatch.setattr(TwinHost, "reboot", lambda self: None)
    (failure,) = bench.recover()["failures"]
    assert failure["kind"] == "reboot_failed"
    assert "never went down" in failure["message"]


def test_a_host_that_never_comes_back_is_told_with_its_console(bench, monkeypatch):
    """What the machine printed last is in the failure, made fit to be shown."""

    def die(self):
        with bench.file.change() as db:
            db.execute("UPDATE instances SET boots = boots + 1, refusals = 1000000")

    monkeypatch.setattr(TwinHost, "reboot", die)
    monkeypatch.setattr(TwinCompute, "console", lambda self, instance_id: "x\n" * 9999 + "Kernel \x1b[31mpanic\n")
    (failure,) = bench.recover()["failures"]
    assert failure["kind"] == "reboot_failed"
    assert "never came back" in failure["message"]
    assert failure["message"].endswith("Kernel ·[31mpanic")


def test_a_disk_that_becomes_full_in_the_middle_is_told_as_such(bench, monkeypatch):
    """Whatever program it befalls: the failure is the disk's, with its remedy."""

    def fill(self, commands, heard=None):
        said = "Building wheel: failed | error: [Errno 28] No space left on device: 'wheel' | note: not pip's problem"
        return [CommandResult(name=commands[0].name, status=1, tail=said)]

    monkeypatch.setattr(TwinHost, "run", fill)
    (failure,) = bench.recover()["failures"]
    assert failure["kind"] == "disk_full"
    assert "make room there or choose a larger root volume" in failure["message"]
