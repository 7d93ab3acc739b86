"""Archives as people make them: read, or told by name with what to do."""

from __future__ import annotations

import gzip
import random
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from makings import BUCKET, LOG_FILE, NAME, audit_row, evidence, revealed, secrets
from packings import ARCHIVES, PACK, below, special, tar, write, zipped

import laeforensics as lf
from laeforensics.evidence import _unpack, find

SECRETS_FILE = f"secrets/{NAME}"
ANOTHER_TOKEN = "{ProductToken}AAAHUHJvZHVjdANOTHER1=="


def contested() -> dict[str, bytes]:
    """Its secrets file and its configuration differ: whoever loses the secrets file finds it recoverable."""
    return evidence(secrets=secrets(product_token=ANOTHER_TOKEN))


def halves() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The same evidence in two parts; the second holds the secrets file."""
    files = contested()
    return files, {SECRETS_FILE: files.pop(SECRETS_FILE)}


def audited(path: Path) -> dict[str, object]:
    row = audit_row(lf.open_case(path, folder=path.with_name("case")))
    return {
        name: revealed(row[name]) for name in ("verdict", "grade", "blocking", "user_secret_key", "introducer_furl")
    }


def said(path: Path) -> str:
    case = lf.open_case(path, folder=path.with_name("case"))
    return "\n".join(f"{f.severity} {f.signup}: {f.message}; {f.remedy}" for f in case.judgement.findings)


def both(join: Callable[[bytes, bytes], bytes], pack: Callable[[dict[str, bytes]], bytes] = tar) -> Callable[[], bytes]:
    return lambda: join(*map(pack, halves()))


def with_links(kind: bytes, up: str) -> bytes:
    """The secrets file lies in another folder; where it should be, a link leads to it."""
    files, (named, data) = halves()[0], next(iter(halves()[1].items()))
    return tar({"store/1": data, **files}, special(named, kind, f"{up}store/1"))


def renamed_members(change: Callable[[str], str], pack: Callable[[dict[str, bytes]], bytes]) -> Callable[[], bytes]:
    return lambda: pack({change(name): data for name, data in contested().items()})


def sparse() -> bytes:
    """As `tar --sparse` (GNU's old form) writes a log with a hole of zeros at its end."""
    told = contested()[LOG_FILE]
    info = tarfile.TarInfo(LOG_FILE)
    info.size, info.type = len(told), tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:398], header[398:410] = b"%011o\0" % 0, b"%011o\0" % len(told)
    header[483:495] = b"%011o\0" % (len(told) + 8192)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    rest = tar({name: data for name, data in contested().items() if name != LOG_FILE})
    return bytes(header) + told.ljust(512 * -(-len(told) // 512), b"\0") + rest


def frames(data: bytes) -> bytes:
    """Zstandard as `pzstd` and others write it: a frame that is skipped, then many."""
    parts = [data[at : at + 700] for at in range(0, len(data), 700)]
    skipped = b"\x50\x2a\x4d\x18" + struct.pack("<I", 5) + b"hello"
    return skipped + b"".join(PACK[".zst"](part) for part in parts)


def members_of_gz(data: bytes) -> bytes:
    return b"".join(gzip.compress(data[at : at + 900]) for at in range(0, len(data), 900))


READ: dict[str, Callable[[], bytes]] = {
    "two tars, one behind the other": both(bytes.__add__),
    "with the ends of the first": both(lambda a, b: a + bytes(10240) + b),
    "compressed apart": both(lambda a, b: gzip.compress(a) + gzip.compress(b)),
    "in xz apart": both(lambda a, b: PACK[".xz"](a) + PACK[".xz"](b)),
    "two zips, one behind the other": both(bytes.__add__, zipped),
    "a tar behind a zip": lambda: zipped(halves()[0]) + tar(halves()[1]),
    "a zip that unpacks itself": lambda: b"#!/bin/sh\nunzip $0; exit\n" + zipped(contested()),
    "absolute names": renamed_members(lambda name: f"/var/www/{name}", tar),
    "names that lead up": renamed_members(lambda name: f"../../../{name}", tar),
    "names of this folder": renamed_members(lambda name: f"./{name}", tar),
    "drive letters": renamed_members(lambda name: f"C:/evidence/{name}", zipped),
    "drive letters and backslashes": renamed_members(lambda name: f"D:\\{name}".replace("/", "\\"), zipped),
    "mixed separators": renamed_members(lambda name: f"old\\of/www\\{name}", zipped),
    "a share's name": renamed_members(lambda name: f"\\\\server\\share\\{name}", zipped),
    "upper case": renamed_members(str.upper, zipped),
    "a hard link": lambda: with_links(tarfile.LNKTYPE, ""),
    "a symbolic link": lambda: with_links(tarfile.SYMTYPE, "../"),
    "a sparse member": sparse,
    "zst with skippable and many frames": lambda: frames(tar(contested())),
    "many members of gz": lambda: members_of_gz(tar(contested())),
    "gz of gz": lambda: gzip.compress(gzip.compress(tar(contested()))),
    "xz of gz of bz2": lambda: PACK[".xz"](gzip.compress(PACK[".bz2"](tar(contested())))),
    "an archive in an archive": lambda: tar({"evidence.tar.gz": gzip.compress(tar(contested()))}),
    "a zip in a tar in a zip": lambda: zipped({"a.tar": tar({"b/c.zip": zipped(contested())})}),
    "padded with zeros": lambda: tar(contested()) + bytes(100_000),
    "without its end": lambda: tar(contested()).rstrip(b"\0") + bytes(512),
    "a zip with a comment": lambda: commented(zipped(contested())),
    "a tar below three folders": lambda: tar(below("home/www/leastauthority.com", contested())),
}


def commented(data: bytes) -> bytes:
    return data[:-2] + struct.pack("<H", 11) + b"hello world"


@pytest.mark.parametrize("how", READ)
@pytest.mark.parametrize("name", ["e.tar", "evidence.zip", "backup"])
def test_it_is_read_whatever_it_is_called(how, name, tmp_path):
    """Verdict and values are those of the folder."""
    folder = write(tmp_path / "folder", contested())
    path = tmp_path / "packed" / name
    path.parent.mkdir()
    path.write_bytes(READ[how]())
    assert audited(path) == audited(folder)


@pytest.mark.parametrize(
    "how", ["two tars, one behind the other", "gz of gz", "absolute names", "a zip in a tar in a zip"]
)
def test_it_is_read_where_it_lies_in_a_folder(how, tmp_path):
    """An archive among the files of a folder is no other than one that is named."""
    write(tmp_path / "e", {"old/backup.dat": READ[how](), "README": b"hello\n"})
    assert audited(tmp_path / "e")["blocking"] == ("contested:product_token",)


def test_what_lies_behind_an_end_is_told(tmp_path):
    """Bytes that are no archive: how many, and how to look at them."""
    for number, data in enumerate([tar(contested()), zipped(contested()), gzip.compress(tar(contested()))]):
        path = tmp_path / f"e{number}"
        path.write_bytes(data + b"some more that nobody knows\n" * 40)
        told = said(path)
        assert "1120 bytes follow" in told or "something that is not compressed follows" in told
        assert audited(path)["blocking"] == ("contested:product_token",)


def locked(data: bytes) -> bytes:
    """Every member of a zip locked, as far as its headers tell."""
    changed = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            changed[at + offset] |= 1
            at = data.find(signature, at + 4)
    return bytes(changed)


def wide_window(data: bytes) -> bytes:
    """As `zstd --ultra --long=31` writes it: its frame asks for a window of two gigabytes."""
    return b"\x28\xb5\x2f\xfd" + bytes([0x00, (31 - 10) << 3]) + b"\x01\x00\x00" + data[:100]


TOLD: dict[str, tuple[Callable[[], bytes], str]] = {
    "a zip with a password": (lambda: locked(zipped(contested())), "password"),
    "a long window": (lambda: wide_window(tar(contested())), "zstd -d --long=31"),
    "the first part of a divided zip": (lambda: b"PK\x07\x08" + zipped(contested())[:400], "an|archive"),
    "packed too many times": (lambda: gz_of_gz(12, tar(contested())), "packed more than"),
    "cut off at once": (lambda: gzip.compress(tar(contested()))[:200], "cut off"),
    "a zip without its list": (lambda: zipped(contested())[:-200], "list of members is lost"),
}


def gz_of_gz(times: int, data: bytes) -> bytes:
    for _ in range(times):
        data = gzip.compress(data)
    return data


@pytest.mark.parametrize("how", TOLD)
def test_what_cannot_be_read_is_told_with_the_remedy(how, tmp_path):
    """Beside other evidence it is a finding that bears its name; alone it is an error that says as much."""
    make, words = TOLD[how]
    rest = halves()[0]
    write(tmp_path / "e", {**rest, "secrets.old": make()})
    told = [line for line in said(tmp_path / "e").split("\n") if "secrets.old" in line]
    assert told
    assert any(word in " ".join(told) for word in words.split("|"))
    if how == "cut off at once":
        return  # what comes before the cut is read
    write(tmp_path / "alone", {"secrets.old": make()})
    with pytest.raises(lf.EvidenceError) as error:
        lf.open_case(tmp_path / "alone" / "secrets.old")
    assert error.value.next_step


def test_a_locked_zip_blocks_the_accounts_that_its_names_bear(tmp_path):
    """Its list of members is not locked."""
    rest, secret = halves()
    write(tmp_path / "e", {**rest, "secrets.zip": locked(zipped(secret))})
    assert audited(tmp_path / "e")["blocking"] == (f"unread:secrets.zip/{SECRETS_FILE}",)


def test_a_divided_zip_is_told_with_how_to_join_it(tmp_path):
    """Its last part tells that there are others."""
    data = bytearray(zipped(contested()))
    at = data.rfind(b"PK\x05\x06")
    data[at + 4 : at + 8] = struct.pack("<HH", 2, 2)
    write(tmp_path / "e", {**halves()[0], "secrets.zip": bytes(data)})
    assert "divided" in said(tmp_path / "e")


@pytest.mark.skipif(shutil.which("split") is None, reason="there is no split here")
def test_parts_of_a_divided_tar_are_told(tmp_path):
    """`split` knows no format: the first part is a cut archive, the others are what may be evidence."""
    rest, secret = halves()
    noise = {"noise": random.Random(3).randbytes(40_000)}
    write(tmp_path, {"whole.tar.gz": gzip.compress(tar({**noise, **secret}))})
    write(tmp_path / "e", rest)
    subprocess.run(["split", "-b", "16k", tmp_path / "whole.tar.gz", tmp_path / "e" / "whole.tar.gz."], check=True)
    assert "whole.tar.gz.aa" in said(tmp_path / "e")


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_archive_never_gives_a_wrong_value_and_is_told(seed, tmp_path):
    """Bytes are flipped, cut out, doubled, overwritten: what is read is right, what is lost is told."""
    rng = random.Random(seed)
    name = rng.choice(sorted(ARCHIVES))
    data = bytearray(ARCHIVES[name](contested()))
    at = rng.randrange(len(data))
    how = rng.choice(["flip", "cut", "out", "twice", "zeros", "noise"])
    size = rng.randrange(1, 2000)
    if how == "flip":
        data[at] ^= 1 << rng.randrange(8)
    elif how == "cut":
        del data[at:]
    elif how == "out":
        del data[at : at + size]
    elif how == "twice":
        data[at:at] = data[at : at + size]
    else:
        data[at : at + size] = bytes(size) if how == "zeros" else rng.randbytes(size)
    path = tmp_path / name
    path.write_bytes(data)
    try:
        case = lf.open_case(path, folder=tmp_path / "case")
    except lf.EvidenceError as error:
        assert error.next_step
        return
    good = audited(write(tmp_path / "folder", contested()))
    rows = [row for row in case.audit.to_dict("records") if row["account_id"] == BUCKET]
    for row in rows:
        assert revealed(row["user_secret_key"]) in (None, good["user_secret_key"]), (name, how, at)
        assert revealed(row["introducer_furl"]) in (None, good["introducer_furl"]), (name, how, at)
        loud = any(f.severity == "blocking" for f in case.judgement.findings)
        assert row["blocking"] == ("contested:product_token",) or loud, (name, how, at)


def test_a_bomb_of_many_layers_ends_soon(tmp_path):
    """An archive that holds itself in a hundred archives is refused, and costs little."""
    data = tar({"x": b"x"})
    for _ in range(40):
        data = tar({"a.tar": data, "b.tar": data[:512]})
    write(tmp_path / "e", {**evidence(), "bomb": data})
    assert audit_row(lf.open_case(tmp_path / "e"))["verdict"] == "RECOVERABLE"
    assert [file for file in find.find(tmp_path / "e") if file.size > _unpack.LARGEST_FILE] == []


def test_a_sparse_member_that_claims_gigabytes_is_left_out(tmp_path):
    """Its size is what the header says, not what is there."""
    data = bytearray(sparse())
    data[483:495] = b"%011o\0" % (1 << 32)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    write(tmp_path / "e", {**evidence(), "old.tar": bytes(data)})
    assert audit_row(lf.open_case(tmp_path / "e"))["account_id"] == BUCKET
    assert "more than this software reads" in said(tmp_path / "e")
