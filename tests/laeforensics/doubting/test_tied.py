"""One thing that cannot be right makes all that was written with it unsure; a second witness makes it sure again."""

from __future__ import annotations

import json

import pytest
from makings import (
    ACCESS_KEY_ID,
    HOST,
    INTRODUCER,
    NAME,
    OTHER_NAME,
    OTHER_NODE,
    PARTS,
    SECRET_KEY,
    SEED,
    STORAGE,
    USER_TOKEN,
    as_another,
    audit_row,
    config,
    evidence,
    hear_secrets,
    identities_read,
    log,
    open_files,
    read,
    secrets,
)

OTHERS = {"access_key_id": ACCESS_KEY_ID[::-1], "server_node_pem": OTHER_NODE.pem, "server_nodeid": OTHER_NODE.nodeid}
MIXED = INTRODUCER.pem.partition("-----BEGIN RSA")[0] + STORAGE.pem[STORAGE.pem.index("-----BEGIN RSA") :]
SIGNS = {
    "a key that does not fit its certificate": {"introducer_node_pem": MIXED},
    "a host that is not the furl's": {"publichost": "198.51.100.9"},
    "a node id that is not the certificate's": {"introducer_nodeid": OTHER_NODE.nodeid},
}


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
def test_a_secrets_file_with_a_sector_of_another_s_tells_nothing_that_the_log_contradicts(sign, tmp_path):
    """The log's own key and the identity that it read back win; what the other customer's sector brought does not."""
    files = evidence(log=log(running=PARTS["running"] + identities_read()), secrets=secrets(**OTHERS, **sign))
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert row["user_access_key_id"] == ACCESS_KEY_ID
    assert row["verdict"] == "RECOVERABLE"
    account = case.judgement.accounts[0]
    assert account.values["server_node_pem"] == STORAGE.pem


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
def test_alone_such_a_file_asserts_no_key(sign, tmp_path):
    """A human sees what it tells, and decides."""
    files = {path: data for path, data in evidence(secrets=secrets(**OTHERS, **sign)).items() if "logs/" not in path}
    row = audit_row(open_files(tmp_path, files))
    assert row["verdict"] == "CONTESTED"
    assert row["user_access_key_id"] is None
    assert "contested:user_secret_key" in row["blocking"]


def test_all_of_a_damaged_print_is_unsure():
    """Whatever line of a print was overwritten: a sector of another print may have brought the other lines."""
    values = {"user_access_key_id": ACCESS_KEY_ID, "user_secret_key": SECRET_KEY, "user_token": USER_TOKEN}
    for broken, value in values.items():
        told = read(log(credentials=PARTS["credentials"].replace(f"'{value}'", f"'{value[:9]}")))
        hearing = told.signup.hearing
        for name in values.keys() - {broken}:
            torn = {each.print for each in told.log.damaged_values}
            facts = [f for f in told.log.facts if f.field == name and f.print in torn]
            assert facts
            assert hearing.sure(facts) == [], (broken, name)
            assert hearing.asserting(facts) == facts, (broken, name)


def test_zeros_bring_nothing_of_another_s():
    """A hole takes a line away, and ties nothing to a stranger."""
    credentials = PARTS["credentials"].replace(SECRET_KEY[4:20], "\0" * 16)
    told = read(log(credentials=credentials))
    assert "user_secret_key" in told.damaged_fields
    assert [fact.value for fact in told.signup.sure("user_access_key_id")] == [ACCESS_KEY_ID]


def test_a_letter_of_a_node_id_is_a_misprint_and_no_sector():
    """No other certificate hashes to almost the same: the key is right, and so is what stands beside it."""
    flipped = STORAGE.nodeid[:-1] + ("a" if STORAGE.nodeid[-1] != "a" else "b")
    told = hear_secrets(secrets(server_nodeid=flipped))
    assert told.value("server_nodeid") is None
    assert told.value("server_node_pem") == STORAGE.pem
    assert told.value("public_host") == HOST


def test_hosts_beside_the_furl_of_another_account_are_not_sure(tmp_path):
    """Server and furls of another stand among the customer's keys: all of the other's own stays sure."""
    theirs = json.loads(as_another(secrets()))
    names = ("publichost", "privatehost", "external_introducer_furl", "internal_introducer_furl")
    mixed = secrets(**{name: theirs[name] for name in names})
    files = {
        f"secrets/{NAME}": mixed,
        f"secrets/{OTHER_NAME}": as_another(secrets()),
        "lae_automation_config.json": config(),
    }
    case = open_files(tmp_path, files)
    row, other = audit_row(case), audit_row(case, theirs["bucket_name"])
    assert (row["public_host"], row["introducer_furl"], row["user_secret_key"]) == (None, None, SECRET_KEY)
    assert (other["verdict"], other["public_host"]) == ("RECOVERABLE", theirs["publichost"])
    assert other["introducer_furl"] == theirs["external_introducer_furl"]


def test_beside_the_hosts_of_another_nothing_is_told_of_an_older_server(tmp_path):
    """Whose log is lost: the server of that file may be the one that counts."""
    theirs = json.loads(as_another(secrets()))
    names = ("publichost", "privatehost", "external_introducer_furl", "internal_introducer_furl")
    mixed = secrets(**{name: theirs[name] for name in names})
    later = f"secrets/2012-06-01T080000Z-{SEED[::-1]}"
    files = {**evidence(), later: mixed, f"secrets/{OTHER_NAME}": as_another(secrets())}
    row = audit_row(open_files(tmp_path, files))
    assert (row["verdict"], row["public_host"], row["instance_id"]) == ("RECOVERABLE", None, None)


BLACKINGS = ["****", "####", "<removed>", "[REDACTED]", "redacted", "xxxx", "ab…yz", "AKIAxxxxxxxxxxxxABCD", "????????"]


def told_of_the_key(case) -> tuple[set[str], set[str]]:
    """The codes of what is found at the secret key, the reasons for which anything is doubted."""
    found = case.findings
    return set(found[found.field == "user_secret_key"].code) - {"missing-field"}, set(case.doubts.reason)


@pytest.mark.parametrize("text", BLACKINGS)
def test_what_was_blacked_out_in_a_log_is_no_damage_and_ties_nothing(text, tmp_path):
    """A mark or a word in the place of a key: it is none, and what stands beside it is the customer's own."""
    whole = log(credentials=PARTS["credentials"].replace(SECRET_KEY, text))
    files = {path: data for path, data in evidence(log=whole).items() if "secrets/" not in path}
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert told_of_the_key(case) == ({"redacted"}, set())
    assert (row["user_access_key_id"], row["verdict"]) == (ACCESS_KEY_ID, "INCOMPLETE")
    assert row["blocking"] == ("missing:user_secret_key",)


@pytest.mark.parametrize("text", BLACKINGS)
def test_what_was_blacked_out_in_a_secrets_file_is_no_damage(text, tmp_path):
    """The log beside it tells the key: the account is whole."""
    case = open_files(tmp_path, evidence(secrets=secrets(secret_key=text)))
    assert told_of_the_key(case)[0] == {"redacted"}
    assert audit_row(case)["verdict"] == "RECOVERABLE"


@pytest.mark.parametrize("text", ["", SECRET_KEY[:-1] + "!", SECRET_KEY[:20], SECRET_KEY + "x"])
def test_what_nobody_blacked_out_is_damage(text, tmp_path):
    """A letter that no key has, or too few or too many of them."""
    case = open_files(tmp_path, evidence(secrets=secrets(secret_key=text)))
    assert told_of_the_key(case)[0] == {"damaged-secrets"}
