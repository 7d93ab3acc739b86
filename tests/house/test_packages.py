"""Wheel and sdist are whole: installed away from the checkout, each reads a log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import lark
import pytest

ROOT = Path(__file__).resolve().parents[2]
LOG = next(path for path in sorted((ROOT / "fixtures/evidence/signup_logs").iterdir()) if path.stat().st_size > 50_000)
INGREDIENTS = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "MANIFEST.in", "src", "grammars", "notebooks")
LITTER = shutil.ignore_patterns("__pycache__", "*.egg-info")
READ = """
import json, sys
import lark
lark.Lark.open_from_package = None  # what comes with the wheel is compiled
import laeforensics, laeforensics.grammars, laerecover
case = laeforensics.open_case(sys.argv[1])
homes = [laeforensics.__file__, laeforensics.grammars.__file__, laerecover.__file__]
row = case.signups.iloc[0]
print(json.dumps([homes, row.log_file, row.bucket_name, row.user_secret_key is not None]))
"""


def run(*command: object, cwd: Path) -> str:
    """Run a command in a folder of its own, with an environment that leads nowhere; its standard output."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"}
    words = [str(word) for word in command]
    told = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """The sdist, a wheel made of the tree and a wheel made of the sdist, all built in a copy of the tree."""
    folder = tmp_path_factory.mktemp("packages")
    tree = folder / "tree"
    tree.mkdir()
    for name in INGREDIENTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=LITTER)
        elif source.exists():
            shutil.copy(source, tree)
    build = (sys.executable, "-m", "build", "--no-isolation")
    run(*build, "--sdist", "--wheel", "--outdir", folder / "of-tree", tree, cwd=folder)
    (sdist,) = (folder / "of-tree").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        # Python before 3.11.4 has no filters; it takes no notice of this.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder / "unpacked")
    (unpacked,) = (folder / "unpacked").iterdir()
    run(*build, "--wheel", "--outdir", folder / "of-sdist", unpacked, cwd=folder)
    (of_tree,), (of_sdist,) = (folder / "of-tree").glob("*.whl"), (folder / "of-sdist").glob("*.whl")
    return {"tree": tree, "sdist": sdist, "wheel of the tree": of_tree, "wheel of the sdist": of_sdist}


@pytest.mark.parametrize("which", ["wheel of the tree", "wheel of the sdist"])
def test_it_reads_a_log_in_a_bare_environment(built, which, tmp_path):
    """Installed alone and called elsewhere, the package finds its grammars and reads a log; both shells answer."""
    bare = tmp_path / "bare"
    run(sys.executable, "-m", "venv", "--without-pip", bare, cwd=tmp_path)
    python = bare / "bin/python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        built[which],
        cwd=tmp_path,
    )
    # The libraries it stands on are borrowed, after the installation so that it cannot touch them. Nothing is borrowed
    # of the project itself: a folder named in a .pth file has no .pth files of its own read.
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    (Path(site) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    evidence = tmp_path / "evidence" / "signup_logs"
    evidence.mkdir(parents=True)
    shutil.copy(LOG, evidence)
    homes, log_file, bucket, has_secret = json.loads(run(python, "-c", READ, evidence.parent, cwd=tmp_path))
    assert all(Path(home).is_relative_to(site) for home in homes)
    assert (log_file, has_secret) == (f"signup_logs/{LOG.name}", True)
    assert bucket.endswith(LOG.name.rpartition("-")[2])
    assert bucket in run(bare / "bin/laeforensics", "explain", evidence.parent, bucket, cwd=tmp_path)
    assert "drill" in run(bare / "bin/laerecover", "--help", cwd=tmp_path)


def test_wheel_and_sdist_hold_every_file_of_the_packages(built):
    """Every module, template, grammar and sample of the tree is in both.

    A package forgotten in pyproject.toml shows.
    """
    source, grammar = built["tree"] / "src", built["tree"] / "grammars"
    wanted = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and not path.parent.name.endswith(".egg-info")
    }
    beside = {
        f"laeforensics/grammars/{path.name}"
        for path in grammar.iterdir()
        if path.suffix in (".py", ".lark", ".md", ".toml")
    }
    beside |= {
        f"laeforensics/notebooks/{path.name}" for path in (built["tree"] / "notebooks").iterdir() if path.is_file()
    }
    tables = {f"laeforensics/grammars/{path.stem}.{lark.__version__}.tables" for path in grammar.glob("*_*.lark")}
    for which in ("wheel of the tree", "wheel of the sdist"):
        with zipfile.ZipFile(built[which]) as archive:
            held = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert held == wanted | beside | tables
    with tarfile.open(built["sdist"]) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"src/{name}" for name in wanted} | {name.partition("/")[2] for name in beside} <= held
