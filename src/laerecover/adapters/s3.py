"""The customers' buckets, each listed with its account's own keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from laerecover.adapters.aws import AwsCaller, Pace, client_with, translated
from laerecover.adapters.clock import SystemClock
from laerecover.manifest import Account
from laerecover.ports.refusals import Refusal
from laerecover.ports.services import Clock
from laerecover.settings import Settings


class S3Store(AwsCaller):
    """Read-only. `page_size`: how many names are asked for at once."""

    page_size = 1000

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._settings = settings
        self.pace = Pace(clock or SystemClock(threading.Event()))

    def keys(self, account: Account) -> Iterator[str]:
        """ListObjectsV2, page by page as they are wanted."""
        if not (account.bucket_name and account.user_access_key_id and account.user_secret_key):
            raise Refusal("bucket or keys are missing from the manifest", kind="data_unreachable")
        client, mark = self._client(account), ""
        while True:
            try:
                names, mark = self._page(client, account.bucket_name, mark)
            except Refusal as error:
                raise Refusal(str(error), kind="data_unreachable") from None
            yield from names
            if not mark:
                return

    @translated
    def _page(self, client: Any, bucket: str, mark: str) -> tuple[Sequence[str], str]:
        answer = client.list_objects_v2(
            Bucket=bucket, MaxKeys=self.page_size, **({"ContinuationToken": mark} if mark else {})
        )
        return [str(row["Key"]) for row in answer.get("Contents", [])], str(answer.get("NextContinuationToken") or "")

    def _client(self, account: Account) -> Any:
        token = None
        if self._settings.session_token and account.user_token and account.product_token:
            token = f"{account.user_token.reveal()},{account.product_token.reveal()}"
        return client_with(
            "s3",
            attempts=3,
            # The buckets of 2012 have no location, which is this region, wherever the servers stand.
            region_name="us-east-1",
            endpoint_url=self._settings.s3_endpoint,
            aws_access_key_id=account.user_access_key_id,
            aws_secret_access_key=account.user_secret_key.reveal() if account.user_secret_key else "",
            aws_session_token=token,
        )
