"""The HOWTO's functions: which call the evidence gives all arguments for, which argument blocks it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from laeforensics.accounts.account import CaseAccount
from laeforensics.facts.buckets import product_code_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One function of the HOWTO. `needs` must be known."""

    name: str
    needs: tuple[str, ...]


CALLS: tuple[Call, ...] = (
    Call(name="deploy_EC2_instance", needs=("bucket_name",)),
    Call(name="install_server", needs=()),
    Call(
        name="bounce_server",
        needs=("bucket_name", "user_access_key_id", "user_secret_key", "user_token", "product_token"),
    ),
    Call(name="append_record", needs=()),
    Call(name="send_signup_confirmation", needs=("customer_email",)),
    Call(name="notify_zenoss", needs=()),
    Call(name="send_notify_failure", needs=()),
)
_DEVPAY_ONLY = frozenset({"user_token", "product_token"})


def blocked_by(account: CaseAccount, call: Call) -> tuple[str, ...]:
    """The arguments that keep the call from being made: missing or contested."""
    needs = [n for n in call.needs if n not in _DEVPAY_ONLY or product_code_of(account.account_id)]
    return tuple(n for n in needs if n not in account.values or n in account.contested)


def rows(accounts: Iterable[CaseAccount]) -> list[dict[str, object]]:
    """One row per account and function: `account_id function callable blocked_by`."""
    return [
        {"account_id": a.account_id, "function": call.name, "callable": not blocked, "blocked_by": blocked}
        for a in accounts
        if not a.is_attempt
        for call in CALLS
        for blocked in [blocked_by(a, call)]
    ]
