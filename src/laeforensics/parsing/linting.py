"""Run the samples that stand beside the grammars, to name what they leave unsaid."""

from __future__ import annotations

import pkgutil
import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import Any

from laeforensics.facts.fields import COURSE, fields_of
from laeforensics.parsing import parser, signuplogs
from laeforensics.parsing._pieces import setting

GRAMMARS = ("signup_log", "tahoe_cfg")
"""Every grammar of the package; `terminals` is a part of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One table of a samples file; the head of signup_log.samples.toml explains the keys."""

    name: str
    text: str
    rule: str
    dialects: str = ""
    facts: Mapping[str, str | list[str]]
    kind: str | None = None
    overlap: frozenset[str] = frozenset()

    @property
    def data(self) -> bytes:
        """The bytes that the text stands for."""
        return self.text.encode("utf-8")

    @property
    def values(self) -> set[tuple[str, str]]:
        """The facts as pairs of field and value."""
        return {(k, v) for k, found in self.facts.items() for v in ([found] if isinstance(found, str) else found)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GrammarProblem:
    """Something wrong with a grammar or its samples: where (sample, rule or terminal), what, how far each came."""

    grammar: str
    where: str
    what: str
    reached: tuple[tuple[str, int, int], ...] = ()
    """Terminal, bytes that it could take, bytes that there were; best first. None without the package `regex`."""


def written(grammar: str) -> str | None:
    """The samples file of a grammar, from the package data; None if there is none."""
    try:
        data = pkgutil.get_data("laeforensics.grammars", f"{grammar}.samples.toml")
    except FileNotFoundError:
        return None
    return None if data is None else data.decode("utf-8")


def read_samples(text: str) -> tuple[list[Sample], frozenset[str]]:
    """The samples of a file, and the terminals that are last resorts.

    Raises ValueError, naming what cannot be right.
    """
    document = tomllib.loads(text)
    return [_sample(table) for table in document.get("sample", [])], frozenset(document.get("last_resorts", ()))


def _sample(table: dict[str, Any]) -> Sample:
    name = table.get("name", "without a name")
    unknown = set(table) - {f.name for f in fields(Sample)}
    missing = {"name", "text", "rule"} - set(table)
    if unknown or missing or not table["text"]:
        raise ValueError(f"sample {name!r}: unknown {sorted(unknown)}, missing {sorted(missing)}, or no text")
    return Sample(**{"facts": {}, **table, "overlap": frozenset(table.get("overlap", ()))})


def lint(samples: Mapping[str, str | None] | None = None) -> list[GrammarProblem]:
    """Every problem of every grammar, in the grammars' order. Without `samples` those of the package are run.

    Named are: a grammar without samples, a rule or a terminal that no sample hits, a sample that is not read as it
    says, a sample that two terminals would take whole although it does not say so (or that says so although they would
    not).
    """
    texts = {name: written(name) for name in GRAMMARS} if samples is None else samples
    return [problem for name in GRAMMARS for problem in _lint(name, texts.get(name))]


def _lint(grammar: str, text: str | None) -> Iterable[GrammarProblem]:
    try:
        samples, last_resorts = read_samples(text or "")
    except ValueError as error:
        yield GrammarProblem(grammar=grammar, where="its samples", what=f"cannot be read: {error}")
        return
    if not samples:
        yield GrammarProblem(grammar=grammar, where="the grammar", what="has no samples")
        return
    names = [sample.name for sample in samples]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield GrammarProblem(grammar=grammar, where=name, what="is the name of several samples")
    hit: set[str] = set()
    for sample in samples:
        yield from check(grammar, sample, last_resorts, hit)
    rules, terminals = parser.vocabulary(grammar)
    for word, kind in (*((r, "rule") for r in sorted(rules)), *((t, "terminal") for t in sorted(terminals))):
        if word not in hit:
            yield GrammarProblem(grammar=grammar, where=word, what=f"is a {kind} that no sample hits")


def check(
    grammar: str, sample: Sample, last_resorts: frozenset[str] = frozenset(), hit: set[str] | None = None
) -> list[GrammarProblem]:
    """What is wrong with one sample; the rules and terminals that it hits are added to `hit`."""
    hit = set() if hit is None else hit
    text = sample.data.decode("latin-1")
    places = list(parser.places(grammar, sample.data))

    def problem(what: str, start: int | None = None) -> GrammarProblem:
        reached = () if start is None else _reached(text, start, next(p for p in places if p.start >= start).terminals)
        return GrammarProblem(grammar=grammar, where=sample.name, what=what, reached=reached)

    if places[-1].piece is None:
        return [problem(f"cannot be read from byte {places[-1].start} on", places[-1].start)]
    items = list(parser.items(grammar, sample.data))
    hit.update(p.piece.type for p in places if p.piece)
    hit.update(rule for rule, _ in items)
    wrong = next(((rule, pieces) for rule, pieces in items if rule != sample.rule), None)
    if wrong is not None:
        start = wrong[1][0].start_pos
        return [problem(f"should be taken by {sample.rule}, but at byte {start} {wrong[0]} takes it", start)]
    values, kinds = _READERS[grammar](sample.data)
    problems = []
    if values != sample.values:
        problems.append(problem(_difference(values, sample.values)))
    if sample.kind is not None and kinds != {sample.kind}:
        problems.append(problem(f"should count as {sample.kind}, but counts as {', '.join(sorted(kinds))}"))
    overlap = {name for place in places for name in _rivals(text, place)} - last_resorts
    problems += [problem(f"{name} would take a part of it whole, too") for name in sorted(overlap - sample.overlap)]
    problems += [problem(f"does not overlap with {name}, as it says") for name in sorted(sample.overlap - overlap)]
    return problems


def _difference(got: set[tuple[str, str]], expected: set[tuple[str, str]]) -> str:
    parts = [f"{name} = {value!r} was not read" for name, value in sorted(expected - got)]
    return "; ".join(parts + [f"{name} = {value!r} was read" for name, value in sorted(got - expected)])


def _rivals(text: str, place: parser.Place) -> list[str]:
    """The other terminals that, asked alone, would take the place's piece whole, or more."""
    piece = place.piece
    if piece is None:
        return []
    return [
        name
        for name, regexp in place.terminals.items()
        if name != piece.type
        and (found := re.compile(regexp).match(text, place.start))
        and found.end() >= piece.end_pos
    ]


def _reached(text: str, start: int, terminals: Mapping[str, str]) -> tuple[tuple[str, int, int], ...]:
    if not _can_match_partly():
        return ()
    rest = text[start:]
    found = [(name, _reach(regexp, rest), len(rest)) for name, regexp in terminals.items()]
    return tuple(sorted((f for f in found if f[1]), key=lambda f: (-f[1], f[0])))


def _can_match_partly() -> bool:
    """True if `regex` is installed: it alone tells how much of an expression was met. Nothing else here needs it."""
    return find_spec("regex") is not None


def _reach(regexp: str, text: str) -> int:
    """How many of the first characters of `text` are a match of `regexp`, or could be the beginning of one."""
    import regex

    pattern = regex.compile(regexp)
    whole = pattern.match(text)
    if whole:
        return int(whole.end())
    return bisect_left(range(1, len(text) + 1), True, key=lambda n: not pattern.fullmatch(text[:n], partial=True))


def _read_log(data: bytes) -> tuple[set[tuple[str, str]], set[str]]:
    log = signuplogs.read_log(data, "sample").log
    values = {(fact.field, fact.value) for fact in log.facts if fact.field not in fields_of(COURSE)}
    return values, {kind for kind, size in log.sizes.items() if size}


def _read_tahoe_cfg(data: bytes) -> tuple[set[tuple[str, str]], set[str]]:
    items = parser.items("tahoe_cfg", data)
    return {(name, str(p)) for rule, pieces in items for p in pieces if (name := setting(rule, p))}, set()


_READERS = {"signup_log": _read_log, "tahoe_cfg": _read_tahoe_cfg}


def render(problems: Sequence[GrammarProblem]) -> str:
    """The problems for people, each with how far the terminals came; one sentence if there is none."""
    if not problems:
        return f"{len(GRAMMARS)} grammars: every rule and terminal has a sample, every sample is read as it says"
    lines = []
    for problem in problems:
        lines.append(f"{problem.grammar}: {problem.where}: {problem.what}")
        lines += [f"    {name:<18} {reach:>5} of {size} bytes" for name, reach, size in problem.reached]
    if not _can_match_partly():
        lines.append("How far each terminal came is told where the package regex is: pip install regex")
    return "\n".join([*lines, f"{len(problems)} problems"])
