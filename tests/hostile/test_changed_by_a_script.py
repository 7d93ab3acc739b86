"""Somebody ran a find-and-replace over the evidence, or a table was joined one row off: whole files tell another's.

No value of another customer or server is told; where two kinds of file stand against each other, neither is sure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hostile_lab import OF_THE_LOG, Lab, revealed, signup
from test_later_servers import OF_A_SERVER, later, s4, server_of

from evidence_writer.products import CATALOGUE
from laeforensics.facts.buckets import seed_of


def everywhere(lab: Lab, old: str, new: str) -> None:
    """In all files."""
    lab.files = {name: data.replace(old.encode(), new.encode()) for name, data in lab.files.items()}


def replaced(lab: Lab, name: str, *pairs: tuple[str, str]) -> None:
    """In one file, everywhere; each is there."""
    for old, new in pairs:
        assert old.encode() in lab.files[name]
        lab.edit(name, lambda data, old=old, new=new: data.replace(old.encode(), new.encode()))


@pytest.mark.parametrize("fits", ["key", "key and address"])
def test_logs_with_the_key_of_the_one_before_tell_no_key(fits, tmp_path):
    """Each request of a log's own second tells another key: no log is told as the customer whose key it has."""
    runs = [signup("d06", number) for number in range(1, 6)]
    lab = Lab.of(*runs)
    for before, run in pairwise(runs):
        pairs = [(run.truth["fields"]["activation_key"], before.truth["fields"]["activation_key"])]
        pairs += [(run.customer.email, before.customer.email)] if fits == "key and address" else []
        replaced(lab, run.log_file, *pairs)
    accounts = lab.judge(tmp_path).accounts
    for run in runs[1:]:
        row = accounts[run.account["account_id"]]
        assert (row["activation_key"], row["customer_name"], row["verdict"]) == (None, None, "RECOVERABLE")
        assert row["customer_email"] in (None, run.customer.email)


@pytest.mark.parametrize("restored", [True, False])
@pytest.mark.parametrize("both", [True, False], ids=["both logs", "the signup's log"])
def test_an_address_that_log_and_stripe_file_tell_differently_is_held(restored, both, tmp_path):
    """S4: a log was changed, its stripe file was not; the log of the replacement repeats the first's, or is right."""
    lab, origin, new = s4(restored=restored)
    for name in [origin.log_file, *([new.log_file] if both else [])]:
        replaced(lab, name, (origin.customer.email, "somebody@example.net"))
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    assert row["customer_email"] == (None if both else origin.customer.email)
    assert row["verdict"] == "RECOVERABLE"
    assert (server_of(new, row), row["instance_id"]) == ([], new.server.instance_id)


def test_a_replacements_log_repeats_what_its_signups_rows_contradict(tmp_path):
    """One address was put over both logs; the csv rows of the signup tell the right one."""
    origin = signup("d06")
    new = later(origin, "d10", 50, datetime(2013, 3, 20, tzinfo=UTC))
    lab = Lab.of(origin, new)
    for run in (origin, new):
        replaced(lab, run.log_file, (origin.customer.email, "somebody@example.net"))
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    assert (row["customer_email"], row["verdict"]) == (None, "RECOVERABLE")


@pytest.mark.parametrize("dialect", ["d06", "d10"])
def test_an_address_that_log_and_both_rows_tell_differently_is_held(dialect, tmp_path):
    """The log has another customer's address, the rows of its key and second the right one: no mail, no other harm."""
    run, other = signup(dialect, 1), signup(dialect, 2)
    lab = Lab.of(run, other)
    replaced(lab, run.log_file, (run.customer.email, other.customer.email))
    judged = lab.judge(tmp_path)
    row = judged.accounts[run.account["account_id"]]
    assert (row["customer_email"], row["customer_name"], row["verdict"]) == (None, None, "RECOVERABLE")
    assert "csv-contradicts-log" in judged.findings()


def test_csv_files_that_agree_are_not_silenced_by_logs_that_were_changed(tmp_path):
    """Every log has a made-up address: the csv files are still heard, and no made-up address is told."""
    runs = [signup("d06", number) for number in range(1, 6)]
    lab = Lab.of(*runs)
    for number, run in enumerate(runs):
        replaced(lab, run.log_file, (run.customer.email, f"somebody-{number}@example.org"))
    judged = lab.judge(tmp_path)
    assert [row["customer_email"] for row in judged.accounts.values()] == [None] * 5


def _with_addresses(lab: Lab, change: Callable[[str], str], names: Sequence[str], *, runs: int = 5) -> None:
    """The folder with the addresses of its first runs written otherwise in these csv files."""
    emails = [signup("d06", number).customer.email for number in range(1, runs + 1)]
    for name in names:
        for email in emails:
            lab.files[name] = lab.files[name].replace(f",{email},".encode(), f",{change(email)},".encode())


FORMS = ("activation_requests.csv", "signups.csv")


@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize("names", [FORMS, FORMS[:1], FORMS[1:]], ids=["both", "requests", "results"])
@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda email: email.partition("@")[0] + email[email.index("@") :].upper(),
        lambda email: f"{email[0]}***@{email.partition('@')[2]}",
        lambda email: f"xxxxxx@{email.partition('@')[2]}",
    ],
    ids=["capitals", "domain in capitals", "stars", "crosses"],
)
def test_an_address_in_capitals_or_blacked_out_in_csv_files_contradicts_no_log(change, names, runs, tmp_path):
    """One is the same address, the other none: address and activation key of the logs stand, and so do the rows."""
    lab = Lab.of(*(signup("d06", number) for number in range(1, 6)))
    _with_addresses(lab, change, names, runs=runs)
    judged = lab.judge(tmp_path)
    assert "csv-contradicts-log" not in judged.findings()
    for account, truth in lab.accounts.items():
        row = judged.accounts[account]
        for name in ("customer_email", "activation_key", "customer_name"):
            assert row[name] == truth[name]


@pytest.mark.parametrize("names", [FORMS, FORMS[:1], FORMS[1:]], ids=["both", "requests", "results"])
def test_one_address_in_every_row_takes_nothing_from_the_logs(names, tmp_path):
    """It contradicts them wholesale and is nobody's: what the logs print of address and activation key is sure."""
    lab = Lab.of(*(signup("d06", number) for number in range(1, 6)))
    _with_addresses(lab, lambda _: "staff@example.net", names)
    judged = lab.judge(tmp_path)
    assert "csv-contradicts-log" in judged.findings()
    for account, truth in lab.accounts.items():
        row = judged.accounts[account]
        assert [row[name] for name in ("customer_email", "activation_key")] == [
            truth[name] for name in ("customer_email", "activation_key")
        ]


@pytest.mark.parametrize("how", ["mail", "key"])
def test_the_server_is_not_known_where_a_later_log_of_the_bucket_is_left_out(how, tmp_path):
    """Addresses or keys were hashed in the signup's log: its replacement is held for a stranger's, and may count."""
    origin = signup("d06")
    new = later(origin, "d10", 50, datetime(2013, 3, 20, tzinfo=UTC))
    lab = Lab.of(origin, new, csv=False, secrets=False)
    fields = origin.truth["fields"]
    old = origin.customer.email if how == "mail" else fields["user_access_key_id"]
    replaced(lab, origin.log_file, (old, "user-ca69f2@example.net" if how == "mail" else "AKIA" + "Q" * 16))
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    assert [name for name in server_of(new, row) if name in OF_A_SERVER[:4]] == []


@pytest.mark.parametrize("field", ["launch_time", "public_host"])
def test_a_row_of_serverinfo_that_tells_another_launch_makes_no_failed_run_ready(field, tmp_path):
    """One id, two servers: nothing rests on that row, which changes nothing that the log prints."""
    run, other = signup("d09", 1, fail_at="install"), signup("d09", 2)
    lab = Lab.of(run, other)
    own = {"launch_time": run.server.launch_time, "public_host": run.server.public_host}
    told = {"launch_time": other.server.launch_time, "public_host": "203.0.113.77"}
    own[field] = told[field]
    row = f"2014-01-01T00:00:00Z,{own['launch_time']},{run.server.instance_id},{own['public_host']}\n"
    lab.edit("serverinfo.csv", lambda data: data + row.encode())
    judged = lab.judge(tmp_path)
    told_of = judged.accounts[run.account["account_id"]]
    assert (told_of["verdict"], told_of["instance_id"]) == ("UNFINISHED", run.server.instance_id)
    assert told_of["public_host"] in (None, run.server.public_host)


@pytest.mark.parametrize("where", ["secrets", "log"])
def test_one_seed_is_one_bucket(where, tmp_path):
    """Another product's code stands before it in one file: no second account comes of it."""
    run, other = signup("d06", 1), signup("d06", 2)
    lab = Lab.of(run, other)
    bucket, code = run.account["account_id"], "0c4e91d7"
    changed = f"lae-{code if code not in bucket else '5f09c3aa'}-{seed_of(bucket)}"
    replaced(lab, f"secrets/{run.log_name}" if where == "secrets" else run.log_file, (bucket, changed))
    judged = lab.judge(tmp_path)
    assert {seed_of(account) for account in judged.accounts} == {seed_of(bucket), seed_of(other.account["account_id"])}
    assert len(judged.accounts) == 2
    row = next(row for account, row in judged.accounts.items() if seed_of(account) == seed_of(bucket))
    assert row["bucket_name"] in (None, bucket)
    assert where == "log" or row["verdict"] == "RECOVERABLE"


@pytest.mark.parametrize("dialect", ["d06", "d10"])
def test_what_was_sold_speaks_for_the_buckets_code(dialect, tmp_path):
    """Log and csv files have another product's code; the secrets file, the token sold and its full name have not.

    Two kinds of file sold one product alike, against which a code alone stands: theirs is the bucket's.
    """
    run, other = signup(dialect, 1), signup(dialect, 2)
    lab = Lab.of(run, other)
    bucket, code = run.account["account_id"], run.truth["fields"]["product_code"]
    changed = next(product.code for product in CATALOGUE if product.code != code)
    replaced(lab, run.log_file, (f"lae-{code.lower()}-", f"lae-{changed.lower()}-"))
    for name in ("activation_requests.csv", "signups.csv"):
        key = run.truth["fields"]["activation_key"]
        replaced(lab, name, (f"{key},{code}", f"{key},{changed}"))
    accounts = lab.judge(tmp_path).accounts
    assert accounts.keys() == {bucket, other.account["account_id"]}
    assert (accounts[bucket]["bucket_name"], accounts[bucket]["verdict"]) == (bucket, "RECOVERABLE")


@pytest.mark.parametrize("edit", ["lost", "doubled"])
def test_an_s4_bucket_that_its_folders_name_contradicts_is_a_question(edit, tmp_path):
    """A letter of it is lost, or there twice, in all files of the folder; the folder's name bears the right one."""
    lab, origin, _ = s4(restored=True)
    bucket = origin.account["account_id"]
    at = len(bucket) - 9
    letter = {"lost": "", "doubled": bucket[at] * 2}[edit]
    wrong = bucket[:at] + letter + bucket[at + 1 :]
    for name in [name for name, data in lab.files.items() if bucket.encode() in data]:
        replaced(lab, name, (bucket, wrong))
    accounts = lab.judge(tmp_path).accounts
    assert [row["verdict"] for row in accounts.values() if row["bucket_name"] != bucket] in ([], ["CONTESTED"])
    assert wrong not in accounts


def test_an_activation_key_whose_rows_are_all_anothers_is_not_told(tmp_path):
    """The log has the key of another's request, of another day and address."""
    run, other = signup("d06", 1), signup("d06", 2)
    lab = Lab.of(run, other)
    replaced(lab, run.log_file, (run.truth["fields"]["activation_key"], other.truth["fields"]["activation_key"]))
    del lab.files[other.log_file]
    row = lab.judge(tmp_path).accounts[run.account["account_id"]]
    assert (row["activation_key"], row["customer_email"]) == (None, run.customer.email)
    assert row["customer_name"] != other.customer.name


QUOTED = {
    "cat -n": lambda number, line: b"%6d\t" % number + line,
    "quoted in a mail": lambda number, line: b"> " + line,
    "quoted-printable": lambda number, line: line.replace(b"=", b"=3D"),
}


@pytest.mark.parametrize("layout", ["devpay", "s4"])
@pytest.mark.parametrize("how", QUOTED)
def test_a_later_log_of_which_little_can_be_read_leaves_the_server_open(how, layout, tmp_path):
    """A replacement's log went through a mail or a pager: its lines name the bucket, and tell of a server."""
    if layout == "s4":
        lab, origin, new = s4(restored=True)
        lab.files = {name: data for name, data in lab.files.items() if not name.endswith("/SSEC2")}
    else:
        origin = signup("d06")
        new = later(origin, "d10", 50, datetime(2013, 3, 20, tzinfo=UTC))
        lab = Lab.of(origin, new, csv=False, secrets=False)
    lines = lab.files[new.log_file].splitlines(keepends=True)
    lab.files[new.log_file] = b"".join(QUOTED[how](number, line) for number, line in enumerate(lines, 1))
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    assert server_of(new, {name: row[name] for name in OF_A_SERVER[:4]} | dict.fromkeys(OF_A_SERVER[4:])) == []


@pytest.mark.parametrize("kept", ["key", "server"])
def test_a_log_made_out_of_anothers_tells_nothing_of_its_signup(kept, tmp_path):
    """Bucket, seed and address were replaced in a copy: keys, key and machine are the other's still."""
    run, other = signup("d06", 1), signup("d06", 2)
    lab = Lab.of(run, other, csv=False)
    text = other.log_bytes
    for old, new in (
        (other.account["account_id"], run.account["account_id"]),
        (other.log_name, run.log_name),
        (other.customer.email, run.customer.email),
    ):
        text = text.replace(old.encode(), new.encode())
    if kept == "server":
        old, new = (each.truth["fields"]["activation_key"] for each in (other, run))
        text = text.replace(old.encode(), new.encode())
    lab.files[run.log_file] = text
    judged = lab.judge(tmp_path)
    row, told = judged.accounts[run.account["account_id"]], judged.accounts[other.account["account_id"]]
    assert revealed(row["user_access_key_id"]) == run.truth["fields"]["user_access_key_id"]
    assert row["verdict"] == told["verdict"] == "RECOVERABLE"
    assert (row["ami_image_id"], row["instance_size"]) == (None, None)
    assert revealed(row["activation_key"]) == (None if kept == "key" else new)
    assert revealed(told["activation_key"]) == other.truth["fields"]["activation_key"]


@pytest.mark.parametrize("layout", ["devpay", "s4"])
@pytest.mark.parametrize("over", ["first", "second"])
def test_a_secrets_file_copied_over_another_runs_tells_no_server_there(over, layout, tmp_path):
    """The replacement's secrets file lies under the signup's name, or the other way round; each log tells its own."""
    if layout == "s4":
        lab, origin, new = s4(restored=False)
    else:
        origin = signup("d06")
        new = later(origin, "d10", 50, datetime(2013, 3, 20, tzinfo=UTC))
        lab = Lab.of(origin, new, csv=False)
    names = [next(n for n in lab.files if n in (f"secrets/{r.log_name}", _ssec2(r))) for r in (origin, new)]
    one, other = names if over == "first" else names[::-1]
    lab.files[one] = lab.files[other]
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    assert (server_of(new, row), row["verdict"]) == ([], "RECOVERABLE")
    furl = row["introducer_furl"]
    assert furl is None or new.server.public_host in revealed(furl)


def _ssec2(run) -> str:
    return f"{run.log_file.rpartition('/')[0]}/SSEC2"


@pytest.mark.parametrize("hours", [-8, 1, 5.5])
def test_a_launch_told_by_another_clock_is_not_believed(hours, tmp_path):
    """The times within an S4 log are those of another place: the row of serverinfo.csv fits the name of its folder."""
    run = signup("d13")
    lab = Lab.of(run)
    true = datetime.fromisoformat(run.server.launch_time)
    moved = f"{true + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}.000Z"
    replaced(lab, run.log_file, (run.server.launch_time, moved))
    row = lab.judge(tmp_path).accounts[run.account["account_id"]]
    assert row["instance_id"] == run.server.instance_id
    assert row["launch_time"] == run.server.launch_time


@pytest.mark.parametrize("how", ["tail", "doubted"])
def test_the_server_of_a_failed_replacement_is_not_the_accounts(how, tmp_path):
    """It was never ready; what the first one's log and file tell is not sure: nothing is told."""
    origin = signup("d06")
    new = later(origin, "d10", 50, datetime(2013, 3, 20, tzinfo=UTC), fails=True)
    lab = Lab.of(origin, new, csv=False, secrets=False)
    if how == "tail":
        head = origin.log_bytes[: origin.log_bytes.index(b"Installing dependencies")]
        lab.files[origin.log_file] = head.rpartition(b"\n")[0] + b"\n" + new.log_bytes
    else:
        stranger = signup("d06", 2)
        lab.files[f"secrets/{origin.log_name}"] = stranger.secrets_bytes.replace(
            stranger.account["account_id"].encode(), origin.account["account_id"].encode()
        )
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    assert row["instance_id"] in (None, origin.server.instance_id)
    assert row["public_host"] in (None, origin.server.public_host)


@pytest.mark.parametrize("where", ["everywhere", "logs"])
@pytest.mark.parametrize("how", ["one address", "last octet"])
def test_an_address_put_in_the_place_of_all_is_told_of_nobody(how, where, tmp_path):
    """Somebody hid the addresses before the evidence was handed on: none of them is told, and no furl with one."""
    runs = [signup("d06", number) for number in range(1, 6)]
    lab = Lab.of(*runs, secrets=where == "everywhere", csv=where == "everywhere")
    for number, run in enumerate(runs):
        host = run.server.public_host
        hidden = "192.0.2.1" if how == "one address" else f"198.51.{number}.0"
        everywhere(lab, host, hidden)
    judged = lab.judge(tmp_path)
    for row in judged.accounts.values():
        assert (row["public_host"], row["introducer_furl"], row["verdict"]) == (None, None, "RECOVERABLE")
    assert "redacted" in judged.findings()


@pytest.mark.parametrize("shared", [1, 2])
def test_an_address_may_have_been_given_anew(shared, tmp_path):
    """Two customers had one after the other; or one server's address ends in 0: nothing is doubted."""
    runs = [signup("d06", number) for number in range(1, 6)]
    lab = Lab.of(*runs)
    told = runs[0].server.public_host if shared == 2 else "198.51.100.0"
    everywhere(lab, runs[1].server.public_host, told)
    accounts = lab.judge(tmp_path).accounts
    assert accounts[runs[1].account["account_id"]]["public_host"] == told
    assert accounts[runs[0].account["account_id"]]["public_host"] == runs[0].server.public_host


def test_what_an_attempt_beside_its_account_tells_is_told_of_nobody(tmp_path):
    """Another's head was written over its log; its bucket is known from its replacement."""
    run, other = signup("d06", 1), signup("d06", 2)
    lab = Lab.of(run, other, later(run, "d10", 50, datetime(2013, 3, 20, tzinfo=UTC)), csv=False)
    del lab.files[f"secrets/{run.log_name}"]
    lab.files[run.log_file] = other.log_bytes[: other.log_bytes.index(b">Creating S3 bucket")]
    accounts = lab.judge(tmp_path).accounts
    assert run.account["account_id"] in accounts
    (attempt,) = (row for account, row in accounts.items() if account.startswith("attempt:"))
    assert {name: attempt[name] for name in OF_THE_LOG if attempt[name] is not None} == {}


def test_a_secrets_file_with_the_tail_of_another_contests_what_is_offered(tmp_path):
    """Its head tells the account's own keys, and another product token than the config: its damage mends nothing."""
    run, other = signup("d06", 1), signup("d06", 2)
    lab = Lab.of(run, other, csv=False)
    own, strange = (json.loads(lab.files[f"secrets/{each.log_name}"]) for each in (run, other))
    first = ("access_key_id", "secret_key", "user_token")
    mixed = {**{key: own[key] for key in first}, "product_token": "{ProductToken}" + "QXBwVGtuQkJC" * 20}
    mixed |= {key: value for key, value in strange.items() if key not in mixed}
    lab.files[f"secrets/{run.log_name}"] = json.dumps(mixed).encode()
    row = lab.judge(tmp_path).accounts[run.account["account_id"]]
    assert (row["verdict"], row["product_token"]) == ("CONTESTED", None)


@pytest.mark.parametrize("shown", [True, False], ids=["a secrets file tells the old code", "no file does"])
def test_a_code_that_was_put_in_anothers_place_tells_no_product_of_an_attempt(shown, tmp_path):
    """One code was put in the place of another's in logs and csv files; an attempt's product is told by its row alone.

    Two products bear the name sold. Where a secrets file shows what was done, that row is no witness any more.
    """
    sold, other = (product for product in CATALOGUE if product.full_name == "Tahoe-LAFS-on-S3")
    old, new = sold.code, other.code
    run, attempt = signup("d09", 1, product=sold), signup("d09", 2, product=sold, fail_at="activation")
    lab = Lab.of(run, attempt, secrets=shown)
    replaced(lab, run.log_file, (f"lae-{old.lower()}-", f"lae-{new.lower()}-"))
    for name in ("activation_requests.csv", "signups.csv"):
        replaced(lab, name, (f",{old},", f",{new},"))
    accounts = lab.judge(tmp_path).accounts
    (row,) = (row for account, row in accounts.items() if account.startswith("attempt:"))
    assert (row["product_code"], row["product_token"] is None) == ((None, True) if shown else (new, False))


@pytest.mark.parametrize("how", ["sold around it", "put in its place elsewhere", "sold last"])
def test_a_code_that_no_list_has_is_a_question_where_another_was_sold_around_it(how, tmp_path):
    """In a log that alone tells its bucket; a last one may have been sold with a newer code."""
    product = CATALOGUE[1]
    code, strange = f"lae-{product.code.lower()}-", "lae-ABCD0123-".lower()
    days = [datetime(2012, 3, day, tzinfo=UTC) for day in (1, 8, 15)]
    runs = [signup("d06", number, product=product, when=day) for number, day in enumerate(days, start=1)]
    odd = runs[1] if how == "sold around it" else runs[2]
    others = [later(runs[0], "d10", 50, datetime(2013, 3, 20, tzinfo=UTC))] if "elsewhere" in how else []
    lab = Lab.of(*runs, *others, csv=False, secrets=False)
    for run in (odd, *others):
        replaced(lab, run.log_file, (code, strange))
    accounts = lab.judge(tmp_path).accounts
    told = {account: (row["bucket_name"], row["product_code"]) for account, row in accounts.items()}
    buckets = {run.account["account_id"] for run in runs}
    if how == "sold last":
        assert accounts.keys() == {
            *buckets - {odd.account["account_id"]},
            odd.account["account_id"].replace(code, strange),
        }
    else:
        assert (accounts.keys(), told[odd.account["account_id"]]) == (buckets, (None, None))
    assert how == "sold last" or told[runs[0].account["account_id"]][0] in (None, runs[0].account["account_id"])
