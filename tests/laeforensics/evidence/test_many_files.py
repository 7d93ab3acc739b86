"""Finding and classifying as many files as the provider left: what it costs is printed."""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest
from makings import config, log, request, secrets

from laeforensics.evidence import find


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
