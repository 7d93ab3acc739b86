"""What a check asks, of nodes, store or host; nothing is changed by it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.identity import announced_key
from laerecover.hosts.recipes.debian import SERVICES, read_services
from laerecover.hosts.recipes.recipe import STORAGE, Recipe
from laerecover.hosts.vault import Vault
from laerecover.mail.dialling import answers_as
from laerecover.manifest import Account, Secret
from laerecover.ports.compute import NodeProbe, Store
from laerecover.ports.hosts import Command
from laerecover.ports.refusals import Refusal, WorldError
from laerecover.ports.world import World
from laerecover.text import clean

_TUB_ID = re.compile(r"\b[a-z2-7]{32}\b")
_SHOWN = 3
NOT_FROM_HOST = "not asked from the host"
_SERVING = re.compile(r"^(store|share) (ok|failed|none) (\S.*)$", re.M)
_OK = {"ok": True, "failed": False, "none": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """Who is asked: the world; hosts by the keys that `vault` derives, in the words of `recipe`.

    `patch`: what to type.
    """

    world: World
    vault: Vault
    recipe: Recipe
    untold: str = "there is nobody to ask"
    """Why the nodes' ports are not asked, where `world` has no `nodes`."""
    patch: str = "laerecover patch"


def node(probe: NodeProbe | None, host: str, port: int, wanted: str) -> Callable[[], str] | None:
    if probe is None:
        return None

    def ask() -> str:
        answers_as(probe, host, port, wanted)
        return f"answers as {wanted}"

    return ask


def announced(asked: Inquiry, host: str, token: str, privkey: Secret | None, wanted: str) -> Callable[[], str] | None:
    """The furl stays where it is: on the host, which alone asks its introducer. `privkey`: as in the vault."""
    command = asked.recipe.announced(wanted)
    if command is None:
        return None

    def ask() -> str:
        answer = output(asked, host, token, command)
        told = sorted(set(_TUB_ID.findall(answer)))
        if wanted not in told:
            others = f"; it tells of {', '.join(told[:_SHOWN])}" if told else ""
            raise Refusal(
                f"the introducer does not tell clients of {wanted}{others}. Start lae-storageserver on the host again",
                kind="not_announced",
            )
        signed = re.findall(rf"\b{wanted} (v0-[a-z2-7]{{52}})\b", answer)
        if privkey is not None and signed and announced_key(privkey) not in ("", *signed):
            said = f"{wanted} signs what it announces with another node.privkey than this recovery put there"
            raise Refusal(f"{said}; find out who changed {STORAGE}/private/node.privkey", kind="identity_differs")
        return f"the introducer tells clients of {wanted}"

    return ask


def output(asked: Inquiry, host: str, client_token: str, command: Command) -> str:
    key = derive_host_key(asked.vault, client_token).public
    with closing(asked.world.hosts.connect(host, user="ubuntu", host_key=key)) as connection:
        return connection.output(command)


def serving(asked: Inquiry, host: str, client_token: str) -> dict[str, tuple[bool | None, str]]:
    """What the host says of the store and of a share, asked in one go, as the customer's user."""
    command = asked.recipe.serving()
    if command is None or asked.world.store is None:
        return dict.fromkeys(("store", "share"), (None, NOT_FROM_HOST))
    answers: dict[str, tuple[bool | None, str]] = {}
    try:
        for what, word, said in _SERVING.findall(output(asked, host, client_token, command)):
            answers[what] = _OK[word], clean(said)
        unsaid = False, "what the host says of it cannot be read"
    except WorldError as error:
        unsaid = False, f"the host cannot be asked: {error}"
    return {what: answers.get(what, unsaid) for what in ("store", "share")}


def services(asked: Inquiry, host: str, client_token: str) -> Callable[[], str] | None:
    """What a supervisor calls active may restart again and again: the host looks at its services twice."""
    if asked.recipe.serving() is None:
        return None

    def ask() -> str:
        told = read_services(output(asked, host, client_token, SERVICES))
        failing = "; ".join(f"lae-{name}: {why}" for name, (ok, why) in told.items() if not ok)
        if failing or not told:
            raise Refusal(failing or "what the host says of them cannot be read", kind="service_failed")
        return f"{', '.join(f'lae-{name}' for name in told)} run"

    return ask


def bucket(store: Store | None, account: Account) -> Callable[[], str] | None:
    if store is None:
        return None

    def ask() -> str:
        first = next(iter(store.listing(account)), None)
        return f"can be listed from here{'' if first is not None else '; it is empty'}"

    return ask
