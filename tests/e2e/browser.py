"""Debian's chromium, driven by Playwright: a page is asked what a reader would see. Nothing is downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

WORDS = """() => {
  const broken = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (["SCRIPT", "STYLE"].includes(node.parentElement.tagName) || !node.parentElement.checkVisibility()) continue;
    for (const word of node.data.matchAll(/[\\p{L}\\p{N}_.%+‹›']+/gu)) {
      const range = document.createRange();
      range.setStart(node, word.index); range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].filter((r) => r.width > 0).map((r) => Math.round(r.top)));
      if (lines.size > 1) broken.push(`${word[0]} in ${node.parentElement.tagName} ${node.data.slice(0, 80)}`);
    }
  }
  return broken;
}"""
"""The words and numbers that do not stand on one line."""


def missing() -> str | None:
    """Why no browser can be driven here; None if one can."""
    lacking = [name for name in ("playwright", "axe_playwright_python") if find_spec(name) is None]
    if lacking:
        return f"{', '.join(lacking)} is not installed (pip install -e '.[dev]')"
    return None if shutil.which("chromium") else "chromium not found (make rig-tools installs it)"


@contextmanager
def browser(program: Path | None = None) -> Iterator[Any]:
    """A browser that lives as long as the block; skipped with the reason where there is none.

    `program` stands for chromium where that is begun in another way.
    """
    reason = missing()
    if reason is not None:
        pytest.skip(f"no browser: {reason}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Its sandbox cannot be set up by root; it sees nothing but files that these tests wrote.
        path = program or shutil.which("chromium")
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def overflow(page: Any) -> list[str]:
    """What reaches beyond the right edge of the page."""
    return page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.closest(".vh, .skip")
        && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .map((e) => `${e.tagName} ${e.className} ${e.textContent.slice(0, 60)}`)"""
    )


def broken_words(page: Any) -> list[str]:
    """The words and numbers that do not stand on one line; what is wider than a phone must break somewhere."""
    return [told for told in page.evaluate(WORDS) if len(told.partition(" in ")[0]) <= 36]


def complaints(page: Any) -> list[str]:
    """What axe finds against WCAG 2 A and AA, and its own best practices."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node['html'][:200]}" for one in found for node in one["nodes"]
    ]
