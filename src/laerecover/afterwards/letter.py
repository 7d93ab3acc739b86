"""One customer's mail as a file: to be encrypted, or printed, by somebody."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.mail.letters import render
from laerecover.mail.outbox import CONFIRMATION, Outbox
from laerecover.options import Options, find_state, now
from laerecover.ports.refusals import WorldError
from laerecover.state.lock import locked

JOURNAL = "letters.jsonl"
"""In the state folder: which letters were written to files, whose, by whom, when, where to."""


def write_letter(options: Options, account_id: str, output: Path) -> Path:
    """Write the account's latest mail to its customer, furl and all, into a new file that its owner alone can read.

    Who did it stands in the journal before it is done. Nothing of the mail's own fate changes. Raises LaeRecoverError.
    """
    state = find_state(options)
    manifest, settings = options.read(state.mode, state.folder)
    manifest = state.seen(manifest)
    account = next((a for a in manifest.accounts if a.account_id == account_id), None)
    letters = [mail for mail in Outbox(state.outbox).of(account_id) if mail.kind == CONFIRMATION]
    if account is None or not letters:
        raise _refused("this account has no mail to its customer", account_id)
    kept = options.places.vault(state.folder).load(account_id)
    host = kept.get("public_host")
    try:
        message = render(
            letters[-1],
            account,
            settings,
            furl=kept.get("furl"),
            public_host=host.reveal() if host else None,
            found=kept.get("found"),
        )
    except WorldError as error:
        raise _refused(str(error), account_id) from None
    line = {"account": account_id, "message_id": letters[-1].message_id, "by": getpass.getuser()}
    line |= {"at": now().isoformat(timespec="seconds"), "to": str(output.absolute())}
    with locked(state.folder, "letter"):
        _append(state.folder / JOURNAL, json.dumps(line) + "\n", os.O_APPEND)
        _append(output, str(message.get_content()), os.O_EXCL)
    return output


def _append(path: Path, text: str, how: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | how, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  a descriptor
            os.fchmod(descriptor, 0o600)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise _refused(f"that file cannot be written anew: {error.strerror}", str(path)) from None


def _refused(what: str, where: str) -> LaeRecoverError:
    what_next = "see `laerecover report`, and name a file that does not exist yet"
    return LaeRecoverError(what, where=where, next_step=what_next)
