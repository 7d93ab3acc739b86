"""Files are joined only where something ties them together."""

from __future__ import annotations

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    CODE,
    EMAIL,
    FAILURE,
    HOST,
    INSTANCE,
    KEY,
    LAUNCHED,
    LOG_FILE,
    OTHER_NAME,
    OTHER_SEED,
    PRODUCT_TOKEN,
    SECRET_KEY,
    SEED,
    as_another,
    audit_row,
    codes,
    config,
    evidence,
    furl_of,
    identity,
    log,
    open_files,
    re_record,
    replacement,
    request,
    result,
    secrets,
    serverinfo,
    signup_row,
)

# -- the whole folder ----------------------------------------------------------------------------------------


def test_everything_that_belongs_together_is_joined(tmp_path):
    """Secrets by the seed, rows by the activation key, the token by the product code, the server by its instance."""
    case = open_files(tmp_path, evidence())
    row = signup_row(case)
    assert (row["customer_name"], row["customer_keyinfo"], row["product_token"]) == ("Ann", None, PRODUCT_TOKEN)
    assert codes(case) == set()
    assert set(audit_row(case)["matched_by"]) == {"seed", "activation key", "product code"}


def test_a_secrets_file_that_differs_from_its_log_contests(tmp_path):
    """Log and secrets file are of equal standing: a field in which they differ is nobody's until a human decides."""
    case = open_files(tmp_path, evidence(secrets=secrets(secret_key=SECRET_KEY[::-1])))
    assert signup_row(case)["user_secret_key"] is None
    assert "contested-field" in codes(case, "user_secret_key")
    assert (audit_row(case)["verdict"], audit_row(case)["blocking"]) == ("CONTESTED", ("contested:user_secret_key",))


def test_another_token_in_the_secrets_file_contests(tmp_path):
    """The config's token for that month and the secrets file's are of equal standing."""
    case = open_files(tmp_path, evidence(secrets=secrets(product_token=PRODUCT_TOKEN[:-3] + "B==")))
    assert (signup_row(case)["product_token"], audit_row(case)["verdict"]) == (None, "CONTESTED")


# -- serverinfo ----------------------------------------------------------------------------------------------


def test_a_server_is_found_by_its_address_if_the_log_lost_its_instance(tmp_path):
    """serverinfo.csv tells instance and launch time of the only server that ever had the address."""
    lost = log(instance="")
    row = signup_row(open_files(tmp_path / "one", evidence(log=lost)))
    assert (row["instance_id"], row["launch_time"]) == (INSTANCE, LAUNCHED)
    two = serverinfo() + serverinfo("i-99999999", HOST, "2013-01-01T00:00:00.000Z")
    row = signup_row(open_files(tmp_path / "two", evidence(log=lost, servers=two)))
    assert (row["instance_id"], row["launch_time"]) == (None, None)


def test_a_serverinfo_row_never_outranks_the_log(tmp_path):
    """A row of the same instance with another address is a lesser witness."""
    case = open_files(tmp_path, evidence(servers=serverinfo(host="192.0.2.200")))
    assert signup_row(case)["public_host"] == HOST
    assert "outranked-witness" in codes(case, "public_host")


def test_an_address_of_the_log_alone_is_not_sure_against_a_row_of_its_launch(tmp_path):
    """One instance, one launch, two addresses: nothing tells which, so its furl is not sure either."""
    row = audit_row(open_files(tmp_path, evidence(secrets=None, servers=serverinfo(host="192.0.2.200"))))
    assert (row["public_host"], row["introducer_furl"], row["instance_id"]) == (None, None, INSTANCE)


# -- product tokens ------------------------------------------------------------------------------------------

PRODUCT = {"full_name": "An invented product", "product_code": CODE, "product_token": PRODUCT_TOKEN}
OTHER_TOKEN = "{ProductToken}BBBHUHJvZHVjdINVENTED=="


def test_a_product_that_stands_twice_in_the_config_is_contested(tmp_path):
    """Two tokens for one code in one month: both are listed, a human decides."""
    case = open_files(
        tmp_path, evidence(secrets=None, config=config(PRODUCT, {**PRODUCT, "product_token": OTHER_TOKEN}))
    )
    assert (signup_row(case)["product_token"], audit_row(case)["verdict"]) == (None, "CONTESTED")
    (account,) = case.judgement.accounts
    assert {f.value for f in account.witnesses["product_token"]} == {PRODUCT_TOKEN, OTHER_TOKEN}


def test_the_same_product_twice_is_no_contest(tmp_path):
    """Two entries that say the same agree."""
    case = open_files(tmp_path, evidence(secrets=None, config=config(PRODUCT, PRODUCT)))
    assert (signup_row(case)["product_token"], audit_row(case)["verdict"]) == (PRODUCT_TOKEN, "RECOVERABLE")


@pytest.mark.parametrize(
    ("products", "token"),
    [
        ([PRODUCT], PRODUCT_TOKEN),
        ([PRODUCT, {**PRODUCT, "product_code": "FFFF0000", "product_token": OTHER_TOKEN}], None),
        (
            [
                PRODUCT,
                {**PRODUCT, "product_code": "FFFF0000", "product_token": OTHER_TOKEN, "valid_from": "2013-01-01"},
            ],
            PRODUCT_TOKEN,
        ),
        ([{**PRODUCT, "full_name": "Another product"}], None),
    ],
)
def test_by_name_only_where_one_product_alone_bears_it(products, token, tmp_path):
    """A log that ends before its bucket tells no code: its product's name decides if it is unique in that month."""
    files = evidence(log=log(until="poll") + FAILURE.encode(), secrets=None, servers=None, config=config(*products))
    files |= {"activation_requests.csv": b"", "signups.csv": b""}
    assert signup_row(open_files(tmp_path, files))["product_token"] == token


def test_by_name_not_where_the_log_has_damage(tmp_path):
    """The name may stand in a piece of another log: nothing else tells the product."""
    torn = log(until="poll").replace(b"secret_key = '", b"secret_\xf7\x9a= '") + FAILURE.encode()
    files = evidence(log=torn, secrets=None, servers=None, requests=None, results=None)
    assert signup_row(open_files(tmp_path, files))["product_token"] is None


def test_the_bucket_decides_over_the_name(tmp_path):
    """Where the bucket tells the code, a product of the log's name but of another code is not this customer's."""
    other = {**PRODUCT, "product_code": "FFFF0000", "product_token": OTHER_TOKEN}
    case = open_files(tmp_path, evidence(secrets=None, config=config(other)))
    assert (signup_row(case)["product_token"], audit_row(case)["verdict"]) == (None, "INCOMPLETE")


def test_a_key_that_differs_from_its_rows_in_a_character_is_not_known(tmp_path):
    """Overwritten in the log or in the rows: they are of one customer all the same, whom the rows tell."""
    overwritten = log().replace(KEY.encode(), (KEY[:-1] + "Q").encode())
    row = signup_row(open_files(tmp_path, evidence(log=overwritten)))
    assert (row["activation_key"], row["customer_name"]) == (None, "Ann")


# -- files under the wrong name ------------------------------------------------------------------------------


def test_a_log_under_another_name_is_read_by_its_text(tmp_path):
    """Renamed as a whole, with csv rows that tie it together: its own values, and a finding."""
    files = evidence(secrets=None)
    files[f"signup_logs/{OTHER_NAME}"] = files.pop(LOG_FILE)
    case = open_files(tmp_path, files)
    row = signup_row(case, f"signup_logs/{OTHER_NAME}")
    assert (row["bucket_name"], row["user_secret_key"]) == (BUCKET, SECRET_KEY)
    assert "renamed-log" in codes(case)


@pytest.mark.parametrize(
    ("theirs", "is_known"),
    [("Another product", True), ("An invented product", False), (None, False)],
)
def test_of_two_logs_under_each_others_names_heads_tell_their_products(tmp_path, theirs, is_known):
    """Without rows and secrets files: where the two bought products of other names, neither head is its file's own.

    Where they bought one product, or where nothing tells what the other bought, the rests may have been exchanged.
    """
    code, full_name = ("WXYZ9876", theirs) if theirs else (CODE, "An invented product")
    other = as_another(log()).replace(CODE.lower().encode(), code.lower().encode())
    other = other.replace(b"An invented product", full_name.encode())
    product = {"full_name": full_name, "product_code": code, "product_token": PRODUCT_TOKEN.replace("I", "O")}
    own = {"full_name": "An invented product", "product_code": CODE, "product_token": PRODUCT_TOKEN}
    files = {
        LOG_FILE: other,
        "lae_automation_config.json": config(own, product) if theirs else config(),
    }
    if theirs:
        files[f"signup_logs/{OTHER_NAME}"] = log()
    case = open_files(tmp_path, files)
    row = signup_row(case)
    assert row["user_secret_key"] == (SECRET_KEY[::-1] if is_known else None)
    if is_known:
        assert signup_row(case, f"signup_logs/{OTHER_NAME}")["bucket_name"] == BUCKET
        assert audit_row(case)["user_secret_key"] == SECRET_KEY


def test_the_head_of_a_log_with_another_rest_gives_neithers_values(tmp_path):
    """Head of one signup, rest of another, cut where no order is broken: nothing of it is taken for this customer."""
    other = log(bucket=log(until="bucket")[len(log(until="poll")) :].decode()).replace(
        SEED.encode(), OTHER_SEED.encode()
    )
    rest = other[len(log(until="activation")) :].replace(SECRET_KEY.encode(), SECRET_KEY[::-1].encode())
    files = evidence(log=log(until="activation") + rest.replace(EMAIL.encode(), b"eve@example.org"), secrets=None)
    row = signup_row(open_files(tmp_path, files))
    assert row["user_secret_key"] is None
    assert row["customer_email"] in (None, EMAIL)
    assert row["bucket_name"] is None


def test_a_re_record_that_contradicts_its_own_secrets_file_is_contested(tmp_path):
    """The run wrote the file from what it read: where the two differ, neither is sure."""
    name = f"2012-03-20T101702Z-{OTHER_SEED}"
    files = {
        f"signup_logs/{name}": re_record(),
        f"secrets/{name}": secrets(bucket_name=f"lae-ffff0000-{OTHER_SEED}"),
    }
    case = open_files(tmp_path, files)
    assert signup_row(case, f"signup_logs/{name}")["bucket_name"] is None
    assert "contested-field" in codes(case, "bucket_name")


OTHER_PRODUCT = {"full_name": "Another product", "product_code": "WXYZ9876", "product_token": OTHER_TOKEN}


def with_code(data: bytes) -> bytes:
    """The text with the other product's code in the place of the one that was sold."""
    return data.replace(f"lae-{CODE.lower()}-".encode(), b"lae-wxyz9876-").replace(b"," + CODE.encode(), b",WXYZ9876")


def test_a_code_is_the_one_that_log_and_secrets_file_sold(tmp_path):
    """In logs and csv files stands another product's code: what was sold, by its name and its token, decides."""
    changed = {"log": with_code(log()), "requests": with_code(request()), "results": with_code(result())}
    case = open_files(tmp_path, evidence(**changed, config=config(PRODUCT, OTHER_PRODUCT)))
    row = audit_row(case)
    assert (row["bucket_name"], row["product_code"], row["verdict"]) == (BUCKET, CODE, "RECOVERABLE")


def test_a_code_that_was_replaced_elsewhere_is_mended_where_its_log_alone_is_left(tmp_path):
    """A second customer's secrets file is lost: the product's name in his log tells that his code was replaced, too."""
    files = evidence(log=with_code(log()), config=config(PRODUCT, OTHER_PRODUCT), requests=None, results=None)
    files[f"signup_logs/{OTHER_NAME}"] = with_code(as_another(log()))
    case = open_files(tmp_path, files)
    assert {row["account_id"] for row in case.audit.to_dict("records")} == {BUCKET, f"lae-{CODE.lower()}-{OTHER_SEED}"}


def test_a_code_whose_product_bears_another_name_is_not_sure(tmp_path):
    """The log alone is left: whether its code was replaced, or the configuration permuted, nothing tells."""
    case = open_files(
        tmp_path, {LOG_FILE: with_code(log()), "lae_automation_config.json": config(PRODUCT, OTHER_PRODUCT)}
    )
    row = audit_row(case, BUCKET.replace(CODE.lower(), "wxyz9876"))
    assert (row["product_code"], row["product_token"], row["verdict"]) == (None, None, "CONTESTED")


def test_a_code_that_secrets_files_of_others_contradict_is_asked_where_two_products_bear_one_name(tmp_path):
    """A second customer's log is left: what it sold may be either of the two, and elsewhere the code was replaced."""
    alike = {**OTHER_PRODUCT, "full_name": PRODUCT["full_name"]}
    files = evidence(log=with_code(log()), config=config(PRODUCT, alike), requests=None, results=None)
    files[f"signup_logs/{OTHER_NAME}"] = with_code(as_another(log()))
    row = audit_row(open_files(tmp_path, files), f"lae-{CODE.lower()}-{OTHER_SEED}")
    assert (row["bucket_name"], row["product_code"], row["product_token"]) == (None, None, None)


THIRD_PRODUCT = {
    "full_name": "A third product",
    "product_code": "0000FFFF",
    "product_token": OTHER_TOKEN.replace("BBB", "CCC"),
}


def bearing_out(folder, config_file: bytes):
    """A customer of a replaced code, whose log and rows are left; two others of whom each bought as is told."""
    key = "A" + KEY[3:] + KEY[1:3]
    third = log().replace(SEED.encode(), b"third" + SEED[5:].encode()).replace(KEY.encode(), key.encode())
    third = third.replace(CODE.lower().encode(), b"0000ffff").replace(b"An invented product", b"A third product")
    rows = with_code(result()) + as_another(result()) + result(key=key, code="0000FFFF")
    files = evidence(log=with_code(log()), secrets=None, requests=None, results=rows, config=config_file)
    files[f"signup_logs/{OTHER_NAME}"] = as_another(log())
    files[f"signup_logs/2012-05-20T101500Z-third{SEED[5:]}"] = third
    return open_files(folder, files)


def test_a_code_that_is_odd_among_those_borne_out_may_be_the_one_that_was_sold(tmp_path):
    """The customer bears the name of what he bought, and waits; where all names have moved, they tell nothing."""
    case = bearing_out(tmp_path / "odd", config(PRODUCT, OTHER_PRODUCT, THIRD_PRODUCT))
    row = audit_row(case, BUCKET)
    assert (row["bucket_name"], row["product_code"], row["verdict"]) == (None, None, "CONTESTED")
    names = [PRODUCT["full_name"], OTHER_PRODUCT["full_name"], THIRD_PRODUCT["full_name"]]
    sold = zip((PRODUCT, OTHER_PRODUCT, THIRD_PRODUCT), names[1:] + names[:1], strict=True)
    moved = bearing_out(tmp_path / "moved", config(*({**product, "full_name": name} for product, name in sold)))
    assert audit_row(moved, BUCKET.replace(CODE.lower(), "wxyz9876"))["bucket_name"] is not None


# -- secrets files against their logs ----------------------------------------------------------------------


def test_a_damaged_secrets_file_with_another_server_is_no_word_against_a_whole_log(tmp_path):
    """It ends as another's file does: its server is that one's, and what else it tells is not sure."""
    torn = secrets(publichost="192.0.2.77").replace(b'"introducer_nodeid"', b'"introducer_n')
    row = audit_row(open_files(tmp_path, evidence(secrets=torn)))
    assert (row["public_host"], row["instance_id"], row["verdict"]) == (HOST, INSTANCE, "RECOVERABLE")


NO_NODE = dict.fromkeys(
    ("introducer_node_pem", "introducer_nodeid", "external_introducer_furl", "internal_introducer_furl")
)


def test_the_keys_of_the_signups_log_speak_against_a_replacements_secrets_file(tmp_path):
    """The replacement's own log tells none: who is right of log and file, nothing tells."""
    replaced, node = f"2012-06-01T080000Z-{OTHER_SEED}", identity(3)
    beside = secrets(
        publichost="192.0.2.77",
        access_key_id=ACCESS_KEY_ID[::-1],
        secret_key=SECRET_KEY[::-1],
        introducer_node_pem=node.pem,
        introducer_nodeid=node.nodeid,
        external_introducer_furl=furl_of(node, "192.0.2.77"),
        internal_introducer_furl=None,
    )
    unsure = secrets(access_key_id="AKIASOMEBODYSLOSTKEY", secret_key=SECRET_KEY[20:] + SECRET_KEY[:20], **NO_NODE)
    files = {**evidence(secrets=unsure), f"signup_logs/{replaced}": replacement(), f"secrets/{replaced}": beside}
    assert audit_row(open_files(tmp_path, files))["introducer_node_pem"] is None


# -- what the S4 accounts share ----------------------------------------------------------------------------


def of_s4(number: int) -> dict[str, bytes]:
    """The secrets file of one of the accounts that share their keys."""
    customer, plan = "mn2xgx" + "abc"[number] * 23, "on2wex" + "abc"[number] * 23
    place = f"secrets/a plan/2014-07-13T17582{number}Z-{customer}-{plan}/SSEC2"
    host = f"192.0.2.{number + 10}"
    node = identity(number)
    told = {"product_token": None, "user_token": None, "bucket_name": f"lae-{plan}-{customer}", "publichost": host}
    furl = furl_of(node, host)
    keys = {"introducer_node_pem": node.pem, "introducer_nodeid": node.nodeid, "external_introducer_furl": furl}
    keys |= {"server_node_pem": None, "server_nodeid": None, "internal_introducer_furl": None}
    return {place: secrets(**told, **keys)}


@pytest.mark.parametrize(("others", "key"), [(2, SECRET_KEY), (1, SECRET_KEY[:-2] + "X/")])
def test_a_key_that_s4_accounts_share_is_known_by_two_others(others, key, tmp_path):
    """With a letter of it overwritten: what one other tells may be damage itself."""
    files = {path: data for number in range(others + 1) for path, data in of_s4(number).items()}
    damaged = next(iter(files))
    files[damaged] = files[damaged].replace(SECRET_KEY.encode(), (SECRET_KEY[:-2] + "X/").encode())
    case = open_files(tmp_path, files)
    assert audit_row(case, f"lae-on2wex{'a' * 23}-mn2xgx{'a' * 23}")["user_secret_key"] == key


@pytest.mark.parametrize(("odd", "sure"), [(("X+", "/Y"), "/+"), (("X+", "Y+"), "X+")])
def test_of_the_key_that_s4_accounts_share_each_letter_is_what_two_of_three_tell(odd, sure, tmp_path):
    """Though no two tell the whole key alike: of three different letters in one place nothing tells the right one."""
    files: dict[str, bytes] = {}
    for number, end in enumerate((*odd, "/+")):
        ((path, data),) = of_s4(number).items()
        files[path] = data.replace(SECRET_KEY.encode(), (SECRET_KEY[:-2] + end).encode())
    row = audit_row(open_files(tmp_path, files), f"lae-on2wex{'a' * 23}-mn2xgx{'a' * 23}")
    assert row["user_secret_key"] == SECRET_KEY[:-2] + sure


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_code_out_of_a_bucket_s_name_has_its_own_place_in_any_encoding(encoding, tmp_path):
    """The bytes at its place are the code, in as many bytes a character as the file has."""
    files = {LOG_FILE: ("" if encoding == "utf-8" else "\ufeff").encode(encoding) + log().decode().encode(encoding)}
    (account,) = open_files(tmp_path, files).judgement.accounts
    told = [fact for fact in account.signups[0].witnesses_of("product_code") if fact.rule == "bucket name"]
    assert {files[LOG_FILE][f.locator.start : f.locator.end].decode(encoding).upper() for f in told} == {CODE}


@pytest.mark.parametrize("times", [1, 2])
def test_a_bucket_bears_the_code_that_the_file_of_its_seed_tells(tmp_path, times):
    """Not that of another customer's logs in which its seed was put in the place of the own one."""
    code, name = "F0E1D2C3", "Another product"
    others = as_another(log().replace(CODE.lower().encode(), code.lower().encode()))
    others = others.replace(b"An invented product", name.encode()).replace(OTHER_SEED.encode(), SEED.encode())
    sold = {"full_name": "An invented product", "product_code": CODE, "product_token": PRODUCT_TOKEN}
    token = PRODUCT_TOKEN.replace("INVENTED", "INVENTEDTOO")
    listed = config(sold, {"full_name": name, "product_code": code, "product_token": token})
    files = {LOG_FILE: log(), "lae_automation_config.json": listed}
    again = {f"signup_logs/2012-04-2{each}T080000Z-{OTHER_SEED}": others for each in range(1, 1 + times)}
    case = open_files(tmp_path, files | again)
    rows = {row["account_id"]: row["bucket_name"] for row in case.audit.to_dict("records")}
    assert {each: bucket for each, bucket in rows.items() if each.startswith("lae-")} == {BUCKET: BUCKET}


@pytest.mark.parametrize(("node", "verdict"), [(0, "CONTESTED"), (2, "RECOVERABLE")])
def test_one_server_with_two_addresses_is_asked_about(node, verdict, tmp_path):
    """Where log and secrets file tell one node. Else the log goes on with another's server: it counts for nothing."""
    moved = "198.51.100.7"
    theirs = secrets(publichost=moved, external_introducer_furl=furl_of(identity(0), moved))
    ours = log().replace(identity(0).nodeid.encode(), identity(node).nodeid.encode())
    case = open_files(tmp_path, evidence(log=ours, secrets=theirs, servers=serverinfo(host=moved)))
    row = audit_row(case)
    assert row["verdict"] == verdict
    assert row["introducer_furl"] == (None if verdict == "CONTESTED" else furl_of(identity(0), moved))
