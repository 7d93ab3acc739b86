"""In which order accounts start; who goes ahead of all others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Manifest
from laerecover.options import Options
from laerecover.planning.plain_words import without_codes
from laerecover.planning.plan import BLOCKED, LEFT_OUT, Plan
from laerecover.runbook.ledger import Round
from laerecover.selection import one_account

if TYPE_CHECKING:
    from laerecover.settings import Settings


def in_order(
    planned: Plan,
    manifest: Manifest,
    rounds: Mapping[str, Round],
    options: Options,
    settings: Settings,
    *,
    is_whole: bool,
) -> tuple[tuple[str, ...], str, str]:
    """The ids of those that are not recovered yet: those on their way first, then as --order says; then the canary;
    then, where nobody chose that one, why it is.

    `is_whole`: whether the settings are the operator's own altogether. Raises LaeRecoverError for a canary that would
    not be recovered.
    """
    outcomes = {account: latest.outcome for account, latest in rounds.items()}
    wanted = {a.account_id for a in planned.recover}
    todo = [each for each in options.selection.ordered(manifest) if each in wanted]
    todo = [each for each in todo if outcomes.get(each) != "recovered"]
    todo.sort(key=lambda each: outcomes.get(each) != "on its way")
    asked, named = options.limits.canary, settings.run.canary
    if isinstance(asked, str):
        chosen = one_account(asked, manifest, "--canary").account_id
        if chosen in todo:
            return tuple(todo), chosen, ""
        _refuse_blocked(planned, chosen, f"--canary {asked}", (BLOCKED, LEFT_OUT))
    sung = any(r.outcome == "recovered" and not (r.ended and r.ended.unreached) for r in rounds.values())
    if sung or not asked or not todo:
        return tuple(todo), "", ""
    if asked is True and named is not None:
        chosen = one_account(named, manifest, f"run.canary in {options.places.settings_file}").account_id
        if chosen in todo:
            return tuple(todo), chosen, ""
        _refuse_blocked(planned, chosen, f"run.canary in {options.places.settings_file}", (BLOCKED,))
    if options.selection.order is not None:
        return tuple(todo), todo[0], ""
    own = {settings.mail.staff.lower(), settings.mail.sender.lower()} if is_whole else set()
    return tuple(todo), *_nobodys_choice(planned, todo, own)


def _refuse_blocked(planned: Plan, chosen: str, where: str, actions: Collection[str]) -> None:
    why = next((a.why for a in planned.accounts if a.account_id == chosen and a.action in actions), None)
    if why is not None:
        raise LaeRecoverError(
            f"the canary would not be recovered: {without_codes(why)}",
            where=where,
            next_step="name another, or mend that first; nothing was started",
        )


def _nobodys_choice(planned: Plan, todo: Sequence[str], own: Collection[str]) -> tuple[str, str]:
    """Rather the staff's own account than a customer's, as far as its `own` addresses tell; and why it is that."""
    domains = {address.rpartition("@")[2] for address in own}
    customers = {a.account_id: a.customer.lower() for a in planned.recover}
    reasons: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("whose customer is the staff", lambda customer: customer in own),
        (
            "the first whose address is of the staff's own domain",
            lambda customer: customer.rpartition("@")[2] in domains,
        ),
        ("for it happens to be first", lambda _: True),
    )
    return next((each, why) for why, holds in reasons for each in todo if holds(customers[each]))
