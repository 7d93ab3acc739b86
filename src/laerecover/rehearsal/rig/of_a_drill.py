"""A drill's own rig, which outlives a killed runner but not the drill."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.hosts.vault import Vault
from laerecover.manifest import Account
from laerecover.rehearsal.rig import proof
from laerecover.rehearsal.rig.client import Rig, find, up
from laerecover.rehearsal.rig.operator import write_settings
from laerecover.state.state import State

_RIG = "rig"
_LOOK = 1.0
"""Seconds between two looks at the rig's daemon."""


class RigEnded(LaeRecoverError):
    """A drill cannot go on, for its rig has ended or was none; `terms`: with which another one is begun anew."""

    def __init__(self, what: str, state: State) -> None:
        anew = "begin anew with the same command, its `--world rig`, and `--again`"
        super().__init__(what, where=str(state.folder), next_step=anew)
        self.terms = state.drill


def begin(state: State, accounts: Sequence[Account], faults: str) -> None:
    """The drill's rig runs, the accounts' buckets stand in it, its settings are written.

    Raises LaeRecoverError: no rig can run here; RigEnded.
    """
    if state.rehearsal.is_file():
        _need(state)
        return
    if state.started_at is not None:
        raise RigEnded("this drill was begun in a world in one file", state)
    image = "" if state.drill.hosts == "light" else state.drill.hosts
    rig = up(state.folder / _RIG, say=_say, faults=faults, image=image)
    for account in accounts:
        if account.bucket_name and account.user_access_key_id and account.user_secret_key:
            rig.ask("customer", account.bucket_name, account.user_access_key_id, account.user_secret_key.reveal())
    write_settings(rig, state.rehearsal.parent, accounts)


def store_canaries(state: State, accounts: Sequence[Account], vault: Vault, stop: threading.Event) -> None:
    """See `proof.store`."""
    proof.store(_need(state), accounts, vault, stop)


def try_canaries(state: State, accounts: Sequence[Account], vault: Vault, stop: threading.Event) -> None:
    """See `proof.prove`."""
    proof.prove(state, _need(state), accounts, vault, stop)


@contextmanager
def watched(state: State, stop: threading.Event) -> Iterator[None]:
    """A rig that ends takes its hosts along: nobody waits for them, the work is stopped. Raises RigEnded then."""
    rig, over = _need(state), threading.Event()

    def look() -> None:
        while rig.alive:
            if over.wait(_LOOK):
                return
        stop.set()

    watch = threading.Thread(target=look, name="rig", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()
    _need(state)


def enter(state: State) -> None:
    """From now on this thread connects in the network of the drill's rig."""
    _need(state).enter()


def end(folder: Path) -> None:
    """End the drill's rig, instances and all; no effect if there is none."""
    rig = find(folder / _RIG)
    if rig is not None:
        rig.down()


def _need(state: State) -> Rig:
    rig = find(state.folder / _RIG)
    if rig is None or not rig.alive:
        raise RigEnded("the rig of this drill has ended, and its instances with it", state)
    return rig


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
