"""The notebooks: they run, they leak nothing, they are committed without outputs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EVIDENCE = ROOT / "fixtures" / "evidence"
SECRET_FIELDS = (
    "user_secret_key",
    "user_token",
    "product_token",
    "introducer_furl",
    "introducer_node_pem",
    "server_node_pem",
    "server_node_privkey",
)


def canaries() -> set[str]:
    """Every secret of the fixtures, as pieces that no line break can hide.

    A pem is as many canaries as it has lines.
    """
    found: set[str] = set()
    for line in (ROOT / "fixtures" / "evidence.truth.jsonl").read_text("utf-8").split("\n"):
        fields = json.loads(line)["fields"] if line else {}
        for name in SECRET_FIELDS:
            if fields.get(name):
                found.update(part for part in fields[name].split("\n") if not part.startswith("-----"))
    return found


def texts(outputs: list) -> Iterator[str]:
    """Every text in the outputs of a notebook, of whatever media type, decoded."""
    for output in outputs:
        for value in output.values() if isinstance(output, dict) else output if isinstance(output, list) else ():
            if isinstance(value, str):
                yield value
            else:
                yield from texts([value])


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


@pytest.fixture
def executed(notebook, monkeypatch):
    monkeypatch.setenv("LAE_EVIDENCE", str(EVIDENCE))
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": NOTEBOOKS[0].parent}}
    )
    client.execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_it_shows_two_pictures_the_tables_and_an_explanation_but_no_secret(executed):
    """Every cell runs without a warning; no secret of the fixtures stands in any output, the explained account does."""
    kinds = [kind for output in executed for kind in output.get("data", {})]
    assert kinds.count("image/png") == 2
    assert kinds.count("text/html") >= 6
    assert [output for output in executed if output["output_type"] in ("error", "stream")] == []
    told = "\n".join(texts(executed))
    assert "witnesses of equal standing disagree" in told
    assert sorted(canary for canary in canaries() if canary in told) == []
    assert "PRIVATE KEY" not in told
    assert "pb://" not in told


def test_the_search_for_secrets_finds_what_stands_in_the_open():
    """Nearly every canary is found in the evidence itself, so finding none elsewhere means something."""
    told = b"\n".join(path.read_bytes() for path in EVIDENCE.rglob("*") if path.is_file()).decode("latin-1")
    known = canaries()
    assert len(known) > 100
    assert sum(canary in told for canary in known) > 0.9 * len(known)
    nested = [{"data": {"text/html": ["<td>", {"deep": "needle"}]}}]
    assert "needle" in list(texts(nested))


def test_it_is_committed_without_outputs(notebook):
    """No output, no execution count, and cell ids that say what the cell is: a diff shows what somebody changed."""
    for cell in notebook.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert cell["metadata"] == {}
    ids = [cell["id"] for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(name.replace("-", "").isalpha() for name in ids)


@pytest.mark.parametrize("csv", [b"", b"2012-01-06T15:54:54Z,ABCDEFGHIJKLMNOP,0C4E91D7,Ann,ann@example.org,\n"])
def test_it_runs_over_a_folder_in_which_there_is_nothing_to_audit(notebook, monkeypatch, tmp_path, csv):
    """A folder with nothing but an empty log gives empty tables and pictures, no error."""
    import matplotlib as mpl

    mpl.use("Agg")
    (tmp_path / "activation_requests.csv").write_bytes(csv)
    (tmp_path / "signup_logs").mkdir()
    (tmp_path / "signup_logs" / f"2012-01-06T155454Z-{'a' * 32}").write_bytes(b"")
    monkeypatch.setitem(os.environ, "LAE_EVIDENCE", str(tmp_path))
    names: dict = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, cell["id"], "exec"), names)
    names["plt"].close("all")
    assert set(names["case"].audit["verdict"]) <= {"ABANDONED"}
