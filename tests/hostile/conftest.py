"""The laboratory and the generator are imported by name; what is known to be wrong is marked so until it is mended."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "fixtures"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

# Test (as pytest prints it, without its file) -> what is wrong. Strict: when it is mended, its line here must go.
NOT_YET: dict[str, str] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the failures that are known, and only them."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.name in NOT_YET:
            item.add_marker(pytest.mark.xfail(strict=True, reason=NOT_YET[item.name]))
