"""Read the samples that stand beside the grammars as evidence is read, to name what is wrong or left unsaid."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from laeforensics.doubting.judges import hear_file
from laeforensics.doubting.views import FileView
from laeforensics.facts.fields import COURSE, FIELDS, fields_of
from laeforensics.parsing import agreement, parser, signuplogs
from laeforensics.parsing.meanings import meanings
from laeforensics.parsing.pieces import settings
from laeforensics.parsing.samples import GRAMMARS, Sample, read_samples, written


@dataclass(frozen=True, slots=True, kw_only=True)
class GrammarProblem:
    """Something wrong with a grammar or its samples: where (sample, rule or terminal), what, how far each came."""

    grammar: str
    where: str
    what: str
    reached: tuple[tuple[str, int, int], ...] = ()
    """Terminal, bytes that it could take, bytes that there were; best first. None without the package `regex`."""


def lint(samples: Mapping[str, str | None] | None = None) -> list[GrammarProblem]:
    """Every problem of every grammar, in the grammars' order. Without `samples` those of the package are run.

    Named are: a grammar without samples; a rule, a terminal, a terminal of a rule, an announcement that means
    something, or the sign of a dialect, that no sample shows; a sample that is not read as it says; a sample that two
    terminals would take whole although it does not say so (or that says so although they would not); whatever
    `agreement` finds between a grammar and the table of its meanings.
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
    try:
        disagreements = list(agreement.disagreements(grammar))
    except parser.NotAGrammar as error:
        yield GrammarProblem(grammar=grammar, where="the grammar", what=f"cannot be compiled: {error}")
        return
    for where, what in disagreements:
        yield GrammarProblem(grammar=grammar, where=where, what=what)
    if not meanings(grammar).fields <= FIELDS.keys():
        return  # nothing can be read
    hit: set[tuple[str, str]] = set()
    for sample in samples:
        yield from check(grammar, sample, last_resorts, hit)
    for where, what in agreement.not_shown(grammar, hit):
        yield GrammarProblem(grammar=grammar, where=where, what=what)


def check(
    grammar: str, sample: Sample, last_resorts: frozenset[str] = frozenset(), hit: set[tuple[str, str]] | None = None
) -> list[GrammarProblem]:
    """What is wrong with one sample; what it shows is added to `hit`."""
    hit = set() if hit is None else hit
    text = sample.data.decode("latin-1")
    places = list(parser.places(grammar, sample.data))

    def problem(what: str, start: int | None = None) -> GrammarProblem:
        reached = () if start is None else _reached(text, start, next(p for p in places if p.start >= start).terminals)
        return GrammarProblem(grammar=grammar, where=sample.name, what=what, reached=reached)

    if places[-1].piece is None:
        return [problem(f"cannot be read from byte {places[-1].start} on", places[-1].start)]
    items = list(parser.items(grammar, sample.data))
    hit |= agreement.shown(grammar, sample.data)
    wrong = next(((rule, pieces) for rule, pieces in items if rule != sample.rule), None)
    if wrong is not None:
        start = wrong[1][0].start_pos
        return [problem(f"should be taken by {sample.rule}, but at byte {start} {wrong[0]} takes it", start)]
    problems = [problem(what) for what in _READERS[grammar](sample)]
    overlap = {name for place in places for name in _rivals(text, place)} - last_resorts
    problems += [problem(f"{name} would take a part of it whole, too") for name in sorted(overlap - sample.overlap)]
    problems += [problem(f"does not overlap with {name}, as it says") for name in sorted(sample.overlap - overlap)]
    return problems


def _read_log(sample: Sample) -> Iterable[str]:
    """What is read otherwise than the sample says: values, how they came, what is thought of them, their order."""
    told = signuplogs.read_log(sample.data, "sample")
    values = [fact for fact in told.log.facts if fact.field not in fields_of(COURSE)]
    yield from _difference("read", {(fact.field, fact.value) for fact in values}, sample.values)
    channels = {fact.channel for fact in values}
    if channels - {sample.channel}:
        yield f"should come by the channel {sample.channel}, but comes by {', '.join(sorted(channels))}"
    notes, _ = hear_file(FileView(facts=told.log.facts, log=told))
    thought = {(fact.field, note.reason) for note in notes for fact in note.facts if fact in values}
    yield from _difference("doubted or vouched for", thought, sample.reasons)
    kinds = {kind for kind, size in told.log.sizes.items() if size}
    if sample.kind is not None and kinds != {sample.kind}:
        yield f"should count as {sample.kind}, but counts as {', '.join(sorted(kinds))}"
    stretches = sum(len(run.continuity.stretches) for run in told.course.runs)
    if stretches != sample.stretches:
        yield f"should be {sample.stretches} stretches of a run, but falls into {stretches}: lines seem to be missing"
    yield from agreement.out_of_order(sample.data)


def _read_tahoe_cfg(sample: Sample) -> Iterable[str]:
    told = settings([(sample.text, 0)])
    yield from _difference("read", {(name, value) for name, value, _ in told}, sample.values)


def _difference(what: str, got: set[tuple[str, str]], expected: set[tuple[str, str]]) -> Iterable[str]:
    parts = [f"{name} = {value!r} was not {what}" for name, value in sorted(expected - got)]
    parts += [f"{name} = {value!r} was {what}" for name, value in sorted(got - expected)]
    if parts:
        yield "; ".join(parts)


_READERS: Mapping[str, Callable[[Sample], Iterable[str]]] = {"signup_log": _read_log, "tahoe_cfg": _read_tahoe_cfg}


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
