"""Evidence that lies in another place, or under another name, is read; what it says stands as it would at home."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    LOG_FILE,
    NAME,
    OTHER_NAME,
    audit_row,
    codes,
    config,
    evidence,
    log,
    open_files,
    request,
    result,
    revealed,
    secrets,
)
from packings import PACK, write

import laeforensics as lf

Files = dict[str, bytes]
SECRETS_FILE = f"secrets/{NAME}"
ANOTHER_TOKEN = "{ProductToken}AAAHUHJvZHVjdANOTHER1=="
VALUES = (
    "verdict",
    "grade",
    "user_access_key_id",
    "user_secret_key",
    "user_token",
    "introducer_furl",
    "server_node_pem",
)


def contested() -> Files:
    """A customer whose secrets file and configuration differ: without either the account would be recoverable."""
    return evidence(secrets=secrets(product_token=ANOTHER_TOKEN))


def judged(folder, files: Files) -> dict[str, object]:
    row = audit_row(open_files(folder, files))
    return {name: revealed(row[name]) for name in VALUES} | {"blocking": row["blocking"]}


def renamed(names: Callable[[str], str]) -> Callable[[Files], Files]:
    return lambda files: {names(name): data for name, data in files.items()}


def of_secrets(base: str, folder: str = "secrets") -> Callable[[Files], Files]:
    return renamed(lambda name: f"{folder}/{base.format(NAME)}" if name == SECRETS_FILE else name)


def of_log(name: str) -> Callable[[Files], Files]:
    return renamed(lambda old: name.format(NAME) if old == LOG_FILE else old)


def flat(files: Files) -> Files:
    """One folder for all; of two that are called alike one bears a number."""
    found: Files = {}
    for name, data in files.items():
        base = name.rpartition("/")[2]
        found[base if base not in found else f"{base} (2)"] = data
    return found


def carved(pattern: str) -> Callable[[Files], Files]:
    return lambda files: {pattern.format(7 * n + 1000): data for n, data in enumerate(files.values())}


def encoded(encoding: str, mark: bytes) -> Callable[[Files], Files]:
    return lambda files: {name: mark + data.decode().encode(encoding) for name, data in files.items()}


KEEPING_THE_STAMP: dict[str, Callable[[Files], Files]] = {
    "lower case": renamed(str.lower),
    "upper case": renamed(str.upper),
    "mixed case of folders": renamed(str.title),
    "a suffix .txt": of_secrets("{}.txt"),
    "a suffix .TXT": of_secrets("{}.TXT"),
    "a suffix .json": of_secrets("{}.json"),
    "an editor's copy": of_secrets("{}~"),
    "a hidden copy": of_secrets(".{}.swp"),
    "a download once more": of_secrets("{} (1)"),
    "a copy of a file manager": of_secrets("Copy of {}"),
    "another such copy": of_secrets("{} - Copy"),
    "in Spanish": of_secrets("{} (copia)"),
    "a conflict": of_secrets("{}.sync-conflict-20140712-101112-ABCDEFG"),
    "a version of a share": of_secrets("{}_OLD"),
    "a mail's attachment": of_secrets("attachment-{}.dat"),
    "a renamed folder": of_secrets("{}", "secrets.bak"),
    "another word": of_secrets("{}", "keys"),
    "a deep folder": of_secrets("{}", "backup/2014/home/www/secrets-old"),
    "a copied folder": of_secrets("{}", "secrets (1)"),
    "beside its log": of_secrets("{}.secrets", "signup_logs"),
    "a log with a suffix": of_log("signup_logs/{}.log"),
    "a log in another folder": of_log("logs/{}"),
    "a log among the secrets": of_log("secrets/{}.log"),
    "one flat folder": flat,
    "everything below a folder with a stamp": renamed(lambda name: f"2014-backup/{name}"),
}
LOSING_THE_STAMP: dict[str, Callable[[Files], Files]] = {
    "photorec": carved("recup_dir.1/f{:07d}.txt"),
    "lost+found": carved("lost+found/#{}"),
    "scalpel": carved("{:08d}.dat"),
    "hashes": lambda files: {f"{random.Random(name).getrandbits(128):032x}": data for name, data in files.items()},
    "without suffix": carved("{}"),
    "8.3 names": carved("A{}~1"),
}


@pytest.mark.parametrize("how", KEEPING_THE_STAMP)
def test_a_file_is_known_wherever_its_stamp_is(how, tmp_path):
    """Renamed, moved, in another case: the account is judged as it is at home, by the same values."""
    at_home = judged(tmp_path / "home", contested())
    assert at_home["blocking"] == ("contested:product_token",)
    assert judged(tmp_path / "away", KEEPING_THE_STAMP[how](contested())) == at_home


@pytest.mark.parametrize("how", LOSING_THE_STAMP)
def test_a_file_without_its_name_is_known_by_its_content(how, tmp_path):
    """What a carver brings back is read by what it holds, and each file is named in a finding."""
    files = LOSING_THE_STAMP[how](contested())
    case = open_files(tmp_path / "away", files)
    row = audit_row(case)
    assert (row["verdict"], row["blocking"]) == ("CONTESTED", ("contested:product_token",))
    assert row["user_access_key_id"] == ACCESS_KEY_ID
    named = {f.signup for f in case.judgement.findings if f.code == "nameless-file"}
    assert named == set(files)


@pytest.mark.parametrize("how", ["at home", "one flat folder", "photorec"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE)],
)
def test_a_conversion_hides_no_kind(how, encoding, mark, tmp_path):
    """Files that an editor wrote in another encoding are known by their content all the same."""
    moved = {**KEEPING_THE_STAMP, **LOSING_THE_STAMP, "at home": dict}[how]
    row = audit_row(open_files(tmp_path, moved(encoded(encoding, mark)(contested()))))
    assert row["blocking"] == ("contested:product_token",)


@pytest.mark.parametrize("suffix", PACK)
def test_a_packed_file_is_known_by_what_it_holds(suffix, tmp_path):
    """Compressed under a name that says nothing of it."""
    files = {f"f{n}": PACK[suffix](data) for n, data in enumerate(contested().values())}
    assert audit_row(open_files(tmp_path, files))["blocking"] == ("contested:product_token",)


def test_roots_that_are_the_folders_themselves_count_as_them(tmp_path):
    """`audit signup_logs secrets rest`: each root's own name is a folder's."""
    files = contested()
    write(tmp_path, {name if "/" in name else f"rest/{name}": data for name, data in files.items()})
    case = lf.open_case(tmp_path / "signup_logs", tmp_path / "secrets", tmp_path / "rest", folder=tmp_path / "case")
    assert audit_row(case)["blocking"] == ("contested:product_token",)
    assert "renamed-file" not in codes(case)


@pytest.mark.parametrize("name", ["old/{}", "secrets/{}.bak", "signup_logs/{}.old"])
def test_an_older_state_says_nothing_against_the_newer(name, tmp_path):
    """A secrets file of another place, that differs from the one at home, is history."""
    files = {**evidence(), name.format(NAME): secrets(product_token=ANOTHER_TOKEN)}
    row = audit_row(open_files(tmp_path, files))
    assert (row["verdict"], row["blocking"]) == ("RECOVERABLE", ())


def test_an_older_state_of_a_csv_file_says_nothing_against_the_newer(tmp_path):
    """Its rows count for the runs of which the one in its place says nothing."""
    old = request(email="old@example.org") + request(key="B" * 30, email="bea@example.org")
    case = open_files(tmp_path, {**evidence(), "backup/activation_requests.csv.1": old})
    assert audit_row(case)["customer_email"] == "ann@example.org"
    assert "older-state" in codes(case)


def test_a_copy_is_no_second_witness(tmp_path):
    """The same bytes twice are one witness, and that is said."""
    case = open_files(tmp_path, {**evidence(), f"copy/{NAME}": secrets(), "x/signups.csv": result()})
    assert audit_row(case)["verdict"] == "RECOVERABLE"
    assert "copied-file" in codes(case)


@pytest.mark.parametrize("name", ["f0001.txt", f"old/{NAME}", f"secrets/{NAME}.bak"])
def test_content_tells_the_kind_and_not_the_standing(name, tmp_path):
    """A file without a name, or of another place, asserts nothing against the one that lies where it should."""
    stray = secrets(access_key_id="AKIAANOTHERONEENTIRE", product_token=ANOTHER_TOKEN)
    case = open_files(tmp_path, {**evidence(), name: stray})
    row = audit_row(case)
    assert (row["verdict"], row["user_access_key_id"]) == ("RECOVERABLE", ACCESS_KEY_ID)
    assert any(f.signup == name for f in case.judgement.findings)


def test_what_the_file_in_its_place_does_not_tell_is_told_by_the_older_one(tmp_path):
    """The secrets file at home is empty or cut: the other one speaks."""
    for number, data in enumerate([b"", secrets()[:200]]):
        files = {**evidence(log=None, secrets=data), f"old/{NAME}": secrets()}
        row = audit_row(open_files(tmp_path / str(number), files))
        assert (row["verdict"], row["grade"]) == ("RECOVERABLE", "IDENTITY_KEPT")


@pytest.mark.parametrize("name", [f"old/{NAME}", f"signup_logs/{NAME}.1", f"signup_logs/{NAME}.sav"])
def test_an_older_state_of_a_log_is_history(name, tmp_path):
    """A log saved while the run went on is no second run, and no failure."""
    case = open_files(tmp_path, {**evidence(), name: log(until="instance")})
    assert [h for h in audit_row(case)["history"] if name in h] == []
    assert any(f.code == "older-state" and f.signup == name for f in case.judgement.findings)


@pytest.mark.parametrize("text", ["notes of somebody\n", "To do: call Ann\n" * 30, "[ubuntu] is a fine system\n"])
def test_a_note_is_no_evidence(text, tmp_path):
    """What names nobody, and is no evidence, says nothing."""
    case = open_files(tmp_path, {**evidence(), "notes.txt": text.encode(), "secrets.bak/readme": text.encode()})
    assert {f.signup for f in case.judgement.findings} & {"notes.txt", "secrets.bak/readme"} == set()


def test_two_accounts_in_carved_files_keep_their_own_values(tmp_path):
    """Two customers' files without their names: each value stays with its bucket."""
    other = f"lae-abcd0123-{OTHER_NAME.rpartition('-')[2]}"
    second = {
        "log": log().replace(BUCKET.encode(), other.encode()).replace(b"AINVENTEDKEY", b"BINVENTEDKEY"),
        "secrets": secrets(bucket_name=other),
    }
    second = {key: data.replace(b"AKIBINVENTEDKEYID234", b"AKIAANOTHERKEYID2345") for key, data in second.items()}
    second = {key: data.replace(ACCESS_KEY_ID.encode(), b"AKIAANOTHERKEYID2345") for key, data in second.items()}
    first = [log(), secrets(), config(), request()]
    files = {f"f{n}": data for n, data in enumerate([*first, *second.values()])}
    case = open_files(tmp_path, files)
    assert audit_row(case)["user_access_key_id"] == ACCESS_KEY_ID
    assert audit_row(case, other)["user_access_key_id"] == "AKIAANOTHERKEYID2345"
