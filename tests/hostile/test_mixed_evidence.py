"""Evidence that claims to be another's: glued, renamed, swapped and forged files never mix two customers."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from functools import cache

import pytest
from hostile_lab import FIELDS, Lab, Run, keys, replaced, signup

from evidence_writer.replacement import make_replacement, replaced_account
from evidence_writer.rerecord import make_rerecord

A, B = signup("d06", 1), signup("d06", 2)
FAILED = {name: signup("d06", 3, fail_at=name) for name in ("activation", "bucket", "install", "mail")}


def _bucket(run: Run) -> str:
    return run.truth["fields"]["bucket_name"]


# -- two signups in one file -------------------------------------------------------------------------------

GLUED = {
    "another behind": A.log_bytes + B.log_bytes,
    "another before": B.log_bytes + A.log_bytes,
    "the same twice": A.log_bytes + A.log_bytes,
    "one that failed at its mail before": FAILED["mail"].log_bytes + A.log_bytes,
    "one that failed at its bucket before": FAILED["bucket"].log_bytes + A.log_bytes,
    "one that failed at its activation before": FAILED["activation"].log_bytes + A.log_bytes,
    "one that failed while installing before": FAILED["install"].log_bytes + A.log_bytes,
    "one that failed at its bucket behind": A.log_bytes + FAILED["bucket"].log_bytes,
    "cut in a line, another behind": A.log_bytes[:5000] + B.log_bytes,
    "cut at a line, another behind": A.log_bytes[:5000] + b"\n" + B.log_bytes,
    "another's head before": B.log_bytes[:1200] + A.log_bytes,
    "another's first lines before": B.log_bytes[:400] + A.log_bytes,
    "another without its head before": B.log_bytes[2500:] + A.log_bytes,
    "another's middle behind": A.log_bytes + B.log_bytes[2500:],
    "another's end behind": A.log_bytes + B.log_bytes[-4000:],
    "three": B.log_bytes + A.log_bytes + FAILED["bucket"].log_bytes,
}


@pytest.mark.parametrize("name", GLUED)
@pytest.mark.parametrize("alone", [False, True], ids=["with witnesses", "alone"])
def test_a_second_signup_in_the_file_lends_it_no_value(name, alone, tmp_path):
    """Before, behind, failed or cut: the row has the values of the signup whose bucket bears the file's name."""
    lab = Lab.of(A, csv=not alone, secrets=not alone)
    lab.files[A.log_file] = GLUED[name]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall > (0.55 if alone else 0.9)
    assert alone or judged.rows[A.log_file]["user_secret_key"] == A.truth["fields"]["user_secret_key"]


SEAMS = {
    "the credentials": b"License activated",
    "the secret key": b"secret_key",
    "the verification": b"Verifying",
    "the bucket": b"Creating S3",
    "the bucket's name": b"bucketname",
    "the created bucket": b"S3 bucket created",
    "the deployment": b"Deploying",
    "the deployed bucket": b"bucket_name",
    "the instance": b"EC2 instance started",
    "the launch time": b"launch_time",
    "the address": b"The server's public",
    "the installation's end": b"Finished server",
    "the storage server": b"Starting storage",
    "the node keys": b"cat /home/customer/introducer/private/node.pem",
    "the settings": b"The settings",
}


# Alone, nothing ties an activation key, or the first line of the credentials, to what follows.
_UNKNOWABLE = {("the credentials", True), ("the secret key", True)}
_CASES = [(seam, alone) for seam in SEAMS for alone in (False, True) if (seam, alone) not in _UNKNOWABLE]


@pytest.mark.parametrize(("seam", "alone"), _CASES)
def test_the_head_of_one_log_with_the_rest_of_another_is_no_signup_of_both(seam, alone, tmp_path):
    """Lost disk blocks between: A's head with B's rest, joined at a line or with a gap, gives A's values or none."""
    marks = list(SEAMS.values())
    start = A.log_bytes.rfind(b"\n", 0, A.log_bytes.index(SEAMS[seam])) + 1
    later = marks[min(marks.index(SEAMS[seam]) + 2, len(marks) - 1)]
    # A bucket that no deploy block repeats, and a server that no line ties to it: nothing tells that they are two.
    gap = () if alone and seam == "the deployed bucket" else (later,)
    for number, mark in enumerate((SEAMS[seam], *gap)):
        end = B.log_bytes.rfind(b"\n", 0, B.log_bytes.index(mark)) + 1
        lab = Lab.of(A, csv=not alone, secrets=not alone)
        lab.files[A.log_file] = A.log_bytes[:start] + B.log_bytes[end:]
        assert lab.judge(tmp_path / str(number)).wrong == [], f"A to {start}, then B from {end}"


# -- files under another's name --------------------------------------------------------------------------------


@pytest.mark.parametrize("fail_at", [None, *FAILED])
def test_two_logs_that_changed_names_keep_their_own_values(fail_at, tmp_path):
    """Whatever its name says, a log's row holds what stands in the log: another's secrets are not joined to it."""
    other = FAILED[fail_at] if fail_at else B
    lab = Lab.of(A, other)
    for table in (lab.files, lab.truth):
        table[A.log_file], table[other.log_file] = table[other.log_file], table[A.log_file]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall > 0.9


@pytest.mark.parametrize("fail_at", [None, *FAILED])
def test_a_log_renamed_to_one_that_is_lost_takes_nothing_of_it(fail_at, tmp_path):
    """A's log is lost, another's log bears its name, A's secrets file is there: two accounts, unmixed."""
    other = FAILED[fail_at] if fail_at else B
    lab = Lab.of(A, other)
    del lab.files[A.log_file], lab.truth[A.log_file]
    judged = lab.rename(other.log_file, A.log_file).judge(tmp_path)
    assert judged.wrong == []
    assert _bucket(A) in judged.accounts


@pytest.mark.parametrize("fail_at", [None, *FAILED])
def test_secrets_files_that_changed_names_are_joined_by_what_they_say(fail_at, tmp_path):
    """A's secrets under another's name and the other way round."""
    other = FAILED[fail_at] if fail_at else B
    lab = Lab.of(A, other)
    one, two = f"secrets/{A.log_name}", f"secrets/{other.log_name}"
    lab.files[one], lab.files[two] = lab.files[two], lab.files[one]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall > 0.9


@pytest.mark.parametrize("fail_at", [None, *FAILED])
def test_another_accounts_secrets_in_place_of_the_own_are_not_taken(fail_at, tmp_path):
    """The secrets file of A holds a copy of B's, A's own is gone."""
    run = FAILED[fail_at] if fail_at else A
    lab = Lab.of(run, B)
    lab.files[f"secrets/{run.log_name}"] = B.secrets_bytes
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall > 0.9


@pytest.mark.parametrize("log", [True, False], ids=["log", "log lost"])
@pytest.mark.parametrize(
    "key", ["bucket_name", "access_key_id", "external_introducer_furl", "server_nodeid", "publichost"]
)
def test_a_secrets_file_with_one_member_of_another_account_is_nobodys_word_on_it(key, log, tmp_path):
    """One member of A's file is B's: B's account stays as it is, A's value is contested or None."""
    document = {**json.loads(A.secrets_bytes), key: json.loads(B.secrets_bytes)[key]}
    lab = Lab.of(A, B)
    lab.files[f"secrets/{A.log_name}"] = json.dumps(document).encode() + b"\n"
    if not log:
        del lab.files[A.log_file], lab.truth[A.log_file]
    judged = lab.judge(tmp_path)
    b_wrong = [w for w in judged.wrong if _bucket(B) in w.split(":")[0] or B.log_name in w]
    assert b_wrong == []
    assert not log or judged.wrong == []


@pytest.mark.parametrize("log", [True, False], ids=["log", "log lost"])
def test_node_keys_that_changed_places_in_a_secrets_file_are_not_given(log, tmp_path):
    """The introducer's node.pem as the storage node's and back; ids crossed.

    The key of the one with the certificate of the other.
    """
    document = json.loads(A.secrets_bytes)
    one, two = document["introducer_node_pem"], document["server_node_pem"]
    mark = "-----BEGIN RSA"
    changes = [
        {"introducer_node_pem": two, "server_node_pem": one},
        {"introducer_nodeid": document["server_nodeid"], "server_nodeid": document["introducer_nodeid"]},
        {"server_node_pem": two.split(mark)[0] + mark + one.split(mark)[1]},
        {"introducer_node_pem": one.split(mark)[0] + mark + two.split(mark)[1]},
    ]
    for number, change in enumerate(changes):
        lab = Lab.of(A)
        lab.files[f"secrets/{A.log_name}"] = json.dumps({**document, **change}).encode() + b"\n"
        if not log:
            del lab.files[A.log_file], lab.truth[A.log_file]
        judged = lab.judge(tmp_path / str(number))
        assert judged.wrong == [], f"change {number}"
        account = judged.accounts[_bucket(A)]
        assert log or number == 1 or "BROKEN" in (account["introducer_identity"], account["storage_identity"])


# -- csv rows ------------------------------------------------------------------------------------------------------


def _claim(run: Run, when: bytes, *, outcome: bytes = b"", **given: bytes) -> bytes:
    """A csv row that bears the activation key of `run`."""
    row = run.csv_rows["activation_requests.csv"][0].rstrip(b"\n").split(b",")
    cells = dict(zip(("key", "code", "name", "email", "keyinfo"), row[1:], strict=True)) | given
    return b",".join([when, *([outcome] if outcome else []), *cells.values()]) + b"\n"


OLD, FAR = b"2011-11-28T00:00:00Z", b"2014-01-01T00:00:00Z"
CLAIMS = {
    "another address": {"name": b"Eve", "email": b"eve@example.org"},
    "another name and key info": {"name": b"Eve", "keyinfo": b"0xDEADBEEF"},
    "another product": {"code": b"B81D60E2", "name": b"Eve"},
    "only key info": {"keyinfo": b"0xDEADBEEF"},
    "nothing": {"name": b"", "email": b"", "keyinfo": b""},
}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("dialect", ["d01", "d02", "d06"])
def test_a_form_row_that_claims_anothers_activation_key_changes_nothing(claim, dialect, tmp_path):
    """Anybody can send the form with a key that he saw: at any time, the same second included."""
    run = signup(dialect, 7)
    start = run.csv_rows["activation_requests.csv"][0][:20]
    for number, when in enumerate((start, OLD, FAR)):
        for before in (True, False):
            row = _claim(run, when, **CLAIMS[claim])
            change = (lambda data, row=row: row + data) if before else (lambda data, row=row: data + row)
            lab = Lab.of(run, B).edit("activation_requests.csv", change)
            judged = lab.judge(tmp_path / f"{number}{before}")
            assert judged.wrong == [], (when, before)
            assert judged.recall == 1.0, (when, before)


@pytest.mark.parametrize("dialect", ["d01", "d02"])
def test_a_form_row_of_another_time_is_no_witness_of_an_address(dialect, tmp_path):
    """The run's own csv rows are lost; a row of another year bears its key: its address and name are not taken."""
    run = signup(dialect, 7)
    for number, when in enumerate((OLD, FAR)):
        lab = Lab.of(run)
        lab.files["signups.csv"] = b""
        lab.files["activation_requests.csv"] = _claim(run, when, name=b"Eve", email=b"eve@example.org")
        assert lab.judge(tmp_path / str(number)).wrong == []


@pytest.mark.parametrize("dialect", ["d01", "d06"])
def test_a_later_row_of_signups_csv_with_the_same_key_is_not_this_runs(dialect, tmp_path):
    """A second run with the same key and other particulars, later or earlier, does not speak for this log."""
    run = signup(dialect, 7)
    for number, (when, outcome) in enumerate(((FAR, b"success"), (FAR, b"failure"), (OLD, b"success"))):
        row = _claim(run, when, outcome=outcome, name=b"Eve", email=b"eve@example.org")
        judged = Lab.of(run).edit("signups.csv", lambda data, row=row: data + row).judge(tmp_path / str(number))
        assert judged.wrong == []
        assert judged.recall == 1.0


def test_a_serverinfo_row_that_names_anothers_instance_changes_no_printed_value(tmp_path):
    """A's instance with B's address and the other way round, at a later time."""
    a, b = A.truth["fields"], B.truth["fields"]
    rows = [f"2014-01-01T00:00:00Z,{a['launch_time']},{a['instance_id']},{b['public_host']}\n"]
    rows += [f"2014-01-01T00:00:00Z,{b['launch_time']},{a['instance_id']},{a['public_host']}\n"]
    judged = Lab.of(A, B).edit("serverinfo.csv", lambda data: data + "".join(rows).encode()).judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall == 1.0


# -- later runs that claim another's bucket -------------------------------------------------------------------------


@cache
def _rerecord() -> Run:
    return make_rerecord(random.Random(1), B, when=B.ended + timedelta(days=40))


@cache
def _replacement(throw_away: bool) -> Run:
    when = B.ended + timedelta(days=60)
    given = {"dialect": "d07", "when": when, "number": 60, "keys": keys(), "throw_away": throw_away}
    return make_replacement(random.Random(3), B, **given)


def _claims(run: Run, *, secrets: bool) -> tuple[dict[str, bytes], list[str]]:
    """The run's files with A's bucket in place of B's, in the log alone or in its secrets file too."""
    old, new = _bucket(B).encode(), _bucket(A).encode()
    files = {run.log_file: run.log_bytes.replace(old, new)}
    if run.secrets_bytes:
        files[f"secrets/{run.log_name}"] = run.secrets_bytes.replace(old, new) if secrets else run.secrets_bytes
    return files, [run.log_file]


@pytest.mark.parametrize("witnesses", ["all", "no secrets", "log lost"])
@pytest.mark.parametrize("kind", ["re-record", "replacement", "throw-away replacement"])
@pytest.mark.parametrize("secrets", [False, True], ids=["in the log", "in the secrets too"])
def test_a_later_run_that_claims_anothers_bucket_does_not_take_it_over(kind, secrets, witnesses, tmp_path):
    """A re-record or replacement of B that names A's bucket.

    A's account keeps its keys, its identity, its furl, its address.
    """
    run = _rerecord() if kind == "re-record" else _replacement(kind.startswith("throw"))
    lab = Lab.of(A, B)
    files, _ = _claims(run, secrets=secrets)
    lab.files.update(files)
    lab.truth[run.log_file] = {**run.truth["fields"], "bucket_name": None, "product_code": None, "product_token": None}
    if witnesses == "no secrets":
        del lab.files[f"secrets/{A.log_name}"]
    elif witnesses == "log lost":
        del lab.files[A.log_file], lab.truth[A.log_file]
    judged = lab.judge(tmp_path)
    of_a = [w for w in judged.wrong if w.startswith(f"audit {_bucket(A)}") or A.log_name in w]
    assert of_a == []
    assert judged.accounts[_bucket(A)]["user_secret_key"] == A.truth["fields"]["user_secret_key"]


@pytest.mark.parametrize("throw_away", [False, True])
@pytest.mark.parametrize("secrets", [False, True], ids=["no secrets", "secrets"])
def test_a_true_replacement_still_counts_and_its_throw_away_furl_does_not(throw_away, secrets, tmp_path):
    """The account's furl is the one that fits the proved certificate, with secrets files or from the logs alone."""
    run = _replacement(throw_away)
    lab = Lab.of(B, run, secrets=secrets)
    fields = replaced_account(B, run)["fields"]
    lab.accounts[_bucket(B)] = fields
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    account = judged.accounts[_bucket(B)]
    assert account["introducer_furl"] == fields["introducer_furl"]
    assert account["public_host"] == fields["public_host"]
    assert account["verdict"] == "RECOVERABLE"


@pytest.mark.parametrize("secrets", [False, True], ids=["no secrets", "secrets"])
def test_a_true_re_record_is_read_and_makes_no_second_account(secrets, tmp_path):
    """Every value that it read out of the server stands in its row; the bucket stays one account."""
    run = _rerecord()
    judged = Lab.of(B, run, secrets=secrets).judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall > (0.9 if secrets else 0.75)
    assert list(judged.accounts) == [_bucket(B)]


def test_a_re_record_whose_own_secrets_file_names_another_bucket_is_not_sure_of_its_bucket(tmp_path):
    """Both were written from the same text: where they differ, one was changed, and the row gives neither."""
    run = _rerecord()
    lab = Lab.of(B, run)
    lab.edit(run.log_file, replaced(_bucket(B).encode(), _bucket(A).encode()))
    judged = lab.judge(tmp_path)
    assert judged.rows[run.log_file]["bucket_name"] in (None, _bucket(B))


# -- the S4 layout: one access key for all customers ---------------------------------------------------------------


S1, S2 = signup("d13", 1), signup("d13", 2)


def _companion(run: Run, name: str) -> str:
    return f"{run.log_file.rpartition('/')[0]}/{name}"


@pytest.mark.parametrize("name", ["SSEC2", "stripe", "signup_logs"])
def test_s4_files_that_changed_folders_mix_no_two_customers(name, tmp_path):
    """Secrets, stripe file or log of one customer in the other's folder: the shared access key ties nothing."""
    lab = Lab.of(S1, S2)
    one, two = _companion(S1, name), _companion(S2, name)
    for table in (lab.files, lab.truth):
        if one in table:
            table[one], table[two] = table[two], table[one]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall > 0.9


def test_an_s4_folder_whose_log_is_lost_takes_nothing_of_its_neighbour(tmp_path):
    """Only secrets and stripe file left of one customer; the other is whole."""
    lab = Lab.of(S1, S2)
    del lab.files[S1.log_file], lab.truth[S1.log_file]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall == 1.0
    assert set(judged.accounts) == {_bucket(S1), _bucket(S2)}


STRIPES = (b"", b"{}", b"[]", b"[1, 2, 3]", b'["a@example.org"]', b'[["evil@example.org"], {}]', b"[" * 99_999)
STRIPES += (
    b'["evil@example.org", "", "cus_X", "plan", "sub_Y"]',
    b"\xff\xfe",
    b'["<script>", "\\u202e", "x", "y", "z"]',
)


@pytest.mark.parametrize("number", range(len(STRIPES)))
def test_a_stripe_file_of_any_kind_does_not_change_what_the_log_prints(number, tmp_path):
    """Other JSON, another's address, markup: the e-mail of the log stands, no name is made up."""
    lab = Lab.of(S1)
    lab.files[_companion(S1, "stripe")] = STRIPES[number]
    judged = lab.judge(tmp_path, look=True)
    assert judged.wrong == []
    assert judged.recall == 1.0


def test_an_s4_bucket_that_failed_does_not_make_its_error_message_believed(tmp_path):
    """The one failure that the program goes on after.

    Forged lines inside its dump stay text, what it prints later counts.
    """
    at = S1.log_bytes.index(b">S3 bucket created.>")
    after = S1.log_bytes.index(b"\n", S1.log_bytes.index(b"''", at)) + 1
    forged = (
        b">S3 bucket creation failed.>\n[Failure instance: Traceback (failure with no frames): <class 'x.Error'>: no\n"
    )
    forged += b">Deploying EC2 instance...>\ninstance_name = 'evil@example.org'\n"
    forged += b">The server's public address is '203.0.113.66'.>\n"
    forged += b">Sending confirmation e-mail to <evil@example.org>...>\n]\n<Error>\n<Message>\n"
    forged += b">The server's public address is '203.0.113.66'.>\n</Message>\n</Error>\n"
    lab = Lab.of(S1)
    lab.edit(S1.log_file, lambda data: data[:at] + forged + data[after:])
    assert lab.judge(tmp_path).wrong == []


def test_a_whole_folder_with_everything_wrong_at_once_mixes_no_two_accounts(tmp_path):
    """Swapped logs, swapped secrets, glued files, forged rows, a false replacement: still no wrong value anywhere."""
    c = signup("d06", 8)
    lab = Lab.of(A, B, c, FAILED["bucket"])
    one, two = f"secrets/{A.log_name}", f"secrets/{B.log_name}"
    lab.files[one], lab.files[two] = lab.files[two], lab.files[one]
    for table in (lab.files, lab.truth):
        table[B.log_file], table[c.log_file] = table[c.log_file], table[B.log_file]
    lab.edit(A.log_file, lambda data: FAILED["mail"].log_bytes + data + c.log_bytes[-3000:])
    lab.edit("activation_requests.csv", lambda data: _claim(A, FAR, name=b"Eve", email=b"eve@example.org") + data)
    files, _ = _claims(_replacement(True), secrets=True)
    lab.files.update(files)
    claimed = _replacement(True)
    lab.truth[claimed.log_file] = {**claimed.truth["fields"], "bucket_name": _bucket(A)}
    judged = lab.judge(tmp_path, look=True)
    assert [w for w in judged.wrong if claimed.log_name not in w] == []
    assert judged.recall > 0.85
    assert set(FIELDS) <= set(judged.rows[A.log_file])


# -- another's head over a log's own -------------------------------------------------------------------------


@pytest.mark.parametrize("secrets", [True, False], ids=["with its secrets file", "without"])
@pytest.mark.parametrize("name", ["finished", "failed"])
def test_a_head_that_lies_over_the_logs_own_tells_nothing(name, secrets, tmp_path):
    """Where the first sector is another log's, that log's key was sent in when its own name tells, not when this one's
    does: no value of it is this run's, nor is a csv row that its key leads to. The secrets file is the name's.
    """
    run = FAILED["install"] if name == "failed" else A
    lab = Lab.of(run, B, secrets=secrets)
    lab.edit(run.log_file, lambda log: B.log_bytes[: B.log_bytes.index(b"bucketname")] + log[log.index(b">Updating") :])
    judged = lab.judge(tmp_path, look=True)
    row = judged.accounts.get(f"attempt:{run.log_name.rpartition('-')[2]}", {})
    assert judged.wrong == []
    assert [name for name in FIELDS if row.get(name) is not None] == []
    assert judged.accounts[_bucket(B)]["verdict"] == "RECOVERABLE"
    if secrets and run is A:
        assert judged.accounts[_bucket(A)]["user_secret_key"] == A.truth["fields"]["user_secret_key"]


def test_a_piece_of_an_s4_log_in_a_copy_makes_no_member_of_its_fellow(tmp_path):
    """An attempt tells no bucket; a copy of it tells the one of an S4 account, whose customer stays its own."""
    run, attempt = signup("d13"), signup("d09", fail_at="activation")
    lab = Lab.of(run, attempt)
    lab.files[f"backup/{attempt.log_file}"] = run.log_bytes[:4096]
    accounts = lab.judge(tmp_path).accounts
    row = accounts[run.account["account_id"]]
    assert (row["verdict"], row["customer_name"]) == ("RECOVERABLE", run.account["fields"]["customer_name"])
    assert row["activation_key"] is None
    assert f"attempt:{attempt.log_name.rpartition('-')[2]}" in accounts
