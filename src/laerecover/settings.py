"""The operator's side of a recovery: laerecover.toml, lae_automation_config.json, ec2secret."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Account, Secret

DEFAULT_NAME = "laerecover.toml"
RECIPES = ("tahoe", "legacy-2012-s3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long to wait, in seconds of the world's clock. Defaults suit today's EC2."""

    address_poll: float = 15.0
    address_deadline: float = 600.0
    listen_poll: float = 15.0
    listen_tries: int = 20
    reboot_deadline: float = 600.0
    command_deadline: float = 1800.0
    mail_deadline: float = 120.0
    monitoring_deadline: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the steps need that is not of one account (the HOWTO's lae_automation_config.json, ec2secret, signup.py)."""

    ec2_access_key_id: str
    ec2_secret_key: Secret
    admin_keypair_name: str
    admin_privkey_path: str
    monitor_pubkey: str
    monitor_privkey_path: str
    sender: str
    staff: str
    serverinfo: Path
    region: str = "us-east-1"
    endpoint: str | None = None
    account: str | None = None
    """The cloud account's number; if it is given, `plan --check` compares."""
    security_group: str = "CustomerDefault"
    subnet: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    """What to launch where neither the config's product nor the lost server tells; never guessed."""
    size: str | None = None
    fallbacks: tuple[Mapping[str, str], ...] = ()
    """Where to go when a zone is full, in this order: each replaces size, zone, subnet, or several of them."""
    name_tag: str = "none"
    """`email`: the instance's name is the customer's e-mail, as it was in 2012."""
    products: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    zenoss_ip: str | None = None
    zenoss_privkey_path: str | None = None
    zenoss_host_key: str | None = None
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_user: str | None = None
    smtp_password: Secret | None = None
    smtp_ca_file: str | None = None
    evidence_out: Path = Path("evidence")
    """Where the recovery leaves its own evidence; `--evidence-out`, else `evidence/` in the state folder."""
    recipe: str = "tahoe"
    s3_endpoint: str | None = None
    """Where the customers' buckets are, if not at Amazon."""
    session_token: bool = False
    """Whether the store wants user and product token as session token, as DevPay did."""
    waits: Waits = field(default_factory=Waits)

    def image_of(self, account: Account) -> str | None:
        """The HOWTO's *amiimageid*: that of the product in the config, else the lost server's, through the mapping."""
        wanted = self.products.get(account.product_code or "", (None, None))[0] or account.ami_image_id
        return self.images.get(wanted, wanted) if wanted else self.image

    def size_of(self, account: Account) -> str | None:
        """The HOWTO's *instancesize*, found as the image is."""
        wanted = self.products.get(account.product_code or "", (None, None))[1] or account.instance_size
        return self.sizes.get(wanted, wanted) if wanted else self.size


def example() -> str:
    """The commented settings file that `laerecover settings --example` prints."""
    return resources.files("laerecover").joinpath("templates/settings.example.toml").read_text("utf-8")


def drill_settings(folder: Path) -> Settings:
    """What a drill needs: nothing of it is anybody's. In the twin the waits are the HOWTO's own; a rig brings its settings."""
    rehearsal = folder / "rehearsal" / DEFAULT_NAME
    if rehearsal.is_file():
        return read_settings(rehearsal)
    return Settings(
        ec2_access_key_id="DRILL",
        ec2_secret_key=Secret("drill"),
        admin_keypair_name="drill",
        admin_privkey_path="",
        monitor_pubkey="ssh-ed25519 DRILL monitor",
        monitor_privkey_path="",
        sender="support@example.org",
        staff="staff@example.org",
        serverinfo=folder / "serverinfo.csv",
        evidence_out=folder / "evidence",
        zenoss_ip="192.0.2.10",
        image="ami-00000000",
        size="t1.micro",
        waits=Waits(address_poll=30.0, listen_tries=5),
    )


def read_settings(path: Path) -> Settings:
    """Read the settings file with the files that it names. Raises LaeRecoverError, naming file and key."""
    table = _parse(path, tomllib.loads)
    files, ec2, mail = (_section(table, name, path) for name in ("files", "ec2", "mail"))
    monitoring, waits = _section(table, "monitoring", path), _section(table, "waits", path)
    recipe = _section(table, "recipe", path)
    _refuse_unknown(table, {"files", "ec2", "mail", "monitoring", "recipe", "waits"}, path, "")
    config_path = path.parent / str(files.get("lae_automation_config", "lae_automation_config.json"))
    config = _parse(config_path, json.loads)
    password_file = mail.get("password_file")
    if mail.get("security", "starttls") not in ("starttls", "tls"):
        raise _error("mail without TLS is refused", path, 'set mail.security to "starttls" or "tls"')
    _refuse_unknown(recipe, {"name", "s3_endpoint", "session_token"}, path, "recipe.")
    if recipe.get("name", "tahoe") not in RECIPES:
        raise _error("recipe.name names no recipe", path, f"known are: {', '.join(RECIPES)}")
    if not isinstance(recipe.get("session_token", False), bool):
        raise _error("recipe.session_token is neither true nor false", path, "mend it; nothing was started")
    if ec2.get("name_tag", "none") not in ("none", "email"):
        raise _error("ec2.name_tag is neither none nor email", path, "mend it; nothing was started")
    known = {f.name: f.type for f in dataclasses.fields(Waits)}
    _refuse_unknown(waits, set(known), path, "waits.")
    checked_waits = _waits(waits, path)
    return Settings(
        ec2_access_key_id=_need(config, "ec2_access_key_id", config_path),
        ec2_secret_key=Secret(_text(path.parent / str(files.get("ec2secret", "ec2secret"))).strip()),
        admin_keypair_name=_need(config, "admin_keypair_name", config_path, "keypair_name"),
        admin_privkey_path=_beside(config_path, _need(config, "admin_privkey_path", config_path, "key_filename")),
        monitor_pubkey=_text(Path(_beside(config_path, _need(config, "monitor_pubkey_path", config_path)))).strip(),
        monitor_privkey_path=_beside(config_path, _need(config, "monitor_privkey_path", config_path)),
        sender=_need(mail, "sender", path),
        staff=_need(mail, "staff", path),
        serverinfo=path.parent / str(files.get("serverinfo", "serverinfo.csv")),
        region=str(ec2.get("region", "us-east-1")),
        endpoint=ec2.get("endpoint"),
        account=str(ec2["account"]) if "account" in ec2 else None,
        security_group=str(ec2.get("security_group", "CustomerDefault")),
        subnet=ec2.get("subnet"),
        images=dict(ec2.get("images", {})),
        image=ec2.get("image"),
        size=ec2.get("size"),
        sizes=dict(ec2.get("sizes", {})),
        fallbacks=_fallbacks(ec2, path),
        name_tag=str(ec2.get("name_tag", "none")),
        products=_products(config),
        zenoss_ip=config.get("zenoss_IP"),
        zenoss_privkey_path=_beside(config_path, config["zenoss_privkey_path"])
        if config.get("zenoss_privkey_path")
        else None,
        zenoss_host_key=monitoring.get("host_key"),
        smtp_host=_need(mail, "host", path),
        smtp_port=int(mail.get("port", 587)),
        smtp_security=str(mail.get("security", "starttls")),
        smtp_user=mail.get("user"),
        smtp_password=Secret(_text(path.parent / str(password_file)).strip()) if password_file else None,
        smtp_ca_file=_beside(path, str(mail["ca_file"])) if mail.get("ca_file") else None,
        recipe=str(recipe.get("name", "tahoe")),
        s3_endpoint=recipe.get("s3_endpoint"),
        session_token=recipe.get("session_token", False),
        waits=checked_waits,
    )


def _fallbacks(ec2: Mapping[str, Any], path: Path) -> tuple[Mapping[str, str], ...]:
    rows = ec2.get("fallbacks", [])
    for row in rows if isinstance(rows, list) else [rows]:
        if not isinstance(row, dict):
            raise _error("ec2.fallbacks is no list of tables", path, 'write { size = "…", zone = "…" } for each')
        _refuse_unknown(row, {"size", "zone", "subnet"}, path, "ec2.fallbacks.")
    return tuple({key: str(value) for key, value in row.items()} for row in rows)


def _waits(waits: Mapping[str, Any], path: Path) -> Waits:
    for key, value in waits.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise _error(
                f"waits.{key} is no positive number", path, "give seconds, as `laerecover settings --example` does"
            )
    return Waits(**waits)


def _products(config: Mapping[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    rows = config.get("products")
    found = [p for p in rows if isinstance(p, dict) and p.get("product_code")] if isinstance(rows, list) else []
    return {str(p["product_code"]).upper(): (p.get("ami_image_id"), p.get("instance_size")) for p in found}


def _parse(path: Path, loads: Any) -> dict[str, Any]:
    try:
        parsed = loads(_text(path))
    except ValueError as error:
        raise _error(
            f"that file cannot be read: {type(error).__name__}",
            path,
            "mend it; `laerecover settings --example` prints one",
        ) from None
    if not isinstance(parsed, dict):
        raise _error("that file holds no table", path, "mend it; nothing was started")
    return parsed


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise _error(
            f"a file cannot be read: {reason}", path, "see `laerecover settings --example`; nothing was started"
        ) from None


def _section(table: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    section = table.get(name, {})
    if not isinstance(section, dict):
        raise _error(f"[{name}] is no table", path, "see `laerecover settings --example`; nothing was started")
    return section


def _refuse_unknown(table: Mapping[str, Any], known: set[str], path: Path, prefix: str) -> None:
    for key in table:
        if key not in known:
            raise _error(f"{prefix}{key} is no setting", path, f"known are: {', '.join(sorted(known))}")


def _need(table: Mapping[str, Any], key: str, path: Path, *older: str) -> str:
    value = next((table[k] for k in (key, *older) if table.get(k)), None)
    if not isinstance(value, str):
        raise _error(f"{key} is missing", path, f"add {key} and run again; nothing was started")
    return value


def _beside(path: Path, name: str) -> str:
    return str(path.parent / Path(name).expanduser())


def _error(what: str, path: Path, next_step: str) -> LaeRecoverError:
    return LaeRecoverError(what, where=str(path), next_step=next_step)
