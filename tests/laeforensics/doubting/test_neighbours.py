"""A value near to another: how many independent voices decide which is damage."""

from __future__ import annotations

import pytest
from makings import (
    CODE,
    HOST,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    PRODUCT_TOKEN,
    SEED,
    USER_TOKEN,
    audit_row,
    config,
    deployment,
    evidence,
    log,
    open_files,
    re_record,
    secrets,
)

from laeforensics.doubting import neighbours

LONG = USER_TOKEN.replace("INVENTED==", "INVENTED" * 40)


def files_of(told: str, *, is_re_recorded: bool = False, is_replaced: bool = False) -> dict[str, bytes]:
    """The log tells `told` in all its prints, every other file the whole token."""
    files = {path: data.replace(USER_TOKEN.encode(), LONG.encode()) for path, data in evidence().items()}
    files[LOG_FILE] = log().replace(USER_TOKEN.encode(), told.encode())
    if is_re_recorded:
        files[f"signup_logs/{OTHER_NAME}"] = re_record().replace(USER_TOKEN.encode(), LONG.encode())
    if is_re_recorded or is_replaced:
        beside = secrets() if is_re_recorded else secrets().replace(HOST.encode(), b"192.0.2.9")
        files[f"secrets/{OTHER_NAME}"] = beside.replace(USER_TOKEN.encode(), LONG.encode())
    return files


@pytest.mark.parametrize("told", [LONG[:255], LONG[:-1], LONG.replace("AAAH", "AAAJ")])
def test_two_other_files_outvote_all_prints_of_a_log(tmp_path, told):
    """The secrets file and what was read out of the server: a log may repeat what is damaged as often as it likes."""
    row = audit_row(open_files(tmp_path, files_of(told, is_re_recorded=True)))
    assert (row["user_token"], row["verdict"]) == (LONG, "RECOVERABLE")


@pytest.mark.parametrize("is_replaced", [True, False])
def test_secrets_files_of_one_account_are_one_voice_against_its_log(tmp_path, is_replaced):
    """A replacement's was filled from the first: a token misread in either is misread in both."""
    files = files_of(LONG.replace("INVENTED", "lNVENTED", 1), is_replaced=is_replaced)
    assert f"secrets/{NAME}" in files
    row = audit_row(open_files(tmp_path, files))
    assert (row["user_token"], row["verdict"]) == (None, "CONTESTED")


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_token_with_its_end_cut_off_is_no_other_token(tmp_path, is_replaced):
    """However often it stands there: the whole one begins with it, and no damage goes on with the right letters."""
    row = audit_row(open_files(tmp_path, files_of(LONG[:255], is_replaced=is_replaced)))
    assert (row["user_token"], row["verdict"]) == (LONG, "RECOVERABLE")


@pytest.mark.parametrize(("told", "verdict"), [("INVENTED", "RECOVERABLE"), ("ANOTHERS", "CONTESTED")])
def test_a_token_that_a_database_cut_off_speaks_against_what_is_merely_offered(told, verdict, tmp_path):
    """It tells no whole token; but the one of the configuration must go on where it ends."""
    whole = PRODUCT_TOKEN.replace("INVENTED==", "INVENTED" * 40)
    offered = {"full_name": "An invented product", "product_code": CODE, "product_token": whole}
    beside = secrets(product_token=whole.replace("INVENTED", told)[:255])
    case = open_files(tmp_path, evidence(secrets=beside, config=config(offered)))
    assert audit_row(case)["verdict"] == verdict


def test_a_token_that_goes_on_behind_its_padding_is_another(tmp_path):
    """What ends in = is whole: what is longer may be two pieces."""
    files = evidence(log=log().replace(USER_TOKEN.encode(), USER_TOKEN.replace("==", "ANOTHERS").encode()))
    row = audit_row(open_files(tmp_path, files))
    assert (row["user_token"], row["verdict"]) == (None, "CONTESTED")


def test_a_token_before_a_broken_line_still_speaks_against_one_that_is_near(tmp_path):
    """The line behind it is none of its print any more: no hole made two lines one, or it were not near."""
    first, *later = log().replace(USER_TOKEN.encode(), LONG.encode()).split(LONG.encode())
    told = (first, LONG.replace("AAAH", "AAAJ").encode(), later[0], LONG.encode())
    rest = later[1].replace(b"evPay", b"evPbw"), LONG.replace("AAAH", "AA\x00H").encode(), *later[2:]
    case = open_files(tmp_path, {LOG_FILE: b"".join((*told, *rest))})
    assert audit_row(case)["user_token"] is None


@pytest.mark.parametrize(("other", "taken"), [("amn@example.org", None), ("eve@example.com", "eve@example.com")])
def test_a_lone_address_is_not_sure_where_one_behind_missing_lines_differs_in_a_letter(other, taken, tmp_path):
    """Whose the mail behind them is, nothing ties; but it is the same customer's, or nearly."""
    told = log("instance", deployment=deployment(email=other))
    assert audit_row(open_files(tmp_path, {LOG_FILE: told}))["customer_email"] == taken


def test_of_very_many_values_none_is_sure_and_none_is_compared(tmp_path, monkeypatch):
    """Each would be compared with all: a file that somebody multiplied would take hours."""
    compared = []
    monkeypatch.setattr(neighbours, "is_near", lambda one, other: compared.append((one, other)))
    files = evidence()
    for number in range(neighbours.MANY):
        told = USER_TOKEN.replace("INV", f"I{number:02}")
        files[f"secrets/2012-03-21T10{number // 60:02}{number % 60:02}Z-{SEED}"] = secrets(user_token=told)
    case = open_files(tmp_path, files)
    assert (audit_row(case)["user_token"], audit_row(case)["verdict"]) == (None, "CONTESTED")
    assert "among-many" in set(case.doubts["reason"])
    assert compared == []
