"""What became of one account; what it leaves for a human is part of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from laerecover.runbook.ledger import Done
from laerecover.runbook.values import Values


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A sentence, what it is about, and the command that does it where there is one."""

    do: str
    about: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What became of the file that a drill with `--prove` stored before."""

    ok: bool
    said: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOutcome:
    """One account, as plan, ledger, outbox and world tell it. No secret."""

    account_id: str
    customer: str
    outcome: str
    """`recovered`, `failed`, `on its way`, `not started`, `blocked` or `left out`."""
    why: str
    guarded: bool
    """A guard keeps it, or its mail, from going on."""
    selected: bool
    in_doubt: bool
    grade: str | None
    price: str
    customer_does: str
    steps: tuple[Done, ...]
    rounds: int
    mail: str | None
    """The state of its latest letter, to the customer or the staff (`mail_to`)."""
    mail_to: str | None
    message_id: str | None
    credentials: str
    """What a human said of its keys, where they are others than the evidence says."""
    instances_launched: int
    mails_sent: int
    serverinfo_rows: int
    rto_seconds: float | None
    """From the recovery's begin to this account's last step."""
    bucket: Values | None
    """As it was found: see BucketLayout."""
    joined: Values | None
    """What was joined there: see `what_was_joined`."""
    unplanned: bool
    """Begun, though the manifest does not recover it any more."""
    closed: bool
    """The customer had left."""
    proof: Proof | None = None
    follow_ups: tuple[FollowUp, ...] = ()
    idle_seconds: float = 0.0
    """Of `rto_seconds`: nobody ran the recovery."""
    plain: str = ""
    """Why it is not back, without the programs' own words; "" if it is."""

    @property
    def seconds_of_work(self) -> float | None:
        """Time to recovery without the pauses between two runs."""
        return None if self.rto_seconds is None else max(0.0, self.rto_seconds - self.idle_seconds)

    @property
    def mail_words(self) -> str:
        """Its latest letter, for people; of one to the staff that it is theirs: the customer has not heard."""
        state = (self.mail or "").replace("_", " ")
        return f"{state}, to the staff" if self.mail_to == "staff" else state

    @property
    def body(self) -> dict[str, Any]:
        """As JSON values; `closed` is there where it is so."""
        own = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "closed" or self.closed}
        proof = None if self.proof is None else {k: v for k, v in asdict(self.proof).items() if v is not None}
        steps = [step.body for step in self.steps]
        return {**own, "steps": steps, "proof": proof, "follow_ups": [asdict(each) for each in self.follow_ups]}
