"""What the commands about mail do: look, send, settle what is in doubt or was refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from laerecover.errors import Guarded, LaeRecoverError, StepFailed
from laerecover.mail.dialling import hold_back_silent
from laerecover.mail.letters import render
from laerecover.mail.outbox import FAILURE, Mail, Outbox, current
from laerecover.manifest import Account, Manifest, Secret
from laerecover.options import Options, now
from laerecover.planning.decisions import need_reason, record_not_dialled
from laerecover.ports.refusals import WorldError
from laerecover.ports.world import OpenWorld
from laerecover.report.lost_mails import lost_mails, prepare_anew
from laerecover.report.review import find_state
from laerecover.runbook.ledger import read_ledger
from laerecover.runbook.steps.send_signup_confirmation import deliver_patiently
from laerecover.runbook.work import Sending, Work
from laerecover.settings import Settings
from laerecover.state.lock import locked
from laerecover.state.state import State, open_state
from laerecover.worlds import open_world


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that waits, as it is shown: the furl is masked."""

    mail: Mail
    to: str
    text: str


def waiting_letters(options: Options, state: State, manifest: Manifest, settings: Settings) -> list[Letter]:
    """The mails that `notify` would send, in that order: those that were tried before come last."""
    vault = options.vault(state.folder)
    accounts = {a.account_id: a for a in manifest.accounts}
    chosen = options.selection.of(manifest)
    letters = []
    for mail in Outbox(state.outbox).waiting():
        if mail.account_id not in chosen:
            continue
        kept = vault.load(mail.account_id)
        furl, host = kept.get("furl"), kept.get("public_host")
        masked = Secret(repr(furl)) if furl is not None else None
        try:
            message = render(
                mail, accounts[mail.account_id], settings, furl=masked, public_host=host.reveal() if host else None
            )
            letters.append(Letter(mail=mail, to=str(message["To"]), text=str(message.get_content())))
        except WorldError as error:
            letters.append(Letter(mail=mail, to="(nobody)", text=str(error)))
    return letters


def notify(
    options: Options,
    *,
    stop: threading.Event,
    confirm: Callable[[State, list[Letter]], bool],
    world: OpenWorld | None = None,
) -> tuple[State, dict[str, str], str]:
    """Send what is held, after somebody has looked, as far as its servers answer.

    Gives Message-ID -> state, and why a guard stopped it, or "". A refusal that is about us, not about the mail, stops
    it: what was not sent stays held.
    """
    need_reason(options)
    with locked(find_state(options).folder, "notify"):
        state = record_not_dialled(options, find_state(options))
        manifest, settings = state.seen(options.read()), options.settings_for(state.mode, state.folder)
        if state.planned_digest != manifest.digest:
            open_state(state.folder, mode=state.mode, digest=manifest.digest, now=now())
        outbox = Outbox(state.outbox)
        outbox.doubt_interrupted(now())
        _find_lost(state, outbox, manifest, settings)
        letters = waiting_letters(options, state, manifest, settings)
        if letters and not confirm(state, letters):
            raise Guarded(
                "the mails were not confirmed", where=str(state.folder), next_step="look again later; nothing was sent"
            )
        vault = options.vault(state.folder)
        opened = world or open_world(state, settings, vault, stop)
        if not state.not_dialled:
            mails, at_once = [letter.mail for letter in letters], options.concurrency
            silent = hold_back_silent(mails, opened.world, vault, outbox, at_once=at_once)
            letters = [letter for letter in letters if letter.mail.message_id not in silent]
        accounts, sending = {a.account_id: a for a in manifest.accounts}, Sending()
        for letter in letters:
            if stop.is_set() or sending.stopped:
                break
            work = Work(
                account=accounts[letter.mail.account_id],
                recovery_id=state.recovery_id,
                mode=state.mode,
                world=opened.world,
                settings=settings,
                vault=vault,
                outbox=outbox,
                mail="send",
                sending=sending,
            )
            with suppress(StepFailed, WorldError):
                deliver_patiently(work, letter.mail)
        known = [mail for mail in outbox.all() if mail.kind != FAILURE or mail.state != "withdrawn"]
        return state, {mail.message_id: mail.state for mail in known}, sending.stopped


def resolve_mail(options: Options, account_id: str, *, sent: bool) -> tuple[State, int]:
    """A human settles a mail that is in doubt or was refused: nobody sends it again, or it is held to be sent again."""
    state = find_state(options)
    with locked(state.folder, "resolve"):
        outbox = Outbox(state.outbox)
        outbox.doubt_interrupted(now())
        if any(m.account_id == account_id for m in _lost(state, outbox, None, "")):
            _find_lost(state, outbox, options.read(), options.settings_for(state.mode, state.folder))
        settled = 0
        for mail in _open(outbox.of(account_id), sent=sent):
            to, answer = _SETTLED[mail.state == "in_doubt", sent]
            settled += outbox.move(mail.message_id, to=to, of=[mail.state], now=now(), answer=answer)
        if settled:
            outbox.decide(account_id)
    if not settled:
        raise LaeRecoverError(
            "no mail of this account is in doubt or refused",
            where=account_id,
            next_step="see `laerecover report`; what is held goes out with `laerecover notify`; nothing was changed",
        )
    return state, settled


_SETTLED = {
    (True, True): ("sent", "a human says that it arrived"),
    (True, False): ("held", "a human says that it did not arrive"),
    (False, True): ("withdrawn", "refused; a human says that the customer was told another way"),
    (False, False): ("held", "refused; a human wants it sent again"),
}
"""What becomes of a mail: (it was in doubt, a human says --sent) -> its state and the answer that the outbox gives from then on."""


def _open(mails: Sequence[Mail], *, sent: bool) -> list[Mail]:
    """Those of an account's mails that a human may settle: in doubt, or refused and not overtaken by a later one.

    A customer who was told another way needs no mail that the server keeps refusing; a failure notice tells nobody else.
    """
    latest = current(mails)
    refused = [
        mail
        for mail in mails
        if mail.message_id in latest
        and (mail.state == "refused" or (sent and mail.guarded))
        and not (sent and mail.kind == FAILURE)
    ]
    return [mail for mail in mails if mail.state == "in_doubt" or mail in refused]


def _lost(state: State, outbox: Outbox, accounts: Mapping[str, Account] | None, sender: str) -> list[Mail]:
    return lost_mails(state, read_ledger(state.ledger), outbox.all(), accounts, sender)


def _find_lost(state: State, outbox: Outbox, manifest: Manifest, settings: Settings) -> None:
    """Mails that were lost with an outbox are written down anew, in doubt."""
    accounts = {a.account_id: a for a in manifest.accounts}
    prepare_anew(outbox, _lost(state, outbox, accounts, settings.sender), now())


def mail_numbers(state: State) -> Mapping[str, int]:
    """State of mail -> how many; failure notices left out."""
    numbers: dict[str, int] = {}
    for mail in Outbox(state.outbox).all():
        if mail.kind != FAILURE:
            numbers[mail.state] = numbers.get(mail.state, 0) + 1
    return numbers
