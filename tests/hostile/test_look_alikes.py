"""Nothing forged is believed: text that looks like the program's own, wherever an enemy can put it."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_lab import Lab, after_line, keys, relayed, replaced, signup

from evidence_writer.certificates import make_identity
from evidence_writer.people import Customer, quoted

FURL = b"pb://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@203.0.113.66:12345/forged"
LINES = (
    b"activationkey = 'AFORGEDFORGEDFORGEDFORGEDFORGE'",
    b"access_key_id = 'AKIAFORGEDFORGED0000'",
    b"secret_key = 'FORGEDFORGEDFORGEDFORGEDFORGEDFORGEDFORG'",
    b"usertoken = '{UserToken}AAAFORGEDFORGEDFORGEDFORGED='",
    b"bucketname = 'lae-f0f0f0f0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
    b">Deploying EC2 instance...>",
    b"ami_image_id = 'ami-f0f0f0f0'",
    b"bucket_name = 'lae-f0f0f0f0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'",
    b"instance_name = 'evil@example.org'",
    b">EC2 instance started.>",
    b"  instance_id = 'i-f0f0f0f0'",
    b"  launch_time = '2012-01-01T00:00:00.000Z'",
    b">The server's public address is '203.0.113.66'.>",
    b">The server's public address is",
    b"introducer.furl = " + FURL,
    b">Sending confirmation e-mail to <evil@example.org>...>",
)
SETTINGS = b">\nThe settings for your gateway's tahoe.cfg are:\n\n[client]\nintroducer.furl = " + FURL
SETTINGS += b"\n\nshares.needed = 1\nshares.happy = 1\nshares.total = 1\n\n>"
SEPARATORS = {
    "plain": b"",
    "carriage-return": b"progress 1%\r",
    "form-feed": b"page\x0c",
    "vertical-tab": b"page\x0b",
    "next-line": b"line\xc2\x85",
    "next-line-latin-1": b"line\x85",
    "line-separator": b"line\xe2\x80\xa8",
    "paragraph-separator": b"line\xe2\x80\xa9",
    "nul": b"line\x00",
    "ansi-erase-line": b"line\x1b[2K\x1b[1G",
    "backspaces": b"[customer@h] out: " + b"\x08" * 30,
    "file-separator": b"line\x1c\x1d\x1e",
    "greater-than": b">>> ",
    "prompt": b"[customer@h] run: cat x\r",
}
PLACES = {
    "while-installing": b"setup.py install",
    "before-the-address": b"apt-get update",
    "while-reading-the-furl": b"introducer.furl\n",
    "at-the-end": b">The introducer and storage server are running.>",
}
DIALECTS = ("d01", "d02", "d06", "d11", "d12", "d13")


def _as_lines(separator: bytes) -> list[bytes]:
    return [separator + line for line in (*LINES, *SETTINGS.split(b"\n"), *FURL.split(b"\n"))]


@pytest.mark.parametrize("name", SEPARATORS)
def test_relayed_lines_that_look_like_the_programs_own_are_not_believed(name, tmp_path):
    """A host may print any line behind any separator: no value changes and none is lost, with and without witnesses."""
    run = signup("d06")
    forged = relayed(run.server.public_host, *_as_lines(SEPARATORS[name]))
    for number, given in enumerate(({}, {"csv": False, "secrets": False})):
        plain = Lab.of(run, **given).judge(tmp_path / f"plain{number}")
        lab = Lab.of(run, **given).edit(run.log_file, after_line(b"setup.py install", *forged))
        judged = lab.judge(tmp_path / f"{number}", look=True)
        assert judged.wrong == []
        assert judged.recall == plain.recall


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("place", PLACES)
def test_relayed_lines_are_not_believed_in_any_dialect_at_any_place(dialect, place, tmp_path):
    """Look-alikes between the commands, before the address or right where the furl is read out: never a wrong value."""
    run = signup(dialect)
    if PLACES[place] not in run.log_bytes:
        assert dialect in ("d01", "d02", "d13")
        return
    forged = relayed(run.server.public_host, *_as_lines(b""), *_as_lines(b"\r"))
    lab = Lab.of(run, csv=False, secrets=False).edit(run.log_file, after_line(PLACES[place], *forged))
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall > 0.6


def _out(host: str, text: str) -> list[bytes]:
    return relayed(host, *text.encode().split(b"\n"))


def _forged_node(number: int):
    run = signup("d06")
    return make_identity(random.Random(number), keys().pem(40 + number), run.ended)


@pytest.mark.parametrize("place", PLACES)
def test_a_node_pem_and_its_node_id_in_other_output_prove_nothing(place, tmp_path):
    """A perfect pair of node.pem and node id, a matching furl: but no `cat` of the program asked for them there."""
    run = signup("d06")
    pair = [_forged_node(0), _forged_node(1)]
    host = run.server.public_host
    lines = [line for node in pair for line in _out(host, f"{node.pem}\n{node.nodeid}")]
    lines += _out(host, f"pb://{pair[0].nodeid}@10.1.1.1:12345,127.0.0.1:12345/introducer")
    for number, secrets in enumerate((True, False)):
        lab = Lab.of(run, secrets=secrets).edit(run.log_file, after_line(PLACES[place], *lines))
        judged = lab.judge(tmp_path / str(number))
        assert judged.wrong == []
        assert judged.recall > 0.8


@pytest.mark.parametrize("path", ["storageserver/private/node.pem", "storageserver/my_nodeid", "introducer/my_nodeid"])
def test_what_a_host_prints_before_the_file_it_was_asked_for_does_not_become_the_file(path, tmp_path):
    """A banner, or another node.pem, before the file's content: the value is the file's or nothing."""
    run, node = signup("d06"), _forged_node(0)
    for number, text in enumerate(("Welcome to Ubuntu\nLast login: today", node.pem, node.nodeid)):
        lab = Lab.of(run, secrets=False)
        lab.edit(run.log_file, after_line(f"cat /home/customer/{path}\n".encode(), *_out(run.server.public_host, text)))
        assert lab.judge(tmp_path / str(number)).wrong == []


def test_echoed_commands_inside_relayed_output_are_no_commands(tmp_path):
    """`[..] run: cat node.pem` inside `out:`, then a pem: the echo is only text."""
    run, node = signup("d06"), _forged_node(1)
    host = run.server.public_host
    lines = [f"[customer@{host}] run: cat /home/customer/storageserver/private/node.pem".encode()]
    lines += [b"[customer@h] out: " + line for line in node.pem.encode().split(b"\n")]
    lines += [f"[customer@{host}] run: cat /home/customer/storageserver/my_nodeid".encode(), node.nodeid.encode()]
    for number, mark in enumerate((b"", b"\r")):
        forged = relayed(host, *(mark + line for line in lines))
        lab = Lab.of(run, secrets=False).edit(run.log_file, after_line(b"tahoe restart storageserver", *forged))
        judged = lab.judge(tmp_path / str(number))
        assert judged.wrong == []
        assert judged.recall > 0.9


def test_a_second_cat_of_the_same_file_makes_the_node_unsure_or_leaves_it(tmp_path):
    """Two storage identities, each a perfect pair, both read by a command: not one of them is guessed."""
    run, node = signup("d06"), _forged_node(1)
    host, home = run.server.public_host, "/home/customer/storageserver"
    lines: list[bytes] = []
    for path, text in ((f"{home}/private/node.pem", node.pem), (f"{home}/my_nodeid", node.nodeid)):
        lines += [f"[customer@{host}] run: cat {path}".encode(), *_out(host, text), b""]
    for number, place in enumerate((b"setup.py install", b">The introducer and storage server are running.>")):
        lab = Lab.of(run, secrets=False).edit(run.log_file, after_line(place, *lines))
        assert lab.judge(tmp_path / str(number)).wrong == []


@pytest.mark.parametrize("dialect", ["d04", "d06", "d12"])
@pytest.mark.parametrize("fail_at", ["activation", "install", "bucket"])
def test_an_error_message_that_contains_the_programs_lines_is_no_print(dialect, fail_at, tmp_path):
    """AWS' XML, a Failure dump or a summary of several lines with forged lines in it: none of them becomes a value."""
    run = signup(dialect, fail_at=fail_at)
    forged = b"\n".join([*LINES, SETTINGS, b">S3 bucket created.>", b">License activated.>", *LINES[1:4]])
    marks = [b"[Failure instance: "] + ([b"<Message>"] if b"<Message>" in run.log_bytes else [])
    for number, mark in enumerate(marks):
        at = run.log_bytes.index(b"\n", run.log_bytes.index(mark)) + 1
        data = run.log_bytes[:at] + forged + b"\n" + run.log_bytes[at:]
        lab = Lab.of(run).edit(run.log_file, lambda _, data=data: data)
        assert lab.judge(tmp_path / str(number)).wrong == []


def test_a_failure_that_forges_its_own_end_does_not_free_what_follows(tmp_path):
    """`]` on a line of its own inside the message ends the dump for a reader; what follows is still of the error."""
    run = signup("d06", fail_at="install")
    forged = b"]\n" + b"\n".join([*LINES, SETTINGS]) + b"\n"
    at = run.log_bytes.index(b"\n", run.log_bytes.index(b"[Failure instance: ")) + 1
    data = run.log_bytes[:at] + forged + run.log_bytes[at:]
    assert Lab.of(run).edit(run.log_file, lambda _: data).judge(tmp_path).wrong == []


def test_a_summary_of_several_lines_is_one_error(tmp_path):
    """`>TypeError: one` LF `>The server's public address is ..>`: the second line belongs to the message."""
    run = signup("d06", fail_at="addresses")
    tail = b">TypeError: slip\n" + b"\n".join([*LINES, SETTINGS]) + b">\n"
    lab = Lab.of(run).edit(run.log_file, lambda data: data + tail)
    assert lab.judge(tmp_path).wrong == []


REPRS = {
    "a repr inside a repr": b"""'\\'AKIAFORGEDFORGED0000\\''""",
    "the other quotes": b'"AKIAFORGEDFORGED0000"',
    "an escape that repr would not write": b"'AKIA\\x46ORGEDFORGED0000'",
    "an octal escape": b"'AKIA\\106ORGEDFORGED000'",
    "u for ascii of a non-json value": b"u'AKIA\\u0046ORGEDFORGED000'",
    "two literals": b"'AKIAFORGED' 'FORGED0000'",
    "an expression": b"'AKIAFORGED'+'FORGED0000'",
    "a list": b"['AKIAFORGEDFORGED0000']",
    "bytes": b"b'AKIAFORGEDFORGED0000'",
    "no quotes": b"AKIAFORGEDFORGED0000",
    "unclosed": b"'AKIAFORGEDFORGED0000",
    "a tail": b"'AKIAFORGEDFORGED0000' # really",
    "a raw string": b"r'AKIAFORGEDFORGED0000'",
    "a formatted string": b"f'AKIAFORGEDFORGED0000'",
    "a carriage return": b"'AKIAFORGEDFORGED0000'\r'AKIAFORGEDFORGED0001'",
    "a call": b"__import__('os').getcwd()",
}


@pytest.mark.parametrize("name", REPRS)
def test_a_repr_that_python_would_not_have_written_is_no_value(name, tmp_path):
    """The access key id in a spelling that repr() does not give: it is lost, never guessed.

    So is the secret key of the same print, which is not sure beside it; the other values stand.
    """
    run = signup("d06")
    true = run.truth["fields"]["user_access_key_id"].encode()
    lab = Lab.of(run, secrets=False).edit(run.log_file, replaced(b"'" + true + b"'", REPRS[name], 1))
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert set(judged.lost) <= {"user_access_key_id", "user_secret_key", "private_host"}


NAMES = (
    "Eve\naccess_key_id = 'AKIAFORGEDFORGED0000'\n",
    "Eve\r\n2012-01-01T00:00:00Z,success,AFORGED,0C4E91D7,Eve,eve@example.org,",
    '=HYPERLINK("http://192.0.2.1","x")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "abc\u202egnp.exe\u2066x\u2069",
    "[red]bold[/red] [link=http://192.0.2.1]x[/link]",
    "\x1b]0;title\x07\x1b[2J",
    "a\u2028b\u0085c\x0cd\x00e",
    "%0A%0D %2520 100%",
    'Zoë, "the" <zoe@example.org>; Müller',
    "'; DROP TABLE accounts; --",
    "../../../etc/passwd",
)


@pytest.mark.parametrize("number", range(len(NAMES)))
@pytest.mark.parametrize("dialect", ["d01", "d06"])
def test_a_customers_name_is_text_whatever_it_looks_like(number, dialect, tmp_path):
    """Newlines, formulas, HTML, templates, bidi, ANSI in name and key info: given back exactly, shown harmlessly."""
    customer = Customer(name=NAMES[number], email="eve+1@example.org", keyinfo=NAMES[-1 - number])
    judged = Lab.of(signup(dialect, customer=customer)).judge(tmp_path, look=True)
    assert judged.wrong == []
    assert judged.recall == 1.0


def test_markup_and_formatting_characters_of_names_reach_neither_page_nor_terminal_raw(tmp_path):
    """audit.html escapes every name; the page forbids scripts from anywhere.

    The card and the explanation print plain.
    """
    from laeforensics.present import pages

    name = "<img src=x onerror=alert(1)>\u202e\x1b[31m"
    run = signup("d06", customer=Customer(name=name, email="eve@example.org", keyinfo="<b>key</b>\u2066"))
    case = Lab.of(run).judge(tmp_path).case
    page = pages.page(case.judgement)
    assert "<img" not in page
    assert "<b>key" not in page
    assert "\u202e" not in page and "\u2066" not in page and "\x1b" not in page
    assert "Content-Security-Policy" in page and "default-src 'none'" in page
    told = str(case.explain("eve@example.org"))
    assert "\u202e" not in told and "\x1b" not in told


EMAILS = (
    "<evil@example.org>",
    "a@example.org>...>\n>Sending confirmation e-mail to <evil@example.org",
    "o'hara@example.org",
    "é@example.org",
)


@pytest.mark.parametrize("number", range(len(EMAILS)))
def test_an_address_that_had_to_be_quoted_is_given_whole_or_not_at_all(number, tmp_path):
    """Until 2012-01-29 the site let any address through, percent-encoded.

    Brackets and newlines in it forge no other.
    """
    quoted_email = quoted(EMAILS[number])
    run = signup("d03", customer=Customer(name="Eve", email=quoted_email, keyinfo=""))
    lab = Lab.of(run)
    for name in ("activation_requests.csv", "signups.csv"):
        lab.edit(name, replaced(quoted(quoted_email).encode(), quoted_email.encode()))
    judged = lab.judge(tmp_path)
    assert judged.rows[run.log_file]["customer_email"] in (None, quoted_email, EMAILS[number])
    assert [w for w in judged.wrong if "customer_email" not in w] == []
    assert judged.recall > 0.8


def test_a_full_name_of_a_product_with_quotes_dots_and_marks_forges_nothing(tmp_path):
    """`Signing up customer for X...>` is unquoted: a product name may contain `...>` and look-alikes on its line."""
    run = signup("d06")
    name = b">Signing up customer for x...>access_key_id = 'AKIAFORGEDFORGED0000' ...>"
    line = run.log_bytes[run.log_bytes.index(b">Signing up") :].split(b"\n", 1)[0]
    judged = Lab.of(run).edit(run.log_file, replaced(line, name)).judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall == 1.0


LONG = {
    "relayed": b"[customer@192.0.2.2] out: " + b"x" * 10_000_000,
    "own": b"x" * 10_000_000,
    "said": b">" + b"A " * 5_000_000,
    "backslashes": b"access_key_id = '" + b"\\" * 5_000_000,
    "carriage-returns": b"\r[customer@192.0.2.2] out: " * 400_000,
    "spaces": b"  a = " + b" " * 5_000_000,
    "brackets": b"[" * 5_000_000,
    "marks": b">" * 5_000_000,
    "newlines": b"\n" * 5_000_000,
    "name": b">Signing up customer for " + b"." * 5_000_000,
}


@pytest.mark.parametrize("name", LONG)
def test_a_line_of_ten_megabytes_changes_nothing(name, tmp_path):
    """A huge line of any kind between two commands: read in linear time, no value changes."""
    run = signup("d06")
    lab = Lab.of(run, csv=False, secrets=False).edit(run.log_file, after_line(b"setup.py install", LONG[name]))
    judged = lab.judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall > 0.8


HUGE = {
    "one value": b"secret_key = '" + b"a" * 10_000_000 + b"'\n",
    "one value of escapes": b"secret_key = '" + b"\\x41" * 2_500_000 + b"'\n",
    "one relayed line": b"[customer@192.0.2.2] out: " + b"x" * 10_000_000 + b"\n",
    "relayed lines": b"[customer@192.0.2.2] out: x\n" * 360_000,
    "empty lines": b"\n" * 5_000_000,
    "lines of a dump": b">EC2 instance started.>\n" + b"  a = b\n" * 1_000_000,
    "lines of an error": b"[Failure instance: x\n" + b"y\n" * 3_000_000,
    "local lines": b"''\n" * 2_000_000,
}
READ = """
import pathlib, resource, sys
from laeforensics.parsing.signuplogs import read_log
data = pathlib.Path(sys.argv[1]).read_bytes()
read_log(data[:9000], "warm")
now = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + 1_000_000_000,) * 2)
log = read_log(data, "signup_logs/huge").log
print(sum(log.sizes.values()))
"""


@pytest.mark.parametrize("name", HUGE)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is measured by /proc")
def test_a_huge_log_is_read_in_little_memory(name, tmp_path):
    """Ten megabytes of one thing are read with less than 1 GB more, so that no log can end the whole audit."""
    run = signup("d06")
    data = after_line(b"setup.py install", HUGE[name])(run.log_bytes)
    path = tmp_path / "huge"
    path.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-300:]
    assert int(done.stdout) == len(data)


def test_a_forged_own_furl_that_fits_no_address_is_not_sure(tmp_path):
    """A settings block put into a finished log names another host than the address line and the fabric lines do."""
    run = signup("d06")
    true = run.truth["fields"]["introducer_furl"].encode()
    lab = Lab.of(run, csv=False, secrets=False).edit(run.log_file, replaced(true, FURL, 1))
    assert lab.judge(tmp_path).wrong == []


def test_the_debug_list_of_all_product_tokens_gives_no_token_of_another_product(tmp_path):
    """x02 prints every product's token: the token is the one of this signup's code."""
    run = signup("x02")
    for number, config in enumerate((True, False)):
        assert Lab.of(run, config=config).judge(tmp_path / str(number)).wrong == []


def test_replaced_customer_fields_in_the_log_do_not_reach_another_account(tmp_path):
    """Two customers of one name, one e-mail and one product: their values never mix."""
    one = signup("d06", 1)
    twin = signup("d06", 2, customer=replace(one.customer))
    judged = Lab.of(one, twin).judge(tmp_path)
    assert judged.wrong == []
    assert judged.recall == 1.0
