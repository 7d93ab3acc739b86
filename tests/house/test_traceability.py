"""docs/traceability.md is true: every element of the HOWTO is read, handed on, used and tested where it says."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

import laeforensics as lf
from laerecover import sections
from laerecover.adapters.serverinfo import ServerinfoFile
from laerecover.hosts.recipes.named import recipe_named
from laerecover.mail.letters import audience, render
from laerecover.mail.outbox import CONFIRMATION, FAILURE, STAFF_NOTE, Mail
from laerecover.manifest import Account, Secret
from laerecover.ports.services import ServerRow
from laerecover.runbook.work import Work
from laerecover.sections import Section
from laerecover.settings import drill_settings, read_settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "traceability.md").read_text("utf-8")
# The bullets of the Disaster Recovery HOWTO, function by function.
HOWTO = {
    "deploy_EC2_instance": "ec2accesskeyid ec2secretkey EC2_ENDPOINT amiimageid instancesize bucketname"
    " admin_keypair_name instancename",
    "install_server": "publichost admin_privkey_path monitor_pubkey monitor_privkey_path",
    "bounce_server": "publichost admin_privkey_path privatehost useraccesskeyid usersecretkey usertoken producttoken"
    " bucketname secretsfile",
    "append_record": '"serverinfo.csv" instance.launch_time instance.instance_id publichost',
    "send_signup_confirmation": "publichost customer_name customer_email furl customer_keyinfo",
    "notify_zenoss": "publichost zenoss_IP zenoss_privkey_path",
    "send_notify_failure": "f customer_name customer_email logfilename",
}
BULLETS = [(function, element) for function, elements in HOWTO.items() for element in elements.split()]
QUESTIONS = "The HOWTO's own questions, answered"
# What is read and handed over, but used by no step yet. One may be struck off (here and on the page), none may be
# added.
GAPS: set[tuple[str, str]] = set()
# Fields of the manifest whose facts bear another name.
FACTS_OF = {"account_id": "bucket_name", "instance_name": "customer_email"}
FACT_RULES = {
    "laeforensics/companions/csv_rows.py": r"csv",
    "laeforensics/companions/secrets_files.py": r"secrets \w+|stripe",
    "laeforensics/companions/products.py": r"config products\[\d+\]",
    "grammars/tahoe_cfg.lark": r"tahoe_cfg",
}


class Element(NamedTuple):
    """One row of the page."""

    function: str
    element: str
    field: str
    read_by: list[str]
    used_by: list[str]
    tested_by: list[str]
    gap: bool


def rows() -> list[Element]:
    """Every row of every table, with the function it stands under."""
    found: list[Element] = []
    for section in PAGE.split("\n## ")[1:]:
        function, _, text = section.partition("\n")
        if function == QUESTIONS:
            continue  # held by test_howto_questions.py
        for line in text.split("\n"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if line.startswith("| ") and cells[0] not in ("element", "---"):
                field, *places = (re.findall(r"`([^`]+)`", cell) for cell in cells[1:])
                found.append(Element(function, cells[0], field[0], *places, "(gap" in line))
    return found


ROWS = rows()
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.function}-{row.element}")


def file_of(name: str) -> Path:
    """The file that a name on the page means; grammars stand without their folder."""
    name = name.partition("#")[0]
    return ROOT / "grammars" / name if name.endswith(".lark") else ROOT / "src" / name


@cache
def facts() -> pd.DataFrame:
    return lf.open_case(ROOT / "fixtures" / "evidence").facts


@cache
def words_of(path: Path) -> set[str]:
    """The attributes, names and one-word texts that a module uses."""
    tree = ast.parse(path.read_text("utf-8"))
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return found | {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def test_every_bullet_of_the_howto_is_a_row():
    """All 37 bullets are there, under their functions, in their order, and nothing else is."""
    assert len(BULLETS) == 37
    assert [(row.function, row.element) for row in ROWS] == BULLETS


@each_row
def test_the_field_exists(row):
    """It is a field of the manifest, a setting, something a step has in hand, or a value that an earlier step tells."""
    if ": " in row.field:
        step, value = row.field.split(": ")
        assert value in words_of(ROOT / "src/laerecover/runbook/steps" / f"{step}.py")
    else:
        kind, name = row.field.split(".")
        owner = {"Account": Account, "Work": Work}.get(kind) or getattr(sections, kind)
        fields = owner.model_fields if issubclass(owner, Section) else {f.name for f in dataclasses.fields(owner)}
        assert name in fields or isinstance(getattr(owner, name), property)


@each_row
def test_every_file_rule_and_test_exists(row):
    """What the page names is there: modules, grammars, their rules, the step's own file first, and the tests."""
    assert row.read_by
    assert row.tested_by
    for name in row.read_by + row.used_by:
        assert file_of(name).is_file(), name
    for name in row.read_by:
        if "#" in name:
            rule = name.partition("#")[2]
            assert re.search(rf"^\??{rule}: ", file_of(name).read_text("utf-8"), re.MULTILINE), name
    assert row.used_by[0] == f"laerecover/runbook/steps/{row.function.lower()}.py"
    for name in row.tested_by:
        path, _, test = name.partition("::")
        defined = {
            node.name for node in ast.parse((ROOT / "tests" / path).read_text("utf-8")).body if hasattr(node, "name")
        }
        assert test in defined, name


@pytest.mark.parametrize(
    ("field", "place"),
    sorted(
        {
            (row.field.removeprefix("Account."), name)
            for row in ROWS
            if row.field.startswith("Account.")
            for name in row.read_by
            if "#" in name or f"grammars/{name}" in FACT_RULES or name in FACT_RULES
        }
    ),
)
def test_every_rule_gives_facts_of_its_field(field, place):
    """Over the fixtures each rule, or module, that the page names finds the field at least once, and is believed."""
    rule = place.partition("#")[2] or FACT_RULES.get(place) or FACT_RULES[f"grammars/{place}"]
    told = facts()[facts().field == FACTS_OF.get(field, field)]
    assert len(told[told.rule.str.fullmatch(rule) & ~told.channel.isin(["remote", "stray", "error", "foreign"])]) > 0


@each_row
def test_the_field_is_used_where_the_page_says(row):
    """The step, or a module that the page names beside it, uses the field by its name; the gaps are listed."""
    name = re.split(r"[.:] ?", row.field)[1]
    used = any(name in words_of(file_of(path)) for path in row.used_by)
    is_gap = (row.function, row.element) in GAPS
    assert row.gap == is_gap
    assert used != is_gap, "the gap is closed: strike it off" if is_gap else f"{name} is used in none of {row.used_by}"


# -- what no other test holds: the operator's side, the host's monitor, the record, the mails
# ----------------------------


def test_the_operators_side_is_read_where_the_howto_says(tmp_path):
    """lae_automation_config.json and ec2secret, with the names of 2012, give the settings that the steps need."""
    config = {
        "ec2_access_key_id": "AKIAOPERATOR",
        "admin_keypair_name": "admin",
        "admin_privkey_path": "admin.pem",
        "monitor_pubkey_path": "monitor.pub",
        "monitor_privkey_path": "monitor.pem",
        "zenoss_IP": "192.0.2.10",
        "zenoss_privkey_path": "zenoss.pem",
        "products": [{"product_code": "0c4e91d7", "ami_image_id": "ami-11111111", "instance_size": "t1.micro"}],
    }
    (tmp_path / "lae_automation_config.json").write_text(json.dumps(config))
    (tmp_path / "ec2secret").write_text("operator-secret\n")
    (tmp_path / "monitor.pub").write_text("ssh-rsa AAAA monitor\n")
    (tmp_path / "laerecover.toml").write_text(
        '[ec2]\nendpoint = "https://ec2.us-east-1.amazonaws.com/"\n[ec2.images]\nami-11111111 = "ami-22222222"\n'
        '[mail]\nhost = "smtp.example.org"\nsender = "support@example.org"\nstaff = "staff@example.org"\n'
    )
    settings = read_settings(tmp_path / "laerecover.toml")
    told = settings.config
    assert (told.ec2_access_key_id, settings.files.ec2secret) == ("AKIAOPERATOR", Secret("operator-secret"))
    assert settings.ec2.endpoint == "https://ec2.us-east-1.amazonaws.com/"
    assert told.admin_keypair_name == "admin"
    assert told.admin_privkey_path == tmp_path / "admin.pem"
    assert told.monitor_privkey_path == tmp_path / "monitor.pem"
    assert told.monitor_pubkey == "ssh-rsa AAAA monitor"
    assert told.zenoss_ip == "192.0.2.10"
    assert told.zenoss_privkey_path == tmp_path / "zenoss.pem"
    assert settings.files.serverinfo == tmp_path / "serverinfo.csv"
    lost = Account(account_id="lae-x", verdict="RECOVERABLE", product_code="0C4E91D7", ami_image_id="ami-99999999")
    assert (settings.image_of(lost), settings.size_of(lost)) == ("ami-22222222", "t1.micro")


def test_the_monitors_key_reaches_the_host():
    """monitor_pubkey is the content that becomes the user monitor's authorized_keys."""
    (script,) = [
        command.script
        for command in recipe_named("tahoe").after_reboot("ssh-rsa AAAA monitor")
        if "authorized_keys" in command.script
    ]
    assert "'ssh-rsa AAAA monitor'" in script


def test_the_record_has_the_fields_of_2012(tmp_path):
    """A row of serverinfo.csv is: time of recording, launch_time, instance_id, publichost; whose it is behind them."""
    path = tmp_path / "serverinfo.csv"
    row = ServerRow(
        recorded_at="2026-01-02T03:04:05Z",
        launch_time="2026-01-02T03:00:00.000Z",
        instance_id="i-1",
        public_host="192.0.2.7",
        recorded_by="by-1",
    )
    ServerinfoFile(path).append(row)
    assert path.read_text() == "2026-01-02T03:04:05Z,2026-01-02T03:00:00.000Z,i-1,192.0.2.7,by-1\n"


def test_the_mails_carry_what_the_howto_names(tmp_path):
    """The customer's mail has name, address, host and furl.

    The staff's notice has name, address, log file and reason.
    """
    account = Account(
        account_id="lae-x",
        verdict="RECOVERABLE",
        grade="IDENTITY_KEPT",
        customer_email="ann@example.org",
        customer_email_confirmed=True,
        customer_name="Ann Example",
        log_file="signup_logs/2012-03-20T101500Z-x",
    )
    settings = drill_settings(tmp_path)
    assert audience(account)[0] == CONFIRMATION
    assert audience(dataclasses.replace(account, customer_keyinfo="0xABCDEF01"))[0] == STAFF_NOTE

    def told(kind: str, detail: str) -> str:
        mail = Mail(
            message_id="<1@example.org>",
            account_id="lae-x",
            kind=kind,
            state="prepared",
            detail=detail,
            prepared_at=datetime(2026, 1, 2, tzinfo=UTC),
        )
        return render(
            mail, account, settings, furl=Secret("pb://tub@192.0.2.7:12345/swiss"), public_host="192.0.2.7"
        ).as_string()

    letter = told(CONFIRMATION, "")
    assert all(
        part in letter for part in ("Ann Example", "ann@example.org", "192.0.2.7", "pb://tub@192.0.2.7:12345/swiss")
    )
    notice = told(FAILURE, "install_server: gave up")
    assert all(
        part in notice for part in ("Ann Example", "ann@example.org", account.log_file or "", "install_server: gave up")
    )
    assert "pb://" not in notice
