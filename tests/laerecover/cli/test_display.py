"""The live view on a terminal: a row an account, a glyph a step, and an end that rests on measured times."""

from __future__ import annotations

import io
import re
import threading
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from laerecover.cli import _display as display
from laerecover.cli import _live as live_view
from laerecover.cli._display import PlainWatcher
from laerecover.cli._live import LiveWatcher
from laerecover.manifest import Manifest
from laerecover.planning.plan import Circumstances, make_plan
from laerecover.runbook.values import DEPLOY, INSTALL, NOTICE, STEPS, TO_LISTEN, WAIT, Effect
from laerecover.settings import drill_settings


class Clock:
    """Stands still unless it is told."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """The display's time."""
    made = Clock()
    monkeypatch.setattr(live_view, "time", made)
    return made


def planned(accounts, folder, *, concurrency=12):
    """A drill of all of them."""
    manifest = Manifest(digest="d" * 64, evidence_digest="e" * 64, accounts=accounts)
    ids = tuple(a.account_id for a in accounts)
    given = Circumstances(mode="drill", selected=frozenset(ids), concurrency=concurrency)
    return replace(make_plan(manifest, drill_settings(folder), given), starts=ids)


@pytest.fixture
def watcher(make_account, tmp_path):
    """A view of three accounts, two at a time; not shown live."""
    accounts = tuple(make_account(n, customer_email=f"[red]c{n}\x1b@example.org") for n in range(3))
    plan = planned(accounts, tmp_path, concurrency=2)
    console = Console(file=io.StringIO(), width=220, height=40, force_terminal=True, color_system=None)
    return LiveWatcher(console, plan, stop=threading.Event()), list(plan.starts)


def rendered(live):
    console = Console(file=io.StringIO(), width=220)
    console.print(live._render())
    return console.file.getvalue()


def go_through(live, clock, account, *, seconds=10.0):
    for step in STEPS:
        live.began(account, step)
        clock.now += seconds
        live.ended(account, Effect(step=step, ok=True))
    live.finished(account, "recovered")


def test_the_end_is_foretold_from_measured_times(watcher, clock):
    """No end is foretold before every step was seen once; then it is what the others still need, two at a time."""
    live, accounts = watcher
    live.began(accounts[0], DEPLOY)
    assert "expected end" not in rendered(live)
    go_through(live, clock, accounts[0])
    each = 10.0 * len(STEPS)
    assert f"expected end in {live_view.duration(each)}" in rendered(live)
    live.began(accounts[1], DEPLOY)
    clock.now += 4
    live.began(accounts[2], DEPLOY)
    clock.now += 4
    assert f"expected end in {live_view.duration(each - 4)}" in rendered(live)
    go_through(live, clock, accounts[1])
    go_through(live, clock, accounts[2])
    assert "expected end" not in rendered(live)
    assert "3 of 3 recovered" in rendered(live)


def test_every_step_has_its_glyph(watcher, clock):
    """As many titles as glyphs; what is done, under way and to come can be told apart."""
    live, accounts = watcher
    live.began(accounts[0], DEPLOY)
    live.ended(accounts[0], Effect(step=DEPLOY, ok=True))
    live.began(accounts[0], WAIT)
    live.waits(accounts[0], "addresses: pending", 30.0)
    text = rendered(live)
    assert "✓▸······  [red]c0" in text
    assert "addresses: pending, 0 of 30 s" in text
    assert all(step.title in text for step in STEPS)


def test_problems_come_first_and_the_rest_is_counted(watcher, clock):
    """What failed, then what is in hand, the longest first; what was recovered, or is to come, has no row."""
    live, accounts = watcher
    live.began(accounts[0], DEPLOY)
    clock.now += 5
    live.began(accounts[1], DEPLOY)
    live.ended(accounts[1], Effect(step=DEPLOY, ok=False, kind="quota", message="no room\x1b"))
    live.finished(accounts[1], "failed")
    rows = [line for line in rendered(live).splitlines() if "@example.org" in line]
    assert [re.findall(r"c\d·", row) for row in rows] == [["c1·"], ["c0·"]]
    assert "quota: no room·" in rows[0]
    assert "0 of 3 recovered · 1 failed · 1 on their way · 1 to come" in rendered(live)
    go_through(live, clock, accounts[0])
    assert [re.findall(r"c\d·", line) for line in rendered(live).splitlines() if "@example.org" in line] == [["c1·"]]


def test_before_anything_is_heard_nobody_takes_the_work_for_lost(watcher):
    """What an earlier run left in hand tells of itself only once it goes on."""
    live, accounts = watcher
    assert "starting; what an earlier run began goes on where it stopped" in rendered(live)
    live.began(accounts[0], DEPLOY)
    assert "starting" not in rendered(live)


def test_what_a_screen_cannot_hold_is_counted(make_account, tmp_path, clock):
    """On a low terminal: as many rows as it has room for, and how many are not shown."""
    accounts = tuple(make_account(n) for n in range(12))
    console = Console(file=io.StringIO(), width=100, height=12, force_terminal=True, color_system=None)
    live = LiveWatcher(console, planned(accounts, tmp_path), stop=threading.Event())
    for account in accounts:
        live.began(account.account_id, DEPLOY)
    assert rendered(live).count("@example.org") == 6
    assert "12 on their way · 6 not shown" in rendered(live)


def test_names_are_shown_as_they_are_and_harmless(watcher):
    """Markup in a name is text, control characters are dots."""
    for account_id in watcher[1]:
        watcher[0].began(account_id, DEPLOY)
    text = rendered(watcher[0])
    assert "[red]c0·@example.org" in text
    assert "\x1b" not in text


def test_what_failed_and_went_well_after_all_is_no_trouble(watcher, clock):
    """An instance that died had a successor: of a recovered account nothing of it is told."""
    live, accounts = watcher
    live.began(accounts[0], WAIT)
    died = Effect(step=WAIT, ok=False, kind="instance_died", message="i-1 is terminated")
    live.ended(accounts[0], died)
    assert "instance_died" not in rendered(live), "it is still at work"
    go_through(live, clock, accounts[0])
    assert "instance_died" not in rendered(live)
    assert "@example.org" not in rendered(live)


NAMED = "annalena.weidermann+with-a-tag@mail.sub.example.org"


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("height", [12, 40])
def test_an_account_is_a_line(make_account, tmp_path, clock, width, height):
    """With its name, its glyphs, its time, what is waited for and for how long; what went wrong has more lines if there
    is room.
    """
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    accounts = tuple(make_account(n, customer_email=NAMED) for n in range(5))
    live = LiveWatcher(console, planned(accounts, tmp_path), stop=threading.Event())
    for account in accounts:
        live.began(account.account_id, WAIT)
        live.waits(account.account_id, "the addresses of i-0123456789abcdef0, which EC2 has not told yet", 280.0)
    why = f"the cloud refused it, for {'a reason, ' * 4}and so on"
    live.ended(accounts[4].account_id, Effect(step=WAIT, ok=False, kind="quota", message=why))
    live.finished(accounts[4].account_id, "failed")
    clock.now += 3661
    console.print(live._render())
    lines = console.file.getvalue().rstrip("\n").split("\n")
    rows = [line for line in lines if re.match("·[▸✗]·{6} ", line)]
    assert len(rows) == 5
    assert rows[0].startswith("·✗")
    assert all(re.search(r" anna.*…?.*org \w{6}  ? *(1:01:01|0:00)  ?\S", row) for row in rows), rows
    assert all(re.search(r"the add.*, 3661 of 280 s *$", row) for row in rows[1:]), rows
    told = rows[0][rows[0].index("quota: ") :] + "".join(line.strip() for line in lines[2 : lines.index(rows[1])])
    whole = f"quota: {why}".replace(" ", "")
    assert (told.replace(" ", "") == whole) is (height == 40 or width > 80), told
    assert whole.startswith(told.replace(" ", "").rstrip("…"))
    assert all(cell_len(line.rstrip()) <= width for line in lines)
    assert len(lines) <= height
    assert "1 failed · 4 on their way" in lines[-2]


LONG_WAIT = (
    "host key: the host does not listen at 203.0.113.17 port 22: connection refused, asked 117 times since 10:42:51"
)
TROUBLE = f"quota: {'RequestLimitExceeded at 12:34:56, ' * 9}12345 of 67890"


def pieces(text):
    """The words and numbers of a text."""
    return set(re.findall(r"[\w:.@-]*\w", text))


@pytest.mark.parametrize("width", range(72, 201, 8))
def test_no_word_and_no_number_is_cut_at_any_width(make_account, tmp_path, clock, width):
    """Of what is waited for, and of what went wrong, whole words stand there; how long is always told."""
    accounts = tuple(make_account(n) for n in range(2))
    console = Console(file=io.StringIO(), width=width, height=24, force_terminal=True, color_system=None)
    live = LiveWatcher(console, planned(accounts, tmp_path), stop=threading.Event())
    live.began(accounts[0].account_id, INSTALL)
    live.waits(accounts[0].account_id, LONG_WAIT, 900.0)
    live.began(accounts[1].account_id, DEPLOY)
    live.ended(accounts[1].account_id, Effect(step=DEPLOY, ok=False, kind="quota", message=TROUBLE[7:]))
    live.finished(accounts[1].account_id, "failed")
    console.print(live._render())
    shown = console.file.getvalue()
    assert max(map(cell_len, shown.splitlines())) <= width
    assert ", 0 of 900 s" in shown
    titles = " ".join(step.title for step in STEPS)
    ours = f"a glyph a step {titles} 0 of 2 recovered 1 failed on their way 900 s about by the plan running for to come"
    ours += " 0:00 00:00:00 Ctrl-C stops calmly"
    known = pieces(LONG_WAIT) | pieces(TROUBLE) | pieces(ours)
    names = {each for a in accounts for each in (a.customer_email, a.account_id.split("-")[2][:6])}
    assert pieces(shown) - known - names == set()


def test_a_wait_that_goes_on_is_counted_from_its_begin(watcher, clock):
    """Though it is said again: how long it lasts is what one wants to know."""
    live, accounts = watcher
    live.began(accounts[0], INSTALL)
    live.waits(accounts[0], "packages, 2 of 9", 900.0)
    clock.now += 20
    live.waits(accounts[0], "packages, 2 of 9", 880.0)
    assert "packages, 2 of 9, 20 of 900 s" in rendered(live)
    live.waits(accounts[0], "user-customer, 3 of 9", 880.0)
    assert "user-customer, 3 of 9, 0 of 880 s" in rendered(live)


@pytest.mark.parametrize("end", ["listens", "given up"])
def test_a_host_that_does_not_listen_is_told_once(make_account, tmp_path, monkeypatch, end):
    """However often it is asked; then for how long it did not, whether it listens or nobody asks any more."""
    monkeypatch.setattr(display, "time", clock := Clock())
    plan, out = planned((make_account(0),), tmp_path), io.StringIO()
    watcher, account = PlainWatcher(out, plan.recover), plan.starts[0]
    deaf = Effect(step=INSTALL, ok=False, kind="not_listening", message="203.0.113.1: refused")
    for attempt in range(6):
        watcher.began(account, INSTALL)
        if attempt:
            watcher.waits(account, TO_LISTEN, 15.0)
            clock.now += 15
        watcher.ended(account, deaf)
    if end == "listens":
        watcher.began(account, INSTALL)
        watcher.waits(account, TO_LISTEN, 15.0)
        watcher.waits(account, "packages, 2 of 9", 900.0)
        watcher.ended(account, Effect(step=INSTALL, ok=True))
    else:
        watcher.began(account, NOTICE)
        watcher.finished(account, "failed")
    told = [line.split("  ", 2)[2] for line in out.getvalue().splitlines()]
    said = "not_listening: 203.0.113.1: refused"
    first = ["install_server  begins", f"install_server  {said}; it is asked again until it listens"]
    well = ["install_server  listens, after 1 min 15 s", "waits for  packages, 2 of 9, 900 s at the latest"]
    ill = [f"install_server  {said}; for 1 min 15 s", "send_notify_failure  begins", "account  failed"]
    assert told == [*first, *([*well, "install_server  done"] if end == "listens" else ill)]
