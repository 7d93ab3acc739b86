"""Mails as the terminal shows them: what waits, what came of it, for what reason."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from rich.text import Text

from laerecover.cli._show import console
from laerecover.text import clean, clipped

if TYPE_CHECKING:
    from laerecover.afterwards.notify import Letter
    from laerecover.state.state import State

_LONGEST = 80
"""Characters of an address: whoever sends a mail wants to see the whole one, if it is any."""


def show_letters(letters: Sequence[Letter], *, stream: TextIO | None = None) -> None:
    """Every mail in full, the furl masked."""
    out = console(stream or sys.stdout)
    for letter in letters:
        to = clipped(clean(letter.to), longest=_LONGEST) if out.is_terminal else clean(letter.to)
        out.print(Text(f"To: {to}  ({letter.mail.kind.replace('_', ' ')}, {letter.mail.message_id})"))
        for line in letter.text.splitlines():
            out.print(Text(f"  | {clean(line)}"))
        out.print()


def say_waiting(what: str, seconds: float) -> None:
    """For people who watch: what a command waits for, and how long at the latest."""
    latest = f", {seconds:.0f} s at the latest" if seconds else ""
    print(f"waits for {clean(what)}{latest}", file=sys.stderr)


def show_sent(
    found: State,
    numbers: Mapping[str, int],
    stopped: str,
    held: Sequence[tuple[str, str]],
    doubts: Mapping[str, int],
    *,
    report: str,
) -> None:
    """How many mails are in which state, and why no more were sent; `held`: to whom, and why it was not sent now;
    `doubts`: why mails are in doubt, and how many; `report`: the command that shows more.
    """
    out = console(sys.stdout)
    told = ", ".join(f"{n} {s.replace('_', ' ')}" for s, n in sorted(numbers.items())) or "none"
    whose = ", within the rehearsal alone: no customer got any" if numbers and found.mode == "drill" else ""
    out.print(Text(f"Mails: {told}{whose}"))
    for why, number in doubts.items():
        out.print(Text(f"in doubt, {number}: {clean(why)}"), soft_wrap=True)
    if numbers.get("in_doubt"):
        out.print(Text(f"next: {report} names each mail in doubt, with the command that settles it"), soft_wrap=True)
    reasons: dict[str, list[str]] = {}
    for recipient, why in held:
        reasons.setdefault(why, []).append(recipient)
    for why, recipients in reasons.items():
        more = f" and {len(recipients) - 1} more" if len(recipients) > 1 else ""
        out.print(Text(f"held: {clipped(clean(recipients[0]), longest=_LONGEST)}{more}: {clean(why)}"))
    if stopped:
        out.print(Text(f"Stopped by a guard: {clean(stopped)}", style="yellow"))
    if reasons or stopped:
        out.print(Text("next: mend what it says, then the same command; nothing that is held was sent"))
