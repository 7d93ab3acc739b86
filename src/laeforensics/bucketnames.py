"""Bucket names that differ in a character or two are one name, overwritten somewhere: which of them is right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from laeforensics.facts import DAMAGED, LAST_ASSERTING_STANDING, OWN, Fact, Locator
from laeforensics.findings import finding
from laeforensics.secretsfiles import SecretsFile
from laeforensics.witnesses import (
    Signup,
    Sources,
    activation_key_of,
    is_usual,
    product_code_of,
    start_of,
    stem,
    weigh,
)

_BLOCKS = 3
"""Two characters overwritten leave one of so many blocks of a name whole."""
Holder = Signup | SecretsFile


@dataclass(slots=True)
class _Evidence:
    """Who tells which name, and what speaks for the halves of a name: seeds of files, codes of products."""

    told: dict[str, list[tuple[Holder, Fact]]] = field(default_factory=lambda: defaultdict(list))
    seeds: Counter[str] = field(default_factory=Counter)
    codes: set[str] = field(default_factory=set)
    sources: Sources = field(default_factory=Sources)


def settle_names(signups: Sequence[Signup], sources: Sources) -> None:
    """Decide which of several almost equal names is right; where nothing decides, they stand for one contested account.

    A seed is unique, so two buckets never have names that differ in one or two characters. The half behind the product
    code is right that a file's name bears, else the one most prints tell; the product code is right that the csv row of
    the activation key, the config and most prints tell, if those of them that speak agree. Only a name that is told
    somewhere can be right.
    """
    evidence = _gather(signups, sources)
    _doubt_unusual(evidence)
    implied = {name: _implied(name, holders, evidence) for name, holders in evidence.told.items()}
    names = {*evidence.told, *(other for others in implied.values() for other in others)}
    for cluster in _clusters(names):
        right = _right(cluster, evidence)
        if right is not None:
            _mend(cluster, right, evidence)
            continue
        for name in cluster & evidence.told.keys():
            for other, place in implied[name].items():
                if other not in evidence.told:
                    for holder, _ in evidence.told[name]:
                        _add(
                            holder,
                            Fact("bucket_name", other, place, "product code" if place.line else "file name", OWN),
                        )
        stands = max(cluster, key=lambda n: (*_support(n, evidence), n))
        sources.undecided.update(dict.fromkeys(cluster, stands))


def _support(name: str, evidence: _Evidence) -> tuple[int, bool, int]:
    return evidence.seeds[half_of(name)], product_code_of(name) in evidence.codes, len(evidence.told.get(name, ()))


def half_of(name: str) -> str:
    """What stands behind the product code: the seed or the activation key; of an S4 bucket all of it."""
    code = product_code_of(name)
    return name.removeprefix("lae-")[len(code) + 1 if code else 0 :]


def _gather(signups: Sequence[Signup], sources: Sources) -> _Evidence:
    evidence = _Evidence(sources=sources, codes=set(sources.products))
    for signup in signups:
        for fact in signup.witnesses["bucket_name"]:
            if fact.standing <= LAST_ASSERTING_STANDING:
                evidence.told[fact.value].append((signup, fact))
        if signup.log is not None:
            evidence.codes |= {product.product_code for product in signup.log.products}
    for file in sources.secrets.values():
        for fact in file.facts:
            if fact.field == "bucket_name" and fact.channel == OWN:
                evidence.told[fact.value].append((file, fact))
    for name in (*(s.name for s in signups), *sources.secrets):
        seed = _seed(name)
        if seed is not None:
            evidence.seeds[seed] += 1
    return evidence


def _seed(name: str) -> str | None:
    """How a bucket made by the run of this file ends; in the S4 layout the two halves are swapped."""
    start = start_of(name)
    if start is None:
        return None
    customer, _, subscription = start[1].partition("-")
    return f"{subscription}-{customer}" if subscription else start[1]


def _doubt_unusual(evidence: _Evidence) -> None:
    """A name of unusual form is damage, unless another file knows its product or its activation key.

    A stretch lost in a seed may look like an activation key, but not twice in the same way.
    """
    sources, told = evidence.sources, evidence.told
    unusual = [name for name in told if not is_usual(name)]
    whole = {id(holder) for name, holders in told.items() if unusual and is_usual(name) for holder, _ in holders}
    recorded = {row.value("product_code") for rows in sources.signups.values() if unusual for row in rows}
    for name in unusual:
        key, code = activation_key_of(name), product_code_of(name)
        rows = (*sources.signups.get(key, ()), *sources.activations.get(key, ())) if key else ()
        places = {(stem(fact.locator.evidence), fact.rule) for _, fact in told[name]}
        known = code in evidence.codes or code in recorded
        if key:
            known = len(places) > 1 or any(row.value("product_code") == code for row in rows)
        if not known or any(id(holder) in whole for holder, _ in told[name]):
            for holder, fact in told.pop(name):
                _damage(holder, fact, "bucket_name cannot be right", sources)


def _implied(name: str, holders: Iterable[tuple[Holder, Fact]], evidence: _Evidence) -> dict[str, Locator]:
    """The names that would be right if this one were damaged: by the name of its file, by the token or csv row beside it."""
    code, half = product_code_of(name) or "", half_of(name)
    found: dict[str, Locator] = {}
    for holder, _ in holders:
        place = Locator(holder.name if isinstance(holder, Signup) else holder.evidence, 0, 0, 0)
        seed = _seed(place.evidence)
        if seed is not None and is_near(seed, half):
            found[name.replace(half, seed)] = place
        if code and code not in evidence.codes:
            for other, where in _codes_beside(holder, evidence):
                if is_near(other, code):
                    found[name.replace(code.lower(), other.lower(), 1)] = where
    return found


def _codes_beside(holder: Holder, evidence: _Evidence) -> Iterator[tuple[str, Locator]]:
    """The product codes that the token of a secrets file, or the results of a log's activation key, tell."""
    if isinstance(holder, SecretsFile):
        token = holder.value("product_token")
        for product in (p for products in evidence.sources.products.values() for p in products):
            if product.token.value == token:
                yield product.product_code, product.token.locator
        return
    key, _ = weigh(holder.witnesses["activation_key"])
    for row in evidence.sources.signups.get(key or "", ()):
        for fact in row.facts.of("product_code"):
            yield fact.value, fact.locator


def is_near(one: str, other: str) -> bool:
    """True if a character or two of one are overwritten in the other."""
    return len(one) == len(other) and 0 < sum(a != b for a, b in zip(one, other, strict=True)) <= 2


def _clusters(names: Iterable[str]) -> Iterator[set[str]]:
    """The sets of two and more names that are near to each other."""
    sharing: dict[tuple[int, int, str], list[str]] = defaultdict(list)
    near: dict[str, set[str]] = defaultdict(set)
    for name in sorted(names):
        size = -(-len(name) // _BLOCKS)
        for block in range(_BLOCKS):
            key = (len(name), block, name[block * size : (block + 1) * size])
            for other in sharing[key]:
                if is_near(name, other):
                    near[name].add(other)
                    near[other].add(name)
            sharing[key].append(name)
    while near:
        cluster, open_to = set(), [next(iter(near))]
        while open_to:
            name = open_to.pop()
            cluster.add(name)
            open_to += near.pop(name, ())
        yield cluster


def _right(cluster: set[str], evidence: _Evidence) -> str | None:
    told = cluster & evidence.told.keys()
    # What was read out of a server has a say only where the programs themselves told no name.
    prints = {n: sum(fact.channel == OWN for _, fact in evidence.told[n]) for n in told}
    votes = Counter(prints if any(prints.values()) else {n: len(evidence.told[n]) for n in told})
    half, code = _right_half(cluster, votes, evidence), _right_code(told, votes, evidence)
    return next((n for n in told if half_of(n) == half and product_code_of(n) == code), None) if half else None


def _right_half(cluster: set[str], votes: Counter[str], evidence: _Evidence) -> str | None:
    halves: Counter[str] = Counter()
    for name in votes:
        halves[half_of(name)] += votes[name]
    borne = [half for half in halves if evidence.seeds[half]]
    if len(halves) == 1 and not borne:
        # Files that bear another seed, near to the one told: as many voices.
        others = max((evidence.seeds[half_of(n)] for n in cluster if half_of(n) not in halves), default=0)
        return next(iter(halves)) if halves.total() > others else None
    return borne[0] if len(borne) == 1 else _most(halves)


def _right_code(told: set[str], votes: Counter[str], evidence: _Evidence) -> str | None:
    """None where nothing decides, or for an S4 bucket."""
    codes: Counter[str] = Counter()
    for name in told:
        codes[product_code_of(name) or ""] += votes[name]
    keys = {
        weigh(holder.witnesses["activation_key"])[0] or ""
        for name in told
        for holder, _ in evidence.told[name]
        if isinstance(holder, Signup)
    } - {""}
    rows = [
        r
        for key in keys
        for rows in (evidence.sources.signups, evidence.sources.activations)
        for r in rows.get(key, ())
    ]
    known = evidence.codes & codes.keys()
    said = {code for code in (row.value("product_code") for row in rows) if code in codes}
    beside = {code for name in told for h, _ in evidence.told[name] for code, _ in _codes_beside(h, evidence)}
    if len(codes) == 1 and not known and any(is_near(next(iter(codes)), other) for other in beside):
        return "?"  # the only code told is one that nothing knows, and another is implied
    voices = [v for v in (known, said) if len(v) == 1] + ([{most}] if (most := _most(codes)) is not None else [])
    found = set().union(*voices)
    return (found.pop() or None) if len(found) == 1 else "?"


def _most(voices: Counter[str]) -> str | None:
    first, *others = voices.most_common(2)
    return first[0] if not others or first[1] > others[0][1] else None


def _mend(cluster: set[str], right: str, evidence: _Evidence) -> None:
    whole = min((fact for _, fact in evidence.told[right]), key=lambda f: f.locator)
    for name in sorted(cluster & evidence.told.keys() - {right}):
        for holder, fact in evidence.told[name]:
            _damage(holder, fact, f"bucket_name is damaged here: the bucket is {right}", evidence.sources)
            if not any(known is holder for known, _ in evidence.told[right]):
                _add(holder, whole)
                evidence.told[right].append((holder, whole))


def _damage(holder: Holder, damaged: Fact, why: str, sources: Sources) -> None:
    """The fact stays, and asserts nothing; a finding tells of it."""
    doubted = [f._replace(channel=DAMAGED) if f == damaged else f for f in _facts(holder)]
    if isinstance(holder, Signup):
        code, name, findings = "damaged-value", holder.name, holder.findings
        holder.witnesses["bucket_name"] = doubted
    else:
        code, name, findings = "damaged-secrets", holder.evidence, sources.findings
        holder.facts = doubted
    findings.append(finding(code, why, signup=name, field="bucket_name", locators=(damaged.locator,)))


def _facts(holder: Holder) -> Sequence[Fact]:
    return holder.witnesses["bucket_name"] if isinstance(holder, Signup) else holder.facts


def _add(holder: Holder, fact: Fact) -> None:
    if isinstance(holder, Signup):
        holder.witnesses.add(fact)
    else:
        holder.facts = [*holder.facts, fact]
