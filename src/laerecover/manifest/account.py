"""What a manifest holds: an account is one row of it, in the HOWTO's words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from laerecover.manifest.secret import Secret

VERDICTS = ("CLOSED", "ABANDONED", "UNFINISHED", "CONTESTED", "INCOMPLETE", "RECOVERABLE")
GRADES = ("IDENTITY_KEPT", "NEW_FURL", "NEW_STORAGE_IDENTITY")
SERVERS = ("GONE", "RUNNING", "UNKNOWN")
IDENTITIES = ("PROVED", "STATED", "BROKEN", "ABSENT")
FINISH = "finish"
"""What is decided where a customer says that a signup of which no server was ever ready should be finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything that a recovery needs to know of one account (a bucket), and where each value was found.

    `old_*` are those of the lost server: history, never used to reach a host.
    A missing value is None. `provenance` maps a field to the places that testify to it (`file:line [start:end) rule`).
    """

    account_id: str
    verdict: str
    grade: str | None = None
    server: str = "UNKNOWN"
    server_source: str | None = None
    introducer_identity: str | None = None
    storage_identity: str | None = None
    missing: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    matched_by: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()

    log_file: str | None = None
    secrets_file: str | None = None
    activation_key: str | None = None
    product_code: str | None = None
    bucket_name: str | None = None
    user_access_key_id: str | None = None
    user_secret_key: Secret | None = None
    user_token: Secret | None = None
    product_token: Secret | None = None
    customer_email: str | None = None
    customer_email_confirmed: bool = False
    """False when only activation_requests.csv carries the address: then the staff get the mail, not the address."""
    customer_name: str | None = None
    customer_keyinfo: str | None = None
    customer_keyinfo_lost: bool = False
    """True when the log tells that there was PGP key information, which itself is lost: then, too, the staff get the
    mail.
    """
    introducer_furl: Secret | None = None
    introducer_node_pem: Secret | None = None
    introducer_nodeid: str | None = None
    server_node_pem: Secret | None = None
    server_nodeid: str | None = None
    server_node_privkey: Secret | None = None
    ami_image_id: str | None = None
    instance_size: str | None = None
    old_instance_id: str | None = None
    old_launch_time: str | None = None
    old_public_host: str | None = None
    old_private_host: str | None = None
    former_instance_ids: tuple[str, ...] = ()
    """Every other instance that the evidence tells of this account: none of them may run, either."""

    provenance: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def finishes_signup(self) -> bool:
        """Whether its recovery finishes a signup, by its customer's word: it never had a server that was ready."""
        return any(each.startswith(f"{FINISH}: ") for each in self.decisions)

    @property
    def instance_name(self) -> str | None:
        """The HOWTO's *instancename*: the customer's e-mail."""
        return self.customer_email


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All audited accounts of a case, each with its verdict; `digest` names exactly this content."""

    accounts: tuple[Account, ...]
    evidence_digest: str
    digest: str
    shared: Mapping[str, str] = field(default_factory=dict)
    """Account -> with whom it would serve one bucket; nobody recovers such a one. It is in no file."""

    @property
    def recoverable(self) -> tuple[Account, ...]:
        """The accounts that a run takes."""
        return tuple(a for a in self.accounts if a.verdict == "RECOVERABLE")


FIELDS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(Account))


def _of_type(name: str) -> frozenset[str]:
    return frozenset(f.name for f in dataclasses.fields(Account) if f.type == name)


SECRET_FIELDS = _of_type("Secret | None")
FLAG_FIELDS = _of_type("bool")
TUPLE_FIELDS = _of_type("tuple[str, ...]")
