"""What a recovery leaves for a human: a sentence each, with the command that does it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laerecover.mail.dialling import NOT_REACHED
from laerecover.mail.outbox import FAILURE, STAFF_NOTE, Mail, current
from laerecover.manifest import Account
from laerecover.planning.plan import BLOCKED, NEVER_ACCEPTED
from laerecover.state.state import State
from laerecover.text import clean

_OTHER_KEYS = ("other_keys", "identity_differs")
"""The kinds of failure by which bounce_server says that a key on the host is not the one that this state has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """How further commands are typed: the manifest as the user called it; command -> the options to give it again."""

    manifest: str
    repeated: Mapping[str, str]
    """Each option with a space before it."""


def follow_ups(
    row: Mapping[str, Any], account: Account, mails: Sequence[Mail], state: State, commands: Commands
) -> list[dict[str, str]]:
    """What is left for a human: a sentence, what it is about, and the command that does it where there is one."""
    name, repeated = commands.manifest, commands.repeated
    found: list[dict[str, str]] = []
    usual = Path(f"{name}.{'drill' if state.mode == 'drill' else 'state'}")
    place = f" --state {shlex.quote(str(state.folder))}"
    again = ("" if state.folder == usual else place) + repeated.get(state.mode, "")
    option = place if state.folder != usual or state.mode == "drill" else ""
    name, account_id = shlex.quote(name), shlex.quote(account.account_id)

    def add(do: str, about: object = "", command: str = "") -> None:
        entry = {"do": do, "about": clean(about) if about else "", "command": command}
        if entry not in found:
            found.append(entry)

    if row["unplanned"]:
        add(
            "begun, but the manifest no longer recovers it: mend the manifest and plan again, or see to its server "
            "and its mail",
            f"{row['account_id']}: {row['outcome']}, mail {row['mail'] or 'none'}",
        )
    elif row["outcome"] == "failed" and any(s["kind"] in _OTHER_KEYS for s in row["steps"]):
        add(
            "another recovery put its keys there: go on with the state folder, or the evidence, that has them",
            row["why"],
        )
    elif row["outcome"] == "failed":
        add("mend it and run again", row["why"], f"laerecover {state.mode} {name}{again}")
    elif row["proof"] and not row["proof"]["ok"]:
        add(
            "not proved; look into it on the rig, which runs on, or try again",
            row["proof"]["said"],
            f"laerecover drill {name}{again}",
        )
    elif row["outcome"] == BLOCKED and "closed" not in row:
        add(
            "blocked",
            row["why"],
            f"laerecover run {name} --accept {account_id} --because …{again}"
            if row["guarded"] and not row["why"].startswith(NEVER_ACCEPTED)
            else "",
        )

    def settle(how: str) -> str:
        return f"laerecover resolve {name} {account_id} mail {how}{option}{repeated.get('resolve', '')}"

    if row["joined"] and row["joined"]["left_out"]:
        lost = row["joined"]
        add(
            "shares could not be joined, and are left out: their files can only be uploaded again, as the mail says",
            f"{lost['left_out']:,}: {', '.join(lost['left_out_shares'])}",
        )

    for mail in mails:
        if mail.state == "held" and (mail.kind != FAILURE or mail.guarded) and not row["unplanned"]:
            silent = any(s["kind"] == NOT_REACHED for s in row["steps"])
            add(
                "a mail was refused and is held: mend what the server has against us, and send"
                if mail.guarded
                else "nobody was told, for the server was not reached from here: mend that; then it is dialled again"
                if silent
                else "a mail is held: look and send",
                mail.answer,
                f"laerecover notify {name}{option}{repeated.get('notify', '')}",
            )
        elif mail.state == "in_doubt":
            add("ask whether the mail arrived; if it did not, say --resend", mail.answer, settle("--sent"))
        elif mail.state == "refused" and mail.message_id in current(mails):
            untold = (
                "tell the customer another way, and say --sent" if mail.kind != FAILURE else "the staff were not told"
            )
            add(f"{untold}; or have the mail sent again", mail.answer, settle("--resend"))
        elif mail.state == "sent" and mail.kind == STAFF_NOTE:
            add("tell the customer", mail.detail)
    if account.account_id in state.untagged:
        untagged = state.untagged[account.account_id]
        add(
            "run again, so that its instance gets the tag lae-recovered: a cleanup from elsewhere may end it without",
            f"{untagged['instance_id']}: {untagged['why']}",
            f"laerecover {state.mode} {name}{again}",
        )
    steps = {s["step"]: s for s in row["steps"]}
    zenoss = steps.get("notify_zenoss", {"kind": "", "values": {}, "message": ""})
    if zenoss["kind"] == "monitoring_missing":
        add("watch the new server", zenoss["message"])
    if zenoss["values"].get("watched") is False:
        add("watch the new server", "no monitoring is configured")
    if zenoss["values"].get("unwatch"):
        add("remove the lost server from monitoring", zenoss["values"]["unwatch"])
    superseded = steps.get("append_record", {"values": {}})["values"].get("superseded")
    if superseded:
        add(
            "the lost server's row stays in serverinfo.csv: whoever reads it must know that it is superseded",
            superseded,
        )
    return found


def settled(failure: Mapping[str, Any], letter: Mail | None) -> bool:
    """Whether what failed has been mended since: a mail leaves only for a server that was reached, or as a human
    wants.
    """
    return failure["kind"] == NOT_REACHED and letter is not None and letter.state not in ("prepared", "held")


def grouped(accounts: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """What is left to do with its command -> the customers (about what), the same things together."""
    left: dict[tuple[str, str], list[str]] = {}
    for account in accounts:
        for f in account["follow_ups"]:
            about = f" ({f['about']})" if f["about"] else ""
            left.setdefault((f["do"], f["command"]), []).append(f"{account['customer']}{about}")
    return left
