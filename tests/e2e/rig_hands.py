"""Hands on a rig: launch, log in, run a script."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass

import boto3
import paramiko

from laerecover.hosts.host_keys import HostKey
from laerecover.rehearsal.rig.client import Rig


@dataclass
class Shell:
    """A connection that was pinned to one host key."""

    client: paramiko.SSHClient

    def __call__(self, script: str) -> str:
        """What the script printed; AssertionError with its errors if it failed."""
        channel = self.client.get_transport().open_session()
        channel.exec_command(script)
        output = channel.makefile("rb").read().decode()
        errors = channel.makefile_stderr("rb").read().decode()
        assert channel.recv_exit_status() == 0, f"{script}\n{output}\n{errors}"
        return output.strip()


def connect(rig: Rig, address: str, host_key: str, user: str = "ubuntu", *, within: float = 30.0) -> Shell:
    """Log in as soon as the host listens; BadHostKeyException if it has another key than `host_key`."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    kind, blob = host_key.split()[:2]
    client.get_host_keys().add(address, kind, paramiko.Ed25519Key(data=base64.b64decode(blob)))
    until = time.monotonic() + within
    with rig.inside():
        while True:
            try:
                client.connect(
                    address,
                    username=user,
                    key_filename=str(rig.key(user)),
                    allow_agent=False,
                    look_for_keys=False,
                    timeout=5,
                )
            except (paramiko.BadHostKeyException, paramiko.AuthenticationException):
                raise
            except (paramiko.SSHException, paramiko.ssh_exception.NoValidConnectionsError, TimeoutError):
                # Of a host that is busy with its boot a session may end before it has begun.
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return Shell(client)


def ec2(rig: Rig):
    """A client of the rig's EC2; call it inside the rig's network."""
    operator = rig.facts["operator"]
    return boto3.client(
        "ec2",
        region_name="us-east-1",
        endpoint_url=rig.facts["endpoint"],
        aws_access_key_id=operator["access_key_id"],
        aws_secret_access_key=operator["secret_key"],
    )


def launch(rig: Rig, key: HostKey, account: str = "none") -> tuple[str, str]:
    """Instance id and address of a new instance with that host key, tagged as the account's."""
    with rig.inside():
        cloud = ec2(rig)
        instance_id = cloud.run_instances(
            ImageId=rig.facts["image"],
            InstanceType="t3.micro",
            KeyName=rig.facts["operator"]["key_pair"],
            SecurityGroups=["CustomerDefault"],  # EC2's own default lets nobody in
            MinCount=1,
            MaxCount=1,
            UserData=key.user_data.reveal(),
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "lae-account", "Value": account}]}],
        )["Instances"][0]["InstanceId"]
        for _ in range(100):
            told = cloud.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
            if told.get("PublicIpAddress"):
                return instance_id, told["PublicIpAddress"]
            time.sleep(0.1)
    raise AssertionError(f"{instance_id} got no address")
