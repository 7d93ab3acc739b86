"""How long audit.html of many accounts takes: to write, to open, to search, to sort, to ask one account why."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "fixtures"), str(ROOT / "tests/e2e")]

import browser as browsers  # noqa: E402  its folder is put on the path first

import laeforensics as lf  # noqa: E402  its folder is put on the path first
from generate import write_evidence  # noqa: E402  its folder is put on the path first
from laeforensics.present import pages  # noqa: E402  its folder is put on the path first

PAINTED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
"""Is fulfilled once what was changed stands on the screen."""
TRIES = 3


def told(what: str, seconds: list[float]) -> None:
    """One line of figures."""
    print(f"  {what:<34} {' '.join(f'{each:6.2f}' for each in seconds)} s")


def measured(page: Any, act: Callable[[], object]) -> float:
    """Seconds until what somebody does is seen."""
    begun = time.perf_counter()
    act()
    page.evaluate(PAINTED)
    return time.perf_counter() - begun


def worked_with(chromium: Any, path: Path, last: str) -> None:
    """The page as somebody works with it; a page of its own for each try."""
    figures: dict[str, list[float]] = {}
    for _ in range(TRIES):
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        steps: dict[str, Callable[[], object]] = {
            "usable": lambda page=page: page.goto(path.as_uri()),
            "a search for nothing": lambda page=page: page.get_by_label("search").fill("no such thing anywhere"),
            "a search for one account": lambda page=page: page.get_by_label("search").fill(last),
            "all shown again": lambda page=page: page.get_by_role("button", name="show all").click(),
            "sorted by the day of the signup": lambda page=page: page.locator("#accounts th button").last.click(),
            "a why opened": lambda page=page: page.locator(".why summary").first.click(),
        }
        for what, act in steps.items():
            figures.setdefault(what, []).append(measured(page, act))
        page.close()
    for what, seconds in figures.items():
        told(what, seconds)


def main() -> None:
    """Print the figures; where no browser is, say so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_evidence(folder / "evidence", seed=7, accounts=asked.accounts, noise="small")
        case = lf.open_case(folder / "evidence")
        accounts, output = case.judgement.accounts, folder / "audit.html"
        begun = time.perf_counter()
        pages.write_page(case.judgement, output)
        written = time.perf_counter() - begun
        linked = list((folder / "audit.d").rglob("*.html"))
        size, more = output.stat().st_size / 1e6, sum(each.stat().st_size for each in linked) / 1e6
        print(
            f"audit.html of {len(accounts)} accounts and attempts: {size:.1f} MB, {len(linked)} linked pages of "
            f"{more:.1f} MB"
        )
        told("written", [written])
        if reason := browsers.missing():
            print(f"  no browser, so nothing else is measured: {reason}")
            return
        with browsers.browser() as chromium:
            worked_with(chromium, output, accounts[-1].account_id)


if __name__ == "__main__":
    main()
