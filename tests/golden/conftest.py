"""Cases and folders that many goldens share.

Helpers are imported by name: pytest's importlib mode puts no folder on the path.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "fixtures"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import consoles  # noqa: E402  its folder is put on the path first
import goldens  # noqa: E402  its folder is put on the path first
import tables  # noqa: E402  its folder is put on the path first

import laeforensics as lf  # noqa: E402  its folder is put on the path first


@pytest.fixture(scope="session")
def case() -> lf.Case:
    """The case of fixtures/evidence."""
    return lf.open_case(tables.FIXTURES)


@pytest.fixture(scope="session")
def mini() -> lf.Case:
    """The case of the folder that LAE_EVIDENCE names, if it is the one of mini.csv."""
    folder = os.environ.get("LAE_EVIDENCE")
    if not folder:
        pytest.skip("LAE_EVIDENCE names no folder of real logs")
    names = [path.name for path in Path(folder).rglob("*") if path.is_dir() or "signup_logs" in path.parts]
    rows = tables.read_csv((goldens.HERE / "mini.csv").read_text("utf-8"))
    missing = [row["seed"] for row in rows if not any(f"Z-{row['seed']}" in name for name in names)]
    if missing:
        pytest.skip(f"LAE_EVIDENCE names another folder: {len(missing)} logs of the table are not in it")
    return lf.open_case(folder)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to type in: `evidence` is a copy of fixtures/evidence, `key/k` a key.

    So every path is typed alike everywhere.
    """
    desk = tmp_path_factory.mktemp("desk")
    shutil.copytree(tables.FIXTURES, desk / "evidence")
    (desk / "key").mkdir(mode=0o700)
    (desk / "key/k").write_bytes(consoles.KEY)
    (desk / "key/k").chmod(0o600)
    return desk


@pytest.fixture(scope="session")
def audited(desk: Path) -> consoles.Ended:
    """`laeforensics audit --json` on the desk: it has left manifest.parquet, audit.parquet and the case folder."""
    words = ("--output", "manifest.parquet", "--key-file", "key/k", "--case", "case", "--json")
    ended = consoles.laeforensics(desk, "audit", "evidence", *words)
    assert ended.code == 0, ended.err
    return ended
