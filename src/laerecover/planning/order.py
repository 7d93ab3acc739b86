"""In which order accounts start; who goes ahead of all others."""

from __future__ import annotations

from collections.abc import Mapping

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Manifest
from laerecover.options import Options
from laerecover.planning.plain_words import without_codes
from laerecover.planning.plan import Plan
from laerecover.runbook.ledger import Round
from laerecover.selection import one_account


def in_order(
    planned: Plan, manifest: Manifest, rounds: Mapping[str, Round], options: Options
) -> tuple[tuple[str, ...], str]:
    """The ids of those that are not recovered yet: those on their way first, then as --order says; then the canary.

    Raises LaeRecoverError for a canary that would not be recovered.
    """
    outcomes = {account: latest.outcome for account, latest in rounds.items()}
    wanted = {a.account_id for a in planned.recover}
    todo = [each for each in options.selection.ordered(manifest) if each in wanted]
    todo = [each for each in todo if outcomes.get(each) != "recovered"]
    todo.sort(key=lambda each: outcomes.get(each) != "on its way")
    return tuple(todo), _canary(planned, manifest, rounds, options, todo)


def _canary(planned: Plan, manifest: Manifest, rounds: Mapping[str, Round], options: Options, todo: list[str]) -> str:
    """Who was chosen; else the first, until one was recovered and reached. "" for none."""
    asked = options.limits.canary
    if isinstance(asked, str):
        chosen = one_account(asked, manifest, "--canary").account_id
        if chosen in todo:
            return chosen
        why = next((a.why for a in planned.accounts if a.account_id == chosen and a.action != "recover"), None)
        if why is not None:
            raise LaeRecoverError(
                f"the canary would not be recovered: {without_codes(why)}",
                where=f"--canary {asked}",
                next_step="name another, or mend that first; nothing was started",
            )
    sung = any(r.outcome == "recovered" and not (r.ended and r.ended.unreached) for r in rounds.values())
    return "" if sung or not asked or not todo else todo[0]
