"""The config's products: each with its token, its place, and the months in which it was sold."""

from __future__ import annotations

import json

import pytest
from makings import (
    CODE,
    PRODUCT_TOKEN,
    audit_row,
    codes,
    config,
    evidence,
    judged,
    open_files,
    signup_row,
)

from laeforensics.companions.products import printed_products, read_config, read_monthly

PRODUCT = {"full_name": "An invented product", "product_code": CODE, "product_token": PRODUCT_TOKEN}
OTHER_TOKEN = "{ProductToken}BBBHUHJvZHVjdINVENTED=="


def test_a_product_is_read_with_the_place_of_its_token():
    """Code, name and token, and where in the file the token stands."""
    data = b"\n" + config(PRODUCT)
    (product,), problem = read_config(data, "the config")
    assert (product.product_code, product.full_name, product.token.value) == (
        CODE,
        "An invented product",
        PRODUCT_TOKEN,
    )
    place = product.token.locator
    assert (data[place.start : place.end].decode(), place.line, problem) == (PRODUCT_TOKEN, 2, None)


@pytest.mark.parametrize("escape", [("/", "\\/"), ("{", "\\u007b"), ("=", "\\u003D"), ("AAA", "\\u0041AA")])
def test_a_token_that_is_written_with_escapes_has_its_place(escape):
    """The bytes at the place are what JSON reads as the token, in a configuration with others before it."""
    token = "{ProductToken}AAAHUHJv/HVjdINVENTED=="
    others = config({**PRODUCT, "full_name": 'a "quoted" name \\'}, {**PRODUCT, "product_token": token})
    data = others.decode().replace(token, token.replace(*escape)).encode()
    place = read_config(data, "the config")[0][1].token.locator
    assert json.loads(b'"' + data[place.start : place.end] + b'"') == token
    assert data[place.start - 1 : place.end + 1].count(b'"') == 2


@pytest.mark.parametrize(
    ("given", "months"),
    [
        ({}, None),
        ({"valid_from": "2012-01-01", "valid_until": "2012-03-31"}, ("2012-01-01", "2012-03-31")),
        ({"valid_from": "2012-01-01"}, ("2012-01-01", "")),
        ({"valid_until": "2012-03-31"}, ("", "2012-03-31")),
    ],
)
def test_a_window_may_be_open_at_either_end(given, months):
    """A product says from when, until when, both or neither."""
    (product,), _ = read_config(config({**PRODUCT, **given}), "the config")
    assert product.months == months


@pytest.mark.parametrize(
    "entry",
    [
        {**PRODUCT, "product_token": None},
        {**PRODUCT, "product_token": "INVENTED"},
        {**PRODUCT, "product_code": "no code"},
        {"plan_ID": "an S4 plan", "amount": 5000},
        "text",
        None,
    ],
)
def test_an_entry_without_a_code_and_a_token_is_no_product(entry):
    """S4 plans and damaged entries are passed over, the others are kept."""
    products, problem = read_config(config(entry, PRODUCT), "the config")
    assert ([p.position for p in products], problem) == ([1], None)


@pytest.mark.parametrize("change", [lambda d: d + b"\0\0\0", lambda d: d + b"\n" + d, lambda d: b"\xef\xbb\xbf" + d])
def test_a_config_with_a_harmless_tail_is_read(change):
    """NULs at the end, the same content twice or a byte order mark lose no token."""
    products, problem = read_config(change(config(PRODUCT)), "the config")
    assert ([p.token.value for p in products], problem) == ([PRODUCT_TOKEN], None)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"products": 1}', b"\xff\xfe\xff", config(PRODUCT)[:-4], b"[" * 100_000]
)
def test_a_config_that_cannot_be_read_says_why(data):
    """No products and a problem, never an exception."""
    products, problem = read_config(data, "the config")
    assert products == []
    assert problem


LINE = f'"product_token": "{PRODUCT_TOKEN}"'
LATER = LINE.replace("Token}AAA", "Token}BBB")
WIDE = PRODUCT_TOKEN.replace("INVENTED", "INVENTED" * 20)
EDITED = {
    "a comment": lambda told: told.replace("\n", ' // of May, says "Ann\n'),
    "a comment that swallowed a comma": lambda told: told.replace("},", "} // seen,"),
    "a commented line": lambda told: told.replace(LINE, f"// {LATER},\n{LINE}"),
    "a comma too many": lambda told: told.replace("}\n", "},\n"),
    "a key twice": lambda told: told.replace(LINE, f"{LATER},\n{LINE}"),
    "a merge": lambda told: told.replace(LINE, f"\n<<<<<<< HEAD\n{LINE},\n=======\n{LATER},\n>>>>>>> march\n"),
}


@pytest.mark.parametrize("how", EDITED)
def test_a_config_that_was_edited_by_hand_is_read(how):
    """What was told twice counts twice; each token has its place in the file as it lies."""
    written = json.dumps({"products": [PRODUCT, {"plan_ID": "an S4 plan"}]}, indent=1)
    data = EDITED[how](written).encode()
    products, problem = read_config(data, "the config")
    told = (
        [PRODUCT_TOKEN, PRODUCT_TOKEN.replace("AAA", "BBB", 1)]
        if how in ("a key twice", "a merge")
        else [PRODUCT_TOKEN]
    )
    assert sorted(product.token.value for product in products) == told
    places = [product.token.locator for product in products]
    assert sorted(data[place.start : place.end].decode() for place in places) == told
    assert (problem is not None) == (how == "a merge")


@pytest.mark.parametrize("breaks", ["\n", "\\n"])
@pytest.mark.parametrize("width", [64, 76])
def test_a_token_that_was_wrapped_is_whole(breaks, width):
    """As a mail program does; but a single line break may be a letter that was damaged."""
    lines = [WIDE[at : at + width] for at in range(0, len(WIDE), width)]
    data = config(PRODUCT).replace(PRODUCT_TOKEN.encode(), breaks.join(lines).encode())
    (product,), _ = read_config(data, "the config")
    assert product.token.value == WIDE
    assert data[product.token.locator.start :].startswith(b"{ProductToken}")
    told = f"{WIDE[:100]}{breaks}{WIDE[101:]}".encode()
    assert read_config(config(PRODUCT).replace(PRODUCT_TOKEN.encode(), told), "the config")[0] == []


def test_products_that_are_told_in_two_lists_are_all_offered():
    """Two months' lists in one object: whoever read only the last one would not know of the other."""
    lists = [json.dumps([{**PRODUCT, "product_token": token}]) for token in (PRODUCT_TOKEN, OTHER_TOKEN)]
    data = f'{{"products": {lists[0]}, "products": {lists[1]}}}'.encode()
    assert [each.token.value for each in read_config(data, "the config")[0]] == [PRODUCT_TOKEN, OTHER_TOKEN]


def test_two_configs_in_one_file_that_differ_are_not_believed():
    """Which of the two holds is nothing that a reader can know."""
    data = config(PRODUCT) + config({**PRODUCT, "product_token": OTHER_TOKEN})
    assert read_config(data, "the config") == ([], "holds several configurations that differ")


def _sold(*windows):
    products = [{**PRODUCT, "product_token": token, **window} for token, window in windows]
    return json.dumps({"products": products}).encode()


@pytest.mark.parametrize(
    ("first", "second", "token"),
    [
        ({"valid_until": "2012-02-29"}, {"valid_from": "2012-03-01"}, OTHER_TOKEN),
        ({"valid_until": "2012-03-20"}, {"valid_from": "2012-03-21"}, PRODUCT_TOKEN),
        ({"valid_from": "2012-03-20", "valid_until": "2012-03-20"}, {"valid_from": "2012-03-21"}, PRODUCT_TOKEN),
        ({"valid_until": "2012-03-20"}, {"valid_from": "2012-03-20"}, None),
        ({}, {}, None),
    ],
)
def test_the_day_of_the_signup_chooses_the_token(first, second, token, tmp_path):
    """Of several tokens for one code the one sold on the day that the log began counts, both ends included."""
    sold = _sold((PRODUCT_TOKEN, first), (OTHER_TOKEN, second))
    case = open_files(tmp_path, evidence(config=sold, secrets=None, results=None))
    assert signup_row(case)["product_token"] == token
    assert ("contested-field" in codes(case, "product_token")) == (token is None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_token_has_its_place_in_the_file_as_it_lies(encoding, tmp_path):
    """The bytes at its place are the token, whatever the encoding of the configuration."""
    data = config().decode().encode(encoding)
    account = judged(open_files(tmp_path, evidence(config=data, secrets=None)))
    place = next(f.locator for f in account.witnesses["product_token"] if f.rule.startswith("config"))
    told = data[place.start : place.end]
    assert told.decode("utf-16-le" if encoding == "utf-16" else "utf-8") == PRODUCT_TOKEN


def test_a_product_sold_in_other_months_is_unknown(tmp_path):
    """A token of another time is none for this signup, and the finding says what to add."""
    sold = _sold((PRODUCT_TOKEN, {"valid_until": "2012-02-29"}))
    case = open_files(tmp_path, evidence(config=sold, secrets=None))
    assert signup_row(case)["product_token"] is None
    assert "unknown-product" in codes(case, "product_token")
    assert list(case.audit["verdict"]) == ["INCOMPLETE"]


@pytest.mark.parametrize(
    ("months", "token"),
    [
        (["2012-03"], PRODUCT_TOKEN),
        (["2012-02", "2012-03", "2012-04"], PRODUCT_TOKEN),
        (["2012-04"], None),
        pytest.param(
            ["2012-02", "2012-04"],
            None,
        ),
    ],
)
def test_a_product_may_list_its_months(months, token, tmp_path):
    """A signup of a listed month has the token, one of a month that is not listed has none."""
    case = open_files(tmp_path, evidence(config=config({**PRODUCT, "months": months}), secrets=None))
    assert signup_row(case)["product_token"] == token


def test_a_product_list_that_was_printed_serves_where_the_config_is_lost():
    """Each product with the place of its token; a line that would be written otherwise is not believed."""
    listed = [{"full_name": "An invented product", "product_code": CODE, "product_token": PRODUCT_TOKEN}]
    text = f"d is a <Deferred at 0x1>\n{listed!r}\n"
    (product,) = printed_products(text, "the log", 7, 100)
    place = product.token.locator
    assert (product.product_code, product.token.value, place.line) == (CODE, PRODUCT_TOKEN, 8)
    assert text[place.start - 100 : place.end - 100] == PRODUCT_TOKEN
    assert printed_products(text.replace("', '", "',  '"), "the log", 7, 100) == []
    assert printed_products("[{" * 5000, "the log", 7, 100) == []


def sold(**window: object) -> dict[str, object]:
    return {"full_name": "An invented product", "product_code": CODE, "product_token": PRODUCT_TOKEN, **window}


@pytest.mark.parametrize(
    ("window", "days"),
    [
        ({"valid_from": "2012-03"}, {"2012-02-29": False, "2012-03-01": True}),
        ({"valid_until": "2012-03"}, {"2012-03-31": True, "2012-04-01": False}),
        ({"valid_from": "2012-03-20T00:00:00Z"}, {"2012-03-19": False, "2012-03-20": True}),
        ({"months": "2012-03"}, {"2012-03-20": True, "2012-04-20": False}),
        ({"months": {"2012-03": True}}, {"2012-03-20": False}),
        ({"valid_from": 2012}, {"2012-03-20": False}),
    ],
)
def test_a_window_counts_its_first_and_last_month_whole(window, days):
    """Bounds of months, days or moments, a single month as text.

    What cannot be read is no window that is always open.
    """
    ((product,), problem) = read_config(config(sold(**window)), "config")
    assert problem is None
    assert {day: product.is_sold_on(day) for day in days} == days


def test_windows_that_overlap_in_a_month_are_contested(tmp_path):
    """Two entries of one code whose windows share the signup's month: a human chooses."""
    products = [sold(valid_until="2012-03"), sold(valid_from="2012-03", product_token=OTHER_TOKEN)]
    case = open_files(tmp_path, evidence(secrets=None, config=config(*products)))
    assert audit_row(case)["blocking"] == ("contested:product_token",)


def test_a_byte_order_mark_costs_no_line():
    """The first line of a monthly file that an editor saved with a mark is a line as any other, at its own bytes."""
    data = b"\xef\xbb\xbf" + f"2012-03,{CODE},{PRODUCT_TOKEN}\n".encode()
    ((product,), bad) = read_monthly(data, "tokens.csv")
    assert bad == []
    place = product.token.locator
    assert data[place.start : place.end].decode() == PRODUCT_TOKEN


@pytest.mark.parametrize("damage", ["cut", "latin-1"])
def test_a_damaged_config_keeps_its_whole_entries(tmp_path, damage):
    """The entries before the damage are believed, and the damage is a finding."""
    other = PRODUCT_TOKEN.replace("INVENTED", "INVENTEDTOO")
    whole = config(sold(), sold(product_code="WXYZ6789", full_name="Caf@", product_token=other))
    data = whole[:-30] if damage == "cut" else whole.replace(b"@", b"\xe9")
    case = open_files(tmp_path, evidence(secrets=None, config=data))
    assert audit_row(case)["product_token"] == PRODUCT_TOKEN
    assert "damaged-config" in codes(case)
