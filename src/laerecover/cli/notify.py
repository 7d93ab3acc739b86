"""`notify`: look at the mails that are held, then send them."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import typer

from laerecover.cli._options import DECIDING, PLACES, SELECTION, JsonOpt, YesOpt, print_json, takes
from laerecover.cli._stopping import stop_on_signals

if TYPE_CHECKING:
    from laerecover.afterwards.notify import Letter
    from laerecover.options import Options
    from laerecover.state.state import State


@takes(*PLACES, *SELECTION, "approved_by", *DECIDING)
def notify(options: Options, yes: YesOpt = False, json_: JsonOpt = False) -> None:
    """Show the mails that are held; dial their servers, and send those whose server answers."""
    from laerecover.afterwards import notify as mails
    from laerecover.cli._mails import say_waiting, show_letters, show_sent
    from laerecover.cli._show import ask, say_drill
    from laerecover.cli._worlds import EveryWorld
    from laerecover.mail.outbox import Outbox

    shown: list[Letter] = []

    def confirm(found: State, letters: list[Letter]) -> bool:
        shown.extend(letters)
        people = sys.stderr if json_ else sys.stdout
        say_drill(found, stream=people)
        show_letters(letters, stream=people)
        return yes or found.mode == "drill" or ask(f"Send {len(letters)} mails")

    stop = stop_on_signals()
    found, outcome, stopped = mails.notify(
        options, stop=stop, confirm=confirm, worlds=EveryWorld(), waiting=say_waiting
    )
    outbox = Outbox(found.outbox)
    numbers, waiting = outbox.numbers(), {each.message_id: each.answer for each in outbox.waiting()}
    doubts = Counter(each.answer for each in outbox.all() if each.state == "in_doubt")
    held = [(each.to, waiting[each.mail.message_id]) for each in shown if waiting.get(each.mail.message_id)]
    if json_:
        held_for = {message_id: why for message_id, why in waiting.items() if why}
        print_json({"mode": found.mode, "mails": outcome, "held": held_for, "stopped": stopped})
    else:
        show_sent(found, numbers, stopped, held, doubts, report=options.again("report"))
        say_drill(found)
    if stop.is_set():
        raise typer.Exit(130)
    raise typer.Exit(4 if numbers.get("in_doubt") else 3 if stopped else 1 if {"held", "refused"} & {*numbers} else 0)
