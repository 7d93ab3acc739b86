"""The tree speaks of the project alone, and of nobody that exists."""

from __future__ import annotations

import ipaddress
import re
import subprocess
import tarfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What surrounds a checkout, and how it came to be, is nobody's business who reads it.
FOREIGN = (
    r"/work/|/tmp/|\bshared/|\bissue[ #]?[0-9]|\bopen issue|\bclosing note|\bthis session|\bsession [0-9]"
    r"|\bsub-?agents?\b|\bmy helper|\bworkplace\b|\bthe brief\b|\bLLM\b|language model|as an AI|prompted"
)
# The slower gates are called beside folders that only their caller knows; this file lists the words.
EXEMPT = {".ci/run", "tests/house/test_words.py"}
DOCUMENTATION = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
LOCAL = [ipaddress.ip_network(net) for net in ("10.0.0.0/8", "127.0.0.0/8", "0.0.0.0/32", "169.254.169.254/32")]


def tracked() -> list[str]:
    """The files under version control, by their names below the root."""
    command = ["git", "-C", ROOT, "ls-files", "-z"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if told.returncode:
        pytest.skip("this is no git checkout")
    return [name for name in told.stdout.split("\0") if name and (ROOT / name).is_file()]


@cache
def lines() -> list[tuple[str, str]]:
    """Every line of every file under version control, with `file:line`; of an archive's members each line once."""
    found = []
    for name in tracked():
        if name.endswith(".tar.xz"):
            found += packed_lines(name)
        elif name not in EXEMPT:
            text = (ROOT / name).read_bytes().decode("utf-8", "replace")
            found += [(f"{name}:{i}", line) for i, line in enumerate(text.split("\n"), 1)]
    return found


def packed_lines(name: str) -> list[tuple[str, str]]:
    """Members of an archive are much alike, and databases have runs of zeros in place of line feeds."""
    seen: dict[bytes, str] = {}
    with tarfile.open(ROOT / name) as archive:
        for member in archive:
            file = archive.extractfile(member)
            for line in re.split(rb"[\0\n]+", file.read()) if file is not None else ():
                seen.setdefault(line, f"{name}:{member.name}")
    return [(place, line.decode("utf-8", "replace")) for line, place in seen.items()]


def test_no_word_of_the_workshop_stands_in_the_tree():
    """No path, name or habit of the place where this was written."""
    foreign = re.compile(FOREIGN, re.IGNORECASE)
    assert [f"{place} {match[0]}" for place, line in lines() if (match := foreign.search(line))] == []


def test_every_address_is_invented():
    """IPv4 addresses are those set aside for documentation, or local ones; behind == stand versions."""
    dotted = re.compile(r"(?<![\w.])(?<!==)(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
    found = []
    for place, line in lines():
        for text in dotted.findall(line):
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                continue
            if not any(address in network for network in DOCUMENTATION + LOCAL):
                found.append(f"{place} {text}")
    assert found == []


def test_every_mail_address_is_invented():
    """Mail addresses end in example.org, example.com, example.net or another name set aside for examples."""
    mail = re.compile(r"[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})")
    reserved = re.compile(r"(?:^|\.)(?:example(?:\.(?:org|com|net|edu))?|invalid|test|localhost)$", re.IGNORECASE)
    in_a_database = re.compile(r"(?:^|\.)example(?:\.(?:org|com|net|edu))?")  # the next value begins where one ends
    found = [
        f"{place} {match[0]}"
        for place, line in lines()
        for match in mail.finditer(line)
        if not (in_a_database if place.endswith(".sqlite") else reserved).search(match[1])
    ]
    assert found == []
