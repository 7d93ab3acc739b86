"""Credentials that changed since the evidence was written: what a human says of them, in a file beside the settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from laerecover.errors import Mistakes
from laerecover.manifest import Account, Manifest, Secret
from laerecover.ports.endpoints import NO_ENDPOINT, is_endpoint
from laerecover.settings_reader import OperatorFile, content
from laerecover.shared_buckets import Claim, shared_buckets
from laerecover.text import clean, is_one_line

CHANGED = "credentials changed: "
"""How the decision begins that an account bears where the file speaks of it."""
_NEEDED, _MORE = ("access_key_id", "secret_key_file", "who", "why"), ("account", "product", "bucket", "endpoint")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
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

    Raises LaeRecoverError for a file that cannot be read, or says the same of somebody twice, naming all that is wrong
    at once with entry and line.
    """
    try:
        files = tomllib.loads(settings_file.read_text("utf-8")).get("files", {})
    except (OSError, ValueError):
        return ()  # Whoever needs the settings says what is wrong with them.
    name = files.get("credentials") if isinstance(files, dict) else None
    if name is None:
        return ()
    place = settings_file.parent / str(name)
    told = OperatorFile(place)
    rows = told.table.get("changed")
    if told.mistakes:
        raise _refused(told.mistakes)
    if set(told.table) != {"changed"} or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _refused([("the changed credentials are no list of tables called `changed`", str(place))])
    found, mistakes = list[Renewed](), list[tuple[str, str]]()
    for at, row in enumerate(rows):
        wrong = list(_wrong(row))
        secret = _secret(place.parent / row["secret_key_file"]) if not wrong else ""
        if isinstance(secret, Secret):
            found.append(_read(row, secret, f"{place.name}, entry {at + 1}"))
            earlier = [(each.account, each.product.upper()) for each in found[:-1]]
            if (found[-1].account, found[-1].product.upper()) in earlier:
                wrong = [f"the changed credentials tell twice of {clean(found[-1].account or found[-1].product)}"]
        elif secret:
            wrong = [secret]
        mistakes += [(each, f"{place}, entry {at + 1}, line {told.line_of('changed', at)}") for each in wrong]
    if mistakes:
        raise _refused(mistakes)
    return tuple(found)


def with_changed(manifest: Manifest, changed: Iterable[Renewed], where: Path) -> Manifest:
    """The manifest with these credentials, and with who would share a bucket then; what is said of an account outdoes
    what is said of its product.

    Raises LaeRecoverError for one that is about nobody.
    """
    told = list(changed)
    nobodys = [each for each in told if not any(each.about(account) for account in manifest.accounts)]
    if nobodys:
        names = ((clean(each.account or each.product), each.place) for each in nobodys)
        raise _refused([(f"the changed credentials are about nobody: {name}", f"{where} · {at}") for name, at in names])
    shared = shared_buckets(claim for account in manifest.accounts for claim in _claims(account, told))
    accounts = tuple(_with(account, told) for account in manifest.accounts) if told else manifest.accounts
    return replace(manifest, accounts=accounts, shared=shared)


def changes_of(account: Account) -> Sequence[str]:
    """What was said of its credentials, for people."""
    return [each for each in account.decisions if each.startswith(CHANGED)]


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


def _wrong(row: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an entry, but for the file that it names; no value is repeated."""
    for name in sorted(row.keys() - {*_NEEDED, *_MORE}):
        near = get_close_matches(name, [*_NEEDED, *_MORE], 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield f"changed credentials: {clean(name)} is none of its settings{hint}"
    yield from (f"changed credentials: {name} is missing" for name in _NEEDED if not row.get(name))
    if bool(row.get("account")) == bool(row.get("product")):
        yield "changed credentials: say account or product, one of them"
    for name, value in row.items():
        if not isinstance(value, str) or not is_one_line(value):
            yield f"changed credentials: {clean(name)} is no plain text"
        elif name == "endpoint" and not is_endpoint(value):
            yield f"changed.endpoint {NO_ENDPOINT}"
        elif name == "bucket" and not _BUCKET.fullmatch(value):
            yield "changed.bucket is no bucket's name: letters, digits, `.`, `_` and `-`, without a path"


def _secret(place: Path) -> Secret | str:
    """What the file holds, or why that will not do."""
    try:
        text = content(place).strip()
    except ValueError as error:
        return f"a secret key's file cannot be read: {clean(place)}: {error}"
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        return f"that file holds no secret key: one line, and nothing else: {clean(place)}"
    return Secret(text)


def _read(row: Mapping[str, Any], secret: Secret, place: str) -> Renewed:
    told = {name: str(row.get(name, "")) for name in (*_NEEDED, *_MORE) if name != "secret_key_file"}
    return Renewed(secret_key=secret, place=place, **told)


def _refused(mistakes: Sequence[tuple[str, str]]) -> Mistakes:
    return Mistakes(mistakes, of="changed credentials", next_step=_NEXT)
