"""What a terminal's text means: the field, the value, and where in the file the value stands."""

from __future__ import annotations

import pytest
from makings import BUCKET, EMAIL, FURL, HOST, INSTANCE, KEY, LAUNCHED, PARTS, SECRET_KEY, USER_TOKEN, cat, log

from laeforensics.parsing import parser
from laeforensics.parsing.pieces import output_lines, value


def pieces(text: str):
    return [piece for _, found in parser.items("signup_log", text.encode()) for piece in found]


def told(text: str) -> list[tuple[str, str]]:
    return [found[:2] for piece in pieces(text) if (found := value(piece)) is not None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"activationkey = '{KEY}'\n", ("activation_key", KEY)),
        (f"-activationkey = '{KEY}'-\n", ("activation_key", KEY)),
        (f"secret_key = '{SECRET_KEY}'\n", ("user_secret_key", SECRET_KEY)),
        (f"secretkey = '{SECRET_KEY}'\n", ("user_secret_key", SECRET_KEY)),
        (f"-usertoken = '{USER_TOKEN}'-\n", ("user_token", USER_TOKEN)),
        (f"bucketname = '{BUCKET}'\n", ("bucket_name", BUCKET)),
        (f"bucket_name = u'{BUCKET}'\n", ("bucket_name", BUCKET)),
        (f"instance_name = '{EMAIL}'\n", ("customer_email", EMAIL)),
        ('instance_name = "o\'hara@example.org"\n', ("customer_email", "o'hara@example.org")),
        ("instance_name = 'a\\xc3\\xa9@example.org'\n", ("customer_email", "aé@example.org")),
        (f"  instance_id = '{INSTANCE}'", ("instance_id", INSTANCE)),
        (f"  launch_time = '{LAUNCHED}'", ("launch_time", LAUNCHED)),
        (f">The server's public address is '{HOST}'.>\n", ("public_host", HOST)),
        (f">\nThe introducer furl is '{FURL}'>\n", ("introducer_furl", FURL)),
        (PARTS["settings"], ("introducer_furl", FURL)),
        (f">Sending confirmation e-mail to <{EMAIL}>...>\n", ("customer_email", EMAIL)),
        (">Signing up customer for Cloud storage (it's new)...>\n", ("full_name", "Cloud storage (it's new)")),
        (">Signing up customer for Ends with dots....>\n", ("full_name", "Ends with dots.")),
    ],
)
def test_a_piece_tells_its_field_and_value(text, expected):
    """Quotes, marks, escapes and the words around a value are taken off."""
    assert told(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "usertoken = None\n",
        "location = None\n",
        "instance_name = 'it\\x27s'\n",
        "instance_name = '\\xff'\n",
        ">Activating license...>\n",
    ],
)
def test_a_piece_without_a_value_tells_none(text):
    """None, an announcement, or a repr that Python would not have written."""
    assert told(text) == []


def test_a_value_stands_where_it_is_said_to_stand():
    """The offset leads to the value itself (or, for an escaped one, to its repr)."""
    text = log().decode()
    for piece in pieces(text):
        found = value(piece)
        if found is not None:
            _, content, start = found
            assert text[start : start + len(content)] == content


def test_every_value_of_a_whole_log_is_told():
    """The pieces of one signup tell each field that its program prints."""
    assert {name for name, _ in told(log().decode())} == {
        "full_name",
        "activation_key",
        "user_access_key_id",
        "user_secret_key",
        "user_token",
        "bucket_name",
        "ami_image_id",
        "instance_size",
        "customer_email",
        "instance_id",
        "launch_time",
        "public_host",
        "introducer_furl",
    }


def test_output_is_taken_line_by_line_with_its_places():
    """The mark goes, with one space after it.

    What the host printed stays as it is, blank lines of the log are left out.
    """
    text = cat("introducer/my_nodeid", "one", "  two", "", "three\rfour")
    (piece,) = pieces(text)
    lines = output_lines(piece)
    assert [content for content, _ in lines] == ["one", "  two", "", "three\rfour"]
    assert all(text[start : start + len(content)] == content for content, start in lines)
