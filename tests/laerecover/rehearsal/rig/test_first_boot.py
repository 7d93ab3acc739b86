"""What the rig's hosts read of their user data."""

from __future__ import annotations

from pathlib import Path

import yaml

from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.vault import Vault
from laerecover.rehearsal.rig.first_boot import host_keys


def test_a_host_reads_the_keys_that_cloud_init_would_read(tmp_path: Path):
    """Of a launch's user data the rig reads what YAML says; of other user data, no key."""
    written = derive_host_key(Vault(tmp_path / "secrets", b"k" * 32), "token").user_data.reveal()
    assert host_keys(written) == yaml.safe_load(written)["ssh_keys"]
    assert host_keys(written.replace("#cloud-config", "#!/bin/sh")) == {}
    assert host_keys("#cloud-config\npackages: [sudo]\n") == {}
