"""The templates of the pages; a digest lets in a page's own style or script, where nothing else may be."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING

from laeforensics.facts.masking import plain

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup

_BREAKS = re.compile(r"(?<=\w)(?:[/-](?=\w)|,)|(?<=\w)(?=@\w)")


def template(name: str) -> Template:
    """A template of this package, with autoescape."""
    return _environment().get_template(name)


def _breakable(text: str) -> Markup:
    """Names, places, commands: the next line may begin behind a slash, a dash, a comma, and before an @."""
    from markupsafe import Markup, escape

    return Markup(_BREAKS.sub("\\g<0><wbr>", str(escape(plain(str(text))))))  # noqa: S704  escaped


@cache
def verbatim(name: str) -> tuple[Markup, str]:
    """A style sheet or script of this package as it stands, and its digest as a policy names it."""
    from markupsafe import Markup

    environment = _environment()
    assert environment.loader is not None  # noqa: S101  for mypy
    text = environment.loader.get_source(environment, name)[0]
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return Markup(text), f"'sha256-{digest}'"  # noqa: S704  a file of ours


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("laeforensics.present"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = lambda value: plain(str(value))
    environment.filters["breakable"] = _breakable
    environment.globals["verbatim"] = verbatim
    return environment
