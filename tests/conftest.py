"""Which tests are the thorough ones: slower than `make test` may be, run by `make thorough` and by CI."""

from __future__ import annotations

import pytest

THOROUGH = (
    "tests/hostile/",
    "tests/property/",
    "tests/contracts/test_compute.py::TestEc2",
    "tests/house/test_packages.py",
    "tests/unit/recover/test_killed.py::test_a_kill_at_every_crash_point",
    "tests/unit/recover/test_matrix.py",
    "tests/unit/recover/test_terminal.py",
    "tests/unit/recover/test_walks.py",
    "tests/unit/test_generate.py::test_every_truth_value",
    "tests/unit/test_generate.py::test_truth_is_never",
    "tests/unit/test_generate.py::test_tub_ids",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by place, so that a test need not know how long the others take."""
    for item in items:
        if item.nodeid.startswith(THOROUGH) and not item.get_closest_marker("fuzz"):
            item.add_marker(pytest.mark.thorough)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what tests had to say (`record_property("told", text)`), though they passed: figures before and after."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, text in report.user_properties:
                if name == "told":
                    terminalreporter.write_line(str(text))
