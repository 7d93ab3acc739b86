"""Credentials that changed since the evidence was written: what a human says of them, in a file beside the settings."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Account, Manifest, Secret
from laerecover.ports.endpoints import NO_ENDPOINT, is_endpoint
from laerecover.shared_buckets import Claim, shared_buckets
from laerecover.text import clean

CHANGED = "credentials changed: "
"""How the decision begins that an account bears where the file speaks of it."""
_NEEDED, _MORE = ("access_key_id", "secret_key_file", "who", "why"), ("account", "product", "bucket", "endpoint")
_NEXT = (
    'write [[changed]] with account = "…" or product = "…", access_key_id, secret_key_file, who, why; bucket and '
    "endpoint if they are others; nothing was started"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """What holds for an account, or for all of a product, in place of what the evidence says."""

    account: str
    product: str
    access_key_id: str
    secret_key: Secret
    who: str
    why: str
    bucket: str = ""
    endpoint: str = ""
    place: str = ""
    """The file's name and the entry that say so."""

    @property
    def summary(self) -> str:
        """For people; without the secret key."""
        where = "".join(
            f", {name} {value}" for name, value in (("bucket", self.bucket), ("at", self.endpoint)) if value
        )
        return clean(f"{CHANGED}access key {self.access_key_id}{where}; said by {self.who}: {self.why}")

    def about(self, account: Account) -> bool:
        """Whether it is about this account."""
        of_its_product = self.product.upper() == (account.product_code or "").upper()
        return self.account == account.account_id or (bool(self.product) and of_its_product)


def changed_credentials(settings_file: Path) -> tuple[Renewed, ...]:
    """Those of the file that `files.credentials` of the settings names; () if it names none, or there are no settings.

    Raises LaeRecoverError for a file that cannot be read, or says the same of somebody twice.
    """
    try:
        files = tomllib.loads(settings_file.read_text("utf-8")).get("files", {})
    except (OSError, ValueError):
        return ()  # Whoever needs the settings says what is wrong with them.
    name = files.get("credentials") if isinstance(files, dict) else None
    if name is None:
        return ()
    place = settings_file.parent / str(name)
    try:
        table = tomllib.loads(place.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _refused(f"the changed credentials cannot be read: {type(error).__name__}", place) from None
    rows = table.get("changed")
    if set(table) != {"changed"} or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _refused("the changed credentials are no list of tables called `changed`", place)
    found = tuple(_read(row, place, number) for number, row in enumerate(rows, start=1))
    about = [(each.account, each.product) for each in found]
    if twice := [each for each in about if about.count(each) > 1]:
        raise _refused(f"the changed credentials tell twice of {clean(''.join(twice[0]))}", place)
    return found


def with_changed(manifest: Manifest, changed: Iterable[Renewed], where: Path) -> Manifest:
    """The manifest with these credentials, and with who would share a bucket then; what is said of an account outdoes
    what is said of its product.

    Raises LaeRecoverError for one that is about nobody.
    """
    told = list(changed)
    for each in told:
        if not any(each.about(account) for account in manifest.accounts):
            raise _refused(f"the changed credentials are about nobody: {clean(each.account or each.product)}", where)
    shared = shared_buckets(claim for account in manifest.accounts for claim in _claims(account, told))
    accounts = tuple(_with(account, told) for account in manifest.accounts) if told else manifest.accounts
    return replace(manifest, accounts=accounts, shared=shared)


def endpoints_of(manifest: Manifest, changed: Iterable[Renewed]) -> Mapping[str, str]:
    """Account -> where its bucket is now, for those of whom that is said."""
    told = list(changed)
    found = {account.account_id: _of(account, told) for account in manifest.accounts}
    return {account_id: each.endpoint for account_id, each in found.items() if each is not None and each.endpoint}


def _claims(account: Account, told: list[Renewed]) -> Iterator[Claim]:
    said, known = _of(account, told), account.bucket_name
    moved = said is not None and bool(said.bucket) and said.bucket != known
    if known:
        yield Claim(account_id=account.account_id, bucket=known, place="the manifest", former=moved)
    if said is not None and moved:
        yield Claim(account_id=account.account_id, bucket=said.bucket, place=said.place)


def _with(account: Account, told: list[Renewed]) -> Account:
    said = _of(account, told)
    if said is None:
        return account
    return replace(
        account,
        user_access_key_id=said.access_key_id,
        user_secret_key=said.secret_key,
        bucket_name=said.bucket or account.bucket_name,
        decisions=(*account.decisions, said.summary),
    )


def _of(account: Account, told: list[Renewed]) -> Renewed | None:
    about = sorted((each for each in told if each.about(account)), key=lambda each: not each.account)
    return about[0] if about else None


def _read(row: Mapping[str, Any], place: Path, number: int) -> Renewed:
    unknown = sorted(row.keys() - {*_NEEDED, *_MORE})
    lacking = [name for name in _NEEDED if not row.get(name)]
    if unknown or lacking or bool(row.get("account")) == bool(row.get("product")):
        what = f"{unknown[0]} is none of its settings" if unknown else f"{lacking[0]} is missing" if lacking else ""
        raise _refused(f"changed credentials: {clean(what) or 'say account or product, one of them'}", place)
    if not all(isinstance(value, str) and value.strip() == value and value.isprintable() for value in row.values()):
        raise _refused("changed credentials: a value is no plain text", place)
    if "endpoint" in row and not is_endpoint(row["endpoint"]):
        raise _refused(f"changed.endpoint {NO_ENDPOINT}", place)
    secret_file = place.parent / row["secret_key_file"]
    try:
        secret = secret_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(f"a secret key's file cannot be read: {type(error).__name__}", secret_file) from None
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise _refused("that file holds no secret key: one line, and nothing else", secret_file)
    told = {name: str(row.get(name, "")) for name in (*_NEEDED, *_MORE) if name != "secret_key_file"}
    return Renewed(secret_key=Secret(secret), place=f"{place.name}, entry {number}", **told)


def _refused(what: str, where: Path) -> LaeRecoverError:
    return LaeRecoverError(what, where=str(where), next_step=_NEXT)
