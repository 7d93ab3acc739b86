"""docs/house.md draws the rooms of both packages as they are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "house.md").read_text("utf-8")
PACKAGES = ["laeforensics", "laerecover"]


def rows(package: str) -> list[tuple[str, list[str]]]:
    """The table of a package: each room, as a folder below it, with its modules."""
    table = PAGE.partition(f"## {package}")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `([\w/]+)` \| (.+?) \| .+ \|$", table, re.MULTILINE)
    return [(room, re.findall(r"`(\w+)`", names)) for room, names in found]


def modules(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_its_place_on_the_page(package):
    """Each room is a row with exactly its modules; what stands beside the rooms is told as the package's own."""
    told: dict[str, set[str]] = {}
    for room, names in rows(package):
        told.setdefault(room, set()).update(names)
    folder = ROOT / "src" / package
    rooms = {str(path.parent.relative_to(folder)): modules(path.parent) for path in folder.rglob("*/__init__.py")}
    assert told == {**rooms, package: modules(folder)}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_rooms_stand_in_the_order_of_the_contract(package):
    """The page tells the layers from below, as pyproject.toml does from above."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c["type"] == "layers" and c["containers"] == [package])
    order = {name.strip(): place for place, layer in enumerate(reversed(layers)) for name in layer.split("|")}
    places = [
        max(order[name] for name in (names if room == package else [room.partition("/")[0]]))
        for room, names in rows(package)
    ]
    assert places == sorted(places)
