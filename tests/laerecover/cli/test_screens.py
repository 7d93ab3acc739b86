"""What stands on a terminal of 80, 120, 200 columns while a recovery goes on, and where it was interrupted."""

from __future__ import annotations

import json
import re

import pytest

ANSI = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")
WIDTHS = [80, 120, 200]
LONG = f"{'long' * 10}.name+with-a-tag@{'sub.' * 6}example.org"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_resumed_run_counts_what_was_done_before(terminal, make_manifest, make_account, key_file, commands, width):
    """From the first look on, and in the end; no line is wider than the terminal, and each account has its name."""
    manifest = make_manifest(*(make_account(n, customer_email=LONG) for n in range(4)))
    drill = ("drill", manifest, "--key-file", key_file, "--concurrency", "2")
    assert commands(*drill, "--first", "2", "--pace", "0.001").returncode == 0
    shown = terminal(*drill, "--pace", "0.01", width=width, height=24)
    assert f"reading {manifest}"[:60] in shown.read_until("\n").replace("\r\n", "")
    shown.read_until("of 4 recovered (2 from before)")
    assert re.findall(r"(\d) of 4 recovered", shown.seen)[0] == "2"
    assert "of 4 recovered (2 from before) · 2 on their way" in shown.read_until("· 2 on their way")
    tails = {make_account(n).account_id.split("-")[2][:6] for n in range(4)}
    rows = re.findall(r"^[✓▸·↻✗]{8} .*$", shown.screen.text, flags=re.MULTILINE)
    assert len(rows) == 2, "what has ended is counted, not shown"
    assert all(any(tail in row for tail in tails) for row in rows)
    lines = shown.screen.text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("a glyph a step"))
    assert "of 4 recovered" in lines[first + 3], "an account is one line, however long its address"
    assert shown.end() == 0
    assert "4 of 4 recovered (2 from before)" in shown.screen.text
    live = shown.screen.text.partition("4 of 4 accounts recovered")[0].splitlines()
    assert max(map(len, live[1:])) <= width
    assert "4 of 4 accounts recovered" in shown.screen.text


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_of_what_is_waited_for_is_cut(terminal, make_manifest, make_account, key_file, width):
    """In whatever frame: behind the time stand whole words, then how long, and how long at the most."""
    manifest = make_manifest(*(make_account(n, customer_email=LONG) for n in range(3)))
    drill = ("drill", manifest, "--key-file", key_file, "--seed", "5", "--pace", "0.02")
    shown = terminal(*drill, width=width, height=24)
    assert shown.end() == 0
    rows = re.findall(r"^[✓▸·↻✗]{8} .*? \d+:\d\d +(\S[^\r\n]*?) *\r?$", ANSI.sub("", shown.seen), flags=re.MULTILINE)
    waits = [row for row in rows if " of " in row]
    assert len(waits) > 5
    assert [row for row in waits if not re.fullmatch(r"\S(?:(?!\S…).)*, \d+ of \d+ s", row)] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_answer_to_ctrl_c_is_seen(terminal, make_manifest, key_file, width):
    """In the footer: how many steps it waits for, and for how long the longest has been at work."""
    shown = terminal("drill", make_manifest(count=2), "--key-file", key_file, "--pace", "0.05", width=width, height=24)
    shown.read_until("· Ctrl-C stops")
    shown.type(b"\x03")
    shown.read_until("STOPPING: ")
    shown.read_until("Stopped by you")
    told = re.search(r"STOPPING: (\d) steps? finishing, the longest (\w+) for 00:00:\d\d", shown.seen)
    assert told, shown.screen.text
    assert shown.end() == 130
    assert "Stopping: the steps in hand" not in shown.seen, "it would spoil the view"


def test_after_a_kill_the_cursor_is_there(terminal, make_manifest, key_file):
    """Nobody can show it again then; nor after a second Ctrl-C."""
    shown = terminal("drill", make_manifest(count=2), "--key-file", key_file, "--pace", "0.05", width=80, height=24)
    shown.read_until("· Ctrl-C stops")
    shown.process.kill()
    shown.end()
    assert re.findall(r"\x1b\[\?25([lh])", shown.seen)[-1:] in ([], ["h"])


def test_the_conclusion_comes_first(terminal, make_manifest, make_account, key_file, commands):
    """Then what is left for a human, then the accounts, troubles first."""
    manifest = make_manifest(make_account(0), make_account(1, verdict="INCOMPLETE", missing=("user_token",)))
    assert commands("drill", manifest, "--key-file", key_file, "--pace", "0.001").returncode == 0
    shown = terminal("report", manifest, "--key-file", key_file, width=100)
    assert shown.end() == 0
    text = shown.screen.text
    places = [text.index(said) for said in ("1 of 2 accounts recovered, 1 blocked", "report: ", "Left for a human")]
    places += [text.index("account  "), text.rindex("customer1@example.org"), text.rindex("customer0@example.org")]
    assert places == sorted(places)


def test_a_pipe_gets_ids_and_addresses_whole(make_manifest, make_account, key_file, commands):
    """However long they are: a program cuts its own columns."""
    account = make_account(0, customer_email=LONG, account_id=f"lae-{'7a3c2f01' * 8}-{'k' * 40}")
    ended = commands("drill", make_manifest(account), "--key-file", key_file, "--pace", "0.001")
    row = [line for line in ended.stdout.splitlines() if line.startswith(account.account_id)]
    assert len(row) == 1
    assert LONG in row[0]
    assert f"  {account.account_id}  deploy_ec2_instance  begins" in ended.stderr


def test_events_for_programs(make_manifest, key_file, commands):
    """Each line of stderr is a JSON object; stdout is the report as ever, or JSON."""
    manifest = make_manifest(count=3)
    drill = ("drill", manifest, "--key-file", key_file, "--pace", "0.001", "--events", "jsonl")
    assert commands(*drill, "--first", "1").returncode == 0
    ended = commands(*drill, "--json")
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert (told[0]["event"], told[0]["accounts"], told[0]["recovered_before"]) == ("run begins", 3, 1)
    assert told[-1]["event"] == "run ends"
    assert {line["outcome"] for line in told if line["event"] == "account ends"} == {"recovered"}
    assert sum(line["event"] == "step ends" and line["ok"] for line in told) == 16
    assert all("at" in line for line in told)
    assert len(json.loads(ended.stdout)["accounts"]) == 3
    refused = commands("drill", manifest, "--key-file", key_file, "--events", "xml")
    assert (refused.returncode, "--events is jsonl" in refused.stderr) == (2, True)


def test_an_address_longer_than_any_fills_no_screen(terminal, make_manifest, make_account, key_file, commands):
    """Neither of the plan nor of the drill's end nor of the mails; piped it is whole."""
    long = f"{'x' * 288}@example.org"
    manifest = make_manifest(make_account(0, customer_email=long), make_account(1, customer_email=LONG[-60:]))
    for words in (("plan", manifest), ("drill", manifest, "--pace", "0.001"), ("notify", manifest)):
        shown = terminal(*words, "--key-file", key_file, width=80, height=24)
        assert shown.end() == 0
        text = ANSI.sub("", shown.seen).replace("\r\n", "")
        # the letters tell it as it is
        head = text if words[0] != "notify" else " ".join(re.findall(r"To: [^|(]*\(", text))
        assert ("x" * 81 in head, "x…" in head) == (False, True), words
    assert long in commands("plan", manifest, "--key-file", key_file).stdout
