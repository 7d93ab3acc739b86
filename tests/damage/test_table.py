"""The damage table: no figure of any class of damage may get worse than it is committed.

`LAE_UPDATE_DAMAGE=1` writes the rows of the tests that run anew, and tells before and after.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from damages import CLASSES
from damages.measuring import measure
from damages.table import SCALES, changes, other_damage, put, read

UPDATE = os.environ.get("LAE_UPDATE_DAMAGE") == "1"
AGAIN = "to write the row anew: LAE_UPDATE_DAMAGE=1; to look into it: python tests/damage show"


def hold(name: str, scale: str, tell: Callable[[str, object], None]) -> None:
    """Measure a class of damage and hold the figures against the committed ones."""
    figures = measure(name, SCALES[scale])
    before = read().get((name, scale), dict.fromkeys(figures, 0))
    worse, better = changes(before, figures, worse=True), changes(before, figures, worse=False)
    other = other_damage(before, figures)
    if worse or better or other:
        tell("told", f"{name} ({scale}): {'; '.join([*(f'WORSE {text}' for text in worse), *better, *other])}")
    if UPDATE:
        put(name, scale, figures)
        return
    assert other == [], f"the damage itself has changed, or the row is missing; {AGAIN} {name}"
    assert worse == [], f"{AGAIN} {name}"


@pytest.mark.thorough
@pytest.mark.parametrize("name", CLASSES)
def test_no_figure_is_worse_over_a_tenth_of_the_folders(name, record_property):
    """Three folders, some forty accounts, under each class of damage."""
    hold(name, "tenth", record_property)


@pytest.mark.long
@pytest.mark.parametrize("name", CLASSES)
def test_no_figure_is_worse_over_all_folders(name, record_property):
    """Twenty-five folders, some three hundred accounts, under each class of damage."""
    hold(name, "full", record_property)
