"""Values that were written in another way than the programs of 2011 to 2014 wrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from makings import (
    EMAIL,
    FURL,
    HOST,
    INTRODUCER,
    LOG_FILE,
    NAME,
    STORAGE,
    audit_row,
    codes,
    config,
    evidence,
    furl_of,
    log,
    open_files,
    request,
    result,
    revealed,
    secrets,
    secrets_object,
    serverinfo,
    settings,
)

from laeforensics.companions.secrets_files import read_secrets
from laeforensics.facts import rewritten
from laeforensics.facts.node_keys import tub_id_of_furl

TUB_ID = INTRODUCER.nodeid


def values(data: bytes) -> dict[str, str]:
    return {fact.field: fact.value for fact in read_secrets(data, "a file").facts}


@pytest.mark.parametrize(
    "other", [2, -1.5e3, True, False, None, [], [1, [2, {"x": None}]], {}, {"a": {"b": ["}", '"']}}, "text", ""]
)
@pytest.mark.parametrize("at_front", [True, False])
def test_whatever_stands_under_an_unknown_key_is_skipped(other, at_front):
    """Before the fields and behind them."""
    whole = secrets_object()
    told = {"schema": other, **whole} if at_front else {**whole, "note": other}
    assert values(json.dumps(told).encode()) == values(secrets())


@pytest.mark.parametrize("wrong", [5, ["AKIA"], {"a": 1}, True])
def test_what_is_no_text_is_no_value_of_a_field(wrong):
    """It is named, and the other fields are read."""
    told = read_secrets(json.dumps({**secrets_object(), "secret_key": wrong}).encode(), "a file")
    assert {fact.field for fact in told.facts} == set(values(secrets())) - {"user_secret_key"}
    assert [name for name, _ in told.rejected] == ["user_secret_key"]


def test_json_that_nests_without_end_is_damage_and_no_crash():
    """A hundred thousand brackets under an unknown key."""
    told = read_secrets(b'{"x": ' + b"[" * 100_000 + b"}", "a file")
    assert told.problem is not None
    assert told.problem.startswith("damaged at byte")


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
def test_json_that_was_written_prettily_is_the_same(indent):
    """With line ends of its own, sorted, escaped."""
    told = json.dumps(secrets_object(), indent=indent, sort_keys=True).replace("/", "\\/")
    assert values(told.encode()) == values(secrets())


def parts(pem: str) -> tuple[str, str]:
    certificate, key = pem.split("-----BEGIN RSA PRIVATE KEY-----")
    return certificate, "-----BEGIN RSA PRIVATE KEY-----" + key


PEMS: dict[str, Callable[[str], str]] = {
    "CR LF": lambda pem: pem.replace("\n", "\r\n"),
    "CR": lambda pem: pem.replace("\n", "\r"),
    "key first": lambda pem: "\n".join(reversed([part.strip("\n") for part in parts(pem)])),
    "text before": lambda pem: f"Bag Attributes\n    friendlyName: node\nsubject=/CN=newpb_thingy\n{pem}",
    "text between": lambda pem: "\nsubject=/CN=x\n\n".join(part.strip("\n") for part in parts(pem)),
    "text behind": lambda pem: f"{pem}\nthis is the end\n",
    "wider lines": lambda pem: re.sub(r"([A-Za-z0-9+/]{64})\n(?!-)", r"\1", pem),
    "padded lines": lambda pem: "\n".join(f"  {line}  " for line in pem.split("\n")),
    "empty lines": lambda pem: pem.replace("\n", "\n\n"),
    "one line each": lambda pem: re.sub(r"(?<=[A-Za-z0-9+/=])\n(?!-)", "", pem),
}


@pytest.mark.parametrize("how", PEMS)
def test_another_form_of_a_pem_is_the_same_pem(how, tmp_path):
    """The identities are kept, and nothing contradicts what the log relayed."""
    changed = {f"{node}_node_pem": PEMS[how](of.pem) for node, of in (("introducer", INTRODUCER), ("server", STORAGE))}
    assert values(secrets(**changed)) == values(secrets())
    case = open_files(tmp_path, evidence(secrets=secrets(**changed)))
    assert (audit_row(case)["grade"], codes(case)) == ("IDENTITY_KEPT", set())


def test_two_certificates_or_two_keys_are_no_node_pem():
    """Nobody says which is meant."""
    certificate, key = parts(INTRODUCER.pem)
    for text in (certificate + INTRODUCER.pem, f"{INTRODUCER.pem}\n{key}", certificate, key, "", "no pem"):
        assert rewritten.pem(text) == text


FURLS = {
    f"pb://{TUB_ID}@tcp:{HOST}:12345/introducer": FURL,
    f"pb://{TUB_ID.upper()}@{HOST}:12345/introducer": FURL,
    f"pb://{TUB_ID}@10.1.2.3:12345,{HOST}:12345/introducer": FURL,
    f"pb://{TUB_ID}@tcp:10.1.2.3:12345,tcp:{HOST}:12345,tcp:127.0.0.1:12345/introducer": FURL,
    f"pb://{TUB_ID}@tcp:storage.example.org:12345,tcp:{HOST}:12345/introducer": FURL,
    f"pb://{TUB_ID}@tcp:[2001:db8::1]:12345,tcp:{HOST}:12345/introducer": FURL,
    f" {FURL}\n": FURL,
    f"pb://{TUB_ID}@tcp:storage.example.org:12345/introducer": f"pb://{TUB_ID}@storage.example.org:12345/introducer",
    f"pb://{TUB_ID}@tcp:[2001:DB8::1]:12345/introducer": f"pb://{TUB_ID}@[2001:db8::1]:12345/introducer",
}


@pytest.mark.parametrize("furl", FURLS)
def test_hints_are_not_what_identifies_a_furl(furl, tmp_path):
    """TubID and swissnum are: the secrets file and the log agree, and the identity is kept."""
    assert values(secrets(external_introducer_furl=furl))["introducer_furl"] == FURL
    assert values(secrets(external_introducer_furl=furl, publichost=None))["introducer_furl"] == FURLS[furl]
    case = open_files(tmp_path, evidence(secrets=secrets(external_introducer_furl=furl)))
    row = audit_row(case)
    assert (row["verdict"], row["grade"]) == ("RECOVERABLE", "IDENTITY_KEPT")
    assert revealed(row["introducer_furl"]).startswith(f"pb://{TUB_ID}@")
    assert revealed(row["introducer_furl"]).endswith("/introducer")


def test_a_log_may_tell_hints_too(tmp_path):
    """What the settings block says is read as what the secrets file says."""
    told = log(settings=settings(f"pb://{TUB_ID}@tcp:{HOST}:12345/introducer"))
    for number, secret in enumerate([None, secrets()]):
        row = audit_row(open_files(tmp_path / str(number), evidence(log=told, secrets=secret)))
        assert revealed(row["introducer_furl"]) == FURL


@pytest.mark.parametrize(
    "furl", [f"pb://{TUB_ID}@tor:abc.onion:80/introducer", f"pb://{TUB_ID}@/introducer", "pb://x@y/z"]
)
def test_hints_of_another_kind_are_not_guessed_at(furl):
    """A furl by which no customer reaches the server is none."""
    assert "introducer_furl" not in values(secrets(external_introducer_furl=furl))


def test_another_tub_id_still_contradicts(tmp_path):
    """The hints are forgiven, the identity is not."""
    furl = f"pb://{STORAGE.nodeid}@tcp:{HOST}:12345/introducer"
    case = open_files(tmp_path, evidence(secrets=secrets(external_introducer_furl=furl)))
    row = audit_row(case)
    assert row["verdict"] == "CONTESTED" or tub_id_of_furl(revealed(row["introducer_furl"])) == TUB_ID


@pytest.mark.parametrize(
    "host",
    ["domU-12-31-39-0A-1B-2C.compute-1.internal", "ip-10-1-2-3.ec2.internal", "ip-10-1-2-3.us-west-2.compute.internal"],
)
def test_names_of_inside_of_every_year_are_read(host):
    """Amazon called instances domU-MAC before it called them ip-ADDRESS."""
    assert values(secrets(privatehost=host))["private_host"] == host


def test_a_secrets_file_of_0_bytes_beside_a_log_that_tells_its_end_is_a_warning(tmp_path):
    """It was filled once; a run that never came to its end leaves it empty, and that is a note."""
    assert "emptied-secrets" in codes(open_files(tmp_path / "1", evidence(secrets=b"")))
    unfinished = evidence(secrets=b"", log=log(until="address"), results=result("failure"))
    assert "emptied-secrets" not in codes(open_files(tmp_path / "2", unfinished))
    # A log that is cut off does not tell its end, but the row of its success does.
    assert "emptied-secrets" in codes(open_files(tmp_path / "3", evidence(secrets=b"", log=log(until="address"))))


@pytest.mark.parametrize("line", [">S3 bucket creation failed.>\n", "S3 bucket creation failed.\n"])
def test_a_bucket_that_could_not_be_made_is_not_attested(line, tmp_path):
    """With the customers' mark and without."""
    told = log(created=line, until="created")
    case = open_files(tmp_path, evidence(log=told, secrets=None, results=result("failure"), servers=None))
    assert "bucket-failed" in codes(case)


# -- csv files that were saved anew -------------------------------------------------------------------------

ROWS = {
    "activation_requests.csv": request() + request(key="B" * 30, email="bea@example.org", info="0x3E6BECF2"),
    "signups.csv": result() + result(key="B" * 30, email="bea@example.org", info="0x3E6BECF2"),
    "serverinfo.csv": serverinfo() + serverinfo("i-00000009", "192.0.2.9"),
}


def lines(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "".join(change(line) + "\n" for line in text.split("\n")[:-1])


RESAVED: dict[str, Callable[[str], str]] = {
    "semicolons": lambda text: text.replace(",", ";"),
    "tabs": lambda text: text.replace(",", "\t"),
    "quotes": lines(lambda line: ",".join(f'"{cell}"' for cell in line.split(","))),
    "quotes and semicolons": lines(lambda line: ";".join(f'"{cell}"' for cell in line.split(","))),
    "quotes where there is text": lines(lambda line: ",".join(f'"{c}"' if c else c for c in line.split(","))),
    "a mark of byte order": lambda text: "\ufeff" + text,
    "CR LF": lambda text: text.replace("\n", "\r\n"),
    "padding": lambda text: text.replace(",", ", "),
    "an index": lambda text: "".join(f"{n},{line}\n" for n, line in enumerate(text.split("\n")[:-1])),
    "an index and a head": lambda text: (
        ",0,1,2,3\n" + "".join(f"{n},{t}\n" for n, t in enumerate(text.split("\n")[:-1]))
    ),
    "a head": lambda text: "when,what,who\n" + text,
    "a word for nothing": lines(lambda line: ",".join(cell or "NULL" for cell in line.split(","))),
    "sep=": lambda text: "sep=;\n" + text.replace(",", ";"),
    "times of a data base": lambda text: re.sub(r"(?m)^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)Z", r"\1 \2", text),
    "times with an offset": lambda text: re.sub(r"(?m)^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)Z", r"\1 \2+00:00", text),
}


@pytest.mark.parametrize("how", RESAVED)
def test_what_a_spreadsheet_did_to_a_csv_file_is_undone(how, tmp_path):
    """Where one alone can have been meant: the account is told as by the site's own file, and that is said."""
    plain = evidence(log=log("mail", deployment=""), secrets=secrets(), config=config())
    files = {**plain, **{name: RESAVED[how](data.decode()).encode() for name, data in ROWS.items()}}
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["verdict"], row["customer_email"], row["customer_name"]) == ("RECOVERABLE", EMAIL, "Ann")
    assert "converted-file" in codes(case)
    assert not {"damaged-row", "csv-contradicts-log"} & codes(case)


def test_a_csv_file_that_nobody_can_undo_is_one_finding(tmp_path):
    """Not one for each of its thousand rows."""
    rows = "".join(f"20.03.2012 10:{n % 60:02d}|Ann|{n}\n" for n in range(1000)).encode()
    case = open_files(tmp_path, evidence(results=rows))
    assert len([f for f in case.judgement.findings if f.signup == "signups.csv"]) == 1


BLOCK = "-----BEGIN PGP PUBLIC KEY BLOCK-----%0A%0AmQENBE%0A=abcd%0A-----END PGP PUBLIC KEY BLOCK-----%0A"
TO_THE_STAFF = log(mail=">Notifying one of our staff to send the confirmation e-mail to <ann@example.org>...>\n")


def keyinfo_of(cell: str, folder: Path, *others: str) -> str | None:
    """What is told of a customer whose key information stands in both csv files so, beside `others` of strangers."""
    keys = [chr(ord("B") + number) * 30 for number in range(len(others))]
    rows = {
        name: make(info=cell) + b"".join(make(key=key, info=other) for key, other in zip(keys, others, strict=True))
        for name, make in (("requests", request), ("results", result))
    }
    return audit_row(open_files(folder, evidence(log=TO_THE_STAFF, **rows)))["customer_keyinfo"]


def test_csv_files_that_were_quoted_a_second_time_are_unquoted_once_more(tmp_path):
    """Every mark of quoting is quoted then; in one cell alone nobody knows it, and it tells nothing."""
    again = BLOCK.replace("%", "%25")
    told = keyinfo_of(again, tmp_path / "file", "J%25C3%25B6rg")
    assert told == keyinfo_of(BLOCK, tmp_path / "sound") == BLOCK.replace("%0A", "\n")
    assert keyinfo_of(again, tmp_path / "cell") is keyinfo_of(again, tmp_path / "some", "J%C3%B6rg") is None
    link = "https://example.org/a%2520key"
    assert keyinfo_of(link, tmp_path / "link") == "https://example.org/a%20key"


def test_an_armour_without_an_end_is_no_key(tmp_path):
    """Where several cells end after so many bytes, another one of that length was cut off, too."""
    cut, other, text = BLOCK[:70], BLOCK[:60] + "A" * 10, "write to me by paper mail at " + "x" * 41
    assert keyinfo_of(cut, tmp_path / "lone") is None
    assert keyinfo_of(text, tmp_path / "some", cut, other) is None
    assert keyinfo_of(text, tmp_path / "one", cut) == text


@pytest.mark.parametrize("info", ["NULL", "0x3E6BECF2", "none"])
def test_key_information_that_the_log_contradicts_is_none(info, tmp_path):
    """The log tells that the mail went to the customer: nobody gave a key."""
    files = evidence(requests=request(info=info), results=result(info=info))
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["verdict"], row["customer_keyinfo"], row["customer_email"]) == ("RECOVERABLE", None, EMAIL)
    assert "csv-contradicts-log" in codes(case, "customer_keyinfo")


def test_a_log_that_wrote_to_the_staff_contradicts_a_row_without_key_information(tmp_path):
    """The customer wanted encrypted mail: that the row tells of no key does not unsay it."""
    told = log(
        mail=f">Notifying one of our staff to send the confirmation e-mail to <{EMAIL}>...>\n>Notification sent.>\n"
    )
    case = open_files(tmp_path, {**evidence(), LOG_FILE: told})
    assert audit_row(case)["customer_keyinfo"] is None
    assert "csv-contradicts-log" in codes(case, "customer_keyinfo")
    assert NAME in LOG_FILE


def test_the_name_that_the_provider_makes_of_an_address_is_that_address():
    """As the signup program took it out of the name; a name of another form stays."""
    assert rewritten.by_address("ec2-192-0-2-10.compute-1.amazonaws.com") == "192.0.2.10"
    assert rewritten.by_address("ec2-192-0-2-10.eu-west-1.compute.amazonaws.com") == "192.0.2.10"
    assert rewritten.by_address("ec2-192-0-2-10.example.org") == "ec2-192-0-2-10.example.org"
    name = "ec2-192-0-2-1.compute-1.amazonaws.com"
    told = secrets(publichost=name, external_introducer_furl=furl_of(INTRODUCER, name))
    assert values(told) == values(secrets())
