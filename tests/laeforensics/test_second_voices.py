"""Copies, month windows, rows of others and damaged companions.

No voice is lost, none is believed for its place alone.
"""

from __future__ import annotations

import json

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    CODE,
    EMAIL,
    FURL,
    INSTANCE,
    INTRODUCER,
    KEY,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    PARTS,
    PRODUCT_TOKEN,
    SECRET_KEY,
    STORAGE,
    STRANGER,
    audit_row,
    cat,
    codes,
    config,
    evidence,
    identities_read,
    judged,
    log,
    open_files,
    re_record,
    replacement,
    request,
    result,
    secrets,
)

import laeforensics as lf
from laeforensics.audit import decisions
from laeforensics.cli import main
from laeforensics.companions.inventory import read_inventory
from laeforensics.companions.products import read_config, read_monthly

OTHER_KEY = "another0secret+key/of+forty/characters/0"
OTHER_TOKEN = "{ProductToken}AAAHUHJvZHVjdFNFQ09ORA=="
COPY = f"leastauthority.com/{LOG_FILE}"


def with_key(secret_key: str) -> bytes:
    return log(credentials=PARTS["credentials"].replace(SECRET_KEY, secret_key))


# -- copies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("swapped", [False, True])
def test_two_copies_of_a_log_that_differ_are_contested(tmp_path, swapped):
    """Whichever lies first.

    Two logs of one name with different secret keys leave the field to a human, as a finding says.
    """
    keys = [SECRET_KEY, OTHER_KEY][:: -1 if swapped else 1]
    case = open_files(tmp_path, {**evidence(log=with_key(keys[0]), secrets=None), COPY: with_key(keys[1])})
    row = audit_row(case)
    assert (row["verdict"], row["user_secret_key"]) == ("CONTESTED", None)
    assert codes(case, "user_secret_key") == {"contested-field"}


def test_two_copies_of_a_secrets_file_that_differ_are_contested(tmp_path):
    """Also where the log is lost, two secrets files of one name are both heard."""
    files = evidence(log=None)
    case = open_files(tmp_path, {**files, f"leastauthority.com/secrets/{NAME}": secrets(secret_key=OTHER_KEY)})
    assert audit_row(case)["blocking"] == ("contested:user_secret_key",)


def test_two_roots_that_differ_are_contested(tmp_path):
    """Two folders of evidence, each with a copy of the same log, speak with equal voices."""
    open_files(tmp_path / "a", evidence(log=with_key(OTHER_KEY), secrets=None))
    open_files(tmp_path / "b", evidence(secrets=None))
    case = lf.open_case(tmp_path / "a" / "evidence", tmp_path / "b" / "evidence")
    assert audit_row(case)["blocking"] == ("contested:user_secret_key",)


def test_two_copies_that_tell_other_addresses_are_contested(tmp_path):
    """The customer's address, too, is a field of which copies of the log may disagree."""
    other = log(
        deployment=PARTS["deployment"].replace(EMAIL, "bob@example.org"),
        mail=PARTS["mail"].replace(EMAIL, "bob@example.org"),
    )
    case = open_files(tmp_path, {**evidence(secrets=None, requests=None, results=None), COPY: other})
    assert audit_row(case)["blocking"] == ("contested:customer_email",)


def test_two_furls_of_one_certificate_are_contested(tmp_path):
    """The same TubID with another swissnum in the copy: no furl is taken, and the finding names the field."""
    files = evidence(secrets=None, log=log(installed=PARTS["installed"] + identities_read()))
    other = FURL.replace("/introducer", "/" + "a" * 32)
    copy = log(installed=PARTS["installed"] + identities_read(), settings=PARTS["settings"].replace(FURL, other))
    case = open_files(tmp_path, {**files, COPY: copy})
    row = audit_row(case)
    assert (row["verdict"], row["introducer_furl"]) == ("CONTESTED", None)
    assert "contested-field" in codes(case, "introducer_furl")


def test_a_copy_that_is_cut_is_a_duplicate(tmp_path):
    """A log that breaks off before its bucket is no attempt where its fellow is whole."""
    case = open_files(tmp_path, {**evidence(secrets=None), COPY: log(until="activation")})
    assert [a.account_id for a in case.judgement.accounts] == [BUCKET]
    assert audit_row(case)["verdict"] == "RECOVERABLE"


@pytest.mark.parametrize("suffix", ["~", ".bak"])
def test_an_editors_backup_is_a_duplicate(tmp_path, suffix):
    """`NAME~` and `NAME.bak` beside the log make neither an account nor an attempt."""
    case = open_files(tmp_path, {**evidence(), LOG_FILE + suffix: log()})
    assert [a.account_id for a in case.judgement.accounts] == [BUCKET]


def test_a_readme_among_the_logs_is_no_signup(tmp_path):
    """A file whose name is no log's and in which no program speaks is a finding, not an attempt."""
    case = open_files(tmp_path, {**evidence(), "signup_logs/README": b"Copied here in May.\nAsk Zooko.\n"})
    assert [a.account_id for a in case.judgement.accounts] == [BUCKET]
    assert [f.code for f in case.judgement.findings if f.signup == "signup_logs/README"] == ["no-log"]


def test_a_log_of_an_odd_name_is_a_log_all_the_same(tmp_path):
    """What a program said counts under whatever name."""
    files = evidence(log=None, secrets=None)
    case = open_files(tmp_path, {**files, "signup_logs/README": log()})
    assert audit_row(case)["user_secret_key"] == SECRET_KEY


# -- month windows -----------------------------------------------------------------------------------------


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
    whole = config(sold(), sold(product_code="WXYZ6789", full_name="Caf@"))
    data = whole[:-30] if damage == "cut" else whole.replace(b"@", b"\xe9")
    case = open_files(tmp_path, evidence(secrets=None, config=data))
    assert audit_row(case)["product_token"] == PRODUCT_TOKEN
    assert "damaged-config" in codes(case)


# -- servers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("running", "server"), [(INSTANCE, "RUNNING"), ("i-00000009", "RUNNING"), ("i-0000000f", "GONE")]
)
def test_any_server_of_the_account_counts(tmp_path, running, server):
    """RUNNING if the first server or its replacement runs, GONE only if both are gone."""
    files = {**evidence(), f"signup_logs/{OTHER_NAME}": replacement()}
    root = open_files(tmp_path, files).root
    instance = {
        "InstanceId": running,
        "State": {"Code": 16, "Name": "running"},
        "Placement": {"AvailabilityZone": "us-east-1b"},
    }
    saved = {"Reservations": [{"OwnerId": "123456789012", "Instances": [instance]}]}
    (tmp_path / "saved.json").write_text(json.dumps(saved))
    assert read_inventory(json.dumps(saved).encode(), "saved.json")
    assert audit_row(lf.open_case(root, inventory=tmp_path / "saved.json"))["server"] == server


# -- csv rows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("results", [None, result("failure", key="ASTRANGERSKEYSTRANGERSKEYSTRAN")])
def test_a_stranger_of_the_same_second_is_not_the_customer(tmp_path, results):
    """Log lost.

    A request of the same second and product, without a success row, gives no address, no name and no key.
    """
    stranger = request(key="ASTRANGERSKEYSTRANGERSKEYSTRAN", name="Mallory", email="mallory@example.net")
    row = audit_row(open_files(tmp_path, evidence(log=None, requests=stranger, results=results)))
    assert (row["customer_email"], row["customer_name"], row["activation_key"]) == (None, None, None)


def test_a_request_may_have_waited_for_its_run(tmp_path):
    """The only request of the log's activation key counts though it is of ten seconds before."""
    files = evidence(requests=request(when="2012-03-20T10:14:50Z"), results=None)
    assert audit_row(open_files(tmp_path, files))["customer_name"] == "Ann"


def test_a_row_that_claims_anothers_key_is_named(tmp_path):
    """A result row with the log's activation key and another address is left out, and a finding says so."""
    rows = result() + result(email="mallory@example.net", when="2012-03-20T10:45:00Z")
    case = open_files(tmp_path, evidence(results=rows))
    assert audit_row(case)["customer_email"] == EMAIL
    assert "csv-contradicts-log" in codes(case, "customer_email")


# -- identities --------------------------------------------------------------------------------------------


def stranger_record() -> bytes:
    told = re_record().decode().replace(identities_read(), identities_read(STRANGER, STRANGER))
    return told.encode()


def test_a_re_record_of_other_nodes_is_contested(tmp_path):
    """A re-record with the right access key but other node keys replaces nothing.

    A human decides, furl and node id stay.
    """
    case = open_files(tmp_path, {**evidence(), f"signup_logs/{OTHER_NAME}": stranger_record()})
    row = audit_row(case)
    assert row["blocking"] == ("contested:introducer_node_pem", "contested:server_node_pem")
    assert (row["introducer_node_pem"], row["introducer_nodeid"]) == (None, INTRODUCER.nodeid)
    assert row["introducer_furl"] == FURL


@pytest.mark.parametrize("chosen", [INTRODUCER, STRANGER])
def test_node_id_and_furl_follow_the_key_that_was_chosen(tmp_path, chosen):
    """After a decision about the introducer's key no furl and no node id of the other key stands beside it."""
    case = open_files(tmp_path, {**evidence(), f"signup_logs/{OTHER_NAME}": stranger_record()})
    choice = decisions.witnesses(judged(case), "introducer_node_pem")
    number = 1 + next(n for n, f in enumerate(choice) if f.value == chosen.pem)
    case.decide(BUCKET, "introducer_node_pem", witness=number, who="Carol", because="seen")
    row = audit_row(case)
    assert (row["introducer_node_pem"], row["introducer_nodeid"]) == (chosen.pem, chosen.nodeid)
    assert row["introducer_furl"] is None or chosen.nodeid in row["introducer_furl"]


def test_a_relayed_furl_with_another_end_is_named(tmp_path):
    """The node's own furl ends otherwise than the printed one: the printed one is taken, with a warning."""
    internal = f"pb://{INTRODUCER.nodeid}@10.1.2.3:12345,127.0.0.1:12345/{'a' * 32}"
    told = PARTS["running"] + cat("introducer/introducer.furl", internal)
    case = open_files(tmp_path, evidence(log=log(running=told), secrets=None))
    assert audit_row(case)["introducer_furl"] == FURL
    assert "outranked-witness" in codes(case, "introducer_furl")


# -- decisions and verbs -----------------------------------------------------------------------------------


def contested(tmp_path) -> lf.Case:
    return open_files(tmp_path, evidence(secrets=secrets(secret_key=OTHER_KEY)))


def test_a_decision_may_be_changed(tmp_path):
    """Whoever decided may decide again: the later one counts."""
    case = contested(tmp_path)
    for number in (1, 2):
        case.decide(BUCKET, "user_secret_key", witness=number, who="Carol", because="seen")
        wanted = decisions.witnesses(judged(lf.open_case(case.root, folder=tmp_path / "none")), "user_secret_key")
        assert audit_row(case)["user_secret_key"] == wanted[number - 1].value


def test_a_third_voice_reopens_the_question(tmp_path):
    """A copy that comes after the decision and says something else makes the field contested again."""
    case = contested(tmp_path)
    case.decide(BUCKET, "user_secret_key", witness=1, who="Carol", because="seen")
    third = case.root / "leastauthority.com" / "secrets" / NAME
    third.parent.mkdir(parents=True)
    third.write_bytes(secrets(secret_key="yet+another/secret+key/of+forty/chars/00"[:40]))
    again = lf.open_case(case.root)
    assert audit_row(again)["verdict"] == "CONTESTED"
    assert "stale-decision" in codes(again, "user_secret_key")


def typed(capsys, *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main([str(w) for w in words])
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_a_decisions_file_that_is_no_text_is_told_in_three_lines(tmp_path, capsys):
    """A byte that is not UTF-8 in decisions.jsonl ends with 2 and names the line."""
    case = contested(tmp_path)
    case.folder.mkdir()
    (case.folder / "decisions.jsonl").write_bytes(b"\xff{}\n")
    code, _, err = typed(capsys, "audit", case.root, "-o", tmp_path / "m.parquet", "--key-file", tmp_path / "k" / "key")
    assert code == 2
    assert "line 1" in err
    assert "Traceback" not in err


def test_a_case_folder_that_cannot_be_made_is_told_with_the_option_that_helps(tmp_path, capsys):
    """`decide` where the case folder cannot be made names --case."""
    case = contested(tmp_path)
    (tmp_path / "file").write_text("no folder")
    code, _, err = typed(
        capsys, "decide", case.root, BUCKET, "user_secret_key", "--witness", 1, "--because", "x",
        "--case", tmp_path / "file" / "case",
    )  # fmt: skip
    assert code == 2
    assert "--case" in err


def test_a_key_that_nothing_bears_is_answered_with_what_comes_near(tmp_path):
    """A mistyped address is told back, with the address that it may be."""
    case = open_files(tmp_path, evidence())
    with pytest.raises(lf.UnknownKey) as error:
        case.explain("anne@example.org")
    assert "anne@example.org" in error.value.what
    assert EMAIL in error.value.next_step


@pytest.mark.parametrize("key", [NAME.rpartition("-")[2], EMAIL.upper(), BUCKET.upper(), KEY.lower()])
def test_seed_and_other_capitals_name_an_account(tmp_path, key):
    """The bare seed, and an e-mail, bucket or key in other capitals, are keys."""
    assert judged(open_files(tmp_path, evidence()), key).account_id == BUCKET


def test_an_explanation_follows_an_auditors_questions(tmp_path):
    """Bucket, credentials, tokens, customer, furl, identities, and the lost server last."""
    names = [f.name for f in open_files(tmp_path, evidence()).explain(BUCKET).fields]
    asked = [
        "bucket_name",
        "user_secret_key",
        "product_token",
        "customer_email",
        "introducer_furl",
        "server_node_pem",
        "public_host",
    ]
    assert sorted(asked, key=names.index) == asked


def test_the_audit_names_its_case_folder(tmp_path, capsys):
    """Whoever looks for custody and decisions finds the folder in the audit's own words."""
    root = open_files(tmp_path, evidence()).root
    code, out, _ = typed(
        capsys,
        "audit",
        root,
        "-o",
        tmp_path / "m.parquet",
        "--key-file",
        tmp_path / "k" / "key",
        "--case",
        tmp_path / "my.case",
    )
    assert code == 0
    assert f"{tmp_path / 'my.case'}  custody" in out


def test_a_terminal_gets_short_names(tmp_path):
    """On a terminal what would help names a bucket by its two ends; elsewhere it stands whole."""
    from laeforensics.present.cards import card

    case = open_files(tmp_path, {f"secrets/{NAME}": secrets(access_key_id=None, secret_key=None)})
    assert ACCESS_KEY_ID not in card(case.judgement)
    assert max(map(len, card(case.judgement, is_short=True).split())) <= max(map(len, card(case.judgement).split()))
    assert not any(len(word) > 48 for word in card(case.judgement, is_short=True).split("What would help")[1].split())


def test_extract_hears_the_decisions_of_a_named_case(tmp_path, capsys):
    """`extract --case` is known, as the other verbs know it."""
    root = open_files(tmp_path, evidence()).root
    code, _, err = typed(capsys, "extract", root, "-o", tmp_path / "facts.jsonl", "--case", tmp_path / "c")
    assert (code, err) == (0, "")


def test_a_storage_key_is_no_introducers(tmp_path):
    """A decision about one node leaves the other's key alone."""
    case = open_files(tmp_path, {**evidence(), f"signup_logs/{OTHER_NAME}": stranger_record()})
    case.decide(BUCKET, "server_node_pem", witness=1, who="Carol", because="seen")
    assert audit_row(case)["blocking"] == ("contested:introducer_node_pem",)
    assert audit_row(case)["server_nodeid"] in {STORAGE.nodeid, STRANGER.nodeid}


def test_an_explanation_for_machines_names_everything_whole(tmp_path, capsys):
    """`explain --json` is JSON with the bucket's whole name, every field in its order, and no secret."""
    root = open_files(tmp_path, evidence()).root
    code, out, err = typed(capsys, "explain", root, BUCKET, "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["account_id"], told["fields"][0]["name"]) == (BUCKET, "bucket_name")
    assert SECRET_KEY not in out + err
