"""Mails whose fate a human tells."""

from __future__ import annotations

import pytest

from laerecover.afterwards.notify import notify
from laerecover.afterwards.resolve import resolve_mail, settle_mail
from laerecover.errors import LaeRecoverError
from laerecover.mail.outbox import Outbox
from laerecover.report.written import report

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def someone(operator, make_account):
    """An operator of one recovered account, whose mail is held."""
    made = operator(make_account(0, server="GONE"))
    made.run()
    made.account_id = make_account(0).account_id
    made.mail = lambda: Outbox(made.folder / "outbox.sqlite").of(made.account_id)[-1]
    made.notify = lambda: notify(made.options(), stop=made.stop, confirm=lambda s, found: True, worlds=made.worlds)
    return made


def test_who_was_told_by_hand_gets_no_mail(someone):
    """Held, then settled with who and why: notify has nothing to send, the report nothing to ask."""
    assert someone.mail().state == "held"
    settle_mail(someone.options(because="by telephone"), someone.account_id, bounced=False)
    assert someone.mail().state == "withdrawn"
    assert "the customer was told by hand; said by " in someone.mail().answer
    assert someone.mail().answer.endswith(": by telephone")
    someone.notify()
    assert someone.rows("mailbox") == []
    assert report(someone.options(), someone.worlds)[1].exit_code == 0


def test_a_mail_that_came_back_is_the_staff_s_and_can_be_sent_again(someone):
    """Taken by the server, refused by the world: a follow-up, until somebody has it sent again or tells by hand."""
    with pytest.raises(LaeRecoverError, match="no mail of this account is sent"):
        settle_mail(someone.options(because="no such mailbox"), someone.account_id, bounced=True)
    someone.notify()
    assert someone.mail().state == "sent"
    settle_mail(someone.options(because="no such mailbox"), someone.account_id, bounced=True)
    assert someone.mail().state == "refused"
    (row,) = report(someone.options(), someone.worlds)[1].body["accounts"]
    assert any("bounced; said by" in str(each) for each in row["follow_ups"])
    resolve_mail(someone.options(), someone.account_id, sent=False)
    someone.notify()
    assert someone.mail().state == "sent"
    assert len({r["message_id"] for r in someone.rows("mailbox")}) == 1, "the same mail, taken once more"


@pytest.mark.parametrize("bounced", [False, True])
def test_a_decision_without_a_reason_is_none(someone, bounced):
    """Nothing changes."""
    with pytest.raises(LaeRecoverError, match="needs a reason"):
        settle_mail(someone.options(because="  "), someone.account_id, bounced=bounced)
    assert someone.mail().state == "held"
