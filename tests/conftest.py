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
    "tests/fixtures/test_generate.py::test_every_truth_value",
    "tests/fixtures/test_generate.py::test_truth_is_never",
    "tests/fixtures/test_generate.py::test_tub_ids",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by place, so that a test need not know how long the others take."""
    for item in items:
        if item.nodeid.startswith(THOROUGH) and not item.get_closest_marker("fuzz"):
            item.add_marker(pytest.mark.thorough)
