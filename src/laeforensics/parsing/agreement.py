"""Whether a grammar means what its table of meanings says, as far as its samples show."""

from __future__ import annotations

from collections.abc import Iterator

from laeforensics.facts.fields import FIELDS
from laeforensics.parsing import parser, signuplogs
from laeforensics.parsing.meanings import Meanings, dialects, meanings
from laeforensics.parsing.pieces import keys, meaning

_LOG = "signup_log"


def disagreements(grammar: str) -> Iterator[tuple[str, str]]:
    """Where and what: the words of a grammar that have no meaning, and the meanings of what is no word of it."""
    rules, terminals = parser.vocabulary(grammar)
    told = meanings(grammar)
    yield from ((name, "is a terminal whose meaning is not told") for name in sorted(terminals - told.terminals.keys()))
    known = terminals | rules
    for word in sorted((told.terminals.keys() | told.items.keys() | told.anywhere | told.within_blocks) - known):
        yield word, "has a meaning, and is no word of the grammar"
    for name, each in told.prints.items():
        for key in sorted(each.not_always - set(each.keys)):
            yield name, f"leaves out {key} at times, which is none of its keys"
    yield from ((name, "is no field of the table of fields") for name in sorted(told.fields - FIELDS.keys()))
    blocks = {item.block for item in told.items.values()}
    for name, one in told.terminals.items():
        after = set(one.followers).union(*one.followers_in.values())
        yield from ((name, f"is followed by {other}, which is no terminal") for other in sorted(after - terminals))
        yield from ((name, f"is of the block {other}, which no item opens") for other in sorted(one.blocks - blocks))
        if one.print is not None and one.keys and not one.next_keys and not one.followers:
            yield name, f"has no key among those of the print {one.print}"
    if grammar == _LOG:
        yield from _lines_of_blocks(told)
        yield from _cut_lines(told)


def _lines_of_blocks(told: Meanings) -> Iterator[tuple[str, str]]:
    """A line with a value is of the block and of the print in whose rule it stands: no sample need show it."""
    for rule, inside in sorted(parser.terminals_of_rules(_LOG).items()):
        block = told.items[rule].block if rule in told.items else None
        for name in sorted(inside & told.terminals.keys()):
            one = told.terminals[name]
            if not one.field or not one.keys:
                continue
            if block is not None and block not in one.blocks:
                yield name, f"is a line of {rule}, and not of the block {block}"
            if rule in told.prints and one.print != rule:
                yield name, f"is a line of {rule}, and not of the print {rule}"


def _cut_lines(told: Meanings) -> Iterator[tuple[str, str]]:
    """A line that begins like one with a value, and is damaged, must be told as such: it is no line of nobody's."""
    for name, each in told.terminals.items():
        for key in each.keys if each.field else ():
            items = parser.items(_LOG, f"{key} = 'cut\n".encode())
            if [piece.type for _, pieces in items for piece in pieces] != ["MALFORMED"]:
                yield name, f"is not known by its key {key} where its line is damaged: see MALFORMED"


def shown(grammar: str, data: bytes) -> set[tuple[str, str]]:
    """What a sample shows: rules with terminals of theirs; and, with "", announcements and marks."""
    found = {(rule, piece.type) for rule, pieces in parser.items(grammar, data) for piece in pieces}
    if grammar == _LOG:
        log = signuplogs.read_log(data, "sample").log
        found |= {("", word) for word in log.announcements | log.marks}
    return found


def not_shown(grammar: str, found: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Where and what: the words that no sample shows; `found` is what they do show."""
    rules, terminals = parser.vocabulary(grammar)
    words = {word for pair in found for word in pair}
    for word, kind in (*((r, "rule") for r in sorted(rules)), *((t, "terminal") for t in sorted(terminals))):
        if word not in words:
            yield word, f"is a {kind} that no sample hits"
    for rule, inside in sorted(parser.terminals_of_rules(grammar).items()):
        for terminal in sorted(inside):
            if {rule, terminal} <= words and (rule, terminal) not in found:
                yield terminal, f"may be a line of {rule}, where no sample hits it"
    if grammar == _LOG:
        told = meanings(_LOG)
        for text in (*told.stage_of_announcement, *told.fact_of_announcement):
            if text not in words:
                yield text, "is an announcement that no sample hits"
        for dialect in dialects():
            signs = dialect.announced | dialect.marked
            if signs and signs.isdisjoint(words):
                yield dialect.label, "is a dialect whose sign no sample hits"


def out_of_order(data: bytes) -> Iterator[str]:
    """The keys of a log's prints that have no place in their order."""
    for rule, pieces in parser.items(_LOG, data):
        for piece in pieces:
            printed = meaning(piece).print
            if printed is None or printed != rule:
                continue
            order = meanings(_LOG).prints[printed].keys
            yield from (f"{k} has no place among the keys of {printed}" for k, _ in keys(piece) if k not in order)
