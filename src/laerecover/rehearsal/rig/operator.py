"""The operator's settings for a rig, in the files that any operator has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from laerecover.manifest import Account
from laerecover.rehearsal.rig.client import Rig
from laerecover.settings_reader import DEFAULT_NAME

SIZE = "t3.micro"
_TOML = """\
[ec2]
endpoint = "{endpoint}"
image = "{image}"
size = "{size}"

[ec2.images]
{images}

[ec2.sizes]
{sizes}

[recipe]
s3_endpoint = "{endpoint}"

[mail]
host = "{mail_host}"
port = {mail_port}
ca_file = "ca.pem"
sender = "support@example.org"
staff = "staff@example.org"

[monitoring]
host_key = "{monitoring_key}"

[waits]
address_poll = 1
listen_poll = 1
listen_tries = 120
command_deadline = 600
dial_deadline = 10
mail_deadline = 20
monitoring_deadline = 20
"""


def write_settings(rig: Rig, folder: Path, accounts: Iterable[Account]) -> Path:
    """laerecover.toml and what it names, below `folder`, so that images and sizes of `accounts` are to be had in the
    rig.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    accounts, facts = list(accounts), rig.facts
    images = sorted({account.ami_image_id for account in accounts if account.ami_image_id} - {facts["image"]})
    sizes = sorted({account.instance_size for account in accounts if account.instance_size} - {SIZE})
    for user in ("ubuntu", "monitor", "zenoss"):
        shutil.copy(rig.key(user), folder / user)
    shutil.copy(rig.folder / "keys/monitor.pub", folder / "monitor.pub")
    shutil.copy(rig.folder / facts["mail"]["ca_file"], folder / "ca.pem")
    config = {
        "ec2_access_key_id": facts["operator"]["access_key_id"],
        "admin_keypair_name": facts["operator"]["key_pair"],
        "admin_privkey_path": "ubuntu",
        "monitor_pubkey_path": "monitor.pub",
        "monitor_privkey_path": "monitor",
        "zenoss_IP": facts["monitoring"]["host"],
        "zenoss_privkey_path": "zenoss",
        "products": [],
    }
    (folder / "lae_automation_config.json").write_text(json.dumps(config, indent=1))
    secret = folder / "ec2secret"
    secret.touch(mode=0o600)
    secret.write_text(facts["operator"]["secret_key"])
    text = _TOML.format(
        endpoint=facts["endpoint"],
        image=facts["image"],
        size=SIZE,
        images="\n".join(f'"{image}" = "{facts["image"]}"' for image in images),
        sizes="\n".join(f'"{size}" = "{SIZE}"' for size in sizes),
        mail_host=facts["mail"]["host"],
        mail_port=facts["mail"]["port"],
        monitoring_key=facts["monitoring"]["host_key"],
    )
    (folder / DEFAULT_NAME).write_text(text)
    return folder / DEFAULT_NAME
