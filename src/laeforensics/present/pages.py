"""The audit as one HTML page that can be worked with; what is not urgent lies in linked pages beside it."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laeforensics.accounts.account import CaseAccount
from laeforensics.audit import questions, rules
from laeforensics.audit.judgement import Judgement
from laeforensics.audit.preference import untold
from laeforensics.evidence.find import PAGES_MARK
from laeforensics.evidence.names import start_of
from laeforensics.facts.fact import Locator
from laeforensics.present import lines, words
from laeforensics.present._templates import template
from laeforensics.present.cards import summary
from laeforensics.present.commands import CommandLines
from laeforensics.present.explanations import EXPLAINED_FIELDS, Explanation, explain, heard
from laeforensics.present.lines import Excerpt
from laeforensics.present.timeline import customers_timeline
from laeforensics.writing import write_whole
from laerecover.manifest import FINISH

if TYPE_CHECKING:
    from jinja2.environment import TemplateStream

FOLDER = "audit.d"
MOST_WITHIN = 300
"""So many whys stand in the page itself: a browser searches and sorts them at once."""
MOST_EXAMPLES = 50
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,100}")


@dataclass(frozen=True, kw_only=True)
class AccountRow:
    """One account in the table: what its cells say, and why where that is asked for."""

    judgement: Judgement
    commands: CommandLines
    account: CaseAccount
    excerpts: dict[Locator, Excerpt]
    is_within: bool

    @property
    def anchor(self) -> str:
        """By which it can be linked to."""
        return anchor(self.account.account_id)

    @property
    def link(self) -> str:
        """The page in which its why stands, if not in this one."""
        return f"{FOLDER}/{self.anchor}.html"

    @property
    def short(self) -> str:
        """Its short name."""
        return words.short_name(self.account)

    @property
    def verdict(self) -> str:
        """Whether it can be recovered."""
        return rules.verdict(self.account).name

    @property
    def grade(self) -> str:
        """What the customer will notice, in words."""
        grade = rules.grade(self.account)
        return words.words(grade.name) if grade else ""

    @property
    def reasons(self) -> list[str]:
        """What keeps it from being recovered, in words."""
        return words.reasons(self.account)

    @property
    def kinds(self) -> list[str]:
        """The same for the filter: `contested:product_token`, `unread`."""
        codes = rules.blocking(self.account)
        return sorted({c if c.startswith(("contested:", "missing:")) else c.partition(":")[0] for c in codes})

    @property
    def server(self) -> str:
        """Whether its server still runs, in words."""
        return "" if self.account.is_attempt else words.words(self.account.server)

    @property
    def signed_up(self) -> str:
        """The day on which its first run began."""
        starts = sorted(start[0] for s in self.account.signups if (start := start_of(s.name)))
        return starts[0][:10] if starts else ""

    @property
    def text(self) -> str:
        """What the search looks in."""
        values = self.account.values
        named = ("customer_email", "customer_name", "activation_key", "instance_id", "public_host")
        told = [self.account.account_id, self.short, *(values[n] for n in named if n in values)]
        return " ".join([*told, *(s.name for s in self.account.signups), *self.reasons]).lower()

    @cached_property
    def why(self) -> Explanation:
        """Why we believe what we say of it."""
        return explain(self.account)

    @property
    def timeline(self) -> list[Any]:
        """What happened to it."""
        return list(customers_timeline(self.judgement, self.account))

    @property
    def raw(self) -> dict[str, Excerpt]:
        """Its witnesses as they stand in the evidence, by place."""
        places = {f.locator for name in EXPLAINED_FIELDS for f in heard(self.account, name)}
        return {str(p): self.excerpts[p] for p in places if p in self.excerpts}

    @property
    def decisions(self) -> list[tuple[str, str]]:
        """Of each contested field that somebody can decide the command, and of a signup the one that lets it be
        finished.
        """
        own, account = self.account.account_id, self.account
        names = [name for name in questions.asked(account) if untold(account, name) is None]
        asked = [(name, self.commands.decide(own, name, "N")) for name in names]
        return [*asked, *([(FINISH, self.commands.finish(own))] if self.verdict == rules.UNFINISHED else [])]


def anchor(account_id: str) -> str:
    """An account's name as part of a link, a file's name: its id, or where that is none, a digest with a word."""
    if _PLAIN_NAME.fullmatch(account_id):
        return account_id
    word = "attempt" if account_id.startswith("attempt:") else "account"
    return f"{word}-{hashlib.sha256(account_id.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def page(judgement: Judgement, commands: CommandLines | None = None) -> str:
    """The audit's first page: everything in it but what is linked."""
    commands = commands or CommandLines.of(judgement)
    return "".join(_page(judgement, commands, _rows(judgement, commands)))


def write_page(judgement: Judgement, path: Path, commands: CommandLines | None = None) -> None:
    """Write the page, and beside it a folder FOLDER with one page for each account whose why is not in it.

    Pages hold names and addresses: they are for their owner alone. Raises OSError.
    """
    commands = commands or CommandLines.of(judgement)
    rows = _rows(judgement, commands)
    linked = [row for row in rows if not row.is_within]
    folder = _fresh(path.with_name(FOLDER), is_needed=bool(linked))
    for row in linked:
        told = template("account.html").stream(row=row)
        told.dump(str(folder / f"{row.anchor}.html"), encoding="utf-8", errors="backslashreplace")
    write_whole(path, _page(judgement, commands, rows), is_private=True)


def _fresh(folder: Path, *, is_needed: bool) -> Path:
    """The folder, without what an earlier audit left in it; a folder that somebody else made loses nothing."""
    if (folder / PAGES_MARK).is_file():
        shutil.rmtree(folder)
    if is_needed and not folder.is_dir():
        folder.mkdir(mode=0o700)
        write_whole(folder / PAGES_MARK, ["This folder is written anew by every audit.\n"], is_private=True)
    return folder


def _rows(judgement: Judgement, commands: CommandLines) -> list[AccountRow]:
    accounts = words.ordered(judgement.accounts)
    urgent = [a for a in accounts if rules.verdict(a).name in words.PROBLEMS]
    within = {a.account_id for a in urgent[:MOST_WITHIN]}
    places = [place for n, a in enumerate(accounts) for place in _places(a, is_whole=n < len(urgent))]
    shown = lines.excerpts(judgement, places)
    return [
        AccountRow(
            judgement=judgement,
            commands=commands,
            account=account,
            excerpts=shown,
            is_within=account.account_id in within,
        )
        for account in accounts
    ]


def _places(account: CaseAccount, *, is_whole: bool) -> Iterator[Locator]:
    """The places whose lines are shown: all, or, where nothing is urgent, those that are not believed or agreed to."""
    for name in EXPLAINED_FIELDS:
        value = account.values.get(name)
        facts = heard(account, name)
        believed = set() if is_whole else set(account.hearing.asserting(facts))
        yield from (f.locator for f in facts if is_whole or f not in believed or f.value != value)


def _page(judgement: Judgement, commands: CommandLines, rows: Sequence[AccountRow]) -> TemplateStream:
    numbers = summary(judgement)
    order = [name for name in words.LOOKED_AT if name in numbers["verdicts"]]
    return template("audit.html").stream(
        s=numbers,
        bar=list(_bar(numbers["verdicts"])),
        order=order,
        meanings={r.name: r.meaning for r in (*rules.VERDICTS, *rules.GRADES)},
        wanted=[(mend, commands.for_mend(mend), [anchor(a) for a in mend.accounts]) for mend in judgement.mends],
        commands=commands,
        again=commands.audit(),
        rows=rows,
        facets=_facets(rows),
        findings=words.by_code(judgement.findings),
        not_read=judgement.not_read,
        most=MOST_EXAMPLES,
        within=MOST_WITHIN,
        shorts={row.account.account_id: row.short for row in rows},
        words=words.words,
    )


def _bar(verdicts: dict[str, int]) -> Iterator[tuple[str, float, float]]:
    """Each verdict with where its part of the bar begins, and how wide it is, in hundredths."""
    whole, begun = max(1, sum(verdicts.values())), 0
    for name in ("RECOVERABLE", *(n for n in words.LOOKED_AT if n != "RECOVERABLE")):
        count = verdicts.get(name, 0)
        if count:
            yield name, 100 * begun / whole, 100 * count / whole
        begun += count


def _facets(rows: Sequence[AccountRow]) -> list[tuple[str, str, list[tuple[str, str, int]]]]:
    """What the table can be narrowed by: name, title, and each value with its words and how many have it."""
    verdicts = Counter(row.verdict for row in rows)
    kinds = Counter(kind for row in rows for kind in row.kinds)
    grades = Counter(row.grade for row in rows if row.grade)
    servers = Counter(row.server for row in rows if row.server)
    return [
        ("verdict", "verdict", [(name, name, verdicts[name]) for name in words.LOOKED_AT if verdicts[name]]),
        ("kinds", "what stands in the way", [(k, k.replace(":", " "), n) for k, n in sorted(kinds.items())]),
        ("grade", "what the customer notices", [(g.replace(" ", "_"), g, n) for g, n in sorted(grades.items())]),
        ("server", "server", [(s, s, n) for s, n in sorted(servers.items())]),
    ]
