"""Folders whose truth is known: for each number a cast of accounts, laid in memory by the writer.

The truth is the writer's: never does a line of this package ask the reader what is right.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeVar

from damages.witnesses import Left, Truth, Witness, witnesses_of
from evidence_writer import Evidence, KeyPool, Plan, Signup, lay_evidence
from evidence_writer.dialects import DIALECTS
from evidence_writer.records import Run
from evidence_writer.signup import failures_of
from evidence_writer.truth import FIELDS

K = TypeVar("K")
FULL = tuple(range(25))  # some 300 accounts, 390 logs
TENTH = (0, 9, 18)

_DEVPAY = tuple(label for label in DIALECTS if label not in ("d13", "d14"))
_RE_RECORDED = ("d02", "d03", "d04", "d05", "x04", "d06")
_REPLACED = ("d06", "d03", "d09", "d05", "d11", "d07", "x05", "d10")
_FAILING = ("d06", "d04", "x03", "d09", "d12", "d07", "x04", "d02", "d11")
_ATTEMPTED = ("d09", "d11", "d04", "d12", "d06")
_LOSSES = ("other_token", "credentials_lost", "copied", "introducer_lost", "tail_lost", "secrets_lost", "log_lost")
_LOSING = ("d07", "d09", "d05", "d12", "d06")
_SERVER = ("instance_id", "launch_time", "public_host", "private_host", "introducer_furl", "server_node_privkey")


@dataclass(frozen=True, eq=False)
class Written:
    """A sound folder: its files, the runs that left them, what they tell where, and what is true.

    `truths` is by account id (`attempt:SEED` for what never became an account), `logs` by log file, `copies` are copied
    logs, path -> path of the log that was copied.
    """

    number: int
    files: Mapping[str, bytes]
    left: tuple[Left, ...]
    witnesses: tuple[Witness, ...]
    truths: Mapping[str, Truth]
    logs: Mapping[str, Truth]
    copies: Mapping[str, str]

    @cached_property
    def _by_file(self) -> dict[str, list[Witness]]:
        return _grouped(self.witnesses, lambda w: w.path)

    @cached_property
    def _by_field(self) -> dict[tuple[str, str], list[Witness]]:
        return _grouped(self.witnesses, lambda w: (w.account, w.field))

    def of_file(self, path: str) -> list[Witness]:
        """What a file tells of whom, in its order."""
        return self._by_file.get(path, [])

    def of_account(self, account: str, field: str) -> list[Witness]:
        """All that tell one field of one account."""
        return self._by_field.get((account, field), [])

    def of_log(self, path: str) -> Left | None:
        """The run that a log, or a copy of it, was written by."""
        return next((each for each in self.left if each.log == self.copies.get(path, path)), None)


def _grouped(witnesses: Iterable[Witness], key: Callable[[Witness], K]) -> dict[K, list[Witness]]:
    found: dict[K, list[Witness]] = defaultdict(list)
    for witness in witnesses:
        found[key(witness)].append(witness)
    return dict(found)


def cast(number: int) -> list[Plan]:
    """Twelve accounts: three of S4, a re-record, a replacement, a failure, an attempt before, a loss, four of any
    dialect.
    """

    def turn(labels: tuple[str, ...], step: int = 1) -> str:
        return labels[number * step % len(labels)]

    failing = turn(_FAILING)
    fates = [fate for fate in failures_of(failing) if fate not in ("activation", "verification", "bucket")]
    third = ("complete", *failures_of("d13"))[number // 2 % 4] if number % 2 else "complete"
    return [
        Plan("d13"),
        Plan("d13"),
        Plan("d13", third, after=None if number % 2 else "replacement"),
        Plan(turn(_RE_RECORDED), after="re-record"),
        Plan(turn(_REPLACED), after="failed replacement" if number % 4 == 3 else "replacement"),
        Plan(failing, fates[number % len(fates)]),
        Plan(turn(_ATTEMPTED), before=("activation", "verification", "bucket")[number % 3]),
        Plan(turn(_LOSING), turn(_LOSSES)),
        *(Plan(_DEVPAY[(4 * number + n) % len(_DEVPAY)]) for n in range(4)),
    ]


@cache
def keys() -> KeyPool:
    """The committed key pool, read once."""
    return KeyPool.load()


@cache
def written(number: int) -> Written:
    """The folder of a number; every third one has outputs of the length that real ones had."""
    laid = lay_evidence(cast(number), seed=f"damage {number}", noise="small" if number % 3 else "real", keys=keys())
    left = tuple(_left(laid))
    truths = {truth.account: truth for truth in _truths(laid, left)}
    logs = {each.log: _of_log(each, truths[each.account]) for each in left if each.log}
    logs |= {path: logs[original] for path, original in laid.copies.items()}
    found = tuple(witnesses_of(laid, left))
    return Written(number, dict(laid.files), left, found, truths, logs, dict(laid.copies))


def _left(laid: Evidence) -> Iterator[Left]:
    for account, run in laid.runs:
        paths = run.files()
        companions = {path.rpartition("/")[2]: path for path in run.paths}
        secrets = companions.get("SSEC2", f"secrets/{run.log_name}")
        origin = next(other for name, other in laid.runs if name == account and isinstance(other, Signup))
        yield Left(
            account=account,
            run=run,
            origin=origin,
            log=run.log_file if run.log_file in laid.files else None,
            secrets=secrets if paths.get(secrets) else None,
            empty_secrets=secrets if paths.get(secrets) == b"" else None,
            stripe=companions.get("stripe"),
        )


def _truths(laid: Evidence, left: tuple[Left, ...]) -> Iterator[Truth]:
    for record in laid.truth:
        if record["kind"] == "log":
            continue
        account = record["account_id"]
        origin = next(each.origin for each in left if each.account == account)
        later = [each.run for each in left if each.account == account and each.role == "replacement"]
        true = _real(origin, origin)
        values = {f: _set(record["fields"][f] or true[f]) for f in FIELDS}
        if record["verdict"] == "CONTESTED":
            values["product_token"] = _set(true["product_token"], _secrets_of(origin)["product_token"])
        older = {f: _set(true[f]) - values[f] for f in (*_SERVER, "ami_image_id")} if later else {}
        yield Truth(account, record["verdict"], record["grade"], origin.log_name.split("Z-", 1)[1], values, older)


def _of_log(left: Left, account: Truth) -> Truth:
    """What is true of one log: of its own run, where that differs from the account's."""
    fields = left.run.truth["fields"]
    true = _real(left.run, left.origin)
    values = {f: _set(fields[f] or true[f]) for f in FIELDS}
    values["product_token"] |= account.values["product_token"]
    return Truth(account.account, account.verdict, account.grade, account.seed, values, {})


def _real(run: Run, origin: Signup) -> dict[str, str | None]:
    """The values that a run really had, whether or not the evidence tells them."""
    fields: dict[str, Any] = origin.truth["fields"]
    access_key_id, secret_key, user_token, product_token = origin.credentials
    account, server = origin.account["account_id"], run.server
    return {
        "bucket_name": fields["bucket_name"] if account.startswith("attempt:") else account,
        "user_access_key_id": access_key_id,
        "user_secret_key": secret_key,
        "user_token": user_token,
        "product_token": product_token,
        "product_code": origin.product.code if origin.product else None,
        "customer_email": origin.customer.email,
        "customer_name": origin.customer.name,
        "customer_keyinfo": origin.customer.keyinfo or None,
        "instance_id": server.instance_id,
        "launch_time": server.launch_time,
        "public_host": server.public_host,
        "private_host": server.private_host,
        "introducer_furl": server.external_furl if run is origin else None,
        "activation_key": fields["activation_key"],
        "ami_image_id": run.truth["fields"]["ami_image_id"],
        "instance_size": run.truth["fields"]["instance_size"],
        "introducer_node_pem": server.introducer.pem,
        "introducer_nodeid": server.introducer.nodeid,
        "server_node_pem": server.storage.pem,
        "server_nodeid": server.storage.nodeid,
        "server_node_privkey": server.node_privkey,
    }


def _secrets_of(run: Run) -> dict[str, str | None]:
    return json.loads(run.secrets_bytes or b"{}")


def _set(*values: str | None) -> frozenset[str]:
    return frozenset(value for value in values if value)
