"""Which accounts, in which order: named one by one, or in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Account, Manifest

_SEE = "see `laerecover plan`; nothing was started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """--only, --except, --first, --order: accounts by their id or e-mail; `@FILE` stands for a file of them."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    first: int | None = None
    order: Path | None = None

    @property
    def words(self) -> list[str]:
        """As it is typed, not quoted for a shell yet."""
        words = [*(("--only", name) for name in self.only), *(("--except", name) for name in self.without)]
        words += [] if self.first is None else [("--first", str(self.first))]
        words += [] if self.order is None else [("--order", str(self.order))]
        return [each for pair in words for each in pair]

    def of(self, manifest: Manifest) -> frozenset[str]:
        """The ids of the accounts selected. Raises LaeRecoverError for names that no account bears."""
        return frozenset(self.ordered(manifest))

    def ordered(self, manifest: Manifest) -> list[str]:
        """The same in their order: those of --order as they stand there, then the others as in the manifest."""
        only, without = ([*_named(names, "--only, --except")] for names in (self.only, self.without))
        order = [*_lines(self.order)] if self.order else []
        _refuse_unknown([*only, *without, *order], manifest)
        ranks = {name: number for number, (name, _) in reversed(list(enumerate(order)))}
        inside, outside = {name for name, _ in only}, {name for name, _ in without}
        chosen = [a for a in manifest.recoverable if (not self.only or _names(a) & inside) and not _names(a) & outside]
        chosen.sort(key=lambda a: min((ranks[name] for name in _names(a) if name in ranks), default=len(order)))
        return [a.account_id for a in chosen][: self.first]


def one_account(name: str, manifest: Manifest, option: str) -> Account:
    """The one account that is called so. Raises LaeRecoverError for none and for several."""
    _refuse_unknown([(name, option)], manifest)
    found = [a for a in manifest.accounts if name in _names(a)]
    if len(found) > 1:
        ids = ", ".join(a.account_id for a in found)
        raise LaeRecoverError(
            f"{len(found)} accounts are called {name!r}", where=option, next_step=f"name one by its id: {ids}; {_SEE}"
        )
    return found[0]


def _names(account: Account) -> set[str]:
    return {account.account_id, account.customer_email or account.account_id}


def _named(names: Sequence[str], option: str) -> Iterator[tuple[str, str]]:
    """Each name with the place where it was said."""
    for name in names:
        if name.startswith("@"):
            yield from _lines(Path(name[1:]))
        else:
            yield name, option


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """One name a line; empty lines and those that begin with # say nothing."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise LaeRecoverError(
            f"the accounts cannot be read: {why}",
            where=str(path),
            next_step="name a file of account ids, one a line; nothing was started",
        ) from None
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.strip()
        if name and not name.startswith("#"):
            yield name, f"{path}, line {number}"


def _refuse_unknown(said: Sequence[tuple[str, str]], manifest: Manifest) -> None:
    known = {name for account in manifest.accounts for name in _names(account)}
    unknown = [(name, place) for name, place in said if name not in known]
    if unknown:
        raise LaeRecoverError(
            f"no account is called {', '.join(repr(name) for name, _ in unknown)}",
            where="\n".join(dict.fromkeys(place for _, place in unknown)),
            next_step=_SEE,
        )
