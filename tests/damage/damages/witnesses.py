"""What tells what: every place of a sound folder that tells a field of an account, found with the writer's
knowledge.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from evidence_writer import Evidence, Signup
from evidence_writer.people import quoted
from evidence_writer.records import Run
from evidence_writer.truth import FIELDS, SECRETS_KEYS

CONFIG = "lae_automation_config.json"
CSV_FILES = ("activation_requests.csv", "signups.csv", "devpay_completions.csv", "serverinfo.csv")
READY = "ready"  # that a server of the account was ready once: no column, but a verdict hangs on it
FAILED = "failed"  # that the run failed, or never came to its end: what keeps an account UNFINISHED
_READY_STAGES = ("servers_running", "settings_told", "mail_sent")
_CELLS = {
    "activation_requests.csv": (
        "",
        "activation_key",
        "product_code",
        "customer_name",
        "customer_email",
        "customer_keyinfo",
    ),
    "signups.csv": ("", READY, "activation_key", "product_code", "customer_name", "customer_email", "customer_keyinfo"),
    "devpay_completions.csv": ("", "activation_key", "product_code"),
    "serverinfo.csv": ("", "launch_time", "instance_id", "public_host"),
}


@dataclass(frozen=True, eq=False)
class Left:
    """A run as it lies in a folder: paths are None where there is no such file (`secrets` also where it is empty)."""

    account: str
    run: Run
    origin: Signup
    log: str | None
    secrets: str | None
    empty_secrets: str | None
    stripe: str | None

    @property
    def role(self) -> str:
        """Of the log: origin, attempt, replacement, re-record."""
        return self.run.truth["role"]

    @property
    def is_s4(self) -> bool:
        """True if the run lies in the S4 layout."""
        return bool(self.run.paths)


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of an account: of each field the values that may be asserted (none: nothing may).

    `values` has more than one only where two are contested from the start. `older` are those of a server that was
    replaced: right as long as nothing untouched tells of the newer one.
    """

    account: str
    verdict: str
    grade: str | None
    seed: str
    values: Mapping[str, frozenset[str]]
    older: Mapping[str, frozenset[str]]

    @property
    def required(self) -> tuple[str, ...]:
        """What RECOVERABLE takes."""
        tokens = ("user_token", "product_token") if self.values["user_token"] else ()
        return ("bucket_name", "user_access_key_id", "user_secret_key", *tokens, READY)


@dataclass(frozen=True, order=True)
class Witness:
    """One place that tells a value.

    Bytes start to end, within the print, row, entry or file that was written as one.
    """

    path: str
    start: int
    end: int
    field: str
    account: str
    value: str
    unit: tuple[int, int]
    kind: str  # log, relayed, secrets, row, config or stripe
    voice: str  # what a copy shares with what it was copied from

    @property
    def standing(self) -> int:
        """1 is best: the program's own prints and files; then what a host said, what a web form took down."""
        return 1 if self.kind in ("log", "secrets", "config") or self.field == READY else 2


def witnesses_of(laid: Evidence, left: Iterable[Left]) -> Iterator[Witness]:
    """Every witness of a folder."""
    copies = {original: path for path, original in laid.copies.items()}
    for each in left:
        for path in filter(None, (each.log, copies.get(each.log or ""))):
            yield from _of_log(each, path, laid.files[path])
        if each.empty_secrets:
            yield Witness(each.empty_secrets, 0, 0, FAILED, each.account, "", (0, 0), "secrets", each.empty_secrets)
        if each.secrets:
            yield from _of_secrets(each, each.secrets, laid.files[each.secrets])
        if each.stripe:
            yield from _of_stripe(each, each.stripe, laid.files[each.stripe])
        yield from _of_rows(each, laid.files)
        if isinstance(each.run, Signup) and each.run.product:
            yield from _of_config(each, laid.files[CONFIG])


def _of_log(left: Left, path: str, data: bytes) -> Iterator[Witness]:
    for told in left.run.printed:
        state = READY if told.name == "stage" and told.value in _READY_STAGES else None
        state = FAILED if (told.name, told.value) == ("mark", "failure") else state
        if told.name not in FIELDS and not state:
            continue
        at = -1 if state else data.find(told.value.encode(), told.start, told.end)
        if at < 0 and not state and told.channel == "own":
            continue  # "S3 bucket created." tells that it is there, and not its name
        start, end = (at, at + len(told.value.encode())) if at >= 0 else (told.start, told.end)
        unit = (_opened(data, told.start), told.end)
        voice = f"{left.log} {told.start}"
        kind = "log" if told.channel == "own" else "relayed"
        yield Witness(path, start, end, state or told.name, left.account, told.value, unit, kind, voice)


def _opened(data: bytes, start: int) -> int:
    """Where the announcement before a print begins, if there is one: it opens the print, and is lost with it."""
    before = data.rfind(b"\n", 0, start - 1) + 1
    return before if data[before : before + 1] == b">" and data[start - 2 : start - 1] == b">" else start


def _of_secrets(left: Left, path: str, data: bytes) -> Iterator[Witness]:
    for field, names in SECRETS_KEYS.items():
        for name in names:
            value = json.loads(data).get(name)
            if value:
                start = data.index(f'"{name}": '.encode()) + len(name) + 5
                end = start + len(json.dumps(value)) - 2
                yield Witness(path, start, end, field, left.account, value, (0, len(data)), "secrets", path)
    yield Witness(path, 0, len(data), READY, left.account, "filled", (0, len(data)), "secrets", path)


def _of_stripe(left: Left, path: str, data: bytes) -> Iterator[Witness]:
    email = left.origin.customer.email
    start = data.index(email.encode())
    unit = (0, len(data))
    yield Witness(path, start, start + len(email), "customer_email", left.account, email, unit, "stripe", path)


def _of_rows(left: Left, files: Mapping[str, bytes]) -> Iterator[Witness]:
    for name, rows in left.run.csv_rows.items():
        for row in rows:
            at = files[name].index(row) if files[name].startswith(row) else files[name].index(b"\n" + row) + 1
            yield from _of_row(left, name, row, at)


def _of_row(left: Left, name: str, row: bytes, at: int) -> Iterator[Witness]:
    customer, unit, position = left.origin.customer, (at, at + len(row)), at
    typed = {"customer_name": customer.name, "customer_email": customer.email, "customer_keyinfo": customer.keyinfo}
    for field, cell in zip(_CELLS[name], row[:-1].decode("ascii").split(","), strict=True):
        start, position = position, position + len(cell) + 1
        value = typed.get(field, cell)
        assert field not in typed or cell == quoted(value)
        if field == READY:
            lied = left.run.truth["dialect"] == "x03"  # for an hour a failure was recorded as a success
            field = FAILED if value == "failure" else "" if lied else READY
        if field and value:
            voice = f"{name} {at}"
            yield Witness(name, start, start + len(cell), field, left.account, value, unit, "row", voice)


def _of_config(left: Left, data: bytes) -> Iterator[Witness]:
    product = left.origin.product
    assert product is not None
    code = data.index(f'"product_code": "{product.code}"'.encode())
    unit = (data.rindex(b"{", 0, code), data.index(b"\n    }", code) + 6)
    voice = f"{CONFIG} {product.code}"
    for field, value in (("product_token", product.token), ("product_code", product.code)):
        start = data.index(value.encode(), *unit)
        yield Witness(CONFIG, start, start + len(value), field, left.account, value, unit, "config", voice)
