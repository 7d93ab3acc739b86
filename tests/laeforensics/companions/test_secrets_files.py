"""Secrets files of every generation, whole or damaged: what is whole is read, the damage is named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    EMAIL,
    FURL,
    HOST,
    INSTANCE,
    INTRODUCER,
    NAME,
    NODE_PRIVKEY,
    OTHER_NAME,
    OTHER_NODE,
    OTHER_SEED,
    SECRET_KEY,
    STORAGE,
    as_another,
    audit_row,
    codes,
    config,
    evidence,
    furl_of,
    hear_secrets,
    log,
    open_files,
    secrets,
    secrets_object,
    signup_row,
)

from laeforensics.companions.secrets_files import read_secrets, read_stripe
from laeforensics.facts.channels import OWN, SITE

WHOLE = read_secrets(secrets(), "secrets")


def _pairs(file):
    return {(f.field, f.value) for f in file.facts if f.channel == OWN}


def test_every_value_is_the_programs_own_record():
    """A filled file tells the account's credentials, server, furl and identities."""
    assert WHOLE.filled
    assert WHOLE.problem is None
    assert WHOLE.rejected == []
    assert {f.channel for f in WHOLE.facts} == {OWN}
    assert {("user_secret_key", SECRET_KEY), ("introducer_furl", FURL)} <= _pairs(WHOLE)
    assert len(WHOLE.facts) == len(secrets_object())


def test_a_place_is_that_of_the_text_between_the_quotes():
    """Each fact's locator leads to the JSON string that was read."""
    data = secrets()
    for f in WHOLE.facts:
        there = data[f.locator.start : f.locator.end].decode()
        assert json.loads(f'"{there}"') == f.value


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        ({"publichost": None, "public_host": HOST}, "public_host", HOST),
        ({"privatehost": None, "private_host": "ip-10-1-2-3.ec2.internal"}, "private_host", "ip-10-1-2-3.ec2.internal"),
        ({"server_node_privkey": NODE_PRIVKEY}, "server_node_privkey", NODE_PRIVKEY),
        ({"server_node_pem": STORAGE.pem + "\n"}, "server_node_pem", STORAGE.pem),
    ],
)
def test_each_generation_of_keys_is_read(changed, field, value):
    """The keys were renamed in 2012, and one was added in 2013; a final newline of a node.pem means nothing."""
    assert hear_secrets(secrets(**changed)).value(field) == value


@pytest.mark.parametrize(
    "join", [str.upper, lambda key: key.replace("_", ""), lambda key: key.title().replace("_", "")]
)
def test_a_key_is_known_however_its_words_are_joined(join):
    """A program that read the file may have written it again by its own habits."""
    again = read_secrets(json.dumps({join(key): value for key, value in secrets_object().items()}).encode(), "secrets")
    assert (_pairs(again), again.problem) == (_pairs(WHOLE), None)


def test_a_token_that_was_wrapped_in_a_mail_is_whole():
    """Its lines are as wide as each other; a single line break may be damage."""
    whole = secrets_object()["user_token"].replace("INVENTED", "INVENTED" * 20)
    wrapped = "\n".join(whole[at : at + 76] for at in range(0, len(whole), 76))
    assert ("user_token", whole) in _pairs(read_secrets(secrets(user_token=wrapped), "secrets"))
    assert read_secrets(secrets(user_token=f"{whole[:90]}\n{whole[91:]}"), "secrets").rejected


@pytest.mark.parametrize("is_escaped", [True, False])
def test_a_value_that_was_copied_out_of_a_page_is_the_same(is_escaped):
    """Blanks that nobody sees came along, escaped in the JSON or in bytes."""
    told = {key: f"\u00a0{value[:9]}\u200b{value[9:]}\u200b\u00a0" for key, value in secrets_object().items()}
    again = read_secrets(json.dumps(told, ensure_ascii=is_escaped).encode(), "secrets")
    assert (_pairs(again), again.rejected) == (_pairs(WHOLE), [])


def test_null_is_no_value():
    """An S4 file has no tokens: they are neither facts nor damage."""
    data = json.dumps({**secrets_object(), "user_token": None, "product_token": None}).encode()
    told = hear_secrets(data)
    assert (told.value("user_token"), told.value("product_token"), told.rejected) == (None, None, set())


def test_an_unknown_key_is_passed_over():
    """Later programs may have added a key; what is known is read all the same."""
    assert _pairs(read_secrets(secrets(added_later="INVENTED"), "secrets")) == _pairs(WHOLE)


def test_a_file_of_0_bytes_is_a_run_that_never_came_to_its_end():
    """The file is made at the start, and filled near the end of bounce_server."""
    file = read_secrets(b"", "secrets")
    assert (file.filled, file.facts) == (False, [])
    assert file.problem is not None
    assert "0 bytes" in file.problem


@pytest.mark.parametrize("data", [b"\0" * 50, b"null", b"[]", b'"text"', b"\xff\xfe", b"secrets"])
def test_what_is_no_object_says_nothing(data):
    """No facts, not filled, and the problem is told."""
    file = read_secrets(data, "secrets")
    assert (file.filled, file.facts) == (False, [])
    assert file.problem


@settings(deadline=None, max_examples=60)
@given(st.integers(1, len(secrets()) - 3))
def test_a_file_that_is_cut_keeps_what_is_whole(at):
    """Cut at any byte: what is read was in the whole file, and the damage is named with its place."""
    file = read_secrets(secrets()[:at], "secrets")
    assert _pairs(file) <= _pairs(WHOLE)
    assert file.problem is not None


@pytest.mark.parametrize("change", [lambda d: d * 2, lambda d: d + b"\0" * 100, lambda d: d + d[:0] + b"\n\n"])
def test_the_same_object_twice_or_a_tail_of_nuls_loses_nothing(change):
    """A file that was doubled says the same."""
    file = read_secrets(change(secrets()), "secrets")
    assert (_pairs(file), file.problem) == (_pairs(WHOLE), None)


def test_two_objects_that_differ_say_nothing():
    """Which of the two is the file's is nothing that a reader can know."""
    file = read_secrets(secrets() + secrets(secret_key=SECRET_KEY[::-1]), "secrets")
    assert file.facts == []
    assert file.problem == "several JSON objects that differ"


@pytest.mark.parametrize(
    "objects",
    [
        [secrets(), as_another(secrets())],
        [as_another(secrets()), secrets()],
        [as_another(secrets()), secrets(), secrets(), as_another(secrets())],
    ],
)
def test_of_several_whole_objects_the_one_of_the_files_seed_counts(tmp_path, objects):
    """In any order: each was written as one, so the account of the file's name is known whole, and nothing else is."""
    case = open_files(tmp_path, {f"secrets/{NAME}": b"".join(objects), "lae_automation_config.json": config()})
    (row,) = case.audit.to_dict("records")
    assert (row["account_id"], row["verdict"]) == (BUCKET, "RECOVERABLE")
    assert (row["user_secret_key"].reveal(), row["public_host"]) == (SECRET_KEY, HOST)
    assert "damaged-secrets" in codes(case)


@pytest.mark.parametrize(
    "objects",
    [
        [secrets(), secrets(secret_key=SECRET_KEY[::-1])],
        [as_another(secrets()), secrets(access_key_id=None)],
    ],
)
def test_of_several_objects_none_counts_that_has_a_rival_or_lacks_a_key(tmp_path, objects):
    """Two of one bucket that differ, or one without its access key: no account is made whole of them."""
    case = open_files(tmp_path, {f"secrets/{NAME}": b"".join(objects), "lae_automation_config.json": config()})
    assert [row["verdict"] for row in case.audit.to_dict("records") if row["verdict"] == "RECOVERABLE"] == []


@pytest.mark.parametrize(
    ("when", "host"), [("2012-06-01", "192.0.2.9"), ("2012-06-01", HOST), ("2012-01-01", "192.0.2.9")]
)
def test_of_a_later_server_in_an_object_that_nobody_hears_nothing_is_told_of_servers(tmp_path, when, host):
    """A replacement's file with another's behind it: its server may be the one that counts; an older one may not."""
    replaced = secrets(publichost=host, external_introducer_furl=furl_of(INTRODUCER, host))
    beside = {f"secrets/{when}T100000Z-{'r' * 32}": replaced + as_another(secrets())}
    row = audit_row(open_files(tmp_path, {**evidence(), **beside}))
    is_later = when > NAME and host != HOST
    assert (row["public_host"], row["instance_id"]) == ((None, None) if is_later else (HOST, INSTANCE))
    assert row["user_secret_key"] == SECRET_KEY


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("secret_key", SECRET_KEY[:-1]),
        ("access_key_id", "AKIA"),
        ("bucket_name", BUCKET[:-1]),
        ("publichost", "192.0.2"),
        ("privatehost", "ip-10-1-2-3ec2.internal"),
        ("external_introducer_furl", FURL[5:]),
        ("introducer_nodeid", INTRODUCER.nodeid[:-1]),
        ("server_node_pem", STORAGE.pem.replace("-----END CERTIFICATE-----\n", "")),
    ],
)
def test_a_value_that_cannot_be_right_is_rejected_with_its_place(key, value):
    """A value that a hole made shorter does not fit its shape."""
    told = hear_secrets(secrets(**{key: value}))
    whole = {f.rule: f.field for f in WHOLE.facts}
    field = whole[f"secrets {key}"]
    assert told.value(field) is None
    assert field in told.rejected


def test_two_hosts_in_each_others_place_are_neither():
    """The external furl beside them tells which is the public one."""
    inner = json.loads(secrets())["privatehost"]
    told = hear_secrets(secrets(publichost=inner, privatehost=HOST))
    assert (told.value("public_host"), told.value("private_host")) == (None, None)
    assert told.value("introducer_furl") == FURL


def test_one_host_for_both_contradicts_nothing():
    """A server may be known by its public address alone."""
    told = hear_secrets(secrets(privatehost=HOST))
    assert (told.value("public_host"), told.value("private_host")) == (HOST, HOST)


def test_a_key_that_does_not_fit_its_certificate_is_not_the_programs_word():
    """A node.pem with another's private key is damage: it never counts as a witness."""
    pem = STORAGE.pem.partition("-----BEGIN RSA")[0] + "-----BEGIN RSA" + OTHER_NODE.pem.partition("-----BEGIN RSA")[2]
    assert hear_secrets(secrets(server_node_pem=pem)).value("server_node_pem") is None


def test_swapped_node_pems_are_both_doubted():
    """Each certificate is that of the other node: neither is sure, nor is what was written beside them."""
    told = hear_secrets(secrets(introducer_node_pem=STORAGE.pem, server_node_pem=INTRODUCER.pem))
    assert (told.value("introducer_node_pem"), told.value("server_node_pem")) == (None, None)
    assert (told.value("introducer_nodeid"), told.value("server_nodeid")) == (None, None)
    assert told.rejected == {"introducer_node_pem", "server_node_pem", "server_nodeid"}


def test_a_file_with_two_values_for_a_key_has_none():
    """Duplicate keys in one object contradict each other."""
    data = secrets().replace(b"{", b'{"secret_key": "' + SECRET_KEY[::-1].encode() + b'", ', 1)
    assert hear_secrets(data).value("user_secret_key") is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_a_crash(data):
    """Whatever the file holds, there is an answer."""
    file = read_secrets(data, "secrets")
    assert file.filled == bool(file.facts)
    read_stripe(data, "stripe")


# -- the stripe file -----------------------------------------------------------------------------------------


def test_the_stripe_file_knows_the_customer():
    """E-mail and PGP information, believed as the site is."""
    data = json.dumps([EMAIL, "0xABCD", "cus_invented", "plan", "sub_invented"]).encode()
    file = read_stripe(data, "stripe")
    assert [(f.field, f.value, f.channel) for f in file.facts] == [
        ("customer_email", EMAIL, SITE),
        ("customer_keyinfo", "0xABCD", SITE),
    ]
    assert [data[f.locator.start : f.locator.end].decode() for f in file.facts] == [EMAIL, "0xABCD"]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'["one"]', b"[1, 2]", b'["a@example.org", null]', b"\xff"])
def test_another_shape_is_no_stripe_file(data):
    """It says what is wrong, and nothing else."""
    file = read_stripe(data, "stripe")
    assert file.facts == []
    assert file.problem


# -- under the wrong name ------------------------------------------------------------------------------------


def test_a_secrets_file_under_another_logs_name_is_not_that_logs(tmp_path):
    """Another's secrets under this log's name are not used for it, and the finding says so."""
    stranger = secrets(
        bucket_name=f"lae-abcd0123-{OTHER_SEED}", access_key_id="AKIASTRANGERKEYID234", secret_key=SECRET_KEY[::-1]
    )
    case = open_files(tmp_path, evidence(secrets=stranger))
    row = signup_row(case)
    assert (row["bucket_name"], row["user_secret_key"]) == (BUCKET, SECRET_KEY)
    assert row["server_node_pem"] is None
    assert "misnamed-secrets" in codes(case)


def test_a_secrets_file_under_a_name_of_its_own_is_found_by_its_bucket(tmp_path):
    """The file of this bucket, renamed: it is used, and the finding says how it was found."""
    files = evidence(secrets=None)
    files[f"secrets/{OTHER_NAME}"] = secrets()
    case = open_files(tmp_path, files)
    assert signup_row(case)["server_node_pem"] == STORAGE.pem
    assert "misnamed-secrets" in codes(case)
    assert len(case.audit) == 1


def test_a_failed_run_cannot_have_filled_its_secrets_file(tmp_path):
    """A log that failed at the activation, renamed to the name of a finished one, gets nothing of it."""
    failed = log(until="activation") + b"[Failure instance: Traceback: <class 'twisted.web.error.Error'>: 400 Bad\n]\n"
    failed = failed.replace(b"AINVENTEDKEY", b"AOTHEROTHERK")
    files = evidence(log=failed, requests=None, results=None, servers=None)
    row = signup_row(open_files(tmp_path, files))
    assert (row["bucket_name"], row["user_secret_key"], row["user_token"]) == (None, None, None)


def test_a_secrets_file_may_tell_that_there_is_no_second_key():
    """`server_node_privkey` is empty where the node had none: that is no damage; an empty secret key is."""
    told = read_secrets(secrets(server_node_privkey=""), "secrets/x")
    assert (told.filled, told.problem, told.rejected) == (True, None, [])
    assert [name for name, _ in read_secrets(secrets(secret_key=""), "secrets/x").rejected] == ["user_secret_key"]


def test_a_value_that_a_false_quote_ends_is_not_believed():
    """What stands behind it is no JSON; a file that is cut behind a whole value keeps that value."""
    data = secrets()
    at = data.index(BUCKET.encode()) + 20
    broken = hear_secrets(data[:at] + b'"' + data[at + 1 :])
    assert (broken.value("bucket_name"), broken.file.problem) == (None, f"damaged at byte {at + 1}")
    cut = hear_secrets(data[: data.index(BUCKET.encode()) + len(BUCKET) + 1])
    assert cut.value("bucket_name") == BUCKET
    end = data.index(SECRET_KEY.encode()) + len(SECRET_KEY)
    hole = hear_secrets(data[: end + 1] + b"x" + data[end + 2 :])
    assert (hole.value("user_secret_key"), hole.value("user_access_key_id")) == (None, ACCESS_KEY_ID)
