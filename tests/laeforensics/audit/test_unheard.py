"""A damaged secrets file blocks an account for what it alone could have told, and for nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from makings import (
    BUCKET,
    NAME,
    OTHER_NAME,
    OTHER_SEED,
    PRODUCT_TOKEN,
    SEED,
    as_another,
    audit_row,
    codes,
    evidence,
    log,
    open_files,
    re_record,
    request,
    secrets,
)

ANOTHER_TOKEN = "{ProductToken}AAAHUHJvZHVjdANOTHER1=="
SECRETS_FILE = f"secrets/{NAME}"
OTHER_FILE = f"secrets/{OTHER_NAME}"


def without_head(data: bytes, size: int = 16) -> bytes:
    return bytes(size) + data[size:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "its first bytes are zero": without_head,
    "its first bytes are another file's": lambda data: b"From: somebody\n\n" + data[16:],
    "another customer's follows": lambda data: data + as_another(data),
    "another's object before it, on one line": lambda data: as_another(data).strip() + data,
    "its end is cut off": lambda data: data[: len(data) - 200],
    "its last bytes are zero": lambda data: data[:-200] + bytes(200),
}
LOSING_THE_TOKEN: dict[str, Callable[[bytes], bytes]] = {
    "its first half is zero": lambda data: without_head(data, len(data) // 2),
    "all of it is zero": lambda data: bytes(len(data)),
    "cut off before the token": lambda data: data[: data.index(b'"product_token"')],
    "cut off within the token": lambda data: data[: data.index(b'"product_token"') + 40],
    "zeros where the token was": lambda data: zeroed(data, b"product_token"),
    "zeros within the token": lambda data: zeroed(data, b"ProductToken}AAAHUH"),
    "zeros at the beginning and where the token was": lambda data: without_head(zeroed(data, b"product_token")),
}


def zeroed(data: bytes, where: bytes) -> bytes:
    """A hole of sixteen bytes, wherever a file is that large."""
    at = data.index(where)
    return data[:at] + bytes(16) + data[at + 16 :]


def two_customers(**changed: object) -> dict[str, bytes]:
    """Two customers of one product, the second of whom is sound."""
    files = evidence(requests=request() + as_another(request()))
    files |= {f"signup_logs/{OTHER_NAME}": as_another(log()), OTHER_FILE: as_another(secrets())}
    return files | {SECRETS_FILE: secrets(**changed)}


@pytest.mark.parametrize("how", DAMAGES)
def test_what_log_and_file_still_tell_is_enough(how, tmp_path):
    """The log told the keys, what can still be read in the file the product's token: the verdict stands."""
    files = two_customers()
    files[SECRETS_FILE] = DAMAGES[how](files[SECRETS_FILE])
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["verdict"], row["blocking"]) == ("RECOVERABLE", ())
    assert {"damaged-secrets", "unread-evidence"} & codes(case) == {"damaged-secrets"}


def lines(told: dict[str, object], form: str) -> bytes:
    """Its texts of one line, a line each; keys of nodes would take several."""
    texts = [(key, value) for key, value in told.items() if isinstance(value, str) and "\n" not in value]
    return "".join(f"{form.format(key=key, value=value)}\n" for key, value in texts).encode()


NOTATIONS: dict[str, Callable[[dict[str, object]], bytes]] = {
    "lines with colons": lambda told: lines(told, "{key}: {value}"),
    "variables": lambda told: lines({key.upper(): value for key, value in told.items()}, "export {key}='{value}'"),
    "Python": lambda told: repr(told).encode(),
    "within an object": lambda told: json.dumps({"account": told}).encode(),
    "as a text within JSON": lambda told: json.dumps(json.dumps(told)).encode(),
}


@pytest.mark.parametrize("notation", NOTATIONS)
def test_what_was_saved_in_another_notation_speaks_for_the_account(notation, tmp_path):
    """What its lines tell was looked at, and the log told it; it asserts nothing, and what differs blocks."""
    files = two_customers()
    files[SECRETS_FILE] = NOTATIONS[notation](json.loads(files[SECRETS_FILE]))
    assert audit_row(open_files(tmp_path / "1", files))["verdict"] == "RECOVERABLE"
    told = json.loads(two_customers(product_token=ANOTHER_TOKEN)[SECRETS_FILE])
    files[SECRETS_FILE] = NOTATIONS[notation](told)
    assert audit_row(open_files(tmp_path / "2", files))["blocking"] == (f"unread:{SECRETS_FILE}",)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_later_server_in_another_notation_is_told_of(notation, tmp_path):
    """Its file names the bucket: the older server's address is not sure any more."""
    later = json.loads(secrets(publichost="192.0.2.99", bucket_name=BUCKET))
    files = evidence() | {f"secrets/2013{OTHER_NAME[4:]}": NOTATIONS[notation](later)}
    assert audit_row(open_files(tmp_path, files))["public_host"] is None


@pytest.mark.parametrize("kind", ["secrets", "signup_logs"])
def test_a_file_that_spells_a_bucket_in_what_nobody_can_read_blocks_it(kind, tmp_path):
    """Whatever its own name says: it may be a replacement's."""
    path = f"{kind}/{OTHER_NAME}"
    files = evidence() | {path: f"\x02\x17 nothing known \x01 {BUCKET}\n".encode() * 3}
    assert audit_row(open_files(tmp_path, files))["blocking"] == (f"unread:{path}",)


@pytest.mark.parametrize("how", LOSING_THE_TOKEN)
@pytest.mark.parametrize("token", [PRODUCT_TOKEN, ANOTHER_TOKEN])
def test_a_token_that_the_file_alone_told_is_missed(how, token, tmp_path):
    """The configuration offers one, but the file may have told another: nobody can say that it did not."""
    files = two_customers(product_token=token)
    files[SECRETS_FILE] = LOSING_THE_TOKEN[how](files[SECRETS_FILE])
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["verdict"], row["blocking"]) == ("INCOMPLETE", (f"unread:{SECRETS_FILE}",))
    assert any(f.code == "unread-evidence" and f.signup == SECRETS_FILE for f in case.judgement.findings)
    assert audit_row(case, BUCKET.replace(SEED, OTHER_SEED))["verdict"] == "RECOVERABLE"


@pytest.mark.parametrize("how", LOSING_THE_TOKEN)
def test_a_token_that_was_read_out_of_the_server_as_well_is_not_missed(how, tmp_path):
    """A re-record tells it by itself: what the damaged file told of it is known."""
    files = evidence(secrets=LOSING_THE_TOKEN[how](secrets()))
    files |= {f"signup_logs/{OTHER_NAME}": re_record(), OTHER_FILE: secrets()}
    assert audit_row(open_files(tmp_path, files))["verdict"] == "RECOVERABLE"


def test_what_a_damaged_file_lost_can_be_set_aside(tmp_path):
    """A human who knows that the product had one token says so, and the account is recoverable."""
    files = two_customers()
    files[SECRETS_FILE] = files[SECRETS_FILE][:60]
    case = open_files(tmp_path, files)
    case.judgement.set_aside(SECRETS_FILE, who="Ann", because="the product had one token")
    assert audit_row(case)["verdict"] == "RECOVERABLE"


@pytest.mark.parametrize("field", ["access_key_id", "secret_key", "user_token", "product_token", "bucket_name"])
def test_what_can_still_be_read_and_speaks_against_the_account_blocks_it(field, tmp_path):
    """A file whose head is lost asserts nothing, and is not passed over either."""
    told = {
        "access_key_id": "AKIAANOTHERKEYOFALL2",
        "secret_key": "another/secret+key/of+forty/characters/x",
        "user_token": "{UserToken}AAAHVXNlclRrbgANOTHER1==",
        "product_token": ANOTHER_TOKEN,
        "bucket_name": f"lae-abcd0123-{OTHER_SEED}",
    }
    files = two_customers(**{field: told[field]})
    files[SECRETS_FILE] = without_head(b" " * 16 + files[SECRETS_FILE])
    assert audit_row(open_files(tmp_path, files))["blocking"] == (f"unread:{SECRETS_FILE}",)


def test_what_only_the_damaged_file_could_tell_is_missing(tmp_path):
    """Without a log nothing tells the keys, and nothing that stands behind the damage is believed."""
    files = two_customers()
    del files[f"signup_logs/{NAME}"]
    files[SECRETS_FILE] = without_head(files[SECRETS_FILE])
    case = open_files(tmp_path, files)
    assert BUCKET not in set(case.audit.account_id)
    assert any(f.signup == SECRETS_FILE and f.severity == "blocking" for f in case.judgement.findings)


@pytest.mark.parametrize(
    "joined", [lambda *o: b"[" + b",".join(o) + b"]", lambda *o: b"\n".join(o)], ids=["list", "lines"]
)
def test_a_file_of_several_customers_tells_each_what_is_its_own(joined, tmp_path):
    """Somebody put all secrets into one file: the token of the other customer says nothing for this one."""
    files = two_customers()
    both = [files.pop(name).strip() for name in (SECRETS_FILE, OTHER_FILE)]
    files["secrets.json"] = joined(*both)
    case = open_files(tmp_path / "1", files)
    assert audit_row(case)["verdict"] == "RECOVERABLE"
    (said,) = (f for f in case.judgement.findings if f.code == "damaged-secrets")
    assert "put each object into a file of its own" in said.remedy
    files["secrets.json"] = joined(secrets(product_token=ANOTHER_TOKEN).strip(), both[1])
    assert audit_row(open_files(tmp_path / "2", files))["blocking"] == ("unread:secrets.json",)


def test_a_log_that_begins_with_a_piece_of_a_secrets_file_is_a_log(tmp_path):
    """Its first sector was overwritten; what the file holds behind it tells what it is."""
    piece = secrets()[200:] * 3
    files = evidence(log=piece[:4096] + log())
    case = open_files(tmp_path, files)
    assert audit_row(case)["verdict"] == "RECOVERABLE"
    assert "renamed-file" not in codes(case)
