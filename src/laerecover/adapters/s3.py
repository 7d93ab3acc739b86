"""The customers' buckets, each listed with its account's own keys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from laerecover.adapters.aws import AwsCaller, Pace, client_with, translated
from laerecover.adapters.clock import SystemClock
from laerecover.hosts.programs.store_answers import NO_LISTING, NoListing, asks_no_other, is_bucket, listed
from laerecover.manifest import Account
from laerecover.ports.hosts import unheard
from laerecover.ports.refusals import Refusal
from laerecover.ports.services import Clock

if TYPE_CHECKING:
    from laerecover.settings import Settings

T = TypeVar("T")


class S3Store(AwsCaller):
    """Read-only. `page_size`: how many names are asked for at once."""

    page_size = 1000

    def __init__(self, settings: Settings, clock: Clock | None = None, heard: Callable[[str], None] = unheard) -> None:
        self._settings = settings
        self.pace = Pace(clock or SystemClock(threading.Event()), "S3", heard)

    def listing(self, account: Account) -> Iterator[tuple[str, int, str, str, str]]:
        """ListObjectsV2, page by page as they are wanted."""
        client = self._client(account)
        try:
            yield from listed(lambda mark: self._asked(partial(self._page, client, account.bucket_name or "", mark)))
        except NoListing as error:
            raise Refusal(str(error), kind="data_unreachable", code=NO_LISTING) from None

    def read(self, account: Account, name: str, largest: int) -> bytes | None:
        """GetObject, of whose body no more is read."""
        client = self._client(account)
        try:
            return self._asked(lambda: self._object(client, account.bucket_name or "", name, largest + 1))
        except Refusal as error:
            if error.code == "NoSuchKey":
                return None
            raise

    def versioned(self, account: Account) -> bool | None:
        """GetBucketVersioning."""
        client = self._client(account)
        try:
            return self._asked(lambda: self._versioning(client, account.bucket_name or ""))
        except Refusal:
            return None

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Refusal as error:
            raise Refusal(str(error), kind="data_unreachable", code=error.code) from None

    @translated
    def _page(self, client: Any, bucket: str, mark: Mapping[str, str]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = client.list_objects_v2(Bucket=bucket, MaxKeys=self.page_size, **mark)
        return answer

    @translated
    def _object(self, client: Any, bucket: str, name: str, count: int) -> bytes:
        body: bytes = client.get_object(Bucket=bucket, Key=name)["Body"].read(count)
        return body

    @translated
    def _versioning(self, client: Any, bucket: str) -> bool:
        return bool(client.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled")

    def _client(self, account: Account) -> Any:
        if not (account.bucket_name and account.user_access_key_id and account.user_secret_key):
            raise Refusal("bucket or keys are missing from the manifest", kind="data_unreachable")
        if not is_bucket(account.bucket_name):
            raise Refusal("no bucket is called that", kind="data_unreachable", code="InvalidBucketName")
        token = None
        if self._settings.recipe.session_token and account.user_token and account.product_token:
            token = f"{account.user_token.reveal()},{account.product_token.reveal()}"
        client = client_with(
            "s3",
            attempts=3,
            # The buckets of 2012 have no location, which is this region, wherever the servers stand.
            region_name="us-east-1",
            endpoint_url=self._settings.s3_endpoint_of(account),
            aws_access_key_id=account.user_access_key_id,
            aws_secret_access_key=account.user_secret_key.reveal(),
            aws_session_token=token,
        )
        asks_no_other(client)
        return client
