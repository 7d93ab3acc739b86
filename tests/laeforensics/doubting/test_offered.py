"""A configuration is believed as far as the accounts bear it out that have a word of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from makings import (
    ACCESS_KEY_ID,
    CODE,
    HOST,
    INSTANCE,
    INTRODUCER,
    KEY,
    NAME,
    SECRET_KEY,
    SEED,
    USER_TOKEN,
    config,
    log,
    open_files,
)

CODES = (CODE, "ABCD0124", "ABCD0125")
MONTH = tuple("{ProductToken}AAAH" + each * 8 + "INVENTED==" for each in ("Here", "Next", "Last"))
LATER = tuple("{ProductToken}AAAH" + each * 8 + "INVENTED==" for each in ("Ours", "Some", "Many"))
FLIPPED = MONTH[0].replace("HereHere", "HdreHere", 1)
CONFIG = "lae_automation_config.json"


def offering(*tokens: str) -> dict[str, bytes]:
    """A configuration that offers these for the codes in their order."""
    names = ("An invented product", "Another", "A third")
    sold = zip(names, CODES, tokens, strict=False)
    return {CONFIG: config(*({"full_name": n, "product_code": c, "product_token": t} for n, c, t in sold))}


def account(number: int, told: str | None, code: str = CODE) -> dict[str, bytes]:
    """A customer's log; and his secrets file, if it tells a product token."""
    turned = number * 3
    mine = {
        SEED: "abcdefgh"[number] * 8 + SEED[8:],
        ACCESS_KEY_ID: "AKIA" + ACCESS_KEY_ID[4 + turned :] + ACCESS_KEY_ID[4 : 4 + turned],
        SECRET_KEY: SECRET_KEY[turned:] + SECRET_KEY[:turned],
        USER_TOKEN: USER_TOKEN.replace("INVENTED", SECRET_KEY[turned:-1].replace("/", "A") + "INVENTED"),
        KEY: "A" + KEY[turned:] + KEY[1:turned],
        INSTANCE: f"i-0a1b{number}c2d",
        HOST: f"192.0.2.{number}0",
        INTRODUCER.nodeid: INTRODUCER.nodeid[turned:] + INTRODUCER.nodeid[:turned],
        "ann@": f"ann.{number * 111}@",
        CODE.lower(): code.lower(),
        "2012-03-20T10:15:00": f"2012-03-20T10:1{number}:00",
        "2012-03-20T101500": f"2012-03-20T101{number}00",
    }
    beside = {"access_key_id": ACCESS_KEY_ID, "secret_key": SECRET_KEY, "user_token": USER_TOKEN}
    beside |= {"product_token": told or "", "bucket_name": f"lae-{CODE.lower()}-{SEED}"}
    files = {f"signup_logs/{NAME}": log()} | ({f"secrets/{NAME}": json.dumps(beside).encode()} if told else {})
    for ours, theirs in mine.items():
        files = {p.replace(ours, theirs): d.replace(ours.encode(), theirs.encode()) for p, d in files.items()}
    return files


def judged(folder: Path, *files: dict[str, bytes]) -> dict[int, tuple[str, str | None]]:
    """Verdict and product token of each account, by its number."""
    case = open_files(folder, {path: data for each in files for path, data in each.items()})
    rows = case.audit.to_dict("records")
    tokens = [(row["product_token"].reveal() if row["product_token"] else None) for row in rows]
    seeds = ["abcdefgh".index(row["account_id"].rpartition("-")[2][0]) for row in rows]
    return {seed: (row["verdict"], token) for seed, row, token in zip(seeds, rows, tokens, strict=True)}


@pytest.mark.parametrize("other", [FLIPPED, LATER[0]])
def test_a_place_that_one_account_contradicts_is_sure_for_none(other, tmp_path):
    """Nor for one that has no other word; why, and where it is told otherwise, is said of its witness."""
    files = {**account(1, MONTH[0]), **account(2, None), **offering(other)}
    assert judged(tmp_path / "1", files) == {1: ("CONTESTED", None), 2: ("CONTESTED", None)}
    doubts = open_files(tmp_path / "2", files).doubts
    told = [row for row in doubts.to_dict("records") if "-cccccccc" in row["account_id"]]
    assert {row["reason"] for row in told} == {"contested-elsewhere" if other == FLIPPED else "of-another-list"}
    assert all(place.startswith("secrets/2012-03-20T101100Z-bbbb") for row in told for place in row["because"])


def test_two_accounts_that_tell_a_neighbour_alike_win(tmp_path):
    """They are recovered by their own word; the damaged token is nobody's; who contradicts both waits."""
    files = {**account(1, MONTH[0]), **account(2, MONTH[0]), **account(3, None), **offering(FLIPPED)}
    right = ("RECOVERABLE", MONTH[0])
    assert judged(tmp_path / "1", files) == {1: right, 2: right, 3: ("INCOMPLETE", None)}
    assert judged(tmp_path / "2", files, account(4, LATER[1]))[4] == ("CONTESTED", None)


def test_one_account_that_contradicts_what_another_bears_out_is_the_odd_one(tmp_path):
    """So it stays with those that have no word of their own, as tokens that change from month to month must."""
    files = {**account(1, LATER[0]), **account(2, MONTH[0]), **account(3, None), **offering(MONTH[0])}
    right = ("RECOVERABLE", MONTH[0])
    assert judged(tmp_path, files) == {1: ("CONTESTED", None), 2: right, 3: right}


def test_a_list_that_is_borne_out_in_other_products_is_of_that_time(tmp_path):
    """Then one account's token is its own affair; two that tell it alike contest the place."""
    files = {**account(1, LATER[0]), **account(2, MONTH[1], CODES[1]), **account(3, None), **offering(*MONTH)}
    found = judged(tmp_path / "1", files)
    assert (found[1][0], found[3]) == ("CONTESTED", ("RECOVERABLE", MONTH[0]))
    assert judged(tmp_path / "2", files, account(4, LATER[0]))[3] == ("CONTESTED", None)


def test_a_list_that_most_products_contradict_tells_nothing(tmp_path):
    """Not of a third, either; those who tell their tokens themselves are recovered by them."""
    files = {**account(1, MONTH[0]), **account(2, MONTH[1], CODES[1]), **account(3, None, CODES[2]), **offering(*LATER)}
    found = judged(tmp_path, files)
    assert found == {1: ("RECOVERABLE", MONTH[0]), 2: ("RECOVERABLE", MONTH[1]), 3: ("CONTESTED", None)}


def test_a_list_of_which_one_token_is_borne_out_does_not_outvote_the_only_account_of_a_product(tmp_path):
    """Two months were made one list; what two accounts tell alike is right, but one alone still contests its place."""
    files = {**account(1, LATER[0]), **account(2, MONTH[1], CODES[1]), **account(3, MONTH[1], CODES[1])}
    found = judged(tmp_path, files, account(4, LATER[2], CODES[2]), offering(MONTH[0], LATER[1], LATER[2]))
    assert found == {
        1: ("CONTESTED", None),
        2: ("RECOVERABLE", MONTH[1]),
        3: ("RECOVERABLE", MONTH[1]),
        4: ("RECOVERABLE", LATER[2]),
    }


def test_where_the_codes_have_moved_a_token_that_none_offers_still_contests(tmp_path):
    """What two accounts tell stands with other codes; what the fourth tells stands nowhere."""
    files = {**account(1, MONTH[0]), **account(2, MONTH[1], CODES[1]), **account(3, None, CODES[2])}
    moved = offering(*MONTH[1:], MONTH[0])
    found = judged(tmp_path, files, account(4, LATER[0]), moved)
    assert found[1] == ("RECOVERABLE", MONTH[0])
    assert (found[3], found[4]) == (("CONTESTED", None), ("CONTESTED", None))


def test_a_token_that_accounts_of_two_products_tell_shows_that_theirs_have_moved(tmp_path):
    """Codes that have moved would be told by one product each: so neither the files' tokens nor the list is sure."""
    files = {**account(1, MONTH[1]), **account(2, MONTH[2], CODES[1]), **account(3, MONTH[1], CODES[2])}
    assert set(judged(tmp_path, files, offering(*MONTH)).values()) == {("CONTESTED", None)}


def test_a_secrets_file_against_its_own_log_is_no_voice(tmp_path):
    """It may be another customer's, and so may its token."""
    others = account(1, LATER[0])
    secrets = next(path for path in others if path.startswith("secrets/"))
    others[secrets] = others[secrets].replace(b"invented", b"stranger")
    assert judged(tmp_path, others, account(2, None), offering(MONTH[0]))[2] == ("RECOVERABLE", MONTH[0])


def test_a_token_of_another_product_and_one_that_none_offers_are_two_stories(tmp_path):
    """One says that the codes have moved, the other that the list is of another time: neither bears the other out."""
    files = {**account(1, LATER[0]), **account(2, MONTH[0], CODES[1]), **offering(*MONTH)}
    assert judged(tmp_path, files)[1] == ("CONTESTED", None)


def doubled(*entries: dict[str, object]) -> dict[str, bytes]:
    """A configuration in which a product bears the token of the one before it."""
    first = {"full_name": "An invented product", "product_code": CODE, "product_token": MONTH[0]}
    return {CONFIG: config(first, *({**first, **entry} for entry in entries))}


@pytest.mark.parametrize("told", [None, MONTH[0]])
def test_a_token_that_is_offered_for_two_products_is_sure_for_neither(told, tmp_path):
    """One was pasted over the other's; but where an account tells it by its own file, it is that product's."""
    other = {"full_name": "Another product", "product_code": "F0E1D2C3"}
    of_other = {
        path: data.replace(b"An invented product", b"Another product")
        for path, data in account(3, None, "F0E1D2C3").items()
    }
    seen = judged(tmp_path, doubled(other), account(1, told), account(2, None), of_other)
    first = ("RECOVERABLE", MONTH[0]) if told else ("CONTESTED", None)
    assert seen == {1: first, 2: first, 3: ("CONTESTED", None)}


@pytest.mark.parametrize("other", [{"product_code": CODE[:-1] + "2"}, {"months": ["2012-03"]}])
def test_a_token_that_one_product_bears_twice_is_sure(other, tmp_path):
    """With a code of which a bit was turned over, or in another month."""
    assert judged(tmp_path, doubled(other), account(1, None)) == {1: ("RECOVERABLE", MONTH[0])}
