"""Bucket names of which one print is damaged: no account is lost by it, and none comes to be that never was."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hostile_lab import Lab, keys, replaced, revealed, signup

import laeforensics as lf
from evidence_writer.replacement import make_replacement
from evidence_writer.rerecord import make_rerecord
from laerecover.manifest import read_manifest

CODE, SEED = 5, 20
"""A place in each half of a bucket's name."""


def flipped(bucket, place):
    """The name with one character overwritten."""
    return bucket[:place] + ("7" if bucket[place] != "7" else "6") + bucket[place + 1 :]


def damaged(lab, path, before, bucket, place):
    """Overwrite one character of the name that stands behind `before`."""
    lab.edit(path, replaced(before + bucket.encode(), before + flipped(bucket, place).encode()))


def bucket_of(run):
    return run.truth["fields"]["bucket_name"]


def secrets_of(run):
    return run.log_file.replace("signup_logs/", "secrets/", 1)


@pytest.mark.parametrize("dialect", ["d01", "d04", "d06"])
@pytest.mark.parametrize("print_", [b"bucketname = '", b"bucket_name = '"])
@pytest.mark.parametrize("place", [CODE, SEED])
@pytest.mark.parametrize("given", [{"csv": True}, {"csv": False}, {"csv": False, "secrets": False}])
def test_one_damaged_print_of_the_bucket_costs_nothing_but_a_finding(dialect, print_, place, given, tmp_path):
    """The other print, the file's name and what knows the product say which name is right."""
    run = signup(dialect)
    lab = Lab.of(run, **given)
    damaged(lab, run.log_file, print_, bucket_of(run), place)
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert {name: row["verdict"] for name, row in judged.accounts.items()} == {bucket_of(run): "RECOVERABLE"}
    assert judged.rows[run.log_file]["role"] == "origin"
    assert "damaged-value" in judged.findings()
    assert judged.findings().isdisjoint({"unknown-end", "contested-field", "forged-look-alike"})


def test_the_seed_of_an_s4_bucket_is_held_against_the_folders_name(tmp_path):
    """Both halves of an S4 bucket stand in its folder's name."""
    run = signup("d13")
    lab = Lab.of(run)
    damaged(lab, run.log_file, b"bucket_name = '", bucket_of(run), SEED)
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.accounts[bucket_of(run)]["verdict"] == "RECOVERABLE"


@pytest.mark.parametrize("place", [CODE, SEED])
def test_a_damaged_name_in_the_secrets_file_makes_no_second_account(place, tmp_path):
    """The file's name and the log's two prints outvote it; what else it tells is the account's."""
    run = signup("d06")
    lab = Lab.of(run)
    damaged(lab, secrets_of(run), b'"', bucket_of(run), place)
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert list(judged.accounts) == [bucket_of(run)]
    assert judged.accounts[bucket_of(run)]["verdict"] == "RECOVERABLE"
    assert "damaged-secrets" in judged.findings()


def later_runs(run):
    replacement = make_replacement(
        random.Random(3), run, dialect="d11", when=datetime(2013, 6, 1, tzinfo=UTC), number=9, keys=keys()
    )
    return {
        "replacement": replacement,
        "re-record": make_rerecord(random.Random(4), run, when=datetime(2013, 6, 1, tzinfo=UTC)),
    }


@pytest.mark.parametrize("role", ["replacement", "re-record"])
@pytest.mark.parametrize("place", [CODE, SEED])
@pytest.mark.parametrize("secrets", [True, False])
@pytest.mark.parametrize("origin", [True, False])
def test_a_later_run_whose_only_print_is_damaged_is_of_the_account_all_the_same(role, place, secrets, origin, tmp_path):
    """It is joined to the bucket that other files tell: the account is the one that the undamaged folder gives."""
    run = signup("d06")
    later = later_runs(run)[role]
    lab = Lab.of(run, later)
    if not secrets:
        del lab.files[secrets_of(later)]
    if not origin:
        del lab.files[run.log_file]
    whole = lab.judge(tmp_path / "whole")
    damaged(
        lab, later.log_file, b"bucket_name = '" if role == "replacement" else b"s3.bucket = ", bucket_of(run), place
    )
    judged = lab.judge(tmp_path / "damaged")
    assert judged.accounts == whole.accounts
    assert judged.rows == whole.rows
    assert list(judged.accounts) == [bucket_of(run)]
    assert judged.findings() == whole.findings() | {"damaged-value"}


def test_a_damaged_name_in_a_strangers_log_does_not_open_the_bucket_to_it(tmp_path):
    """A later run of another customer whose bucket is almost this one's is left out, as if it named it."""
    run, stranger = signup("d06"), signup("d06", 2)
    later = later_runs(stranger)["re-record"]
    lab = Lab.of(run, later)
    almost = flipped(bucket_of(run), SEED).encode()
    for path in (later.log_file, secrets_of(later)):
        lab.edit(path, replaced(bucket_of(stranger).encode(), almost))
        lab.truth.pop(path, None)
    judged = lab.judge(tmp_path)
    assert list(judged.accounts) == [bucket_of(run)]
    assert [w for w in judged.wrong if w.startswith("audit")] == []
    assert "stranger-in-bucket" in judged.findings()


def contested(tmp_path, run, **left):
    """A log whose two prints differ in the product code, where nothing knows the product."""
    lab = Lab.of(run, csv=False, config=False, **left)
    damaged(lab, run.log_file, b"bucket_name = '", bucket_of(run), CODE)
    lab.write(tmp_path / "evidence")
    return lf.open_case(tmp_path / "evidence")


def test_where_nothing_decides_the_account_is_contested_not_abandoned(tmp_path):
    """Two prints, no secrets file, no csv, no config: a human decides, and the account bears the name decided."""
    run = signup("d06")
    case = contested(tmp_path, run, secrets=False)
    (account,) = case.audit.to_dict("records")
    assert (account["verdict"], account["bucket_name"]) == ("CONTESTED", None)
    assert account["account_id"] in (bucket_of(run), flipped(bucket_of(run), CODE))
    assert "contested:bucket_name" in account["blocking"]
    assert set(case.findings["code"]).isdisjoint({"unknown-end", "account-without-evidence"})
    named = [f.value for f in case.judgement.accounts[0].witnesses["bucket_name"]]
    for value in (bucket_of(run), flipped(bucket_of(run), CODE), bucket_of(run)):
        key, number = case.judgement.accounts[0].account_id, named.index(value) + 1
        case.decide(key, "bucket_name", witness=number, who="Carol", because="asked the customer")
        (account,) = case.audit.to_dict("records")
        assert (account["account_id"], account["bucket_name"]) == (value, value)
        assert account["blocking"] == ("missing:product_token",)
    case.decide(bucket_of(run), "bucket_name", witness=0, who="Carol", because="not so sure")
    assert case.audit["verdict"].tolist() == ["CONTESTED"]


def test_an_account_whose_bucket_was_decided_can_be_handed_over(tmp_path):
    """The manifest holds it under the name decided."""
    run = signup("d06")
    lab = Lab.of(run, csv=False, secrets=True, config=False)
    del lab.files[run.log_file]
    damaged(lab, secrets_of(run), b'"', bucket_of(run), SEED)
    lab.write(tmp_path / "evidence")
    case = lf.open_case(tmp_path / "evidence")
    assert case.audit["verdict"].tolist() == ["CONTESTED"]
    named = [f.value for f in case.judgement.accounts[0].witnesses["bucket_name"]]
    case.decide(
        case.judgement.accounts[0].account_id,
        "bucket_name",
        witness=named.index(bucket_of(run)) + 1,
        who="Carol",
        because="it is the seed of the file's name",
    )
    case.export(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k")
    (account,) = read_manifest(tmp_path / "m.parquet", key_file=tmp_path / "key" / "k").accounts
    assert (account.account_id, account.bucket_name, account.verdict) == (bucket_of(run),) * 2 + ("RECOVERABLE",)


@pytest.mark.parametrize("place", [CODE, SEED])
def test_a_damaged_name_that_stands_alone_is_contested_by_the_files_name_or_the_products_token(place, tmp_path):
    """The log is lost, and the secrets file tells a bucket that its own name or its own token does not fit."""
    run = signup("d06")
    lab = Lab.of(run)
    del lab.files[run.log_file]
    damaged(lab, secrets_of(run), b'"', bucket_of(run), place)
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert {name: row["verdict"] for name, row in judged.accounts.items()} == {bucket_of(run): "CONTESTED"}


def test_two_prints_damaged_in_different_halves_make_no_bucket_that_neither_tells(tmp_path):
    """A name that stands nowhere is not put together: the account is contested."""
    run = signup("d06")
    lab = Lab.of(run, csv=False, secrets=False)
    damaged(lab, run.log_file, b"bucketname = '", bucket_of(run), CODE)
    damaged(lab, run.log_file, b"bucket_name = '", bucket_of(run), SEED)
    judged = lab.judge(tmp_path)
    (account,) = judged.accounts.values()
    assert (account["verdict"], account["bucket_name"]) == ("CONTESTED", None)


def test_a_renamed_log_is_not_damage_of_its_bucket(tmp_path):
    """One character of the file's name overwritten: two prints and the secrets file outvote it."""
    run = signup("d06")
    lab = Lab.of(run)
    name = flipped(run.log_file, len("signup_logs/2012-03-20T101500Z-") + 5)
    lab.files[name], lab.truth[name] = lab.files.pop(run.log_file), lab.truth.pop(run.log_file)
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert {n: row["verdict"] for n, row in judged.accounts.items()} == {bucket_of(run): "RECOVERABLE"}


def early(run):
    """The re-record of an account of 2011-11-23: its bucket bears the activation key, and it has no other log."""
    key, code = run.truth["fields"]["activation_key"], run.truth["fields"]["product_code"]
    bucket = f"lae-{code.lower()}-{key.lower()}"
    later = later_runs(run)["re-record"]
    lab = Lab.of(run, later)
    for path in (run.log_file, secrets_of(run)):
        lab.files.pop(path, None)
    for path in (later.log_file, secrets_of(later)):
        lab.edit(path, replaced(bucket_of(run).encode(), bucket.encode()))
    return lab, later, bucket


def test_a_bucket_of_the_first_two_days_bears_the_activation_key(tmp_path):
    """`lae-CODE-KEY` names the account, its product and the csv rows of its customer."""
    run = signup("d01")
    lab, _, bucket = early(run)
    lab.write(tmp_path)
    (account,) = lf.open_case(tmp_path).audit.to_dict("records")
    assert (account["account_id"], account["verdict"]) == (bucket, "RECOVERABLE")
    for name in ("activation_key", "product_code", "product_token", "customer_email"):
        assert revealed(account[name]) == run.truth["fields"][name], name


def test_a_hole_in_a_seed_makes_no_bucket_of_the_first_two_days(tmp_path):
    """Thirty characters where thirty-two must stand: without a csv row that knows the key, damage."""
    run = next(r for r in (signup("d06", n) for n in range(1, 400)) if bucket_of(r)[13] == "a")
    lab = Lab.of(run, secrets=False)
    hole = bucket_of(run)[:30] + bucket_of(run)[32:]
    lab.edit(run.log_file, replaced(b"bucket_name = '" + bucket_of(run).encode(), b"bucket_name = '" + hole.encode()))
    lab.files["copy/" + run.log_file] = lab.files[run.log_file]
    lab.truth["copy/" + run.log_file] = lab.truth[run.log_file]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert list(judged.accounts) == [bucket_of(run)]
    assert "damaged-value" in judged.findings()


@pytest.mark.parametrize("known", [True, False])
def test_a_product_code_of_unusual_length_needs_a_file_that_knows_it(known, tmp_path):
    """Six characters: the config's product, or a name that lost two."""
    run = signup("d06")
    short = bucket_of(run)[:4] + bucket_of(run)[6:]
    code = run.truth["fields"]["product_code"].encode()
    lab = Lab.of(run)
    for path in list(lab.files):
        content = lab.files[path].replace(bucket_of(run).encode(), short.encode())
        lab.files[path] = content.replace(code, code[2:]) if known else content
    lab.write(tmp_path)
    case = lf.open_case(tmp_path)
    assert case.audit["account_id"].tolist() == [short if known else f"attempt:{bucket_of(run)[13:]}"]
    assert ("damaged-value" in set(case.findings["code"])) is not known


@pytest.mark.parametrize(("dialect", "place"), [("d06", 7), ("d06", SEED), ("d13", SEED)])
def test_a_secrets_file_alone_whose_name_of_the_bucket_is_torn_is_an_account(dialect, place, tmp_path):
    """One character that no name has: the file's own name tells the seed, the known products the code."""
    run = signup(dialect)
    path = secrets_of(run) if dialect == "d06" else run.log_file.replace("signup_logs", "SSEC2")
    lab = Lab.of(run)
    del lab.files[run.log_file]
    torn = bucket_of(run)[:place] + "[" + bucket_of(run)[place + 1 :]
    lab.edit(path, replaced(b'"' + bucket_of(run).encode(), b'"' + torn.encode()))
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert {name: row["verdict"] for name, row in judged.accounts.items()} == {bucket_of(run): "RECOVERABLE"}
    assert "damaged-secrets" in judged.findings()


@pytest.mark.parametrize("secrets", [True, False])
def test_a_replacement_whose_name_of_the_bucket_is_torn_is_of_the_bucket_that_is_near(secrets, tmp_path):
    """Not an attempt: the origin tells the name that its print is a damaged one of.

    What the same print alone told of the new server's making is not sure; nothing else is lost, nothing differs.
    """
    run = signup("d06")
    later = later_runs(run)["replacement"]
    lab = Lab.of(run, later, secrets=secrets)
    whole = lab.judge(tmp_path / "whole")
    torn = bucket_of(run)[:SEED] + "#" + bucket_of(run)[SEED + 1 :]
    lab.edit(later.log_file, replaced(bucket_of(run).encode(), torn.encode()))
    judged = lab.judge(tmp_path / "damaged", look=True)
    tied = {"ami_image_id", "instance_size", "customer_email"}
    for told, told_whole in ((judged.accounts, whole.accounts), (judged.rows, whole.rows)):
        assert told.keys() == told_whole.keys()
        differing = {
            (field, row[field])
            for name, row in told.items()
            for field, value in told_whole[name].items()
            if row[field] != value
        }
        assert differing <= {(field, None) for field in tied}
    assert "damaged-value" in judged.findings()


def test_a_torn_name_behind_another_signups_head_lends_it_no_bucket(tmp_path):
    """A log cut before its bucket, with another's tail behind it whose bucket is torn.

    The bucket is not the first one's.
    """
    run, stranger = signup("d06", 1), signup("d06", 2)
    lab = Lab.of(run, stranger, csv=False, secrets=False)
    torn = bucket_of(stranger)[:SEED] + "#" + bucket_of(stranger)[SEED + 1 :]
    tail = stranger.log_bytes[stranger.log_bytes.index(b">Deploying EC2 instance") :]
    head = run.log_bytes[: run.log_bytes.index(b">Creating S3 bucket")]
    lab.files[run.log_file] = head + tail.replace(bucket_of(stranger).encode(), torn.encode())
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.rows[run.log_file]["bucket_name"] is None


@pytest.mark.parametrize("place", [CODE, SEED])
def test_a_re_record_and_its_secrets_file_that_differ_make_no_wrong_bucket(place, tmp_path):
    """The origin is lost; what was read out of the server and what was written down differ.

    Nothing is taken that one of them denies.
    """
    run = signup("d01")
    later = later_runs(run)["re-record"]
    lab = Lab.of(run, later, config=False, csv=False)
    del lab.files[run.log_file], lab.truth[run.log_file]
    damaged(lab, secrets_of(later), b'"', bucket_of(run), place)
    judged = lab.judge(tmp_path)
    (account,) = judged.accounts.values()
    assert (account["verdict"], account["bucket_name"]) == ("CONTESTED", None)
