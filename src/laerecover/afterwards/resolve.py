"""A human settles a mail that is in doubt, or was refused."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

from laerecover.errors import LaeRecoverError
from laerecover.mail.outbox import FAILURE, Mail, Outbox, current
from laerecover.options import Options, find_state, now
from laerecover.report.lost_mails import doubt_lost, lost_of
from laerecover.state.lock import locked
from laerecover.state.state import State
from laerecover.text import clean


def resolve_mail(options: Options, account_id: str, *, sent: bool) -> tuple[State, int]:
    """A human settles a mail that is in doubt or was refused: nobody sends it again, or it is held to be sent again."""
    state = find_state(options)
    with locked(state.folder, "resolve"):
        outbox = Outbox(state.outbox)
        outbox.doubt_interrupted(now())
        if any(m.account_id == account_id for m in lost_of(state, outbox, None, "")):
            manifest, settings = options.read(state.mode, state.folder)
            doubt_lost(state, outbox, manifest, settings.mail.sender, now())
        settled, mails = 0, outbox.of(account_id)
        known = mails or account_id in {a.account_id for a in options.places.read().accounts}
        for mail in _open(mails, sent=sent):
            to, answer = _SETTLED[mail.state == "in_doubt", sent]
            settled += outbox.move(mail.message_id, to=to, of=[mail.state], now=now(), answer=answer)
        if settled:
            outbox.decide(account_id)
    if not settled and not known:
        raise LaeRecoverError(
            f"no account is called {account_id!r}",
            where=str(options.places.manifest),
            next_step="give the account's id, as `laerecover report` shows it; nothing was changed",
        )
    if not settled:
        raise LaeRecoverError(
            "no mail of this account is in doubt or refused",
            where=account_id,
            next_step="see `laerecover report`; what is held goes out with `laerecover notify`; nothing was changed",
        )
    return state, settled


def settle_mail(options: Options, account_id: str, *, bounced: bool) -> tuple[State, int]:
    """A human says that a mail which was taken came back, so that it is refused; or that the customer was told another
    way, so that none goes out. Who and why stand in the outbox.
    """
    reason = clean(options.consent.reason)
    if not reason:
        raise LaeRecoverError(
            "that needs a reason", where="--because", next_step='add --because "…"; nothing was changed'
        )
    how = "bounced" if bounced else "the customer was told by hand"
    to, of = ("refused", ["sent"]) if bounced else ("withdrawn", ["held", "prepared", "in_doubt", "refused"])
    state = find_state(options)
    with locked(state.folder, "resolve"):
        outbox, settled = Outbox(state.outbox), 0
        outbox.doubt_interrupted(now())
        mails = outbox.of(account_id)
        latest = current(mails)
        for mail in mails:
            if mail.message_id in latest and mail.kind != FAILURE:
                answer = f"{how}; said by {getpass.getuser()}: {reason}"
                settled += outbox.move(mail.message_id, to=to, of=of, now=now(), answer=answer)
    if not settled:
        raise LaeRecoverError(
            f"no mail of this account is {' or '.join(of).replace('_', ' ')}",
            where=clean(account_id),
            next_step="give the account's id, as `laerecover report` shows it; nothing was changed",
        )
    return state, settled


_SETTLED = {
    (True, True): ("sent", "a human says that it arrived"),
    (True, False): ("held", "a human says that it did not arrive"),
    (False, True): ("withdrawn", "refused; a human says that the customer was told another way"),
    (False, False): ("held", "refused; a human wants it sent again"),
}
"""What becomes of a mail: (it was in doubt, a human says --sent) -> its state and the answer that the outbox gives
from then on.
"""


def _open(mails: Sequence[Mail], *, sent: bool) -> list[Mail]:
    """Those of an account's mails that a human may settle: in doubt, or refused and not overtaken by a later one.

    A customer who was told another way needs no mail that the server keeps refusing; a failure notice tells nobody
    else.
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
