"""Facts in little memory: thirty bytes each beside the value, made anew whenever they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from functools import lru_cache
from struct import Struct
from sys import intern
from typing import overload

from laeforensics.facts.channels import STANDING
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import FIELDS

_FIELDS = tuple(FIELDS)
_CHANNELS = tuple(STANDING)
_NUMBER_OF_FIELD = {name: number for number, name in enumerate(_FIELDS)}
_NUMBER_OF_CHANNEL = {name: number for number, name in enumerate(_CHANNELS)}
# Line, start, end, the numbers of evidence and rule among the words, then those of the field and of the channel.
_FACT = Struct("<5I2B")
_FIELD = 20
_CHANNEL = 21


class Facts(Sequence[Fact]):
    """An unchangeable sequence of facts, packed. Values that are equal are kept once."""

    __slots__ = ("_packed", "_values", "_words")

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        words: dict[str, int] = {}
        values = []
        packed = bytearray()
        for name, value, (evidence, line, start, end), rule, channel in facts:
            told, how = words.setdefault(evidence, len(words)), words.setdefault(rule, len(words))
            packed += _FACT.pack(line, start, end, told, how, _NUMBER_OF_FIELD[name], _NUMBER_OF_CHANNEL[channel])
            values.append(intern(str(value)))
        self._packed = bytes(packed)
        self._values = tuple(values)
        self._words = _shared(tuple(intern(str(word)) for word in words))

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, index: int) -> Fact: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fact]: ...
    def __getitem__(self, index: int | slice) -> Fact | list[Fact]:
        if isinstance(index, slice):
            return [self._fact(i) for i in range(*index.indices(len(self)))]
        return self._fact(range(len(self))[index])

    def __iter__(self) -> Iterator[Fact]:
        return map(self._fact, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))

    def __reduce__(self) -> tuple[object, ...]:
        return _unpickled, (self._packed, self._values, self._words)

    def of(self, field: str) -> list[Fact]:
        """The facts of one field, in their order."""
        wanted = _NUMBER_OF_FIELD[field]
        return [self._fact(i) for i, number in enumerate(self._packed[_FIELD :: _FACT.size]) if number == wanted]

    def fields(self) -> list[str]:
        """Every field that a fact is of, once, in the order of their first facts."""
        return [_FIELDS[number] for number in dict.fromkeys(self._packed[_FIELD :: _FACT.size])]

    def has_channel(self, channel: str) -> bool:
        """True if a fact came by this channel."""
        return _NUMBER_OF_CHANNEL[channel] in self._packed[_CHANNEL :: _FACT.size]

    def _fact(self, index: int) -> Fact:
        line, start, end, told, how, field, channel = _FACT.unpack_from(self._packed, _FACT.size * index)
        words = self._words
        place = Locator(words[told], line, start, end)
        return Fact(_FIELDS[field], self._values[index], place, words[how], _CHANNELS[channel])


@lru_cache(maxsize=1024)
def _shared(words: tuple[str, ...]) -> tuple[str, ...]:
    """The rows of one csv file have the same words: they share them."""
    return words


def _unpickled(packed: bytes, values: tuple[str, ...], words: tuple[str, ...]) -> Facts:
    facts = Facts()
    facts._packed, facts._values = packed, tuple(map(intern, values))
    facts._words = _shared(tuple(map(intern, words)))
    return facts


class Witnesses(MutableMapping[str, Sequence[Fact]]):
    """Facts by field. While they are gathered they are lists; packed, they take little memory, until one is set anew.

    A field without a witness has no facts, and is not among the keys.
    """

    __slots__ = ("_lists", "_packed")

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._lists: dict[str, list[Fact]] | None = None
        self._packed = facts if isinstance(facts, Facts) else Facts(facts)

    def pack(self) -> None:
        """Keep what was gathered in little memory."""
        if self._lists is not None:
            self._packed = Facts(fact for facts in self._lists.values() for fact in facts)
            self._lists = None

    def add(self, fact: Fact) -> None:
        """One more witness of its field."""
        self._open().setdefault(fact.field, []).append(fact)

    def _open(self) -> dict[str, list[Fact]]:
        if self._lists is None:
            self._lists = {name: self._packed.of(name) for name in self._packed.fields()}
            self._packed = _NONE
        return self._lists

    def __getitem__(self, field: str) -> Sequence[Fact]:
        return self._packed.of(field) if self._lists is None else self._lists.get(field, ())

    def __setitem__(self, field: str, facts: Iterable[Fact]) -> None:
        self._open()[field] = list(facts)

    def __delitem__(self, field: str) -> None:
        del self._open()[field]

    def __contains__(self, field: object) -> bool:
        return field in (self._packed.fields() if self._lists is None else self._lists)

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed.fields() if self._lists is None else list(self._lists))

    def __len__(self) -> int:
        return len(self._packed.fields() if self._lists is None else self._lists)


_NONE = Facts()
