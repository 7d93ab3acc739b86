"""Damage is survived: no crash, no shifted value, and what is certain is kept."""

from __future__ import annotations

import json
import os
import random
import re
from typing import Any

import pytest
from hostile_lab import OF_THE_LOG, Judged, Lab, Signup, after_line, replaced, signup, spread

DIALECTS = ("d01", "d02", "d06", "d12", "d13")


def _own_print(data: bytes, value: str) -> int:
    """Where a value's first own print ends its line's value, -1 if it stands nowhere."""
    found = re.search(rb"(?:= '|is '|\.furl = )" + re.escape(value.encode()), data)
    return found.end() if found else -1


def _values(run: Signup) -> dict[str, str]:
    """The values that the log itself prints (the product code is a part of the bucket's name)."""
    fields = run.truth["fields"]
    return {name: fields[name] for name in OF_THE_LOG if fields[name] is not None and name != "product_code"}


def _row(judged: Judged, label: str) -> dict[str, Any]:
    return next(row for name, row in judged.rows.items() if name.startswith(f"{label}/"))


# -- a part of the log ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_log_cut_anywhere_gives_what_was_told_before_and_nothing_else(dialect, tmp_path):
    """Cut at value ends, in values and anywhere: every value whose line is whole is kept, no other appears."""
    run, rng = signup(dialect), random.Random(dialect)
    data = run.log_bytes
    cuts = {rng.randrange(len(data)) for _ in range(12)}
    for value in _values(run).values():
        end = _own_print(data, value)
        cuts |= {end - len(value) // 2, end, end + 1, end + 2, end + 3}
    judged = spread(tmp_path, run, {f"cut{cut}": data[:cut] for cut in cuts})
    assert judged.wrong == []
    for cut in cuts:
        row = _row(judged, f"cut{cut}")
        told = [n for n, v in _values(run).items() if 0 <= _own_print(data, v) < data.rfind(b"\n", 0, cut)]
        assert [name for name in told if row[name] is None] == [], f"lost by a cut at {cut}, after their lines"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_log_whose_head_is_lost_gives_only_its_own_values(dialect, tmp_path):
    """Everything before byte k is lost, at line ends and in the middle of values."""
    run, rng = signup(dialect), random.Random(dialect)
    data = run.log_bytes
    starts = {rng.randrange(len(data)) for _ in range(10)}
    for value in _values(run).values():
        end = _own_print(data, value)
        starts |= {end - len(value) // 2, data.rfind(b"\n", 0, end) + 1, data.find(b"\n", end) + 1}
    variants = {f"from{start}": data[start:] for start in starts}
    for whole in (False, True):
        assert spread(tmp_path / str(whole), run, variants, whole=whole).wrong == []


def test_a_log_that_begins_at_its_deploy_block_still_gives_the_server(tmp_path):
    """The head lost up to `Deploying EC2 instance`: bucket, instance, address, furl are kept, the credentials come from secrets."""
    run = signup("d06")
    data = run.log_bytes[run.log_bytes.index(b">Deploying EC2") :]
    judged = spread(tmp_path / "bare", run, {"bare": data})
    assert judged.wrong == []
    row = _row(judged, "bare")
    names = (
        "bucket_name",
        "product_code",
        "instance_id",
        "launch_time",
        "public_host",
        "introducer_furl",
        "ami_image_id",
    )
    assert [name for name in names if row[name] is None] == []
    judged = spread(tmp_path / "whole", run, {"whole": data}, whole=True)
    assert judged.wrong == []
    assert _row(judged, "whole")["user_secret_key"] == run.truth["fields"]["user_secret_key"]


def _holes(run: Signup, value: str) -> dict[str, bytes]:
    """The log with bytes gone from the middle of the own print of a value: a few bytes, or up to the next line."""
    data = run.log_bytes
    end = _own_print(data, value)
    at, middle, after = end - len(value), end - len(value) // 2, data.find(b"\n", end) + 1
    holes = {"one": (middle, middle + 1), "two": (middle, middle + 2), "quarter": (middle, middle + len(value) // 4)}
    holes |= {"last": (end - 1, end), "first": (at, at + 1), "end": (middle, after), "seam": (middle, after + 20)}
    holes |= {"line": (at - 3, after + 3), "wide": (middle, middle + 300)}
    return {name: data[:start] + data[stop:] for name, (start, stop) in holes.items() if stop > start}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", [name for name in OF_THE_LOG if name != "product_code"])
def test_bytes_missing_from_a_value_never_give_another_value(name, dialect, tmp_path):
    """A hole closes up inside a printed value: the value is lost, or another witness gives the true one."""
    run = signup(dialect)
    if name not in _values(run):
        assert dialect == "d13"
        return
    for whole in (False, True):
        judged = spread(tmp_path / str(whole), run, _holes(run, _values(run)[name]), whole=whole)
        assert judged.wrong == []
        assert judged.recall > 0.6


@pytest.mark.parametrize("dialect", ["d06", "d12"])
@pytest.mark.parametrize("path", ["introducer/private/node.pem", "storageserver/private/node.pem"])
def test_a_relayed_node_pem_with_a_hole_is_not_given(path, dialect, tmp_path):
    """Bytes or whole lines missing from certificate or key: a key that does not fit its certificate is no value."""
    run = signup(dialect)
    data = run.log_bytes
    start = data.index(b"\n", data.index(path.encode() + b"\n")) + 1
    end = data.index(b"-----END RSA", start)
    line = data.index(b"\n", start + 400) + 1
    holes = [(start + 200, start + 201), (start + 200, start + 204), (end - 100, end - 99), (end - 200, end - 196)]
    holes += [(line, data.index(b"\n", line) + 1), (end - 150, end - 120)]
    judged = spread(tmp_path, run, {f"hole{n}": data[:a] + data[b:] for n, (a, b) in enumerate(holes)})
    assert judged.wrong == []
    for row in judged.rows.values():
        assert row["introducer_furl"] == run.truth["fields"]["introducer_furl"]


def test_two_lines_of_a_node_pem_that_changed_places_are_noticed(tmp_path):
    """The lines of the private key swapped: it is a pem by its shape, but not the node's key."""
    run = signup("d06")
    data = run.log_bytes
    first = data.index(b"\n", data.index(b"] out: -----BEGIN RSA PRIVATE KEY-----")) + 1
    second = data.index(b"\n", first) + 1
    third = data.index(b"\n", second) + 1
    swapped = data[:first] + data[second:third] + data[first:second] + data[third:]
    assert spread(tmp_path, run, {"swapped": swapped}).wrong == []


@pytest.mark.parametrize("filler", [b"\0", b"\xff", b" ", b"x"])
def test_a_block_that_was_overwritten_costs_its_own_values_only(filler, tmp_path):
    """The line of the access key overwritten in place: that value is lost, the rest of the log is not."""
    run = signup("d06")
    at = run.log_bytes.index(b"access_key_id = ")
    end = run.log_bytes.index(b"\n", at)
    data = run.log_bytes[:at] + filler * (end - at) + run.log_bytes[end:]
    judged = spread(tmp_path, run, {"hurt": data})
    assert judged.wrong == []
    row = _row(judged, "hurt")
    assert row["user_access_key_id"] is None
    assert [n for n in _values(run) if row[n] is None and n not in ("user_access_key_id", "user_secret_key")] == []


@pytest.mark.parametrize("filler", [b"\0", b"x"])
def test_the_next_line_of_a_print_survives_an_overwritten_one(filler, tmp_path):
    """The access key's value overwritten, its label whole: the secret key on the next line of the same print stands."""
    run = signup("d06")
    key = run.truth["fields"]["user_access_key_id"].encode()
    data = run.log_bytes.replace(b"'" + key + b"'", filler * (len(key) + 2), 1)
    judged = spread(tmp_path, run, {"hurt": data})
    assert judged.wrong == []
    assert _row(judged, "hurt")["user_secret_key"] == run.truth["fields"]["user_secret_key"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_zeroed_disk_blocks_anywhere_cost_only_what_they_cover(dialect, tmp_path):
    """512-byte blocks of zeros, one at a time: no other value appears, and most of the log is kept."""
    run = signup(dialect)
    data = run.log_bytes
    variants = {
        f"at{start}": data[:start] + b"\0" * len(data[start : start + 512]) + data[start + 512 :]
        for start in range(0, len(data), 512)
    }
    judged = spread(tmp_path, run, variants)
    assert judged.wrong == []
    plain = spread(tmp_path / "plain", run, {"plain": data}).recall
    assert judged.recall > 0.85 * plain


# -- a whole log ----------------------------------------------------------------------------------------------

ENCODINGS = {
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "bom": lambda data: b"\xef\xbb\xbf" + data,
    "crlf and bom": lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"),
    "utf-16 little": lambda data: b"\xff\xfe" + data.decode("latin-1").encode("utf-16-le"),
    "utf-16 big": lambda data: b"\xfe\xff" + data.decode("latin-1").encode("utf-16-be"),
    "utf-16 of utf-8": lambda data: data.decode("utf-8", "replace").encode("utf-16"),
    "nul tail": lambda data: data + b"\0" * 4096,
    "nul head": lambda data: b"\0" * 512 + data,
    "newlines after": lambda data: data + b"\n" * 300,
    "twice": lambda data: data + data,
}


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_log_that_was_converted_padded_or_doubled_keeps_every_value(name, dialect, tmp_path):
    """CRLF, BOM, UTF-16 of both orders, NULs at either end, the content twice: the same values as before."""
    run = signup(dialect)
    for whole in (False, True):
        plain = spread(tmp_path / f"plain{whole}", run, {"plain": run.log_bytes}, whole=whole)
        judged = spread(tmp_path / f"{whole}", run, {"hurt": ENCODINGS[name](run.log_bytes)}, whole=whole)
        assert judged.wrong == []
        assert judged.recall == plain.recall


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\0", b"\0" * 9999, b"\xff\xfe", b"\xef\xbb\xbf", b">", b"'", b"[", b"PK\x03\x04"]
)
def test_a_log_of_next_to_nothing_is_survived(data, tmp_path):
    """Zero bytes, one byte, a mark of encoding and nothing behind it: no value of its own, those of its secrets file stay."""
    run = signup("d06")
    assert spread(tmp_path / "bare", run, {"bare": data}).recall == 0.0
    lab = Lab.of(run)
    lab.files[run.log_file] = data
    judged = lab.judge(tmp_path / "whole", look=True)
    assert judged.wrong == []
    assert judged.rows[run.log_file]["user_secret_key"] == run.truth["fields"]["user_secret_key"]


def test_only_carriage_returns_give_no_value(tmp_path):
    """A log whose line ends became CR is one line: nothing is guessed from it."""
    run = signup("d06")
    assert spread(tmp_path, run, {"cr": run.log_bytes.replace(b"\n", b"\r")}).wrong == []


@pytest.mark.parametrize("folder", ["leastauthority.com/signup_logs", "backup/old/signup_logs"])
def test_the_same_log_in_two_folders_is_one_account(folder, tmp_path):
    """Both rows say the same, and the audit holds the account once."""
    run = signup("d06")
    lab = Lab.of(run)
    copy = f"{folder}/{run.log_name}"
    lab.files[copy], lab.truth[copy] = run.log_bytes, run.truth["fields"]
    judged = lab.judge(tmp_path, look=True)
    assert judged.wrong == []
    assert judged.recall == 1.0
    assert list(judged.accounts) == [run.account["account_id"]]


def test_a_damaged_copy_beside_the_whole_log_does_no_harm(tmp_path):
    """One copy has a hole in its values: its row keeps what is sure, the account is as the whole copy says."""
    run = signup("d06")
    lab = Lab.of(run)
    copy = f"leastauthority.com/signup_logs/{run.log_name}"
    lab.files[copy], lab.truth[copy] = run.log_bytes[:2000] + run.log_bytes[2600:], run.truth["fields"]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.accounts[run.account["account_id"]]["verdict"] == "RECOVERABLE"


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


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize(
    "key", ["server_node_pem", "introducer_node_pem", "privatehost", "user_token", "secret_key", "bucket_name"]
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
    """`secret_key` twice in one object, the forged one first or last: contested, not chosen."""
    run = signup("d06")
    forged = b'"secret_key": "FORGEDFORGEDFORGEDFORGEDFORGEDFORGEDFORG", '
    first = run.secrets_bytes.replace(b"{", b"{" + forged, 1)
    last = run.secrets_bytes.rstrip()[:-1] + b", " + forged[:-2] + b"}\n"
    for number, data in enumerate((first, last)):
        judged = _with_secrets(run, data, log=log).judge(tmp_path / str(number))
        assert judged.wrong == []
        assert judged.accounts[run.account["account_id"]]["verdict"] == "CONTESTED"


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
    """Two entries of one product code with different tokens and no months: contested, unless the secrets file decides."""
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


# -- the folder ------------------------------------------------------------------------------------------------------


def test_files_that_are_no_files_are_left_alone(tmp_path):
    """A directory, a fifo, a dangling, a circular and an outward link where files are due: found, never followed, never waited for."""
    run, other = signup("d06", 1), signup("d06", 2)
    folder = Lab.of(run).write(tmp_path / "evidence")
    outside = tmp_path / "outside"
    outside.write_bytes(other.log_bytes)
    logs = folder / "signup_logs"
    (logs / other.log_name).symlink_to(outside)
    (logs / "2012-01-01T000000Z-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").mkdir()
    os.mkfifo(logs / "2012-01-01T000001Z-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    (logs / "2012-01-01T000002Z-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").symlink_to(logs / "nowhere")
    (logs / "2012-01-01T000003Z-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").symlink_to(logs)
    (folder / "secrets" / "loop").symlink_to(folder)
    (folder / "activation_requests.csv").unlink()
    (folder / "activation_requests.csv").mkdir()
    lab = Lab.of(run)
    lab.files = {}
    judged = lab.judge(folder, look=True)
    assert judged.wrong == []
    assert judged.recall == 1.0
    assert list(judged.rows) == [run.log_file]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_a_finding(tmp_path):
    """No permission for one log: the others are audited, and the finding names the file."""
    run, other = signup("d06", 1), signup("d06", 2)
    folder = Lab.of(run, other).write(tmp_path)
    (folder / other.log_file).chmod(0)
    lab = Lab.of(run, other)
    lab.files = {}
    judged = lab.judge(folder, look=True)
    assert judged.wrong == []
    assert other.log_file in set(judged.case.findings["signup"])


@pytest.mark.parametrize(
    "name", ["a\nb", "\x1b[31m", "\u202etxt", "x" * 200, "2012-01-01T000000Z-", "<img src=x>", "-rf", "lae.csv\u2028"]
)
def test_a_log_of_a_strange_name_is_read_and_shown_harmlessly(name, tmp_path):
    """Control characters, bidi, markup in a file name: the log's own values, nothing raw on a terminal or page."""
    run = signup("d06")
    lab = Lab.of(run, secrets=False).rename(run.log_file, f"signup_logs/{name}")
    judged = lab.judge(tmp_path, look=True)
    assert judged.wrong == []
    assert judged.recall > 0.7


def test_a_name_that_is_no_text_is_survived(tmp_path):
    """A file name of bytes that are no UTF-8."""
    run = signup("d06")
    folder = Lab.of(run).write(tmp_path)
    (folder / "signup_logs" / os.fsdecode(b"2012-01-01T000000Z-\xff\xfe")).write_bytes(b"")
    lab = Lab.of(run)
    lab.files = {}
    judged = lab.judge(folder, look=True)
    assert judged.wrong == []
    assert judged.recall == 1.0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_noise_in_an_unknown_language_leaves_what_is_certain(dialect, tmp_path):
    """Lines that no grammar knows, between all blocks: residue with its place, and the values stay."""
    run = signup(dialect)
    noise = [b"", b"zork: ganz unbekannt", b"\xe4\xf6 = 'x'", b"~~~", b"{json: true}"]
    lab = Lab.of(run, csv=False, secrets=False)
    for mark in (b">License activated.>", b">S3 bucket created.>", b">EC2 instance started.>", b">The server's public"):
        if mark in run.log_bytes and mark != b">License activated.>" and mark != b">EC2 instance started.>":
            lab.edit(run.log_file, after_line(mark, *noise))
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert [n for n in judged.lost if n in OF_THE_LOG] == []
    assert len(judged.case.residue) > 0
