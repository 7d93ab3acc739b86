"""The rig's network: one bridge in a namespace without a way out, one virtual cable per host."""

from __future__ import annotations

from collections.abc import Sequence

from laerecover.ports.ingress import Ingress
from laerecover.rehearsal.rig.metadata import ADDRESS as METADATA
from laerecover.rehearsal.rig.tools import do

PROVIDER = "198.51.100.1"
"""The provider's own address: EC2, S3 and mail (RFC 5737 TEST-NET-2)."""
OFFICE = "198.51.100.0/24"
HOSTS = "203.0.113.0/24"
"""Where public addresses of instances come from (RFC 5737 TEST-NET-3)."""
_BRIDGE = "rig0"
_TRANSLATION = """\
table ip translated {{
  chain incoming {{ type nat hook prerouting priority dstnat; ip daddr {public} dnat to {private}; }}
  chain outgoing {{ type nat hook postrouting priority srcnat; oifname "eth0" snat to {public}; }}
}}
"""


def make_network() -> None:
    """Loopback and the bridge with the provider's address. No route leads out of the namespace."""
    _ip(
        "link set lo up",
        f"link add name {_BRIDGE} type bridge",
        f"addr add {PROVIDER}/24 dev {_BRIDGE}",
        f"addr add {METADATA}/32 dev {_BRIDGE}",
        f"link set {_BRIDGE} up",
        f"route add {HOSTS} dev {_BRIDGE}",
    )


def plug_in(name: str, address: str, private: str = "") -> None:
    """A network namespace called `name` that is reached at `address`; it outlives reboots of the host. Its eth0 has
    this address, or the `private` one, which is translated.
    """
    cable = f"v{address.rpartition('.')[2]}-{'o' if address.startswith(PROVIDER[:-1]) else 'h'}"
    _ip(f"netns add {name}", f"link add name {cable} type veth peer name eth0 netns {name}")
    _ip(f"link set {cable} master {_BRIDGE} up")
    _ip(
        "link set lo up",
        f"addr add {private or address}/32 dev eth0",
        "link set eth0 up",
        f"route add {OFFICE} dev eth0",
        f"route add {HOSTS} dev eth0",
        f"route add {METADATA} dev eth0",
        *([f"route add local {address} dev lo"] if private else []),
        inside=name,
    )
    if private:
        script = _TRANSLATION.format(public=address, private=private)
        do(["ip", "netns", "exec", name, "nft", "-f", "-"], stdin=script, what="translating a host's address")


def let_in(name: str, rules: Sequence[Ingress]) -> None:
    """From now on new connections come into this namespace as a security group lets them in: by `rules`, else not at
    all.

    What the host begins itself is answered, and what it says to itself is heard. Packets that are kept out are dropped.
    """
    table = "table inet security_group"
    lines = [
        *(table, f"delete {table}", f"{table} {{", "chain input {"),
        *("type filter hook input priority 0; policy drop;", 'iif "lo" accept', "ct state established,related accept"),
        *(f"ip saddr {rule.source} tcp dport {rule.first}-{rule.last} accept" for rule in rules),
        *("}", "}"),
    ]
    script = "".join(f"{line}\n" for line in lines)
    do(["ip", "netns", "exec", name, "nft", "-f", "-"], stdin=script, what="closing a host's ports")


def unplug(name: str) -> None:
    """Take cable and namespace away: the cable first, for the kernel clears a deleted namespace when it has time."""
    try:
        _ip("link delete eth0", inside=name)
    finally:
        _ip(f"netns delete {name}")


def _ip(*commands: str, inside: str | None = None) -> None:
    where = ["-netns", inside] if inside else []
    do(["ip", *where, "-batch", "-"], stdin="\n".join(commands) + "\n", what="laying the rig's network")
