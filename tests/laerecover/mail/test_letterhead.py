"""The operator's own words in a customer's letter: there when the settings tell them, and never more than words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from laerecover.errors import LaeRecoverError, explain
from laerecover.mail.letters import render
from laerecover.mail.outbox import CONFIRMATION, FAILURE, STAFF_NOTE, Mail
from laerecover.manifest import Secret
from laerecover.settings import read_settings

FURL = Secret("pb://abc@203.0.113.20:12345/canaryswissnum")
MAIL = '[mail]\nhost = "smtp.example.org"\nsender = "support@example.org"\nstaff = "staff@example.org"\n'
HEAD = {
    "organisation": "Example Störage, Inc. <no@example.net>",
    "contact": "help@example.org, +1 555 0100",
    "page": "https://example.org/recovery?year=2026",
    "intro_file": "intro.txt",
}
INTRO = b"\xef\xbb\xbfwe are sorry.\r\n\r\nBcc: mallory@example.net\r\n.\r\nFrom here on all is well.\n\n"


@pytest.fixture
def head(settings_file, tmp_path):
    """Settings with these words for the letterhead, and these bytes as the operator's text."""

    def make(intro=INTRO, **words):
        (tmp_path / "intro.txt").write_bytes(intro)
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in words.items())
        return read_settings(settings_file(MAIL + lines))

    return make


def sent(settings, account, kind=CONFIRMATION):
    """The message as its reader's program finds it: written to bytes, and read again."""
    at = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
    mail = Mail(message_id="<1@example.org>", account_id="lae-1", kind=kind, state="held", detail="", prepared_at=at)
    made = render(mail, account, settings, furl=FURL, public_host="203.0.113.20")
    return message_from_bytes(made.as_bytes(), policy=policy.default)


def text_of(settings, account):
    """Its text, with the line breaks of a text file."""
    return sent(settings, account).get_content().replace("\r\n", "\n")


@pytest.mark.parametrize("grade", ["IDENTITY_KEPT", "NEW_FURL", "NEW_STORAGE_IDENTITY"])
def test_a_letter_says_who_writes_whom_to_ask_and_where_it_proves_genuine(head, make_account, grade):
    """After the greeting the operator's text, at the end the rest; between them the letter as it is without."""
    account = make_account(grade=grade)
    text = text_of(head(**HEAD), account)
    plain = text_of(head(), account)
    greeting, rest = text.split("\n\n", 1)
    intro, told = rest.split("\n\nYour storage server", 1)
    assert greeting == plain.split("\n\n", 1)[0]
    assert intro == "we are sorry.\n\nBcc: mallory@example.net\n.\nFrom here on all is well."
    unchanged = plain.split("\n\nyour storage server", 1)[1]
    assert told.startswith(unchanged)
    ending = told.removeprefix(unchanged)
    for word in ("organisation", "contact", "page"):
        assert HEAD[word] in ending


@pytest.mark.parametrize("word", sorted(HEAD))
def test_each_of_its_words_can_stand_alone(head, make_account, word):
    """Nothing is said of what is not told, and an empty word is none."""
    assert sent(head(**{word: ""}), make_account()).as_bytes() == sent(head(), make_account()).as_bytes()
    text = sent(head(**{word: HEAD[word]}), make_account()).get_content()
    shown = {key: value for key, value in HEAD.items() if value in text}
    assert shown == ({} if word == "intro_file" else {word: HEAD[word]})
    assert ("we are sorry" in text) == (word == "intro_file")
    assert "None" not in text


def test_no_header_comes_of_it(head, make_account):
    """Header-like lines stay text; a name that looks like an address is a name, and the sender stays the sender."""
    plain, told = sent(head(), make_account()), sent(head(**HEAD), make_account())
    assert set(told) - set(plain) <= {"Content-Transfer-Encoding"}
    assert told["Bcc"] is None
    [sender] = told["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (HEAD["organisation"], "support@example.org")
    assert str(told["To"]) == str(plain["To"])


@pytest.mark.parametrize("kind", [STAFF_NOTE, FAILURE])
def test_the_staff_get_none_of_it(head, make_account, kind):
    """They know who they are."""
    assert sent(head(**HEAD), make_account(), kind).as_bytes() == sent(head(), make_account(), kind).as_bytes()


@pytest.mark.parametrize(
    ("intro", "said"),
    [
        (b"", "no text stands"),
        (b" \r\n\t\xef\xbb\xbf", "no text stands"),
        (b"a\0b", "no text stands"),
        (b"fine\nred \x1b[31m", "in its line 2"),
        (b"fine\rBcc: mallory@example.net", "in its line 1"),
        ("fine\n\nsafe\u202egpj.exe".encode(), "in its line 3"),
        ("zero\u200bwidth".encode(), "in its line 1"),
        ("forged\u2028Bcc: mallory@example.net".encode(), "in its line 1"),
        (b"\xff\xfea\0", "not UTF-8"),
        (b"x" * 4_097, "more than 4,096 characters"),
        (b"x" * 1_000_001, "larger than"),
        (b"put introducer.furl = " + FURL.reveal().encode(), "a furl stands"),
    ],
)
def test_a_hostile_text_is_refused_by_name(head, intro, said):
    """With the setting, and with what is wrong; nothing of the text is shown."""
    with pytest.raises(LaeRecoverError, match=r"mail\.intro_file") as refused:
        head(intro, intro_file="intro.txt")
    shown = explain(refused.value)
    assert said in shown
    assert all(c == "\n" or c.isprintable() for c in shown)
    assert "mallory" not in shown
    assert "canary" not in shown


@pytest.mark.parametrize("word", ["organisation", "contact", "page"])
@pytest.mark.parametrize(
    "value", ["Eve\r\nBcc: mallory@example.net", "Eve\nBcc: m", "a\0", "\x1b[2J", "\u202eevil", "a\u2028b", "x" * 700]
)
def test_hostile_words_are_refused_by_name(head, word, value):
    """No line break, nothing invisible, nothing endless."""
    with pytest.raises(LaeRecoverError, match=rf"mail\.{word}") as refused:
        head(**{word: value})
    assert "mallory" not in explain(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "http://example.org/recovery",
        "https://",
        "https://localhost/recovery",
        "https://example.org@mallory.example.net/",
        "https://me:canary@example.org/",
        "https://example.org\\@mallory.example.net/",
        "https://example.org/a b",
        "https://ex\u0430mple.org/",
        "https://example.org/#top",
        "https://-example.org/",
        "javascript:alert(1)//https://example.org/",
        "https://example.org/<script>",
        " https://example.org/",
    ],
)
def test_what_is_no_plain_page_is_refused(head, value):
    """What two programs read in two ways, or a human takes for another site."""
    with pytest.raises(LaeRecoverError, match=r"mail\.page is no page") as refused:
        head(page=value)
    assert "canary" not in explain(refused.value)


@pytest.mark.parametrize(
    "value", ["https://example.org", "https://example.org:8443/", "https://xn--bcher-kva.example/a"]
)
def test_plain_pages_are_taken(head, value):
    """With a port, a path, a domain as IDNA writes it."""
    assert head(page=value).mail.page == value


def test_the_longest_words_fit_into_a_mail(head, make_account):
    """Long names, long lines and a full text: every line of the mail is one that SMTP bears."""
    settings = head(b"x" * 4_096, organisation="Ö" * 200, contact="ä" * 200, intro_file="intro.txt")
    message = sent(settings, make_account())
    assert all(len(line) <= 998 for line in message.as_bytes().splitlines())
    assert "x" * 4_096 in message.get_content()
    shown = message["From"].addresses[0].display_name
    assert shown.replace(" ", "") == "Ö" * 200  # this parser shows where the line was folded
