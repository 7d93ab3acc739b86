"""Who tells which name of a bucket; what speaks for one that is damaged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.companions.sources import Sources
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of, stem
from laeforensics.facts.beliefs import Doubt, Hearing
from laeforensics.facts.buckets import activation_key_of, is_usual, product_code_of, seed_of
from laeforensics.facts.channels import OWN
from laeforensics.facts.damage import Neighbours, is_near, is_overwritten
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import FIELDS
from laeforensics.facts.findings import finding
from laeforensics.parsing.logs import BLACKED, SignupLog
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT

_SOLD = ("full_name", "product_token")
Holder = Signup | SecretsFile


@dataclass(slots=True)
class NameEvidence:
    """Who tells which name, and what speaks for its halves: the seeds of files, the codes of known products."""

    sources: Sources
    told: dict[str, list[tuple[Holder, Fact]]] = field(default_factory=lambda: defaultdict(list))
    seeds: Counter[str] = field(default_factory=Counter)
    codes: set[str] = field(default_factory=set)
    sold_as: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The codes of the products that bear a full name, or are sold with a token."""
    standing: dict[str | None, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The names that are told with each code, but those that are undecided."""

    def add(self, holder: Holder, fact: Fact) -> None:
        """The holder tells this name, too."""
        if isinstance(holder, Signup):
            holder.add([fact])
        else:
            holder.facts = [*holder.facts, fact]
        self.told[fact.value].append((holder, fact))
        self.standing[product_code_of(fact.value)].add(fact.value)

    def damage(self, holder: Holder, damaged: Fact, reason: str, why: str, whole: Fact | None = None) -> None:
        """The fact stays, and asserts nothing; a finding tells of it. (`whole` tells the name as it should be.)"""
        because = (whole.locator,) if whole is not None and whole.locator.line else ()
        self.sources.beliefs.add([Doubt(facts=(damaged,), reason=reason, because=because)])
        if isinstance(holder, Signup):
            code, findings = "damaged-value", holder.findings
        else:
            code, findings = "damaged-secrets", self.sources.findings
        findings.append(finding(code, why, signup=name_of(holder), field="bucket_name", locators=(damaged.locator,)))


def sold_to(names: Iterable[str], evidence: NameEvidence) -> set[str]:
    """The codes of what the tellers of these names sold, by its full name or its token, as far as the names bear it.

    Those that all of them tell, if there are any.
    """
    told = [codes for some in _sold(names, evidence) for codes in some]
    return (set.intersection(*told) or set[str]().union(*told)) if told else set()


def sold_alike(names: Iterable[str], evidence: NameEvidence) -> str | None:
    """The one code that both the logs and the secrets files sold, whatever name of the bucket they tell."""
    told = [set.intersection(*some) for some in _sold(names, evidence) if some]
    return next(iter(told[0])) if len(told) > 1 and told[0] == told[1] and len(told[0]) == 1 else None


def _sold(names: Iterable[str], evidence: NameEvidence) -> tuple[list[set[str]], list[set[str]]]:
    """For each full name and token that logs tell, and secrets files: the codes of these names that it may mean."""
    borne = {product_code_of(name) or "" for name in names}
    holders = {id(holder): holder for name in names for holder, _ in evidence.told.get(name, ())}.values()
    hearing = Hearing(evidence.sources.beliefs)
    found: tuple[list[set[str]], list[set[str]]] = ([], [])
    for holder in holders:
        if isinstance(holder, Signup):
            sure: Iterable[Fact] = (fact for name in _SOLD for fact in holder.sure(name))
        else:
            sure = hearing.sure(fact for fact in holder.facts if fact.field in _SOLD)
        values = {fact.value for fact in sure}
        codes = [evidence.sold_as[value] & borne for value in values if value in evidence.sold_as]
        found[0 if isinstance(holder, Signup) else 1].extend(filter(None, codes))
    return found


def full_names(holder: Holder, evidence: NameEvidence) -> Sequence[Fact]:
    """What a log surely tells of the product's full name, where its head is its own: a row of its key bears that out.

    The row tells the product of its bucket.
    """
    if not isinstance(holder, Signup):
        return []
    codes = {product_code_of(fact.value) for fact in holder.asserted("bucket_name")}
    if codes.isdisjoint(rows_of(holder, evidence.sources)):
        return []
    return holder.sure("full_name")


def half_of(name: str) -> str:
    """What stands behind the product code: the seed or the activation key; of an S4 bucket all of it."""
    code = product_code_of(name)
    return name.removeprefix("lae-")[len(code) + 1 if code else 0 :]


def name_of(holder: Holder) -> str:
    """The file's name."""
    return holder.name if isinstance(holder, Signup) else holder.evidence


def gather(signups: Sequence[Signup], sources: Sources) -> NameEvidence:
    """All names that are told, without those whose form needs a witness that they have not; torn ones made whole."""
    evidence = NameEvidence(sources, codes=set(sources.products))
    torn: list[tuple[Holder, Fact]] = []
    for signup in signups:
        for fact in signup.asserted("bucket_name"):
            evidence.told[fact.value].append((signup, fact))
        if signup.log is not None:
            evidence.codes |= {product.product_code for product in signup.log.products}
            torn += [(signup, fact) for fact in _damaged_names(signup.log)]
    for file in sources.secrets.values():
        for fact in Hearing(sources.beliefs).own(f for f in file.facts if f.field == "bucket_name"):
            evidence.told[fact.value].append((file, fact))
        torn += [(file, fact) for fact in file.damaged_names]
    for name in (*(s.name for s in signups), *sources.secrets):
        seed = _seed(name)
        if seed is not None:
            evidence.seeds[seed] += 1
    for code, products in sources.products.items():
        for product in products:
            evidence.sold_as[product.full_name].add(code)
            evidence.sold_as[product.token.value].add(code)
    recorded = (row.value("product_code") for rows in sources.signups.values() for row in rows)
    evidence.codes |= {code for code in recorded if code is not None}
    _doubt_unusual(evidence)
    _make_whole(torn, evidence)
    return evidence


def _damaged_names(log: SignupLog) -> list[Fact]:
    """Prints of the bucket's name with characters that no name has: they assert nothing."""
    return [
        Fact(torn.field, torn.value, torn.locator, torn.rule, OWN, torn.print)
        for torn in log.damaged_values
        if torn.field == "bucket_name" and torn.value and torn.rule != BLACKED
    ]


def _seed(name: str) -> str | None:
    """How a bucket made by the run of this file ends; in the S4 layout the two halves are swapped."""
    start = start_of(name)
    if start is None:
        return None
    customer, _, subscription = start[1].partition("-")
    return f"{subscription}-{customer}" if subscription else start[1]


def _doubt_unusual(evidence: NameEvidence) -> None:
    """A name of unusual form is damage, unless another file knows its product or its activation key.

    A stretch lost in a seed may look like an activation key, but not twice in the same way.
    """
    sources, told = evidence.sources, evidence.told
    unusual = [name for name in told if not is_usual(name)]
    whole = {id(holder) for name, holders in told.items() if unusual and is_usual(name) for holder, _ in holders}
    for name in unusual:
        key, code = activation_key_of(name), product_code_of(name)
        rows = (*sources.signups.get(key, ()), *sources.activations.get(key, ())) if key else ()
        places = {(stem(fact.locator.evidence), fact.rule) for _, fact in told[name]}
        known = code in evidence.codes
        if key:
            known = len(places) > 1 or any(row.value("product_code") == code for row in rows)
        if not known or any(id(holder) in whole for holder, _ in told[name]):
            for holder, fact in told.pop(name):
                evidence.damage(holder, fact, "impossible-name", "bucket_name cannot be right")


def _make_whole(torn: Iterable[tuple[Holder, Fact]], evidence: NameEvidence) -> None:
    """A print with characters that no name has, in a file that tells no other: what it lost may stand elsewhere.

    In the file's own name or in the products known; for a run whose bucket another run made, in the other files.
    """
    whole = {id(holder) for holders in evidence.told.values() for holder, _ in holders}
    known = Neighbours(evidence.told) if torn else Neighbours()
    for holder, fact in torn:
        if id(holder) in whole:
            continue
        name = _by_file_name(holder, fact.value, evidence)
        others = known.near(fact.value)
        if name is not None:
            evidence.add(holder, fact._replace(value=name))
        elif len(others) == 1 and not _begins_early(holder):
            (other,) = others
            if isinstance(holder, Signup):
                # Whatever it was, it stands where a bucket is named that exists.
                because = (evidence.told[other][0][1].locator,)
                evidence.sources.beliefs.add([Doubt(facts=(fact,), reason="misprint", because=because)])
                holder.add([fact])
            evidence.add(holder, evidence.told[other][0][1])
        else:
            continue
        whole.add(id(holder))


def _by_file_name(holder: Holder, torn: str, evidence: NameEvidence) -> str | None:
    seed = _seed(name_of(holder))
    if seed is None or len(torn) <= len(seed):
        return None
    written = torn[len("lae-") : -len(seed) - 1].upper()
    codes = (
        [written] if FIELDS["product_code"].fits(written) else [c for c in evidence.codes if is_overwritten(c, written)]
    )
    names = {f"lae-{code.lower()}-{seed}" for code in codes} | {f"lae-{seed}"}
    found = [
        name for name in names if is_overwritten(name, torn) and FIELDS["bucket_name"].fits(name) and is_usual(name)
    ]
    return found[0] if len(found) == 1 else None


def _begins_early(holder: Holder) -> bool:
    """True for the log of a signup: it makes its own bucket, which bears its own seed."""
    return isinstance(holder, Signup) and not BEFORE_DEPLOYMENT.isdisjoint(holder.stage_names)


def implied(name: str, evidence: NameEvidence) -> dict[str, Locator]:
    """The names that would be right if this one were damaged: by the name of its file, by a product that is known."""
    code, half = product_code_of(name) or "", half_of(name)
    found: dict[str, Locator] = {}
    for holder, fact in evidence.told[name]:
        seed = _seed(name_of(holder))
        if seed is not None and is_near(seed, half):
            found[name.replace(half, seed)] = Locator(name_of(holder), 0, 0, 0)
        if code and code not in evidence.codes:
            for other in codes_near(holder, code, evidence):
                found[name.replace(code.lower(), other.lower(), 1)] = fact.locator
    return found


def codes_near(holder: Holder, code: str, evidence: NameEvidence) -> set[str]:
    """The product codes of which `code` may be a damaged print: known ones, or those in the log's csv rows."""
    rows = rows_of(holder, evidence.sources) if isinstance(holder, Signup) else ()
    return {other for other in (*evidence.codes, *rows) if is_overwritten(other, code)}


def rows_of(signup: Signup, sources: Sources) -> list[str]:
    """The product codes that the results of the log's activation key name."""
    key, _ = signup.weigh("activation_key")
    return [code for row in sources.signups.get(key or "", ()) if (code := row.value("product_code"))]


def codes_of_own_files(told: Iterable[str], evidence: NameEvidence) -> set[str]:
    """The product codes told by those files that bear the seed in their own names."""
    return {
        product_code_of(name) or ""
        for name in told
        for holder, _ in evidence.told[name]
        if (start := start_of(name_of(holder))) is not None and start[1] == seed_of(name)
    }
