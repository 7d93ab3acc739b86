"""Servers that came later, tokens that were offered, damage that must stop nothing.

Each value is of one server, or there is none.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hostile_lab import Lab, keys, look_at_everything, signup

import laeforensics as lf
from evidence_writer.dialects import DIALECTS
from evidence_writer.replacement import make_replacement
from evidence_writer.rerecord import make_rerecord
from evidence_writer.server import make_server
from laeforensics.cli import main
from laeforensics.facts.fields import FIELDS
from laeforensics.facts.node_keys import key_fits
from laeforensics.reading import files
from laerecover.manifest import read_manifest

WARNING = b"Warning: missing field for 'introducer_node_pem'\n"


# -- one bad file never stops the others ---------------------------------------------------------------------


def with_der(pem: str, change) -> str:
    """A PEM whose certificate's bytes are changed."""
    head, body, rest = re.fullmatch(r"(-----BEGIN CERTIFICATE-----\n)(.*?)(-----END .*)", pem, re.DOTALL).groups()
    text = base64.b64encode(change(base64.b64decode(body))).decode()
    return head + "".join(text[i : i + 64] + "\n" for i in range(0, len(text), 64)) + rest


def of_version(number: int):
    """Let a certificate tell its version, as a certificate that is not of the first version does."""

    def change(der: bytes) -> bytes:
        assert der[:2] == der[4:6] == b"\x30\x82"
        inner = int.from_bytes(der[6:8])
        told = b"\xa0\x03\x02\x01" + bytes([number])
        body = b"\x30\x82" + (inner + len(told)).to_bytes(2) + told + der[8:]
        return b"\x30\x82" + len(body).to_bytes(2) + body

    return change


def of_byte(place: int, byte: int):
    """Change one byte."""
    return lambda der: der[:place] + bytes([byte]) + der[place + 1 :]


def test_no_byte_of_a_certificate_raises():
    """Whatever the head of a certificate is, the key fits or it does not.

    Nothing else comes out, not even a warning.
    """
    pem = signup("d06").server.storage.pem
    third = with_der(pem, of_version(2))
    assert key_fits(third)
    assert not any(key_fits(with_der(pem, of_version(number))) for number in (1, 3, 33, 127))
    answers = {key_fits(with_der(third, of_byte(place, byte))) for place in range(60) for byte in (0, 2, 33, 127, 255)}
    assert answers == {True, False}


def test_a_certificate_of_an_unknown_version_stops_no_audit(tmp_path):
    """The key of one customer is lost, the other customer is as before."""
    run, other = signup("d06", 1), signup("d06", 2)
    lab = Lab.of(run, other)
    told = json.loads(lab.files[f"secrets/{run.log_name}"])
    told["server_node_pem"] = with_der(told["server_node_pem"], of_version(33))
    lab.files[f"secrets/{run.log_name}"] = json.dumps(told).encode()
    judged = lab.judge(tmp_path, look=True)
    assert judged.wrong == []
    assert "damaged-secrets" in judged.findings()
    assert judged.accounts[other.account["account_id"]]["grade"] == "IDENTITY_KEPT"


def test_a_reader_that_fails_costs_one_file(tmp_path, monkeypatch):
    """An exception that nobody foresaw is a finding about the file that raised it."""
    run, other = signup("d06", 1), signup("d06", 2)
    read = files.read_secrets

    def failing(data, name):
        if run.log_name in name:
            raise LookupError("unforeseen")
        return read(data, name)

    monkeypatch.setattr(files, "read_secrets", failing)
    judged = Lab.of(run, other).judge(tmp_path)
    (told,) = (f for f in judged.case.judgement.findings if "nobody foresaw" in f.message)
    assert (told.signup, "LookupError" in told.message) == (f"secrets/{run.log_name}", True)
    assert judged.accounts[other.account["account_id"]]["verdict"] == "RECOVERABLE"


def test_half_a_surrogate_pair_is_no_value_of_any_field():
    """JSON can name it, UTF-8 cannot hold it."""
    assert [name for name, field in FIELDS.items() if field.fits("x\ud800") or field.fits("\udcff")] == []
    assert FIELDS["customer_keyinfo"].fits("\U0001f600 ключ")


@pytest.mark.parametrize("cell", range(5))
def test_half_a_surrogate_pair_in_a_stripe_file_stops_no_export(cell, tmp_path):
    """Manifest, audit table and page are written; the cell itself is not believed."""
    run = signup("d13")
    lab = Lab.of(run)
    name = next(n for n in lab.files if n.endswith("/stripe"))
    told = json.loads(lab.files[name])
    told[cell] = "x\ud800"
    lab.files[name] = json.dumps(told).encode()
    judged = lab.judge(tmp_path / "evidence", look=True)
    assert judged.wrong == []
    judged.case.export(tmp_path / "manifest.parquet", key_file=tmp_path / "keys" / "k")
    row = judged.accounts[run.account["account_id"]]
    assert (row["verdict"], row["customer_email"]) == ("RECOVERABLE", run.customer.email)


def test_half_a_surrogate_pair_stands_in_no_word_that_is_exported(tmp_path):
    """In the inventory's source, in a decision's reason, in the name of a token file: written as an escape."""
    run = signup("d06")
    root = Lab.of(run, secrets=False, config=False).write(tmp_path / "evidence")
    code, month = run.truth["fields"]["product_code"], run.log_name[:7]
    tokens = Path(os.fsdecode(os.fsencode(tmp_path) + b"/tok\xff.csv"))
    lines = [f"{month},{code},{{ProductToken}}AAAA{letter}AAAAAAAAAAAAAAAAA==\n" for letter in "BC"]
    tokens.write_text("".join(lines))
    saved = {"account": "123456789012", "region": "eu\ud800", "taken_at": "x\udcff", "Reservations": []}
    (tmp_path / "inventory.json").write_text(json.dumps(saved))
    given = {"product_tokens": tokens, "inventory": tmp_path / "inventory.json"}
    bucket = run.account["account_id"]
    lf.open_case(root, **given).decide(bucket, "product_token", witness=1, who="a\udcff", because="b\ud800")
    case = lf.open_case(root, **given)
    look_at_everything(case)
    case.export(tmp_path / "manifest.parquet", key_file=tmp_path / "keys" / "k")
    (row,) = read_manifest(tmp_path / "manifest.parquet", key_file=tmp_path / "keys" / "k").accounts
    assert "\\ud800" in row.server_source
    assert "says a\\udcff" in row.decisions[0]
    assert "tok\\xff.csv:1" in row.provenance["product_token"][0]
    extracted = ["extract", str(root), "--output", str(tmp_path / "facts.parquet")]
    with pytest.raises(SystemExit) as ended:
        main(extracted)
    assert ended.value.code in (0, None)


# -- replacements in the S4 layout --------------------------------------------------------------------------------


def s4(*, restored: bool, fails: bool = False) -> tuple[Lab, object, object]:
    """An S4 customer whose server was replaced; without `restored` the new server has an identity of its own."""
    origin = signup("d13")
    rng, when = random.Random(7), datetime(2014, 7, 1, 9, tzinfo=UTC)
    model = origin
    if not restored:
        fresh = make_server(random.Random(8), DIALECTS["d14"], when, keys(), 40)
        model = replace(origin, server=fresh)
    run = make_replacement(rng, model, dialect="d14", when=when, number=41, keys=keys(), throw_away=False, fails=fails)
    lab = Lab.of(origin, run)
    if not restored:
        marks = rb">Restoring (?:introducer|storage server) identity\.\.\.>\n\[customer@[^\n]*\n"
        lab.edit(run.log_file, lambda data: re.sub(marks, WARNING, data))
    return lab, origin, run


OF_A_SERVER = ("public_host", "private_host", "instance_id", "launch_time", "server_nodeid", "introducer_nodeid")


def server_of(run, row) -> list[str]:
    """The fields in which an account's row is not that of the run's server."""
    return [n for n in OF_A_SERVER if row[n] is not None and row[n] != run.truth["fields"][n]]


@pytest.mark.parametrize("restored", [True, False], ids=["restored", "own identity"])
@pytest.mark.parametrize("lost", ["none", "first log", "second log", "logs"])
def test_the_newest_finished_s4_server_counts(restored, lost, tmp_path):
    """Whether it restored the identity or warned of missing fields, and whichever logs are lost."""
    lab, origin, run = s4(restored=restored)
    for log, which in ((origin, "first log"), (run, "second log")):
        if lost in (which, "logs"):
            del lab.files[log.log_file]
    judged = lab.judge(tmp_path)
    row = judged.accounts[origin.account["account_id"]]
    assert server_of(run, row) == []
    assert (row["public_host"], row["server_nodeid"]) == tuple(
        run.truth["fields"][name] for name in ("public_host", "server_nodeid")
    )
    assert (row["verdict"], row["grade"], len(judged.accounts)) == ("RECOVERABLE", "IDENTITY_KEPT", 1)
    if lost == "none":
        said = judged.rows[run.log_file]
        assert (said["role"], said["outcome"]) == ("replacement", "complete")


def test_an_s4_replacement_that_failed_early_is_one_all_the_same(tmp_path):
    """It begins at the deployment, under a later time: no duplicate of the signup, whose server still counts."""
    lab, origin, run = s4(restored=True, fails=True)
    judged = lab.judge(tmp_path)
    assert judged.rows[run.log_file]["role"] == "replacement"
    assert server_of(origin, judged.accounts[origin.account["account_id"]]) == []


def test_an_s4_replacement_with_a_strange_line_is_no_duplicate(tmp_path):
    """A signup's stage lies in it: what began later under one subscription is a later run all the same."""
    lab, origin, run = s4(restored=True)
    running = b">The introducer and storage server are running.>\n"
    lab.edit(run.log_file, lambda data: data.replace(running, b">Subscription verified.>\n" + running))
    judged = lab.judge(tmp_path)
    assert judged.rows[run.log_file]["role"] == "replacement"
    assert server_of(run, judged.accounts[origin.account["account_id"]]) == []


def test_an_s4_signup_whose_head_is_lost_is_no_replacement(tmp_path):
    """Nothing of its subscription is older: it is the origin, though its text begins at the deployment."""
    run = signup("d13")
    lab = Lab.of(run)
    lab.edit(run.log_file, lambda data: data[data.index(b">Deploying EC2") :])
    assert lab.judge(tmp_path).rows[run.log_file]["role"] == "origin"


# -- a re-record is held against the server that it read --------------------------------------------------------------


def later(origin, dialect: str, number: int, when: datetime, *, fails: bool = False):
    """A replacement with an identity of its own."""
    fresh = make_server(random.Random(number), DIALECTS[dialect], when, keys(), number)
    return make_replacement(
        random.Random(number),
        replace(origin, server=fresh),
        dialect=dialect,
        when=when,
        number=number + 1,
        keys=keys(),
        throw_away=False,
        fails=fails,
    )


def re_recorded(origin, server=None):
    """A re-record of a server of the account, by default the first."""
    run = replace(origin, server=server) if server is not None else origin
    return make_rerecord(random.Random(5), run, when=datetime(2012, 4, 20, tzinfo=UTC))


@pytest.mark.parametrize("dialect", ["x00", "d01", "d02", "d04"])
def test_the_old_servers_re_record_does_not_contradict_the_new_server(dialect, tmp_path):
    """Origin, re-record of its server, then a replacement with a new identity.

    The newest finished server's is taken.
    """
    origin = signup(dialect)
    rec, new = re_recorded(origin), later(origin, "d10", 50, datetime(2013, 3, 20, tzinfo=UTC))
    lab = Lab.of(origin, rec, new)
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    assert (row["verdict"], row["grade"]) == ("RECOVERABLE", "IDENTITY_KEPT")
    assert server_of(new, row) == []
    assert row["server_nodeid"] == new.truth["fields"]["server_nodeid"]


def test_no_value_of_the_new_server_is_the_old_servers(tmp_path):
    """The new server's log tells no private_host, and its secrets are lost.

    The re-record of the old one does not lend its own.
    """
    origin = signup("d04")
    rec, new = re_recorded(origin), later(origin, "d10", 50, datetime(2013, 3, 20, tzinfo=UTC))
    lab = Lab.of(origin, rec, new)
    for run in (origin, rec, new):
        lab.files.pop(f"secrets/{run.log_name}", None)
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    assert row["public_host"] == new.truth["fields"]["public_host"]
    assert row["private_host"] is None


@pytest.mark.parametrize("dialect", ["d01", "d02"])
def test_a_re_record_of_another_identity_than_the_signup_printed_is_contested(dialect, tmp_path):
    """Same host, same credentials, another TubID than in the furl that the signup printed.

    A human decides about both keys.
    """
    origin = signup(dialect)
    stranger = make_server(random.Random(60), DIALECTS["d06"], datetime(2011, 12, 20, tzinfo=UTC), keys(), 60)
    server = replace(origin.server, introducer=stranger.introducer, storage=stranger.storage)
    judged = Lab.of(origin, re_recorded(origin, server)).judge(tmp_path)
    row = judged.accounts[origin.account["account_id"]]
    assert (row["verdict"], row["blocking"]) == (
        "CONTESTED",
        ("contested:introducer_node_pem", "contested:server_node_pem"),
    )
    assert judged.wrong == []


def printed(line: bytes) -> bytes:
    """The same key with another value, of the same form."""
    changed = re.sub(rb"(?<=[0-9])[0-9](?=[^0-9]*$)", lambda m: b"2" if m[0] == b"1" else b"1", line)
    return changed if changed != line else line[:-2] + b"x" + line[-2:]


BROKEN = {
    "lost": lambda line: b"",
    "doubled": lambda line: line + printed(line),
    "zeros": lambda line: b"\0" * len(line),
    "unlabelled": lambda line: b"y" + line[1:],
}


@pytest.mark.parametrize("csv", [True, False], ids=["with csv", "without csv"])
@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("dialect", ["d10", "d12"])
def test_no_line_broken_in_the_newest_servers_log_brings_the_older_one_back(dialect, how, csv, tmp_path):
    """Each line from its deployment to its address, one by one: the newest finished server's values are told, or none.

    The older one would be told in silence, and the newer would run beside the recovered.
    """
    origin = signup("d06")
    new = later(origin, dialect, 50, datetime(2013, 3, 20, tzinfo=UTC))
    lines = new.log_bytes.splitlines(keepends=True)
    last = next(number for number, line in enumerate(lines) if b"public address" in line)
    for number in range(last + 1):
        lab = Lab.of(origin, new, csv=csv)
        del lab.files[f"secrets/{new.log_name}"]
        lab.files[new.log_file] = b"".join([*lines[:number], BROKEN[how](lines[number]), *lines[number + 1 :]])
        row = lab.judge(tmp_path / str(number)).accounts[origin.account["account_id"]]
        old = [name for name in OF_A_SERVER[:4] if row[name] == origin.truth["fields"][name]]
        assert (old, row["verdict"]) == ([], "RECOVERABLE"), lines[number]


def cut(lab: Lab, new) -> Lab:
    """End the log of a later server before anything tells that it was ever ready."""
    return lab.edit(new.log_file, lambda data: data[: data.index(b">Waiting 75 seconds")])


@pytest.mark.parametrize("secrets", [None, b""], ids=["lost", "empty"])
def test_a_cut_log_of_a_later_server_tells_whose_server_counts_by_its_secrets_file_alone(secrets, tmp_path):
    """A run that was killed, and one that was finished and whose log lost its end, leave the same bytes: no server is
    told. With 0 bytes for secrets it was never finished, and the finished one counts.
    """
    origin = signup("d06")
    new = later(origin, "d10", 50, datetime(2013, 3, 20, tzinfo=UTC))
    lab = cut(Lab.of(origin, new, csv=False), new)
    lab.files[f"secrets/{new.log_name}"] = secrets or b""
    if secrets is None:
        del lab.files[f"secrets/{new.log_name}"]
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    told = {name: row[name] for name in OF_A_SERVER[:4] if row[name] is not None}
    assert told == ({} if secrets is None else {name: origin.truth["fields"][name] for name in OF_A_SERVER[:4]})
    assert row["verdict"] == "RECOVERABLE"


def test_before_a_server_that_failed_there_was_another(tmp_path):
    """A replacement that failed is not the account's server where another log tells of one, though that log is not
    believed in it: another customer's deployment lies in its middle.
    """
    origin, other = signup("d06", 1), signup("d06", 2)
    new = make_replacement(
        random.Random(50),
        origin,
        dialect="d10",
        when=datetime(2013, 3, 20, tzinfo=UTC),
        number=51,
        keys=keys(),
        throw_away=False,
        fails=True,
    )
    lab = Lab.of(origin, new, csv=False, secrets=False)
    names = [run.truth["fields"]["bucket_name"].encode() for run in (origin, other)]
    deployed = b"bucket_name = '"
    lab.edit(origin.log_file, lambda data: data.replace(deployed + names[0], deployed + names[1]))
    row = lab.judge(tmp_path).accounts[origin.account["account_id"]]
    assert [name for name in OF_A_SERVER[:4] if row[name] is not None] == []


@pytest.mark.parametrize("which", ["origin", "replacement"])
def test_a_name_that_was_exchanged_with_a_later_customers_makes_no_server_newer(which, tmp_path):
    """Of all logs only the secrets files are left, and two customers' have each other's names: when a server was made,
    the name tells that its file bore before.
    """
    origin, other = signup("d06", 1), signup("d12", 2)
    new = later(origin, "d10", 50, datetime(2012, 9, 20, tzinfo=UTC))
    assert origin.log_name < new.log_name < other.log_name
    lab = Lab.of(origin, new, other, csv=False)
    for run in (origin, new, other):
        del lab.files[run.log_file]
    one, another = (f"secrets/{run.log_name}" for run in (origin if which == "origin" else new, other))
    lab.files[one], lab.files[another] = lab.files[another], lab.files[one]
    judged = lab.judge(tmp_path)
    row = judged.accounts[origin.account["account_id"]]
    assert (server_of(new, row), row["public_host"]) == ([], new.truth["fields"]["public_host"])
    assert {each["verdict"] for each in judged.accounts.values()} == {"RECOVERABLE"}


def damaged(pem: str) -> tuple[bytes, bytes]:
    """A line of the private key, whole and with one character changed."""
    line = pem.split("\n")[-4]
    return line.encode(), f"{line[:5]}{'A' if line[5] != 'A' else 'B'}{line[6:]}".encode()


@pytest.mark.parametrize("dialect", ["d01", "d04"])
def test_a_damaged_key_of_a_re_record_is_no_voice(dialect, tmp_path):
    """It is None and told; a key that the signup itself printed stays proved."""
    origin = signup(dialect)
    rec = re_recorded(origin)
    lab = Lab.of(origin, rec, secrets=dialect != "d01")
    lab.files.pop(f"secrets/{rec.log_name}", None)
    old, new = damaged(origin.server.introducer.pem)
    lab.edit(rec.log_file, lambda data: data.replace(old, new))
    judged = lab.judge(tmp_path)
    said = judged.rows[rec.log_file]
    assert said["introducer_node_pem"] is None
    assert [w for w in judged.wrong if w.startswith("signups ")] == []
    assert any(f.code == "damaged-value" and f.field == "introducer_node_pem" for f in judged.case.judgement.findings)
    row = judged.accounts[origin.account["account_id"]]
    assert row["verdict"] == "RECOVERABLE"
    assert row["introducer_identity"] == ("BROKEN" if dialect == "d01" else "PROVED")


# -- product tokens ----------------------------------------------------------------------------------------------------


def offered(tmp_path, run, *extra, secrets: bool, own: str):
    """The audit's row where config and monthly file differ about the product; `own` tells which is the account's."""
    fields = run.truth["fields"]
    lab = Lab.of(run, *extra, secrets=secrets)
    token, other = fields["product_token"], "{ProductToken}OTHER/monthly+token/AAAAAAAA=="
    in_config, in_file = (token, other) if own == "config" else (other, token)
    if own != "config":
        lab.edit("lae_automation_config.json", lambda data: data.replace(token.encode(), other.encode()))
    root = lab.write(tmp_path / "evidence")
    (tmp_path / "tokens.csv").write_text(f"{run.log_name[:7]},{fields['product_code']},{in_file}\n")
    case = lf.open_case(root, product_tokens=tmp_path / "tokens.csv")
    (row,) = case.audit.to_dict("records")
    return row, in_config, case


@pytest.mark.parametrize("own", ["config", "file"])
def test_the_secrets_file_chooses_among_the_tokens_offered(own, tmp_path):
    """The token that the account's own secrets name is taken, the other is a lesser witness."""
    run = signup("d06")
    row, _, case = offered(tmp_path, run, secrets=True, own=own)
    assert (row["verdict"], row["product_token"].reveal()) == ("RECOVERABLE", run.truth["fields"]["product_token"])
    codes = {f.code for f in case.judgement.findings if f.field == "product_token"}
    assert codes == {"outranked-witness"}


def test_a_re_record_chooses_among_the_tokens_offered(tmp_path):
    """What was read out of the account's server is its own word, too: no question is left open."""
    run = signup("d01")
    row, _, case = offered(tmp_path, run, re_recorded(run), secrets=True, own="file")
    assert (row["verdict"], row["product_token"].reveal()) == ("RECOVERABLE", run.truth["fields"]["product_token"])
    assert not [f for f in case.judgement.findings if f.field == "product_token" and f.blocks]


def test_where_nothing_of_the_account_speaks_the_tokens_offered_are_contested(tmp_path):
    """Both are listed."""
    row, _, case = offered(tmp_path, signup("d06"), secrets=False, own="config")
    assert (row["verdict"], row["blocking"]) == ("CONTESTED", ("contested:product_token",))
    (told,) = (f for f in case.judgement.findings if f.code == "contested-field")
    assert {place.evidence for place in told.locators} == {"lae_automation_config.json", "tokens.csv"}


@pytest.mark.parametrize("form", ["ascii", "mixed", "unicode"])
def test_x02s_print_of_the_config_serves_every_log(form, tmp_path):
    """Config and secrets lost.

    The list that one log printed tells the token of another log's product, in any repr of Python 2.
    """
    run, printer = signup("d06", 1), signup("x02", 2)
    lab = Lab.of(run, printer, secrets=False, config=False)
    fields = run.truth["fields"]
    name = "Tahoe-LAFS-on-S3 (friends and family)"  # as the log tells it
    other = "Tahoe f\xfcr alle" if form != "ascii" else "Tahoe"
    u = "u" if form == "unicode" else ""
    pairs = {"product_code": fields["product_code"], "product_token": fields["product_token"]}
    entry = ", ".join(f"{u}'{key}': {u}'{value}'" for key, value in pairs.items())
    named, besides = (f"{u}'full_name': {u if each.isascii() else 'u'}{each!a}" for each in (name, other))
    listed = f"[{{{named}, {entry}}}, {{{besides}}}]\n".encode()
    lab.edit(printer.log_file, lambda data: re.sub(rb"\n\[\{.*\}\]\n", lambda m: b"\n" + listed, data))
    row = lab.judge(tmp_path).accounts[run.account["account_id"]]
    assert (row["verdict"], row["product_token"]) == ("RECOVERABLE", fields["product_token"])


# -- pieces of others
# ---------------------------------------------------------------------------------------------------


def test_an_address_that_fabrics_marks_do_not_know_is_not_given(tmp_path):
    """One character of the printed address changed.

    Neither it nor the marks' is sure, but the rest of the log stays.
    """
    run = signup("d10")
    host = run.truth["fields"]["public_host"]
    other = host[:-1] + ("1" if host[-1] != "1" else "2")
    lab = Lab.of(run, secrets=False, csv=False)
    lab.edit(run.log_file, lambda data: data.replace(f"address is '{host}'".encode(), f"address is '{other}'".encode()))
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.rows[run.log_file]["public_host"] is None
    assert judged.rows[run.log_file]["introducer_furl"] is not None
    assert any(f.field == "public_host" for f in judged.case.judgement.findings)


def test_an_address_of_which_no_mark_speaks_is_not_given(tmp_path):
    """Behind it stand only another server's marks: nothing tells whose address it is."""
    run, other = signup("d10", 1), signup("d10", 2)
    lab = Lab.of(run, secrets=False, csv=False)
    start = other.log_bytes.index(b"[ubuntu@")
    end = run.log_bytes.index(b"\n", run.log_bytes.index(b">The server's public")) + 1
    lab.files[run.log_file] = run.log_bytes[:end] + other.log_bytes[start:]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.rows[run.log_file]["public_host"] is None
    assert "several-signups" in judged.findings()


@pytest.mark.parametrize("secrets", [False, True], ids=["alone", "with secrets"])
def test_credentials_that_stand_in_another_buckets_log_are_not_believed(secrets, tmp_path):
    """A block of another customer's log over the credentials: the damaged log has none, the whole one keeps its own."""
    run, other = signup("d06", 1), signup("d06", 2)
    lab = Lab.of(run, other, secrets=secrets)
    block = [log.log_bytes.index(b"access_key_id = ") for log in (run, other)]
    end = [log.log_bytes.index(b"usertoken = ") for log in (run, other)]
    stamped = other.log_bytes[block[1] : end[1]]
    assert len(stamped) == end[0] - block[0]
    data = run.log_bytes[: block[0]] + stamped + run.log_bytes[end[0] :]
    torn = data.index(b"usertoken = ")
    lab.files[run.log_file] = data[:torn] + b"usertoken = '{Us/" + data[torn + 17 :]
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    row = judged.accounts[run.account["account_id"]]
    assert (row["user_access_key_id"], row["verdict"]) == (
        (run.truth["fields"]["user_access_key_id"], "RECOVERABLE") if secrets else (None, "INCOMPLETE")
    )
    assert judged.accounts[other.account["account_id"]]["verdict"] == "RECOVERABLE"
    assert any(f.field == "user_access_key_id" for f in judged.case.judgement.findings)


def test_a_token_that_stands_in_another_buckets_damaged_log_is_not_believed(tmp_path):
    """The access key is the log's own, its user token another customer's: the token is missing, the key is not."""
    run, other = signup("d01", 1), signup("d01", 2)
    mine, theirs = (r.truth["fields"]["user_token"].encode() for r in (run, other))
    lab = Lab.of(run, other, secrets=False)
    lab.edit(run.log_file, lambda data: data.replace(mine, theirs) + b"usertoken = '{UserTok")
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    row = judged.accounts[run.account["account_id"]]
    assert (row["user_token"], row["user_access_key_id"]) == (None, run.truth["fields"]["user_access_key_id"])
    assert judged.accounts[other.account["account_id"]]["user_token"] is not None


def test_a_row_whose_last_field_was_wrapped_tells_no_key_information(tmp_path):
    """What follows it is no row: it is the rest of the field."""
    run = signup("d06")
    lab = Lab.of(run)
    for name in ("activation_requests.csv", "signups.csv"):
        lines = lab.files[name].rstrip(b"\n").split(b"\n")
        whole = [line.rpartition(b",")[0] + b",http://example.org/key.asc" for line in lines]
        lab.files[name] = b"".join(line[:-25] + b"\n" + line[-25:] + b"\n" for line in whole)
    row = lab.judge(tmp_path).rows[run.log_file]
    assert row["customer_keyinfo"] is None
    assert row["customer_name"] is not None


# -- the last word of a dialect
# -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dialect", "outcome"), [("d06", "cut"), ("d08", "complete")])
def test_a_log_that_ends_with_the_mail_is_complete_where_no_monitoring_follows(dialect, outcome, tmp_path):
    """Whoever fetched the monitoring code set it up after the mail; later programs ended with the mail."""
    run = signup(dialect)
    lab = Lab.of(run, csv=False)
    last = max(run.log_bytes.rfind(b"e-mail sent.>\n"), run.log_bytes.rfind(b">Notification sent.>\n"))
    lab.files[run.log_file] = run.log_bytes[: run.log_bytes.index(b"\n", last) + 1]
    assert lab.judge(tmp_path).rows[run.log_file]["outcome"] == outcome
