"""The makings and the generator are imported by name: pytest's importlib mode puts no folder on the path."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "fixtures"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@pytest.fixture
def typed(capsys) -> Callable[..., tuple[int, str, str]]:
    """Type a line; exit code, standard output, standard error."""
    from laeforensics.cli import main

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run
