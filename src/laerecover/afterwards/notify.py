"""The mails that are held go out, after somebody has looked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from laerecover.errors import Guarded, StepFailed, Stopped
from laerecover.mail.delivery import Delivery, MailMeans
from laerecover.mail.dialling import hold_back_silent
from laerecover.mail.letters import LEFT, render
from laerecover.mail.outbox import FAILURE, Mail, Outbox
from laerecover.manifest import Manifest, Secret
from laerecover.options import Options, find_state, now
from laerecover.planning.approval import digest_of_mails, guard_approval, keep_approval
from laerecover.planning.decisions import need_reason, with_dialling
from laerecover.ports.patience import Patience, nobody_watches
from laerecover.ports.refusals import WorldError
from laerecover.report.lost_mails import doubt_lost
from laerecover.runbook.ledger import Round, read_ledger
from laerecover.runbook.values import CONFIRM
from laerecover.state.lock import locked
from laerecover.state.opening import open_state
from laerecover.state.state import State
from laerecover.state.worlds import Worlds

if TYPE_CHECKING:
    from laerecover.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that waits, as it is shown: the furl is masked."""

    mail: Mail
    to: str
    text: str


def waiting_letters(options: Options, state: State, manifest: Manifest, settings: Settings) -> list[Letter]:
    """The mails that `notify` would send, in that order: those that were tried before come last."""
    vault = options.places.vault(state.folder)
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
                mail,
                accounts[mail.account_id],
                settings,
                furl=masked,
                public_host=host.reveal() if host else None,
                found=kept.get("found"),
            )
            letters.append(Letter(mail=mail, to=str(message["To"]), text=str(message.get_content())))
        except WorldError as error:
            letters.append(Letter(mail=mail, to="(nobody)", text=str(error)))
    return letters


def withdraw_settled(rounds: Mapping[str, Round], outbox: Outbox, mails: Iterable[Mail]) -> None:
    """A notice of a failure that is none any more is not sent: its account is recovered, or its mail went out since."""
    for mail in mails:
        if mail.kind == FAILURE and _is_settled(rounds.get(mail.account_id), outbox, mail):
            answer = "what it tells is settled since"
            outbox.move(mail.message_id, to="withdrawn", of=["prepared", "held"], now=now(), answer=answer)


def _is_settled(latest: Round | None, outbox: Outbox, notice: Mail) -> bool:
    if not notice.detail.startswith(LEFT):
        return latest is not None and latest.outcome == "recovered"
    letters = [mail for mail in outbox.of(notice.account_id) if mail.kind != FAILURE]
    is_about_mail = notice.detail.startswith(f"{LEFT}{CONFIRM.name}:")
    return is_about_mail and bool(letters) and letters[-1].state in ("sent", "withdrawn")


def notify(
    options: Options,
    *,
    stop: threading.Event,
    confirm: Callable[[State, list[Letter]], bool],
    worlds: Worlds,
    waiting: Callable[[str, float], None] = nobody_watches,
) -> tuple[State, dict[str, str], str]:
    """Send what is held, after somebody has looked, as far as its servers answer; `waiting` is told what is waited for.

    Gives Message-ID -> state, and why a guard stopped it, or "". A refusal that is about us, not about the mail, stops
    it: what was not sent stays held.
    """
    need_reason(options)
    with locked(find_state(options).folder, "notify"):
        state = with_dialling(options, find_state(options))
        manifest, settings = options.read(state.mode, state.folder)
        manifest = state.seen(manifest)
        if state.planned.digest != manifest.digest:
            open_state(state.folder, mode=state.mode, digest=manifest.digest, now=now())
        outbox = Outbox(state.outbox)
        doubt_lost(state, outbox, manifest, settings.mail.sender, now())
        outbox.doubt_interrupted(now())
        rounds = read_ledger(state.ledger, with_steps=False)  # no runner is at work: it stays as it is
        withdraw_settled(rounds, outbox, outbox.waiting())
        letters = waiting_letters(options, state, manifest, settings)
        approved = ""
        if letters:
            digest = digest_of_mails([(each.mail.message_id, each.to, each.text) for each in letters])
            approved = guard_approval("mails", digest, settings.approval, options.approved_by)
        if letters and not confirm(state, letters):
            raise Guarded(
                "the mails were not confirmed", where=str(state.folder), next_step="look again later; nothing was sent"
            )
        keep_approval(state.folder, "mails", approved, options.approved_by)
        if options.consent.not_dialled is not None:
            state.write()
        vault = options.places.vault(state.folder)
        opened = worlds.open(state, settings, vault, stop)
        if not state.decisions.not_dialled:
            mails, at_once = [letter.mail for letter in letters], options.concurrency
            waiting("the public ports of the new servers, which are dialled first", 0)
            silent = hold_back_silent(mails, opened.world, vault, outbox, at_once=at_once)
            letters = [letter for letter in letters if letter.mail.message_id not in silent]
        accounts = {a.account_id: a for a in manifest.accounts}
        means = MailMeans(
            recovery_id=state.recovery_id,
            world=opened.world,
            settings=settings,
            vault=vault,
            outbox=outbox,
            mail="send",
        )
        for letter in letters:
            withdraw_settled(rounds, outbox, [letter.mail])
            if stop.is_set() or means.sending.stopped:
                break
            account_id, clock = letter.mail.account_id, opened.world.clock
            patience = Patience(account_id=account_id, clock=clock, waiting=waiting)
            delivery = Delivery(account=accounts[account_id], means=means, patience=patience)
            try:
                with suppress(StepFailed, WorldError):
                    delivery.deliver_patiently(letter.mail)
            except Stopped:
                break
        known = [mail for mail in outbox.all() if mail.kind != FAILURE or mail.state != "withdrawn"]
        return state, {mail.message_id: mail.state for mail in known}, means.sending.stopped
