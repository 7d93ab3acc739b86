"""What is set aside: two truths of one account, two damages, and the very same bytes. Nobody can tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from damages import apply, written
from damages.measuring import Judge, lay
from damages.two_truths import STORIES, Other, freed, named, other_truth

import laeforensics as lf

# One folder, and one account in it, of each class that has a story.
SEEN = {
    "codes-replaced": (2007, "ge33vivf6axxazhowqsvdjthsjogbq36"),
    "csv-row-of-another": (0, "jiimru7n"),
    "log-keys-of-the-one-before": (0, "27aik5az"),
    "log-token-misread": (0, "27aik5az"),
    "log-token-of-the-one-before": (0, "27aik5az"),
    "logs-exchanged": (5, "sx2is6eq"),
    "secrets-access-key-shared": (1, "v5dku4mj"),
    "secrets-secret-of-another": (7, "zax7jxkm"),
    "secrets-sector-foreign-512": (24, "mfl7b2u2"),
    "secrets-sector-zero-4096": (0, "774egddt"),
    "secrets-sector-zero-512": (2, "faa5eo7l"),
}


def row_of(files: Mapping[str, bytes], account: str, folder: Path) -> dict[str, Any]:
    """The account as laeforensics reads it; secrets in the clear."""
    rows = lf.open_case(lay(files, folder)).audit.to_dict("records")
    row = next(row for row in rows if row["account_id"][-32:] == account[-32:])
    return {key: value.reveal() if hasattr(value, "reveal") else value for key, value in row.items()}


@pytest.fixture(scope="module", params=sorted(STORIES))
def pair(request) -> tuple[Judge, str, Other]:
    """A damaged folder, an account in it, and its other truth."""
    number, ending = SEEN[request.param]
    whole = written(number)
    judge = Judge(whole, apply(request.param, whole), request.param)
    account = next(name for name in whole.truths if name.endswith(ending))
    other = other_truth(request.param, whole, judge.damaged, account)
    assert other is not None
    return judge, account, other


def test_the_bytes_are_the_same_and_the_truths_are_not(pair):
    """Two folders that differ, and what the two damages leave of them."""
    judge, account, other = pair
    assert other.damaged == judge.damaged.files
    assert other.sound != judge.written.files
    assert other.value not in judge.written.truths[account].values[other.field]
    assert judge.damaged.files != judge.written.files


def test_the_other_folder_is_sound(pair, tmp_path):
    """There the other value is read without a doubt; a product token stands against the configuration's."""
    _, account, other = pair
    row = row_of(other.sound, account, tmp_path)
    if other.field == "product_token":
        assert (row["verdict"], row["blocking"]) == ("CONTESTED", ("contested:product_token",))
    else:
        assert (row["verdict"], row[other.field]) == ("RECOVERABLE", other.value)


def test_of_what_is_left_neither_truth_is_asserted(pair, tmp_path):
    """The account waits for a human, whichever of the two worlds is ours."""
    judge, account, other = pair
    verdict = judge.read(lay(judge.damaged.files, tmp_path / "1"))
    assert account in verdict.set_aside
    row = row_of(judge.damaged.files, account, tmp_path / "2") if "ABANDONED" not in verdict.given_up[account] else {}
    assert row.get("verdict") != "RECOVERABLE"
    if other.field != "product_token":  # the configuration's is told, but does not make the account recoverable
        assert row.get(other.field) is None


def test_an_account_that_somebody_has_in_the_other_folder_is_no_ghost(tmp_path):
    """Nothing but a log that was changed tells the bucket, and three products bear the name of the one sold."""
    whole = written(5)
    judge = Judge(whole, apply("codes-replaced", whole), "codes-replaced")
    account = next(name for name in whole.truths if name.endswith("cbatkq6u"))
    row = row_of(judge.damaged.files, account, tmp_path / "damaged")
    assert (row["verdict"], row["bucket_name"], row["account_id"] in whole.truths) == ("CONTESTED", None, False)
    other = named(whole, judge.damaged, account, row["account_id"])
    assert (other.damaged, other.sound != whole.files) == (judge.damaged.files, True)
    sound = row_of(other.sound, account, tmp_path / "other")
    assert (sound["verdict"], sound["account_id"]) == ("RECOVERABLE", row["account_id"])
    assert judge.read(lay(judge.damaged.files, tmp_path / "read")).ghosts == []
    of_another_name = row["account_id"].replace(row["account_id"][4:12], "0c4e91d7")
    assert named(whole, judge.damaged, account, of_another_name) is None


def test_an_account_whose_secrets_file_tells_its_bucket_has_no_other_name():
    """The bytes differ."""
    whole = written(3000)
    damaged = apply("codes-replaced", whole)
    account = next(name for name in whole.truths if name.endswith("ydesbay6"))
    assert named(whole, damaged, account, account.replace("5f09c3aa", "7a3c2f01")) is None


def test_the_first_of_all_has_another_truth_too(tmp_path):
    """Where the logs are right his own log, too, has the keys of the signup after: nothing is left that tells his."""
    whole = written(0)
    damaged = apply("log-keys-of-the-one-before", whole)
    account = next(name for name in whole.truths if name.endswith("jiimru7n"))
    assert not any(w.account == account for w in damaged.touched)
    other = other_truth("log-keys-of-the-one-before", whole, damaged, account)
    assert other is not None
    assert other.damaged == damaged.files
    row = row_of(other.sound, account, tmp_path)
    assert (row["verdict"], row[other.field]) == ("RECOVERABLE", other.value)


def test_what_the_bytes_tell_apart_is_not_set_aside():
    """Another damage than the story's, or none: no other truth is believed."""
    whole = written(1)
    account = next(name for name, truth in whole.truths.items() if truth.verdict == "RECOVERABLE")
    for name in STORIES:
        assert other_truth(name, whole, apply("secrets-flip-credentials", whole), account) is None
        assert other_truth("untouched", whole, apply(name, whole), account) is None


@pytest.mark.parametrize("name", ["secrets-sector-foreign-4096", "config-other-tokens"])
def test_what_contested_an_account_may_be_lost(name, tmp_path):
    """Secrets file and configuration told one token, or two: what is left is the same, which is no raise.

    It was lost below a piece of another file, or with the configuration of that time.
    """
    whole = written(0)
    judge = Judge(whole, apply(name, whole), name)
    account = next(each for each in whole.truths if each.endswith("l32sbfnw"))
    other = freed(name, whole, judge.damaged, account)
    assert other is not None
    assert (other.damaged, other.sound != whole.files) == (judge.damaged.files, True)
    row = row_of(other.sound, account, tmp_path / "other")
    assert (row["verdict"], row["product_token"]) == ("RECOVERABLE", other.value)
    assert row_of(whole.files, account, tmp_path / "sound")["verdict"] == whole.truths[account].verdict == "CONTESTED"
    assert judge.read(lay(judge.damaged.files, tmp_path / "damaged")).raised == {}


@pytest.mark.parametrize("name", ["secrets-flip-credentials", "log-utf-16", "secrets-sector-zero-4096"])
def test_a_token_that_contests_and_can_still_be_read_frees_nothing(name):
    """Nor do zeros: they are no piece of another file."""
    whole = written(0)
    account = next(each for each in whole.truths if each.endswith("l32sbfnw"))
    assert freed(name, whole, apply(name, whole), account) is None
