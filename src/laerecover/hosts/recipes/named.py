"""Which recipes there are, by name."""

from __future__ import annotations

from laerecover.hosts.recipes.recipe import Recipe
from laerecover.settings import RECIPES


def recipe_named(name: str) -> Recipe:
    """The recipe of that name, one of settings.RECIPES. Raises ValueError."""
    from laerecover.hosts.recipes.legacy_2012_s3 import Legacy2012S3
    from laerecover.hosts.recipes.tahoe import Tahoe

    made: dict[str, Recipe] = dict(zip(RECIPES, (Tahoe(), Legacy2012S3()), strict=True))
    if name not in made:
        raise ValueError(f"no recipe of that name; known are: {', '.join(RECIPES)}")
    return made[name]
