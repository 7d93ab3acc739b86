"""Texts for people: why something failed, in words and without what its error quotes."""

from __future__ import annotations

import errno
import os
import smtplib
import socket
import ssl
import subprocess

import botocore.exceptions
import paramiko
import pytest

from laerecover.text import clean, counted, reason_of, shell_line


class OfATarget(ssl.SSLError):
    """OpenSSL's own errors carry a reason that no caller can give."""

    reason = "CERTIFICATE_VERIFY_FAILED"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "canary"), "connection refused"),
        (FileNotFoundError(errno.ENOENT, "canary", "canary"), "no such file or directory"),
        (TimeoutError("canary"), "timed out"),
        (EOFError("canary"), "it was closed at the other end"),
        (socket.gaierror(-2, "Name or service not known"), "name or service not known"),
        (OfATarget("canary"), "certificate verify failed"),
        (smtplib.SMTPAuthenticationError(535, b"canary"), "smtp authentication error"),
        (smtplib.SMTPServerDisconnected("canary"), "smtp server disconnected"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="canary"), "endpoint connection error"),
        (
            paramiko.ssh_exception.NoValidConnectionsError(
                {("192.0.2.1", 22): ConnectionRefusedError(errno.ECONNREFUSED, "canary")}
            ),
            "connection refused",
        ),
        (paramiko.SSHException("canary"), "ssh exception"),
    ],
)
def test_a_reason_is_in_words_and_quotes_nothing(error, words):
    """What an error's own text quotes may be a secret, or a stranger's; a class's name is nobody's word."""
    assert reason_of(error) == words


def test_one_is_not_several():
    """Nobody wants to read of 1 accounts."""
    assert [counted(number, "account") for number in (0, 1, 2)] == ["0 accounts", "1 account", "2 accounts"]


ODD = ("", "two words", "it's", "new\nline\n", "\x1b[31m", "back\\slash\t'", "bidi\u202e1", "\udcff\udc80", "tail\x017")


def test_a_command_that_is_shown_is_pasted_as_the_very_same_words():
    """Whatever stands in a path, it is one line that nothing cleans, and a shell reads the same bytes from it."""
    line = shell_line(["printf", r"%s\0", *ODD])
    assert clean(line, limit=len(line)) == line
    told = subprocess.run(["bash", "-c", line], capture_output=True, check=True).stdout
    assert told == b"".join(os.fsencode(word) + b"\0" for word in ODD)
