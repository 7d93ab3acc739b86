"""Each account's bucket, listed with its own keys: whether it opens, what lies in it, what serving it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from laerecover.credentials import CHANGED
from laerecover.hosts.bucket_layout import BucketLayout, layout_of
from laerecover.hosts.programs.below import BRING_BACK, LARGEST
from laerecover.hosts.programs.bucket_shares import COMPLETE
from laerecover.hosts.programs.store_answers import CLOCK, NO_LISTING
from laerecover.hosts.programs.store_answers import remedy as remedy_of
from laerecover.hosts.recipes.recipe import Recipe
from laerecover.manifest import Account
from laerecover.planning.obstacles import Obstacle
from laerecover.ports.compute import Store
from laerecover.ports.refusals import Refusal, Transient
from laerecover.text import duration

DATA_UNREACHABLE = "DATA_UNREACHABLE"
BUCKET_SERVED = "BUCKET_SERVED"
_AT_A_TIME = 8
_TELL_EACH = 50_000
"""Objects of one bucket after which people are told how many were listed."""
_FROZEN = "InvalidObjectState"
_NOT_LAUNCHED = "; nothing is launched for it"


def quiet(said: str) -> None:
    """Nobody looks how far the listings are."""
    del said


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketCheck:
    """How buckets are looked at.

    `disaster_at`: when the servers were lost, so that whoever has written since is another server; `serving`: the
    accounts that this recovery has launched, whose own server may have written. `heard` is told how far long
    listings are.
    """

    disaster_at: datetime | None = None
    serving: frozenset[str] = frozenset()
    heard: Callable[[str], None] = quiet


AS_THEY_LIE = BucketCheck()
"""Nobody knows when the servers were lost."""


def in_buckets(
    accounts: Sequence[Account], store: Store, recipe: Recipe, how: BucketCheck = AS_THEY_LIE
) -> list[Obstacle]:
    """What stands in the way in these accounts' buckets, and what is to be known before they are served, in the
    order given.
    """

    def look(account: Account) -> list[Obstacle]:
        try:
            layout = layout_of(_counted(store, account, how.heard))
            since = None if account.account_id in how.serving else how.disaster_at
            return list(_found(account, layout, store, recipe, since))
        except Refusal as error:
            return [_refused(account, error)]
        except Transient as error:
            remedy = "mend the connection, or recipe.s3_endpoint in the settings; then run again"
            if error.kind == "throttled" or error.code:
                remedy = "the store answers, but does not do now what it is asked: run again later"
            return [_no_data(account, str(error), remedy)]

    with ThreadPoolExecutor(_AT_A_TIME) as several:
        return list(dict.fromkeys(each for found in several.map(look, accounts) for each in found))


def _counted(store: Store, account: Account, heard: Callable[[str], None]) -> Iterator[tuple[str, int, str, str, str]]:
    for number, row in enumerate(store.listing(account), start=1):
        if number % _TELL_EACH == 0:
            heard(f"{account.account_id}: {number:,} objects listed")
        yield row


def _found(
    account: Account, layout: BucketLayout, store: Store, recipe: Recipe, disaster_at: datetime | None
) -> Iterator[Obstacle]:
    if disaster_at and layout.newest and datetime.fromisoformat(layout.newest) > disaster_at:
        yield Obstacle(
            what=BUCKET_SERVED,
            message=f"something in its bucket was written at {layout.newest}, after the disaster: somebody serves it",
            remedy="find out who, and stop them; if it was nobody's server, name a later --disaster-at",
            account_id=account.account_id,
        )
    if layout.serves_nothing:
        message = f"none of its {layout.incomplete + layout.empty:,} shares is whole, or has all its pieces"
        yield _no_data(account, message, "look for another bucket of this customer in the evidence")
    elif not recipe.joins and (layout.to_be_joined or layout.complete):
        yield _no_data(account, "its shares are cut into pieces", 'set recipe.name = "tahoe" in the settings')
    elif layout.strange:
        message = f"{layout.strange!r} is in its bucket, where nothing but joined shares must be"
        remedy = (
            "find out whose it is: a node that has run there, whose mark recovered/COMPLETE is gone? "
            "Never remove its shares"
        )
        yield _no_data(account, message, remedy)
    elif layout.complete and (why := _doubted(account, layout, store)):
        yield _no_data(account, f"{COMPLETE} in its bucket is not believed: {why}", BRING_BACK)
    else:
        yield from _notes(account, layout, store)


def _doubted(account: Account, layout: BucketLayout, store: Store) -> str:
    """Why the mark is not believed, or ""."""
    try:
        layout.mark(store.read(account, COMPLETE, LARGEST))
    except ValueError as error:
        return str(error)
    return ""


def _notes(account: Account, layout: BucketLayout, store: Store) -> Iterator[Obstacle]:
    """What stands in nobody's way."""

    def note(message: str, remedy: str, added_bytes: int = 0) -> Obstacle:
        text = f"{account.account_id}: {message}"
        return Obstacle(what="bucket", message=text, remedy=remedy, blocks=False, added_bytes=added_bytes)

    if layout.complete or layout.to_be_joined:
        versioned = store.versioned(account) if layout.to_be_joined else None
        remedy = "served from recovered/" if layout.complete else "its old objects stay as they are"
        added = 0 if layout.complete else layout.share_bytes
        yield note(_described(layout, versioned), remedy, added)
    elif layout.objects == 0:
        yield note("its bucket is empty", "if its customer has stored anything, look for another bucket of theirs")
    if layout.cold:
        yield note(f"{layout.cold:,} of its objects lie in cold storage, where nothing reads them", remedy_of(_FROZEN))


def _described(layout: BucketLayout, versioned: bool | None) -> str:
    """What will be joined, the time and storage that it costs."""
    found = f"{layout.objects:,} objects, {_size(layout.bytes)}, the newest of {layout.newest}, SHA-256 {layout.digest}"
    if layout.complete:
        return f"its shares were joined before: {layout.there:,}, {_size(layout.there_bytes)}; beside them: {found}"
    versions = {True: "is on", False: "is off", None: "is not known"}[versioned]
    lost = layout.incomplete + layout.empty
    left_out = f", {lost:,} cannot be and are left out" if lost else ""
    return (
        f"{layout.cut:,} shares of {_size(layout.cut_bytes)} are joined, {layout.whole:,} copied{left_out}: "
        f"about {duration(layout.seconds)}, and {_size(layout.share_bytes)} more storage until the customer decides; "
        f"versioning {versions}; as found: {found}"
    )


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.1f} MB"


def _refused(account: Account, error: Refusal) -> Obstacle:
    if error.code == CLOCK:
        return Obstacle(
            what="clock", message="the store says that this machine's clock is wrong", remedy=remedy_of(CLOCK)
        )
    if error.code == NO_LISTING:
        return _no_data(account, f"its bucket cannot be listed: {error}", remedy_of(NO_LISTING))
    remedy = remedy_of(error.code or "?")
    if said := next((each for each in account.decisions if each.startswith(CHANGED)), ""):
        remedy = f"its keys are those of files.credentials: mend that entry ({said.removeprefix(CHANGED)}), or {remedy}"
    return _no_data(account, f"its keys do not open its bucket: {error.code or error}", remedy)


def _no_data(account: Account, message: str, remedy: str) -> Obstacle:
    return Obstacle(
        what=DATA_UNREACHABLE, message=message, remedy=f"{remedy}{_NOT_LAUNCHED}", account_id=account.account_id
    )
