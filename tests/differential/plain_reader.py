"""A slow, obvious reader of undamaged signup logs: line by line, one regular expression for each template.

It shares nothing with the library but the names of the fields, and it takes every file at its word: no damage, no
second signup in the file, no forgery beyond what a line's own first characters give away.
"""

from __future__ import annotations

import ast
import re

Values = set[tuple[str, str]]

_RELAYED = re.compile(r"\[([a-z0-9_]+)@([A-Za-z0-9.-]+)\] ([^\n]*)")
_REPR = r"(u?'(?:[^'\\]|\\.)*'|u?\"(?:[^\"\\]|\\.)*\")"
# (the print that a line belongs to, the line, the field); which lines a print has is what its program prints.
_OPERATOR = [
    (print_, re.compile(pattern.replace("REPR", _REPR)), field)
    for print_, pattern, field in [
        ("license", r"activationkey = REPR", "activation_key"),
        ("credentials", r"access_key_id = REPR", "user_access_key_id"),
        ("credentials", r"secret_key = REPR", "user_secret_key"),
        ("credentials", r"usertoken = REPR", "user_token"),
        ("poll", r"usertoken = REPR", "user_token"),
        ("bucket", r"usertoken = REPR", "user_token"),
        ("bucket", r"bucketname = REPR", "bucket_name"),
        ("bucket", r"accesskeyid = REPR", "user_access_key_id"),
        ("bucket", r"secretkey = REPR", "user_secret_key"),
        ("deploy", r"ami_image_id = REPR", "ami_image_id"),
        ("deploy", r"instance_size = REPR", "instance_size"),
        ("deploy", r"bucket_name = REPR", "bucket_name"),
        ("deploy", r"instance_name = REPR", "customer_email"),
        ("instance", r"  instance_id = REPR", "instance_id"),
        ("instance", r"  launch_time = REPR", "launch_time"),
    ]
]
# What the customer was told, and the print of the operator's stream that it introduces.
_INTRODUCES = [
    (re.compile(r"Activating license\.\.\."), "license"),
    (re.compile(r"License activated\."), "credentials"),
    (re.compile(r"Verifying subscription\.\.\."), "poll"),
    (re.compile(r"Creating S3 bucket( in '[^']*' region)?\.\.\."), "bucket"),
    (re.compile(r"Deploying EC2 instance\.\.\."), "deploy"),
    (re.compile(r"EC2 instance started\."), "instance"),
]
_TELLS = [
    (re.compile(r"Signing up customer for (.+)\.\.\."), "full_name"),
    (re.compile(r"The server's public address is '([^']+)'\."), "public_host"),
    (re.compile(r"Sending confirmation e-mail to <([^<>]+)>\.\.\."), "customer_email"),
    (re.compile(r"Notifying one of our staff to send the confirmation e-mail to <([^<>]+)>\.\.\."), "customer_email"),
]
_HOME = "/home/customer/"
_FILES = {
    f"{_HOME}introducer/introducer.furl": "internal_introducer_furl",
    f"{_HOME}introducer/private/introducer.furl": "internal_introducer_furl",
    f"{_HOME}introducer/private/node.pem": "introducer_node_pem",
    f"{_HOME}introducer/my_nodeid": "introducer_nodeid",
    f"{_HOME}storageserver/private/node.pem": "server_node_pem",
    f"{_HOME}storageserver/my_nodeid": "server_nodeid",
    f"{_HOME}storageserver/private/node.privkey": "server_node_privkey",
    f"{_HOME}storageserver/private/s3secret": "user_secret_key",
    f"{_HOME}storageserver/private/s3usertoken": "user_token",
    f"{_HOME}storageserver/private/s3producttoken": "product_token",
}
_TAHOE_CFG = [
    (re.compile(r"nickname = (lae-\S+)"), "bucket_name"),
    (re.compile(r"s3\.bucket = (\S+)"), "bucket_name"),
    (re.compile(r"s3\.access_key_id = (\S+)"), "user_access_key_id"),
    (re.compile(r"introducer\.furl = (\S+)"), "internal_introducer_furl"),
    (re.compile(r"tub\.location = ([^:]+):[0-9]+,[^:]+:[0-9]+"), "public_host"),
    (re.compile(r"tub\.location = [^:]+:[0-9]+,([^:]+):[0-9]+"), "private_host"),
]


def read(data: bytes) -> tuple[Values, Values]:
    """What the program printed itself, and what it had a host read out: sets of (field, value)."""
    own: Values = set()
    relayed: Values = set()
    lines = _without_marks(data).decode("latin-1").split("\n")
    opened = ""  # the print that the last announcement introduced
    for number, line in enumerate(lines):
        if _is_failure(line):
            break  # what follows is an error message
        host = _RELAYED.match(line)
        if host:
            if host[1] != "zenoss":
                own.add(("public_host", host[2]))
            relayed |= _read_out(lines, number)
        elif line == ">" and number + 1 < len(lines):
            own |= _settings(lines[number + 1 : number + 6])
        elif line.startswith(">"):
            opened = next((name for what, name in _INTRODUCES if what.fullmatch(line[1:-1])), "")
            own |= {(field, m[1]) for what, field in _TELLS if (m := what.fullmatch(line[1:-1])) and line[-1] == ">"}
        else:
            for name, template, field in _OPERATOR:
                found = template.fullmatch(line)
                if found and name == opened:
                    own.add((field, _value(found[1])))
    return own, relayed


def _without_marks(data: bytes) -> bytes:
    """In the first two hours every write to the operator's stream bore a `-`; what fabric relays came byte by byte."""
    if b"\n-activationkey = " not in data:
        return data
    plain = []
    for line in data.split(b"\n"):
        if line.startswith(b"-"):
            line = line[1:]
        if line.endswith(b"-"):
            line = line[:-1]
        mark = re.match(rb"(\[[a-z]+@[^]]+\] out: )((?:-.)+)$", line, re.DOTALL)
        plain.append(mark[1] + mark[2][1::2] if mark else line)
    return b"\n".join(plain)


def _is_failure(line: str) -> bool:
    if line.startswith(("[Failure instance: ", ">Traceback ")):
        return True
    summary = re.match(r">([A-Za-z_.]+): ", line)
    return summary is not None and summary[1] not in ("URL", "package")  # of S4, not names of exceptions


def _value(written: str) -> str:
    """A Python repr undone; bytes are characters here, as they were for the programs."""
    return str(ast.literal_eval(written.removeprefix("u")))


def _settings(lines: list[str]) -> Values:
    """The furl that the customer was told: a sentence in the first week, a block for tahoe.cfg afterwards."""
    sentence = re.fullmatch(r"The introducer furl is '([^']+)'>", lines[0])
    if sentence:
        return {("introducer_furl", sentence[1])}
    if lines[:3] == ["The settings for your gateway's tahoe.cfg are:", "", "[client]"]:
        return {("introducer_furl", lines[3].removeprefix("introducer.furl = "))}
    return set()


def _read_out(lines: list[str], number: int) -> Values:
    """The file that the command of line `number` has a host read out, if that is what it does."""
    user, host, what = _RELAYED.match(lines[number]).groups()  # type: ignore[union-attr]
    # `if [[ -e FILE ]]; then cat FILE; fi` is how a file was read that older servers have not.
    path = what.removeprefix("run: ").removeprefix("if [[ -e ").removeprefix("cat ").split(" ")[0]
    if user != "customer" or not what.startswith(("run: cat ", "run: if [[ -e ")):
        return set()
    mark = f"[customer@{host}] out:"
    output = []
    for line in lines[number + 1 :]:
        if line.startswith(mark):
            output.append(line.removeprefix(mark).removeprefix(" "))
        elif line:
            break
    if path.endswith("storageserver/tahoe.cfg"):
        return {(field, m[1]) for line in output for what_, field in _TAHOE_CFG if (m := what_.fullmatch(line))}
    while output and not output[-1]:
        output.pop()
    return {(_FILES[path], "\n".join(output))} if path in _FILES and output else set()
