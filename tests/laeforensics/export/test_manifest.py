"""Whoever gave PGP key information never gets a furl in the clear, even where the key information itself is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import laeforensics as lf
from laeforensics.export.manifest import manifest_account
from laerecover.mail.letters import audience
from laerecover.mail.outbox import CONFIRMATION

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "evidence"


def test_the_log_says_that_there_was_a_key(tmp_path):
    """Without the csv files, logs that tell of a mail to the staff keep the customer's mail from going plainly."""
    shutil.copytree(FIXTURES, tmp_path / "evidence")
    whole = {a.account_id: manifest_account(a) for a in lf.open_case(tmp_path / "evidence").judgement.accounts}
    for path in (tmp_path / "evidence").glob("*.csv"):
        path.unlink()
    without = {a.account_id: manifest_account(a) for a in lf.open_case(tmp_path / "evidence").judgement.accounts}
    gave = {name for name, a in whole.items() if a.customer_keyinfo and a.log_file and a.verdict == "RECOVERABLE"}
    assert len(gave) >= 2
    for name in gave:
        assert audience(without[name])[0] != CONFIRMATION, name
    plain = {name for name, a in without.items() if audience(a)[0] == CONFIRMATION}
    assert plain == {name for name, a in whole.items() if audience(a)[0] == CONFIRMATION} & plain
    assert plain
