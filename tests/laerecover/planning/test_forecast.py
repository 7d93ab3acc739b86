"""How long it takes: as a drill on a rig has measured, and as roughly as ever where none did."""

from __future__ import annotations

import json

import pytest

from laerecover.planning.forecast import ROUGHLY, Forecast, forecast_of

STEPS = {"deploy_ec2_instance": 20.0, "install_server": 200.5, "bounce_server": 30.0}


def drill(folder, *, on_a_rig=True, **body):
    if on_a_rig:
        (folder / "rehearsal").mkdir()
    told = {"step_seconds": STEPS, "ended_at": "2026-11-22T10:03:00+00:00", **body}
    (folder / "report.json").write_text(json.dumps(told))


def test_a_drill_on_a_rig_is_what_it_rests_on(tmp_path):
    """The sum of its steps' medians; said with when it was."""
    drill(tmp_path)
    assert forecast_of(tmp_path) == Forecast(seconds=250.5, rests_on="the drill on a rig that ended 2026-11-22T10:03")


@pytest.mark.parametrize(
    "changed",
    [
        {"on_a_rig": False},
        {"step_seconds": {"deploy_ec2_instance": 20.0}},
        {"step_seconds": {**STEPS, "install_server": "long"}},
        {"step_seconds": {**STEPS, "install_server": -1}},
        {"step_seconds": {**STEPS, "install_server": float("nan")}},
        {"step_seconds": [1]},
    ],
)
def test_what_measured_nothing_foretells_nothing(tmp_path, changed):
    """A twin's clock runs fast; half a drill, or a damaged report, is none."""
    drill(tmp_path, **changed)
    assert forecast_of(tmp_path) == Forecast(seconds=ROUGHLY)


def test_without_a_drill(tmp_path):
    """A rough rule, and it says that it is one."""
    assert forecast_of(tmp_path / "none") == Forecast(seconds=ROUGHLY, rests_on="a rough rule")
