"""A damaged secrets file blocks an account for what it alone could have told, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from makings import (
    BUCKET,
    NAME,
    OTHER_NAME,
    OTHER_SEED,
    as_another,
    audit_row,
    codes,
    evidence,
    log,
    open_files,
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
    "its first half is zero": lambda data: without_head(data, len(data) // 2),
    "another customer's follows": lambda data: data + as_another(data),
    "another's object before it, on one line": lambda data: as_another(data).strip() + data,
    "all of it is zero": lambda data: bytes(len(data)),
}


def two_customers(**changed: object) -> dict[str, bytes]:
    """Two customers of one product, the second of whom is sound."""
    files = evidence(requests=request() + as_another(request()))
    files |= {f"signup_logs/{OTHER_NAME}": as_another(log()), OTHER_FILE: as_another(secrets())}
    return files | {SECRETS_FILE: secrets(**changed)}


@pytest.mark.parametrize("how", DAMAGES)
def test_what_log_and_product_tell_is_enough(how, tmp_path):
    """The log told the keys, another customer's secrets confirm the product's token: nothing is lost but the nodes."""
    files = two_customers()
    files[SECRETS_FILE] = DAMAGES[how](files[SECRETS_FILE])
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["verdict"], row["blocking"]) == ("RECOVERABLE", ())
    assert {"damaged-secrets", "unread-evidence"} & set(codes(case)) == {"damaged-secrets"}


@pytest.mark.parametrize("how", [how for how in DAMAGES if "another" not in how])
def test_a_token_that_nothing_confirms_waits_for_the_file(how, tmp_path):
    """Only the configuration offers the product's token, and the file that was lost told another one."""
    files = evidence(secrets=DAMAGES[how](secrets(product_token=ANOTHER_TOKEN)))
    if "half" in how:
        files[SECRETS_FILE] = files[SECRETS_FILE].replace(ANOTHER_TOKEN.encode(), bytes(len(ANOTHER_TOKEN)))
    case = open_files(tmp_path, files)
    row = audit_row(case)
    assert (row["verdict"], row["blocking"]) == ("INCOMPLETE", (f"unread:{SECRETS_FILE}",))
    assert any(f.code == "unread-evidence" and f.signup == SECRETS_FILE for f in case.judgement.findings)


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


def test_a_log_that_begins_with_a_piece_of_a_secrets_file_is_a_log(tmp_path):
    """Its first sector was overwritten; what the file holds behind it tells what it is."""
    piece = secrets()[200:] * 3
    files = evidence(log=piece[:4096] + log())
    case = open_files(tmp_path, files)
    assert audit_row(case)["verdict"] == "RECOVERABLE"
    assert "renamed-file" not in codes(case)
