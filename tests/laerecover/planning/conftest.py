"""The operator's side of a recovery, as files."""

from __future__ import annotations

import json

import pytest

from laerecover.settings import example

CONFIG = {
    "ec2_access_key_id": "AKIAEXAMPLE",
    "keypair_name": "old-name-of-the-key-pair",
    "key_filename": "admin.pem",
    "monitor_pubkey_path": "monitor.pub",
    "monitor_privkey_path": "monitor.pem",
    "zenoss_IP": "192.0.2.10",
    "zenoss_privkey_path": "zenoss.pem",
    "products": [{"product_code": "7a3c2f01", "ami_image_id": "ami-old", "instance_size": "t1.micro"}],
}


@pytest.fixture
def settings_file(tmp_path):
    def make(text=None, **config):
        (tmp_path / "lae_automation_config.json").write_text(json.dumps({**CONFIG, **config}))
        (tmp_path / "ec2secret").write_text("canary-ec2-secret\n")
        (tmp_path / "monitor.pub").write_text("ssh-ed25519 AAAA monitor\n")
        path = tmp_path / "laerecover.toml"
        path.write_text(text if text is not None else example())
        return path

    return make
