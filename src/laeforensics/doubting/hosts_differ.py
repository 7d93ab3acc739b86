"""The furls of a secrets file tell its hosts once more: where they differ from the hosts told, neither is sure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from laeforensics.doubting.views import FileView, Said, damaged_secret
from laeforensics.facts.beliefs import Doubt


def _address_of(private_host: str) -> str | None:
    """The address in `ip-10-1-2-3.ec2.internal`, None for a host of another form."""
    label = private_host.partition(".")[0]
    return label[3:].replace("-", ".") if label.startswith("ip-") else None


def _is_address(host: str) -> bool:
    """False for a name, and for IPv6: beside an address it contradicts nothing."""
    return host.replace(".", "").isdigit()


_PAIRS: tuple[tuple[str, str, Callable[[str], str | None]], ...] = (
    ("public_host", "introducer_furl", str),
    ("private_host", "internal_introducer_furl", _address_of),
)


def judge(view: FileView) -> Iterator[Said]:
    """Doubt host and furl that name different servers."""
    if view.secrets is None:
        return
    for host_field, furl_field, address in _PAIRS:
        host, furl = view.value(host_field), view.value(furl_field)
        if host is None or furl is None:
            continue
        told = _host_in(furl)
        if address(host) not in (None, told) and _is_address(told) and _is_address(address(host) or ""):
            facts = tuple(f for f in view.facts if f.field in (host_field, furl_field))
            yield Doubt(facts=facts, reason="host-differs", because=tuple(f.locator for f in facts))
            yield from (damaged_secret(f.field, f.locator) for f in facts)
    yield from _exchanged(view)


def _exchanged(view: FileView) -> Iterator[Said]:
    """Doubt a private host that is, by the external furl beside it, the address of the public one."""
    host, furl = view.value("private_host"), view.value("introducer_furl")
    if host is not None and furl is not None and _host_in(furl) == host != view.value("public_host"):
        facts = tuple(f for f in view.facts if f.field == "private_host")
        furls = tuple(f.locator for f in view.facts if f.field == "introducer_furl")
        yield Doubt(facts=facts, reason="host-differs", because=furls)
        yield from (damaged_secret(f.field, f.locator) for f in facts)


def _host_in(furl: str) -> str:
    return furl.partition("@")[2].partition(":")[0]
