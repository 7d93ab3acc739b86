"""An account is found by any of its names."""

from __future__ import annotations

from pathlib import Path

import pytest
from makings import (
    BUCKET,
    EMAIL,
    KEY,
    LOG_FILE,
    NAME,
    SEED,
    evidence,
    judged,
    log,
    open_files,
    request,
    result,
    secrets,
)

import laeforensics as lf
from laeforensics import errors
from laeforensics.present.words import short_name


def test_a_key_that_nothing_bears_is_answered_with_what_comes_near(tmp_path):
    """A mistyped address is told back, with the address that it may be."""
    case = open_files(tmp_path, evidence())
    with pytest.raises(lf.UnknownKey) as error:
        case.explain("anne@example.org")
    assert "anne@example.org" in error.value.what
    assert EMAIL in error.value.next_step


@pytest.mark.parametrize("key", [EMAIL[:3], "zzzzzz"])
def test_a_key_too_short_or_of_nobody_is_answered_with_where_to_look(tmp_path, key):
    """The command that lists them, and how much of a name is enough."""
    with pytest.raises(lf.UnknownKey) as error:
        open_files(tmp_path, evidence()).explain(key)
    assert "`laeforensics list`" in error.value.next_step
    assert "from 4 letters on" in error.value.next_step


@pytest.mark.parametrize("key", [NAME.rpartition("-")[2], EMAIL.upper(), BUCKET.upper(), KEY.lower()])
def test_seed_and_other_capitals_name_an_account(tmp_path, key):
    """The bare seed, and an e-mail, bucket or key in other capitals, are keys."""
    assert judged(open_files(tmp_path, evidence()), key).account_id == BUCKET


EVIL = "%3Cscript%3Ealert(1)%3C/script%3E%1B%5B2J%E2%80%A8%00"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """One customer with a hostile name, a hostile line in the log, and a contested key."""
    hostile = log(installing=">Polishing <b>the server</b>\x1b[2J " + "A" * 30 + "\n")
    files = evidence(
        log=hostile,
        requests=request(name=EVIL),
        results=result(name=EVIL),
        secrets=secrets(access_key_id="AKIASTRANGERKEYID234"),
    )
    return open_files(tmp_path_factory.mktemp("display"), files)


@pytest.mark.parametrize("key", [BUCKET, LOG_FILE, NAME, EMAIL])
def test_an_account_is_found_by_any_of_its_names(case, key):
    """Bucket, log with or without its folder, e-mail."""
    assert case.explain(key).account_id == BUCKET


def test_where_several_are_meant_each_is_told_with_what_helps_to_choose():
    """Its id, its verdict and its log; an address only to who typed how it begins, and not all of hundreds."""
    case = lf.open_case(Path(__file__).parents[3] / "fixtures/evidence")
    meant = [a for a in case.judgement.accounts if a.account_id.startswith("lae-5f09c3aa") and not a.is_attempt]
    with pytest.raises(lf.UnknownKey, match=f"{len(meant)} accounts match 'lae-5f09c3aa'") as error:
        case.explain("lae-5f09c3aa")
    told = error.value.where.splitlines()
    assert {line.split("  ")[0] for line in told} == {a.account_id for a in meant}
    assert {line.split()[1] for line in told} == {"RECOVERABLE", "INCOMPLETE", "UNFINISHED"}
    assert all(any(s.name in line for a in meant for s in a.signups) for line in told)
    assert "@" not in error.value.where
    with pytest.raises(lf.UnknownKey) as error:
        case.explain("user")
    assert {line.split()[2] for line in error.value.where.splitlines()} == {
        "user_3@example.org",
        "user+lae5@uni.example.edu",
        "user6@example.net",
    }
    with pytest.raises(lf.UnknownKey) as error:
        case.explain("lae-0c4e91d7")
    assert len(error.value.where.splitlines()) == 6
    assert "`laeforensics list`" in error.value.where.splitlines()[-1]


def test_an_attempt_without_a_seed_is_known_by_the_name_of_its_file(tmp_path):
    """Not by its last letters, which may be a suffix; its short name asks for it, spaces and all."""
    case = open_files(tmp_path, {**evidence(), "signup_logs/first try 1m.txt": log(until="activation")})
    account = judged(case, "attempt:first try 1m.txt")
    assert short_name(account).endswith(" first try 1m.txt")
    assert judged(case, short_name(account)) is account
    assert judged(case, "first try") is account


def test_a_beginning_of_too_few_letters_says_so(tmp_path):
    """With the names that begin so; one that nothing begins with is told as ever."""
    case = open_files(tmp_path, evidence())
    for key, said in (("ann", EMAIL), ("AN", EMAIL), ("zzz", "")):
        with pytest.raises(errors.UnknownKey) as error:
            case.explain(key)
        assert ("from 4 letters on; so begin" in error.value.next_step) is bool(said)
        assert said in error.value.next_step


def test_the_short_name_of_an_account_whose_log_has_no_name_is_understood(tmp_path):
    """Its seed stands in its bucket alone: that, and its beginning, will do."""
    files = {path.replace(LOG_FILE, "recup_dir.1/f0001.txt"): data for path, data in evidence(secrets=None).items()}
    case = open_files(tmp_path, files)
    account = next(a for a in case.judgement.accounts if a.account_id == BUCKET)
    for name in (short_name(account), short_name(account).split()[1], SEED):
        assert case.explain(name).account_id == BUCKET
