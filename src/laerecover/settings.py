"""The operator's side of a recovery: laerecover.toml, lae_automation_config.json, ec2secret.

Importing this imports pydantic: whoever needs only the names does so for typing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from pydantic import Field

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Account, Secret
from laerecover.sections import (
    CONFIG_NAME,
    ApprovalSettings,
    AutomationConfig,
    Ec2Settings,
    FilesSettings,
    MailSettings,
    MonitoringSettings,
    Prices,
    RecipeSettings,
    RunSettings,
    Section,
    Waits,
)
from laerecover.settings_reader import DEFAULT_NAME, DRILL_IMAGE, OperatorFile, refusal
from laerecover.settings_values import RecipeName, place
from laerecover.text import shell_word

RECIPES: tuple[str, ...] = get_args(RecipeName)


class SettingsFile(Section):
    """laerecover.toml, with the files that its sections name."""

    ec2: Ec2Settings = Ec2Settings()
    recipe: RecipeSettings = RecipeSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    run: RunSettings = RunSettings()
    approval: ApprovalSettings = ApprovalSettings()
    prices: Prices = Prices()
    waits: Waits = Waits()
    files: FilesSettings = Field(default={}, validate_default=True)
    mail: MailSettings = Field(default={}, validate_default=True)


class Settings(SettingsFile):
    """What the steps need that is not of one account (the HOWTO's lae_automation_config.json, ec2secret, signup.py)."""

    config: AutomationConfig
    s3_endpoints: Mapping[str, str] = {}
    """Account -> where its bucket is, if elsewhere than all (`recipe.s3_endpoint`)."""
    evidence_out: Path = Path("evidence")
    """Where the recovery leaves its own evidence; `--evidence-out`, else `evidence/` in the state folder."""

    def s3_endpoint_of(self, account: Account) -> str | None:
        """Where its bucket is; None: at Amazon."""
        return self.s3_endpoints.get(account.account_id, self.recipe.s3_endpoint)

    def image_of(self, account: Account) -> str | None:
        """The HOWTO's *amiimageid*: that of the product in the config, else the lost server's, through the mapping."""
        product = self.config.product(account.product_code)
        wanted = (product and product.ami_image_id) or account.ami_image_id
        return self.ec2.images.get(wanted, wanted) if wanted else self.ec2.image

    def size_of(self, account: Account) -> str | None:
        """The HOWTO's *instancesize*, found as the image is."""
        product = self.config.product(account.product_code)
        wanted = (product and product.instance_size) or account.instance_size
        return self.ec2.sizes.get(wanted, wanted) if wanted else self.ec2.size


def drill_settings(folder: Path) -> Settings:
    """What a drill needs, nothing of it anybody's. In the twin the waits are the HOWTO's; a rig brings its settings."""
    rehearsal = folder / "rehearsal" / DEFAULT_NAME
    if rehearsal.is_file():
        return read_settings(rehearsal)
    return Settings(
        files=FilesSettings.model_construct(ec2secret=Secret("drill"), serverinfo=folder / "serverinfo.csv"),
        ec2=Ec2Settings(image=DRILL_IMAGE, size="t1.micro"),
        mail=MailSettings(host="smtp.example.org", sender="support@example.org", staff="staff@example.org"),
        config=AutomationConfig.model_construct(
            ec2_access_key_id="DRILL",
            admin_keypair_name="drill",
            admin_privkey_path=Path(),
            monitor_pubkey="ssh-ed25519 DRILL monitor",
            monitor_privkey_path=Path(),
            zenoss_ip="192.0.2.10",
        ),
        evidence_out=folder / "evidence",
        waits=Waits(address_poll=30.0, listen_tries=5),
    )


def read_settings(path: Path) -> Settings:
    """Read the settings file with the files that it names. Raises LaeRecoverError, naming all that is wrong at once."""
    told, beside = _files(path)
    read, config = told.read(SettingsFile), beside.read(AutomationConfig)
    if read is None or config is None:
        raise refusal([*told.mistakes, *told.absent, *beside.mistakes, *beside.absent])
    return Settings(**dict(read), config=config)


def unfinished_settings(path: Path, folder: Path) -> tuple[Settings, tuple[str, ...]]:
    """For a plan that asks nobody: what the settings tell by now, and what is missing in them, each with its place.

    In place of that alone stands what drills have. Raises LaeRecoverError if anything that is told is wrong.
    """
    told, beside = _files(path)
    whole, config = told.read(SettingsFile), beside.read(AutomationConfig)
    if told.wrong or beside.wrong:
        raise refusal([*told.mistakes, *beside.mistakes])
    own = drill_settings(folder)
    if whole is None:
        whole = OperatorFile(path).read(SettingsFile.completed(told.lacking, own))
    if config is None and beside.table:
        config = OperatorFile(beside.path, is_json=True).read(AutomationConfig.completed(beside.lacking, own.config))
    known = {**dict(own), **dict(whole or {}), "config": config or own.config}
    missing = [*told.mistakes, *told.absent, *beside.mistakes, *beside.absent]
    return Settings.model_construct(**known), tuple(f"{what} · {where}" for what, where in missing)


def _files(path: Path) -> tuple[OperatorFile, OperatorFile]:
    """The settings file and the config of 2012 that it names. Raises LaeRecoverError where there is none."""
    told = OperatorFile(path)
    if not path.exists():
        raise LaeRecoverError(
            "there are no settings yet",
            where=str(path),
            next_step=f"`laerecover settings --example > {shell_word(str(path))}`, and fill it in; nothing was started",
        )
    if told.mistakes:  # Where there is no file, a list of all that is not in it would help nobody.
        raise refusal(told.mistakes)
    files = told.table.get("files", {})
    try:
        name = files.get("lae_automation_config", CONFIG_NAME) if isinstance(files, dict) else None
        return told, OperatorFile(place(name, path.parent), is_json=True, named="files.lae_automation_config")
    except ValueError:  # That is among the mistakes.
        told.read(SettingsFile)
        raise refusal(told.mistakes) from None
