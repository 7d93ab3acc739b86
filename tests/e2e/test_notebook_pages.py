"""The notebooks' outputs in a browser that reaches nothing: tables sort and filter, pictures are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser as browsers
import pytest

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsers.browser() as found:
        yield found


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def outputs(request, tmp_path, monkeypatch) -> Path:
    """Everything that a notebook displays as HTML, one below the other, as a page."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("LAE_EVIDENCE", str(ROOT / "fixtures/evidence"))
    monkeypatch.setenv("LAE_CASE", str(tmp_path / "case"))
    notebook = nbformat.read(request.param, as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    told = [o["data"]["text/html"] for c in notebook.cells for o in c.get("outputs", []) if "text/html" in o["data"]]
    page = tmp_path / "outputs.html"
    page.write_text("<!doctype html><meta charset=utf-8><body>" + "\n".join(map("".join, told)), "utf-8")
    return page


def test_a_notebook_is_drawn_offline(browser, outputs):
    """No request leaves; each table has its search and as many rows as it should, each picture its marks."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.set_offline(True)
    page = context.new_page()
    page.goto(outputs.as_uri())
    search = page.locator(".dt-search input").first
    search.wait_for()
    rows = page.locator("table.dataTable").first.locator("tbody tr")
    before = rows.count()
    assert before > 1
    search.fill("no such thing anywhere")
    assert rows.count() == 1
    search.fill("")
    page.locator("table.dataTable").first.locator("thead th").nth(1).click()
    page.locator("th.dt-ordering-asc").first.wait_for()
    pictures = [frame for frame in page.frames if frame.locator("svg.marks").count()]
    assert pictures
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:", "blob:"))] == []


def test_a_picture_answers_to_the_mouse(browser, outputs):
    """Where the mouse rests on a mark, the picture says what it stands for."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(outputs.as_uri())
    page.frame_locator("iframe").first.locator("svg.marks").first.wait_for()
    frame = page.frame_locator("iframe").first
    frame.locator(".mark-symbol.role-mark path, .mark-rect.role-mark path").first.hover()
    tip = frame.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert tip.inner_text().strip()
