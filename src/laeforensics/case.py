"""Case: the one object that an auditor holds."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from laeforensics.accounts.account import CaseAccount
from laeforensics.audit.closed import read_closed
from laeforensics.audit.decisions import Choice
from laeforensics.audit.judgement import Judgement
from laeforensics.audit.lookup import account_of
from laeforensics.companions.inventory import read_inventory
from laeforensics.evidence import custody
from laeforensics.evidence.custody import default_folder
from laeforensics.evidence.find import find
from laeforensics.evidence.read import read_beside
from laeforensics.evidence.recognise import EvidenceFile
from laeforensics.export import manifest, tables
from laeforensics.present import cards, explanations
from laeforensics.present import timeline as timelines
from laeforensics.reading.whole import add_monthly, miss, read_all

if TYPE_CHECKING:
    import pandas as pd

    from laerecover.manifest import Manifest


class Case:
    """The evidence of one folder, read and judged. Tables are made when first looked at.

    `facts`, `residue`, `signups`, `findings`, `audit` are DataFrames of dtype object, sorted, with stable columns;
    what is missing is None; secrets are `Secret` (laerecover.manifest), which show a fingerprint. Times are UTC in
    ISO 8601, lines count from 1, `start` and `end` are byte offsets in the file as it lies. What the tables are made
    of is `judgement`.
    """

    def __init__(self, judgement: Judgement) -> None:
        self.judgement = judgement

    @property
    def root(self) -> Path:
        """What was read: the folder or archive, or several joined by ` + `."""
        return self.judgement.root

    @property
    def folder(self) -> Path:
        """The case folder: custody and decisions."""
        return self.judgement.folder

    @cached_property
    def signups(self) -> pd.DataFrame:
        """One row per log file: `log_file dialect role stage outcome` and the fields of that log."""
        return tables.SIGNUPS.of(self.judgement)

    @cached_property
    def audit(self) -> pd.DataFrame:
        """One row per account and per attempt, with verdict, grade and what is missing."""
        return tables.AUDIT.of(self.judgement)

    @cached_property
    def facts(self) -> pd.DataFrame:
        """Every value at every place, with the signup it was joined to, its rule and its channel."""
        return tables.FACTS.of(self.judgement)

    @cached_property
    def findings(self) -> pd.DataFrame:
        """Every finding, most severe first: code, severity, signup, field, message, remedy, locators."""
        return tables.FINDINGS.of(self.judgement)

    @property
    def doubts(self) -> pd.DataFrame:
        """Why each witness of an account is believed less or further than it came: reason, meaning, remedy, because."""
        return tables.DOUBTS.of(self.judgement)

    @property
    def timeline(self) -> pd.DataFrame:
        """What happened to each account, in the order of time: `account_id time what detail place`."""
        return tables.Table(columns=timelines.COLUMNS, rows=timelines.rows).of(self.judgement)

    @cached_property
    def residue(self) -> pd.DataFrame:
        """Every stretch that no rule claimed, with its place (bytes from start to end) and its first characters."""
        return tables.RESIDUE.of(self.judgement)

    @cached_property
    def residue_kinds(self) -> pd.DataFrame:
        """The residue clustered: lines that are alike but for digits, quoted texts, long words; most frequent first."""
        return tables.RESIDUE_KINDS.of(self.judgement)

    @cached_property
    def coverage(self) -> pd.DataFrame:
        """Per log: how many bytes each kind of tile claimed."""
        return tables.COVERAGE.of(self.judgement)

    @property
    def calls(self) -> pd.DataFrame:
        """Per account and function of the HOWTO: can the call be made, and which argument blocks it."""
        return tables.CALLS.of(self.judgement)

    def shopping_list(self) -> pd.DataFrame:
        """Missing evidence, ranked by how many accounts it would unlock: `evidence effect fields accounts`."""
        return tables.SHOPPING_LIST.of(self.judgement)

    def explain(self, key: str) -> explanations.Explanation:
        """Why we believe what we say of one account: each field, each witness with its place, who disagrees.

        `key` is its log name, bucket, e-mail or activation key. Raises UnknownKey (also when several match).
        """
        return explanations.explain(self._account(key))

    def decide(self, key: str, field: str, *, witness: int, who: str, because: str, now: datetime | None = None) -> str:
        """Record in the case folder which witness of a contested field is right, who says so and why; told in words.

        `witness` is the number that `explain` shows; 0 withdraws. Raises UnknownKey, DecisionError, OSError.
        """
        choice = Choice(field=field, witness=witness, who=who, because=because)
        decision = self.judgement.decide(self._account(key), choice, now=now)
        for name in ("audit", "findings"):
            self.__dict__.pop(name, None)
        return str(decision)

    def set_aside(
        self, file: str, *, who: str, because: str, now: datetime | None = None, is_undone: bool = False
    ) -> list[str]:
        """Record in the case folder that an unread file (an archive with all its members) is not needed; told in words.

        It holds while the file is what it is today, and until it `is_undone`. Raises DecisionError, OSError.
        """
        found = self.judgement.set_aside(file, who=who, because=because, now=now, is_undone=is_undone)
        for name in ("audit", "findings"):
            self.__dict__.pop(name, None)
        return [str(one) for one in found]

    def export(self, path: str | Path, *, key_file: Path | None = None) -> Manifest:
        """Write all accounts (not the attempts) as an encrypted manifest, with audit.parquet beside it.

        Raises ManifestError (laerecover.manifest), OSError.
        """
        digest = self.judgement.reading.digest
        return manifest.export(self.judgement.accounts, Path(path), evidence_digest=digest, key_file=key_file)

    def _account(self, key: str) -> CaseAccount:
        return account_of(self.judgement.accounts, key, where=str(self.judgement.root))

    def _repr_html_(self) -> str:
        return cards.card_html(self.judgement)

    def __repr__(self) -> str:
        return cards.card(self.judgement)


@contextmanager
def _unswept() -> Iterator[None]:
    """Python looks for no circles of garbage: what is read has none, and makes each look dearer the more it is.

    Afterwards it counts as old at once, by way of the objects that are never looked at: the next look would go through
    all of it otherwise.
    """
    is_swept = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_swept:
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


@_unswept()
def open_case(
    path: str | Path,
    *more: str | Path,
    folder: str | Path | None = None,
    inventory: str | Path | None = None,
    product_tokens: str | Path | None = None,
    jobs: int = 1,
    progress: Callable[[EvidenceFile, int], None] | None = None,
    closed: str | Path | None = None,
) -> Case:
    """Read a folder of evidence, or an archive of one, or several of either. Nothing in them is written to.

    With several, `log_file` begins with the folder's own name. `folder` is the case folder, whose decisions are
    applied (by default `EVIDENCE.case`); `inventory` a saved DescribeInstances answer; `product_tokens` a monthly file
    of `YYYY-MM,product code,product token` lines; `closed` a list of customers who left, lines of `account or e-mail,
    date,reason`, who get the verdict CLOSED. `jobs` processes parse; `progress` is called after each file with it and
    the number of all files.
    Raises EvidenceError: no such folder, or nothing in it that can be read; InventoryError; ClosedListError;
    DecisionError; CustodyError: the register of the case folder is damaged.
    """
    roots = tuple(map(Path, (path, *more)))
    saved = None if inventory is None else read_inventory(read_beside(Path(inventory)), str(inventory))
    left = None if closed is None else read_closed(read_beside(Path(closed)), str(closed))
    files = find(*roots)
    reading = read_all(files, jobs=jobs, progress=progress and (lambda file: progress(file, len(files))))
    if product_tokens is not None:
        add_monthly(reading, Path(product_tokens))
    root = roots[0] if not more else Path(" + ".join(map(str, roots)))
    kept = default_folder(roots[0]) if folder is None else Path(folder)
    miss(reading, custody.load(kept))
    return Case(Judgement(root, reading, folder=kept, inventory=saved, closed=left))
