"""Each account's bucket, listed with its own keys: whether it opens, what lies in it, what serving it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from laerecover.hosts.bucket_layout import BucketLayout, layout_of
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
_CLOCK = "RequestTimeTooSkewed"
_REMEDIES = {
    "InvalidAccessKeyId": "the store does not know the access key: look for a later one in other evidence, and audit "
    "all of it together; a key that its owner withdrew only the owner can renew",
    "SignatureDoesNotMatch": "the secret key is not that of the access key: find the account's secrets file in other "
    "evidence, and audit all of it together",
    "InvalidToken": "the store does not take the DevPay tokens: set recipe.session_token = false in the settings",
    "AccessDenied": "the keys are known, but may not list the bucket: have its owner allow s3:ListBucket to them",
    "NoSuchBucket": "it was deleted, or lies at another store: compare recipe.s3_endpoint in the settings, and the "
    "name of the bucket in the evidence",
    "NotSignedUp": "the customer's subscription has ended, as all of DevPay's have: Amazon's support can say what "
    "became of the bucket",
    "AllAccessDisabled": "Amazon has shut the bucket: its support can say why",
}
_NO_S3 = "what answered is no S3, but a proxy, say: mend the way to the store, or recipe.s3_endpoint in the settings"
_ELSE = "find this account's keys and bucket: other evidence may hold them"
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
            return [_no_data(account, str(error), remedy)]

    with ThreadPoolExecutor(_AT_A_TIME) as several:
        return list(dict.fromkeys(each for found in several.map(look, accounts) for each in found))


def _counted(store: Store, account: Account, heard: Callable[[str], None]) -> Iterator[tuple[str, int, str, str]]:
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
        message = f"none of its {layout.incomplete:,} shares is whole, or has all its pieces"
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
    elif layout.complete or layout.to_be_joined:
        versioned = store.versioned(account) if layout.to_be_joined else None
        message = f"{account.account_id}: {_described(layout, versioned)}"
        remedy = "served from recovered/" if layout.complete else "its old objects stay as they are"
        added = 0 if layout.complete else layout.share_bytes
        yield Obstacle(what="bucket", message=message, remedy=remedy, blocks=False, added_bytes=added)


def _described(layout: BucketLayout, versioned: bool | None) -> str:
    """What will be joined, the time and storage that it costs."""
    found = f"{layout.objects:,} objects, {_size(layout.bytes)}, the newest of {layout.newest}, SHA-256 {layout.digest}"
    if layout.complete:
        return f"its shares were joined before; as found: {found}"
    versions = {True: "is on", False: "is off", None: "is not known"}[versioned]
    left_out = f", {layout.incomplete:,} cannot be and are left out" if layout.incomplete else ""
    return (
        f"{layout.cut:,} shares of {_size(layout.cut_bytes)} are joined, {layout.whole:,} copied{left_out}: "
        f"about {duration(layout.seconds)}, and {_size(layout.share_bytes)} more storage until the customer decides; "
        f"versioning {versions}; as found: {found}"
    )


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.1f} MB"


def _refused(account: Account, error: Refusal) -> Obstacle:
    if error.code == _CLOCK:
        return Obstacle(
            what="clock",
            message="the store says that this machine's clock is wrong",
            remedy="set the clock (timedatectl), then run again",
        )
    code = error.code
    remedy = _REMEDIES.get(code) or (_NO_S3 if code.isdigit() else _ELSE)
    return _no_data(account, f"its keys do not open its bucket: {code or error}", remedy)


def _no_data(account: Account, message: str, remedy: str) -> Obstacle:
    return Obstacle(
        what=DATA_UNREACHABLE, message=message, remedy=f"{remedy}{_NOT_LAUNCHED}", account_id=account.account_id
    )
