"""What a script or a notebook needs is a name of the package itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from makings import BUCKET, config, evidence, open_files

import laeforensics as lf

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def test_every_name_of_the_door_is_there():
    """Each name that the package promises can be had, and is what its home calls so."""
    assert sorted(lf.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)) == lf.__all__
    assert set(lf.__all__) <= set(dir(lf))
    for name in lf.__all__:
        thing = getattr(lf, name)
        assert getattr(thing, "__name__", name) == name


def test_another_name_is_refused_as_of_any_module():
    """AttributeError, so that hasattr and import tell the truth."""
    assert not hasattr(lf, "open_cases")
    with pytest.raises(ImportError):
        exec("from laeforensics import open_cases")


def test_every_error_is_at_the_door():
    """Whatever the library raises on purpose can be caught by a name of the package."""
    kinds = {kind.__name__ for kind in lf.ForensicsError.__subclasses__()}
    assert kinds | {"ForensicsError"} == {name for name in lf.__all__ if name.endswith(("Error", "Key"))}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_goes_by_the_door_alone(path):
    """It imports `laeforensics as lf`, the pictures and tables that are made for it, and nothing else from within."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    imports = re.findall(r"^\s*(?:from|import) +((?:laeforensics|laerecover).*)$", source, re.MULTILINE)
    assert imports == ["laeforensics as lf", "laeforensics.present import notebooks as see"]


def test_a_decision_is_seen_in_every_table_that_was_looked_at_before(tmp_path):
    """Tables are kept once made; a decision makes those anew that it changes."""
    two = [{"full_name": "x", "product_code": "ABCD0123", "product_token": "{ProductToken}" + c * 20} for c in "AB"]
    case = open_files(tmp_path, evidence(secrets=None, config=config(*two)))
    assert case.audit.verdict[0] == "CONTESTED"
    assert case.findings is case.findings
    before = len(case.findings)
    case.decide(BUCKET, "product_token", witness=1, who="Carol", because="asked")
    assert case.audit.verdict[0] == "RECOVERABLE"
    assert len(case.findings) < before
