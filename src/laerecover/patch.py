"""Hosts that were recovered before their Tahoe-LAFS was patched: patched now, their storage nodes started again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from laerecover.errors import Guarded
from laerecover.identity import STORAGE_PORT
from laerecover.lock import locked
from laerecover.manifest import Account
from laerecover.options import Options
from laerecover.ports import Host, Transient
from laerecover.report import Round
from laerecover.review import find_state
from laerecover.verify import Asked, Check, old_shares, recovered, who_is_asked

_TRIES, _PAUSE = 30, 2.0


def patch(options: Options, *, stop: threading.Event, confirm: Callable[[Sequence[Check]], bool]) -> list[Check]:
    """Ask every recovered host chosen whether it destroys old shares; patch those that do; gives what they answer then.

    `confirm` gets the checks of those. Nothing of the customer's is touched. Raises Guarded, LockHeld.
    """
    state = find_state(options)
    with locked(state.folder, "patch"), ThreadPoolExecutor(options.concurrency, thread_name_prefix="patch") as pool:
        asked, accounts, rounds = who_is_asked(options, state, stop)
        pairs = recovered(accounts, rounds)
        found = {check.account_id: check for check in pool.map(lambda pair: old_shares(asked, *pair), pairs)}
        faulty = [pair for pair in pairs if found[pair[0].account_id].kind == "old_shares"]
        if faulty and not confirm([found[account.account_id] for account, _ in faulty]):
            raise Guarded(
                "the patch was not confirmed", where=f"{len(faulty)} hosts", next_step="add --yes; nothing was changed"
            )
        for check in pool.map(lambda pair: _patched(asked, *pair, stop=stop), faulty):
            found[check.account_id] = check
        return list(found.values())


def _patched(asked: Asked, account: Account, latest: Round, *, stop: threading.Event) -> Check:
    told = {step["step"]: step["values"] for step in latest.steps}

    def mend(host: Host) -> None:
        if stop.is_set():
            raise Transient("stopped before it was patched")
        said = [host.output(command) for command in asked.recipe.patches()]
        if any(said):
            _wait_for_node(
                asked, str(told["wait_for_ec2_addresses"]["public_host"]), str(told["bounce_server"]["server_nodeid"])
            )

    return old_shares(asked, account, latest, mend=mend)


def _wait_for_node(asked: Asked, host: str, wanted: str) -> None:
    """A node needs seconds to start. Raises what it says at last."""
    for left in reversed(range(_TRIES)):
        try:
            if asked.world.nodes is not None:
                asked.world.nodes.tub_id(host, STORAGE_PORT, wanted=wanted)
            return
        except Transient:
            if not left:
                raise
            asked.world.clock.sleep(_PAUSE)
