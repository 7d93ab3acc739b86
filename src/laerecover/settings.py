"""The operator's side of a recovery: laerecover.toml, lae_automation_config.json, ec2secret."""

from __future__ import annotations

import dataclasses
import functools
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from laerecover.manifest import Account, Secret
from laerecover.ports.endpoints import refused_endpoints
from laerecover.ports.ingress import EVERYWHERE, network_of
from laerecover.prices import Prices, priced
from laerecover.settings_reader import SettingsReader

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
    dial_deadline: float = 120.0
    mail_deadline: float = 120.0
    monitoring_deadline: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the steps need that is not of one account (the HOWTO's lae_automation_config.json, ec2secret, signup.py)."""

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
    customers_from: tuple[str, ...] = (EVERYWHERE,)
    """Where customers may be: ranges of addresses (or `pl-…`) that the group must let in at the nodes' ports."""
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
    """Where the customers' buckets are, if not at Amazon; `s3_endpoints`: account -> where its own is, if elsewhere."""
    s3_endpoints: Mapping[str, str] = field(default_factory=dict)
    session_token: bool = False
    """Whether the store wants user and product token as session token, as DevPay did."""
    allowed_signers: Path | None = None
    """Whose ssh keys may approve plans and mails, as ssh-keygen knows such files."""
    approval_required: bool = False
    """Whether nothing is launched or mailed that none of them has signed."""
    prices: Prices = field(default_factory=Prices)
    waits: Waits = field(default_factory=Waits)

    @property
    def cloud(self) -> str:
        """Where instances are launched."""
        return f"{self.region} at {self.endpoint}" if self.endpoint else self.region

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
    return resources.files("laerecover").joinpath("settings.example.toml").read_text("utf-8")


def drill_settings(folder: Path) -> Settings:
    """What a drill needs, nothing of it anybody's. In the twin the waits are the HOWTO's; a rig brings its settings."""
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
    """Read the settings file with the files that it names. Raises LaeRecoverError, naming all that is wrong at once."""
    read = SettingsReader(path)
    table = read.parsed(path, tomllib.loads)
    read.refuse()  # Where there is no file, a list of all that is not in it would help nobody.
    files, ec2, mail, approval = (read.section(table, name) for name in ("files", "ec2", "mail", "approval"))
    monitoring, waits, recipe = (read.section(table, name) for name in ("monitoring", "waits", "recipe"))
    read.known(table, ("approval", "files", "ec2", "mail", "monitoring", "prices", "recipe", "waits"), "")
    read.known(approval, ("allowed_signers", "required"), "approval.")
    read.one_of(approval.get("required", False), (False, True), "approval.required")
    read.known(recipe, ("name", "s3_endpoint", "session_token"), "recipe.")
    read.one_of(mail.get("security", "starttls"), ("starttls", "tls"), "mail.security (mail without TLS is refused)")
    read.one_of(recipe.get("name", "tahoe"), tuple(RECIPES), "recipe.name")
    read.one_of(recipe.get("session_token", False), (False, True), "recipe.session_token")
    read.one_of(ec2.get("name_tag", "none"), ("none", "email"), "ec2.name_tag")
    for wrong in refused_endpoints(("ec2.endpoint", ec2), ("recipe.s3_endpoint", recipe)):
        read.note(wrong)
    config_path = path.parent / str(files.get("lae_automation_config", "lae_automation_config.json"))
    config = read.parsed(config_path, json.loads, "files.lae_automation_config")
    need = functools.partial(read.need, config, config_path)
    monitor_pubkey = need("monitor_pubkey_path")
    password_file, zenoss_key = mail.get("password_file"), config.get("zenoss_privkey_path")
    settings = Settings(
        ec2_access_key_id=need("ec2_access_key_id"),
        ec2_secret_key=Secret(_text(read, path.parent / str(files.get("ec2secret", "ec2secret")), "files.ec2secret")),
        admin_keypair_name=need("admin_keypair_name", "keypair_name"),
        admin_privkey_path=_beside(config_path, need("admin_privkey_path", "key_filename")),
        monitor_pubkey=(
            _text(read, _beside(config_path, monitor_pubkey), f"monitor_pubkey_path of {config_path}")
            if monitor_pubkey
            else ""
        ),
        monitor_privkey_path=_beside(config_path, need("monitor_privkey_path")),
        sender=read.need(mail, path, "sender"),
        staff=read.need(mail, path, "staff"),
        serverinfo=path.parent / str(files.get("serverinfo", "serverinfo.csv")),
        region=str(ec2.get("region", "us-east-1")),
        endpoint=ec2.get("endpoint"),
        account=str(ec2["account"]) if "account" in ec2 else None,
        security_group=str(ec2.get("security_group", "CustomerDefault")),
        customers_from=_places(read, ec2.get("customers_from", [EVERYWHERE])),
        subnet=ec2.get("subnet"),
        images=dict(read.section(ec2, "images")),
        image=ec2.get("image"),
        size=ec2.get("size"),
        sizes=dict(read.section(ec2, "sizes")),
        fallbacks=_fallbacks(read, ec2),
        name_tag=str(ec2.get("name_tag", "none")),
        products=_products(config),
        zenoss_ip=config.get("zenoss_IP"),
        zenoss_privkey_path=_beside(config_path, str(zenoss_key)) if zenoss_key else None,
        zenoss_host_key=monitoring.get("host_key"),
        smtp_host=read.need(mail, path, "host"),
        smtp_port=int(read.number(mail.get("port", 587), "mail.port")),
        smtp_security=str(mail.get("security", "starttls")),
        smtp_user=mail.get("user"),
        smtp_password=(
            Secret(_text(read, path.parent / str(password_file), "mail.password_file")) if password_file else None
        ),
        smtp_ca_file=_beside(path, str(mail["ca_file"])) if mail.get("ca_file") else None,
        recipe=str(recipe.get("name", "tahoe")),
        s3_endpoint=recipe.get("s3_endpoint"),
        session_token=recipe.get("session_token") is True,
        allowed_signers=path.parent / read.need(approval, path, "allowed_signers") if approval else None,
        approval_required=approval.get("required") is True,
        prices=priced(read.section(table, "prices"), read),
        waits=_waits(read, waits),
    )
    read.refuse()
    return settings


def _text(read: SettingsReader, file: Path | str, named_by: str) -> str:
    return read.text(Path(file), named_by).strip()


def _waits(read: SettingsReader, waits: Mapping[str, Any]) -> Waits:
    names = {f.name for f in dataclasses.fields(Waits)}
    read.known(waits, names, "waits.")
    told: dict[str, Any] = {key: read.number(waits[key], f"waits.{key}") for key in waits.keys() & names}
    return Waits(**told)


def _places(read: SettingsReader, value: object) -> tuple[str, ...]:
    found = tuple(map(str, value)) if isinstance(value, list) else ()
    if not found or not all(place.startswith("pl-") or network_of(place) for place in found):
        read.note('ec2.customers_from is no list of ranges: write ["0.0.0.0/0"], or narrower ones')
    return found


def _fallbacks(read: SettingsReader, ec2: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    rows = ec2.get("fallbacks", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        read.note('ec2.fallbacks is no list of tables: write { size = "…", zone = "…" } for each')
        return ()
    for row in rows:
        read.known(row, ("size", "zone", "subnet"), "ec2.fallbacks.")
    return tuple({key: str(value) for key, value in row.items()} for row in rows)


def _products(config: Mapping[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    rows = config.get("products")
    found = [p for p in rows if isinstance(p, dict) and p.get("product_code")] if isinstance(rows, list) else []
    return {str(p["product_code"]).upper(): (p.get("ami_image_id"), p.get("instance_size")) for p in found}


def _beside(path: Path, name: str) -> str:
    return str(path.parent / Path(name).expanduser())
