"""Shares that say 468, at a real storage node.

The patched Tahoe-LAFS leaves them whole, the stock one destroys them.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lone_node import LoneNode, Refused, content, path

from conftest import _need_rig
from laerecover.hosts.programs.old_shares import PATCHED
from laerecover.hosts.recipes.tahoe import Tahoe
from laerecover.rehearsal.rig.cache import client_program
from old_shares import DATA, is_mdmf, old_share, says_468

LARGE = 100_000
"""No share of these tests comes near it, in bytes, unless it is destroyed."""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneNode]:
    """A storage node with the Tahoe-LAFS that the recipe installs."""
    yield from lone_node(tmp_path_factory.mktemp("patched"), patched=True)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneNode]:
    """A storage node with Tahoe-LAFS 1.20 as it is."""
    yield from lone_node(tmp_path_factory.mktemp("stock"), patched=False)


def lone_node(folder: Path, *, patched: bool) -> Iterator[LoneNode]:
    _need_rig()
    made = LoneNode(folder=folder, program=client_program(print), patched=patched)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


@dataclass
class Stored:
    """A mutable file, or a directory, of a customer; what must be in it."""

    node: LoneNode
    format: str
    cap: str = field(init=False)

    def __post_init__(self) -> None:
        self.create()
        self.index = self.node.index(self.cap)
        self.share = self.node.share(self.index)
        assert is_mdmf(self.share.read_bytes()) == (self.format == "MDMF")

    def age(self) -> None:
        """From now on it is what the S3 backend left behind."""
        self.share.write_bytes(old_share(self.share.read_bytes()))
        assert says_468(self.share.read_bytes())

    def check(self) -> None:
        """Nothing is lost, and the share is no larger than it must be."""
        self.compare()
        told = json.loads(self.node.ask("POST", f"{path(self.cap)}?t=check&verify=true&output=json"))
        assert told["results"]["healthy"], told
        assert self.share.stat().st_size < LARGE


class StoredFile(Stored):
    def create(self) -> None:
        self.content = content("made", 3000)
        self.cap = self.node.ask("PUT", f"/uri?format={self.format}", self.content).decode()

    def compare(self) -> None:
        assert self.node.ask("GET", path(self.cap)) == self.content

    def _become(self, size: int) -> None:
        self.content = content(f"of {size}", size)
        self.node.ask("PUT", path(self.cap), self.content)

    def grow(self) -> None:
        self._become(len(self.content) + 5000)

    def shrink(self) -> None:
        self._become(len(self.content) // 2)

    def rewrite(self) -> None:
        self._become(len(self.content))


class StoredDirectory(Stored):
    def create(self) -> None:
        self.cap = self.node.ask("POST", f"/uri?t=mkdir&format={self.format}").decode()
        self.children: dict[str, bytes] = {}
        for _ in range(3):
            self.grow()

    def compare(self) -> None:
        _, about = json.loads(self.node.ask("GET", f"{path(self.cap)}?t=json"))
        assert set(about["children"]) == set(self.children)
        for name, there in self.children.items():
            assert self.node.ask("GET", path(self.cap, name)) == there

    def grow(self) -> None:
        name = f"child{len(self.children)}"
        self.children[name] = content(name, 500)
        self.node.ask("PUT", path(self.cap, name), self.children[name])

    def shrink(self) -> None:
        name, _ = self.children.popitem()
        self.node.ask("DELETE", path(self.cap, name))

    def rewrite(self) -> None:
        name = next(iter(self.children))
        self.children[name] = content(f"another {name}", 500)
        self.node.ask("PUT", path(self.cap, name), self.children[name])


KINDS = [(kind, format) for kind in (StoredFile, StoredDirectory) for format in ("SDMF", "MDMF")]


@pytest.fixture(params=KINDS, ids=lambda pair: f"{pair[0].__name__}-{pair[1]}")
def stored(request: pytest.FixtureRequest, node: LoneNode) -> Stored:
    """One of each kind, old."""
    kind, format = request.param
    made: Stored = kind(node, format)
    made.age()
    made.check()
    return made


@pytest.mark.parametrize("first", ["grow", "shrink", "rewrite"])
def test_an_old_share_can_be_changed(stored: Stored, first: str) -> None:
    """Its first change, and whatever comes after it, leaves it whole; the first makes it a share of today's."""
    for change in (first, "grow", "shrink", "grow"):
        getattr(stored, change)()
        stored.check()
        assert not says_468(stored.share.read_bytes())
    stored.age()
    getattr(stored, first)()
    stored.check()


def test_an_old_share_takes_six_leases(stored: Stored) -> None:
    """Behind its data, not over them; they come along when it grows."""
    stored.node.add_leases(stored.index, 6)
    stored.check()
    assert stored.node.leases(stored.index) == 6
    stored.grow()
    stored.check()
    assert stored.node.leases(stored.index) == 7


def test_an_old_share_can_be_cut_by_the_protocol(stored: Stored) -> None:
    """What lies behind the new end of the data is never taken for leases, whether something is written before or
    not.
    """
    whole = stored.share.read_bytes()[DATA:-4]
    for writes in ([(0, whole[:900])], []):
        stored.age()
        stored.node.write(stored.index, writes, 900)
        assert stored.share.read_bytes()[DATA : DATA + 900] == whole[:900]
        stored.node.write(stored.index, [(0, whole)], None)
        stored.check()
    assert stored.node.leases(stored.index) == 2


def test_a_share_with_bytes_missing_stays_as_it_is(stored: Stored) -> None:
    """No lease is put where the rest of the data belongs."""
    whole = stored.share.read_bytes()
    cut = whole[:900]
    stored.share.write_bytes(cut)
    with pytest.raises(Refused, match=r"struct\.error"):
        stored.node.add_leases(stored.index, 1)
    assert stored.share.read_bytes() == cut
    stored.share.write_bytes(whole)


def test_the_lease_checker_changes_nothing(node: LoneNode) -> None:
    """It reads each share, finds none corrupt and ends no lease, though one ran out in 2014 and the others have
    none.
    """
    for kind, format in KINDS:
        made = kind(node, format)
        made.age()
    # The lease of somebody who is owner 1, until May 2014, in the first of four places.
    share = bytearray(made.share.read_bytes())
    share[100:192] = (1).to_bytes(4, "big") + (1_400_000_000).to_bytes(4, "big") + b"r" * 32 + b"c" * 32 + b"n" * 20
    made.share.write_bytes(share)
    shares = list((node.bucket / "shares").glob("??/*/*"))
    for file in shares:
        file.write_bytes(old_share(file.read_bytes()) if file != made.share else bytes(share))
    before = {file: hashlib.sha256(file.read_bytes()).digest() for file in shares}
    told = node.wait_for_round()
    assert told["expiration-enabled"] is False
    assert told["corrupt-shares"] == []
    assert told["space-recovered"]["examined-shares"] == len(shares)
    assert told["leases-per-share-histogram"] == {"0": len(shares) - 1, "1": 1}
    assert {file: hashlib.sha256(file.read_bytes()).digest() for file in shares} == before


def test_the_patch_may_be_done_again(node: LoneNode) -> None:
    """And the second time changes no byte; beside the file lies the moment in which it was patched."""
    (file,) = node.folder.glob("venv/lib/python3*/site-packages/allmydata/storage/mutable.py")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == PATCHED
    node.run(Tahoe().patches()[0].script)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == PATCHED
    assert {each.name for each in file.parent.glob("mutable*")} == {
        "mutable.py",
        "mutable.py.patched",
        "mutable_schema.py",
    }


# --- without the patch -------------------------------------------------------------------------------


def test_stock_tahoe_writes_leases_over_an_old_file(stock: LoneNode) -> None:
    """In SDMF: the fifth lease lies over the beginning of the data, and the customer gets nothing."""
    made = StoredFile(stock, "SDMF")
    made.age()
    before = made.share.read_bytes()
    stock.add_leases(made.index, 6)
    assert made.share.read_bytes()[DATA : DATA + 100] != before[DATA : DATA + 100]
    with pytest.raises(Refused, match=r"NotEnoughSharesError|UnrecoverableFileError"):
        made.compare()


def test_stock_tahoe_takes_an_old_file_for_corrupt(stock: LoneNode) -> None:
    """In MDMF: it takes no lease, and its lease checker finds 16 million leases, but not the bytes of the fifth."""
    made = StoredFile(stock, "MDMF")
    made.age()
    with pytest.raises(Refused, match=r"struct\.error"):
        stock.add_leases(made.index, 6)
    assert [made.index, 0] in stock.wait_for_round()["corrupt-shares"]


def test_stock_tahoe_destroys_an_old_directory(stock: LoneNode) -> None:
    """In MDMF: a child is added, so leases that are not there are moved, and gigabytes of zeros lie over the data.

    Ends the node.
    """
    made = StoredDirectory(stock, "MDMF")
    made.age()
    small = made.share.stat().st_size

    def add() -> None:
        with suppress(OSError, http.client.HTTPException):
            made.grow()

    adding = threading.Thread(target=add)
    adding.start()
    until = time.monotonic() + 120
    while made.share.stat().st_size < 100 * LARGE and time.monotonic() < until:
        time.sleep(0.1)
    stock.stop()
    adding.join()
    with made.share.open("rb") as file:
        file.seek(DATA)
        assert not any(file.read(small - DATA)), "the data are still there"
    assert made.share.stat().st_size > 100 * LARGE
