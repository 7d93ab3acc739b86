"""What can go wrong for a caller, told so that the caller knows what to do next."""

from __future__ import annotations


class ForensicsError(Exception):
    """Something that cannot be done; `what`, `where` and `next_step` say so in words for an operator.

    ForensicsError
     ├─ EvidenceError     no such folder, nothing readable in it
     ├─ InventoryError    a saved DescribeInstances answer that proves too little
     ├─ CustodyError      the register of the case folder cannot be kept or read
     ├─ ClosedListError   a list of closed accounts that cannot be read whole
     ├─ StatementError    a file that states no audit
     ├─ DecisionError     a decision that cannot be taken, or decisions that cannot be read
     ├─ ExtractionError   facts that cannot be written as asked
     └─ UnknownKey        no account or log of that name, or several
    """

    # As laerecover.manifest.OperatorError: the shell tells errors before it needs any of that package.
    def __init__(self, what: str, *, where: str, next_step: str) -> None:
        super().__init__(f"{what} · {where} · {next_step}")
        self.what = what
        self.where = where
        self.next_step = next_step


class EvidenceError(ForensicsError):
    """There is no evidence that can be read."""


class UnknownKey(ForensicsError):
    """No account, log, bucket, e-mail or activation key of the case has that name."""


class CustodyError(ForensicsError):
    """A register that cannot be kept or read."""


class InventoryError(ForensicsError):
    """An inventory that does not prove what it covers; it was not used."""


class ClosedListError(ForensicsError):
    """A list of closed accounts of which a line is none; no account was judged."""


class StatementError(ForensicsError):
    """A file that is no statement of an audit, or one of another version."""


class DecisionError(ForensicsError):
    """A decision that cannot be taken."""


class ExtractionError(ForensicsError):
    """Facts that cannot be written as asked."""
