"""Under every class of damage the reason of each doubt is one of the table, and its places are in the evidence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from damages import CLASSES, written
from damages.classes import apply
from damages.measuring import lay

import laeforensics as lf

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verdicts.md"
REASONS = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text("utf-8").partition("## Reasons")[2], re.MULTILINE))
FOLDER = 3000
"""None of those of the table, so that nothing was made to fit it."""
SAMPLE = [
    "untouched",
    "codes-replaced",
    "another-log-in-old",
    "csv-columns-exchanged-name-email",
    "log-flips-scattered",
    "log-redacted-stars",
    "secrets-filled-up",
    "secrets-nodes-exchanged",
    "secrets-server-of-another",
    "serverinfo-hosts-sorted",
]
PLACE = re.compile(r"(.+):(\d+) \[(\d+):(\d+)\)", re.DOTALL)
OF_ANOTHER = {
    "another-name",
    "code-replaced",
    "furl-differs",
    "half-told-server",
    "in-damaged-file",
    "in-error",
    "neighbour",
    "not-its-certificate",
    "not-its-id",
    "of-another-account",
    "of-another-request",
    "other-address",
    "other-keys-too",
    "other-launch",
    "other-server",
    "rows-against-log",
    "rows-differ",
    "rows-of-others",
    "stripe-against-log",
    "tied",
    "unknown-server",
}
"""The reasons that speak of another place than the doubted witness's own."""


def check(name: str, top: Path) -> None:
    root = lay(apply(name, written(FOLDER)).files, top / "evidence")
    case = lf.open_case(root)
    for doubt in case.doubts.itertuples():
        own = f"{doubt.evidence}:{doubt.line} [{doubt.start}:{doubt.end})"
        assert doubt.reason in REASONS, doubt
        assert own not in doubt.because, (doubt.reason, own)
        assert doubt.because or doubt.reason not in OF_ANOTHER, (doubt.reason, own)
        for place in doubt.because:
            found = PLACE.fullmatch(place)
            assert found is not None, (doubt.reason, place)
            data = (root / found[1]).read_bytes()
            line, start, end = map(int, found.groups()[1:])
            assert start <= end <= len(data), (doubt.reason, place)
            assert line == 1 + data.count(b"\n", 0, start), (doubt.reason, place)
    for account in case.audit.account_id:
        for field in case.explain(account).fields:
            for line in field.lines:
                is_out = not line.agrees or field.verdict == "no believable witness"
                assert not is_out or "not " in line.trust, (account, field.name, str(line))


@pytest.mark.parametrize("name", SAMPLE)
def test_every_reason_is_real(name, tmp_path):
    """A few classes that once told reasons without places, or a witness's own place."""
    check(name, tmp_path)


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(set(CLASSES) - set(SAMPLE)))
def test_every_reason_is_real_under_any_damage(name, tmp_path):
    """Each doubt has its place, each witness that does not count has its reason, whatever was damaged."""
    check(name, tmp_path)
