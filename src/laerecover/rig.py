"""`python -m laerecover.rig up|down|show FOLDER`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from laerecover.errors import LaeRecoverError
from laerecover.rehearsal.rig.client import Rig, find, up


def main() -> int:
    """0; 2 with what, where, what next if it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m laerecover.rig", description="A whole provider on this machine.")
    parser.add_argument("verb", choices=("up", "down", "show"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faults", default="", help="seed:N, a JSON table, or the file that holds one")
    asked = parser.parse_args()
    try:
        if asked.verb == "up":
            _show(up(asked.folder, say=_say, faults=asked.faults))
        elif asked.verb == "down":
            _need(asked.folder).down()
        else:
            _show(_need(asked.folder))
    except LaeRecoverError as error:
        _say(f"laerecover.rig: {error.what}\n  where   {error.where}\n  next    {error.next_step}")
        return error.exit_code
    return 0


def _need(folder: Path) -> Rig:
    found = find(folder)
    if found is None:
        raise LaeRecoverError("no rig is there", where=str(folder), next_step="python -m laerecover.rig up FOLDER")
    return found


def _show(rig: Rig) -> None:
    """Everything but the secret key."""
    operator = {key: value for key, value in rig.facts["operator"].items() if key != "secret_key"}
    shown = {**rig.facts, "operator": operator, "alive": rig.alive, "hosts": rig.ask("hosts") if rig.alive else []}
    sys.stdout.write(json.dumps(shown, indent=1) + "\n")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
