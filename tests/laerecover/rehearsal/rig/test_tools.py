"""What a machine that cannot hold a rig is told."""

from __future__ import annotations

import pytest

from laerecover.errors import LaeRecoverError
from laerecover.rehearsal.rig import tools


def test_without_root_the_reason_is_root(monkeypatch: pytest.MonkeyPatch):
    """A rig makes namespaces: who is not root learns that, and what else there is."""
    monkeypatch.setattr(tools.os, "geteuid", lambda: 1000)
    with pytest.raises(LaeRecoverError, match=r"needs root.*drill without --world") as refused:
        tools.need_tools()
    assert refused.value.exit_code == 2


def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch):
    """Every tool that is not found is named, and what installs it."""
    monkeypatch.setattr(tools.os, "geteuid", lambda: 0)
    monkeypatch.setattr(tools.shutil, "which", lambda tool: None if tool in ("debootstrap", "ip") else f"/bin/{tool}")
    with pytest.raises(LaeRecoverError, match=r"debootstrap, ip not found.*apt-get install debootstrap .*iproute2"):
        tools.need_tools()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    """The rig's own requirements are an extra: without it, the extra is named."""
    monkeypatch.setattr(tools.os, "geteuid", lambda: 0)
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda module: None if module == "moto" else object())
    with pytest.raises(LaeRecoverError, match=r"the extra \[rig\] is not installed \(moto\)"):
        tools.need_tools()


def test_a_tool_that_fails_is_quoted():
    """What a failing tool said last stands in the error."""
    with pytest.raises(LaeRecoverError, match="carrying failed: no such luck"):
        tools.do(["sh", "-c", "echo no such luck >&2; exit 3"], what="carrying")


def test_hosts_of_systemd_want_control_groups(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """Where no control group can be made, hosts that systemd runs are refused with what was said; others are not."""
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\necho mount: /mnt: permission denied. >&2\nexit 32\n")
    unshare.chmod(0o755)
    monkeypatch.setattr(tools, "missing", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    tools.need_tools()
    with pytest.raises(LaeRecoverError, match=r"no control groups for systemd: .*permission denied"):
        tools.need_tools("systemd")
