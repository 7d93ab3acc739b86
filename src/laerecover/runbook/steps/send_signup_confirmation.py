"""send_signup_confirmation: the customer learns what to do, or the staff do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage

from laerecover.errors import StepFailed
from laerecover.mail.dialling import NOT_REACHED, unanswered
from laerecover.mail.letters import audience, render
from laerecover.mail.outbox import CONFIRMATION, DECIDED, FAILURE, FOREIGN, TAKEN, Mail, message_id
from laerecover.mail.replies import ABOUT_US, IN_A_ROW
from laerecover.ports.refusals import MAIL_ABOUT_US, MailInDoubt, Refusal, Transient
from laerecover.runbook.work import Values, Work


def send_signup_confirmation(work: Work) -> Values:
    """Prepare the mail of the account's grade; hold it, or send it with `--mail send`.

    Before that the new server is dialled from here: as long as it does not answer as itself, its mail is held.
    Where a mail told an address that was lost since, another one tells the new address.
    Values: message_id, kind, mail (its state), dialled. Fails: `mail_unfit`; with a follow-up: `not_reached`,
    `mail_refused`, `mail_in_doubt`.
    """
    why = unanswered(work)
    if not why:
        return {**_prepare(work), "dialled": work.dial and work.world.nodes is not None}
    with suppress(StepFailed):  # An earlier mail is refused or in doubt: that is told of the mail itself.
        name = str(_prepare(replace(work, mail="hold"))["message_id"])
        work.outbox.move(name, to="held", of=["prepared", "held"], now=work.world.clock.now(), answer=why)
    raise StepFailed(why, kind=NOT_REACHED, follow_up=True)


def _prepare(work: Work) -> Values:
    kind, reason = audience(work.account)
    withdraw_failures(work)
    earlier = [mail for mail in work.outbox.of(work.account.account_id) if mail.kind != FAILURE]
    host = work.known_of("wait_for_ec2_addresses", "public_host")
    if earlier and earlier[-1].tells(host):
        return post(work, kind, reason, number=1, there=earlier[-1])
    return post(work, kind, reason, number=host if earlier else 1)


def post(work: Work, kind: str, detail: str, *, number: int | str, there: Mail | None = None) -> Values:
    """Prepare one mail in the outbox, if it is not `there`; then hold or send it. Whatever the outbox says already, stands."""
    account, now = work.account, work.world.clock.now()
    # The customer's mail and the note to the staff are one mail to two readers: they share an id, so only one can be.
    identity = CONFIRMATION if kind != FAILURE else FAILURE
    mail = there or Mail(
        message_id=message_id(work.recovery_id, account.account_id, identity, number, sender=work.settings.sender),
        account_id=account.account_id,
        kind=kind,
        state="prepared",
        detail=detail,
        prepared_at=now,
    )
    _render(work, mail)
    work.point("before-act")
    mail = work.outbox.prepare(mail)
    work.point("after-act")
    foreign = doubt_foreign(work, mail)
    if work.mail != "send" or work.sending.stopped:
        work.outbox.move(mail.message_id, to="held", of=["prepared"], now=now)
    elif mail.state in ("prepared", "held") and not foreign:
        deliver_patiently(work, mail)
    mail = work.outbox.get(mail.message_id)
    if mail.state in ("refused", "in_doubt"):
        raise StepFailed(
            f"the mail is {mail.state.replace('_', ' ')}: {mail.answer}", kind=f"mail_{mail.state}", follow_up=True
        )
    return {"message_id": mail.message_id, "kind": mail.kind, "mail": mail.state}


def deliver(work: Work, mail: Mail) -> None:
    """Give one prepared or held mail to the mail server, once.

    The outbox says `sending` before and the outcome afterwards. Transient, or a Refusal that is not about the mail
    (no TLS, no login, our sender; or the same to several accounts in a row): surely not taken, so it is held again.
    """
    message = _render(work, mail)
    clock, host = work.world.clock, work.vault.load(mail.account_id).get("public_host")
    if doubt_foreign(work, mail):
        return
    told = host.reveal() if host else ""
    if not work.outbox.move(mail.message_id, to="sending", of=["prepared", "held"], now=clock.now(), host=told):
        return
    work.point("before-send")
    state, answer, in_a_row = "in_doubt", "the sending was broken off", False
    try:
        work.world.mailer.send(message)
        state, answer = "sent", TAKEN
    except Transient as error:
        state, answer = "held", str(error)
        raise
    except Refusal as error:
        state, answer = "refused", str(error)
        if error.kind != "mail_refused":
            state, answer = "held", f"{ABOUT_US if error.kind in MAIL_ABOUT_US else ''}{answer}"
            raise
    except MailInDoubt as error:
        answer = str(error)
    finally:
        work.point("after-send")
        if state == "refused":
            in_a_row = work.outbox.refuse(mail.message_id, now=clock.now(), answer=answer)
        else:
            work.outbox.move(mail.message_id, to=state, of=["sending"], now=clock.now(), answer=answer)
    if in_a_row:
        raise Refusal(f"{IN_A_ROW}{answer}", kind="mail_sender")


def doubt_foreign(work: Work, mail: Mail) -> bool:
    """Whether another state folder recorded the account's server; the mail is in doubt then, for it was that one's to send."""
    if mail.kind == FAILURE:
        return False
    told = work.outbox.recorded(mail.account_id)
    if told is None and "append_record" in work.known:
        told = (work.known_of("append_record", "instance_id"), "")
    if told is None or told[1] == DECIDED:
        return False
    if not any(r.instance_id == told[0] and r.recorded_at != told[1] for r in work.world.register.rows()):
        return False
    now = work.world.clock.now()
    return work.outbox.move(mail.message_id, to="in_doubt", of=["prepared", "held"], now=now, answer=FOREIGN)


def withdraw_failures(work: Work) -> None:
    """Failure notices that nobody sent are history once the account is recovered."""
    for mail in work.outbox.of(work.account.account_id):
        if mail.kind == FAILURE:
            work.outbox.move(
                mail.message_id,
                to="withdrawn",
                of=["prepared", "held"],
                now=work.world.clock.now(),
                answer="recovered since",
            )


def deliver_patiently(work: Work, mail: Mail) -> None:
    """Retry a busy mail server; at the deadline the mail stays held, which is a follow-up and no failure of the account.

    Where the refusal is about us, nothing more is sent, for anybody.
    """
    until, tries = work.world.clock.monotonic() + work.settings.waits.mail_deadline, 0
    while not work.sending.stopped:
        try:
            return deliver(work, mail)
        except Refusal as error:
            if error.kind in MAIL_ABOUT_US:
                work.sending.stop(str(error))
            raise StepFailed(f"the mail waits in the outbox: {error}", kind="mail_waiting", follow_up=True) from None
        except Transient as error:
            tries += 1
            try:
                work.pause(tries, until, "mail server", str(error))
            except StepFailed:
                raise StepFailed(
                    f"the mail waits in the outbox: {error}", kind="mail_waiting", follow_up=True
                ) from None
    work.outbox.move(mail.message_id, to="held", of=["prepared"], now=work.world.clock.now())
    return None


def _render(work: Work, mail: Mail) -> EmailMessage:
    kept = work.vault.load(work.account.account_id)
    host = kept.get("public_host")
    return render(mail, work.account, work.settings, furl=kept.get("furl"), public_host=host.reveal() if host else None)
