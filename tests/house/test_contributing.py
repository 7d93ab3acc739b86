"""CONTRIBUTING.md is true: what it names is there, its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_every_place_that_it_names_is_there():
    """Folders, files and links lead somewhere; every door is one of the Makefile's."""
    named = re.findall(r"`((?:src|tests|grammars|docs)/[\w./*]+)`", PAGE) + re.findall(r"\]\(([\w./]+)\)", PAGE)
    assert len(named) > 15
    assert [name for name in named if not list(ROOT.glob(name.rstrip("/")))] == []
    doors = set(re.findall(r"`make ([\w-]+)`", PAGE))
    assert doors <= set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_the_example_is_a_test_that_runs(tmp_path):
    """The makings give what the page shows."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    script = f"import sys\nsys.path[:0] = {[str(ROOT / name) for name in ('tests/laeforensics', 'fixtures')]!r}\n"
    script += textwrap.dedent(code) + f"\nfrom pathlib import Path\ntest_what_was_wrong(Path({str(tmp_path)!r}))\n"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
