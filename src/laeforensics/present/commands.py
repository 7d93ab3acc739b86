"""CommandLines ready to be typed: about this evidence, with the options that it was audited with."""

from __future__ import annotations

from dataclasses import dataclass, field

from laeforensics.audit import rules
from laeforensics.audit.judgement import Judgement
from laeforensics.audit.mends import WORD, Mend
from laeforensics.evidence.custody import default_folder
from laeforensics.facts.masking import command


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLines:
    """`evidence` are the words that name it; `case`, `sources`, `written` the options that go on being given."""

    evidence: tuple[str, ...]
    case: tuple[str, ...] = ()
    """--case, where it is not the default."""
    sources: tuple[str, ...] = ()
    """--product-tokens, --closed and --inventory."""
    written: tuple[str, ...] = field(default=())
    """--output and --key-file of `audit`."""

    @classmethod
    def of(cls, judgement: Judgement) -> CommandLines:
        """As far as a judgement itself tells them."""
        usual = default_folder(judgement.root) == judgement.folder
        return cls(evidence=(str(judgement.root),), case=() if usual else ("--case", str(judgement.folder)))

    def _line(self, verb: str, *words: str, options: tuple[str, ...] = ()) -> str:
        return command(("laeforensics", verb, *self.evidence, *words, *options))

    def _some(self, *names: str) -> tuple[str, ...]:
        pairs = zip(self.sources[::2], self.sources[1::2], strict=True)
        return (*self.case, *(word for name, value in pairs if name in names for word in (name, value)))

    def explain(self, account_id: str, name: str | None = None) -> str:
        """Why the witnesses of an account, or of one field of it, are believed or not."""
        only = () if name is None else ("--field", name)
        return self._line("explain", account_id, *only, options=self._some("--product-tokens", "--closed"))

    def decide(self, account_id: str, name: str, number: int | str) -> str:
        """The witness of this number is right; WHY is left to the human."""
        options = ("--witness", str(number), "--because", "WHY", *self._some("--product-tokens"))
        return self._line("decide", account_id, name, options=options)

    def finish(self, account_id: str) -> str:
        """The signup should be finished, says the customer; WHY is left to the human."""
        options = ("--finish", "--because", "WHY", *self._some("--product-tokens"))
        return self._line("decide", account_id, options=options)

    def decide_all(self, name: str, rule: str, *conditions: str) -> str:
        """The witness that a rule picks is right in a field of all who are contested in it, and meet the conditions."""
        where = tuple(word for each in (f"contested={name}", *conditions) for word in ("--where", each))
        options = (*where, "--prefer", rule, "--because", "WHY")
        return self._line("decide", options=(*options, *self._some("--product-tokens")))

    def undo_all(self, name: str) -> str:
        """Take back what was decided of a field, of everybody."""
        options = ("--where", f"decided={name}", "--undo", "--because", "WHY", "--yes")
        return self._line("decide", options=(*options, *self._some("--product-tokens")))

    def set_aside(self, file: str) -> str:
        """Nothing in this unread file is needed."""
        return self._line("decide", options=("--set-aside", file, "--because", "WHY", *self.case))

    def show(self, place: str) -> str:
        """The evidence itself, at this place."""
        return self._line("show", place, options=self.case)

    def list_accounts(self, *filters: str) -> str:
        """The accounts for which something holds."""
        options = self._some("--product-tokens", "--closed", "--inventory")
        return self._line("list", options=(*filters, *options))

    def audit(self) -> str:
        """Judge again."""
        return self._line("audit", options=(*self.written, *self.case, *self.sources))

    def for_mend(self, mend: Mend) -> str:
        """What to type about an entry of the shopping list."""
        if mend.evidence.startswith("a decision on "):
            (name,), (first, *more) = mend.fields, mend.accounts
            return self.list_accounts("--where", f"contested={name}") if more else self.explain(first, name)
        if mend.evidence == WORD:
            first, *more = mend.accounts
            return self.list_accounts("--verdict", rules.UNFINISHED) if more else self.finish(first)
        if not mend.fields and ".swp" in mend.evidence:
            return self.set_aside("*.swp")
        if not mend.fields:
            return self.explain(mend.accounts[0])
        return self.audit()
