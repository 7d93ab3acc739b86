"""Case: the one object that an auditor holds."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laeforensics.accounts.account import Account, instances, keys_of
from laeforensics.accounts.assembly import accounts
from laeforensics.accounts.roles import roles
from laeforensics.audit import calls, decisions, gaps, mends, rules
from laeforensics.companions.inventory import GONE, RUNNING, UNKNOWN, Inventory, read_inventory
from laeforensics.errors import UnknownKey
from laeforensics.evidence import find, recognise
from laeforensics.evidence.read import read_beside
from laeforensics.export import extraction, manifest, tables
from laeforensics.export.tables import COLUMNS, row, table
from laeforensics.facts import masking
from laeforensics.facts.fields import SIGNUP_FIELDS, shown
from laeforensics.facts.findings import Finding
from laeforensics.joining import lost
from laeforensics.joining.join import join
from laeforensics.joining.signups import Signup
from laeforensics.present import cards, explanations
from laeforensics.reading import whole

if TYPE_CHECKING:
    import pandas as pd

    from laerecover.manifest import Manifest

AUDIT_COLUMNS = (
    "account_id",
    "log_file",
    "verdict",
    "grade",
    "server",
    "introducer_identity",
    "storage_identity",
    "missing",
    "blocking",
    "matched_by",
    "history",
    *SIGNUP_FIELDS,
)
FACT_COLUMNS = extraction.COLUMNS
FINDING_COLUMNS = ("code", "severity", "signup", "field", "message", "remedy", "locators")


class Case:
    """The evidence of one folder, read and judged. Tables are made when first looked at.

    `facts`, `residue`, `signups`, `findings`, `audit` are DataFrames of dtype object, sorted, with stable columns; what is
    missing is None; secrets are `Secret`.
    """

    def __init__(
        self, root: Path, read: whole.Reading, *, folder: Path | None = None, inventory: Inventory | None = None
    ) -> None:
        self.root = root
        self.folder = folder or default_folder(root)
        self.inventory = inventory
        self.reading = read
        no_logs = [log for log in read.logs if lost.is_no_log(log)]
        self._foreign_files = [lost.no_log_finding(log) for log in no_logs]
        self.joined: list[Signup] = join([log for log in read.logs if not lost.is_no_log(log)], read.sources)
        self.lost: list[Signup] = lost.logs_lost(self.joined, read.sources)
        self.roles = roles([*self.joined, *self.lost])

    @cached_property
    def accounts(self) -> list[Account]:
        """Every account and attempt, sorted by id."""
        found = accounts([*self.joined, *self.lost], self.roles)
        decisions.apply(found, decisions.load(self.folder))
        if self.inventory is not None:
            for account in found:
                account.server = _server(account, self.inventory)
                account.server_source = self.inventory.source
        return found

    @cached_property
    def signups(self) -> pd.DataFrame:
        """One row per log file: `log_file dialect role stage outcome` and the fields of that log."""
        return table([row(s, self.roles[s.name]) for s in self.joined], COLUMNS)

    @cached_property
    def audit(self) -> pd.DataFrame:
        """One row per account and per attempt, with verdict, grade and what is missing."""
        return table(list(self.audit_rows()), AUDIT_COLUMNS)

    def audit_rows(self) -> Iterator[dict[str, Any]]:
        """The rows of `audit`, each made when it is asked for."""
        return map(self._audit_row, self.accounts)

    @cached_property
    def facts(self) -> pd.DataFrame:
        """Every value at every place, with the signup it was joined to, its rule and its channel."""
        rows = list(extraction.rows((*self.joined, *self.lost), self.reading.files))
        return table(rows, FACT_COLUMNS)

    @cached_property
    def residue(self) -> pd.DataFrame:
        """Every stretch that no rule claimed, with its place and its first characters."""
        columns = ("evidence", "line", "start", "end", "excerpt")
        rows = [
            dict(zip(columns, (r.evidence, r.line, r.start, r.end, masking.excerpt(r.excerpt)), strict=True))
            for log in self.reading.logs
            for r in log.residue
        ]
        return table(rows, columns)

    @cached_property
    def residue_kinds(self) -> pd.DataFrame:
        """The residue clustered: lines that are alike but for digits, quoted texts and long words, most frequent first."""
        columns = ("template", "lines", "bytes", "files", "first")
        return table(tables.residue_kinds(r for log in self.reading.logs for r in log.residue), columns)

    @cached_property
    def coverage(self) -> pd.DataFrame:
        """Per log: how many bytes each kind of tile claimed."""
        kinds = ("fact", "announcement", "local", "remote", "failure", "blank", "residue")
        rows: list[dict[str, Any]] = []
        for log in self.reading.logs:
            sizes = dict.fromkeys(kinds, 0)
            for tile in log.tiles:
                sizes[tile.kind] += tile.end - tile.start
            rows.append({"log_file": log.evidence, "dialect": log.dialect, "bytes": log.size, **sizes})
        return table(rows, ("log_file", "dialect", "bytes", *kinds))

    @property
    def all_findings(self) -> list[Finding]:
        """The findings of reading, joining and auditing, most severe first."""
        decided = {(s.name, d.partition(": ")[0]) for a in self.accounts for s in a.signups for d in a.decisions}
        decided |= {(s.name, "product_token") for a in self.accounts if "product_token" in a.values for s in a.signups}
        found = [
            *(f for f in self.reading.findings if f.signup not in {f.signup for f in self._foreign_files}),
            *self._foreign_files,
            *self.reading.sources.findings,
            *(
                f
                for s in (*self.joined, *self.lost)
                for f in s.findings
                if (s.name, f.field) not in decided or not f.blocks
            ),
            *(f for a in self.accounts for f in a.findings),
            *gaps.lost_accounts(self.accounts, self.reading.sources),
            *gaps.unknown_ends(self.accounts),
        ]
        order = {"blocking": 0, "warning": 1, "note": 2}
        return sorted(found, key=lambda f: (order[f.severity], f.code, f.signup or "", f.field or "", f.message))

    @cached_property
    def findings(self) -> pd.DataFrame:
        """Every finding: code, severity, signup, field, message, remedy, locators."""
        return table(list(self.finding_rows()), FINDING_COLUMNS)

    def finding_rows(self) -> Iterator[dict[str, Any]]:
        """The rows of `findings`, each made when it is asked for."""
        for found in self.all_findings:
            told = {name: getattr(found, name) for name in FINDING_COLUMNS}
            places = tuple(str(place) for place in found.locators)
            yield {**told, "message": masking.plain(found.message), "locators": places}

    def account(self, key: str) -> Account:
        """The account of a log name, bucket, e-mail or activation key. Raises UnknownKey (also when several match)."""
        wanted = key.strip()
        found = [a for a in self.accounts if wanted in keys_of(a)]
        found = found or [a for a in self.accounts if wanted.lower() in {k.lower() for k in keys_of(a)}]
        if len(found) == 1:
            return found[0]
        real = [a for a in found if not a.is_attempt]
        if len(real) == 1:
            return real[0]
        if found:
            names = ", ".join(a.account_id for a in found[:5])
            raise UnknownKey(
                f"{len(found)} accounts match {masking.plain(key)!r}", where=names, next_step="name one of them"
            )
        raise UnknownKey(
            f"no account, log, e-mail or activation key {masking.plain(key)!r}",
            where=str(self.root),
            next_step=self._near(wanted) or "look at the account_id column of `laeforensics audit`",
        )

    def _near(self, wanted: str) -> str | None:
        """What comes near to a key that nothing bears."""
        near = {k.lower(): k for a in self.accounts for k in keys_of(a)}
        found = difflib.get_close_matches(wanted.lower(), near, n=3, cutoff=0.75)
        return f"did you mean {masking.plain(', '.join(near[k] for k in found))}?" if found else None

    def explain(self, key: str) -> explanations.Explanation:
        """Why we believe what we say of one account: each field, each witness with its place, who disagrees."""
        return explanations.explain(self.account(key))

    @property
    def calls(self) -> pd.DataFrame:
        """Per account and function of the HOWTO: can the call be made, and which argument blocks it."""
        return table(calls.rows(self.accounts), ("account_id", "function", "callable", "blocked_by"))

    def decide(self, key: str, field: str, *, witness: int, who: str, because: str, now: datetime | None = None) -> str:
        """Record in the case folder which witness of a contested field is right, who says so and why.

        Raises UnknownKey, DecisionError.
        """
        decision = decisions.decide(
            self.account(key),
            field,
            witness=witness,
            who=who,
            because=because,
            now=now or datetime.now(UTC),
            folder=self.folder,
        )
        for name in ("accounts", "audit", "findings"):
            self.__dict__.pop(name, None)
        return str(decision)

    def mends(self) -> list[mends.Mend]:
        """What evidence would help, most useful first."""
        return [
            *mends.of_lost_accounts(gaps.lost_accounts(self.accounts, self.reading.sources)),
            *mends.shopping_list(self.accounts),
        ]

    def shopping_list(self) -> pd.DataFrame:
        """Missing evidence, ranked by how many accounts it would unlock: `evidence effect fields accounts`."""
        columns = ("evidence", "effect", "fields", "accounts")
        rows = [{name: getattr(m, name) for name in columns} for m in self.mends()]
        return table(rows, columns)

    def export(self, path: str | Path, *, key_file: Path | None = None) -> Manifest:
        """Write all accounts (not the attempts) as an encrypted manifest, with audit.parquet beside it."""
        return manifest.export(self.accounts, Path(path), evidence_digest=self.reading.digest, key_file=key_file)

    def _audit_row(self, account: Account) -> dict[str, Any]:
        grade = rules.grade(account)
        verdict = rules.verdict(account)
        values: dict[str, Any] = {
            "account_id": account.account_id,
            "log_file": account.origin.name if account.origin is not None and account.origin.log is not None else None,
            "verdict": verdict.name,
            "grade": grade.name if grade else None,
            "server": None if account.is_attempt else account.server,
            "introducer_identity": account.introducer_identity,
            "storage_identity": account.storage_identity,
            "missing": account.missing,
            "blocking": rules.blocking(account),
            "matched_by": account.matched_by,
            "history": account.history,
        }
        for name in SIGNUP_FIELDS:
            values[name] = shown(name, account.values.get(name))
        return values

    def _repr_html_(self) -> str:
        return cards.card_html(self)

    def __repr__(self) -> str:
        return cards.card(self)


def _server(account: Account, inventory: Inventory) -> str:
    """GONE only if every server that the account ever had is gone; RUNNING if one of them runs."""
    newest, launch_time = account.values.get("instance_id"), account.values.get("launch_time")
    told = {inventory.server(newest, launch_time)}
    for instance_id, signup in instances(account).items():
        launched = signup.values.get("launch_time") if signup.values.get("instance_id") == instance_id else None
        told.add(inventory.server(instance_id, launched))
    return next(state for state in (RUNNING, UNKNOWN, GONE) if state in told)


def default_folder(root: Path) -> Path:
    """Where custody and decisions of a case are kept if nothing else is said: `<evidence>.case/`, beside the evidence."""
    resolved = root.resolve()
    return resolved.with_name(resolved.name + ".case")


def open_case(
    path: str | Path,
    *more: str | Path,
    folder: str | Path | None = None,
    inventory: str | Path | None = None,
    product_tokens: str | Path | None = None,
    jobs: int = 1,
    progress: Callable[[recognise.EvidenceFile, int], None] | None = None,
) -> Case:
    """Read a folder of evidence, or an archive of one, or several of either. Nothing in them is written to.

    With several, `log_file` begins with the folder's own name. `jobs` processes parse; `progress` is called after each file
    with it and the number of all files. `folder` is the case folder, whose decisions are applied; `inventory` a saved DescribeInstances answer;
    `product_tokens` a monthly file of `YYYY-MM,product code,product token` lines.
    Raises EvidenceError: no such folder, or nothing in it that can be read; InventoryError; DecisionError.
    """
    roots = tuple(map(Path, (path, *more)))
    saved = None if inventory is None else read_inventory(read_beside(Path(inventory)), str(inventory))
    files = find.find(*roots)
    read = whole.read_all(files, jobs=jobs, progress=progress and (lambda file: progress(file, len(files))))
    if product_tokens is not None:
        whole.add_monthly(read, Path(product_tokens))
    root = roots[0] if not more else Path(" + ".join(map(str, roots)))
    return Case(root, read, folder=default_folder(roots[0]) if folder is None else Path(folder), inventory=saved)
