"""Witnesses are weighed, and files are joined only where something ties them together."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makings import (
    BUCKET,
    CODE,
    EMAIL,
    FAILURE,
    HOST,
    INSTANCE,
    KEY,
    LAUNCHED,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    OTHER_SEED,
    PRODUCT_TOKEN,
    SECRET_KEY,
    SEED,
    audit_row,
    codes,
    config,
    deployment,
    evidence,
    fact,
    log,
    open_files,
    re_record,
    request,
    result,
    secrets,
    serverinfo,
    signup_row,
)

from laeforensics.evidence.names import start_of, stem
from laeforensics.facts.buckets import bears_seed, product_code_of, seed_of
from laeforensics.facts.channels import (
    BROKEN_KEY,
    CERTIFIED,
    ERROR,
    FOREIGN,
    FORM,
    OWN,
    PAIRED,
    REMOTE,
    SITE,
    STRAY,
    TESTIMONY,
)
from laeforensics.facts.fact import weigh

CHANNELS = (OWN, CERTIFIED, TESTIMONY, SITE, PAIRED, FORM, REMOTE, STRAY, ERROR, BROKEN_KEY, FOREIGN)
FIRST, SECOND, THIRD = (OWN, CERTIFIED, TESTIMONY), (SITE,), (PAIRED, FORM)
NOTHING = (REMOTE, STRAY, ERROR, BROKEN_KEY, FOREIGN)


# -- weigh ---------------------------------------------------------------------------------------------------


def test_no_witness_no_value():
    """Where nobody says anything, nothing is contested."""
    assert weigh([]) == (None, False)


@pytest.mark.parametrize("channel", NOTHING)
def test_some_witnesses_assert_nothing(channel):
    """Relayed, stray, erroneous, broken or foreign text gives no value and contests none."""
    assert weigh([fact("a", channel)]) == (None, False)
    assert weigh([fact("a", channel), fact("b", channel)]) == (None, False)
    for other in (*FIRST, *SECOND, *THIRD):
        assert weigh([fact("a", channel), fact("b", other)]) == ("b", False)


@pytest.mark.parametrize("standing", [FIRST, SECOND, THIRD])
def test_witnesses_of_one_standing_agree_or_contest(standing):
    """Two that say the same are one value; two that differ are none, and contested."""
    for one, other in itertools.product(standing, repeat=2):
        assert weigh([fact("a", one), fact("a", other)]) == ("a", False)
        assert weigh([fact("a", one), fact("b", other)]) == (None, True)


@pytest.mark.parametrize(("better", "lesser"), [(FIRST, SECOND), (FIRST, THIRD), (SECOND, THIRD)])
def test_a_lesser_witness_neither_replaces_nor_contests(better, lesser):
    """Only the highest standing present speaks, however many lesser ones disagree."""
    for one, other in itertools.product(better, lesser):
        assert weigh([fact("b", other), fact("a", one), fact("c", other)]) == ("a", False)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(CHANNELS))), st.randoms())
def test_the_order_of_witnesses_does_not_matter(told, random):
    """Weighing is the same for any order, and a value is always one that the best present say."""
    facts = [fact(value, channel) for value, channel in told]
    value, contested = weigh(facts)
    random.shuffle(facts)
    assert weigh(facts) == (value, contested)
    assert not (value is not None and contested)
    if value is not None:
        best = min(f.standing for f in facts)
        assert {f.value for f in facts if f.standing == best} == {value}


# -- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stemmed", "start"),
    [
        (f"signup_logs/{NAME}", NAME, ("2012-03-20T10:15:00Z", SEED)),
        (f"leastauthority.com/signup_logs/{NAME}", NAME, ("2012-03-20T10:15:00Z", SEED)),
        (f"secrets/{NAME}", NAME, ("2012-03-20T10:15:00Z", SEED)),
        (
            "secrets/PLAN/2014-06-01T010203Z-ab-cd/SSEC2",
            "secrets/PLAN/2014-06-01T010203Z-ab-cd",
            ("2014-06-01T01:02:03Z", "ab-cd"),
        ),
        (
            "secrets/PLAN/2014-06-01T010203Z-ab-cd/signup_logs",
            "secrets/PLAN/2014-06-01T010203Z-ab-cd",
            ("2014-06-01T01:02:03Z", "ab-cd"),
        ),
        ("signup_logs/notes.txt", "notes.txt", None),
        ("signup_logs/2012-03-20-ab", "2012-03-20-ab", None),
    ],
)
def test_a_name_tells_when_a_run_began_and_what_its_files_share(name, stemmed, start):
    """TIMESTAMP-SEED, in either layout; another name tells nothing."""
    assert (stem(name), start_of(name)) == (stemmed, start)


def test_a_devpay_bucket_holds_product_code_and_seed():
    """A bucket of a subscription holds neither."""
    assert (product_code_of(BUCKET), seed_of(BUCKET)) == (CODE, SEED)
    subscription = "lae-on2wexinventedsubscription-mn2xgxinventedcustomer"
    assert (product_code_of(subscription), seed_of(subscription)) == (None, None)


def test_a_bucket_bears_the_seed_of_its_run():
    """At its end; in the later layout folder and bucket have the two halves in opposite order."""
    assert bears_seed(BUCKET, SEED)
    assert not bears_seed(BUCKET, OTHER_SEED)
    assert bears_seed("lae-subscription-customer", "customer-subscription")
    assert not bears_seed("lae-customer-subscription", "customer-other")


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


# -- csv rows ------------------------------------------------------------------------------------------------

# The two oldest dialects tell the customer's address nowhere in the log.
SILENT = log("mail", deployment=deployment().replace(f"instance_name = '{EMAIL}'\n\n", ""))


def test_the_program_records_what_the_log_does_not_tell(tmp_path):
    """Without an address in the log, signups.csv and the form tell it together."""
    case = open_files(tmp_path, evidence(log=SILENT))
    assert (signup_row(case)["customer_email"], audit_row(case)["verdict"]) == (EMAIL, "RECOVERABLE")
    assert "unconfirmed-email" not in codes(case)


def test_an_address_of_the_form_alone_is_not_confirmed(tmp_path):
    """Anybody could have typed it: it is told, with a finding."""
    case = open_files(tmp_path, evidence(log=SILENT, results=None))
    assert signup_row(case)["customer_email"] == EMAIL
    assert "unconfirmed-email" in codes(case)
    (account,) = case.judgement.accounts
    assert not account.email_confirmed


def test_a_row_that_claims_a_key_with_another_address_is_left_out(tmp_path):
    """The log tells the address: a row of the key with another one says nothing about this customer."""
    rows = request(email="eve@example.org", name="Eve", info="0xEEEE") + request()
    case = open_files(tmp_path, evidence(requests=rows))
    row = signup_row(case)
    assert (row["customer_email"], row["customer_name"], row["customer_keyinfo"]) == (EMAIL, "Ann", None)
    assert "csv-contradicts-log" in codes(case, "customer_email")


def test_a_row_that_claims_a_key_with_another_product_is_left_out(tmp_path):
    """The bucket tells the product code."""
    case = open_files(tmp_path, evidence(requests=request(code="FFFF0000", name="Eve") + request()))
    row = signup_row(case)
    assert (row["product_code"], row["customer_name"]) == (CODE, "Ann")
    assert "csv-contradicts-log" in codes(case, "product_code")


def test_a_row_of_another_time_is_not_of_this_run(tmp_path):
    """A run begins in the seconds of its request; a request of years later is somebody else's, whatever its key."""
    case = open_files(tmp_path, evidence(log=SILENT, requests=request(when="2014-01-01T00:00:00Z"), results=None))
    row = signup_row(case)
    assert (row["customer_email"], row["customer_name"]) == (None, None)


def test_an_empty_key_info_of_the_program_is_believed_over_the_form(tmp_path):
    """signups.csv says that there was none: a forged request of the same second cannot give the customer a key."""
    case = open_files(tmp_path, evidence(requests=request(info="0xDEAD") + request()))
    assert signup_row(case)["customer_keyinfo"] is None


def test_a_result_that_is_two_rows_glued_is_not_believed(tmp_path):
    """A torn row that ends with another customer's fields has the right number of them, but not this customer's."""
    other = request(key=KEY[::-1], email="eve@example.org", name="Eve", when="2012-04-21T08:00:00Z")
    torn = result(email="eve@example.org", name="Ann")
    row = signup_row(open_files(tmp_path, evidence(log=SILENT, requests=request() + other, results=torn)))
    assert row["customer_email"] in (None, EMAIL)


def test_a_result_with_a_hole_is_not_sure(tmp_path):
    """A name that is its own request's with a stretch lost is neither's."""
    case = open_files(tmp_path, evidence(requests=request(name="Ann Example"), results=result(name="Ample")))
    assert signup_row(case)["customer_name"] is None
    assert "damaged-row" in codes(case, "customer_name")


def test_without_its_head_a_log_finds_the_one_request_of_its_second(tmp_path):
    """No activation key is left: the file's time and the bucket's product name the row."""
    headless = log("started", "activation")
    case = open_files(tmp_path, evidence(log=headless))
    row = signup_row(case)
    assert (row["customer_name"], row["activation_key"]) == ("Ann", KEY)
    two = request() + request(key=KEY[::-1], name="Bea", email="bea@example.org")
    row = signup_row(
        open_files(tmp_path / "two", evidence(log=headless.replace(EMAIL.encode(), b"x"), requests=two, secrets=None))
    )
    assert row["customer_name"] is None


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


def test_the_bucket_decides_over_the_name(tmp_path):
    """Where the bucket tells the code, a product of the log's name but of another code is not this customer's."""
    other = {**PRODUCT, "product_code": "FFFF0000", "product_token": OTHER_TOKEN}
    case = open_files(tmp_path, evidence(secrets=None, config=config(other)))
    assert (signup_row(case)["product_token"], audit_row(case)["verdict"]) == (None, "INCOMPLETE")


# -- files under the wrong name ------------------------------------------------------------------------------


def test_a_log_under_another_name_is_read_by_its_text(tmp_path):
    """Renamed as a whole, with csv rows that tie it together: its own values, and a finding."""
    files = evidence(secrets=None)
    files[f"signup_logs/{OTHER_NAME}"] = files.pop(LOG_FILE)
    case = open_files(tmp_path, files)
    row = signup_row(case, f"signup_logs/{OTHER_NAME}")
    assert (row["bucket_name"], row["user_secret_key"]) == (BUCKET, SECRET_KEY)
    assert "renamed-log" in codes(case)


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
