"""Finding and classifying as many files as the provider left: what it costs is printed."""

from __future__ import annotations

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
