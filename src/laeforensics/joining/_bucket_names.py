"""Bucket names of one seed, or that differ in a character or two, are one name: which of them is right."""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from laeforensics.companions.sources import Sources
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of
from laeforensics.facts.beliefs import Doubt
from laeforensics.facts.buckets import product_code_of, seed_of
from laeforensics.facts.channels import OWN
from laeforensics.facts.damage import Neighbours, is_near
from laeforensics.facts.fact import Fact, Locator
from laeforensics.joining._name_witnesses import (
    NameEvidence,
    codes_near,
    codes_of_own_files,
    full_names,
    gather,
    half_of,
    implied,
    name_of,
    sold_alike,
    sold_to,
)


class _Sale(NamedTuple):
    """A signup: when it began, the code in its bucket's name, that name, where it tells the product's full name."""

    when: str
    code: str
    name: str
    place: Locator


def settle_names(signups: Sequence[Signup], sources: Sources) -> None:
    """Decide which of a bucket's names is right; where nothing decides, they stand for one contested account.

    A seed is unique, so two buckets never have names of one seed, or that differ in one or two characters. The half
    behind the product code is right that a file's name bears, else the one most prints tell. The product code is right
    that both logs and secrets files sold, by full name or token; else the one that the csv rows of the activation key,
    the known products, what was sold, and most prints tell, if those of them that speak agree. A code that was put in
    the place of what was sold is so in other accounts, too. Only a name that is told somewhere can be right; but where
    a log alone tells a code that is not of what it sold, and other logs bear out the products' names, both are asked;
    so they are where two products have one name, and secrets files of others contradict the code.
    """
    evidence = gather(signups, sources)
    for name in evidence.told:
        evidence.standing[product_code_of(name)].add(name)
    others = {name: implied(name, evidence) for name in evidence.told}
    open_to: list[tuple[set[str], set[str]]] = []
    replaced: dict[str, set[str]] = defaultdict(set)
    for cluster in _clusters(others):
        told = cluster & evidence.told.keys()
        right = _right(cluster, told, evidence)
        if right is None:
            open_to.append((cluster, told))
            continue
        if sold_alike(told, evidence):
            for name in told - {right}:
                replaced[product_code_of(name) or ""].add(product_code_of(right) or "")
        _mend(told, right, evidence)
    may_be_replaced = defaultdict(set, {code: set(others_of) for code, others_of in replaced.items()})
    for cluster, told in open_to:
        if not _mend_replaced(told, replaced, evidence):
            tellers = Counter((in_secrets := _codes_in_secrets(told, evidence)).values())
            for name in told:
                beside = {code for code in tellers if tellers[code] > (in_secrets.get(name) == code)}
                may_be_replaced[product_code_of(name) or ""] |= beside
            _leave_undecided(cluster, told, others, evidence)
    unsold = {**_of_unsold_codes(evidence), **_of_unlisted_codes(evidence)}
    for name in sorted(evidence.told.keys() - set[str]().union(*_clusters(others))):
        if _mend_replaced({name}, replaced, evidence):
            continue
        may_be = unsold.get(name) or _of_replaced_codes(name, may_be_replaced, evidence)
        if may_be:
            _leave_undecided({name, *may_be}, {name}, {name: may_be}, evidence)
    _doubt_rows_of({code for code, others_of in may_be_replaced.items() if others_of}, sources)


def _doubt_rows_of(codes: Collection[str], sources: Sources) -> None:
    """Doubt these codes in all csv rows: elsewhere they stand in the place of what was sold."""
    rows = (row for rows in (*sources.activations.values(), *sources.signups.values()) for row in rows)
    facts = tuple(fact for row in rows for fact in row.of("product_code") if fact.value in codes)
    if facts:
        sources.beliefs.add([Doubt(facts=facts, reason="code-of-others")])


def _codes_in_secrets(names: Iterable[str], evidence: NameEvidence) -> dict[str, str]:
    """Those of these names that secrets files tell, each with its product code."""
    told = (name for name in names if any(not isinstance(holder, Signup) for holder, _ in evidence.told[name]))
    return {name: product_code_of(name) or "" for name in told}


def _of_replaced_codes(name: str, replaced: Mapping[str, set[str]], evidence: NameEvidence) -> dict[str, Locator]:
    """What a name would be whose code stands in others' place elsewhere, and of which no token tells what was sold."""
    code = product_code_of(name) or ""
    names = {name.replace(code.lower(), other.lower(), 1): other for other in replaced.get(code, ())}
    sold = sold_to({name, *names}, evidence)
    place = evidence.told[name][0][1].locator
    return {other: place for other, its in names.items() if {code, its} <= sold}


def _of_unsold_codes(evidence: NameEvidence) -> dict[str, dict[str, Locator]]:
    """The names whose logs alone tell them, and a product that bears another code; what they would be with that one.

    None where most logs tell another product than that of their code: then the names of the products have moved.
    """
    names = {code: {product.full_name for product in entries} for code, entries in evidence.sources.products.items()}
    found: dict[str, dict[str, Locator]] = {}
    fitting, unfit = set[str](), set[str]()
    for name, holders in evidence.told.items():
        code = product_code_of(name) or ""
        sold = {fact.value: fact.locator for holder, _ in holders for fact in full_names(holder, evidence)}
        if len(sold) == 1 and code in names:
            ((product, place),) = sold.items()
            (fitting if product in names[code] else unfit).add(code)
            others = {other for other in names if product in names[other]}
            if code not in others and not sold_to({name}, evidence):
                found[name] = {name.replace(code.lower(), other.lower(), 1): place for other in others}
    return {name: others for name, others in found.items() if others} if len(unfit - fitting) < len(fitting) else {}


def _of_unlisted_codes(evidence: NameEvidence) -> dict[str, dict[str, Locator]]:
    """The names whose code nothing lists, in logs alone, of products that were sold with one listed code around them.

    Before such a log as well as behind it, by time: a product has one code at a time. Where one was put in that code's
    place so, or in a bucket's that is told with both, it was elsewhere.
    """
    runs: dict[str, list[_Sale]] = defaultdict(list)
    for name, holders in evidence.told.items():
        for holder, _ in holders:
            start = start_of(name_of(holder))
            sold = holder.sure("full_name") if isinstance(holder, Signup) else []
            if start is not None and start[1] == seed_of(name) and len({fact.value for fact in sold}) == 1:
                runs[sold[0].value].append(_Sale(start[0], product_code_of(name) or "", name, sold[0].locator))
    shown: dict[str, set[str]] = defaultdict(set)
    for codes in _codes_by_half(evidence.told).values():
        for code in codes - evidence.codes:
            shown[code] |= codes & evidence.codes
    found: dict[str, dict[str, Locator]] = {}
    for product, told in runs.items():
        listed = sorted(sale for sale in told if sale.code in evidence.codes & evidence.sold_as[product])
        others = [sale for sale in told if sale.code and sale.code not in evidence.codes]
        meant = {sale.code: shown[sale.code] & evidence.sold_as[product] for sale in others}
        for sale in others:
            at = bisect(listed, sale)
            if 0 < at < len(listed) and listed[at - 1].code == listed[at].code:
                meant[sale.code].add(listed[at].code)
        for sale in others:
            if all(isinstance(holder, Signup) for holder, _ in evidence.told[sale.name]):
                names = {sale.name.replace(sale.code.lower(), other.lower(), 1) for other in meant[sale.code]}
                found[sale.name] = dict.fromkeys(names, sale.place)
    return found


def _codes_by_half(names: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name in names:
        found[half_of(name)].add(product_code_of(name) or "")
    return found


def _mend_replaced(told: set[str], replaced: Mapping[str, set[str]], evidence: NameEvidence) -> bool:
    """Mend the names of a bucket if its code was, elsewhere, put in the place of the one that was sold here."""
    targets = [replaced.get(product_code_of(name) or "") for name in told]
    codes = set[str]().union(*(target for target in targets if target))
    halves = {half_of(name) for name in told}
    if len(codes) != 1 or len(halves) != 1:
        return False
    right = f"lae-{next(iter(codes)).lower()}-{halves.pop()}"
    sold = sold_to({*told, right}, evidence)
    if not (codes <= sold if right in told else codes == sold):
        return False
    for name in sorted(told - {right}) if right not in told else ():
        for holder, fact in tuple(evidence.told[name]):
            evidence.add(holder, fact._replace(value=right))
    _mend({*told, right}, right, evidence, "code-replaced")
    return True


def _leave_undecided(
    cluster: set[str], told: set[str], others: Mapping[str, Mapping[str, Locator]], evidence: NameEvidence
) -> None:
    """Let all of the names that may be right be told: then they contradict each other."""
    for name in sorted(told):
        for other, place in others[name].items():
            if other not in told:
                rule = "product code" if place.line else "file name"
                for holder, _ in tuple(evidence.told[name]):
                    evidence.add(holder, Fact("bucket_name", other, place, rule, OWN))
    facts = tuple(fact for name in sorted(cluster) for _, fact in evidence.told.get(name, ()))
    if len({fact.value for fact in facts if fact.channel == OWN}) == 1 < len({fact.value for fact in facts}):
        because = tuple(fact.locator for fact in facts if fact.locator.line)  # read out of a server, it counts less
        evidence.sources.beliefs.add([Doubt(facts=facts, reason="other-name", because=because)])
    sold = sold_to(cluster, evidence)
    for name in cluster:
        evidence.standing[product_code_of(name)].discard(name)
    # A code in whose place another was put, stands nowhere any more; at least not here.
    tied = {name: (not evidence.standing[product_code_of(name)], name not in told, name) for name in cluster}
    stands = max(cluster, key=lambda name: (*_support(name, sold, evidence), *tied[name]))
    evidence.sources.undecided.update(dict.fromkeys(cluster, stands))


def _support(name: str, sold: set[str], evidence: NameEvidence) -> tuple[int, bool, bool, int]:
    code, prints = product_code_of(name), len(evidence.told.get(name, ()))
    return evidence.seeds[half_of(name)], code in sold, code in evidence.codes, prints


def _clusters(others: Mapping[str, Iterable[str]]) -> Iterator[set[str]]:
    """The sets of two and more names of one bucket: they bear one seed, or are near to each other, or to a file's."""
    known, first = Neighbours(), dict[str, str]()
    alike: dict[str, set[str]] = defaultdict(set)
    for name in sorted({*others, *(other for found in others.values() for other in found)}):
        same = first.setdefault(seed_of(name) or name, name)
        for other in {*known.near(name), *others.get(name, ()), same} - {name}:
            alike[name].add(other)
            alike[other].add(name)
        known.add(name)
    while alike:
        cluster, open_to = set(), [next(iter(alike))]
        while open_to:
            name = open_to.pop()
            cluster.add(name)
            open_to += alike.pop(name, ())
        yield cluster


def _right(cluster: set[str], told: set[str], evidence: NameEvidence) -> str | None:
    half, code = _right_half(cluster, told, evidence), _right_code(told, evidence)
    return next((n for n in told if half_of(n) == half and (product_code_of(n) or "") == code), None)


def _right_half(cluster: set[str], told: set[str], evidence: NameEvidence) -> str | None:
    halves = {half_of(name) for name in told}
    borne = [half for half in halves if evidence.seeds[half]]
    if borne:
        return borne[0] if len(borne) == 1 else None
    # Files that bear another seed, near to the one told, are as many voices as prints that tell it; as files, where one
    # of the two has lost or won a letter, which no single bit does: somebody edited the text, or renamed the file.
    others = max((evidence.seeds[half_of(name)] for name in cluster), default=0)
    most = _most(told, half_of, evidence)
    tellers = [holder for name in told if half_of(name) == most for holder, _ in evidence.told[name]]
    is_edited = len({len(half_of(name)) for name in cluster}) > 1
    return most if (len({id(each) for each in tellers}) if is_edited else len(tellers)) > others else None


def _right_code(told: set[str], evidence: NameEvidence) -> str | None:
    """Empty for an S4 bucket; None where nothing decides."""
    codes = {product_code_of(name) or "" for name in told}
    known = codes & evidence.codes
    holders = [holder for name in told for holder, _ in evidence.told[name]]
    if len(codes) > 1 and (agreed := sold_alike(told, evidence)) is not None:
        return agreed
    if len(codes) == 1 and not known and any(codes_near(h, code, evidence) for h in holders for code in codes):
        return None  # nothing knows the code told, and another may be meant
    keys = {h.weigh("activation_key")[0] or "" for h in holders if isinstance(h, Signup)} - {""}
    sources = evidence.sources
    rows = (row for key in keys for row in (*sources.signups.get(key, ()), *sources.activations.get(key, ())))
    said = {row.value("product_code") for row in rows} & codes
    most = _most(told, lambda name: product_code_of(name) or "", evidence)
    sold = sold_to(told, evidence)
    own = codes_of_own_files(told, evidence)
    if len(own) == 1 and own <= sold & known and not any(is_near(one, other) for one in own for other in codes - own):
        return own.pop()
    voices = {next(iter(v)) for v in (known, said, {most} - {None}, sold) if len(v) == 1}
    return voices.pop() if len(voices) == 1 else None


def _most(told: set[str], part: Callable[[str], str], evidence: NameEvidence) -> str | None:
    """What most prints tell; none where those of the programs themselves are of another mind than all together.

    (What was read out of a server was told by the server.)
    """
    prints, all_told = Counter[str](), Counter[str]()
    for name in told:
        all_told[part(name)] += len(evidence.told[name])
        prints[part(name)] += sum(fact.channel == OWN for _, fact in evidence.told[name])
    minds = {found for found in (_first(prints), _first(all_told)) if found is not None}
    return minds.pop() if len(minds) == 1 else None


def _first(voices: Counter[str]) -> str | None:
    first, second = (*voices.most_common(2), ("", 0))[:2]
    return first[0] if first[1] > second[1] else None


def _mend(told: set[str], right: str, evidence: NameEvidence, reason: str = "misprint") -> None:
    """The other names are damaged prints of the right one; a file that tells it nowhere else borrows it."""
    whole = min((fact for _, fact in evidence.told[right]), key=lambda f: f.locator)
    for name in sorted(told - {right}):
        for holder, fact in evidence.told[name]:
            evidence.damage(holder, fact, reason, f"bucket_name is damaged here: the bucket is {right}", whole)
            if not any(known is holder for known, _ in evidence.told[right]):
                evidence.add(holder, whole)
