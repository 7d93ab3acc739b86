"""The HOWTO's functions: which call the evidence gives all arguments for, which argument blocks it."""

from __future__ import annotations

from collections.abc import Iterable

from laeforensics.accounts.account import CaseAccount
from laeforensics.facts.buckets import product_code_of

_NEEDS: dict[str, tuple[str, ...]] = {
    "deploy_EC2_instance": ("bucket_name",),
    "install_server": (),
    "bounce_server": ("bucket_name", "user_access_key_id", "user_secret_key", "user_token", "product_token"),
    "append_record": (),
    "send_signup_confirmation": ("customer_email",),
    "notify_zenoss": (),
    "send_notify_failure": (),
}
"""Each function of the HOWTO, with what must be known of its arguments."""
_DEVPAY_ONLY = frozenset({"user_token", "product_token"})


def _blocked_by(account: CaseAccount, function: str) -> tuple[str, ...]:
    """The arguments that keep the call from being made: missing or contested."""
    needs = [n for n in _NEEDS[function] if n not in _DEVPAY_ONLY or product_code_of(account.account_id)]
    return tuple(n for n in needs if n not in account.values or n in account.contested)


def rows(accounts: Iterable[CaseAccount]) -> list[dict[str, object]]:
    """One row per account and function: `account_id function callable blocked_by`."""
    return [
        {"account_id": a.account_id, "function": function, "callable": not blocked, "blocked_by": blocked}
        for a in accounts
        if not a.is_attempt
        for function in _NEEDS
        for blocked in [_blocked_by(a, function)]
    ]
