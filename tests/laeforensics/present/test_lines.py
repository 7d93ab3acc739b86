"""Lines of the evidence as they are shown: every secret masked, what is none in the open."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    FURL,
    INTRODUCER,
    LOG_FILE,
    NAME,
    PRODUCT_TOKEN,
    SECRET_KEY,
    STORAGE,
    USER_TOKEN,
    evidence,
    log,
    open_files,
    secrets,
)

import laeforensics as lf
from laeforensics.present.lines import excerpts, lines
from laerecover.manifest import Secret

SECRETS = [SECRET_KEY, USER_TOKEN, PRODUCT_TOKEN, FURL.rpartition("/")[2]]
PEMS = [line for pem in (INTRODUCER.pem, STORAGE.pem) for line in pem.split("\n") if line and "-----" not in line]


def every_line(case: lf.Case, file: str) -> list[str]:
    return list(lines(case.judgement, file, range(1, 1 << 40)).values())


def test_no_line_of_any_file_shows_a_secret(tmp_path):
    """Keys, tokens, furls, node.pem line by line: none is in any line of any file, nor in any excerpt."""
    case = open_files(tmp_path, evidence())
    shown = [line for file, _ in case.judgement.reading.files for line in every_line(case, file.name)]
    witnesses = [f.locator for s in case.judgement.signups for some in s.witnesses.values() for f in some]
    shown += map(str, excerpts(case.judgement, witnesses).values())
    told = "\n".join(shown)
    assert [secret for secret in [*SECRETS[:3], *PEMS] if secret in told] == []
    assert "pb://" not in told
    assert repr(Secret(SECRET_KEY)) in told
    assert BUCKET in told and ACCESS_KEY_ID in told


def test_a_line_is_shown_with_its_value_in_its_place(tmp_path):
    """What was read and is no secret stands as it stands there; a secret is its fingerprint."""
    case = open_files(tmp_path, evidence())
    shown = every_line(case, LOG_FILE)
    raw = log().decode().split("\n")
    assert f"access_key_id = '{ACCESS_KEY_ID}'" in shown
    assert f"secret_key = '{Secret(SECRET_KEY)!r}'" in shown
    assert shown[0] == raw[0]
    assert len(shown) == len(raw)


CUT = SECRET_KEY[:19]
LOOSE = "\n".join([f"secret_key = '{CUT}", f"sexret_key = '{CUT}'", *INTRODUCER.pem.split("\n")[-9:], "", "Bye", ""])


def test_what_damage_left_of_a_secret_is_masked(tmp_path):
    """A key cut short, one whose name is damaged, the end of a node.pem whose beginning is lost."""
    case = open_files(tmp_path, evidence(log=log(mail=LOOSE)))
    told = "\n".join(every_line(case, LOG_FILE))
    assert CUT not in told
    pem = [line for line in INTRODUCER.pem.split("\n")[-9:] if len(line) >= 8 and "-----" not in line]
    assert [line for line in pem if line in told] == []
    assert "Bye" in told


@pytest.mark.parametrize("kind", ["plain", "gz", "utf-16", "zip"])
def test_lines_of_files_that_are_packed_or_converted(kind, tmp_path):
    """As they are inside, masked alike."""
    files = evidence()
    if kind == "gz":
        files[f"{LOG_FILE}.gz"] = gzip.compress(files.pop(LOG_FILE))
    elif kind == "utf-16":
        files[LOG_FILE] = files[LOG_FILE].decode().encode("utf-16")
    elif kind == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(NAME, files.pop(LOG_FILE))
        files["signup_logs/all.zip"] = packed.getvalue()
    case = open_files(tmp_path, files)
    (name,) = (log.evidence for log in case.judgement.reading.logs)
    told = "\n".join(every_line(case, name))
    assert "Subscription verified." in told
    assert [secret for secret in [*SECRETS[:3], *PEMS] if secret in told] == []


def test_a_file_that_changed_shows_nothing(tmp_path):
    """Places are those of the bytes that were read."""
    case = open_files(tmp_path, evidence())
    (case.root / LOG_FILE).write_bytes(b"another\n")
    assert lines(case.judgement, LOG_FILE, range(1, 2)) == {}
    assert case.judgement.reading.files


def test_marks_in_the_evidence_are_no_marks_of_ours(tmp_path):
    """The characters that hold a value's place are escaped where the evidence itself has them."""
    case = open_files(tmp_path, evidence(log=log(installing=">x = '\ue0000\ue001'\n\ue0007\ue001 \x1b[2J\n")))
    told = "\n".join(every_line(case, LOG_FILE))
    assert "\ue000" not in told and "\x1b" not in told
    assert "\\ue0007" in told


def test_an_excerpt_is_cut_around_its_value(tmp_path):
    """A secrets file is one long line: what is shown of it is what stands around the value."""
    body = json.loads(secrets())
    case = open_files(tmp_path, evidence(secrets=json.dumps({"a": "x " * 300, **body}).encode()))
    fact = next(
        f
        for s in case.judgement.signups
        for f in s.witnesses_of("user_access_key_id")
        if f.locator.evidence.startswith("secrets/")
    )
    (found,) = excerpts(case.judgement, [fact.locator]).values()
    assert found.value == ACCESS_KEY_ID
    assert len(str(found)) < 200
