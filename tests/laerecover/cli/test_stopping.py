"""Ctrl-C on a real terminal."""

from __future__ import annotations

import json

import pytest

from laerecover import cli
from laerecover.errors import Stopped


def test_ctrl_c_says_what_was_done_and_how_to_go_on(terminal, make_manifest, key_file, commands):
    """Exit 130, the numbers, the same command; and that command goes on to the end."""
    manifest = make_manifest(count=2)
    drill = ("drill", manifest, "--key-file", key_file)
    shown = terminal(*drill, "--pace", "0.02")
    assert "▸" in shown.read_until("▸")
    shown.type(b"\x03")
    text = shown.read_until("Go on with the same command")
    assert "Stopped by you after" in text
    assert "of 2 accounts recovered" in text
    assert f"laerecover drill {manifest}" in shown.read_until(f"laerecover drill {manifest}")
    assert shown.end() == 130
    assert commands(*drill, "--pace", "0.001").returncode == 0


def test_a_second_ctrl_c_ends_at_once_and_is_as_safe(terminal, make_manifest, key_file, commands):
    """It does not wait for the step in hand; the same command goes on, and nothing is doubled."""
    manifest = make_manifest(count=2)
    drill = ("drill", manifest, "--key-file", key_file)
    shown = terminal(*drill, "--pace", "0.02")
    assert "▸" in shown.read_until("▸")
    shown.type(b"\x03")
    assert "Ctrl-C again" in shown.read_until("Ctrl-C again")
    shown.type(b"\x03")
    assert shown.end() == 130
    lines = (manifest.parent / f"{manifest.name}.drill" / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["exit"] for line in lines] == [None, 130]
    ended = commands(*drill, "--json")
    assert ended.returncode == 0
    assert ended.stdout.count('"instances_launched": 1') == 2


def test_a_stop_that_a_verb_does_not_see_coming_ends_calmly(monkeypatch, capsys):
    """Wherever a wait is abandoned: exit 130 and the same command, no traceback."""

    def abandoned(**_):
        raise Stopped

    monkeypatch.setattr(cli, "app", abandoned)
    monkeypatch.setattr("sys.argv", ["laerecover", "verify", "a b.parquet"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 130
    assert capsys.readouterr().err.rstrip().endswith("Go on with the same command:  laerecover verify 'a b.parquet'")


def test_a_verb_that_waits_for_no_stop_says_so_all_the_same(monkeypatch, capsys):
    """Ctrl-C in the midst of a verb that has no handler of its own."""

    def plan():
        """Is interrupted."""
        raise KeyboardInterrupt

    monkeypatch.setitem(cli._VERBS, "plan", plan)
    monkeypatch.setattr("sys.argv", ["laerecover", "plan"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert (end.value.code, capsys.readouterr().err) == (130, "laerecover: stopped; nothing further was started\n")
