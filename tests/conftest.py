"""Which tests are the thorough ones: slower than `make test` may be, run by `make thorough` and by CI.

What may be skipped.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

THOROUGH = (
    "tests/hostile/",
    "tests/property/",
    "tests/contracts/test_compute.py::TestEc2",
    "tests/house/test_packages.py",
    "tests/house/test_vintages.py",
    "tests/laerecover/rehearsal/test_killed.py::test_a_kill_at_every_crash_point",
    "tests/laerecover/runbook/test_matrix.py",
    "tests/laerecover/test_old_recoveries.py::test_a_killed_recovery_goes_on",
    "tests/laerecover/cli/test_stopping.py",
    "tests/laerecover/rehearsal/test_walks.py",
    "tests/fixtures/test_generate.py::test_every_truth_value",
    "tests/fixtures/test_generate.py::test_truth_is_never",
    "tests/fixtures/test_generate.py::test_tub_ids",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by place, so that a test need not know how long the others take."""
    for item in items:
        others = [name for name in ("fuzz", "long") if item.get_closest_marker(name)]
        if item.nodeid.startswith(THOROUGH) and not others:
            item.add_marker(pytest.mark.thorough)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--allowed-skips=FILE`: where everything can be run, a skipped test is a test that nobody misses.

    With the sign: pytest does not know the option yet when it looks for folders to begin with, and a word alone
    would be one.
    """
    parser.addoption("--allowed-skips", type=Path, metavar="FILE", help="Fail if more is skipped than this file lists.")


def pytest_configure(config: pytest.Config) -> None:
    """Watch what tests leave in the checkout; and the skips, if it was asked for."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(NothingLeft(config.rootpath))
    path = config.getoption("--allowed-skips")
    if path is not None:
        config.pluginmanager.register(AllowedSkips(path, tomllib.loads(path.read_text("utf-8"))))


class NothingLeft:
    """Fails the session where a test left something beside the project's own files, as an audit's output."""

    def __init__(self, root: Path) -> None:
        self.root, self.before = root, set(root.iterdir())

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """What tools keep for themselves bears a dot, or is made by the Makefile."""
        made = {"build", "dist", "demo", "wheelhouse"}
        left = sorted(path.name for path in set(self.root.iterdir()) - self.before)
        left = [name for name in left if not name.startswith(".") and name not in made]
        if left:
            print(f"\ntests left in the checkout: {', '.join(left)}")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


class AllowedSkips:
    """Fails the session where a test is skipped that `allowed` does not list (test or file -> words of its reason),
    or nothing ran.
    """

    def __init__(self, path: Path, allowed: Mapping[str, str]) -> None:
        self.path, self.allowed, self.ran, self.missed = path, allowed, 0, list[str]()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A whole file may skip itself."""
        self._look(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Skipped in a fixture, by a mark, or by the test; a failure that is expected is no skip."""
        self.ran += report.when == "call" and not report.skipped
        if not hasattr(report, "wasxfail"):
            self._look(report)

    def _look(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            names = (report.nodeid, report.nodeid.partition("[")[0], report.nodeid.partition("::")[0])
            if not any(name in self.allowed and self.allowed[name] in reason for name in names):
                self.missed.append(f"{report.nodeid}: {reason}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """One skip too many is a failure, and so is nothing at all."""
        if (self.missed or not self.ran) and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Which, and what to do."""
        for missed in self.missed:
            terminalreporter.write_line(f"skipped, though {self.path} does not list it: {missed}", red=True)
        if not self.ran:
            terminalreporter.write_line("no test was run at all", red=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests had to say (`record_property("told", text)`), though they passed: figures before and after."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, text in report.user_properties:
                if name == "told":
                    terminalreporter.write_line(str(text))
