"""Which recipes there are."""

from __future__ import annotations

import pytest

from laerecover.hosts.recipes.named import RECIPE_OF_NAME, recipe_named
from laerecover.settings import RECIPES


def test_the_recipes_are_those_that_settings_can_name():
    """In the same order, and each by its own class."""
    assert tuple(RECIPE_OF_NAME) == RECIPES
    assert [type(recipe_named(name)) for name in RECIPES] == list(RECIPE_OF_NAME.values())


def test_a_recipe_that_is_not_there_is_refused_with_those_that_are():
    """Both names are in the message."""
    with pytest.raises(ValueError, match="tahoe, legacy-2012-s3"):
        recipe_named("windows")
