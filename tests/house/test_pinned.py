"""What is installed, here and on hosts, is pinned by version and digest: the same today and in a year."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement

from laerecover.hosts.programs.old_shares import RELEASE
from laerecover.hosts.scripts import program

ROOT = Path(__file__).resolve().parents[2]
OURS = ("run", "dev")
HOSTS = ("builders.txt", "tahoe.txt", "joining.txt")
PYTHONS = ("3.9.2", "3.10.6", "3.11.2", "3.12.3", "3.13.5")
"""Of Debian 11, 12 and 13, of Ubuntu 22.04 and 24.04."""
DIGEST = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def blocks(text: str) -> list[tuple[Requirement, int]]:
    """Each requirement, with the number of its digests."""
    whole = text.replace("\\\n", " ").splitlines()
    return [(Requirement(line.partition(" --hash")[0]), len(DIGEST.findall(line))) for line in whole]


def ours(name: str) -> str:
    return (ROOT / f"requirements/{name}.txt").read_text("utf-8")


def chosen(text: str, python: str) -> dict[str, str]:
    """Package -> its version on a Debian with that Python; it must be one."""
    here = {**default_environment(), "python_full_version": python, "python_version": python.rpartition(".")[0]}
    here |= {"sys_platform": "linux", "implementation_name": "cpython", "platform_python_implementation": "CPython"}
    found: dict[str, str] = {}
    for each, _ in blocks(text):
        if each.marker is None or Marker(str(each.marker)).evaluate(here):
            assert each.name not in found, f"two versions of {each.name} on Python {python}"
            found[each.name] = str(each.specifier).removeprefix("==")
    return found


@pytest.mark.parametrize("text", [*map(ours, OURS), *map(program, HOSTS)], ids=[*OURS, *HOSTS])
def test_each_package_is_pinned_by_version_and_digest(text):
    """Pip then refuses whatever else it is given."""
    assert [
        str(each) for each, digests in blocks(text) if digests == 0 or not str(each.specifier).startswith("==")
    ] == []


def test_what_is_pinned_fits_what_we_say_that_we_need():
    """A floor that is raised, a package more: `make lock`."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = told["project"]
    needs = {"run": project["dependencies"] + told["build-system"]["requires"], "dev": project["dependencies"]}
    needs["dev"] += [each for extra in project["optional-dependencies"].values() for each in extra]
    for name, some in needs.items():
        there = chosen(ours(name), "3.11.2")
        for need in map(Requirement, some):
            assert need.name == "lae-recovery" or need.specifier.contains(there[need.name]), need


@pytest.mark.parametrize("python", PYTHONS[2:])
def test_a_runner_has_what_the_tests_have(python):
    """What is tried is what is run."""
    run, dev = chosen(ours("run"), python), chosen(ours("dev"), python)
    assert run.items() <= dev.items()


def test_the_tests_run_with_what_is_pinned():
    """Here, too: the doors install nothing else."""
    here = default_environment()
    pinned = chosen(ours("dev"), here["python_full_version"])
    assert {name: version(name) for name in pinned} == pinned


@pytest.mark.parametrize("python", PYTHONS)
def test_hosts_have_one_version_of_each(python):
    """Tahoe-LAFS is the release that the patch of old shares knows; boto3 is what joins."""
    tahoe, joining, builders = (chosen(program(name), python) for name in ("tahoe.txt", "joining.txt", "builders.txt"))
    name, _, release = RELEASE.partition("==")
    assert tahoe[name] == release
    assert joining.keys() == {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
    assert builders.keys() == {"setuptools"}
    assert tahoe.get("setuptools", builders["setuptools"]) == builders["setuptools"]
