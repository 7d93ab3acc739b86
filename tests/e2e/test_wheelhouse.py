"""What `make wheelhouse` collects is all that a runner without internet needs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT

REGISTRY = ("pypi.org", 443)


def _cannot() -> str | None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return "a namespace without a route is made by root, with unshare (util-linux)"
    try:
        socket.create_connection(REGISTRY, timeout=20).close()
    except OSError as problem:
        return f"a wheelhouse is collected from {REGISTRY[0]}, which does not answer: {problem}"
    return None


def alone(*command: Any) -> subprocess.CompletedProcess[str]:
    """The command where there is no network at all, loopback neither, and no pip's configuration."""
    environment = {"PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": os.devnull, "HOME": os.devnull}
    words = ["unshare", "--net", *map(str, command)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600, check=False)


def test_a_runner_is_installed_without_a_route(tmp_path: Path) -> None:
    """Installed by digests, from the folder alone; it audits, and drills a recovery."""
    reason = _cannot()
    if reason is not None:
        pytest.skip(reason)
    checkout, house, place = tmp_path / "checkout", tmp_path / "wheelhouse", tmp_path / "lae"
    shutil.copytree(
        ROOT, checkout, ignore=shutil.ignore_patterns(".venv", ".git", "build", "wheelhouse"), symlinks=True
    )
    command = ["make", "-C", str(checkout), "wheelhouse", f"WHEELHOUSE={house}", f"PYTHON={sys.executable}"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    proposed = [line.removeprefix("there:") for line in told.stdout.splitlines() if " lae" in line]
    install = "\n".join(["set -e", f"cd {tmp_path}", *proposed]).replace("python3", sys.executable)
    done = alone("sh", "-c", install)
    assert done.returncode == 0, done.stdout + done.stderr
    route = alone(place / "bin/python", "-c", "import socket; socket.create_connection(('192.0.2.1', 443), timeout=5)")
    assert "Network is unreachable" in route.stderr
    manifest, key = tmp_path / "manifest.parquet", tmp_path / "key/manifest.key"
    evidence = ROOT / "fixtures/evidence"
    done = alone(
        place / "bin/laeforensics",
        "audit",
        evidence,
        "--output",
        manifest,
        "--key-file",
        key,
        "--case",
        tmp_path / "case",
    )
    assert done.returncode == 0, done.stderr
    done = alone(place / "bin/laerecover", "drill", manifest, "--key-file", key)
    assert done.returncode == 0, done.stderr
    assert "12 of 15 accounts recovered" in done.stdout
