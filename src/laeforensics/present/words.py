"""One vocabulary for terminal, page, notebook: short names, words, colours, the order in which people look."""

from __future__ import annotations

from collections.abc import Iterable

from laeforensics.accounts.account import CaseAccount
from laeforensics.audit import questions, rules
from laeforensics.evidence.names import start_of
from laeforensics.facts.buckets import seed_of
from laeforensics.facts.findings import SEVERITIES, Finding
from laeforensics.facts.masking import plain
from laerecover.manifest import FINISH

LOOKED_AT = (
    rules.CONTESTED,
    rules.INCOMPLETE,
    rules.UNFINISHED,
    rules.RECOVERABLE,
    rules.CLOSED,
    rules.ABANDONED,
)
"""The verdicts as people look at them: problems first."""
PROBLEMS = frozenset(LOOKED_AT[:3])
"""The verdicts for which somebody has to do something."""

COLOURS = {
    rules.RECOVERABLE: "#1b7a4b",
    rules.CONTESTED: "#b0413e",
    rules.INCOMPLETE: "#a65d00",
    rules.UNFINISHED: "#6a5aa0",
    rules.CLOSED: "#5f6b76",
    rules.ABANDONED: "#767676",
}
"""Of each verdict, dark enough to be read on white (WCAG AA)."""
GRADE_COLOURS = {"IDENTITY_KEPT": "#1b7a4b", "NEW_FURL": "#5d9f76", "NEW_STORAGE_IDENTITY": "#9dc4a8"}

_LONGEST = 40


def words(name: str) -> str:
    """NEW_FURL is `new furl`."""
    return name.lower().replace("_", " ")


def counted(number: int, noun: str) -> str:
    """`1 account`, `3 accounts`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def by_code(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """The findings of each code, most severe first, then those that are many."""
    found: dict[str, list[Finding]] = {}
    for one in findings:
        found.setdefault(one.code, []).append(one)
    return sorted(found.items(), key=lambda item: (SEVERITIES.index(item[1][0].severity), -len(item[1]), item[0]))


def cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def short_name(account: CaseAccount) -> str:
    """An account for people: its customer's address, and six characters of its seed, by which it can be asked for.

    Of an attempt without a seed it is the name of its file.
    """
    seed = seed_of(account.account_id) or next((start[1] for s in account.signups if (start := start_of(s.name))), "")
    who = account.values.get("customer_email") or ("attempt" if account.is_attempt else "no address")
    name = account.account_id
    tail = seed[:6] if seed else name.removeprefix("attempt:") if account.is_attempt else name[-6:]
    return f"{clipped(plain(who))} {clipped(plain(tail))}"


def clipped(text: str) -> str:
    """Text for a cell: what is longer than any address is shortened in its middle."""
    return text if len(text) <= _LONGEST else f"{text[:28]}…{text[-11:]}"


def ordered(accounts: list[CaseAccount]) -> list[CaseAccount]:
    """Accounts as people look at them: problems first, then by customer."""

    def place(account: CaseAccount) -> tuple[int, str, str]:
        verdict = rules.verdict(account).name
        return LOOKED_AT.index(verdict), account.values.get("customer_email") or "~", account.account_id

    return sorted(accounts, key=place)


def reasons(account: CaseAccount) -> list[str]:
    """What keeps an account from being recovered, in words: `user_secret_key is missing`; or that a human let it be."""
    said = ["its signup is to be finished, as a human decided"] if FINISH in account.decided else []
    return [*(_reason(account, *code.partition(":")[::2]) for code in rules.blocking(account)), *said]


def _reason(account: CaseAccount, kind: str, what: str) -> str:
    said = {"contested": "witnesses disagree on {}", "missing": "{} is missing", "unread": "{} was not read"}
    said |= {"closed": "the customer left ({})", "never-ready": "no server was ever ready"}
    if kind == "contested" and questions.is_one_voice(account, what):
        return f"nothing is sure of {what}"
    return said[kind].format(clipped(plain(what)))
