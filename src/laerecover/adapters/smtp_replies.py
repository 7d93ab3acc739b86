"""What a mail server says, read more strictly than smtplib does; nothing of it repeats a secret."""

from __future__ import annotations

import re
import smtplib
from email.message import EmailMessage

from laerecover.mail.replies import SAYS
from laerecover.text import clean

_LONGEST_LINE, _MOST_LINES = 8192, 100
# RFC 5321, 4.2: three digits within these bounds, then nothing, a space or a hyphen with text, and both characters of
# the end.
_REPLY_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])([^\r\n]*))?\r\n")
_FURL = re.compile(r"pb:\S*")


class NoReply(Exception):
    """What came is no reply as RFC 5321 has it: nobody can say what it means."""

    def __init__(self, came: bytes) -> None:
        super().__init__()
        self.came = came


def read_reply(smtp: smtplib.SMTP) -> tuple[int, bytes]:
    """The next reply, its code and text; in smtplib any three characters that Python takes for a number will do.

    Raises NoReply, SMTPServerDisconnected, OSError.
    """
    lines: list[bytes] = []
    first = None
    while len(lines) < _MOST_LINES:
        line = smtp.file.readline(_LONGEST_LINE)  # type: ignore[union-attr]
        if not line:
            raise smtplib.SMTPServerDisconnected
        match = _REPLY_LINE.fullmatch(line)
        if match is None or match[1] != (first or match[1]):
            raise NoReply(line)
        first = match[1]
        lines.append(match[3] or b"")
        if match[2] != b"-":
            return int(first), b"\n".join(lines)
    raise NoReply(b"".join(lines))


def reply_text(code: int, text: bytes | str, message: EmailMessage | None = None) -> str:
    """A reply as it is kept."""
    return f"{SAYS}{clean(f'{code} {shown(text, message)}')}"


def shown(text: bytes | str, message: EmailMessage | None = None) -> str:
    """What a server says, made fit to be kept: it may quote what it refuses, so the furl is taken out."""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    for furl in _FURL.findall(message.get_content()) if message is not None else ():
        words = words.replace(furl.rpartition("/")[2] or furl, "…")
    return clean(_FURL.sub("…", " ".join(words.split())))


def is_refusal(code: int) -> bool:
    """Whether asking again would not help."""
    return 500 <= code <= 599
