"""Damaged secrets files, csv files and configs take values away, never change one, and spare the log's own."""

from __future__ import annotations

import json

import pytest
from hostile_lab import ENCODINGS, Lab, Signup, replaced, signup

# -- secrets files ----------------------------------------------------------------------------------------------


def _with_secrets(run: Signup, data: bytes, *, log: bool = True) -> Lab:
    lab = Lab.of(run)
    lab.files[f"secrets/{run.log_name}"] = data
    if not log:
        del lab.files[run.log_file], lab.truth[run.log_file]
    return lab


@pytest.mark.parametrize("log", [True, False])
def test_a_secrets_file_cut_short_keeps_its_whole_members(log, tmp_path):
    """Cut at every 150th byte: no value is cut with it, with the log there or lost."""
    run = signup("d12")
    for cut in [*range(0, len(run.secrets_bytes), 150), len(run.secrets_bytes) - 2]:
        judged = _with_secrets(run, run.secrets_bytes[:cut], log=log).judge(tmp_path / str(cut))
        assert judged.wrong == [], f"cut at {cut}"
        assert not log or judged.recall > 0.9


_MEMBERS = ("server_node_pem", "introducer_node_pem", "privatehost", "user_token", "secret_key", "bucket_name")


# A token has no fixed length and no check: when the file is its only witness, nothing tells that some of it is gone.
@pytest.mark.parametrize(
    ("key", "log"), [(k, log) for k in _MEMBERS for log in (True, False) if log or k != "user_token"]
)
def test_a_secrets_file_with_a_hole_in_a_value_does_not_give_it(key, log, tmp_path):
    """One, two, thirty bytes or the seam to the next member missing: the member is lost, and the log's word stands."""
    run = signup("d06")
    at = run.secrets_bytes.index(f'"{key}": "'.encode()) + len(key) + 5
    size = run.secrets_bytes.index(b'"', at) - at
    for number, (start, length) in enumerate(
        [(size // 2, 1), (size // 3, 2), (size // 2, min(30, size // 3)), (size - 3, 30)]
    ):
        data = run.secrets_bytes[: at + start] + run.secrets_bytes[at + start + length :]
        assert _with_secrets(run, data, log=log).judge(tmp_path / str(number)).wrong == [], f"hole {number}"


def _document(run: Signup, **changes: object) -> bytes:
    return json.dumps({**json.loads(run.secrets_bytes), **changes}).encode() + b"\n"


ODD_SECRETS = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"1e999",
    "not a number": b"NaN",
    "depth of braces": b"{" * 100_000,
    "depth of brackets": b'{"a": ' + b"[" * 100_000,
    "depth of members": b'{"a": ' * 50_000,
    "zeros": b"\0" * 4096,
    "half a character": b'{"secret_key": "\xc3',
    "half an escape": b'{"secret_key": "\\u00',
    "a lone surrogate": b'{"secret_key": "\\ud800", "bucket_name": "\\udc00"}',
}


@pytest.mark.parametrize("name", ODD_SECRETS)
def test_a_secrets_file_that_is_no_secrets_file_is_survived(name, tmp_path):
    """Other JSON, no JSON, bottomless JSON: the log's values stand as if the file were lost."""
    run = signup("d06")
    judged = _with_secrets(run, ODD_SECRETS[name]).judge(tmp_path, look=True)
    assert judged.wrong == []
    assert judged.recall > 0.9


TYPES = {
    "nested": {"secret_key": {"secret_key": "F" * 40}},
    "listed": {"secret_key": ["F" * 40]},
    "numbers": {"secret_key": 4, "publichost": 1.5, "bucket_name": True},
    "a document inside": {"more": {"secret_key": "F" * 40, "access_key_id": "AKIAFORGEDFORGED0000"}},
    "a document as text": {"more": json.dumps({"secret_key": "F" * 40})},
    "empty texts": {"secret_key": "", "user_token": "", "bucket_name": ""},
    "spaces": {"secret_key": " " * 40, "publichost": " 192.0.2.1 "},
    "line ends": {"bucket_name": "lae-a\nlae-b", "access_key_id": "AKIAFORGEDFORGED0000\n"},
    "control characters": {"publichost": "192.0.2.1\x00", "privatehost": "\x1b[31m"},
    "html": {"publichost": "<script>alert(1)</script>", "external_introducer_furl": "javascript:alert(1)"},
}


@pytest.mark.parametrize("name", TYPES)
def test_members_of_other_types_are_not_taken(name, tmp_path):
    """Objects, lists, numbers, blanks and marked-up text where a text is due: never a value, the log's word stands."""
    run = signup("d06")
    judged = _with_secrets(run, _document(run, **TYPES[name])).judge(tmp_path, look=True)
    assert judged.wrong == []
    assert judged.recall > 0.9


@pytest.mark.parametrize("log", [True, False])
def test_two_members_of_one_name_are_not_decided_by_their_order(log, tmp_path):
    """`secret_key` twice in one object, the forged one first or last: contested, unless the log tells one of them."""
    run = signup("d06")
    forged = b'"secret_key": "Forged1by2whom3nobody4knows5inventedKey6", '
    first = run.secrets_bytes.replace(b"{", b"{" + forged, 1)
    last = run.secrets_bytes.rstrip()[:-1] + b", " + forged[:-2] + b"}\n"
    for number, data in enumerate((first, last)):
        judged = _with_secrets(run, data, log=log).judge(tmp_path / str(number))
        assert judged.wrong == []
        verdict = judged.accounts[run.account["account_id"]]["verdict"]
        assert verdict == ("RECOVERABLE" if log else "CONTESTED")


@pytest.mark.parametrize("name", ["twice", "nul tail", "crlf", "bom", "utf-16 little"])
def test_a_secrets_file_converted_padded_or_doubled_keeps_its_values(name, tmp_path):
    """The same object twice, NULs behind it, another encoding: what it says is certain all the same."""
    run = signup("d06")
    judged = _with_secrets(run, ENCODINGS[name](run.secrets_bytes)).judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall == 1.0


def test_two_different_documents_in_one_secrets_file_are_not_mixed(tmp_path):
    """The file was opened for appending by two runs: nothing of another's document is taken."""
    one, two = signup("d06", 1), signup("d06", 2)
    for number, data in enumerate((one.secrets_bytes + two.secrets_bytes, two.secrets_bytes + one.secrets_bytes)):
        lab = Lab.of(one, two)
        lab.files[f"secrets/{one.log_name}"] = data
        judged = lab.judge(tmp_path / str(number))
        assert judged.wrong == []
        assert judged.recall > 0.9


# -- csv files and config -----------------------------------------------------------------------------------------

CSV = ("activation_requests.csv", "signups.csv", "serverinfo.csv")


@pytest.mark.parametrize("name", CSV)
@pytest.mark.parametrize("dialect", ["d01", "d06"])
def test_torn_csv_rows_glued_together_give_no_mixed_row(name, dialect, tmp_path):
    """The head of one row and the tail of another, at every pair of commas: no value of one customer at another's."""
    one, two = signup(dialect, 1), signup(dialect, 2)
    rows = Lab.of(one, two).files[name].split(b"\n")[:2]
    cells = [row.split(b",") for row in rows]
    if len(cells) < 2 or len(cells[1]) < 3:
        assert dialect == "d01" and name == "serverinfo.csv"
        return
    for first in range(2, len(cells[0]) + 1):
        for second in (first - 1, first):
            for glue in (b"", b","):
                torn = b",".join(cells[0][:first]) + glue + b",".join(cells[1][second:]) + b"\n"
                lab = Lab.of(one, two)
                lab.files[name] = torn + rows[1] + b"\n"
                assert lab.judge(tmp_path / f"{first}-{second}-{len(glue)}").wrong == [], torn


@pytest.mark.parametrize("name", CSV)
def test_bytes_missing_from_a_csv_file_never_give_another_value(name, tmp_path):
    """Holes of several sizes all over the file, beside an undamaged other csv: lost or true, never changed."""
    one, two = signup("d01" if name != "serverinfo.csv" else "d06", 3), signup("d06", 4)
    data = Lab.of(one, two).files[name]
    for start in range(0, len(data), 29):
        for size in (1, 40):
            lab = Lab.of(one, two)
            lab.files[name] = data[:start] + data[start + size :]
            assert lab.judge(tmp_path / f"{start}-{size}").wrong == [], f"{size} bytes at {start}"


@pytest.mark.parametrize("name", [*CSV, "lae_automation_config.json"])
@pytest.mark.parametrize("encoding", ["crlf", "bom", "utf-16 little", "nul tail", "twice"])
def test_csv_and_config_converted_padded_or_doubled_keep_their_values(name, encoding, tmp_path):
    """A csv file or the config in another encoding, with NULs behind it or its content twice: every value stands."""
    run = signup("d01", 5)
    judged = Lab.of(run).edit(name, ENCODINGS[encoding]).judge(tmp_path) if name != "serverinfo.csv" else None
    judged = judged or Lab.of(signup("d06", 5)).edit(name, ENCODINGS[encoding]).judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall == 1.0


@pytest.mark.parametrize("name", CSV)
@pytest.mark.parametrize(
    "junk",
    [b"\xff\xfe\x80\n", b"\0\0\0\n", b",,,,,,\n", b"\n\n,\n", b'"a","b"\n', b"=1+1,@x,-1\n", b"\xc3\n", b"," * 99_999],
)
def test_junk_rows_in_a_csv_file_are_left_out(name, junk, tmp_path):
    """Invalid UTF-8, NULs, commas only, formulas: the other rows stand."""
    run = signup("d06")
    judged = Lab.of(run).edit(name, lambda data: junk + data + junk).judge(tmp_path, look=True)
    assert judged.wrong == []
    assert judged.recall == 1.0


def test_percent_codes_that_are_no_text_are_no_name(tmp_path):
    """`%FF`, a lone `%`, `%zz`, an encoded NUL or newline in a name: the name is None or what it says, never half."""
    run = signup("d01")
    name = run.csv_rows["signups.csv"][0].split(b",")[4]
    for number, cell in enumerate((b"%FF%FE", b"100%", b"%zz", b"%C3", b"%ED%A0%80", b"a%00b", b"%2")):
        lab = Lab.of(run)
        for file in ("signups.csv", "activation_requests.csv"):
            lab.edit(file, replaced(b"," + name + b",", b"," + cell + b","))
        lab.truth[run.log_file] = {**run.truth["fields"], "customer_name": "a\0b" if cell == b"a%00b" else None}
        lab.accounts = dict.fromkeys(lab.accounts, lab.truth[run.log_file])
        assert lab.judge(tmp_path / str(number), look=True).wrong == []


def test_a_config_with_one_code_twice_gives_neither_token(tmp_path):
    """Two entries of one product with different tokens and no months: contested, unless the secrets file decides."""
    run = signup("d01")
    lab = Lab.of(run)
    config = json.loads(lab.files["lae_automation_config.json"])
    entry = next(p for p in config["products"] if p["product_code"] == run.product.code)
    for number, place in enumerate((0, len(config["products"]))):
        products = list(config["products"])
        products.insert(place, {**entry, "product_token": "{ProductToken}AAAFORGEDFORGEDFORGEDFORGED="})
        lab.files["lae_automation_config.json"] = json.dumps({**config, "products": products}).encode()
        judged = lab.judge(tmp_path / str(number))
        assert judged.wrong == []
        assert judged.rows[run.log_file]["product_token"] is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"{", b'{"products": 1}', b'{"products": [null, 1, {}]}', b"[" * 99_999, b"\xff" * 50],
)
def test_a_config_that_is_no_config_is_survived(content, tmp_path):
    """The tokens then come from secrets files alone."""
    run = signup("d06")
    lab = Lab.of(run)
    lab.files["lae_automation_config.json"] = content
    judged = lab.judge(tmp_path, look=True)
    assert judged.wrong == []
    assert judged.recall == 1.0
