"""An account is a bucket: its logs, its credentials, its newest server, its proved identities."""

from __future__ import annotations

import json

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    CODE,
    EMAIL,
    FAILURE,
    FURL,
    HOST,
    INSTANCE,
    INTRODUCER,
    KEY,
    LOG_FILE,
    NAME,
    NODE_PRIVKEY,
    OTHER_NODE,
    OTHER_SEED,
    PARTS,
    PRODUCT_TOKEN,
    SECRET_KEY,
    SEED,
    STORAGE,
    as_another,
    audit_row,
    cat,
    codes,
    config,
    deployment,
    evidence,
    furl_of,
    identities_read,
    instance_dump,
    log,
    open_files,
    re_record,
    replacement,
    request,
    result,
    secrets,
    secrets_object,
    settings,
)

NEW_HOST = "192.0.2.9"
REPLACED = f"2012-06-01T080000Z-{OTHER_SEED}"
RE_RECORDED = f"2012-03-20T101702Z-{OTHER_SEED}"


def _new_secrets(**changed):
    """The secrets file of a replacement: the old credentials and keys, the new server."""
    new = {"publichost": NEW_HOST, "privatehost": "ip-10-9-9-9.ec2.internal"}
    new |= {"external_introducer_furl": furl_of(INTRODUCER, NEW_HOST)}
    new |= {"internal_introducer_furl": f"pb://{INTRODUCER.nodeid}@10.9.9.9:12345,127.0.0.1:12345/introducer"}
    return secrets(**{**new, **changed})


def _replaced(data=None, **changed):
    return {
        **evidence(),
        f"signup_logs/{REPLACED}": data or replacement(),
        f"secrets/{REPLACED}": _new_secrets(**changed),
    }


# -- what an account is --------------------------------------------------------------------------------------


def test_each_bucket_is_one_account_once(tmp_path):
    """Origin, replacement, re-record and duplicate of a bucket are one row with four lines of history."""
    files = _replaced() | {f"leastauthority.com/{LOG_FILE}": log(), f"signup_logs/{RE_RECORDED}": re_record()}
    case = open_files(tmp_path, files)
    assert list(case.audit["account_id"]) == [BUCKET]
    roles = sorted(line.partition(" ")[0] for line in audit_row(case)["history"])
    assert roles == ["duplicate", "origin", "re-record", "replacement"]


def test_a_log_without_a_bucket_is_an_attempt(tmp_path):
    """Never handed over, never graded."""
    case = open_files(tmp_path, evidence(log=log(until="poll") + FAILURE.encode(), secrets=b"", servers=b""))
    row = audit_row(case, f"attempt:{SEED}")
    assert (row["verdict"], row["grade"], row["introducer_identity"], row["blocking"]) == ("ABANDONED", None, None, ())
    assert (row["user_access_key_id"], row["log_file"]) == (ACCESS_KEY_ID, LOG_FILE)


def test_an_account_whose_log_is_lost_is_one_all_the_same(tmp_path):
    """Its secrets file stands: credentials and identities are known, and no log is named."""
    row = audit_row(open_files(tmp_path, evidence(log=None)))
    assert (row["verdict"], row["grade"], row["log_file"]) == ("RECOVERABLE", "IDENTITY_KEPT", None)
    assert row["user_secret_key"] == SECRET_KEY


def test_without_the_log_the_customer_is_not_guessed(tmp_path):
    """The csv rows tell a customer who signed up in that second for that product: he, or nobody."""
    two = request() + request(key=KEY[::-1], email="eve@example.org", name="Eve")
    row = audit_row(open_files(tmp_path, evidence(log=None, requests=two, results=None)))
    assert row["customer_email"] is None


# -- S4 ------------------------------------------------------------------------------------------------------

CUSTOMER, SUBSCRIPTION = "mn2xgxinventedcustomer", "on2wexinventedsubscription"
S4_BUCKET = f"lae-{SUBSCRIPTION}-{CUSTOMER}"
FOLDER = f"secrets/INVENTED_plan/2014-06-01T101500Z-{CUSTOMER}-{SUBSCRIPTION}"


def _s4(**changed) -> dict[str, bytes]:
    bucket = (
        ">Creating S3 bucket in 'US East' region...>\nusertoken = None\n"
        f"bucketname = '{S4_BUCKET}'\nlocation = None\naccesskeyid = '{ACCESS_KEY_ID}'\nsecretkey = '{SECRET_KEY}'\n\n"
    )
    data = "entering activate_subscribed_service call.\n>Signing up customer for S4...>\n" + bucket
    data += PARTS["created"] + deployment(S4_BUCKET) + instance_dump(INSTANCE, "2014-06-01T10:17:02.000Z")
    data += "".join(PARTS[part] for part in ("address", "installing", "installed", "running", "settings", "mail"))
    known = secrets_object(bucket_name=S4_BUCKET, server_node_privkey=NODE_PRIVKEY)
    files = {
        "signup_logs": data.encode(),
        "SSEC2": json.dumps({**known, "user_token": None, "product_token": None}).encode(),
        "stripe": json.dumps([EMAIL, "0xABCD", "cus_invented", "plan", "sub_invented"]).encode(),
        **changed,
    }
    return {f"{FOLDER}/{name}": found for name, found in files.items() if found is not None}


def test_an_s4_account_needs_no_tokens(tmp_path):
    """Its bucket holds no product code: product_code, tokens and activation key are None, and nothing is missing."""
    row = audit_row(open_files(tmp_path, _s4()), S4_BUCKET)
    assert (row["verdict"], row["grade"], row["missing"]) == ("RECOVERABLE", "IDENTITY_KEPT", ())
    assert {row[n] for n in ("product_code", "product_token", "user_token", "activation_key")} == {None}
    assert (row["customer_email"], row["customer_keyinfo"]) == (EMAIL, "0xABCD")
    assert row["server_node_privkey"] == NODE_PRIVKEY


@pytest.mark.parametrize("lost", ["", f"{S4_BUCKET}"], ids=["", "its bucket lost"])
def test_an_s4_run_has_no_user_token(lost, tmp_path):
    """A sector of a DevPay log lies in the S4 one, over its end: whose ever the token is, it is not this customer's."""
    files = _s4()
    path = f"{FOLDER}/signup_logs"
    head, _, _ = files[path].partition(b">Finished server installation.>")
    files[path] = (head.replace(b"bucketname = '%b'" % lost.encode(), b"") if lost else head) + PARTS["poll"].encode()
    row = audit_row(open_files(tmp_path, files), S4_BUCKET)
    assert (row["verdict"], row["user_token"]) == ("RECOVERABLE", None)


def test_an_older_servers_key_is_not_told_where_the_newest_relayed_another(tmp_path):
    """The replacement's secrets file is lost: what its log was told by the host says that the key was made anew."""
    path = FOLDER.replace("2014-06-01", "2014-07-01") + "/signup_logs"
    later = replacement(S4_BUCKET).replace(b"2012-06-01", b"2014-07-01")
    anew = cat("storageserver/private/node.privkey", NODE_PRIVKEY.replace("invented", "anew2345"), host="192.0.2.9")
    row = audit_row(open_files(tmp_path, {**_s4(), path: later + anew.encode()}), S4_BUCKET)
    assert (row["public_host"], row["server_node_privkey"]) == ("192.0.2.9", None)


def test_an_s4_log_lost_is_an_account_all_the_same(tmp_path):
    """The folder's secrets and stripe files tell account and customer."""
    row = audit_row(open_files(tmp_path, _s4(signup_logs=None)), S4_BUCKET)
    assert (row["verdict"], row["user_secret_key"]) == ("RECOVERABLE", SECRET_KEY)


def test_s4_accounts_may_share_their_access_key(tmp_path):
    """The key is the provider's own: two accounts with the same key are two accounts."""
    keys = (ACCESS_KEY_ID, SECRET_KEY)
    other = {}
    for name, data in _s4().items():
        for number, key in enumerate(keys):
            data = data.replace(key.encode(), b"<%d>" % number)
        data = as_another(data.replace(CUSTOMER.encode(), b"mn2xgxanothercustomer"))
        for number, key in enumerate(keys):
            data = data.replace(b"<%d>" % number, key.encode())
        other[name.replace(CUSTOMER, "mn2xgxanothercustomer")] = data
    case = open_files(tmp_path, {**_s4(), **other})
    assert list(case.audit["verdict"]) == ["RECOVERABLE", "RECOVERABLE"]
    assert codes(case) == set()


def test_an_s4_bucket_that_could_not_be_made_is_no_account(tmp_path):
    """The failure was printed and swallowed, and the program went on to the end: there is no such bucket."""
    failed = _s4()[f"{FOLDER}/signup_logs"].replace(
        b">S3 bucket created.>\n''\n", b">S3 bucket creation failed.>\n[Failure instance: Traceback: Error\n]\n"
    )
    case = open_files(tmp_path, _s4(signup_logs=failed, SSEC2=b""))
    assert list(case.audit["verdict"]) == ["ABANDONED"]
    assert "bucket-failed" in codes(case)


# -- replacements --------------------------------------------------------------------------------------------


def test_credentials_come_from_the_origin_and_the_server_from_the_newest(tmp_path):
    """A replacement gives instance, address and furl; who the customer is stays what the signup told."""
    row = audit_row(open_files(tmp_path, _replaced()))
    assert (row["instance_id"], row["public_host"]) == ("i-00000009", NEW_HOST)
    assert (row["user_secret_key"], row["activation_key"], row["customer_name"]) == (SECRET_KEY, KEY, "Ann")
    assert row["introducer_furl"] == furl_of(INTRODUCER, NEW_HOST)
    assert (row["verdict"], row["grade"], row["log_file"]) == ("RECOVERABLE", "IDENTITY_KEPT", LOG_FILE)


def test_a_throw_away_furl_is_told_and_not_taken(tmp_path):
    """A replacement printed the furl of an identity that nobody ever had again.

    The furl of the proved certificate counts.
    """
    throw_away = furl_of(OTHER_NODE, NEW_HOST)
    files = _replaced(replacement(furl=throw_away), external_introducer_furl=throw_away)
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert row["introducer_furl"] == FURL
    assert (row["introducer_identity"], row["grade"], row["verdict"]) == ("PROVED", "IDENTITY_KEPT", "RECOVERABLE")
    assert "throw-away-furl" in codes(case, "introducer_furl")
    assert row["public_host"] == NEW_HOST


def test_a_failed_replacement_changes_nothing(tmp_path):
    """The newest finished server is the old one; the failed run is history."""
    failed = replacement().partition(b">Restoring")[0] + FAILURE.encode()
    files = {**evidence(), f"signup_logs/{REPLACED}": failed, f"secrets/{REPLACED}": b""}
    row = audit_row(open_files(tmp_path, files))
    assert (row["instance_id"], row["public_host"], row["introducer_furl"]) == (INSTANCE, HOST, FURL)
    assert any("replacement" in line and "failed" in line for line in row["history"])


def test_a_replacement_of_another_customer_is_left_out(tmp_path):
    """A log that names this bucket, but another customer, is a stranger in it; its server may be the later one."""
    files = {**evidence(), f"signup_logs/{REPLACED}": replacement(email="eve@example.org")}
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["instance_id"], row["customer_email"], row["verdict"]) == (None, EMAIL, "RECOVERABLE")
    assert "stranger-in-bucket" in codes(case)
    assert any(line.startswith("left out") for line in row["history"])


# -- re-records ----------------------------------------------------------------------------------------------


def test_a_re_record_fills_gaps(tmp_path):
    """Without a secrets file the node keys that were read back from the server are taken: the access keys agree."""
    files = evidence(secrets=None) | {f"signup_logs/{RE_RECORDED}": re_record()}
    row = audit_row(open_files(tmp_path, files))
    assert (row["storage_identity"], row["server_node_pem"]) == ("PROVED", STORAGE.pem)


def test_a_re_record_without_an_access_key_to_compare_is_left_out(tmp_path):
    """A re-record never takes over a bucket by itself: where the signup's own key is lost, nothing ties the two."""
    files = evidence(log=log("credentials"), secrets=None) | {f"signup_logs/{RE_RECORDED}": re_record()}
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["verdict"], row["user_access_key_id"], row["server_node_pem"]) == ("INCOMPLETE", None, None)
    assert "stranger-in-bucket" in codes(case)


def test_a_re_record_with_another_access_key_is_a_stranger(tmp_path):
    """A bucket's name in a tahoe.cfg alone takes over nothing."""
    forged = re_record(access_key_id="AKIASTRANGERKEYID567")
    case = open_files(tmp_path, evidence(secrets=None) | {f"signup_logs/{RE_RECORDED}": forged})
    row = audit_row(case)
    assert (row["user_access_key_id"], row["server_node_pem"]) == (ACCESS_KEY_ID, None)
    assert "stranger-in-bucket" in codes(case)


def test_a_key_with_another_s_head_is_contested_by_what_was_read_out(tmp_path):
    """Secret key and token are the same: that is no other customer, and nothing tells which of two prints is right."""
    odd = f"AKIA{ACCESS_KEY_ID[4:12][::-1]}{ACCESS_KEY_ID[12:]}"
    told = log(credentials=PARTS["credentials"].replace(ACCESS_KEY_ID, odd))
    files = evidence(log=told, secrets=None) | {f"signup_logs/{RE_RECORDED}": re_record()}
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["verdict"], row["user_access_key_id"]) == ("CONTESTED", None)
    both = open_files(tmp_path / "both", files | {f"secrets/{NAME}": secrets(access_key_id=odd)})
    assert (audit_row(both)["verdict"], audit_row(both)["user_access_key_id"]) == ("RECOVERABLE", odd)


def test_a_later_file_that_tells_of_no_server_makes_none_the_newest(tmp_path):
    """It hides no server that came between: the first one is told no more."""
    of_nobody = dict.fromkeys(("publichost", "privatehost", "external_introducer_furl", "internal_introducer_furl"))
    files = evidence(servers=None) | {
        f"signup_logs/{REPLACED}": replacement(),
        f"secrets/{REPLACED}": _new_secrets(access_key_id=ACCESS_KEY_ID[::-1], secret_key=SECRET_KEY[::-1]),
        f"secrets/2012-09-01T080000Z-{OTHER_SEED[::-1]}": secrets(**of_nobody),
    }
    assert audit_row(open_files(tmp_path, files))["public_host"] != HOST


# -- identities ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "introducer", "storage", "grade"),
    [
        ({}, "PROVED", "PROVED", "IDENTITY_KEPT"),
        ({"introducer_node_pem": None}, "ABSENT", "PROVED", "NEW_FURL"),
        ({"introducer_node_pem": None, "introducer_nodeid": None}, "ABSENT", "PROVED", "NEW_FURL"),
        ({"server_node_pem": None}, "PROVED", "ABSENT", "NEW_STORAGE_IDENTITY"),
        ({"server_nodeid": None}, "PROVED", "STATED", "NEW_STORAGE_IDENTITY"),
        (
            {"introducer_node_pem": STORAGE.pem, "server_node_pem": INTRODUCER.pem},
            "BROKEN",
            "BROKEN",
            "NEW_STORAGE_IDENTITY",
        ),
    ],
)
def test_each_node_is_judged_for_itself(changed, introducer, storage, grade, tmp_path):
    """PROVED, STATED, BROKEN or ABSENT for introducer and storage node separately; the grade follows."""
    row = audit_row(open_files(tmp_path, evidence(secrets=secrets(**changed))))
    assert (row["introducer_identity"], row["storage_identity"], row["grade"]) == (introducer, storage, grade)
    assert row["verdict"] == "RECOVERABLE"


@pytest.mark.parametrize("pem", ["introducer_node_pem", "server_node_pem"])
def test_beside_a_stranger_s_key_no_key_is_sure(pem, tmp_path):
    """A sector of another customer's file may have brought the other key, too, with its node id: a human decides."""
    row = audit_row(open_files(tmp_path, evidence(secrets=secrets(**{pem: OTHER_NODE.pem}))))
    other = {"introducer_node_pem", "server_node_pem"} - {pem}
    assert row["verdict"] == "CONTESTED"
    assert row["blocking"] == tuple(f"contested:{name}" for name in other)
    assert (row["introducer_node_pem"], row["server_node_pem"]) == (None, None)


def test_a_broken_key_is_never_handed_over(tmp_path):
    """A node.pem that does not fit is a finding, not a value."""
    case = open_files(tmp_path, evidence(secrets=secrets(server_node_pem=OTHER_NODE.pem)))
    assert audit_row(case)["server_node_pem"] is None
    assert "broken-identity" in codes(case, "server_node_pem")


def test_identities_can_be_read_from_the_log_alone(tmp_path):
    """Line by line from what the host printed, if certificate, node id and printed furl fit each other."""
    told = log(running=identities_read() + PARTS["running"])
    row = audit_row(open_files(tmp_path, evidence(log=told, secrets=None)))
    assert (row["introducer_identity"], row["storage_identity"], row["grade"]) == ("PROVED", "PROVED", "IDENTITY_KEPT")
    assert (row["introducer_node_pem"], row["server_node_pem"]) == (INTRODUCER.pem, STORAGE.pem)


def test_a_relayed_storage_key_without_its_node_id_is_not_taken(tmp_path):
    """Nothing vouches for a certificate that a host alone printed."""
    told = log(running=cat("storageserver/private/node.pem", *STORAGE.pem.split("\n")) + PARTS["running"])
    row = audit_row(open_files(tmp_path, evidence(log=told, secrets=None)))
    assert (row["server_node_pem"], row["storage_identity"]) == (None, "ABSENT")


def test_a_furl_without_its_key_is_told(tmp_path):
    """The customer will need a new furl, unless the key is found."""
    case = open_files(tmp_path, evidence(secrets=None))
    assert audit_row(case)["introducer_furl"] == FURL
    assert "furl-without-key" in codes(case, "introducer_furl")


def test_a_contested_furl_is_nobodys(tmp_path):
    """Log and secrets file tell different swissnums of the proved TubID: a human decides."""
    other = settings(FURL.replace("/introducer", "/" + "a" * 32))
    row = audit_row(open_files(tmp_path, evidence(log=log(settings=other))))
    assert (row["introducer_furl"], row["verdict"]) == (None, "CONTESTED")


# -- what is required ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(
            "user_access_key_id",
            f"access_key_id = '{ACCESS_KEY_ID}'\n",
        ),
        ("user_secret_key", f"secret_key = '{SECRET_KEY}'\n"),
        ("user_token", f"usertoken = '{secrets_object()['user_token']}'\n"),
    ],
)
def test_without_a_required_field_an_account_is_incomplete(name, text, tmp_path):
    """The field is named under `missing` and under `blocking`."""
    files = evidence(log=log().replace(text.encode(), b"\0" * (len(text) - 1) + b"\n"), secrets=None)
    row = audit_row(open_files(tmp_path, files))
    assert (row["verdict"], row["missing"], row["blocking"]) == ("INCOMPLETE", (name,), (f"missing:{name}",))


def test_without_a_product_token_an_account_is_incomplete(tmp_path):
    """No config and no secrets file: the storage of a DevPay customer would not open."""
    row = audit_row(open_files(tmp_path, evidence(secrets=None, config=None)))
    assert (row["verdict"], row["missing"]) == ("INCOMPLETE", ("product_token",))


def test_without_an_address_an_account_is_recoverable(tmp_path):
    """The staff are told instead; a customer's name never blocks either."""
    silent = log("mail", deployment=PARTS["deployment"].partition("instance_name")[0])
    case = open_files(tmp_path, evidence(log=silent, requests=None, results=None))
    row = audit_row(case)
    assert (row["verdict"], row["customer_email"], row["customer_name"]) == ("RECOVERABLE", None, None)
    assert "missing-email" in codes(case)


def test_the_lost_servers_history_is_never_contested(tmp_path):
    """AMI, size and addresses of the lost server decide nothing."""
    case = open_files(tmp_path, evidence(secrets=secrets(privatehost="ip-10-8-8-8.ec2.internal"), servers=b""))
    assert audit_row(case)["verdict"] == "RECOVERABLE"
    other = log(instance=instance_dump().replace("ami-0a1b2c3d", "ami-99999999"))
    assert audit_row(open_files(tmp_path / "ami", evidence(log=other)))["verdict"] == "RECOVERABLE"


def test_a_failed_mail_leaves_a_recoverable_account(tmp_path):
    """A failure row does not mean that there is no account: the server was ready."""
    files = evidence(log=log("mail") + FAILURE.encode(), results=result("failure"))
    assert audit_row(open_files(tmp_path, files))["verdict"] == "RECOVERABLE"


def test_names_do_not_matter_to_the_folder(tmp_path):
    """The same evidence in the older place gives the same account."""
    old = {
        f"leastauthority.com/{path}" if path.startswith(("signup", "sec")) else path: data
        for path, data in evidence().items()
    }
    row, plain = audit_row(open_files(tmp_path / "old", old)), audit_row(open_files(tmp_path / "new", evidence()))
    different = {name for name in row if row[name] != plain[name]}
    assert different == {"log_file", "history"}
    assert NAME in row["log_file"]


# -- whether a server was ever ready ---------------------------------------------------------------------------


def test_a_failure_that_lines_missing_part_from_its_run_keeps_the_server_unready(tmp_path):
    """Its launch time is lost, so that nothing ties the failure to the run: it is not taken for a finished one."""
    failed = log(until="installing") + FAILURE.encode()
    lost = b"".join(line for line in failed.splitlines(keepends=True) if b"launch_time" not in line)
    for told in (failed, lost):
        case = open_files(tmp_path / str(len(told)), evidence(log=told, secrets=None, servers=None, results=None))
        assert audit_row(case)["verdict"] == "UNFINISHED"


def test_an_empty_secrets_file_of_the_buckets_seed_is_the_runs_whatever_the_log_is_called(tmp_path):
    """The log's name was overwritten: 0 bytes that bear its bucket's seed say that the run never came to its end."""
    files = evidence(log=log(until="address"), secrets=b"", servers=None, results=None)
    renamed = LOG_FILE.replace("inventedseed", "inventedsead", 1)
    case = open_files(tmp_path, {**{k: v for k, v in files.items() if k != LOG_FILE}, renamed: files[LOG_FILE]})
    assert audit_row(case)["verdict"] == "UNFINISHED"


# -- what a re-record and the configuration say ------------------------------------------------------------------


def test_two_voices_of_the_accounts_own_token_outvote_the_configuration(tmp_path):
    """Two secrets files tell it; of one alone and the configuration neither is sure."""
    other = {
        "full_name": "An invented product",
        "product_code": CODE,
        "product_token": "{ProductToken}AAAGQXBwVGtuANOTHERTOKEN==",
    }
    offered = {"lae_automation_config.json": config(other)}
    files = _replaced() | offered
    assert audit_row(open_files(tmp_path / "two", files))["product_token"] == PRODUCT_TOKEN
    files.pop(f"secrets/{REPLACED}")
    assert audit_row(open_files(tmp_path / "one", files))["verdict"] == "CONTESTED"
