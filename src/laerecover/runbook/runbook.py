"""The runbook: the HOWTO's steps in the HOWTO's order, with its retry of NotListening."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from laerecover.errors import StepFailed
from laerecover.mail.letters import LEFT
from laerecover.ports.refusals import WorldError
from laerecover.runbook.steps.append_record import append_record
from laerecover.runbook.steps.bounce_server import bounce_server
from laerecover.runbook.steps.deploy_ec2_instance import deploy_ec2_instance
from laerecover.runbook.steps.install_server import install_server
from laerecover.runbook.steps.leave_evidence import leave_evidence
from laerecover.runbook.steps.notify_zenoss import notify_zenoss
from laerecover.runbook.steps.send_notify_failure import send_notify_failure
from laerecover.runbook.steps.send_signup_confirmation import send_signup_confirmation
from laerecover.runbook.steps.wait_for_ec2_addresses import wait_for_ec2_addresses
from laerecover.runbook.values import (
    APPEND,
    BOUNCE,
    CAPACITY,
    CONFIRM,
    DEPLOY,
    INSTALL,
    INSTANCE_DIED,
    LEAVE,
    MONITOR,
    NOT_LISTENING,
    NOTICE,
    STEPS,
    WAIT,
    Effect,
    Known,
    Recorded,
    RoundOutcome,
    Step,
    Values,
)
from laerecover.runbook.work import Work
from laerecover.text import clean, reason_of

ACTS: dict[Step[Any], Callable[[Work], Recorded]] = {
    DEPLOY: deploy_ec2_instance,
    WAIT: wait_for_ec2_addresses,
    INSTALL: install_server,
    BOUNCE: bounce_server,
    APPEND: append_record,
    LEAVE: leave_evidence,
    CONFIRM: send_signup_confirmation,
    MONITOR: notify_zenoss,
    NOTICE: send_notify_failure,
}
_LIVES = 2
"""How many instances an account may use up in one round."""


class Perform(Protocol):
    """Carries out one step durably and gives its recorded effect."""

    def __call__(self, step: Step[Any], attempt: int, known: Known, failure: str) -> Effect: ...


def execute(step: Step[Any], work: Work) -> Effect:
    """Carry out one step; every failure becomes a value, so that a replay sees what the first run saw."""
    failed = partial(Effect, step=step, ok=False)
    work.point("before-probe")
    try:
        values = ACTS[step](work).body
    except StepFailed as error:
        return failed(kind=error.kind, message=clean(error), follow_up=error.follow_up)
    except WorldError as error:
        return failed(kind=error.kind, message=clean(error))
    except (OSError, sqlite3.Error) as error:
        # The outbox or the vault could not be written: what SQLite says of it is never about a value.
        reason = getattr(error, "sqlite_errorname", "") or reason_of(error)
        return failed(kind="local", message=clean(f"nothing could be written here: {reason}"))
    # A mistake of ours must not lose the account; its text could hold anything.
    except Exception as error:  # noqa: BLE001  as said above
        return failed(kind="bug", message=f"a mistake in laerecover ({type(error).__name__} in {step.name})")
    work.point("before-record")
    return Effect(step=step, ok=True, values=values)


def recover(perform: Perform, *, listen_tries: int) -> RoundOutcome:
    """All steps of one account.

    A failure ends the account's runbook, one with a follow-up does not; either way send_notify_failure comes last.
    Where there is no capacity deploy_EC2_instance tries its next offer; an instance that dies before it is ready gets
    one successor.
    """
    known: dict[Step[Any], Values] = {}
    failures: list[Effect] = []
    todo, lives = list(STEPS), _LIVES
    while todo:
        step, attempt = todo.pop(0), 1
        effect = perform(step, 1, known, "")
        while effect.kind == CAPACITY or (effect.kind == NOT_LISTENING and attempt < listen_tries):
            attempt += 1
            effect = perform(step, attempt, known, "")
        if effect.kind == INSTANCE_DIED and lives > 1:
            todo, lives = list(STEPS), lives - 1
            known.clear()
        elif effect.ok:
            known[step] = effect.values
        else:
            failures.append(effect)
            if not effect.follow_up:
                break
    recovered = all(effect.follow_up for effect in failures)
    notice: Effect | None = None
    if failures:
        first = next((effect for effect in failures if not effect.follow_up), failures[0])
        about = f"{LEFT if recovered else ''}{first.step.name}: {first.message}"
        notice = perform(NOTICE, 1, known, about)
    return RoundOutcome(
        outcome="recovered" if recovered else "failed",
        failures=failures,
        notice_failed=notice.message if notice is not None and not notice.ok else "",
    )
