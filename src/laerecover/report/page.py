"""The report as one HTML page: a sheet of A4 for whoever is asked, its evidence in an annex that opens."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from laerecover.report.follow_ups import Left, grouped
from laerecover.report.outcomes import AccountOutcome
from laerecover.report.report import Report
from laerecover.state.state import State
from laerecover.text import clean, short_name, spent
from laerecover.writing import write_atomically

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

MEANINGS = {
    "recovered": "a server of their own again",
    "failed": "something went wrong; run again",
    "on its way": "begun, not ended",
    "not started": "not begun yet",
    "blocked": "not recovered before something is mended or decided",
    "left out": "not chosen this time",
}
"""Every outcome as a report's picture shows it, in its order."""
_LINE = "put the new line that our mail names into their client"
_DOES = {
    "": "do nothing",
    "nothing": "do nothing",
    "take the new address": _LINE,
    "take the new furl": _LINE,
    "take the new furl; old directories are read-only": f"{_LINE}; their old directories are read-only",
    "take the furl of a new service; nothing was there before": f"{_LINE}; their service is new, nothing was before",
}
"""What a customer has to do, for somebody who does not know the programs."""
_AWAY = ("failed", "on its way", "not started", "blocked")
_MOST, _MOST_AWAY, _BRIEF = 8, 5, 120
_BREAKS = re.compile(r"(?<=\w)(?:[/-](?=\w)|,)|(?<=\w)(?=@\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One outcome in the picture: how many, and where its part begins and how wide it is, in hundredths."""

    word: str
    number: int
    meaning: str
    begins: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the first sheet says, in numbers and few words."""

    report: Report
    on_a_rig: bool
    most: int = _MOST
    """So many kinds of things that are left fit on the sheet."""
    most_away: int = _MOST_AWAY

    @property
    def kind(self) -> str:
        """A drill is no recovery."""
        return "Drill" if self.report.mode == "drill" else "Recovery"

    @property
    def back(self) -> int:
        """How many are recovered."""
        return self.report.number("recovered")

    @property
    def world_words(self) -> str:
        """What was real of it; nothing to be said of a real recovery."""
        if self.report.mode != "drill":
            return ""
        if self.on_a_rig:
            return "This was a rehearsal on the rig: no real cloud, no real mail. "
        return "This was a rehearsal within this computer: no real server, no real mail; its clock ran fast. "

    @property
    def chart(self) -> list[Part]:
        """The outcomes as a picture."""
        whole, parts, begun = max(1, len(self.report.accounts)), [], 0
        for word, meaning in MEANINGS.items():
            if number := self.report.number(word):
                begins, width = 100 * begun / whole, 100 * number / whole
                parts.append(Part(word=word, number=number, meaning=meaning, begins=begins, width=width))
            begun += number
        return parts

    @property
    def customers_do(self) -> list[tuple[str, int]]:
        """What customers who are back have to do -> how many; most first."""
        does = [a.customer_does for a in self.report.accounts if a.outcome == "recovered"]
        return Counter(_DOES.get(what, what) for what in does).most_common()

    @property
    def mails(self) -> list[tuple[str, int]]:
        """State of a mail, in words -> how many."""
        states = Counter(a.mail_words for a in self.report.accounts if a.mail)
        return sorted(states.items())

    @property
    def proved(self) -> tuple[int, int] | None:
        """How many accounts were proved, of how many that were to be; None if none was to be."""
        proofs = [a.proof for a in self.report.accounts if a.proof]
        return (sum(proof.ok for proof in proofs), len(proofs)) if proofs else None

    @property
    def left(self) -> list[Left]:
        """What is left for a human, by its kind."""
        return grouped(self.report.accounts)

    @property
    def not_back(self) -> list[AccountOutcome]:
        """Who is not back though nobody left them out: what failed first."""
        away = [a for a in self.report.accounts if a.outcome in _AWAY and not a.closed]
        return sorted(away, key=lambda a: _AWAY.index(a.outcome))

    @property
    def ordered(self) -> Sequence[AccountOutcome]:
        """All accounts, those with troubles first."""
        order = [*_AWAY, *(word for word in MEANINGS if word not in _AWAY)]
        return sorted(self.report.accounts, key=lambda a: (order.index(a.outcome), a.customer, a.account_id))


def write_report(state: State, report: Report) -> Path:
    """Write report.json and report.html (no scripts, everything escaped) into the state folder; the path of the
    latter.
    """
    write_atomically(state.folder / "report.json", json.dumps(report.body, indent=1).encode())
    path = state.folder / "report.html"
    write_atomically(path, page(report, on_a_rig=state.rehearsal.is_file()).encode())
    return path


def page(report: Report, *, on_a_rig: bool = False) -> str:
    """The report as HTML."""
    environment = _environment()
    style = (environment.loader.get_source(environment, "report.css")[0]) if environment.loader else ""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return environment.get_template("report.html").render(
        page=Page(report=report, on_a_rig=on_a_rig),
        report=report,
        style=style,
        style_digest=f"'sha256-{digest}'",
    )


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("laerecover.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "anchor": _anchor,
        "breakable": _breakable,
        "clean": clean,
        "brief": lambda text: clean(text, limit=_BRIEF),
        "moment": _moment,
        "short": lambda account: short_name(account.account_id, account.customer),
        "spent": spent,
    }
    return environment


def _breakable(text: object) -> Markup:
    """Names, places, commands: the next line may begin behind a slash, a dash, a comma, and before an @."""
    from markupsafe import Markup, escape

    return Markup(_BREAKS.sub("\\g<0><wbr>", str(escape(clean(text, limit=2000)))))  # noqa: S704  escaped


def _anchor(account_id: str) -> str:
    """By which an account can be linked to."""
    return account_id if re.fullmatch(r"[a-z0-9-]{1,100}", account_id) else f"account-{clean(account_id)[-12:]}"


def _moment(written: str) -> str:
    """A time as people read it: to the minute, in UTC."""
    try:
        return datetime.fromisoformat(written).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return clean(written)
