"""Before anybody is told of a new server its public ports are dialled from where this program runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from laerecover.hosts.identity import INTRODUCER_PORT, STORAGE_PORT, tub_id_of
from laerecover.hosts.vault import Vault
from laerecover.mail.outbox import FAILURE, Mail, Outbox
from laerecover.manifest import Secret
from laerecover.ports.compute import NodeProbe
from laerecover.ports.patience import Patience
from laerecover.ports.refusals import Refusal, WorldError
from laerecover.ports.world import World

NOT_REACHED = "not_reached"
"""The kind of failure by which a step says that a recovered server is dead to whoever calls it."""
_TRIES_AT_LEAST = 2
_DOORS = (
    ("introducer", INTRODUCER_PORT, "introducer_node_pem"),
    ("storage node", STORAGE_PORT, "server_node_pem"),
)
REMEDY = (
    "see that its security group, and the network before it, let in TCP 12345 and 12346, and that it runs; then "
    "`laerecover notify` dials again. If it is this machine's own network that forbids that, say so once: "
    '`--not-dialled --because "…"`'
)


def unanswered(nodes: NodeProbe, kept: Mapping[str, Secret], *, patience: Patience, within: float) -> str:
    """Why a customer would be told a dead address, asked again for `within` seconds; "" if all is well.

    `kept`: what the vault holds of the server, which is what a mail tells.
    """
    until, tries = patience.clock.monotonic() + within, 0
    while reason := silent(nodes, kept):
        tries += 1
        if tries >= _TRIES_AT_LEAST and patience.clock.monotonic() >= until:
            return f"{reason}; {REMEDY}"
        patience.pause(tries, until, "the new server's public ports", reason)
    return ""


def hold_back_silent(mails: Sequence[Mail], world: World, vault: Vault, outbox: Outbox, *, at_once: int) -> set[str]:
    """Message-IDs of those mails whose servers, dialled once more now, do not answer; they are held, and say why.

    `at_once`: how many are dialled at a time. A notice of a failure tells nobody of a server.
    """
    nodes = world.nodes
    told = [mail for mail in mails if mail.kind != FAILURE]
    if nodes is None:
        return set()
    with ThreadPoolExecutor(at_once, thread_name_prefix="dial") as pool:
        answers = list(pool.map(lambda mail: silent(nodes, vault.load(mail.account_id)), told))
    held = {mail.message_id: f"{why}; {REMEDY}" for mail, why in zip(told, answers, strict=True) if why}
    for message_id, why in held.items():
        outbox.move(message_id, to="held", of=["prepared", "held"], now=world.clock.now(), answer=why)
    return set(held)


def silent(nodes: NodeProbe, kept: Mapping[str, Secret]) -> str:
    """Which of the two nodes does not answer as itself, and why, asked once; "" if both do.

    `kept`: what the vault holds of the server, which is what a mail tells.
    """
    host = kept.get("public_host")
    for what, port, name in _DOORS:
        if host is None or name not in kept:
            return f"the {what} was not dialled: its address and key are lost with the vault"
        try:
            answers_as(nodes, host.reveal(), port, tub_id_of(kept[name]))
        except WorldError as error:
            return f"the {what} was dialled from here: {error}"
    return ""


def answers_as(nodes: NodeProbe, host: str, port: int, wanted: str) -> None:
    """Raises WorldError unless the tub of that TubID answers there: Refusal (`other_tub`) where another one does."""
    answered = nodes.tub_id(host, port, wanted=wanted)
    if answered != wanted:
        raise Refusal(f"another tub answers: {answered}; somebody may be in between", kind="other_tub")
