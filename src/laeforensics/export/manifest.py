"""Audited accounts become the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from laeforensics.accounts.account import CaseAccount, instances
from laeforensics.audit import rules
from laeforensics.export import _arrow
from laeforensics.facts.fields import FIELDS
from laerecover import manifest
from laerecover.manifest import Secret

_OLD = {
    "instance_id": "old_instance_id",
    "launch_time": "old_launch_time",
    "public_host": "old_public_host",
    "private_host": "old_private_host",
}
_NEW = {old: name for name, old in _OLD.items()}
_SCHEMA = frozenset(manifest.FIELDS)
"""What is handed over. A field that is new in the evidence is not among it before the schema has another version."""


class Provenance(Mapping[str, tuple[str, ...]]):
    """The places that tell each value of an account, by the manifest's names.

    Written out when looked at, for they are long.
    """

    __slots__ = ("_values", "_witnesses")

    def __init__(self, account: CaseAccount) -> None:
        self._values = {n: v for n, v in account.values.items() if _OLD.get(n, n) in _SCHEMA}
        self._witnesses = account.witnesses

    def __getitem__(self, name: str) -> tuple[str, ...]:
        known = _NEW.get(name, name)
        if known not in self._values or known not in self._witnesses:
            raise KeyError(name)
        return tuple(_words(f"{f.locator} {f.rule}") for f in self._witnesses[known])

    def __iter__(self) -> Iterator[str]:
        return (_OLD.get(name, name) for name in self._witnesses if name in self._values)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


def export(
    accounts: Sequence[CaseAccount], path: Path, *, evidence_digest: str, key_file: Path | None = None
) -> manifest.Manifest:
    """Write the manifest and, beside it, audit.parquet without secrets; the attempts stand in the latter alone.

    Raises ManifestError, OSError.
    """
    handed_over = (manifest_account(a) for a in accounts if not a.is_attempt)
    with _arrow.small_arrow():
        written = manifest.write_manifest(path, handed_over, evidence_digest=evidence_digest, key_file=key_file)
        rows = map(manifest_account, accounts)
        manifest.write_audit_table(path.with_name("audit.parquet"), rows, evidence_digest=evidence_digest)
        path.with_name("audit.parquet").chmod(0o600)  # it holds names and addresses
    return written


def manifest_account(account: CaseAccount) -> manifest.Account:
    """The manifest's row of an audited account."""
    grade = rules.grade(account)
    origin = account.origin
    secrets_file = next(
        (s.secrets.evidence for s in account.signups if s.secrets is not None and s.secrets.filled), None
    )
    values: dict[str, object] = {}
    for name, text in account.values.items():
        if _OLD.get(name, name) in _SCHEMA:
            values[_OLD.get(name, name)] = Secret(text) if FIELDS[name].secret else text
    return manifest.Account(
        account_id=account.account_id,
        verdict=rules.verdict(account).name,
        grade=grade.name if grade else None,
        introducer_identity=account.introducer_identity,
        storage_identity=account.storage_identity,
        missing=account.missing,
        blocking=rules.blocking(account),
        matched_by=account.matched_by,
        history=tuple(map(_words, account.history)),
        decisions=tuple(map(_words, account.decisions)),
        server=account.server,
        server_source=account.server_source and _words(account.server_source),
        log_file=_words(origin.name) if origin is not None and origin.log is not None else None,
        secrets_file=secrets_file and _words(secrets_file),
        customer_email_confirmed=account.email_confirmed,
        # Its program wrote to the staff instead: this customer did give key information, and wants encrypted mail.
        customer_keyinfo_lost="customer_keyinfo" not in values
        and any(s.log is not None and "key info" in s.log.marks for s in account.signups),
        former_instance_ids=tuple(sorted(instances(account).keys() - {account.values.get("instance_id")})),
        provenance=Provenance(account),
        **values,  # type: ignore[arg-type]
    )


def _words(text: str) -> str:
    """Names, reasons and sources, which need not be Unicode: no table can hold half a surrogate pair.

    (Values are: `Field.fits`.)
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
