"""Hosts that were recovered before their Tahoe-LAFS was patched: patched now, their storage nodes started again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from laerecover.afterwards.inquiry import Inquiry
from laerecover.afterwards.verify import Check, old_shares, recovered, who_is_asked
from laerecover.errors import Guarded
from laerecover.hosts.identity import STORAGE_PORT
from laerecover.manifest import Account
from laerecover.options import Options, find_state
from laerecover.ports.hosts import Host
from laerecover.ports.refusals import Refusal, Transient
from laerecover.runbook.ledger import Round
from laerecover.runbook.values import BOUNCE, WAIT
from laerecover.state.lock import locked
from laerecover.state.worlds import Worlds

_START, _PAUSE = 60.0, 2.0
"""How long a node may need to start, how often it is asked, in seconds."""
_LOST = 5
"""So often a host is patched, if the link to it is lost."""


def patch(
    options: Options, *, stop: threading.Event, confirm: Callable[[Sequence[Check]], bool], worlds: Worlds
) -> list[Check]:
    """Ask every recovered host chosen whether it destroys old shares; patch those that do; gives what they answer then.

    `confirm` gets the checks of those. Nothing of the customer's is touched. Raises Guarded, LockHeld.
    """
    state = find_state(options)
    with locked(state.folder, "patch"), ThreadPoolExecutor(options.concurrency, thread_name_prefix="patch") as pool:
        asked, accounts, rounds = who_is_asked(options, state, stop, worlds)
        pairs = recovered(accounts, rounds)
        found = {check.account_id: check for check in pool.map(lambda pair: old_shares(asked, *pair), pairs)}
        faulty = [pair for pair in pairs if found[pair[0].account_id].kind == "old_shares"]
        if faulty and not confirm([found[account.account_id] for account, _ in faulty]):
            raise Guarded(
                "the patch was not confirmed", where=f"{len(faulty)} hosts", next_step="add --yes; nothing was changed"
            )
        for check in pool.map(lambda pair: patched(asked, *pair, stop=stop), faulty):
            found[check.account_id] = check
        return list(found.values())


def patched(asked: Inquiry, account: Account, latest: Round, *, stop: threading.Event) -> Check:
    """Patch one host, whatever it runs; what it answers then."""
    host_name, wanted = latest.values_of(WAIT).public_host, latest.values_of(BOUNCE).server_nodeid

    def mend(host: Host) -> None:
        if stop.is_set():
            raise Transient("stopped before it was patched")
        said = [host.output(command) for command in asked.recipe.patches()]
        if any(said):
            _wait_for_node(asked, host_name, wanted)

    for _ in range(_LOST):
        check = old_shares(asked, account, latest, mend=mend)
        if check.kind != Transient.kind or stop.is_set():
            break
        asked.world.clock.sleep(_PAUSE)
    return check


def _wait_for_node(asked: Inquiry, host: str, wanted: str) -> None:
    """A node needs seconds to start. Refusal (`service_failed`) if it does not answer in time."""
    until = asked.world.clock.monotonic() + _START
    while asked.world.nodes is not None:
        try:
            asked.world.nodes.tub_id(host, STORAGE_PORT, wanted=wanted)
            return
        except Transient as error:
            if asked.world.clock.monotonic() > until:
                said = f"its node was started again, and does not answer since: {error}"
                raise Refusal(said, kind="service_failed") from None
            asked.world.clock.sleep(_PAUSE)
