"""Text of the evidence as people may see it."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makings import (
    FURL,
    SECRET_KEY,
    USER_TOKEN,
)

from laeforensics.facts import masking
from laeforensics.facts.fact import Residue
from laeforensics.facts.masking import excerpt


@given(st.text())
def test_plain_text_moves_no_cursor(text):
    """Control, formatting, separating and unassigned characters are written as escapes; the rest stays."""
    shown = masking.plain(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in shown)
    if text.isalnum() and text.isascii():
        assert shown == text


@pytest.mark.parametrize("secret", [SECRET_KEY, USER_TOKEN, FURL, "-----BEGIN RSA PRIVATE KEY-----"])
def test_an_excerpt_masks_what_looks_like_a_secret(secret):
    """Residue may hold anything: long runs of key characters, furls and PEMs become fingerprints."""
    shown = masking.excerpt(f"who knows {secret}\n")
    assert secret not in shown
    assert shown.startswith("who knows ")


def test_a_torn_secret_is_not_shown_as_residue():
    """Half a secret is secret, however short; a residue's repr shows its place only."""
    for line in ("secret_key = 'halfASecret\n", "usertoken = '{UserToken}AA\n", "y = 'halfASecret\n"):
        assert "half" not in excerpt(line)
        assert "{UserToken}AA" not in excerpt(line)
        assert "half" not in repr(Residue("log", 1, 0, 9, line))


TYPED = [
    "plain",
    "two words",
    "it's",
    "a\tb",
    "a'\tb",
    "\\\t",
    "\\x85\x85",
    "\x1b[2J",
    "\u202e",
    "\u00fc",
    "new\nline",
    "",
    "$HOME `id`",
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_a_command_can_be_copied_as_it_is_printed():
    """On one line, without a character that a terminal would obey; bash reads each word as it is meant."""
    line = masking.command(TYPED)
    assert line.isprintable()
    told = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert told.stdout.decode().split("\0")[:-1] == TYPED
