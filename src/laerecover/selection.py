"""Which accounts, in which order: named one by one, or in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Account, Manifest

_SEE = "see `laerecover plan`; nothing was started"
_SHORTEST = 4
"""So many characters of a name tell whose it is."""
_MOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """--only, --except, --first, --order: accounts by their id or e-mail; `@FILE` stands for a file of them.

    The beginning of an id, of its seed or of an e-mail will do where it is one account's alone.
    """

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
        """The ids of the accounts selected. Raises LaeRecoverError for names that no account bears, or several."""
        return frozenset(self.ordered(manifest))

    def named(self, manifest: Manifest) -> frozenset[str]:
        """The ids of all that --only names, be they to be recovered or not. Raises as `of` does."""
        only = [*_named(self.only, "--only, --except")]
        called = _called(only, manifest)
        return frozenset(one for name, _ in only for one in called[name])

    def ordered(self, manifest: Manifest) -> list[str]:
        """The same in their order: those of --order as they stand there, then the others as in the manifest."""
        only, without = ([*_named(names, "--only, --except")] for names in (self.only, self.without))
        order = [*_lines(self.order)] if self.order else []
        called = _called([*only, *without, *order], manifest)
        inside, outside = ({one for name, _ in some for one in called[name]} for some in (only, without))
        ranks = {one: number for number, (name, _) in reversed(list(enumerate(order))) for one in called[name]}
        ids = [a.account_id for a in manifest.recoverable]
        chosen = [one for one in ids if (not self.only or one in inside) and one not in outside]
        chosen.sort(key=lambda one: ranks.get(one, len(order)))
        return chosen[: self.first]


def one_account(name: str, manifest: Manifest, option: str) -> Account:
    """The one account that is called so. Raises LaeRecoverError for none and for several."""
    found = _called([(name, option)], manifest)[name]
    if len(found) > 1:
        raise _several(name, option, found)
    return next(a for a in manifest.accounts if a.account_id == found[0])


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


def _called(said: Sequence[tuple[str, str]], manifest: Manifest) -> dict[str, list[str]]:
    """The ids of the accounts that bear each name; a beginning is one account's alone.

    Raises LaeRecoverError, naming all that nobody bears at once.
    """
    bearers: dict[str, list[str]] = {}
    for account in manifest.accounts:
        for name in _names(account):
            bearers.setdefault(name, []).append(account.account_id)
    found = {name: bearers.get(name) or _beginning(name, manifest.accounts) for name, _ in said}
    unknown = [(name, place) for name, place in said if not found[name]]
    if unknown:
        raise LaeRecoverError(
            f"no account is called {', '.join(dict.fromkeys(repr(name) for name, _ in unknown))}",
            where="\n".join(dict.fromkeys(place for _, place in unknown)),
            next_step=f"{_did_you_mean([name for name, _ in unknown], manifest.accounts)}{_SEE}",
        )
    for name, place in said:
        if name not in bearers and len(found[name]) > 1:
            raise _several(name, place, found[name])
    return found


def _did_you_mean(names: Iterable[str], accounts: Iterable[Account]) -> str:
    """The names that are most like these, with a blank at the end; "" if none is."""
    known = {said.lower(): said for a in accounts for said in (*_names(a), _seed(a))}
    near = dict.fromkeys(each for name in names for each in get_close_matches(name.lower(), known, 3, 0.75))
    return f"did you mean {', '.join(known[each] for each in [*near][:_MOST])}? " if near else ""


def _beginning(name: str, accounts: Iterable[Account]) -> list[str]:
    """The ids of the accounts of whose id, seed or e-mail it is the beginning; of none if it is too short."""
    if len(name) < _SHORTEST:
        return []
    wanted = name.lower()
    return [a.account_id for a in accounts if any(n.lower().startswith(wanted) for n in (*_names(a), _seed(a)))]


def _seed(account: Account) -> str:
    return account.account_id.rpartition("-")[2]


def _several(name: str, place: str, ids: Sequence[str]) -> LaeRecoverError:
    told = ", ".join(ids[:_MOST]) + (", …" if len(ids) > _MOST else "")
    return LaeRecoverError(
        f"{len(ids)} accounts are called {name!r}", where=place, next_step=f"name one by its id: {told}; {_SEE}"
    )
