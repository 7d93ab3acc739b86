"""Finding and classifying as many files as the provider left: what it costs is printed."""

from __future__ import annotations

import io
import json
import os
import tarfile
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from makings import LOG_FILE, NAME, PRODUCT_TOKEN, config, instance_dump, log, request, secrets
from packings import special, write

from laeforensics.evidence import find, read, resaved
from laeforensics.reading.files import read_file


@pytest.mark.parametrize("count", [130, pytest.param(13_000, marks=pytest.mark.long)])
def test_every_file_of_a_large_folder_is_classified(count, tmp_path, capsys):
    """Half logs, half secrets files, a third of them without their names; beside them what nobody knows."""
    for folder in ("signup_logs", "secrets", "lost+found", "notes"):
        (tmp_path / folder).mkdir()
    bodies = {"signup_logs": log() * 3, "secrets": secrets(), "notes": b"a note of somebody\n" * 200}
    for number in range(count):
        kind = ("signup_logs", "secrets", "notes")[number % 3]
        name = f"2012-03-{number % 28 + 1:02d}T{number % 24:02d}1500Z-{f'{number:05d}'.translate(DIGITS) * 6}aa"
        nameless = number % 9 < 3 or kind == "notes"
        path = tmp_path / ("lost+found" if nameless else kind) / (f"f{number:07d}.txt" if nameless else name)
        path.write_bytes(bodies[kind])
    (tmp_path / "lae_automation_config.json").write_bytes(config())
    (tmp_path / "activation_requests.csv").write_bytes(request())
    begun, cpu = time.perf_counter(), time.process_time()
    files = find.find(tmp_path)
    took, spent = time.perf_counter() - begun, time.process_time() - cpu
    kinds = Counter(file.kind for file in files)
    with capsys.disabled():
        print(f"\n{len(files)} files classified in {took:.2f} s ({spent:.2f} s of processor time): {dict(kinds)}")
    assert len(files) == count + 2
    assert abs(kinds["log"] - kinds["secrets"]) <= 1
    assert kinds["other"] == count // 3


DIGITS = str.maketrans("0189", "abcd")


class Counted(str):
    """A name that counts how often it is held against another one."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def comparisons(root, monkeypatch) -> int:
    """How many comparisons of names it takes to find the files of a folder."""
    walk, Counted.comparisons = os.walk, 0

    def counted(*arguments, **options):
        for folder, folders, names in walk(*arguments, **options):
            folders[:] = map(Counted, folders)
            yield folder, folders, [Counted(name) for name in names]

    with monkeypatch.context() as patch:
        patch.setattr(os, "walk", counted)
        assert len(find.find(root)) == 1
    return Counted.comparisons


def test_what_many_folders_cost_grows_with_their_number(tmp_path, monkeypatch):
    """No folder's name is looked for among all others: twice as many may take twice as many comparisons, no more."""
    spent = []
    for count in (100, 200):
        root = tmp_path / str(count)
        for number in range(count):
            (root / f"folder-{number:04d}").mkdir(parents=True)
        (root / "signup_logs").mkdir()
        (root / "signup_logs" / "2012-03-04T051500Z-abcdabcdabcdabcdabcdabcdabcdabcd").write_bytes(log())
        spent.append(comparisons(root, monkeypatch))
    few, many = spent
    assert many <= 2 * few + 100


def chain(count: int) -> dict[str, bytes]:
    """An archive of links, each of which leads to the next one."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number in range(count):
            archive.addfile(special(f"signup_logs/{number}", tarfile.SYMTYPE, f"{number + 1}"))
    return {"links.tar": packed.getvalue()}


def products(count: int) -> dict[str, bytes]:
    """A configuration of many products."""
    sold = ({"product_code": f"{n:08X}", "product_token": f"{PRODUCT_TOKEN}{n:08}"} for n in range(count))
    return {"lae_automation_config.json": json.dumps({"products": [*sold]}, indent=1).encode()}


def escaped(count: int) -> dict[str, bytes]:
    """The same, of which no token stands there as it is read."""
    return {name: data.replace(b"{ProductToken}", rb"\u007bProductToken}") for name, data in products(count).items()}


def keys(count: int) -> dict[str, bytes]:
    """A secrets file with as many keys, each in a line of its own."""
    return {f"secrets/{NAME}": b"{" + b",\n".join(b'"user_token": "%d"' % n for n in range(count)) + b"}"}


def rows(count: int) -> dict[str, bytes]:
    """Rows of requests in UTF-16, with one character beyond latin-1."""
    text = request().decode() * count + "\u20ac\n"
    return {"activation_requests.csv": text.encode("utf-16")}


def addresses(count: int) -> dict[str, bytes]:
    """How a list of texts begins, and goes on with nothing but addresses."""
    return {"notes": b'["' + b"a@" * count}


def dumps(count: int) -> dict[str, bytes]:
    """A log with the dumps of as many instances, none of them announced."""
    _, _, dump = instance_dump().partition("\n")
    return {LOG_FILE: log() + dump.encode() * count}


def failures(count: int) -> dict[str, bytes]:
    """A log with as many failures that come to no end."""
    return {LOG_FILE: log() + b"[Failure instance: Traceback\n>no end\n" * count}


def commas(count: int) -> dict[str, bytes]:
    """A csv file whose rows have nothing but empty cells."""
    return {"signups.csv": (b"," * 99 + b"\n") * count}


@pytest.mark.long  # it takes the time of a machine that may have other things to do
@pytest.mark.parametrize(
    ("made", "count"),
    [
        (chain, 2000),
        (products, 2000),
        (escaped, 2000),
        (keys, 4000),
        (rows, 2000),
        (addresses, 16_000),
        (dumps, 2000),
        (failures, 6000),
        (commas, 2000),
    ],
)
def test_four_times_as_much_takes_no_sixteen_times_as_long(made, count, tmp_path):
    """In one file, however hostile: what is looked for is not looked for among all of it."""
    took = []
    for many in (count, 4 * count):
        write(tmp_path / str(many), {LOG_FILE: log(), **made(many)})
        took.append(min(spent_on(tmp_path / str(many)) for _ in range(3)))
    print(f"{made.__name__}: {took[0]:.2f} s for {count}, {took[1]:.2f} s for four times as many")
    assert took[1] < 8 * max(took[0], 0.05)


def test_a_csv_file_of_empty_cells_takes_no_memory_for_each():
    """A table of cells would take a hundred times the file's size, for each mark that may divide them."""
    for data in (b"," * 300_000, *commas(3000).values()):
        tracemalloc.start()
        resaved.undo(data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 5 * len(data)


def spent_on(folder: Path) -> float:
    """The seconds of processor time that it takes to read all files of a folder."""
    begun = time.process_time()
    for file, content in read.contents(find.find(folder)):
        read_file(file, content)
    return time.process_time() - begun
