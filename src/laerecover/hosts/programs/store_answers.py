"""What a store's answers mean: which are a listing, what to do about each refusal.

Runs on the runner, and is sent to hosts as it stands: Python 3.9 will do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timezone
from typing import Any

from laerecover.hosts.programs.bucket_shares import Listed

CLOCK = "RequestTimeTooSkewed"
NO_LISTING = "no listing"
"""Our own word, where S3 has none."""
LATER = (
    "SlowDown",
    "Throttling",
    "RequestTimeout",
    "OperationAborted",
    "InternalError",
    "ServiceUnavailable",
    "RequestLimitExceeded",
)
"""What a store says that will do what is asked, but not now."""

NO_S3 = "what answered is no S3, but a proxy, say: mend the way to the store, or recipe.s3_endpoint in the settings"
_ELSEWHERE = (
    "the bucket lies in another region or at another store than recipe.s3_endpoint in the settings, or us-east-1 where "
    "that is not set: set it to the address of the bucket's own"
)
_TOKENS = "the store does not take the DevPay tokens: set recipe.session_token = false in the settings"
_FROZEN = (
    "an object lies in cold storage: have the bucket's owner bring it back (aws s3api restore-object), then run again"
)
_PAYING = "Amazon has shut the account that the bucket belongs to, for what is not paid, say: its support can tell"
_REMEDIES = {
    CLOCK: "set the clock (timedatectl), then run again",
    NO_LISTING: NO_S3,
    "InvalidAccessKeyId": "the store does not know the access key: look for a later one in other evidence, and audit "
    "all of it together; a key that its owner withdrew only the owner can renew",
    "SignatureDoesNotMatch": "the secret key is not that of the access key: find the account's secrets file in other "
    "evidence, and audit all of it together",
    "InvalidToken": _TOKENS,
    "ExpiredToken": _TOKENS,
    "AccessDenied": "the keys are known, but may not do that: have the bucket's owner allow them s3:ListBucket, "
    "s3:GetObject and s3:PutObject, and whatever key it is encrypted with",
    "NoSuchBucket": "it was deleted, or lies at another store: compare recipe.s3_endpoint in the settings, and the "
    "name of the bucket in the evidence",
    "InvalidBucketName": "no bucket is called that: compare its name in the evidence",
    "NotSignedUp": "the customer's subscription has ended, as all of DevPay's have: Amazon's support can say what "
    "became of the bucket",
    "AllAccessDisabled": "Amazon has shut the bucket: its support can say why",
    "AccountProblem": _PAYING,
    "InvalidPayer": _PAYING,
    "InvalidObjectState": _FROZEN,
    "ObjectNotInActiveTierError": _FROZEN,
    "QuotaExceeded": "the store gives the customer no more room: joining wants as much again as the shares take",
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "IllegalLocationConstraintException": _ELSEWHERE,
    "PermanentRedirect": _ELSEWHERE,
    "TemporaryRedirect": _ELSEWHERE,
    "MethodNotAllowed": NO_S3,
    "NotImplemented": "the store does not know what is asked, as S3 does: joining needs one that does",
}
_KMS = "the key that the bucket is encrypted with is not to be had: have its owner enable it, and allow it to the keys"
_ELSE = "find this account's keys and bucket: other evidence may hold them"


def remedy(code: str) -> str:
    """What to do about a refusal, by the store's own code for it, or the HTTP status of an answer without one."""
    if code.isdigit() or not code:
        return NO_S3
    return _REMEDIES.get(code) or (_KMS if code.startswith("KMS.") else _ELSE)


def code_of(response: Mapping[str, Any]) -> str:
    """The store's own word, else the HTTP status: a proxy's page has no such word."""
    word = str(response.get("Error", {}).get("Code") or "")
    return word or str(response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))


class NoListing(Exception):
    """What was answered is not the whole list of a bucket's objects. The text says why."""


def listed(ask: Callable[[dict[str, str]], Mapping[str, Any]]) -> Iterator[Listed]:
    """The objects, page by page as they are wanted.

    `ask` is ListObjectsV2, given nothing or a ContinuationToken. Raises NoListing.

    A proxy's page has no objects, and so has an empty bucket; one page for ever is a bucket without end. So an answer
    must say that it is a listing, and whether it goes on; then where; and its names must rise.
    """
    mark, last = "", ""
    while True:
        answer = ask({"ContinuationToken": mark} if mark else {})
        if not answer.get("Name") or not isinstance(answer.get("IsTruncated"), bool):
            raise NoListing("what was answered is no list of a bucket's objects")
        for row in answer.get("Contents", []):
            entry = _entry(row)
            if entry.name <= last:
                raise NoListing("the list of the bucket's objects is in no order, or comes again and again")
            last = entry.name
            yield entry
        if not answer["IsTruncated"]:
            return
        before, mark = mark, str(answer.get("NextContinuationToken") or "")
        if mark in ("", before):
            raise NoListing("the list of the bucket's objects breaks off: nothing says where it goes on")


def _entry(row: Mapping[str, Any]) -> Listed:
    try:
        when = row["LastModified"].astimezone(timezone.utc).isoformat()
        entry = Listed(str(row["Key"]), int(row["Size"]), str(row["ETag"]), when, str(row.get("StorageClass") or ""))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise NoListing("the list of the bucket's objects lacks what S3's tells of each") from None
    if not entry.name or entry.size < 0:
        raise NoListing("the list of the bucket's objects lacks what S3's tells of each")
    return entry


_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


def is_bucket(name: str) -> bool:
    """Whether it is a plain name: an ARN would have Amazon's library ask another store than the settings say."""
    return _BUCKET.fullmatch(name) is not None


def asks_no_other(client: Any) -> None:
    """Have a client of S3 go nowhere else when it is told to: whoever answers may be a proxy that always says so."""

    def follow_nothing(context: dict[str, Any], **_: Any) -> None:
        context.setdefault("s3_redirect", {})["redirected"] = True

    client.meta.events.register_last("before-endpoint-resolution.s3", follow_nothing)
