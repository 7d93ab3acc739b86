"""A folder with evidence, where the verbs are typed."""

from pathlib import Path

import pytest
from makings import evidence
from packings import write


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder that the verbs are typed in; `evidence` lies in it."""
    write(tmp_path / "evidence", evidence())
    monkeypatch.chdir(tmp_path)
    return tmp_path
