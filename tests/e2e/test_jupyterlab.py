"""The notebooks as a reader runs them: in JupyterLab, in a browser, where no route leads anywhere."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import browser as browsers
import pytest

from conftest import ROOT
from laeforensics.cli.notebook import NOTEBOOKS

pytestmark = pytest.mark.e2e
PATIENCE = 180
"""Seconds until a server answers, a notebook has run: busy machines are slow."""
EACH_RAN = r"""() => [...document.querySelectorAll(".jp-Notebook .jp-CodeCell .jp-InputPrompt")]
  .every((prompt) => /[0-9]/.test(prompt.textContent))"""

INTO_VIEW = "(element) => element.scrollIntoView({ block: 'center' })"


def _cannot() -> str | None:
    if os.geteuid() != 0 or any(shutil.which(tool) is None for tool in ("unshare", "nsenter", "ip")):
        return "a namespace without a route is made by root, with unshare, nsenter (util-linux), ip (iproute2)"
    if find_spec("jupyterlab") is None:
        return "jupyterlab is not installed (make .venv/.dev)"
    return browsers.missing()


class Lab:
    """A JupyterLab with nothing but loopback, over notebooks that `laeforensics notebook` has laid."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ROOT / "fixtures/evidence", folder / "evidence")
        laid = [Path(sys.executable).with_name("laeforensics"), "notebook", folder / "evidence"]
        subprocess.run(laid, check=True, capture_output=True, timeout=120)
        self.folder = folder / "evidence.notebooks"
        self._told = folder / "runtime"
        # The home is a new one: nobody's own settings count, and it asks nothing about news.
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "JUPYTER_RUNTIME_DIR": str(self._told)}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
        command += ["--port=8888", f"--ServerApp.root_dir={self.folder}"]
        begin = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
        with (folder / "lab.log").open("wb") as log:
            self.process = subprocess.Popen(begin, env=environment, stdout=log, stderr=log)
        self._log = folder / "lab.log"

    def address(self, notebook: str) -> str:
        """Where a notebook is opened, once the server answers."""
        until = time.monotonic() + PATIENCE
        while not (said := list(self._told.glob("jpserver-*.json"))):
            assert self.process.poll() is None and time.monotonic() < until, self._log.read_text("utf-8")
            time.sleep(0.2)
        token = urllib.parse.quote(json.loads(said[0].read_bytes())["token"])
        workspace = notebook.partition("_")[0]  # its own: else what was opened before would lie behind it
        return f"http://127.0.0.1:8888/lab/workspaces/{workspace}/tree/{notebook}?token={token}"

    def chromium(self) -> Path:
        """A program that begins chromium beside the server: it reaches that, and nothing else."""
        beside = self.folder.with_name("chromium")
        words = f"nsenter --target {self.process.pid} --net {shutil.which('chromium')}"
        beside.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        beside.chmod(0o755)
        return beside

    def end(self) -> None:
        """It, and its kernels."""
        self.process.terminate()
        self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[Lab]:
    if (reason := _cannot()) is not None:
        pytest.skip(f"no JupyterLab: {reason}")
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.end()


@pytest.fixture(scope="module")
def browser(lab) -> Iterator[Any]:
    lab.address(NOTEBOOKS[0])
    with browsers.browser(lab.chromium()) as found:
        yield found


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_whole(browser, lab, name, record_property):
    """Run all cells: each ran, none failed or warned; tables answer to a search, pictures have their marks."""
    begun = time.monotonic()
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(lab.address(name))
    page.get_by_text("| Idle").wait_for()  # earlier it would ask which kernel
    opened = time.monotonic()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(EACH_RAN)
    ran = time.monotonic()
    page.keyboard.press("Control+s")
    cells = saved(lab.folder / name)
    assert all(cell["execution_count"] for cell in cells)
    assert {output["output_type"] for cell in cells for output in cell["outputs"]} <= {"display_data", "execute_result"}
    record_property("told", f"JupyterLab, {name}: open in {opened - begun:.0f} s, run in {ran - opened:.0f} s")
    table = page.locator(".jp-OutputArea-output table.dataTable").first
    table.evaluate(INTO_VIEW)
    search = page.locator(".jp-OutputArea-output .dt-search input").first
    rows = table.locator("tbody tr")
    before = rows.count()
    assert before > 1
    search.fill("no such thing anywhere")
    table.get_by_text("No matching records found").wait_for()
    picture = page.locator(".jp-OutputArea-output iframe").first
    picture.evaluate(INTO_VIEW)
    picture.content_frame.locator("svg.marks .mark-rect path, svg.marks .mark-symbol path").first.wait_for()


def saved(path: Path) -> list[dict[str, Any]]:
    """The code cells of a notebook, once it was saved with their outputs."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with contextlib.suppress(json.JSONDecodeError):  # it is being written
            cells = [c for c in json.loads(path.read_bytes())["cells"] if c["cell_type"] == "code"]
            if any(cell["outputs"] for cell in cells):
                return cells
        time.sleep(0.2)
    pytest.fail(f"{path} was not saved")
