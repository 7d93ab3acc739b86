"""A plan as the terminal shows it, with what stands in its way; what to type next is only what would do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from laerecover.cli._show import COLOURS, console
from laerecover.planning.costs import in_words
from laerecover.planning.plain_words import without_codes
from laerecover.settings_reader import DRILL_IMAGE
from laerecover.text import clean, clipped, short_name

if TYPE_CHECKING:
    from laerecover.options import Options
    from laerecover.planning.obstacles import Obstacle
    from laerecover.planning.plan import Plan

_AGAIN = "then plan again; nothing was started"
_NAMED = 3
"""So many accounts are named in a command that is proposed."""


def show_plan(
    plan: Plan,
    options: Options,
    *,
    obstacles: Sequence[Obstacle] = (),
    checked: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Per account what will be launched, restored and mailed, or why it is blocked; what it costs; what to type next,
    if that is not left to the conclusion of what was `checked`.
    """

    out = console(stream or sys.stdout)
    told = clipped if out.is_terminal else str
    for account in plan.accounts:
        line = Text.assemble(
            (account.action, COLOURS.get(account.action, "dim")),
            f"  {clean(account.account_id)}  {told(clean(account.customer))}",
        )
        out.print(line)
        if account.why:
            out.print(Text(f"    {clean(without_codes(account.why))}"))
        if account.action == "recover":
            out.print(Text(f"    {account.grade}: {account.price}"))
            out.print(
                Text(
                    f"    launch {_image(account.image)} as {clean(account.size or 'no size')}, in place "
                    f"of one that is {account.server}"
                )
            )
            out.print(
                Text(f"    restore {', '.join(account.restores) or 'no identity'}; mail {told(clean(account.mail))}")
            )
    _show_waves(out, plan)
    for note in plan.notes:
        out.print(Text(f"note: {clean(note)}"))
    minutes = max(1, round(plan.seconds / 60))
    lasts = f", about {minutes} min by {plan.forecast.rests_on}" if plan.recover else ""
    out.print(
        Text(
            f"\n{len(plan.recover)} of {len(plan.accounts)} accounts, as many instances, {plan.concurrency} at a time"
            f"{lasts}; {len(plan.blocked)} blocked"
        )
    )
    for said in in_words(plan.costs):
        out.print(Text(clean(said)))
    out.print(Text(f"manifest {plan.manifest_digest}\nplan     {plan.digest}"))
    key = f"{options.places.fingerprint()} (fingerprint)  {clean(options.places.key)}"
    out.print(Text(f"key      {key}"), soft_wrap=True)
    if not checked:
        _show_next(out, plan, obstacles, options)


def question(plan: Plan) -> str:
    """To what somebody says yes: no customer goes ahead of the others unseen."""
    ahead = next((a for a in plan.accounts if a.account_id == plan.first and len(plan.starts) > 1), None)
    canary = "" if ahead is None else f", {short_name(ahead.account_id, ahead.customer)} alone before the others"
    return f"Recover {len(plan.recover)} accounts{canary}"


def _image(known: str | None) -> str:
    """What a drill takes in its place is in no evidence, and nobody's."""
    return "the image that the settings name" if known == DRILL_IMAGE else clean(known or "no image")


def _show_next(out: Console, plan: Plan, obstacles: Sequence[Obstacle], options: Options) -> None:
    if any(each.blocks and each.account_id is None for each in obstacles):
        out.print(Text(f"next: mend what the check names, {_AGAIN}"))
        return
    if not plan.recover:
        out.print(Text(_nobody(plan)))
        return
    drill = f"laerecover drill {options.places.quoted}{options.repeat('drill')}"
    run = f"laerecover run {options.places.quoted}{options.repeat('run', state=True)}"
    out.print(Text(f"next: {drill}, then {run}"))


def _nobody(plan: Plan) -> str:
    why = "mend what blocks them, or select others" if plan.blocked else "select some with --only"
    return f"next: nothing would be recovered: {why}, {_AGAIN}"


def _show_waves(out: Console, plan: Plan) -> None:
    """Who starts when; the number of a wave, one line an account."""
    told = clipped if out.is_terminal else str
    customers = {a.account_id: told(clean(a.customer)) for a in plan.accounts}
    if plan.starts:
        out.print(Text(f"\nin this order, {plan.concurrency} at a time; who ends makes room for the next:"))
    for number, wave in enumerate(plan.waves, start=1):
        for account_id in wave:
            alone = "  (canary: the others start once it is recovered)" if account_id == plan.first else ""
            out.print(Text(f"  {number:>4}  {clean(account_id)}  {customers[account_id]}{alone}"))


def show_checks(obstacles: Sequence[Obstacle]) -> None:
    """What stands in the way, each with its remedy.

    What several accounts have in common is said once, the most common first.
    """
    out = console(sys.stdout)
    common: dict[tuple[str, str, str], list[str]] = {}
    for each in obstacles:
        if each.blocks:
            common.setdefault((each.what, each.message, each.remedy), []).append(each.account_id or "")
    for (what, message, remedy), accounts in sorted(common.items(), key=lambda item: -len(item[1])):
        about = f"{what} {accounts[0]}".strip() if len(accounts) == 1 else f"{what}, {len(accounts)} accounts"
        out.print(Text(f"{clean(about)}: {clean(message)}", style="yellow"))
        out.print(Text(f"    next: {clean(remedy)}"))
        if len(accounts) > 1:
            out.print(Text(f"    of: {', '.join(map(clean, accounts))}"))


def show_conclusion(plan: Plan, obstacles: Sequence[Obstacle], options: Options) -> None:
    """The end of a check: whether anything stands in the way, and which command goes on."""
    from laerecover.planning.plan import can_accept

    out, run = console(sys.stdout), f"laerecover run {options.places.quoted}{options.repeat('run', state=True)}"
    waiting = {o.account_id: o for o in obstacles if o.account_id is not None and o.blocks}
    doubtful = [a for a in plan.blocked if can_accept(a.guarded, a.why)]
    if any(each.blocks and each.account_id is None for each in obstacles):
        out.print(Text("check: nothing is started before the above is mended; then the same command again"))
        return
    if waiting or doubtful:
        free, back = len(plan.recover), len(waiting.keys() | {a.account_id for a in doubtful})
        out.print(Text(f"check: nothing stands in the way of {free} of {free + back} accounts"))
    else:
        out.print(Text("check: nothing stands in the way"))
    if plan.recover:
        out.print(Text(f"next: {run}"), soft_wrap=True)
    elif not doubtful:
        out.print(Text(_nobody(plan)))
    if doubtful:
        words = " ".join(_consent(a.account_id, waiting.get(a.account_id)) for a in doubtful[:_NAMED])
        more = f" (and {len(doubtful) - _NAMED} more)" if len(doubtful) > _NAMED else ""
        said = f"only if their other servers surely do no harm{more}: {run} {words} --because WHY"
        out.print(Text(f"next, {said}"), soft_wrap=True)


def _consent(account_id: str, obstacle: Obstacle | None) -> str:
    living = obstacle.instances if obstacle is not None else ()
    return " ".join(f"--accept {account_id}={each}" for each in living) or f"--accept {account_id}"
