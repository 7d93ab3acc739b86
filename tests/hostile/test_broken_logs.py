"""A damaged log is survived: no crash, no shifted value, and what is certain is kept."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hostile_lab import ENCODINGS, FIELDS, OF_THE_LOG, Judged, Lab, Signup, signup, spread

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
    """The head lost up to `Deploying EC2 instance`.

    Bucket, instance, address, furl are kept, the credentials come from secrets.
    """
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
    """A hole closes up inside a printed value: the value is lost, or another witness gives the true one.

    What was printed with it is not sure either, which in a log of few prints is much.
    """
    run = signup(dialect)
    if name not in _values(run):
        assert dialect == "d13"
        return
    for whole in (False, True) if dialect == "d06" else (False,):
        judged = spread(tmp_path / str(whole), run, _holes(run, _values(run)[name]), whole=whole)
        assert judged.wrong == []
        assert judged.recall > 0.55


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


@pytest.mark.parametrize("tail", ["ami_image_id", "instance_id", "user_secret_key", "public_host", "launch_time"])
@pytest.mark.parametrize("head", ["activation_key", "user_token", "bucket_name", "instance_size", "introducer_furl"])
def test_a_hole_from_one_print_into_another_does_not_join_two_values(head, tail, tmp_path):
    """The first half of one value, then the last characters of a later one: a whole shape, and nobody's value."""
    run = signup("d01")
    data, values = run.log_bytes, _values(run)
    start, end = _own_print(data, values[head]) - len(values[head]) // 2, _own_print(data, values[tail])
    variants = {f"last{n}": data[:start] + data[end - n :] for n in range(1, 9) if end - n > start}
    assert not variants or spread(tmp_path, run, variants).wrong == []


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


@pytest.mark.parametrize(("filler", "stands"), [(b"\0", True), (b"x", True), (b"k", False)])
def test_the_next_line_of_a_print_survives_zeros_but_no_other_bytes(filler, stands, tmp_path):
    """The access key's value overwritten, its label whole.

    Zeros, and marks that black out, bring nothing of another's: the secret key of the same print stands. Other bytes
    might, so it is not sure.
    """
    run = signup("d06")
    key = run.truth["fields"]["user_access_key_id"].encode()
    data = run.log_bytes.replace(b"'" + key + b"'", filler * (len(key) + 2), 1)
    judged = spread(tmp_path, run, {"hurt": data})
    assert judged.wrong == []
    assert _row(judged, "hurt")["user_secret_key"] == (run.truth["fields"]["user_secret_key"] if stands else None)


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


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_log_that_was_converted_padded_or_doubled_keeps_every_value(dialect, tmp_path):
    """CRLF, BOM, UTF-16 of both orders, NULs at either end, the content twice: the same values as before."""
    run = signup(dialect)
    variants = {name.replace(" ", "-"): change(run.log_bytes) for name, change in ENCODINGS.items()}
    for whole in (False, True) if dialect == "d06" else (False,):
        judged = spread(tmp_path / str(whole), run, {"plain": run.log_bytes, **variants}, whole=whole)
        assert judged.wrong == []
        plain = _row(judged, "plain")
        for label in variants:
            row = _row(judged, label)
            assert [name for name in FIELDS if row[name] != plain[name]] == [], label


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\0", b"\0" * 9999, b"\xff\xfe", b"\xef\xbb\xbf", b">", b"'", b"[", b"PK\x03\x04"]
)
def test_a_log_of_next_to_nothing_is_survived(data, tmp_path):
    """Zero bytes, one byte, a mark of encoding and nothing behind it.

    No value of its own, those of its secrets file stay.
    """
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
