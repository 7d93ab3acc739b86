"""Finding: something in the evidence that a human should know, with its place, with its remedy."""

from __future__ import annotations

from dataclasses import dataclass

from laeforensics.facts.fact import Locator

BLOCKING, WARNING, NOTE = "blocking", "warning", "note"
SEVERITIES = (BLOCKING, WARNING, NOTE)
"""Most severe first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`code` is one of CODES; `signup` is the log's, else the file's name; no secret is in `message`."""

    code: str
    severity: str
    signup: str | None
    field: str | None
    message: str
    remedy: str
    locators: tuple[Locator, ...] = ()

    @property
    def blocks(self) -> bool:
        """True if an account cannot be recovered before it is mended or decided."""
        return self.severity == BLOCKING


# code: severity, remedy
CODES: dict[str, tuple[str, str]] = {
    "unreadable-file": (BLOCKING, "make the file readable for you and audit again"),
    "left-out": (WARNING, "if it is evidence, put a plain copy of it into the folder and audit again"),
    "damaged-archive": (BLOCKING, "look for another copy of this file"),
    "unread-evidence": (
        BLOCKING,
        "bring the file into a form that can be read, or set it aside with `laeforensics decide --set-aside`",
    ),
    "closed-unknown": (BLOCKING, "mend that line of the list, so that a customer who left is not brought back"),
    "closed-came-back": (WARNING, "if those accounts are closed too, name each in the list, by its id"),
    "set-aside": (NOTE, "none needed: a human set the file aside"),
    "unread-file": (WARNING, "if it is evidence, bring it into a form that can be read and audit again"),
    "renamed-file": (NOTE, "none needed: its name still bears the stamp of its run"),
    "copied-file": (NOTE, "none needed: the other one was read"),
    "older-state": (NOTE, "none needed: what lies in its place counts; look at both if you doubt it"),
    "nameless-file": (WARNING, "find out where it comes from; if you know its run, give it that name (TIMESTAMP-SEED)"),
    "evidence-changed": (
        BLOCKING,
        "restore the file from its copy; if the change is right, begin a new case with --case",
    ),
    "damaged-secrets": (WARNING, "look for another copy of this secrets file"),
    "emptied-secrets": (WARNING, "look for another copy of the secrets file"),
    "empty-secrets": (NOTE, "none needed: a run that never came to its end leaves this"),
    "damaged-config": (
        BLOCKING,
        "mend lae_automation_config.json: without it product tokens come from secrets files alone",
    ),
    "damaged-row": (WARNING, "look for another copy of this csv file"),
    "damaged-value": (WARNING, "look for another copy of this log"),
    "redacted": (WARNING, "look for a copy of this file that nobody has blacked out"),
    "converted-file": (NOTE, "none needed; a copy without conversion would give byte offsets of the original"),
    "residue": (NOTE, "look at case.residue"),
    "several-signups": (
        WARNING,
        "compare with another copy of this log: only the signup that bears the file's name counts",
    ),
    "several-accounts": (
        WARNING,
        "compare with other copies of both files: one of them holds a piece of the other",
    ),
    "renamed-log": (WARNING, "find out who renamed the file; its values are taken from its text, not from its name"),
    "misnamed-secrets": (WARNING, "find out who renamed the file; it was matched by its bucket name"),
    "contested-field": (BLOCKING, "a human decides which witness is right"),
    "unsettled-field": (
        WARNING,
        "none needed: no recovery waits for it; `laeforensics explain` tells what speaks against each witness",
    ),
    "outranked-witness": (WARNING, "none needed: the better witness was taken; find out why the other differs"),
    "csv-contradicts-log": (WARNING, "do not trust that csv row; find out who wrote it"),
    "unknown-product": (WARNING, "add the product to lae_automation_config.json, or find the secrets file"),
    "stranger-in-bucket": (WARNING, "find out who wrote that file; it counts for no account"),
    "never-ready": (
        BLOCKING,
        "ask the customer whether the signup should be finished; `laeforensics decide --finish` records a yes",
    ),
    "missing-field": (BLOCKING, "find the evidence that `audit` names for it under What would help most"),
    "missing-evidence": (
        WARNING,
        "look for it where the rest was kept; if there never was any, none needed",
    ),
    "bucket-without-account": (
        BLOCKING,
        "look for another copy of the file, or of that bucket's log and secrets file: it may be a customer's",
    ),
    "account-without-evidence": (
        BLOCKING,
        "look for this signup's log or secrets file: its bucket is known from nowhere else",
    ),
    "unknown-end": (WARNING, "look for another copy of this log: whether a bucket was made is told nowhere"),
    "no-log": (WARNING, "none, if it is a note of somebody's; if it was a log, look for another copy"),
    "empty-log": (WARNING, "look for another copy of this log"),
    "stale-decision": (WARNING, "look at the witnesses again and decide anew"),
    "bucket-failed": (NOTE, "none: the program printed that the bucket could not be made"),
    "success-despite-failure": (NOTE, "none: for an hour in 2012 a failed signup was recorded as a success"),
    "ready-unknown": (WARNING, "look whether a server of this account was ever used: nothing tells that one was ready"),
    "forged-look-alike": (
        NOTE,
        "none: the text was relayed from a host or stands in an error message, and was not believed",
    ),
    "throw-away-furl": (NOTE, "none: the furl that fits the restored certificate was taken"),
    "furl-without-key": (WARNING, "a new furl must be sent to the customer unless node.pem is found"),
    "broken-identity": (WARNING, "look for another copy of node.pem: this one does not fit and will not be restored"),
    "unconfirmed-email": (WARNING, "ask the customer by another way before anything is sent to this address"),
    "missing-email": (
        WARNING,
        "find the customer's address: the account can be recovered, but only the staff will be told",
    ),
    "impossible-order": (WARNING, "compare with another copy of this log: its announcements are out of order"),
}


def finding(
    code: str,
    message: str,
    *,
    signup: str | None = None,
    field: str | None = None,
    locators: tuple[Locator, ...] = (),
    remedy: str | None = None,
) -> Finding:
    """A finding of a known code, with that code's severity; with its remedy, too, unless a better one is known."""
    severity, usual = CODES[code]
    return Finding(
        code=code,
        severity=severity,
        signup=signup,
        field=field,
        message=message,
        remedy=remedy or usual,
        locators=locators,
    )


def damaged_value(name: str, locator: Locator) -> Finding:
    """A log tells a field here, but not as it was printed."""
    return finding("damaged-value", f"{name} is damaged here", signup=locator.evidence, field=name, locators=(locator,))


def blacked_out(name: str, locator: Locator) -> Finding:
    """A field stands here, and somebody made its value illegible."""
    why = f"{name} was blacked out here: no value"
    return finding("redacted", why, signup=locator.evidence, field=name, locators=(locator,))
