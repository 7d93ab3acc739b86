"""The clock by which deadlines are kept."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from laerecover.adapters.clock import SystemClock


@pytest.mark.skipif(sys.platform != "linux", reason="names Linux's clocks")
def test_deadlines_stretch_over_a_sleep_of_the_machine():
    """Deadlines are kept by CLOCK_MONOTONIC, which stands still while the machine sleeps; CLOCK_BOOTTIME would not."""
    clock = SystemClock(threading.Event())
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    assert before <= clock.monotonic() <= time.clock_gettime(time.CLOCK_MONOTONIC)
    assert time.get_clock_info("monotonic").implementation == "clock_gettime(CLOCK_MONOTONIC)"
