"""What the goldens take of the two packages that is no public door, all of it here.

Whoever moves a module mends this file alone.

The public doors are `import laeforensics` and the two console programs. Everything else may live elsewhere tomorrow;
what it does may not change.
"""

from __future__ import annotations

from laeforensics.cli import app as laeforensics_app
from laerecover.adapters.phases import phase_digest, phase_script
from laerecover.cli import app as laerecover_app
from laerecover.hosts.identity import NodeKeys
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import Recipe, Site
from laerecover.manifest import Account, Secret, read_manifest, write_manifest
from laerecover.ports.hosts import Command
from laerecover.settings import RECIPES

__all__ = [
    "RECIPES",
    "Account",
    "Command",
    "NodeKeys",
    "Recipe",
    "Secret",
    "Site",
    "laeforensics_app",
    "laerecover_app",
    "phase_digest",
    "phase_script",
    "read_manifest",
    "recipe_named",
    "write_manifest",
]
