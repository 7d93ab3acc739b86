"""The notebooks: they run, they leak nothing, they are committed without outputs."""

from __future__ import annotations

import html
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from laeforensics.cli import main
from laeforensics.present import notebooks
from laerecover.manifest import read_manifest

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


def test_it_shows_tables_and_pictures_but_no_secret(executed):
    """Every cell runs without a warning; no secret of the fixtures stands in any output, the doubtful account does."""
    kinds = [kind for output in executed for kind in output.get("data", {})]
    assert kinds.count("text/html") >= 6
    assert [output for output in executed if output["output_type"] in ("error", "stream")] == []
    told = html.unescape(html.unescape("\n".join(texts(executed))))
    assert told.count("<iframe srcdoc=") >= 2
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
        assert cell["cell_type"] != "code" or len([line for line in cell["source"].split("\n") if line]) <= 7
        assert cell.get("execution_count") is None
        assert cell["metadata"] == {}
    ids = [cell["id"] for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert all(name.replace("-", "").isalpha() for name in ids)


@pytest.mark.parametrize("csv", [b"", b"2012-01-06T15:54:54Z,ABCDEFGHIJKLMNOP,0C4E91D7,Ann,ann@example.org,\n"])
def test_it_runs_over_a_folder_in_which_there_is_nothing_to_audit(notebook, monkeypatch, tmp_path, csv):
    """A folder with nothing but an empty log gives empty tables and pictures, no error."""
    (tmp_path / "activation_requests.csv").write_bytes(csv)
    (tmp_path / "signup_logs").mkdir()
    (tmp_path / "signup_logs" / f"2012-01-06T155454Z-{'a' * 32}").write_bytes(b"")
    names = run(notebook, monkeypatch, LAE_EVIDENCE=str(tmp_path))
    assert set(names["case"].audit["verdict"]) <= {"ABANDONED"}


def run(notebook, monkeypatch, **environment: str) -> dict:
    """The cells one after the other in this process; their names."""
    for name, value in environment.items():
        monkeypatch.setitem(os.environ, name, value)
    names: dict = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, cell["id"], "exec"), names)
    return names


def test_an_account_is_decided_judged_again_and_exported(monkeypatch, tmp_path):
    """What 02 is for: the decision is kept, the account is recoverable, the manifest holds it."""
    environment = {"LAE_EVIDENCE": str(EVIDENCE), "LAE_CASE": str(tmp_path / "case"), "LAE_ACCOUNT": "joe_7@"}
    environment |= {"LAE_FIELD": "product_token", "LAE_WITNESS": "1", "LAE_OUTPUT": str(tmp_path / "m.parquet")}
    environment |= {"LAE_KEY_FILE": str(tmp_path / "key/k")}
    names = run(nbformat.read(NOTEBOOKS[1], as_version=4), monkeypatch, **environment)
    assert "1 changed" in names["see"].difference(names["before"], names["case"])._repr_html_()
    assert (tmp_path / "case/decisions.jsonl").is_file()
    told = read_manifest(tmp_path / "m.parquet", key_file=tmp_path / "key/k")
    assert {a.verdict for a in told.accounts if a.customer_email == "joe_7@mail.example.org"} == {"RECOVERABLE"}


def test_hostile_text_is_text_in_a_notebook():
    """Tables escape what they show, and no page within the page can be left."""
    told = notebooks.table([{"name": "<script>alert(1)</script>\x1b"}], ["name"])._repr_html_()
    assert "<script>alert(1)" not in told
    assert "\x1b" not in told


def test_they_are_laid_beside_the_case(tmp_path, capsys):
    """`laeforensics notebook`: both, with the evidence and the case folder in them; they run; what is there stays."""

    def typed(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    shutil.copytree(EVIDENCE, tmp_path / "it's evidence")
    code, out, err = typed("notebook", tmp_path / "it's evidence")
    folder = tmp_path / "it's evidence.notebooks"
    assert (code, err) == (0, "")
    assert f"next: jupyter lab {shlex.quote(str(folder))}" in out
    for path in sorted(folder.iterdir()):
        told = nbformat.read(path, as_version=4)
        nbformat.validate(told)
        assert str(tmp_path) in told.cells[1].source
        assert "fixtures" not in told.cells[1].source
    code, _, err = typed("notebook", tmp_path / "it's evidence")
    assert (code, "--output FOLDER" in err) == (2, True)
    assert typed("notebook", tmp_path / "nowhere")[0] == 2
    assert typed("notebook", tmp_path / "it's evidence", "-o", tmp_path / "it's evidence/n")[0] == 2
