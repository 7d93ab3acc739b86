"""What joining costs beside a plain copy of the same bytes, by calls and seconds; what listing a large bucket costs.

Against moto's S3 on loopback, in this process: each side is another one, so both pay for it alike.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))
from laerecover.adapters.s3 import S3Store
from laerecover.hosts.bucket_layout import layout_of
from laerecover.hosts.programs import s3_joining
from laerecover.manifest import Account, Secret
from laerecover.rehearsal.rig.cache import prepare
from laerecover.rehearsal.rig.proxy import Cloud, serve
from laerecover.settings import drill_settings
from old_buckets import immutable, place
from old_shares import objects, pieces

NAME, KEY, SECRET = "customer-bucket", "AKIAINVENTED", "invented-secret"
SHARES = {8_000_000: 6, 1_000_000: 40, 20_000: 400}
"""Bytes of a share -> how many."""
LISTED = 100_000
SECONDS = 600.0
"""Longer than that nothing of this may take."""


def rclone(folder: Path) -> str | None:
    """The machine's own, or the one that the rig's hosts get."""
    found = shutil.which("rclone")
    if found is None and os.getuid() == 0:
        (package,) = (prepare(print) / "debs").glob("rclone_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder / "rclone"], check=True)
        found = str(folder / "rclone/usr/bin/rclone")
    return found


def spent(cloud: Cloud, command: list[str]) -> tuple[float, Counter[str]]:
    """Wall seconds of the command, and what it asked of the store."""
    cloud.faults.calls, began = Counter(), time.monotonic()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
    }  # with AWS_CA_BUNDLE set, rclone 1.60 ends at once
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]}: {done.stdout}{done.stderr}")
    return time.monotonic() - began, cloud.faults.calls


def joining(cloud: Cloud, folder: Path) -> None:
    """Join the bucket; copy the same bytes through this machine, and by the store itself."""
    store = backend_of_s3()
    number = 0
    for size, count in SHARES.items():
        for _ in range(count):
            number += 1
            for name, body in objects(place(f"share {number}"), pieces(immutable(size + number))).items():
                store.put_object(NAME, name, body)
    configuration = folder / "rclone.conf"
    configuration.write_text(
        f"[store]\ntype = s3\nprovider = Other\naccess_key_id = {KEY}\nsecret_access_key = {SECRET}\n"
        f"region = us-east-1\nendpoint = {cloud.endpoint}\nforce_path_style = true\nno_check_bucket = true\n"
        f"[shares]\ntype = alias\nremote = store:{NAME}/recovered\n"
    )
    total = sum(size * count for size, count in SHARES.items())
    seconds, calls = spent(cloud, [sys.executable, "-m", s3_joining.__name__, str(configuration)])
    asked = ", ".join(f"{count} {call.removeprefix('s3:')}" for call, count in sorted(calls.items()))
    each = sum(calls.values()) / number
    print(f"joining: {number} shares, {total / 1e6:.0f} MB: {seconds:.1f} s, {each:.1f} calls a share ({asked})")
    program = rclone(folder)
    if program is None:
        print("rclone copy: there is no rclone")
        return
    copy = [
        program,
        "copy",
        f"store:{NAME}/shares",
        "--config",
        str(configuration),
        "--transfers",
        "8",
        "--checkers",
        "8",
    ]
    for how, more in (("through this machine", ["--disable", "copy"]), ("by the store itself", [])):
        taken, calls = spent(cloud, [*copy, f"store:{NAME}/copied-{len(more)}", *more])
        times = f"joining took {seconds / taken:.2f} times that"
        print(f"rclone copy {how}: {taken:.1f} s, {sum(calls.values())} calls; {times}")


class Pages(BaseHTTPRequestHandler):
    """A store that knows one answer: pages of a thousand objects. moto sorts all of them anew for each page."""

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        first = int(query.get("continuation-token", ["0"])[0])
        rows = "".join(
            f"<Contents><Key>notes/{number:09}</Key><LastModified>2014-05-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{number:032x}&quot;</ETag><Size>1000</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for number in range(first, first + 1000)
        )
        more = first + 1000 < LISTED
        mark = f"<NextContinuationToken>{first + 1000}</NextContinuationToken>" if more else ""
        body = (
            f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{NAME}</Name>'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{mark}{rows}</ListBucketResult>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


def listing() -> None:
    """One complete listing of a large bucket, told apart as it comes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    account = Account(
        account_id=NAME,
        verdict="RECOVERABLE",
        bucket_name=NAME,
        user_access_key_id=KEY,
        user_secret_key=Secret(SECRET),
    )
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    asked = S3Store(drill_settings(Path()).changed(recipe={"s3_endpoint": endpoint}))
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    layout = layout_of(asked.listing(account))
    seconds = time.monotonic() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    server.shutdown()
    print(f"listing: {layout.objects:,} objects in {seconds:.1f} s, {grown:.0f} MB more at the peak")


def backend_of_s3() -> Any:
    """moto's store, where objects are put without a call."""
    from moto.backends import get_backend

    backend = get_backend("s3")["123456789012"]["aws"]
    if NAME not in backend.buckets:
        backend.create_bucket(NAME, "us-east-1")
    return backend


def main() -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as folder, serve() as cloud:
        joining(cloud, Path(folder))
    listing()


if __name__ == "__main__":
    main()
