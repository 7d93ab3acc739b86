"""The kind of a file."""

from __future__ import annotations

import pytest
from makings import LOG_FILE, NAME

from laeforensics.evidence import recognise
from laeforensics.evidence.recognise import LOG, OTHER, SECRETS


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (LOG_FILE, LOG),
        (LOG_FILE + ".gz", LOG),
        (f"a/b/{LOG_FILE}.zst", LOG),
        (f"secrets/{NAME}.xz", SECRETS),
        (f"secrets/plan/{NAME}/SSEC2.bz2", SECRETS),
        (f"secrets/plan/{NAME}/signup_logs.gz", LOG),
        ("signups.csv.gz", "signups"),
        ("signup_logs/notes.txt", LOG),
        ("notes.txt.gz", OTHER),
    ],
)
def test_the_kind_of_a_file_ignores_its_compression(name, kind):
    """Place and name tell the kind, in both layouts."""
    assert recognise.classify(name) == (kind, recognise.AT_HOME)
