"""What hosts are told by the metadata service."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from laerecover.rehearsal.rig.hypervisor import NewHost
from laerecover.rehearsal.rig.metadata import Metadata

ONE = NewHost(
    instance_id="i-one",
    public_host="203.0.113.10",
    private_host="ip-10-0-0-1",
    private_address="10.0.0.1",
    user_data="#cloud-config\n",
    authorized_key="ssh-ed25519 AAAA",
)
OTHER = NewHost(instance_id="i-other", public_host="203.0.113.11", private_host="ip-10-0-0-2")


@pytest.fixture
def metadata() -> Metadata:
    """Both hosts are known."""
    made = Metadata()
    made.add(ONE)
    made.add(OTHER)
    return made


def test_each_host_is_told_of_itself(metadata: Metadata):
    """Folders list what is in them; the other host's things are not to be had, and a host that has gone gets none."""
    assert metadata.answer("203.0.113.10", "/latest/meta-data/instance-id") == "i-one"
    assert metadata.answer("203.0.113.11", "/latest/meta-data/instance-id") == "i-other"
    assert metadata.answer("203.0.113.10", "/2021-03-23/user-data") == "#cloud-config\n"
    assert metadata.answer("203.0.113.11", "/2021-03-23/user-data") is None
    assert metadata.answer("203.0.113.10", "/latest/meta-data/public-keys/") == "0=key-pair"
    assert metadata.answer("203.0.113.10", "/latest/meta-data/public-keys/0/openssh-key") == "ssh-ed25519 AAAA"
    assert metadata.answer("203.0.113.10", "/latest/meta-data/placement/") == "availability-zone\nregion"
    assert "placement/" in (metadata.answer("203.0.113.10", "/latest/meta-data/") or "").split("\n")
    assert metadata.answer("203.0.113.10", "/latest/meta-data/local-ipv4") == "10.0.0.1"
    metadata.forget("203.0.113.10")
    assert metadata.answer("203.0.113.10", "/latest/user-data") is None
    assert metadata.answer("192.0.2.1", "/latest/meta-data/") is None


def test_it_answers_over_http(metadata: Metadata):
    """Whoever asks is known by the address that the question comes from."""
    metadata.add(NewHost(instance_id="i-here", public_host="127.0.0.1", private_host="here"))
    server = metadata.serve("127.0.0.1", 0)
    try:
        place = f"http://127.0.0.1:{server.server_address[1]}/latest/"
        with urllib.request.urlopen(f"{place}meta-data/instance-id", timeout=5) as answer:
            assert answer.read() == b"i-here"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{place}user-data", timeout=5)
    finally:
        server.shutdown()
        server.server_close()
