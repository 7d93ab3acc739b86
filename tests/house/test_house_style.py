"""How the code is kept: what no module may do, what every module must say, how long a file may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FORENSICS = [path for path in SOURCES if path.is_relative_to(ROOT / "src/laeforensics")]
READER, FINDER = (ROOT / "src/laeforensics/evidence" / name for name in ("read.py", "find.py"))

# Ways to read a file, whatever the object: a method or function of one of these names, called or handed on.
READING = {"open", "read_bytes", "read_text", "fdopen", "fromfile", "memmap", "mmap", "FileIO"}
READING |= {"read_csv", "read_json", "read_table", "read_parquet", "read_pickle", "loadtxt", "genfromtxt"}
LISTING = {"walk", "fwalk", "scandir", "listdir", "glob", "rglob", "iterdir"}
WRITING = {"open", "write_bytes", "write_text", "touch", "mkdir", "unlink", "remove", "rmtree", "rename", "replace"}
WRITING |= {"symlink_to", "hardlink_to", "truncate", "chmod", "utime"}

# Files that are no evidence: decisions and custody of the case folder; a member of a zip file that was opened already;
# /dev/null, where output goes that nobody reads.
NO_EVIDENCE = ["audit/decisions.py open", "evidence/_zips.py open", "cli/_shell.py open"]
# What the program itself is made of.
NO_EVIDENCE += ["export/statement.py iterdir", "export/statement.py rglob"]
# Its own threads.
NO_EVIDENCE += ["reading/_pool.py iterdir"]
# Today's exceptions. A name may be struck off, none may be added.
FIRST_LINES_WITH_AND = [
    "laerecover/hosts/identity.py",
    "laerecover/manifest/__init__.py",
    "laerecover/manifest/errors.py",
    "laerecover/manifest/schema.py",
    "laerecover/rehearsal/twin/hosts.py",
    "laerecover/rehearsal/twin/services.py",
    "laerecover/runbook/steps/bounce_server.py",
    "laerecover/runbook/steps/install_server.py",
    "laerecover/runbook/steps/send_notify_failure.py",
]
LONG_FILES: list[str] = []
MOST_PARAMETERS = 7
MANY_PARAMETERS = {
    "laeforensics/case.py open_case": "a contract: notebooks and scripts call it by these",
    "laeforensics/cli/decide.py decide": "a verb: the shell's library makes an option of each parameter",
}
# Hosts know what they are given by its digest: no byte of it changes without need.
SENT = ROOT / "src/laerecover/hosts/programs"
# And what operators are given to fill in is a contract, held by a golden.
LONG_LINES = [SENT / "old_shares.py", ROOT / "src/laerecover/settings.example.toml"]
LONG_LINES += [ROOT / "tests/golden/settings-example.toml"]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def names_used(path: Path) -> Iterator[tuple[str, int]]:
    """Every name and attribute that the module uses or imports, with its line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.name.rpartition(".")[2], node.lineno) for alias in node.names)


def uses(paths: list[Path], names: set[str]) -> list[str]:
    """Where one of `names` is used, as `file:line name`."""
    return [
        f"{path.relative_to(ROOT)}:{line} {name}" for path in paths for name, line in names_used(path) if name in names
    ]


def test_only_two_modules_touch_evidence():
    """In laeforensics nothing but evidence/read.py reads a file and evidence/find.py lists a folder.

    Each other use is listed.
    """
    found = uses([path for path in FORENSICS if path != READER], READING)
    found += uses([path for path in FORENSICS if path != FINDER], LISTING)
    known = [re.sub(r":\d+ ", " ", use.removeprefix("src/laeforensics/")) for use in found]
    assert sorted(known) == sorted(NO_EVIDENCE), found
    assert uses([READER], {"FileIO"}) != []
    assert uses([FINDER], {"walk"}) != []


def test_what_touches_evidence_writes_nothing():
    """Neither uses anything that could change a file or a folder."""
    assert uses([READER, FINDER], WRITING) == []


def test_lines_of_evidence_end_with_a_line_feed_only():
    """No splitlines in laeforensics.

    It also splits on form feed, U+0085 and U+2028, by which remote text forges lines.
    """
    assert uses(FORENSICS, {"splitlines"}) == []


def test_no_host_is_trusted_at_first_sight():
    """No policy that accepts an unknown host key is so much as named."""
    assert uses(SOURCES, {"AutoAddPolicy", "WarningPolicy"}) == []


def test_no_command_goes_through_a_local_shell():
    """No subprocess with shell=True, no os.system, no os.popen."""
    shells = [
        f"{path.relative_to(ROOT)}:{node.value.lineno}"
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.keyword)
        and node.arg == "shell"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]
    assert shells == []
    assert uses(SOURCES, {"system", "popen", "getoutput", "getstatusoutput"}) == []


def test_nothing_is_unpickled_or_evaluated():
    """Evidence is hostile: no pickle, no eval, no exec, and yaml would need its safe loader."""
    assert uses(SOURCES, {"pickle", "cPickle", "marshal", "shelve", "eval", "exec", "yaml"}) == []


def first_line(path: Path) -> str:
    return (ast.get_docstring(tree(path)) or "").split("\n")[0]


def test_every_module_says_what_it_is():
    """A module begins with a docstring whose first line is a sentence, with its full stop.

    (Or with a colon and more).
    """
    assert [str(path) for path in SOURCES if not first_line(path).endswith((".", ":", "?"))] == []


def test_a_module_is_one_sentence():
    """If the first line needs "and", there are two modules; the exceptions are listed, sorted, and become fewer."""
    found = [str(path.relative_to(ROOT / "src")) for path in SOURCES if " and " in first_line(path)]
    compare(found, FIRST_LINES_WITH_AND, "say it without `and`, or split the module")


def test_what_the_linter_is_not_to_see_has_a_reason():
    """Behind each rule that a line is excused from stand two spaces and why."""
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        if not path.is_relative_to(SENT)
        for number, line in enumerate(path.read_text("utf-8").split("\n"), start=1)
        if re.search(r"# noqa(: [A-Z0-9, ]+)?$", line)
    ]
    assert bare == []


def test_no_line_is_too_long():
    """120 characters, in what we wrote to be read; docs/house.md says what is excepted."""
    folders = [ROOT / name for name in ("src", "tests", "fixtures")]
    paths = [path for end in ("py", "sh", "toml") for folder in folders for path in sorted(folder.rglob(f"*.{end}"))]
    ours = [path for path in paths if path.suffix != ".sh" or not path.is_relative_to(SENT)]
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*ours, ROOT / "Makefile", ROOT / "pyproject.toml"]
        for number, line in enumerate(path.read_text("utf-8").split("\n"), start=1)
        if len(line) > 120 and path not in LONG_LINES
    ]
    assert long == []


def test_long_files_get_a_second_look():
    """Files of src over 300 lines are listed, sorted, and become fewer."""
    found = [str(p.relative_to(ROOT / "src")) for p in SOURCES if p.read_bytes().count(b"\n") > 300]
    compare(found, LONG_FILES, "split it")


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many a caller can give: without `self` and `cls`."""
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    given += [each for each in (function.args.vararg, function.args.kwarg) if each is not None]
    return len([each for each in given if each.arg not in ("self", "cls")])


def test_no_function_takes_many_parameters():
    """Seven at most; the exceptions are listed with their reasons, sorted, and become fewer."""
    found = [
        f"{path.relative_to(ROOT / 'src')} {node.name}"
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and parameters(node) > MOST_PARAMETERS
    ]
    compare(found, list(MANY_PARAMETERS), "make one frozen value of what belongs together")


def compare(found: list[str], allowed: list[str], advice: str) -> None:
    """`found` must be exactly `allowed`: more is a new offence, fewer means that the list can shrink."""
    assert allowed == sorted(set(allowed))
    assert sorted(set(found) - set(allowed)) == [], advice
    assert sorted(set(allowed) - set(found)) == [], "better than before: strike these off the list"
