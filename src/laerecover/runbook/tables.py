"""The engine's tables, read without the engine, which takes longer to load than all else that `status` does.

DBOS documents them (docs.dbos.dev/explanations/system-tables), and moves what they hold between its versions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

from laerecover.databases import Connect

WORKFLOW = "recover_account"
_KNOWN = 125
"""How many migrations the tables have seen that are read here; others are left to the engine's own client."""
_SERIALIZED = "portable_json"
_WORKFLOWS = """
    SELECT w.workflow_uuid, w.status, w.completed_at IS NOT NULL,
        coalesce(i.inputs, w.inputs), coalesce(o.output, w.output)
    FROM workflow_status w
        LEFT JOIN workflow_input i USING (workflow_uuid) LEFT JOIN workflow_output o USING (workflow_uuid)
    WHERE w.name = ? ORDER BY w.created_at
"""
_STEPS = """
    SELECT workflow_uuid, function_name, output, started_at_epoch_ms, completed_at_epoch_ms
    FROM operation_outputs ORDER BY workflow_uuid, function_id
"""


class Record(NamedTuple):
    """A step as the engine keeps it; times in milliseconds since 1970."""

    name: str
    output: Any
    started: int | None
    ended: int | None


class Kept(NamedTuple):
    """A round as the engine keeps it. `args`: of its workflow."""

    workflow_id: str
    status: str
    over: bool
    args: Sequence[Any]
    output: Any
    records: Sequence[Record]


def read_tables(look: Connect, *, with_steps: bool) -> Sequence[Kept] | None:
    """All rounds, in the order of their begins; None where the tables are not as they are known here."""
    with closing(look()) as db:
        db.execute("BEGIN")
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'workflow_status'").fetchone():
            return ()
        written = {name for (name,) in db.execute("SELECT DISTINCT serialization FROM workflow_status")}
        if db.execute("SELECT version FROM dbos_migrations").fetchall() != [(_KNOWN,)] or written - {_SERIALIZED}:
            return None
        records: dict[str, list[Record]] = {}
        for workflow_id, name, output, started, ended in db.execute(_STEPS) if with_steps else ():
            records.setdefault(workflow_id, []).append(Record(name, _value(output), started, ended))
        return [
            Kept(name, status, over, _value(given)["positionalArgs"], _value(output), records.get(name, ()))
            for name, status, over, given, output in db.execute(_WORKFLOWS, (WORKFLOW,))
            if given is not None
        ]


def _value(text: str | None) -> Any:
    return None if text is None else json.loads(text)
