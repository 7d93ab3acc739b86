"""Whatever is taken from the evidence, hidden, locked or cut: no account gains by it in silence."""

from __future__ import annotations

import functools
import io
import random
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import laeforensics as lf
from laeforensics.evidence import custody
from laerecover.manifest import Secret

EVIDENCE = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
FILES = sorted(path.relative_to(EVIDENCE).as_posix() for path in EVIDENCE.rglob("*") if path.is_file())
VERDICTS = ("ABANDONED", "UNFINISHED", "CONTESTED", "INCOMPLETE", "RECOVERABLE")
GRADES = (None, "NEW_STORAGE_IDENTITY", "NEW_FURL", "IDENTITY_KEPT")
# Values by which a customer's data is reached, or the customer.
VALUES = (
    "bucket_name",
    "user_access_key_id",
    "user_secret_key",
    "user_token",
    "product_token",
    "customer_email",
    "customer_keyinfo",
    "introducer_furl",
    "introducer_node_pem",
    "server_node_pem",
)
SAMPLE = random.Random(2012).sample(FILES, 12)


def _locked_zip(data: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("secret", data)
    changed = bytearray(target.getvalue())
    changed[6] |= 1
    changed[changed.find(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _move(path: Path, name: str) -> None:
    target = path.parent / name
    target.parent.mkdir(exist_ok=True, parents=True)
    path.rename(target)


def _dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all")


WAYS: dict[str, Callable[[Path], None]] = {
    "a hidden name": lambda path: _move(path, f".{path.name}"),
    "a suffix": lambda path: _move(path, f"{path.name}.bak"),
    "upper case": lambda path: _move(path, path.name.upper()),
    "another folder": lambda path: _move(path, f"old stuff/{path.name}"),
    "a carver's name": lambda path: _move(path, "f0012345.txt"),
    "encrypted": lambda path: _rewrite(
        path, lambda data: b"-----BEGIN PGP MESSAGE-----\n\n" + data[::-1].hex().encode()
    ),
    "a locked zip": lambda path: _rewrite(path, _locked_zip),
    "another packing": lambda path: _rewrite(path, lambda data: b"7z\xbc\xaf\x27\x1c" + bytes(32)),
    "cut in the middle": lambda path: _rewrite(path, lambda data: data[: len(data) // 2]),
    "cut to nothing": lambda path: _rewrite(path, lambda data: b""),
    "overwritten by noise": lambda path: _rewrite(path, lambda data: random.Random(5).randbytes(len(data))),
    "overwritten by zeros": lambda path: _rewrite(path, lambda data: bytes(len(data))),
    "a dangling link": _dangle,
    "taken away": Path.unlink,
}


def _rows(case: lf.Case) -> dict[str, dict[str, Any]]:
    return {row["account_id"]: row for row in case.audit.to_dict("records")}


@functools.cache
def _before() -> dict[str, dict[str, Any]]:
    return _rows(lf.open_case(EVIDENCE, folder=EVIDENCE.with_name("no-case")))


def _plain(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def gains(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What an account has gained: a better verdict, a better grade, another value."""
    told = []
    if VERDICTS.index(after["verdict"]) > VERDICTS.index(before["verdict"]):
        told.append(f"{before['verdict']} became {after['verdict']}")
    if GRADES.index(after["grade"]) > GRADES.index(before["grade"]):
        told.append(f"{before['grade']} became {after['grade']}")
    for name in VALUES:
        was, is_now = _plain(before[name]), _plain(after[name])
        if is_now is not None and is_now != was:
            told.append(f"{name} became another")
    return told


def _names(case: lf.Case, name: str) -> bool:
    """True if a blocking finding names the file, by its name of today or by the run's that it bears."""
    # What is cut to nothing cannot be told from what never was filled: there a warning is all that can be said.
    stamp, warned = Path(name).name.lower(), ("emptied-secrets", "empty-log")
    said = [f for f in case.judgement.findings if f.severity == "blocking" or f.code in warned]
    texts = [f"{f.signup} {f.message} {f.locators}".lower() for f in said]
    return any(stamp in text or "f0012345" in text for text in texts)


def judge(name: str, how: str, folder: Path) -> list[str]:
    """What was gained in silence, if one file fares like that."""
    evidence = shutil.copytree(EVIDENCE, folder / "evidence")
    if how == "taken away":
        read = lf.open_case(evidence).judgement.reading
        custody.keep([*read.files, *read.archives], folder / "evidence.case", now=datetime.now(UTC), program="a test")
    WAYS[how](evidence / name)
    case = lf.open_case(evidence)
    after = _rows(case)
    found = [f"{key}: {gain}" for key, row in after.items() if key in _before() for gain in gains(_before()[key], row)]
    found += [
        f"{key} is new and recoverable" for key in after.keys() - _before() if after[key]["verdict"] == "RECOVERABLE"
    ]
    return [] if _names(case, name) else found


@pytest.mark.parametrize("how", WAYS)
def test_loss_is_loud(how, tmp_path):
    """One file in ten fares like that: nothing is gained without a blocking finding that names it."""
    names = random.Random(how).sample(FILES, 4)
    assert [(name, gain) for n, name in enumerate(names) for gain in judge(name, how, tmp_path / str(n))] == []


@pytest.mark.thorough
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", FILES)
def test_every_loss_is_loud(name, how, tmp_path):
    """Every file, in every way."""
    assert judge(name, how, tmp_path) == []


def test_gains_are_seen():
    """The measure itself: what rises, and what changes, is told."""
    row = dict.fromkeys(VALUES) | {"verdict": "CONTESTED", "grade": "NEW_FURL"}
    assert gains(row, row) == []
    assert len(gains(row, row | {"verdict": "RECOVERABLE", "grade": "IDENTITY_KEPT", "user_secret_key": "x"})) == 3
