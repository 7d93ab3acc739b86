"""Facts in little memory."""

from __future__ import annotations

from makings import evidence as whole
from makings import open_files


def test_equal_values_are_kept_once(tmp_path):
    """The log's and the secrets file's keys are the same text in memory."""
    case = open_files(tmp_path, whole())
    keys = [f.value for f in case.judgement.joined[0].witnesses["user_secret_key"]]
    assert len(keys) > 1
    assert len({id(key) for key in keys}) == 1
