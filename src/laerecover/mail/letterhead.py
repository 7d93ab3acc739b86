"""What the operator's own words add to a customer's letter: who writes, whom to ask, where it proves genuine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from laerecover.sections import MailSettings


def opening(mail: MailSettings) -> str:
    """What stands between the greeting and ` storage server`: the operator's text, if there is one, then `Your`."""
    return f"{mail.intro}\n\nYour" if mail.intro else "your"


def closing(mail: MailSettings) -> str:
    """The letter's last lines; "" where the settings tell none of them."""
    who = f"This mail comes from {mail.organisation}.\n" if mail.organisation else ""
    ask = f"If you have questions: {mail.contact}\n" if mail.contact else ""
    page = (
        "Whether this mail is genuine you see on our own site. Type its address rather than following a link:\n"
        f"    {mail.page}\n"
        if mail.page
        else ""
    )
    told = who + ask + page
    return f"\n{told}" if told else ""
