"""Why we believe what we say of one account: each field, each witness with its place; secrets are masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from laeforensics.accounts.account import CaseAccount
from laeforensics.audit import decisions, doubts, questions, rules
from laeforensics.audit.mends import mends
from laeforensics.audit.preference import untold
from laeforensics.facts.beliefs import Hearing
from laeforensics.facts.channels import FORM, OWN, REMOTE, SITE
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import CREDENTIALS, CUSTOMER, IDENTITY, SERVER, fields_of, shown
from laeforensics.facts.findings import Finding, finding
from laeforensics.facts.masking import plain
from laeforensics.facts.node_keys import tub_id_of_furl
from laeforensics.facts.reasons import ASSURES, DENIES, LESSENS, RAISES, REASONS, UNSURE
from laeforensics.present._not_taken import not_taken
from laeforensics.present._templates import template
from laeforensics.present.words import clipped
from laerecover.manifest import FINISH, Secret

EXPLAINED_FIELDS = tuple(name for of in (CREDENTIALS, CUSTOMER, IDENTITY, SERVER) for name in fields_of(of))
"""In the order in which an auditor asks: bucket, credentials, tokens, customer, furl, identities, the lost server."""
_CAME = {
    OWN: "the program's own record",
    SITE: "recorded by the signup program",
    FORM: "typed into the web form",
    REMOTE: "relayed from a host",
}
"""How a witness came."""
_SO = {
    DENIES: "not believed",
    UNSURE: "not sure",
    LESSENS: "believed less",
    ASSURES: "sure all the same",
}
"""What a reason does to it."""
_MOST_PLACES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessLine:
    """One witness of one field: what it says (masked), where, and how far it is believed."""

    number: int | None
    """By which a human may choose it, where the field is contested."""
    value: str
    place: str
    rule: str
    trust: str
    agrees: bool
    believed: bool

    def __str__(self) -> str:
        number = "" if self.number is None else f"{self.number}  "
        told = plain(self.value) if self.agrees else f"not this: {plain(self.value)}"
        return f"{number}{told}  {plain(self.place)}  {plain(self.rule)}  {self.trust}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedField:
    """One field of an account: what is held to be true and by which witnesses."""

    name: str
    value: str | None
    verdict: str
    lines: tuple[WitnessLine, ...]

    @property
    def is_plain(self) -> bool:
        """True if there is a value, and nobody says anything else."""
        return bool(self.lines) and self.value is not None and all(line.agrees and line.believed for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why we believe what we say of one account. Prints as text, shows as HTML."""

    account_id: str
    verdict: str
    verdict_means: str
    remedy: str
    grade: str | None
    grade_means: str | None
    email: str | None
    identities: tuple[tuple[str, str], ...]
    history: tuple[str, ...]
    fields: tuple[ExplainedField, ...]
    findings: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        head = "  ".join(
            plain(p) for p in (self.account_id, clipped(self.email or ""), self.verdict, self.grade or "") if p
        )
        lines = [head, f"  {self.verdict}: {self.verdict_means}"]
        if self.verdict != rules.RECOVERABLE:
            lines.append(f"  next: {self.remedy}")
        if self.grade:
            lines.append(f"  {self.grade}: {self.grade_means}")
        lines += ["", *(f"{name} identity  {state}" for name, state in self.identities), "", "History"]
        lines += [f"  {plain(h)}" for h in self.history]
        for field in self.fields:
            lines += [
                "",
                f"{field.name}  {plain(field.value) if field.value is not None else '(none)'}  {field.verdict}",
            ]
            lines += [f"  {line}" for line in field.lines]
        if self.findings:
            lines += [
                "",
                "Findings",
                *(f"  {code}: {plain(message)} · {remedy}" for code, message, remedy in self.findings),
            ]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return template("why.html").render(e=self, raw={}, times=(), todo=(), heading="h4")


def explain(account: CaseAccount) -> Explanation:
    """The explanation of an account."""
    verdict, grade = rules.verdict(account), rules.grade(account)
    findings = [
        *(finding("unread-evidence", f"{file} names this account, and was not read") for file in account.unread),
        *questions.findings_of(account),
    ]
    return Explanation(
        account_id=account.account_id,
        verdict=verdict.name,
        verdict_means=" ".join((verdict.meaning, *_because(account))),
        remedy=_remedy(account, verdict),
        grade=grade.name if grade else None,
        grade_means=rules.grade_means(account),
        email=account.values.get("customer_email"),
        identities=tuple(
            (name, state)
            for name, state in (("introducer", account.introducer_identity), ("storage", account.storage_identity))
            if state
        ),
        history=account.history,
        fields=tuple(_explained(account, name, findings) for name in EXPLAINED_FIELDS),
        findings=tuple((f.code, f.message, f.remedy) for f in findings),
    )


def _remedy(account: CaseAccount, verdict: rules.Rule) -> str:
    """What next; of what is missing, the file itself that would tell it."""
    if verdict.name == rules.CONTESTED:
        whys = {name: untold(account, name) for name in questions.asked(account)}
        return verdict.remedy if None in whys.values() else "; ".join(f"{name}: {why}" for name, why in whys.items())
    if verdict.name != rules.INCOMPLETE:
        return verdict.remedy
    told = ((f"find {evidence}", ", ".join(fields)) for evidence, _, fields in mends(account))
    return "; ".join(f"{what}, for {fields}" if fields else what for what, fields in told)


def _because(account: CaseAccount) -> Iterator[str]:
    """What somebody said, that led to the verdict: that the customer left, or that the signup should be finished.

    Of an attempt: what speaks against the verdict.
    """
    bucket = rules.bucket_not_believed(account)
    if bucket is not None:
        yield f"(but at {plain(str(bucket.locator))} its log tells of one, and is not believed)"
    said = (account.closed, *(d for d in account.decisions if d.startswith(f"{FINISH}: ")))
    yield from (f"({plain(each)})" for each in said if each is not None)


def _explained(account: CaseAccount, name: str, findings: Sequence[Finding]) -> ExplainedField:
    facts = heard(account, name)
    value = account.values.get(name)
    hearing = account.hearing
    believed = hearing.asserting(facts)
    among_believed = frozenset(believed)
    agreeing = sum(f.value == value for f in believed)
    decided = next((d for d in account.decisions if d.startswith(f"{name}: ")), None)
    if name in account.contested:
        asked = "nothing is sure" if questions.is_one_voice(account, name) else "witnesses of equal standing disagree"
        verdict = f"{asked}: a human decides (laeforensics decide)"
    elif decided is not None:
        verdict = f"decided: {plain(decided)}"
    elif value is None and believed and not any(fact.value for fact in believed):
        verdict = f"{len(believed)} of {len(facts)} witnesses tell that there is none"
    elif value is None:
        verdict = "no believable witness" if facts else _no_witness(name, findings)
    else:
        verdict = f"{agreeing} of {len(believed)} witnesses agree"
    if name == "bucket_name" and account.is_attempt and value is not None:
        verdict += "; nothing attests that it was made"
    open_to = decisions.witnesses(account, name) if name in account.contested else account.decided.get(name, [])
    numbers = {f: n for n, f in enumerate(open_to, start=1)}
    facts.sort(key=lambda f: numbers.get(f, len(numbers) + 1))  # as a human counts them; the others behind
    lines = tuple(
        WitnessLine(
            number=numbers.get(f),
            value=_masked(name, f.value),
            place=str(f.locator),
            rule=f.rule,
            trust=_trust(hearing, f, not_taken(account, f) if f in among_believed else ""),
            agrees=value is None or f.value == value,
            believed=f in among_believed,
        )
        for f in facts
    )
    return ExplainedField(
        name=name, value=None if value is None else _masked(name, value), verdict=verdict, lines=lines
    )


def _no_witness(name: str, findings: Sequence[Finding]) -> str:
    """That nobody tells a field; with the places at which stands what cannot be used."""
    told = (str(place) for found in findings if found.field == name for place in found.locators)
    places = [plain(place) for place in dict.fromkeys(told)]
    more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
    unusable = f"; what stands at {', '.join(places[:_MOST_PLACES])}{more} cannot be used" if places else ""
    return f"no witness{unusable}"


def _trust(hearing: Hearing, fact: Fact, not_taken: str) -> str:
    """How a witness came, every reason for which that is not its worth, and for which it counts for nothing here."""
    told = [_CAME[fact.channel]]
    notes = {note.reason: note for note in hearing.notes(fact)}.values()
    for note in notes:
        reason = REASONS[note.reason]
        if reason.weight == RAISES:
            told[0] = reason.means  # tells how it came, too
            continue
        places = ", ".join(plain(str(place)) for place in note.places_for(fact)[:_MOST_PLACES])
        because = f" (because of {places})" if places else ""
        remedy = "" if reason.remedy.startswith("none needed") else f"; next: {reason.remedy}"
        told.append(f"{_SO[reason.weight]}: {reason.means}{because}{remedy}")
    if fact.channel == REMOTE and not notes:
        return f"{told[0]}: not believed"
    return "; ".join((*told, *([not_taken] if not_taken else [])))


def heard(account: CaseAccount, name: str) -> list[Fact]:
    """All witnesses of a field, believed or not: those of the best standing first."""
    return sorted(doubts.witnesses(account, name), key=lambda f: (account.hearing.standing(f), f.locator))


def _masked(name: str, value: str) -> str:
    if name == "introducer_furl":
        location = value.partition("@")[2].rpartition("/")[0]
        return f"{Secret(value)!r} at {location}, TubID {tub_id_of_furl(value)}"
    text = str(shown(name, value))
    return text if len(text) <= 120 else text[:117] + "..."
