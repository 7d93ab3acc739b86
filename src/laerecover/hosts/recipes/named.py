"""Which recipes there are, by name."""

from __future__ import annotations

from laerecover.hosts.recipes.legacy_2012_s3 import Legacy2012S3
from laerecover.hosts.recipes.recipe import Recipe
from laerecover.hosts.recipes.tahoe import Tahoe

RECIPE_OF_NAME: dict[str, type[Recipe]] = {"tahoe": Tahoe, "legacy-2012-s3": Legacy2012S3}
"""Every recipe; its names are settings.RECIPES, which is read before a recipe is."""


def recipe_named(name: str) -> Recipe:
    """The recipe of that name, one of settings.RECIPES. Raises ValueError."""
    if name not in RECIPE_OF_NAME:
        raise ValueError(f"no recipe of that name; known are: {', '.join(RECIPE_OF_NAME)}")
    return RECIPE_OF_NAME[name]()
