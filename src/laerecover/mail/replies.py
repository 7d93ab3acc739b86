"""What a mail server's refusal is about: this one mail, or us who send it."""

from __future__ import annotations

import re

SAYS = "the mail server says "
"""What stands before a reply wherever one is kept."""
ABOUT_US = "about us, not about this mail: "
IN_A_ROW = "the same to one after another: "
"""How the answer of a mail begins that is held because its refusal stopped the sending."""
ALIKE = 3
"""So many customers in a row who are refused in the same words are not each to blame."""

# RFC 5321 and 4954: commands out of order or unknown, a host that takes no mail, a login that is wanted or wrong.
_OUR_CODES = frozenset({500, 502, 503, 504, 521, 530, 534, 535, 538, 555})
# RFC 3463 and IANA's registry: the sender's address; everything of security and policy but what is the mailbox owner's.
_OUR_STATUS = re.compile(r"5\.1\.[78]$|5\.7\.(?!1[789]$)")
_THEIR_STATUS = re.compile(r"5\.[12]\.[1-9]|5\.7\.1[789]$")
_OUR_WORDS = re.compile(
    r"sender|from[- ]address|return[- ]path|relay|not (?:been )?verified|unverified|identit|authenti|authori[sz]|policy|"
    r"\bspf\b|\bdkim\b|\bdmarc\b|spam|blocked|block ?list|black ?list|reputation|client host|\bhelo\b|\behlo\b|"
    r"(?:rate|sending|hourly|daily)\b.*\blimit|too many",
    re.IGNORECASE,
)
_REPLY = re.compile(r"(5\d\d)(?: (5\.\d{1,3}\.\d{1,3})(?![\d.]))?(.*)", re.DOTALL)
_COMPARED = 100
"""Characters: behind them, long replies are cut at different words, for they name addresses of different lengths."""


def about_us(reply: str, *, sender: str, recipient: str) -> bool:
    """Whether a reply to RCPT or to the message, code first, is about sender or policy: then the next mail would fare no better.

    Many servers keep what they have against sender and client back until RCPT, so the stage alone does not tell.
    """
    found = _REPLY.match(reply)
    if found is None:
        return False
    code, status, text = int(found[1]), found[2] or "", found[3].casefold()
    sender, recipient = sender.casefold(), recipient.casefold()
    if _OUR_STATUS.match(status) or code in _OUR_CODES:
        return True
    if _THEIR_STATUS.match(status):
        return False
    # Names say nothing: a customer may be called nospam, or sender, or have a host of that name.
    said = (word for word in text.split() if not _names_something(word) and _bare(word) != recipient.rpartition("@")[0])
    return (sender in text and sender != recipient) or _OUR_WORDS.search(" ".join(said)) is not None


def alike(answer: str) -> str:
    """What two answers have in common that refuse for one reason: code and words, without what names somebody. "": no 5xx."""
    said = answer.partition(SAYS)[2]
    found = _REPLY.match(said)
    if found is None:
        return ""
    words = ["#" if _names_something(word) else word for word in found[3].casefold().split()]
    common = " ".join(word for n, word in enumerate(words) if word != "#" or words[n - 1 : n] != ["#"])
    return f"{found[1]} {found[2] or ''} {common[:_COMPARED]}"


def _names_something(word: str) -> bool:
    """An address, a host, a number, an id of the queue."""
    return any(c == "@" or c.isdigit() for c in word) or "." in _bare(word) or word.startswith("<")


def _bare(word: str) -> str:
    return word.strip("<>()[]{}\"'`.,;:!?…")
