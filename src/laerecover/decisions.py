"""Whether old servers are gone: what the cloud answers, what a human decides."""

from __future__ import annotations

import getpass
from dataclasses import replace

from laerecover.check import old_servers
from laerecover.errors import Guarded, LaeRecoverError
from laerecover.guards import NOT_STARTED
from laerecover.manifest import Manifest
from laerecover.options import Options, now
from laerecover.ports import WorldError
from laerecover.report import read_ledger
from laerecover.state import State
from laerecover.worlds import OpenWorld


def record_decisions(options: Options, state: State, manifest: Manifest) -> State:
    """The state with what `--accept` says, written down. Raises LaeRecoverError for a name that will not do."""
    for name in options.accept:
        found = [a for a in manifest.accounts if name in (a.account_id, a.customer_email)]
        able = [a for a in found if a.verdict == "RECOVERABLE"]
        if not able:
            raise LaeRecoverError(
                f"{name!r} is not RECOVERABLE" if found else f"no account is called {name!r}",
                where="--accept",
                next_step=f"see `laerecover plan`; {NOT_STARTED}",
            )
        if len(found) > 1:
            raise LaeRecoverError(
                f"{name!r} names {len(found)} accounts, and a decision is about one old server",
                where="\n".join(a.account_id for a in found),
                next_step=f"give --accept the ids of those that you mean; {NOT_STARTED}",
            )
        for account in able:
            state = state.accept(account, because=(options.because or "").strip(), by=getpass.getuser(), now=now())
    return state.write() if options.accept else state


def ask_old_servers(state: State, manifest: Manifest, chosen: frozenset[str], opened: OpenWorld, region: str) -> State:
    """Ask the cloud which of the old servers still run, each time until the account is recovered: a mended manifest may
    name others. What was accepted is not asked, unless the decision was about others."""
    rounds, accepted = read_ledger(state.ledger, with_steps=False), state.accepted_of(manifest)
    settled = {account for account, latest in rounds.items() if latest.outcome == "recovered"} | accepted.keys()
    asked = [a for a in manifest.recoverable if a.account_id in chosen and a.account_id not in settled]
    answers = {account: state.inventory[account] for account in state.inventory.keys() & (settled | rounds.keys())}
    try:
        return replace(state, inventory={**answers, **old_servers(asked, opened.world.compute, region=region)})
    except WorldError as error:
        raise Guarded(
            f"EC2 did not say whether the old servers are gone: {error}",
            where=f"{len(asked)} accounts",
            next_step=f"mend the connection and run again, or decide with --accept; {NOT_STARTED}",
        ) from None
