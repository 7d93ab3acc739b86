"""Half-made instances are ended, once a human has typed the word that names them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

from laerecover.afterwards.found import Found, find_living, found, ours
from laerecover.errors import Guarded
from laerecover.options import Options, find_state
from laerecover.planning.guards import guard_cloud
from laerecover.ports.compute import RECOVERED_TAG, Instance
from laerecover.ports.refusals import WorldError
from laerecover.runbook.ledger import Round, abandon, read_ledger
from laerecover.runbook.values import APPEND
from laerecover.state.lock import locked
from laerecover.state.worlds import Worlds


def cleanup(
    options: Options,
    *,
    stop: threading.Event,
    confirm: Callable[[list[Found], str], bool],
    worlds: Worlds,
    everyones: bool = False,
) -> list[Found]:
    """End the living instances of accounts that are not recovered; gives what was ended.

    Those that this state's own ledger did not launch only with `everyones`: another operator may be building them.
    `confirm` gets them with the word that must be typed. Raises Guarded.
    """
    state = find_state(options)
    manifest, settings = options.read(state.mode, state.folder)
    manifest = state.seen(manifest)
    guard_cloud(state, settings)
    with locked(state.folder, "cleanup"):
        opened = worlds.open(state, settings, options.places.vault(state.folder), stop)
        rounds = read_ledger(state.ledger)
        recorded = {row.instance_id for row in opened.world.register.rows()}
        half_made = [
            found(i, manifest, rounds, recorded)
            for i in find_living(opened.world.compute, ours(state))
            if not _kept(i, rounds.get(i.tags.get("lae-account", "")), recorded)
        ]
        launched = {instance_id for latest in rounds.values() for instance_id in latest.launched}
        foreign = [each for each in half_made if each.instance_id not in launched]
        if foreign and not everyones:
            half_made = [each for each in half_made if each.instance_id in launched]
        if not half_made and foreign:
            raise Guarded(
                f"{len(foreign)} half-made instances were launched from another state folder: another operator may be "
                f"at work",
                where=", ".join(sorted(each.instance_id for each in foreign)),
                next_step="ask who it is; `laerecover cleanup --all` lists them, too; nothing was ended",
            )
        if not half_made:
            return []
        ids = " ".join(sorted(each.instance_id for each in half_made))
        word = f"{len(half_made)}-{hashlib.sha256(ids.encode()).hexdigest()[:4]}"
        if not confirm(half_made, word):
            raise Guarded(
                "the removal was not confirmed",
                where=f"{len(half_made)} instances",
                next_step=f"add --confirm {word} if these instances are to end; nothing was ended",
            )
        left: dict[str, WorldError] = {}
        for each in half_made:
            if each.account_id in rounds:
                abandon(state.ledger, rounds[each.account_id])
            try:
                opened.world.compute.terminate(each.instance_id)
            except WorldError as error:
                left[each.instance_id] = error
        if left:
            raise Guarded(
                f"{len(left)} of {len(half_made)} instances were not ended: {next(iter(left.values()))}",
                where=", ".join(left),
                next_step="run the same command again, with the word that it shows then; the others were ended",
            )
        return half_made


def _kept(instance: Instance, latest: Round | None, recorded: set[str]) -> bool:
    """A recovered account's instance is nobody's to clean up, whoever says so: its tag, our own ledger, the register.

    Of a row that our own round wrote before it failed we know better.
    """
    if RECOVERED_TAG in instance.tags or (latest is not None and latest.outcome == "recovered"):
        return True
    wrote = latest is not None and latest.has(APPEND)
    return instance.instance_id in recorded and not wrote
