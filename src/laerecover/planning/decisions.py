"""What a human decides: that an old server does no harm, that new ones cannot be dialled from here."""

from __future__ import annotations

import getpass
import re
from dataclasses import replace

from laerecover.errors import Guarded, LaeRecoverError
from laerecover.manifest import Account, Manifest
from laerecover.options import Options, now
from laerecover.planning.check import old_servers
from laerecover.planning.guards import NOT_STARTED
from laerecover.ports.refusals import WorldError
from laerecover.ports.world import OpenWorld
from laerecover.runbook.ledger import read_ledger
from laerecover.runbook.values import DEPLOY
from laerecover.state.state import State

_NAMED = re.compile(r"(i-[0-9a-f]+)?")
"""What stands behind the last `=` of `--accept ACCOUNT=i-…`; nothing takes the decision back."""


def need_reason(options: Options) -> None:
    """Raises LaeRecoverError for a decision without one."""
    for option, given in (("--accept", options.consent.accept), ("--not-dialled", options.consent.not_dialled)):
        if given and not options.consent.reason:
            raise LaeRecoverError(
                f"{option} needs a reason", where="--because", next_step=f'add --because "…"; {NOT_STARTED}'
            )


def with_dialling(options: Options, state: State) -> State:
    """The state with what `--not-dialled` says, which holds for this recovery until `--dialled`; not written yet."""
    if options.consent.not_dialled is None:
        return state
    said = {"because": options.consent.reason, "by": getpass.getuser(), "at": now().isoformat(timespec="seconds")}
    given = said if options.consent.not_dialled else None
    return replace(state, decisions=replace(state.decisions, not_dialled=given))


def with_decisions(options: Options, state: State, manifest: Manifest) -> State:
    """The state with what `--accept` and `--not-dialled` say; not written before somebody has confirmed it.

    `--accept ACCOUNT` is about its old servers and the rebuilt ones that were shown, `ACCOUNT=i-…` about that one,
    `ACCOUNT=` takes it back. Raises LaeRecoverError for a name that will not do.
    """
    decisions = with_dialling(options, state).decisions
    given: dict[str, list[str] | None] = {}
    for text in options.consent.accept:
        account, named = _accepted(text, manifest)
        before = given.setdefault(account.account_id, [] if named else named)
        if named and before is not None:
            before.extend(named)
        elif (named is None) != (before is None):
            raise LaeRecoverError(
                f"--accept says two things of {account.account_id}",
                where=text,
                next_step=f"give the account alone, or name each instance; {NOT_STARTED}",
            )
    for account in manifest.accounts:
        if account.account_id in given:
            decisions = decisions.accept(
                account,
                because=options.consent.reason,
                by=getpass.getuser(),
                now=now(),
                named=given[account.account_id],
                shown=state.planned.living.get(account.account_id, "").split(),
            )
    return replace(state, decisions=decisions)


def _accepted(text: str, manifest: Manifest) -> tuple[Account, list[str] | None]:
    """The account that `--accept` names, and which instances; None: it names none."""

    def called(name: str) -> list[Account]:
        return [a for a in manifest.accounts if name in (a.account_id, a.customer_email)]

    name, equals, instance = text.rpartition("=")
    found, named = called(text), None
    if not found and equals and _NAMED.fullmatch(instance):
        found, named = called(name), [instance] if instance else []
    else:
        name = text
    if not any(a.verdict == "RECOVERABLE" for a in found):
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
    return found[0], named


def ask_old_servers(state: State, manifest: Manifest, chosen: frozenset[str], opened: OpenWorld, region: str) -> State:
    """Ask the cloud which of the old servers still run, each time until the account is recovered: a mended manifest may
    name others. What was accepted is not asked, unless the decision was about others."""
    rounds, accepted = read_ledger(state.ledger, with_steps=False), state.decisions.holding_for(manifest)
    settled = {account for account, latest in rounds.items() if latest.outcome == "recovered"} | accepted.keys()
    asked = [a for a in manifest.recoverable if a.account_id in chosen and a.account_id not in settled]
    own = {name: instance for name, instance in own_servers(state, manifest).items() if name in chosen}
    answers = {account: state.inventory[account] for account in state.inventory.keys() & (settled | rounds.keys())}
    try:
        known = opened.world.compute.known(sorted(own.values())) if own else {}
        lost = [name for name, instance in own.items() if instance not in known or known[instance].dead]
        if lost:
            raise Guarded(
                f"{len(lost)} servers that this recovery launched are gone, and this manifest calls them the old ones: "
                "that is another disaster, and here these accounts count as recovered",
                where="\n".join(lost),
                next_step=f"recover them by the same manifest with a folder of its own, --state FOLDER; {NOT_STARTED}",
            )
        return replace(state, inventory={**answers, **old_servers(asked, opened.world.compute, region=region)})
    except WorldError as error:
        raise Guarded(
            f"EC2 did not say whether the old servers are gone: {error}",
            where=f"{len(asked)} accounts",
            next_step=f"mend the connection and run again, or decide with --accept; {NOT_STARTED}",
        ) from None


def own_servers(state: State, manifest: Manifest) -> dict[str, str]:
    """Account -> the instance with which this very recovery has recovered it, where the manifest calls it the old one.

    So it does after an audit of the evidence that the recovery left.
    """
    if manifest.digest == state.recovery_id:
        return {}
    rounds, found = read_ledger(state.ledger), dict[str, str]()
    for account in manifest.recoverable:
        latest = rounds.get(account.account_id)
        if latest is not None and latest.outcome == "recovered" and latest.has(DEPLOY):
            instance_id = latest.values_of(DEPLOY).instance_id
            if instance_id == account.old_instance_id:
                found[account.account_id] = instance_id
    return found
