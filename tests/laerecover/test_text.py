"""Texts for people: why something failed, in words and without what its error quotes."""

from __future__ import annotations

import errno
import smtplib
import socket
import ssl

import botocore.exceptions
import paramiko
import pytest

from laerecover.text import counted, reason_of


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
