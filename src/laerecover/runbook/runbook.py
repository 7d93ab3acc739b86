"""The runbook: the HOWTO's steps in the HOWTO's order, with its retry of NotListening."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from laerecover.errors import StepFailed
from laerecover.mail.dialling import NOT_REACHED
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
from laerecover.runbook.work import Values, Work
from laerecover.text import clean

STEPS: Mapping[str, Callable[[Work], Values]] = {
    step.__name__: step
    for step in (
        deploy_ec2_instance,
        wait_for_ec2_addresses,
        install_server,
        bounce_server,
        append_record,
        leave_evidence,
        send_signup_confirmation,
        notify_zenoss,
    )
}
_LIVES = 2
"""How many instances an account may use up in one round."""
ON_FAILURE = send_notify_failure.__name__
ALL_STEPS: Mapping[str, Callable[[Work], Values]] = {**STEPS, ON_FAILURE: send_notify_failure}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What came of one step: its values, or the kind and text of its failure. This is what the ledger keeps."""

    step: str
    ok: bool
    values: Values = field(default_factory=dict)
    kind: str = ""
    message: str = ""
    follow_up: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = ("step", "ok", "values", "kind", "message", "follow_up")
        return {name: getattr(self, name) for name in names}


class Perform(Protocol):
    """Carries out one step durably and gives its recorded effect."""

    def __call__(self, step: str, attempt: int, known: Mapping[str, Values], failure: str) -> Effect: ...


def execute(step: str, work: Work) -> Effect:
    """Carry out one step; every failure becomes a value, so that a replay sees what the first run saw."""
    work.point("before-probe")
    try:
        values = ALL_STEPS[step](work)
    except StepFailed as error:
        return Effect(step=step, ok=False, kind=error.kind, message=clean(error), follow_up=error.follow_up)
    except WorldError as error:
        return Effect(step=step, ok=False, kind=error.kind, message=clean(error))
    except (OSError, sqlite3.Error) as error:
        # The outbox or the vault could not be written: what SQLite says of it is never about a value.
        reason = getattr(error, "strerror", None) or getattr(error, "sqlite_errorname", "")
        return Effect(step=step, ok=False, kind="local", message=clean(f"{type(error).__name__}: {reason}"))
    # A mistake of ours must not lose the account; its text could hold anything.
    except Exception as error:  # noqa: BLE001  as said above
        return Effect(
            step=step, ok=False, kind="bug", message=f"a mistake in laerecover ({type(error).__name__} in {step})"
        )
    work.point("before-record")
    return Effect(step=step, ok=True, values=values)


def recover(perform: Perform, *, listen_tries: int) -> dict[str, Any]:
    """All steps of one account; its outcome as JSON values.

    A failure ends the account's runbook, one with a follow-up does not; either way send_notify_failure comes last.
    Where there is no capacity deploy_EC2_instance tries its next offer; an instance that dies before it is ready gets
    one successor.
    """
    known: dict[str, Values] = {}
    failures: list[Effect] = []
    todo, lives = list(STEPS), _LIVES
    while todo:
        step, attempt = todo.pop(0), 1
        effect = perform(step, 1, known, "")
        while effect.kind == "capacity" or (effect.kind == "not_listening" and attempt < listen_tries):
            attempt += 1
            effect = perform(step, attempt, known, "")
        if effect.kind == "instance_died" and lives > 1:
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
        about = f"{LEFT if recovered else ''}{first.step}: {first.message}"
        notice = perform(ON_FAILURE, 1, known, about)
    return {
        "outcome": "recovered" if recovered else "failed",
        "failures": [effect.to_json() for effect in failures],
        "notice_failed": notice.message if notice is not None and not notice.ok else "",
    }


GUARD_KINDS = ("max_instances", "quota", NOT_REACHED)
