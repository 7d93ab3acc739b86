"""The suite that measures damage, measured: its truth, its witnesses, its figures, and that they can be bad."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from damages import CLASSES, FULL, table, written
from damages.classes import apply
from damages.hurting import Damaged, Hurt
from damages.measuring import Judge, Reading, lay
from damages.witnesses import READY, Witness

from evidence_writer.people import quoted

HERE = Path(__file__).resolve().parent
DIGEST = (
    "import hashlib, json, sys; sys.path[:0] = sys.argv[1:]\n"
    "from damages import CLASSES, apply, written\n"
    "told = [(n, sorted(d.files.items()), sorted((w, e) for w, e in d.touched.items()), sorted(d.concerned))\n"
    "        for n in sorted(CLASSES) for d in [apply(n, written(1))]]\n"
    "print(hashlib.sha256(repr(told).encode()).hexdigest())\n"
)


def sound(number: int = 1) -> Damaged:
    """A folder under no damage."""
    return Damaged(dict(written(number).files), {}, frozenset(), frozenset(), {})


def read(tmp_path: Path, judge: Judge) -> Reading:
    return judge.read(lay(judge.damaged.files, tmp_path / "evidence"))


def log_witness(field: str, number: int = 1) -> Witness:
    """Where the log of a recoverable account prints a field; beside it there is its secrets file, and no other run."""
    whole = written(number)
    runs = Counter(each.account for each in whole.left)
    fit = [e.account for e in whole.left if e.log and e.secrets and not e.is_s4 and runs[e.account] == 1]
    fit = [account for account in fit if whole.truths[account].verdict == "RECOVERABLE"]
    return next(w for w in whole.of_account(fit[0], field) if w.kind == "log")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_witness_stands_where_it_is_said_to(number):
    """The bytes of every witness spell its value, in the manner of its kind of file; every one lies in its unit."""
    folder = written(number)
    assert {w.kind for w in folder.witnesses} == {"log", "relayed", "secrets", "row", "config", "stripe"}
    for w in folder.witnesses:
        assert w.unit[0] <= w.start <= w.end <= w.unit[1]
        shown = folder.files[w.path][w.start : w.end].decode("utf-8")
        if w.field not in (READY, "failed") and (w.kind != "relayed" or len(shown) == len(w.value)):
            assert shown.replace("\\n", "\n") in (w.value, quoted(w.value))


@pytest.mark.parametrize("number", FULL[::5])
def test_what_is_recoverable_is_told(number):
    """On a sound folder the witnesses of every recoverable account are intact, and of no other one."""
    judge = Judge(written(number), sound(number))
    truths = judge.written.truths.values()
    assert {t.account for t in truths if t.verdict == "RECOVERABLE"} <= {
        t.account for t in truths if judge.is_intact(t)
    }
    assert not any(judge.is_intact(t) for t in truths if t.verdict in ("INCOMPLETE", "UNFINISHED"))


def test_the_folders_have_every_kind_of_run():
    """Some 300 accounts and 360 logs.

    Every dialect, role, verdict and grade, S4 customers with stripe files, copies.
    """
    folders = [written(number) for number in FULL]
    left = [each for folder in folders for each in folder.left]
    assert len([t for folder in folders for t in folder.truths.values() if t.grade]) >= 300
    assert sum(len(folder.logs) for folder in folders) >= 360
    assert len({each.run.truth["dialect"] for each in left}) == 24
    assert {each.role for each in left} == {"origin", "attempt", "replacement", "re-record"}
    truths = [t for folder in folders for t in folder.truths.values()]
    assert {t.verdict for t in truths} == {"RECOVERABLE", "INCOMPLETE", "CONTESTED", "UNFINISHED", "ABANDONED"}
    assert len({t.grade for t in truths}) == 4
    assert sum(bool(each.stripe) for each in left) >= 70
    assert any(folder.copies for folder in folders)


def test_damage_is_the_same_under_every_hash_seed():
    """All classes on one folder, in two processes that order their sets differently.

    The same bytes, the same touches.
    """
    command = [sys.executable, "-c", DIGEST, str(HERE), str(HERE.parents[1] / "fixtures")]
    told = {
        subprocess.run(command, env={"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout for seed in "12"
    }
    assert len(told) == 1


def test_the_table_has_every_class_and_nothing_else():
    """Both scales, in the one form in which it is written."""
    rows = table.read()
    assert set(rows) == {(name, scale) for name in CLASSES for scale in table.SCALES}
    assert table.TABLE.read_text("utf-8") == table.text_of(rows)


def test_every_class_hits_somebody():
    """A class that is aimed at no account would hold whatever the reader does."""
    hit = {name: figures["hit"] for (name, scale), figures in table.read().items() if scale == "full"}
    assert [name for name in hit if not hit[name]] == ["untouched"]


def test_undamaged_folders_are_read_without_a_fault():
    """The committed row of no damage: nothing wrong, raised, lowered, given up; every recoverable account is kept."""
    for scale in table.SCALES:
        figures = table.read()["untouched", scale]
        assert [name for name in table.BAD if figures[name]] == []
        assert figures["kept"] == figures["sound"] > 0


def test_only_the_public_door_is_used():
    """No module of laeforensics is named: its insides may be rebuilt while the table stands."""
    inside = "laeforensics" + "."
    assert [path.name for path in HERE.rglob("*.py") if inside in path.read_text("utf-8")] == []


def test_a_zeroed_print_is_gone_a_flipped_one_tells_another_value():
    """The effect of an edit is found out by looking; what was printed with the value is tied to it."""
    access, secret = log_witness("user_access_key_id"), log_witness("user_secret_key")
    for new, effect in ((b"\0" * 20, "gone"), (b"AKIA" + b"Q" * 16, "other")):
        hurt = Hurt(written(1), random.Random(1))
        hurt.edit(access.path, (access.start, access.end, new))
        touched = hurt.damaged().touched
        assert touched[access] == effect
        assert touched[secret] == "tied"
        assert {w.path for w in touched} == {access.path}
        assert (access.account, access.field) in hurt.damaged().contradicted or effect == "gone"


def test_what_is_put_between_prints_touches_none():
    """Foreign lines before a print leave it; within it they do not."""
    print_ = log_witness("user_secret_key")
    for at, count in ((print_.unit[0], 0), (print_.start, 3)):
        hurt = Hurt(written(1), random.Random(1))
        hurt.edit(print_.path, (at, at, b"nothing of ours\n"))
        assert len([w for w in hurt.damaged().touched if w.unit == print_.unit]) == count


def test_one_intact_witness_is_enough_unless_another_value_is_told():
    """A log whose key is gone beside its secrets file: intact; a log that tells another key.

    Contested, so not intact.
    """
    key = log_witness("user_secret_key")
    truth = written(1).truths[key.account]
    for new, intact in ((b"\0" * 40, True), (b"Q" * 40, False)):
        hurt = Hurt(written(1), random.Random(1))
        hurt.edit(key.path, (key.start, key.end, new))
        assert Judge(written(1), hurt.damaged()).is_intact(truth) is intact


def test_a_flipped_copy_contradicts_but_touches_nothing():
    """A copy beside the log that tells another key: known of the account and the field."""
    key = log_witness("user_secret_key")
    data = written(1).files[key.path]
    hurt = Hurt(written(1), random.Random(1))
    hurt.put("backup/" + key.path, data[: key.start] + b"Q" * 40 + data[key.end :], like=key.path)
    assert hurt.damaged().touched == {}
    assert (key.account, key.field) in hurt.damaged().contradicted


def test_figures_can_be_bad(tmp_path):
    """Another truth makes values wrong, verdicts and grades raised and lowered, accounts ghosts; each is counted."""
    whole = written(1)
    named = [t.account for t in whole.truths.values() if t.verdict == "RECOVERABLE" and t.grade == "IDENTITY_KEPT"]
    wrong, raised, ghost = named[:3]
    truths = dict(whole.truths)
    other = {**truths[wrong].values, "user_secret_key": frozenset({"Q" * 40})}
    truths[wrong] = replace(truths[wrong], values=other)
    truths[raised] = replace(truths[raised], verdict="UNFINISHED", grade="NEW_FURL")
    truths[ghost] = replace(truths[ghost], account="lae-somebody-else")
    truths["lae-somebody-else"] = truths.pop(ghost)
    judge = Judge(replace(whole, truths=truths), sound())
    found = read(tmp_path, judge)
    assert [(w.account, w.field) for w in found.wrong] == [(wrong, "user_secret_key")]
    assert list(found.raised) == list(found.grades_raised) == [raised]
    assert found.ghosts == [ghost]
    assert list(found.lowered) == ["lae-somebody-else"]
    figures = found.figures(judge.written, judge.damaged)
    assert (figures["wrong"], figures["wrong_recoverable"], figures["ghosts"], figures["raised"]) == (1, 1, 1, 1)
    assert figures["kept"] == figures["sound"] - 2  # one has a wrong value, one is not there by its name


def test_an_account_without_its_files_is_given_up_if_nobody_says_that_they_are_lost(tmp_path):
    """Files taken away behind the suite's back: lowered, given up. Taken by a damage: lowered alone."""
    whole = written(1)
    mine = log_witness("user_secret_key").account
    paths = {p for left in whole.left if left.account == mine for p in (left.log, left.secrets) if p}
    hurt = Hurt(whole, random.Random(1))
    for path in paths:
        hurt.remove(path)
    told = hurt.damaged()
    for name, damaged in (("a", replace(told, touched={})), ("b", told)):
        found = read(tmp_path / name, Judge(whole, damaged))
        assert mine in found.lowered
        assert (mine in found.given_up) is (name == "a")


def test_a_crash_is_counted(tmp_path):
    """A folder that cannot be opened at all: one crash, every account lowered."""
    judge = Judge(written(1), sound())
    found = judge.read(tmp_path / "nowhere")
    figures = found.figures(judge.written, judge.damaged)
    assert figures["crashes"] == 1
    assert figures["given_up"] == figures["sound"]
    assert figures["kept"] == 0


def test_worse_is_more_of_what_is_bad_or_fewer_kept():
    """The comparison that the table's tests stand on, and the one file that they write."""
    before = dict.fromkeys(table.COLUMNS, 5)
    after = {**before, "wrong": 6, "kept": 4, "lowered": 3, "hit": 7}
    assert table.changes(before, after, worse=True) == ["wrong 5 -> 6", "kept 5 -> 4"]
    assert table.changes(before, after, worse=False) == ["lowered 5 -> 3"]
    assert table.other_damage(before, after) == ["hit 5 -> 7"]
    fewer = {**before, "set_aside": 3}
    assert table.changes(before, fewer, worse=True) == ["given_up and not set aside 0 -> 2"]
    assert table.changes(fewer, {**fewer, "given_up": 4, "set_aside": 2}, worse=True) == []


def test_a_row_is_written_anew(tmp_path, monkeypatch):
    """Rows are put one by one, whoever else is writing; the file is sorted and has each once."""
    monkeypatch.setattr(table, "TABLE", tmp_path / "table.csv")
    for name, scale, value in (("untouched", "tenth", 1), ("log-empty", "full", 2), ("untouched", "tenth", 3)):
        table.put(name, scale, dict.fromkeys(table.COLUMNS, value))
    rows = table.read((tmp_path / "table.csv").read_text("utf-8"))
    assert {key: figures["wrong"] for key, figures in rows.items()} == {
        ("log-empty", "full"): 2,
        ("untouched", "tenth"): 3,
    }


def test_every_class_is_described_once():
    """Names are kept for ever; what a class does is said in words that no other has."""
    assert len({each.what for each in CLASSES.values()}) == len(CLASSES) >= 45
    assert (
        len({hashlib.sha256(repr(sorted(apply(n, written(1)).files.items())).encode()).digest() for n in CLASSES}) > 100
    )
