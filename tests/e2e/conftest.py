"""One rig for the whole session, and a way into its hosts; skipped with the reason where no rig can be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from laerecover.rehearsal.rig.client import Rig, up
from laerecover.rehearsal.rig.tools import missing

HERE = Path(__file__).resolve().parent
for folder in (HERE.parents[1] / "fixtures", HERE.parent / "contracts", HERE):  # this folder's conftest is found first
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


ROOT = HERE.parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is e2e."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """What the audit makes of the fixtures' evidence, for a drill on a rig; its key is key/manifest.key beside it."""
    _need_rig()
    place = tmp_path / "manifest.parquet"
    audit = [Path(sys.executable).with_name("laeforensics"), "audit", ROOT / "fixtures/evidence", "--output", place]
    more = ["--case", tmp_path / "case", "--key-file", tmp_path / "key/manifest.key"]
    subprocess.run([*audit, *more], check=True, capture_output=True, timeout=120)
    return place


def _need_rig() -> None:
    reason = missing()
    if reason is not None:
        pytest.skip(f"no rig: {reason} (make rig-tools installs the tools)")


def start(folder: Path, *, faults: str = "") -> Rig:
    """A rig that dies with this process."""
    _need_rig()
    return up(folder, say=lambda text: print(text, file=sys.stderr), faults=faults, with_parent=True)


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The session's rig."""
    rig = start(tmp_path_factory.mktemp("rig"))
    yield rig
    rig.down()


@pytest.fixture
def another_rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Rigs of a test's own, ended with it."""
    made: list[Rig] = []

    def begin(faults: str = "") -> Rig:
        made.append(start(tmp_path / f"rig{len(made)}", faults=faults))
        return made[-1]

    yield begin
    for rig in made:
        rig.down()
