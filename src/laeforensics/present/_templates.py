"""The templates of the pages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from laeforensics.facts.masking import plain

if TYPE_CHECKING:
    from jinja2 import Template


@cache
def template(name: str) -> Template:
    """A template of this package, with autoescape."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("laeforensics.present"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = lambda value: plain(str(value))
    return environment.get_template(name)
