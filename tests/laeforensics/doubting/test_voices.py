"""Whose word counts: a file is one voice against another kind of file, however often it repeats itself."""

from __future__ import annotations

import json
import re

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    EMAIL,
    HOST,
    KEY,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    OTHER_NODE,
    OTHER_SEED,
    PRODUCT_TOKEN,
    SECRET_KEY,
    SEED,
    STORAGE,
    USER_TOKEN,
    as_another,
    audit_row,
    config,
    evidence,
    log,
    open_files,
    re_record,
    replacement,
    secrets,
)

from evidence_writer.certificates import NodeIdentity

OTHER_BUCKET = BUCKET.replace(SEED, OTHER_SEED)
OTHER_LOG, OTHER_SECRETS = f"signup_logs/{OTHER_NAME}", f"secrets/{OTHER_NAME}"
OTHERS_TOKEN = USER_TOKEN.replace("INVENTED", "ANOTHERS")
LOST = {ACCESS_KEY_ID: "AKIASOMEBODYSLOSTKEY", SECRET_KEY: SECRET_KEY[20:] + SECRET_KEY[:20]}


BOBS = json.loads(as_another(secrets()))


def node(storage: NodeIdentity) -> dict[str, str]:
    return {"server_node_pem": storage.pem, "server_nodeid": storage.nodeid}


def two_customers(**changed: bytes) -> dict[str, bytes]:
    """The files of two sound customers."""
    files = evidence(requests=None, results=None, servers=None)
    other = {path.replace(NAME, OTHER_NAME): as_another(data) for path, data in files.items() if SEED in path}
    return {**files, **other, **changed}


def swapped(data: bytes, values: dict[str, str]) -> bytes:
    for old, new in values.items():
        assert old.encode() in data
        data = data.replace(old.encode(), new.encode())
    return data


@pytest.mark.parametrize("value", [ACCESS_KEY_ID, SECRET_KEY], ids=["access key", "secret key"])
def test_a_log_with_another_s_key_asserts_nothing_against_its_secrets_file(value, tmp_path):
    """Each log has the key of the customer before, the first one that of a customer whose files are lost."""
    files = two_customers()
    files[LOG_FILE] = swapped(files[LOG_FILE], {value: LOST[value]})
    files[OTHER_LOG] = swapped(files[OTHER_LOG], {value[::-1]: value})
    rows = [audit_row(open_files(tmp_path, files), account) for account in (BUCKET, OTHER_BUCKET)]
    assert [row["verdict"] for row in rows] == ["CONTESTED", "CONTESTED"]
    field = "user_access_key_id" if value == ACCESS_KEY_ID else "user_secret_key"
    assert [row[field] for row in rows] == [None, None]


def test_where_both_files_of_a_customer_tell_a_key_it_is_foreign_with_another(tmp_path):
    """Two voices against none: no question."""
    files = two_customers()
    files[OTHER_LOG] = swapped(files[OTHER_LOG], {ACCESS_KEY_ID[::-1]: ACCESS_KEY_ID})
    rows = [audit_row(open_files(tmp_path, files), account) for account in (BUCKET, OTHER_BUCKET)]
    assert [row["user_access_key_id"] for row in rows] == [ACCESS_KEY_ID, ACCESS_KEY_ID[::-1]]


def test_two_logs_with_each_other_s_token_in_all_prints_do_not_outvote_their_secrets_files(tmp_path):
    """Nothing tells whether the logs were changed, or the secrets files."""
    files = two_customers()
    for path, old, new in ((LOG_FILE, USER_TOKEN, OTHERS_TOKEN), (OTHER_LOG, OTHERS_TOKEN, USER_TOKEN)):
        files[path] = swapped(files[path], {old: new})
    rows = [audit_row(open_files(tmp_path, files), account) for account in (BUCKET, OTHER_BUCKET)]
    assert [(row["verdict"], row["user_token"]) for row in rows] == [("CONTESTED", None)] * 2


def test_keys_that_win_were_told_together(tmp_path):
    """Another account shows the log's access key to be foreign, and the secrets file's secret key: no pair is left."""
    log_s, theirs = {ACCESS_KEY_ID: LOST[ACCESS_KEY_ID]}, {ACCESS_KEY_ID[::-1]: LOST[ACCESS_KEY_ID]}
    files = two_customers()
    files[LOG_FILE] = swapped(files[LOG_FILE], {**log_s, SECRET_KEY: LOST[SECRET_KEY]})
    for path in (OTHER_LOG, OTHER_SECRETS):
        files[path] = swapped(files[path], {**theirs, SECRET_KEY[::-1]: SECRET_KEY})
    row = audit_row(open_files(tmp_path, files))
    assert (row["verdict"], row["user_access_key_id"], row["user_secret_key"]) == ("CONTESTED", None, None)


@pytest.mark.parametrize(
    "token",
    [USER_TOKEN.replace("gINV", "glNV"), USER_TOKEN[:-4] + "=="],
    ids=["misread", "cut"],
)
def test_what_is_done_to_a_whole_log_outvotes_no_secrets_file(token, tmp_path):
    """A letter taken for its like wherever the token stands, or its end cut off there."""
    row = audit_row(open_files(tmp_path, evidence(log=swapped(log(), {USER_TOKEN: token}))))
    assert (row["verdict"], row["user_token"]) == ("CONTESTED", None)


def test_a_letter_overwritten_in_one_place_is_outvoted_by_the_prints_of_a_log(tmp_path):
    """No sector and no flipped bit changes all prints alike."""
    row = audit_row(open_files(tmp_path, evidence(secrets=secrets(user_token=USER_TOKEN.replace("INV", "IFV")))))
    assert (row["verdict"], row["user_token"]) == ("RECOVERABLE", USER_TOKEN)


def test_a_replacement_s_secrets_file_is_a_copy_of_the_first(tmp_path):
    """Both tell a product token that the configuration does not: one voice against one."""
    other = PRODUCT_TOKEN[:-4] + "=="
    files = evidence(secrets=secrets(product_token=other), config=config())
    files |= {OTHER_LOG: replacement(), OTHER_SECRETS: secrets(product_token=other, publichost="192.0.2.9")}
    files[OTHER_SECRETS] = swapped(files[OTHER_SECRETS], {"@192.0.2.1:": "@192.0.2.9:"})
    row = audit_row(open_files(tmp_path, files))
    assert (row["verdict"], row["product_token"]) == ("CONTESTED", None)


def test_a_secrets_file_made_of_another_customer_s_shows_no_server_of_his(tmp_path):
    """His bucket was put into it: its keys and its server are others than the log's, so neither server is sure."""
    donor = swapped(as_another(secrets()), {OTHER_SEED: SEED})
    row = audit_row(open_files(tmp_path, evidence(secrets=donor, servers=None)))
    assert (row["verdict"], row["user_access_key_id"]) == ("CONTESTED", None)
    told = ("public_host", "instance_id", "introducer_furl", "introducer_node_pem", "server_node_pem")
    assert [row[name] for name in told] == [None] * len(told)


def test_a_file_left_out_for_its_key_still_contests_the_product_token(tmp_path):
    """It names the bucket, so its product is this one, whoever's its key is."""
    other = swapped(secrets(), {PRODUCT_TOKEN: PRODUCT_TOKEN.replace("INVENTED", "ANOTHERS")})
    files = evidence(config=None) | {f"secrets/{OTHER_NAME}": other}
    assert audit_row(open_files(tmp_path / "kept", files))["verdict"] == "CONTESTED"
    files[f"secrets/{OTHER_NAME}"] = swapped(other, {ACCESS_KEY_ID: LOST[ACCESS_KEY_ID]})
    row = audit_row(open_files(tmp_path / "left out", files))
    assert ("contested:product_token" in row["blocking"], row["product_token"]) == (True, None)


def test_files_with_other_keys_outvote_no_product_token_that_is_offered(tmp_path):
    """The signup's and the replacement's are of two lost customers of one other product."""
    strange = swapped(secrets(), {PRODUCT_TOKEN: PRODUCT_TOKEN.replace("INVENTED", "ANOTHERS")})
    files = evidence(secrets=swapped(strange, {ACCESS_KEY_ID: LOST[ACCESS_KEY_ID]})) | {OTHER_LOG: replacement()}
    files[OTHER_SECRETS] = swapped(strange, {ACCESS_KEY_ID: ACCESS_KEY_ID[::-1]})
    row = audit_row(open_files(tmp_path, files))
    assert (row["verdict"], row["product_token"]) == ("CONTESTED", None)


def test_a_secrets_file_with_two_hosts_is_of_two_customers(tmp_path):
    """The one stands under the key that was used before March 2012, the other under the one since: nothing is sure."""
    row = audit_row(open_files(tmp_path, {f"secrets/{NAME}": secrets(public_host="192.0.2.77"), "c.json": config()}))
    assert (row["verdict"], row["user_access_key_id"]) == ("CONTESTED", None)


@pytest.mark.parametrize("value", ["i-00000000", "ami-00000000"])
def test_a_number_of_zeros_is_none(value, tmp_path):
    """A program that made evidence anonymous wrote it."""
    old = "i-0a1b2c3d" if value.startswith("i-") else "ami-[0-9a-f]+"
    told = re.sub(f"'{old}'".encode(), f"'{value}'".encode(), log())
    assert value.encode() in told
    row = audit_row(open_files(tmp_path, evidence(log=told, servers=None)))
    assert row["instance_id" if value.startswith("i-") else "ami_image_id"] is None


OWN = {ACCESS_KEY_ID: ACCESS_KEY_ID[::-1], SECRET_KEY: SECRET_KEY[::-1]}


@pytest.mark.parametrize("strange", [LOG_FILE, f"secrets/{NAME}"])
def test_what_was_read_out_of_the_server_decides_between_log_and_secrets_file(strange, tmp_path):
    """A re-record is a voice of its own: with either of them it is two against one."""
    files = evidence(requests=None, results=None, servers=None) | {f"signup_logs/{OTHER_NAME}": re_record()}
    files[strange] = swapped(files[strange], {**OWN, USER_TOKEN: OTHERS_TOKEN})
    row = audit_row(open_files(tmp_path, files), BUCKET)
    told = (row["user_access_key_id"], row["user_secret_key"], row["user_token"], row["verdict"])
    assert told == (ACCESS_KEY_ID, SECRET_KEY, USER_TOKEN, "RECOVERABLE")


def test_a_server_is_told_by_no_secrets_file_whose_keys_are_outvoted(tmp_path):
    """All of it may be another customer's: its node's keys and its address are not sure, either."""
    files = evidence(requests=None, results=None, servers=None) | {f"signup_logs/{OTHER_NAME}": re_record()}
    files[f"secrets/{NAME}"] = as_another(secrets()).replace(OTHER_SEED.encode(), SEED.encode())
    row = audit_row(open_files(tmp_path, files), BUCKET)
    assert row["user_access_key_id"] == ACCESS_KEY_ID
    assert row["server_nodeid"] in (None, *re.findall(r"[a-z2-7]{32}", re_record().decode()))


@pytest.mark.parametrize("later", ["read back", "replacement", "copy"])
def test_a_key_that_two_independent_files_of_an_account_tell_is_its_own(later, tmp_path):
    """Of secrets files alone: a replacement's was filled from the first, a re-record's was read out of the server.

    The name of the latter bears the time when the server was launched.
    """
    files = {path: data for path, data in two_customers().items() if not path.startswith("signup_logs")}
    files[OTHER_SECRETS] = swapped(files[OTHER_SECRETS], {ACCESS_KEY_ID[::-1]: ACCESS_KEY_ID})
    began = "2012-03-20T101702Z" if later == "read back" else "2012-06-01T080000Z"
    told = swapped(secrets(), {"192.0.2.1": "192.0.2.9"}) if later == "replacement" else secrets()
    files[f"secrets/{began}-{OTHER_SEED[::-1]}"] = told
    row = audit_row(open_files(tmp_path, files), BUCKET)
    assert row["user_access_key_id"] == (ACCESS_KEY_ID if later == "read back" else None)


@pytest.mark.parametrize("is_foreign_first", [True, False])
@pytest.mark.parametrize(
    ("field", "here", "lost"),
    [
        ("user_access_key_id", {"access_key_id": ACCESS_KEY_ID}, {"access_key_id": LOST[ACCESS_KEY_ID]}),
        ("user_token", {"user_token": USER_TOKEN}, {"user_token": USER_TOKEN.replace("INVENTED", "SOMEBODY")}),
        ("server_node_pem", node(STORAGE), node(OTHER_NODE)),
    ],
)
def test_of_two_files_alone_neither_is_sure_though_a_stranger_tells_what_one_tells(
    field, here, lost, is_foreign_first, tmp_path
):
    """The stranger may have it from this account, and the other file something of somebody whose files are lost."""
    told = [secrets(**lost), secrets()]
    told = told if is_foreign_first else told[::-1]
    files = {"lae_automation_config.json": config(), OTHER_SECRETS: json.dumps({**BOBS, **here}).encode()}
    files |= {f"secrets/{NAME}": told[0], f"secrets/{LATER}": told[1]}
    row = audit_row(open_files(tmp_path, files), BUCKET)
    assert (row["verdict"], row[field]) == ("CONTESTED", None)


LATER = f"2012-06-01T080000Z-{OTHER_SEED[::-1]}"


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(lambda data: data, id="same bytes"),
        pytest.param(lambda data: json.dumps(json.loads(data), indent=2).encode(), id="saved anew"),
    ],
)
@pytest.mark.parametrize(("value", "field"), [(ACCESS_KEY_ID, "user_access_key_id"), (USER_TOKEN, "user_token")])
def test_a_secrets_file_and_its_copy_under_another_name_are_one_voice(copy, value, field, tmp_path):
    """What is wrong in it outvotes no log."""
    wrong = swapped(secrets(), {value: LOST.get(value, OTHERS_TOKEN)})
    files = evidence(secrets=wrong, requests=None, results=None, servers=None)
    row = audit_row(open_files(tmp_path, files | {f"secrets/{LATER}": copy(wrong)}))
    assert (row[field], row["verdict"]) == (None, "CONTESTED")


@pytest.mark.parametrize("name", [f"signup_logs/{LATER}", "x/my log.txt", f"x/Copy of {NAME}"])
def test_a_log_and_its_copy_under_another_name_are_one_voice(name, tmp_path):
    """Its lines end otherwise, so it is no copy byte by byte."""
    wrong = swapped(log(), {ACCESS_KEY_ID: LOST[ACCESS_KEY_ID]})
    files = evidence(log=wrong, requests=None, results=None, servers=None)
    row = audit_row(open_files(tmp_path, files | {name: wrong.replace(b"\n", b"\r\n")}))
    assert (row["user_access_key_id"], row["verdict"]) == (None, "CONTESTED")


def test_a_re_record_and_its_copy_under_another_name_are_one_voice(tmp_path):
    """They read one server; and they are no copies byte by byte."""
    wrong = swapped(re_record(), {USER_TOKEN: OTHERS_TOKEN})
    files = evidence(secrets=None, requests=None, results=None, servers=None)
    files |= {f"signup_logs/{OTHER_NAME}": wrong, f"signup_logs/{LATER}": wrong.replace(b"\n", b"\r\n")}
    assert audit_row(open_files(tmp_path, files))["user_token"] in (None, USER_TOKEN)


def test_a_token_that_goes_on_in_one_file_alone_is_not_the_whole_one(tmp_path):
    """Log and re-record tell it, and nothing cut both: somebody wrote on."""
    whole = USER_TOKEN.rstrip("=")
    files = evidence(requests=None, results=None, servers=None) | {f"signup_logs/{OTHER_NAME}": re_record()}
    files = {path: data.replace(USER_TOKEN.encode(), whole.encode()) for path, data in files.items()}
    files[f"secrets/{NAME}"] = swapped(files[f"secrets/{NAME}"], {whole: whole + "XYZW"})
    row = audit_row(open_files(tmp_path, files))
    assert (row["user_token"], row["verdict"]) == (None, "CONTESTED")


def test_an_address_of_another_log_in_a_file_that_tells_the_own_one_too_is_outvoted(tmp_path):
    """In a copy of the log lies a line of another's: the csv rows tell the own address, as the log itself does."""
    strange = b">Sending confirmation e-mail to <eve@example.net>...>\n"
    copy = log().replace(b">Sending confirmation", strange + b">Sending confirmation", 1)
    row = audit_row(open_files(tmp_path, {**evidence(), f"backup/{LOG_FILE}": copy}), BUCKET)
    assert (row["customer_email"], row["verdict"]) == (EMAIL, "RECOVERABLE")


def test_a_token_of_two_accounts_is_not_made_of_its_own_misprints(tmp_path):
    """In the file of each one's replacement another letter of it is overwritten."""
    files = {path: data for path, data in two_customers().items() if not path.startswith("signup_logs")}
    files[OTHER_SECRETS] = swapped(files[OTHER_SECRETS], {OTHERS_TOKEN: USER_TOKEN})
    for path, host, misprint in ((f"secrets/{NAME}", HOST, "IXVENTED"), (OTHER_SECRETS, "192.0.2.5", "INVENTEX")):
        later = f"secrets/2012-06-0{host[-1]}T080000Z-{OTHER_SEED[::-1]}"
        files[later] = swapped(files[path], {host: "192.0.2.9", USER_TOKEN: USER_TOKEN.replace("INVENTED", misprint)})
    rows = [audit_row(open_files(tmp_path, files), account) for account in (BUCKET, OTHER_BUCKET)]
    assert [(row["verdict"], row["user_token"]) for row in rows] == [("CONTESTED", None)] * 2


@pytest.mark.parametrize(
    "more", [{}, {f"signup_logs/{NAME[:8]}21T080000Z-{SEED[::-1]}": re_record()}], ids=["", "read out"]
)
def test_keys_beside_another_token_than_the_log_tells_later_are_another_s(more, tmp_path):
    """A sector of another log, laid over the same bytes, need not break a line: the token shows that it was.

    Where the own keys were read out of the server, too.
    """
    files = {path: data for path, data in two_customers().items() if not path.startswith("secrets/")}
    files[OTHER_LOG] = b">What nobody knows\n" + files[OTHER_LOG]
    own, other = USER_TOKEN + "own+" * 50, OTHERS_TOKEN + "other+" * 50
    files[OTHER_LOG] = swapped(files[OTHER_LOG], {OTHERS_TOKEN: other})
    head, poll, rest = swapped(files[LOG_FILE], {USER_TOKEN: own}).partition(b">Verifying subscription...>")
    theirs = {ACCESS_KEY_ID: ACCESS_KEY_ID[::-1], SECRET_KEY: SECRET_KEY[::-1], own: other[:140] + own[140:]}
    files[LOG_FILE] = swapped(head, {**theirs, KEY: "A" + KEY[:0:-1]}) + poll + rest
    files |= more
    rows = [audit_row(open_files(tmp_path, files), account) for account in (BUCKET, OTHER_BUCKET)]
    assert [row["user_access_key_id"] for row in rows] == [None, ACCESS_KEY_ID[::-1]]
    assert [row["user_secret_key"] for row in rows] == [None, SECRET_KEY[::-1]]
    assert [row["activation_key"] for row in rows] == [None, "A" + KEY[:0:-1]]


OWN_LONG, OTHERS_LONG = USER_TOKEN + "Own+" * 50, OTHERS_TOKEN + "other+" * 40


def _beside(token: str, tmp_path) -> dict[str, object]:
    """The row of a log in whose first sectors a lost customer's keys stand beside `token`; nothing else tells keys."""
    head, poll, rest = swapped(log(), {USER_TOKEN: OWN_LONG}).partition(b">Verifying subscription...>")
    head = swapped(head, {**LOST, KEY: "A" + KEY[:0:-1], OWN_LONG: token})
    return audit_row(open_files(tmp_path, {LOG_FILE: head + poll + rest, "config.json": config()}))


def test_keys_before_a_token_with_another_s_head_are_another_s(tmp_path):
    """Another's sector ends within the token."""
    row = _beside(OTHERS_LONG[:140] + OWN_LONG[140:], tmp_path)
    fields = ("user_access_key_id", "user_secret_key", "activation_key")
    assert (row["verdict"], [row[name] for name in fields]) == ("CONTESTED", [None] * 3)


@pytest.mark.parametrize(
    "token", [OWN_LONG[:140] + OTHERS_LONG[140:], OWN_LONG.replace("lclRrbgI", "1c1Rrbgl")], ids=["cut", "misread"]
)
def test_keys_before_a_token_with_its_own_head_are_its_own(token, tmp_path):
    """Another's sector begins within it, or somebody misread it."""
    assert _beside(token, tmp_path)["user_secret_key"] == LOST[SECRET_KEY]
