"""Shares in pieces, joined in a store, then served by a real storage node: old caps give the same, and are changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from lone_node import LoneNode, content, path

from conftest import _need_rig
from laerecover.hosts.programs.bucket_shares import COMPLETE, PIECE, RECOVERED
from laerecover.hosts.programs.joining import join
from laerecover.hosts.programs.s3_joining import S3Bucket
from laerecover.rehearsal.rig.cache import client_program
from laerecover.rehearsal.rig.proxy import serve
from old_shares import objects, old_share, pieces

NAME, KEY, SECRET = "customer-bucket", "AKIAINVENTED", "invented-secret"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneNode]:
    """A storage node with the Tahoe-LAFS that the recipe installs."""
    _need_rig()
    folder = tmp_path_factory.mktemp("joined")
    made = LoneNode(folder=folder, program=client_program(print), patched=True)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


class Customer:
    """What was stored before the disaster: caps and contents."""

    def __init__(self, node: LoneNode) -> None:
        self.node = node
        self.files = {self._file(size): content(f"file of {size}", size) for size in (200, 6_000_000)}
        exact = self._exact_size()
        self.exact = self._file(exact)
        self.files[self.exact] = content(f"file of {exact}", exact)
        self.directory = node.ask("POST", "/uri?t=mkdir").decode()
        node.ask("PUT", path(self.directory, "child"), content("child", 500))
        self.mutable = {
            node.ask("PUT", f"/uri?format={kind}", content(kind, 1_300_000)).decode(): content(kind, 1_300_000)
            for kind in ("SDMF", "MDMF")
        }

    def _file(self, size: int) -> str:
        return self.node.ask("PUT", "/uri", content(f"file of {size}", size)).decode()

    def _exact_size(self) -> int:
        """Of a file whose container is exactly two pieces long: hashes and lengths in words cost some bytes more."""
        size = 2 * PIECE
        while (over := len(old_share(self.share(self._file(size)).read_bytes())) - 2 * PIECE) != 0:
            size -= over
        return size

    def share(self, cap: str) -> Path:
        _, about = json.loads(self.node.ask("GET", f"{path(cap)}?t=json"))
        return self.node.share(about["verify_uri"].split(":")[2])

    def compare(self) -> None:
        for cap, what in {**self.files, **self.mutable}.items():
            assert self.node.ask("GET", path(cap)) == what
            told = json.loads(self.node.ask("POST", f"{path(cap)}?t=check&verify=true&output=json"))
            assert told["results"]["healthy"], told
        assert self.node.ask("GET", path(self.directory, "child")) == content("child", 500)


def as_of_2014(node: LoneNode) -> dict[str, bytes]:
    """Everything that the node holds, as its provider's bucket held it."""
    found: dict[str, bytes] = {}
    for file in sorted((node.bucket / "shares").glob("??/*/*")):
        name = f"shares/{file.relative_to(node.bucket / 'shares')}"
        found.update(objects(name, pieces(old_share(file.read_bytes()))))
    return found


def joined(client: Any, endpoint: str, folder: Path, old: dict[str, bytes]) -> dict[str, bytes]:
    """What joining makes of these objects, in a store on loopback."""
    configuration = folder / "rclone.conf"
    configuration.write_text(
        f"[store]\naccess_key_id = {KEY}\nsecret_access_key = {SECRET}\nregion = us-east-1\nendpoint = {endpoint}\n"
        f"[shares]\nremote = store:{NAME}/recovered\n"
    )
    client.create_bucket(Bucket=NAME)
    for name, body in old.items():
        client.put_object(Bucket=NAME, Key=name, Body=body)
    join(S3Bucket(str(configuration)))
    found = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=NAME):
        for row in page["Contents"]:
            found[row["Key"]] = client.get_object(Bucket=NAME, Key=row["Key"])["Body"].read()
    assert {name: body for name, body in found.items() if not name.startswith(RECOVERED)} == old
    return {name.removeprefix(RECOVERED): body for name, body in found.items() if name.startswith(RECOVERED)}


def test_old_caps_give_the_same_and_are_changed(node: LoneNode, tmp_path: Path) -> None:
    """Files of 200 bytes, of exactly two pieces, of 6 MB; a directory; mutable files of both formats grown and shrunk.

    An upload that broke off is left out, and what is uploaded again is stored.
    """
    customer = Customer(node)
    broken = content("broke off", 2_000_000)
    broken_cap = node.ask("PUT", "/uri", broken).decode()
    lost = customer.share(broken_cap).relative_to(node.bucket)
    old = as_of_2014(node)
    del old[f"{lost}.3"]
    assert old[f"{customer.share(customer.exact).relative_to(node.bucket)}.2"] == b""
    assert max(int(name.partition(".")[2] or 0) for name in old) > 10
    with serve() as cloud:
        client = boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=cloud.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        served = joined(client, cloud.endpoint, tmp_path, old)
    told = json.loads(served.pop(COMPLETE.removeprefix(RECOVERED)))
    assert list(told["left_out"]) == ["/".join(lost.parts[-2:])]

    node.stop()
    shutil.rmtree(node.bucket / "shares")
    for name, body in served.items():
        (node.bucket / name).parent.mkdir(parents=True, exist_ok=True)
        (node.bucket / name).write_bytes(body)
    node.start()
    customer.compare()
    for cap in customer.mutable:
        for size in (2_000_000, 1_000, 600_000):
            customer.mutable[cap] = content(f"{size}", size)
            node.ask("PUT", path(cap), customer.mutable[cap])
            customer.compare()
    node.ask("PUT", path(customer.directory, "another"), b"new")
    assert node.ask("GET", path(customer.directory, "another")) == b"new"
    assert node.ask("PUT", "/uri", broken).decode() == broken_cap
    assert node.ask("GET", path(broken_cap)) == broken
    customer.compare()
