"""The monthly product tokens: the month of the signup decides."""

from __future__ import annotations

import json

import pytest
from makings import (
    BUCKET,
    CODE,
    audit_row,
    codes,
    config,
    evidence,
    open_files,
    secrets_object,
)

import laeforensics as lf
from laeforensics.cli import main
from laeforensics.companions.products import read_monthly
from laerecover.manifest import read_manifest

FEBRUARY, MARCH, SECOND = (f"{{ProductToken}}{letter * 4}HUHJvZHVjdINVENTED==" for letter in "FMS")


def lines(*rows: tuple[str, str, str]) -> bytes:
    return "".join(f"{','.join(row)}\n" for row in rows).encode()


def rejected(data: bytes) -> list[int]:
    """The numbers of the lines that are none, where the file holds no product at all."""
    products, bad = read_monthly(data, "tokens.csv")
    assert products == []
    return bad


def test_a_line_is_month_code_and_token_with_its_place():
    """The product is sold in that month only, and the bytes of its token are found again."""
    data = b"# month,code,token\r\n\n" + lines(("2012-02", CODE.lower(), FEBRUARY), ("2012-03", CODE, MARCH))
    (february, march), bad = read_monthly(data, "tokens.csv")
    assert bad == []
    assert (february.product_code, february.token.value, march.token.value) == (CODE, FEBRUARY, MARCH)
    place = march.token.locator
    assert (place.evidence, place.line, data[place.start : place.end].decode()) == ("tokens.csv", 4, MARCH)
    assert [february.is_sold_on(day) for day in ("2012-01-31", "2012-02-01", "2012-02-29", "2012-03-01")] == [
        False, True, True, False,
    ]  # fmt: skip


def test_crlf_is_no_part_of_a_token():
    """A file that went through an editor reads alike."""
    (product,), bad = read_monthly(lines(("2012-02", CODE, FEBRUARY)).replace(b"\n", b"\r\n"), "tokens.csv")
    assert (product.token.value, bad) == (FEBRUARY, [])


def test_the_last_line_may_lack_its_end():
    """No LF at the end of the file."""
    (product,), _ = read_monthly(lines(("2012-02", CODE, FEBRUARY)).rstrip(b"\n"), "tokens.csv")
    assert product.token.value == FEBRUARY


@pytest.mark.parametrize(
    "row",
    [
        ("2012-13", CODE, FEBRUARY),
        ("2012-00", CODE, FEBRUARY),
        ("2012-2", CODE, FEBRUARY),
        ("2012-02-01", CODE, FEBRUARY),
        ("", CODE, FEBRUARY),
        ("2012-02", "", FEBRUARY),
        ("2012-02", "no code", FEBRUARY),
        ("2012-02", CODE, ""),
        ("2012-02", CODE, "INVENTED"),
        ("2012-02", CODE, "{UserToken}AAAHVXNlclRrbgINVENTED=="),
        ("2012-02", CODE, f"{FEBRUARY}\0"),
        ("2012-02", FEBRUARY, CODE),
    ],
)
def test_a_line_that_is_none_is_named(row):
    """By its number; nothing is read from it."""
    assert rejected(b"\n" + lines(row)) == [2]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"# nothing yet\n"])
def test_an_empty_file_has_nothing_wrong(data):
    """Blank lines and remarks are neither products nor damage."""
    assert rejected(data) == []


@pytest.mark.parametrize("data", [b"2012-02\n", b"2012-02,ABCD0123\n", b"\xff\xfe2\x00\n", b"{}\n"])
def test_what_is_no_row_is_named(data):
    """Too few cells, or another kind of file."""
    assert rejected(data) == [1]


def opened(tmp_path, tokens: bytes, **changed: bytes | None) -> lf.Case:
    """The customer of March 2012 without a secrets file or a config, but with a monthly file."""
    given = {"secrets": None, "config": None, **changed}
    root = open_files(tmp_path, evidence(**given)).root
    (tmp_path / "tokens.csv").write_bytes(tokens)
    return lf.open_case(root, product_tokens=tmp_path / "tokens.csv")


def test_the_month_of_the_signup_decides(tmp_path):
    """Of three months the one in which the signup began, whatever the order."""
    case = opened(tmp_path, lines(("2012-04", CODE, SECOND), ("2012-03", CODE, MARCH), ("2012-02", CODE, FEBRUARY)))
    row = audit_row(case)
    assert (row["verdict"], row["product_token"]) == ("RECOVERABLE", MARCH)


@pytest.mark.parametrize("rows", [(("2012-02", CODE, FEBRUARY),), (("2012-03", "ZZZZ9999", MARCH),)])
def test_another_month_or_another_product_gives_no_token(tmp_path, rows):
    """The token is missing, and the product is said to be unknown."""
    case = opened(tmp_path, lines(*rows))
    row = audit_row(case)
    assert (row["product_token"], "product_token" in row["missing"]) == (None, True)
    assert "unknown-product" in codes(case, "product_token")


def test_several_candidates_are_contested(tmp_path):
    """Two tokens of one product in one month: neither is taken, both are listed with their lines."""
    case = opened(tmp_path, lines(("2012-03", CODE, MARCH), ("2012-03", CODE, SECOND)))
    row = audit_row(case)
    assert (row["verdict"], row["product_token"], row["blocking"]) == (
        "CONTESTED",
        None,
        ("contested:product_token",),
    )
    (told,) = (f for f in case.judgement.findings if f.code == "contested-field")
    assert {(place.evidence, place.line) for place in told.locators} == {("tokens.csv", 1), ("tokens.csv", 2)}
    shown = str(case.explain(BUCKET))
    assert "tokens.csv:1" in shown
    assert "tokens.csv:2" in shown
    assert MARCH not in shown


def test_the_same_token_twice_is_no_contest(tmp_path):
    """Two lines that agree are two witnesses of one value."""
    case = opened(tmp_path, lines(("2012-03", CODE, MARCH), ("2012-03", CODE, MARCH)))
    assert audit_row(case)["product_token"] == MARCH


def test_the_monthly_file_against_the_config(tmp_path):
    """A config without months contradicts another token of the month: CONTESTED."""
    case = opened(tmp_path, lines(("2012-03", CODE, MARCH)), config=config())
    assert (audit_row(case)["verdict"], audit_row(case)["product_token"]) == ("CONTESTED", None)


def test_the_monthly_file_against_the_secrets_file(tmp_path):
    """What the program itself wrote down is not overruled by a table, nor the table by it: CONTESTED."""
    written = (json.dumps(secrets_object()) + "\n").encode()
    row = audit_row(opened(tmp_path, lines(("2012-03", CODE, MARCH)), secrets=written))
    assert (row["verdict"], row["product_token"]) == ("CONTESTED", None)


def test_lines_that_are_none_are_findings(tmp_path):
    """Each with its number, and the good lines count all the same; no token is shown."""
    case = opened(tmp_path, lines(("2012-03", CODE, MARCH), ("March", CODE, SECOND), ("2012-03", CODE, "?")))
    told = [f.message for f in case.judgement.findings if f.signup == "tokens.csv"]
    assert told == ["line 2 is no month, code and token", "line 3 is no month, code and token"]
    assert audit_row(case)["product_token"] == MARCH


def test_the_option_as_typed(tmp_path, capsys):
    """`audit --product-tokens` carries the month's token into the manifest, and shows it nowhere."""
    root = opened(tmp_path, lines(("2012-03", CODE, MARCH))).root
    words = ["audit", str(root), "--product-tokens", str(tmp_path / "tokens.csv")]
    with pytest.raises(SystemExit) as end:
        main([*words, "--output", str(tmp_path / "m.parquet"), "--key-file", str(tmp_path / "key" / "k")])
    assert not end.value.code
    (account,) = read_manifest(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k").accounts
    assert account.product_token is not None
    assert account.product_token.reveal() == MARCH
    told = capsys.readouterr()
    page = (tmp_path / "audit.html").read_text("utf-8")
    assert MARCH not in told.out + told.err + page


def test_a_file_that_is_not_there_ends_with_2(tmp_path, capsys):
    """Three lines, no traceback."""
    root = open_files(tmp_path, evidence()).root
    with pytest.raises(SystemExit) as end:
        main(["audit", str(root), "--product-tokens", str(tmp_path / "none.csv")])
    err = capsys.readouterr().err
    assert end.value.code == 2
    assert len(err.rstrip("\n").split("\n")) == 3


def test_decide_says_how_to_audit_with_the_same_file(tmp_path, capsys):
    """A decision between two lines of the file: the next command must name the file, or the token is missing again."""
    case = opened(tmp_path, lines(("2012-03", CODE, MARCH), ("2012-03", CODE, SECOND)))
    option = ["--product-tokens", str(tmp_path / "tokens.csv")]
    words = [
        "decide",
        str(case.root),
        BUCKET,
        "product_token",
        "--witness",
        "1",
        "--because",
        "asked",
        "--who",
        "Carol",
    ]
    with pytest.raises(SystemExit) as end:
        main([*words, *option])
    out = capsys.readouterr().out
    if end.value.code or "kept in" not in out:
        pytest.fail("not decided")
    assert audit_row(lf.open_case(case.root, product_tokens=tmp_path / "tokens.csv"))["product_token"] in (
        MARCH,
        SECOND,
    )
    assert "--product-tokens" in out.partition("next:")[2]
