"""How the shares of a rehearsal come into a customer's bucket: as the old servers left them there."""

from __future__ import annotations

from pathlib import Path

from laerecover.adapters.aws import client_with
from laerecover.hosts.programs.bucket_shares import PIECE
from laerecover.manifest import Account

_HEADER, _LEASE = 12, 72


def copy_shares(shares: Path, account: Account, endpoint: str) -> None:
    """Finished shares come into the bucket under the names that a storage node gives them: shares/ab/INDEX/N.

    Large ones in pieces.
    """
    secret = account.user_secret_key
    store = client_with(
        "s3",
        attempts=5,
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=account.user_access_key_id,
        aws_secret_access_key=secret.reveal() if secret else "",
    )
    for share in sorted(shares.glob("??/*/*")):
        name, whole = f"shares/{share.relative_to(shares)}", share.read_bytes()
        for number, piece in enumerate(_pieces(whole) if len(whole) > PIECE else [whole]):
            place = f"{name}.{number}" if number else name
            store.put_object(Bucket=account.bucket_name, Key=place, Body=piece)


def _pieces(share: bytes) -> list[bytes]:
    """The share of a file as servers of from May 2014 on left it.

    Its container of their version, without leases, cut.
    """
    end = len(share) - _LEASE * int.from_bytes(share[8:_HEADER], "big")
    old = (1).to_bytes(4, "big") + bytes(8) + share[_HEADER:end]
    return [old[start : start + PIECE] for start in range(0, len(old) + 1, PIECE)]
