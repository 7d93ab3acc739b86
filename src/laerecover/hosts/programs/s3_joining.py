"""Runs on a host, as its customer: `python3 -m laerecover.hosts.programs.s3_joining RCLONE_CONF`, with boto3.

Joins the shares of the bucket (see `joining`) by the keys that the host's rclone has. The exit status is one of
`joining.STATUS`, or 1; the last line says why. Sent as it stands: Python 3.9 will do.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import boto3
import botocore.exceptions
import botocore.parsers
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from laerecover.hosts.programs.bucket_shares import RECOVERED, Listed
from laerecover.hosts.programs.joining import AT_A_TIME, CHANGED, NOT_NOW, REFUSED, Changed, Ended, join
from laerecover.hosts.programs.progress import say
from laerecover.hosts.programs.store_answers import LATER, NoListing, asks_no_other, code_of, listed, remedy

T = TypeVar("T")
_TRIES = 10
_PART, _PARTS = 8 << 20, 9000
"""Bytes that are sent at once, and how many parts an object may have, a little fewer than S3 allows."""
_COPIED_AT_ONCE = 5 << 30
_WHOLE = 200
"""The status of an answer that is no part."""
_OF_BUCKETS = ("ListObjectsV2", "ListMultipartUploads")
_CONDITIONS = ("PreconditionFailed", "412")
_CHANGED = ("NoSuchKey", "404", "InvalidRange")


class S3Bucket:
    """See `joining.Bucket`. `configuration`.

    Rclone's, with the remotes `store` (keys) and `shares` (bucket, then a folder).
    """

    def __init__(self, configuration: str) -> None:
        told = configparser.ConfigParser(interpolation=None)
        with open(configuration, encoding="utf-8") as file:  # noqa: PTH123
            told.read_file(file)
        store, self._name = told["store"], told["shares"]["remote"].partition(":")[2].split("/")[0]
        self._client: Any = boto3.client(
            "s3",
            region_name=store["region"],
            endpoint_url=store.get("endpoint"),
            aws_access_key_id=store["access_key_id"],
            aws_secret_access_key=store["secret_access_key"],
            aws_session_token=store.get("session_token"),
            config=Config(
                retries={"mode": "adaptive", "total_max_attempts": _TRIES},
                connect_timeout=10,
                read_timeout=60,
                max_pool_connections=2 * AT_A_TIME,
                s3={"addressing_style": "path"},
                # Stores that are not Amazon's may not know the newer checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        asks_no_other(self._client)

    def listing(self) -> Iterator[Listed]:
        """ListObjectsV2, page by page."""
        try:
            yield from listed(lambda mark: _told(lambda: self._client.list_objects_v2(Bucket=self._name, **mark)))
        except NoListing as error:
            raise Ended(REFUSED, f"{error}; {remedy('')}") from None

    def read(self, entry: Listed, start: int, count: int) -> bytes:
        """GetObject of a range; of a body that breaks off once more."""
        count = min(count, entry.size - start)
        if count <= 0:
            return b""

        def get() -> bytes:
            where = f"bytes={start}-{start + count - 1}"
            answer = self._client.get_object(Bucket=self._name, Key=entry.name, Range=where, IfMatch=entry.etag)
            got: bytes = answer["Body"].read(count + 1)
            if len(got) == count:
                return got
            if answer["ResponseMetadata"]["HTTPStatusCode"] == _WHOLE:
                raise Ended(REFUSED, "the store gives no parts of objects (Range): joining needs one that does")
            raise Changed

        return self._same(entry, get)

    def peek(self, name: str, count: int) -> bytes | None:
        """GetObject."""
        with suppress(Changed):
            return _told(lambda: bytes(self._client.get_object(Bucket=self._name, Key=name)["Body"].read(count + 1)))
        return None

    def copy(self, entry: Listed, name: str) -> None:
        """CopyObject, in parts where the object is too large for one."""
        source, wanted = {"Bucket": self._name, "Key": entry.name}, {"CopySourceIfMatch": entry.etag}
        if entry.size <= _COPIED_AT_ONCE:
            self._same(
                entry, lambda: self._client.copy_object(Bucket=self._name, Key=name, CopySource=source, **wanted)
            )
        else:
            parts = TransferConfig(multipart_threshold=_COPIED_AT_ONCE, multipart_chunksize=512 << 20)
            self._same(entry, lambda: self._client.copy(source, self._name, name, ExtraArgs=wanted, Config=parts))

    def _same(self, entry: Listed, ask: Callable[[], T]) -> T:
        """The answer about that very object. Raises Changed.

        Ended where the store would not tell one state of an object from another.
        """
        try:
            return _told(ask)
        except _Other:
            now = _told(lambda: self._client.head_object(Bucket=self._name, Key=entry.name))
            if now["ETag"] == entry.etag:
                said = "the store says that an object is another (If-Match), and it is the same: joining needs S3's"
                raise Ended(REFUSED, said) from None
            raise Changed from None

    def put(self, name: str, chunks: Iterator[bytes], size: int) -> None:
        """PutObject if it is small, else a multipart upload, which is given up as a whole if anything goes wrong."""
        part = max(_PART, -(-size // _PARTS))
        parts = TransferConfig(multipart_threshold=part, multipart_chunksize=part, use_threads=False)
        _told(lambda: self._client.upload_fileobj(_Stream(chunks), self._name, name, Config=parts), tries=1)

    def forget_unfinished(self) -> None:
        """Multipart uploads that nobody will complete: the store charges for their parts, and no listing shows them."""
        with suppress(Ended, Changed):
            answer = _told(lambda: self._client.list_multipart_uploads(Bucket=self._name, Prefix=RECOVERED))
            for upload in answer.get("Uploads", []):
                words = {"Bucket": self._name, "Key": upload["Key"], "UploadId": upload["UploadId"]}
                _told(lambda words=words: self._client.abort_multipart_upload(**words))  # type: ignore[misc]

    def remove(self, name: str) -> None:
        """DeleteObject."""
        if not name.startswith(RECOVERED):
            raise AssertionError("the old objects are never deleted")
        _told(lambda: self._client.delete_object(Bucket=self._name, Key=name))


class _Stream:
    """Chunks as a file that can be read once: `read` gives as much as is asked for, until the end."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def read(self, count: int = sys.maxsize) -> bytes:
        """So many bytes, or all."""
        parts, missing = [self._rest], count - len(self._rest)
        while missing > 0 and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            missing -= len(chunk)
        whole = b"".join(parts)
        self._rest = whole[count:]
        return whole[:count]


class _Other(Changed):
    """The store says that an object is not the one that is meant."""


def _told(ask: Callable[[], T], tries: int = 3) -> T:
    """The answer; botocore has asked again where that helps. Raises Changed, or Ended with the store's own code."""
    for left in reversed(range(tries)):
        try:
            return ask()
        except botocore.exceptions.ClientError as error:
            raise _meant(error) from None
        except (botocore.exceptions.BotoCoreError, botocore.parsers.ResponseParserError, OSError) as error:
            if not left:
                raise Ended(NOT_NOW, f"the store was not reached: {type(error).__name__}") from None
    raise AssertionError


def _meant(error: botocore.exceptions.ClientError) -> Exception:
    code, action = code_of(error.response), error.operation_name
    if code in _CONDITIONS:
        return _Other()
    if code in _CHANGED and action not in _OF_BUCKETS:
        return Changed()
    if code in LATER or int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500:
        return Ended(NOT_NOW, f"the store says {code} ({action}) again and again")
    return Ended(REFUSED, f"the store refuses the host: {code} ({action}); {remedy(code)}")


def main(configuration: str) -> int:
    """The exit status."""
    try:
        say(join(S3Bucket(configuration)))
    except Ended as ended:
        say(str(ended))
        return ended.status
    except Changed:
        say("somebody changed or removed objects in the bucket meanwhile")
        return CHANGED
    return 0


if __name__ == "__main__":
    # Threads that wait for the store must not keep the program.
    os._exit(main(sys.argv[1]))
