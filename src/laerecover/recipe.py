"""What install_server and bounce_server put on a host: the files, commands and modes of 2012."""

from __future__ import annotations

from laerecover.identity import INTRODUCER_PORT, STORAGE_PORT
from laerecover.manifest import Account, Secret
from laerecover.ports import Command

HOME = "/home/customer"
INTRODUCER = f"{HOME}/introducer"
STORAGE = f"{HOME}/storageserver"
BOOT_NOTE = "/var/lib/lae-recovery/boot-before-reboot"

_APT = "DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold"


def before_reboot() -> tuple[Command, ...]:
    """Packages; a new kernel may come with them, hence the reboot that follows."""
    return (
        Command(
            name="packages",
            script=f"dpkg --configure -a && {_APT} update && {_APT} dist-upgrade && {_APT} install python3-venv build-essential",
        ),
    )


def after_reboot(monitor_pubkey: str) -> tuple[Command, ...]:
    """Users customer and monitor (the HOWTO's monitor_pubkey), Tahoe-LAFS, and the two empty nodes."""
    quoted = "'" + monitor_pubkey.replace("'", "'\\''") + "'"
    node = f"cd {HOME} && venv/bin/tahoe"
    return (
        Command(name="user-customer", script="id customer || adduser --disabled-password --gecos '' customer"),
        Command(
            name="user-monitor",
            script="id monitor || adduser --disabled-password --gecos '' monitor\n"
            "install -d -m 700 -o monitor -g monitor /home/monitor/.ssh\n"
            f"printf '%s\\n' {quoted} | install -m 600 -o monitor -g monitor /dev/stdin /home/monitor/.ssh/authorized_keys",
        ),
        Command(
            name="tahoe-lafs",
            user="customer",
            script=f"cd {HOME} && python3 -m venv venv && venv/bin/pip -q install tahoe-lafs",
        ),
        Command(
            name="create-introducer",
            user="customer",
            script=f"test -e {INTRODUCER}/tahoe.cfg || ({node} create-introducer --hostname=127.0.0.1 introducer)",
        ),
        Command(
            name="create-node",
            user="customer",
            script=f"test -e {STORAGE}/tahoe.cfg || ({node} create-node --hostname=127.0.0.1 storageserver)",
        ),
        *(_unit(service, folder) for service, folder in (("introducer", INTRODUCER), ("storageserver", STORAGE))),
    )


def _unit(service: str, folder: str) -> Command:
    """A supervisor in place of 2012's crontab: today's Tahoe-LAFS has no `start` and no `restart`."""
    unit = (
        f"[Unit]\nDescription=Tahoe-LAFS {service}\nAfter=network-online.target\n\n"
        f"[Service]\nUser=customer\nExecStart={HOME}/venv/bin/tahoe run --allow-stdin-close {folder}\nRestart=on-failure\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )
    path = f"/etc/systemd/system/lae-{service}.service"
    return Command(name=f"unit-{service}", script=f"cat >{path} <<'END'\n{unit}END\nsystemctl daemon-reload")


def introducer_cfg(public_host: str) -> Secret:
    """introducer/tahoe.cfg: no secret in it, but every file goes the same way."""
    return Secret(
        "[node]\nnickname = introducer\n"
        f"tub.port = tcp:{INTRODUCER_PORT}\ntub.location = tcp:{public_host}:{INTRODUCER_PORT}\n"
    )


def storage_cfg(account: Account, *, public_host: str, private_host: str, introducer_furl: Secret) -> Secret:
    """storageserver/tahoe.cfg as the signup of 2012 wrote it: the bucket is the nickname, S3 the backend."""
    return Secret(
        f"[node]\nnickname = {account.bucket_name}\nweb.port =\n"
        f"tub.port = tcp:{STORAGE_PORT}\n"
        f"tub.location = tcp:{public_host}:{STORAGE_PORT},tcp:{private_host}:{STORAGE_PORT}\n\n"
        f"[client]\nintroducer.furl = {introducer_furl.reveal()}\n\n"
        "[storage]\nenabled = true\nbackend = s3\n"
        f"s3.access_key_id = {account.user_access_key_id}\ns3.bucket = {account.bucket_name}\n"
    )


def storage_secrets(account: Account) -> dict[str, Secret]:
    """private/s3secret, s3usertoken, s3producttoken (mode 0440); an account without tokens has no such files."""
    wanted = {
        "s3secret": account.user_secret_key,
        "s3usertoken": account.user_token,
        "s3producttoken": account.product_token,
    }
    return {f"{STORAGE}/private/{name}": secret for name, secret in wanted.items() if secret is not None}
