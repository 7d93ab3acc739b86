"""What a reader makes of a damaged folder, held against the truth.

The reader is asked through its public door alone.

**Wrong** is a value that is asserted and not true; None never is. An account that nobody has (a *ghost*) is held
against the truth of the log that it names, or else the one that comes nearest; so is an attempt that nobody made.

**Told elsewhere**: a wrong value although a witness that the damage did not touch still tells the true one, and it
can still be known whose it is. The log of a replacement or re-record is its account's by the bucket that it or its
secrets file names; a csv row by an activation key, address, instance or host that an untouched log or secrets file
of the account tells, too.

**Raised**, **lowered**: a verdict, or grade, is better or worse than that of the sound folder. CONTESTED and
INCOMPLETE are equals: either stops for a human. It is no raise where the damage took every witness of what kept the
account down: one of the two sides of a contested account; of an unfinished one the failure in its log, its empty
secrets file and its row. Nor is it one where another sound folder, in which the account is no worse, leaves the very
same bytes (see `two_truths.freed`).

**Given up**: RECOVERABLE when sound and not now, although its witnesses are *intact*: for each required field
(bucket, keys, for DevPay both tokens, and that a server was ready once) an untouched witness of the best standing
that the sound folder has for it tells the truth; and where something tells another value since the damage, two
independent untouched ones do. Copies of one print are one voice.

**Set aside**: given up, and another truth and another damage leave the very same bytes (see `two_truths`).

**Kept**: RECOVERABLE when sound and now, without a wrong value.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import laeforensics as lf
from damages.classes import CLASSES, apply
from damages.hurting import Damaged
from damages.two_truths import Other, freed, named, other_truth
from damages.witnesses import FAILED, Truth, Witness
from damages.written import Written, written
from evidence_writer.products import CATALOGUE
from evidence_writer.truth import FIELDS

VERDICTS = {"ABANDONED": 0, "UNFINISHED": 1, "CONTESTED": 2, "INCOMPLETE": 2, "RECOVERABLE": 3}
LINKS = ("activation_key", "customer_email", "instance_id", "public_host")
GRADES = {None: 0, "NEW_STORAGE_IDENTITY": 1, "NEW_FURL": 2, "IDENTITY_KEPT": 3}


@dataclass(frozen=True)
class Wrong:
    """One wrong value: of an account, or of a log (`account` is its path then)."""

    account: str
    field: str
    asserted: str
    true: frozenset[str]
    verdict: str
    elsewhere: Witness | None
    of_log: bool = False


@dataclass
class Reading:
    """What was found in one damaged folder; names are account ids."""

    wrong: list[Wrong] = field(default_factory=list)
    raised: dict[str, str] = field(default_factory=dict)
    lowered: dict[str, str] = field(default_factory=dict)
    grades_raised: dict[str, str] = field(default_factory=dict)
    ghosts: list[str] = field(default_factory=list)
    given_up: dict[str, str] = field(default_factory=dict)
    set_aside: dict[str, Other] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    crash: str | None = None

    def figures(self, written: Written, damaged: Damaged) -> Counter[str]:
        """The columns of the table for this folder."""
        of_accounts = [w for w in self.wrong if not w.of_log]
        return Counter(
            hit=len(damaged.concerned),
            sound=sum(truth.verdict == "RECOVERABLE" for truth in written.truths.values()),
            wrong=len(of_accounts),
            wrong_recoverable=sum(w.verdict == "RECOVERABLE" for w in of_accounts),
            wrong_told=sum(w.elsewhere is not None for w in of_accounts),
            wrong_logs=sum(w.of_log for w in self.wrong),
            raised=len(self.raised),
            grades_raised=len(self.grades_raised),
            ghosts=len(self.ghosts),
            lowered=len(self.lowered),
            given_up=len(self.given_up),
            set_aside=len(self.set_aside),
            kept=len(self.kept),
            crashes=int(self.crash is not None),
        )


@dataclass(frozen=True)
class Judge:
    """One damaged folder and its truth."""

    written: Written
    damaged: Damaged
    name: str = ""
    """Of the class of damage."""

    def read(self, folder: Path) -> Reading:
        """Open the folder and hold `audit` and `signups` against the truth."""
        try:
            case = lf.open_case(folder)
            audit, signups = case.audit.to_dict("records"), case.signups.to_dict("records")
        except Exception as error:  # noqa: BLE001 - a crash is what is counted
            found = Reading(crash=f"{type(error).__name__}: {error}")
            audit, signups = [], []
        else:
            found = Reading()
        rows = {row["account_id"]: row for row in audit}
        for account, row in rows.items():
            self._row(found, account, row)
        for row in signups:
            self._log(found, row)
        for account, truth in self.written.truths.items():
            self._judgement(found, truth, rows.get(account) or self._as_attempt(rows, truth))
        found.ghosts = sorted(a for a in rows if not a.startswith("attempt:") and not self._is_account(a))
        return found

    def _is_account(self, name: str) -> bool:
        """True if somebody has it, here or in another sound folder that leaves the very same bytes."""
        truths = self.written.truths
        return name in truths or any(named(self.written, self.damaged, account, name) for account in truths)

    def _as_attempt(self, rows: Mapping[str, dict[str, Any]], truth: Truth) -> dict[str, Any] | None:
        return rows.get(f"attempt:{truth.seed}")

    def _row(self, found: Reading, account: str, row: dict[str, Any]) -> None:
        truth = self.written.truths.get(account) or self._of_log(row["log_file"]) or _nearest(row, self.written.truths)
        for name, asserted in _asserted(row):
            if asserted not in self._right(truth, name):
                elsewhere = self._untouched(truth, name)
                found.wrong.append(
                    Wrong(account, name, asserted, truth.values[name], row["verdict"], next(iter(elsewhere), None))
                )

    def _of_log(self, path: str | None) -> Truth | None:
        """What is true of the log at a path, whatever it was called."""
        return self.written.logs.get(self.damaged.origins.get(path or "", path or ""))

    def _log(self, found: Reading, row: dict[str, Any]) -> None:
        path = row["log_file"]
        truth = self._of_log(path) or _nearest(row, self.written.logs)
        for name, asserted in _asserted(row):
            if asserted not in truth.values[name]:
                found.wrong.append(Wrong(path, name, asserted, truth.values[name], "", None, of_log=True))

    def _right(self, truth: Truth, name: str) -> frozenset[str]:
        """What may be asserted; of an older server only where nothing untouched tells of the newer one."""
        older = truth.older.get(name, frozenset())
        return truth.values[name] | older if older and not self._untouched(truth, name) else truth.values[name]

    def _untouched(self, truth: Truth, name: str) -> list[Witness]:
        """Witnesses of the true value in units that the damage did not touch, of which it is still known whose they
        are.
        """
        told = self.written.of_account(truth.account, name)
        true = [w for w in told if w.value in truth.values.get(name, (w.value,))]
        return [w for w in true if w not in self.damaged.touched and self._is_known_whose(w)]

    def _is_known_whose(self, witness: Witness) -> bool:
        if witness.kind == "row":
            linked = [w for w in self.written.of_file(witness.path) if w.unit == witness.unit and w.field in LINKS]
            return any(self._is_told_in_a_file(w) for w in linked)
        if witness.kind == "config":
            return self._is_known_of_which_product(witness.account)
        left = self.written.of_log(witness.path) if witness.kind in ("log", "relayed") else None
        if left is None or left.is_s4 or left.role in ("origin", "attempt"):
            return True  # by the name of the file, by what lies together, by the bucket in the same file
        named = [w for path in (witness.path, left.secrets or "") for w in self.written.of_file(path)]
        return any(w.field == "bucket_name" and self.damaged.touched.get(w) in (None, "tied") for w in named)

    def _is_known_of_which_product(self, account: str) -> bool:
        """Whether an untouched witness tells the account's product, but the list of products itself."""
        told = [w for name in ("bucket_name", "product_code") for w in self.written.of_account(account, name)]
        told += [w for w in self.written.of_account(account, "product_token") if w.kind != "config"]
        told = [w for w in told if w.kind != "config" and w not in self.damaged.touched and self._is_known_whose(w)]
        sold = self.written.truths[account].values["product_code"]
        names = [product.full_name for product in CATALOGUE]
        return bool(told) or any(names.count(each.full_name) == 1 for each in CATALOGUE if each.code in sold)

    def _is_told_in_a_file(self, cell: Witness) -> bool:
        """Whether an untouched log or secrets file of its account tells the value of a csv cell."""
        told = self.written.of_account(cell.account, cell.field)
        files = [w for w in told if w.kind in ("log", "secrets") and w.value == cell.value]
        return any(w not in self.damaged.touched and self._is_known_whose(w) for w in files)

    def _judgement(self, found: Reading, truth: Truth, row: dict[str, Any] | None) -> None:
        account, now = truth.account, row["verdict"] if row else None
        if truth.grade is None:
            return
        step = VERDICTS.get(now or "ABANDONED", 0) - VERDICTS[truth.verdict]
        told = f"{truth.verdict} -> {now or 'nothing'}"
        if step > 0 and not self._is_freed(truth):
            found.raised[account] = told
        if step < 0:
            found.lowered[account] = told
        if row and GRADES[row["grade"]] > GRADES[truth.grade]:
            found.grades_raised[account] = f"{truth.grade} -> {row['grade']}"
        if truth.verdict == "RECOVERABLE":
            if step < 0 and self.is_intact(truth):
                found.given_up[account] = f"{told} {' '.join(row['blocking']) if row else ''}".strip()
                other = other_truth(self.name, self.written, self.damaged, account)
                if other is not None:
                    found.set_aside[account] = other
            if step == 0 and not any(w.account == account and not w.of_log for w in found.wrong):
                found.kept.append(account)

    def _is_freed(self, truth: Truth) -> bool:
        """True if the damage took all that kept an account from a better verdict."""
        if truth.verdict == "CONTESTED" and freed(self.name, self.written, self.damaged, truth.account) is not None:
            return True
        name = {"CONTESTED": "product_token", "UNFINISHED": FAILED}.get(truth.verdict, "")
        told = self.written.of_account(truth.account, name)
        left = {w.value for w in told if self.damaged.touched.get(w) != "gone"}
        return bool(told) and (not left if name == FAILED else len(left) < len({w.value for w in told}))

    def is_intact(self, truth: Truth) -> bool:
        """Whether the damage left enough to recover the account (see above)."""
        return all(self._is_told(truth, name) for name in truth.required)

    def _is_told(self, truth: Truth, name: str) -> bool:
        told = self.written.of_account(truth.account, name)
        best = min((w.standing for w in told), default=9)
        voices = {w.voice for w in self._untouched(truth, name) if w.standing <= best}
        return len(voices) >= (2 if (truth.account, name) in self.damaged.contradicted else 1)


def _asserted(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in FIELDS:
        value = row[name]
        if value is not None:
            yield name, value.reveal() if hasattr(value, "reveal") else str(value)


def _nearest(row: dict[str, Any], truths: Mapping[str, Truth]) -> Truth:
    """The truth that most of the values agree with."""

    def agreeing(truth: Truth) -> int:
        return sum(asserted in truth.values[name] for name, asserted in _asserted(row))

    return max(sorted(truths.values(), key=lambda t: t.account), key=agreeing)


def lay(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write files below a folder."""
    for path, data in sorted(files.items()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder


def look(name: str, number: int, folder: Path) -> tuple[Reading, Judge]:
    """One class of damage in one folder, laid at `folder`, which must be empty."""
    sound = written(number)
    judge = Judge(sound, apply(name, sound), name)
    return judge.read(lay(judge.damaged.files, folder)), judge


def measure(name: str, numbers: tuple[int, ...]) -> Counter[str]:
    """The figures of one class of damage over the folders of these numbers."""
    assert name in CLASSES, name
    total: Counter[str] = Counter()
    for number in numbers:
        with tempfile.TemporaryDirectory(prefix="damage") as top:
            reading, judge = look(name, number, Path(top) / "evidence")
            total.update(reading.figures(judge.written, judge.damaged))
    return total
