"""What a human decides: that an old server does no harm, that new ones cannot be dialled from here."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import replace

from laerecover.errors import Guarded, LaeRecoverError
from laerecover.manifest import Manifest
from laerecover.options import Options, now
from laerecover.planning.check import old_servers
from laerecover.planning.guards import NOT_STARTED
from laerecover.planning.obstacles import Obstacle
from laerecover.planning.rebuilt import REBUILT
from laerecover.ports.refusals import WorldError
from laerecover.ports.world import OpenWorld
from laerecover.runbook.ledger import read_ledger
from laerecover.state.state import State


def need_reason(options: Options) -> None:
    """Raises LaeRecoverError for a decision without one."""
    for option, given in (("--accept", options.consent.accept), ("--not-dialled", options.consent.not_dialled)):
        if given and not options.consent.reason:
            raise LaeRecoverError(
                f"{option} needs a reason", where="--because", next_step=f'add --because "…"; {NOT_STARTED}'
            )


def record_not_dialled(options: Options, state: State) -> State:
    """The state with what `--not-dialled` says, written down: it is said once, and holds for this recovery."""
    if not options.consent.not_dialled:
        return state
    said = {"because": options.consent.reason, "by": getpass.getuser()}
    said["at"] = now().isoformat(timespec="seconds")
    return replace(state, decisions=replace(state.decisions, not_dialled=said)).write()


def accept_rebuilt(
    options: Options, state: State, manifest: Manifest, obstacles: Sequence[Obstacle]
) -> tuple[State, Sequence[Obstacle]]:
    """`--accept` is about servers that were rebuilt by hand, too: those that live now, none that comes later.

    Gives the state with that written down, and the obstacles: what was accepted blocks no more.
    """
    named = {a.account_id for a in manifest.accounts if {a.account_id, a.customer_email} & set(options.consent.accept)}
    accepted = dict.fromkeys(f for f in obstacles if f.what == REBUILT and f.account_id in named)
    for obstacle in accepted:
        said = state.decisions.accept_living(obstacle.account_id or "", obstacle.instances)
        state = replace(state, decisions=said).write()
    return state, [_told_only(obstacle) if obstacle in accepted else obstacle for obstacle in obstacles]


def _told_only(obstacle: Obstacle) -> Obstacle:
    message = f"{obstacle.account_id}: {obstacle.message}"
    return replace(obstacle, message=message, remedy="accepted by a human", account_id=None, blocks=False)


def record_decisions(options: Options, state: State, manifest: Manifest) -> State:
    """The state with what `--accept` and `--not-dialled` say, written down.

    Raises LaeRecoverError for a name that will not do.
    """
    state = record_not_dialled(options, state)
    for name in options.consent.accept:
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
            said = state.decisions.accept(account, because=options.consent.reason, by=getpass.getuser(), now=now())
            state = replace(state, decisions=said)
    return state.write() if options.consent.accept else state


def ask_old_servers(state: State, manifest: Manifest, chosen: frozenset[str], opened: OpenWorld, region: str) -> State:
    """Ask the cloud which of the old servers still run, each time until the account is recovered: a mended manifest may
    name others. What was accepted is not asked, unless the decision was about others."""
    rounds, accepted = read_ledger(state.ledger, with_steps=False), state.decisions.holding_for(manifest)
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
