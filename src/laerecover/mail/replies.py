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
# RFC 3463 and IANA's registry: the sender's address; congestion, as which a quota of sending is told; everything of
# security and policy but what is the mailbox owner's. What is not registered is told by the words.
_OUR_STATUS = re.compile(r"5\.1\.[78]$|5\.4\.5$|5\.7\.(?!1[789]$)")
_THEIR_STATUS = re.compile(r"5\.1\.(?:[1-69]|10)$|5\.2\.[1-4]$|5\.7\.1[789]$")
_OUR_WORDS = re.compile(
    r"sender|from[- ](?:address|domain|header)|return[- ]path|relay|not (?:been "
    r")?verified|unverified|identit|authenti|authori[sz]|policy|"
    r"\bspf\b|\bdkim\b|\bdmarc\b|spam|blocked|block ?list|black ?list|allow[- ]?list|white ?list|"
    r"reputation|client host|\bhelo\b|\behlo\b|"
    r"outbound|outgoing|subscription|\bplan\b|credits|invoice|billing|payment|allowance|"
    r"\bptr\b|\breverse\b|\brdns\b|throttl|too many|"
    r"\bsending (?:rate|quota|limit|domain|account|address|host|server|privilege|paused|suspended|disabled)|"
    r"(?:\brate|sending|hourly|daily|monthly|per (?:second|minute|hour|day|month))\b.*\b(?:limit|quota|exceed)|"
    r"\b(?:limit|quota|exceed\w*)\b.*\b(?:rate|hourly|daily|monthly|per (?:second|minute|hour|day|month))\b",
    re.IGNORECASE,
)
_PERHAPS_OUR_WORDS = re.compile(
    r"\bsending\b|\bsen[dt]\b.*\b(?:quota|account)|access denied|suspended|paused|"
    r"\byour (?:account|client|domain|host|ip\b|network|server)|"
    r"\baccount\b.*\b(?:disabled|locked|restricted|frozen|on hold)|"
    r"domain\b.*\bnot (?:allowed|permitted|accepted)",
    re.IGNORECASE,
)
"""About us, unless the reply speaks of its reader: to stop for one customer costs a question, to go on all mails."""
_THEIR_WORDS = re.compile(
    r"recipient|mailbox|addressee|no such|unknown|n[o']t exist|(?:tried|trying) to (?:reach|contact)", re.IGNORECASE
)
_REPLY = re.compile(r"(5\d\d)(?: [#(\[]*(5\.\d{1,3}\.\d{1,3})(?![\d.]))?(.*)", re.DOTALL)
_COMPARED = 100
"""Characters: behind them, long replies are cut at different words, for they name addresses of different lengths."""


def about_us(reply: str, *, sender: str, recipient: str) -> bool:
    """Whether a reply to RCPT or to the message, code first, is about sender or policy: then the next mail would fare
    no better.

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
    local = recipient.rpartition("@")[0]
    said = " ".join(word for word in text.split() if not _names_something(word) and _bare(word) != local)
    if (sender in text and sender != recipient) or _OUR_WORDS.search(said):
        return True
    theirs = recipient in text or _THEIR_WORDS.search(said) is not None
    return not theirs and _PERHAPS_OUR_WORDS.search(said) is not None


def alike(answer: str) -> str:
    """What two answers have in common that refuse for one reason: code and words, without what names somebody. "": no
    5xx.
    """
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
