"""Two customers' keys in each other's files: nobody gets another's because one file more speaks for it."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest
from hostile_lab import Lab, keys, signup

from evidence_writer.replacement import make_replacement

PAIR = ("access_key_id", "secret_key")


def three() -> tuple[Lab, list]:
    """A customer with a signup and a replacement, and another customer; of all only their secrets files are left."""
    origin, other = signup("d06", 1), signup("d06", 2)
    when = datetime(2013, 3, 20, tzinfo=UTC)
    later = make_replacement(
        random.Random(7), origin, dialect="d10", when=when, number=41, keys=keys(), throw_away=False
    )
    lab = Lab.of(origin, later, other, csv=False)
    for run in (origin, later, other):
        del lab.files[run.log_file]
    return lab, [origin, later, other]


def told(lab: Lab, run) -> dict[str, str]:
    """What a run's secrets file tells."""
    return json.loads(lab.files[f"secrets/{run.log_name}"])


def tell(lab: Lab, run, name: str, value: str) -> None:
    """Let a run's secrets file tell another value."""
    lab.files[f"secrets/{run.log_name}"] = json.dumps({**told(lab, run), name: value}).encode()


def copy(lab: Lab, one, other, name: str) -> None:
    """Copy a field of a run's secrets file into another run's."""
    tell(lab, other, name, told(lab, one)[name])


def exchange(lab: Lab, one, other, names=PAIR) -> None:
    """Exchange fields between two runs' secrets files."""
    first, second = told(lab, one), told(lab, other)
    for name in names:
        tell(lab, one, name, second[name])
        tell(lab, other, name, first[name])


def wrong(judged, runs) -> list[str]:
    """The keys that an account is said to have, and has not."""
    return [
        name
        for run in (runs[0], runs[2])
        for name in ("user_access_key_id", "user_secret_key")
        if judged.accounts[run.account["account_id"]][name] not in (None, run.truth["fields"][name])
    ]


@pytest.mark.parametrize("which", [0, 1], ids=["the signup's file", "the replacement's file"])
def test_keys_exchanged_with_another_customer_are_nobodys(which, tmp_path):
    """Two files of one account contradict each other in both keys, and what either tells, another account tells, too:
    it is not shown which of them is foreign.
    """
    lab, runs = three()
    exchange(lab, runs[which], runs[2])
    judged = lab.judge(tmp_path)
    assert wrong(judged, runs) == []
    verdicts = [judged.accounts[run.account["account_id"]]["verdict"] for run in (runs[0], runs[2])]
    assert verdicts == ["CONTESTED", "CONTESTED"]


@pytest.mark.parametrize("which", [0, 1], ids=["the signup's file", "the replacement's file"])
@pytest.mark.parametrize("name", PAIR)
def test_one_key_of_another_beside_ones_own_is_asked_about(which, name, tmp_path):
    """One of two keys was copied out of another customer's file: where the keys of many were, one file further each, it
    is the own one that another tells. So its account waits for a human, nobody is told another's, and the owner keeps
    his own.
    """
    lab, runs = three()
    copy(lab, runs[2], runs[which], name)
    judged = lab.judge(tmp_path)
    assert wrong(judged, runs) == []
    assert sorted(row["verdict"] for row in judged.accounts.values()) == ["CONTESTED", "RECOVERABLE"]


def test_one_key_exchanged_leaves_what_one_key_copied_leaves():
    """Two truths, one evidence: where one of two keys alone was exchanged, the same bytes are left as where it was
    copied by somebody whose own files tell the other one. What nothing tells apart, counts as the one change.
    """
    lab, (origin, later, other) = three()
    mine, theirs = told(lab, origin)[PAIR[0]], told(lab, other)[PAIR[0]]

    def folder(*keys: str) -> Lab:
        made, runs = three()
        for run, key in zip(runs, keys, strict=True):
            tell(made, run, PAIR[0], key)
        return made

    exchanged = folder(mine, mine, theirs)
    exchange(exchanged, origin, other, PAIR[:1])
    copied = folder(theirs, theirs, mine)
    copy(copied, other, later, PAIR[0])
    assert exchanged.files == copied.files


def test_unexchanged_they_are_both_recoverable(tmp_path):
    """The same three files, untouched."""
    lab, _ = three()
    judged = lab.judge(tmp_path)
    assert [row["verdict"] for row in judged.accounts.values()] == ["RECOVERABLE"] * 2


@pytest.mark.parametrize("where", ["everywhere", "in the log", "in the secrets file"])
def test_a_swissnum_is_of_one_account(where, tmp_path):
    """In two it is sure in neither, unless the account itself tells another: then that piece is foreign."""
    one, other = signup("d12", 31), signup("d12", 32)
    lab = Lab.of(one, other)
    ours, theirs = (run.truth["fields"]["introducer_furl"].rpartition("/")[2].encode() for run in (one, other))
    for name in (one.log_file, f"secrets/{one.log_name}"):
        if where == "everywhere" or (where == "in the log") == (name == one.log_file):
            lab.edit(name, lambda data: data.replace(ours, theirs))
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert {row["verdict"] for row in judged.accounts.values()} == {
        "CONTESTED" if where == "everywhere" else "RECOVERABLE"
    }
