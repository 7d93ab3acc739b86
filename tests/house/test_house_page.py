"""docs/house.md draws the rooms of laeforensics as they are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "laeforensics"
PAGE = (ROOT / "docs" / "house.md").read_text("utf-8")
TABLE = PAGE.partition("## laeforensics")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", TABLE, re.MULTILINE)


def modules(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}


def test_every_module_has_its_place_on_the_page():
    """Each room is a row with exactly its modules; what stands beside the rooms is told as the package's own."""
    told: dict[str, set[str]] = {}
    for room, names in ROWS:
        told.setdefault(room, set()).update(re.findall(r"`(\w+)`", names))
    rooms = {path.parent.name: modules(path.parent) for path in PACKAGE.glob("*/__init__.py")}
    assert told == {**rooms, "laeforensics": modules(PACKAGE)}


def test_the_rooms_stand_in_the_order_of_the_contract():
    """The page tells the layers from below, as pyproject.toml does from above."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    order = {name.strip(): place for place, layer in enumerate(reversed(layers)) for name in layer.split("|")}
    places = [
        max(order[name] for name in (re.findall(r"`(\w+)`", names) if room == "laeforensics" else [room]))
        for room, names in ROWS
    ]
    assert places == sorted(places)
