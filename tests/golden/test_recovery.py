"""What laerecover says of the manifest of fixtures/evidence: plan, drill, status, and the settings that it wants."""

from __future__ import annotations

import json
from typing import Any

import consoles
from goldens import hold, neutral

MANIFEST = ("manifest.parquet", "--key-file", "key/k")


def body(ended: consoles.Ended) -> Any:
    """What it printed for machines; it must have gone well."""
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def text(value: Any) -> str:
    """JSON that a difference can show."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def new_names(account: dict[str, Any]) -> dict[str, str]:
    """What is drawn, or given in the order of asking: the new server's addresses, keys that none was restored for."""
    values = {step["step"]: step["values"] for step in account["steps"]}
    drawn = {f"‹{name}›": value for name, value in values.get("wait_for_ec2_addresses", {}).items()}
    nodes = values.get("bounce_server", {})
    for name, restored in (("introducer_tub_id", "introducer_restored"), ("server_nodeid", "storage_restored")):
        if name in nodes and not nodes[restored]:
            drawn[f"‹new {name}›"] = nodes[name]
    return {value: name for name, value in drawn.items()}


def test_plan(desk, audited):
    """What a run would do to each account, or why not."""
    assert audited.code == 0
    planned = body(consoles.laerecover(desk, "plan", *MANIFEST, "--json"))
    hold("plan.json", text(planned))


def test_a_drill_and_its_status(desk, audited):
    """Outcome, steps with their values, mails, follow-ups of each account; instances, tokens, host keys and message ids
    are derived, so they are the same for ever. `status` needs neither key nor settings."""
    assert audited.code == 0
    report = body(consoles.laerecover(desk, "drill", *MANIFEST, "--json", "--concurrency", "12"))
    status = body(consoles.laerecover(desk, "status", "manifest.parquet", "--json"))
    accounts = [neutral(account, new_names(account)) for account in report.pop("accounts")]
    hold("report.json", text({**neutral(report), "accounts": accounts}))
    hold("status.json", text(neutral(status)))


def test_the_example_of_the_settings(desk):
    """Byte for byte: operators have files that began with it."""
    hold("settings-example.toml", consoles.laerecover(desk, "settings", "--example").out)
