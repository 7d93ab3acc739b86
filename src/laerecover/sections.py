"""The operator's files as they may be: a model for each section of laerecover.toml, one for the config of 2012.

Importing this imports pydantic: whoever needs only the names does so for typing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator
from pydantic.fields import FieldInfo

from laerecover.ports.ingress import EVERYWHERE
from laerecover.settings_values import (
    NONE_IF_EMPTY,
    CloudAccount,
    Content,
    Endpoint,
    KeyFile,
    MailAddress,
    MailSecurity,
    Name,
    Page,
    Place,
    PlainText,
    Price,
    Ranges,
    RecipeName,
    Seconds,
    SecretFile,
    Text,
)

CONFIG_NAME = "lae_automation_config.json"


class Section(BaseModel):
    """Strict, frozen; an unknown key is refused."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def completed(cls, missing: Sequence[tuple[int | str, ...]], by: Section) -> type[Self]:
        """The same model where these settings need not be told, each by the keys that lead to it: it has what `by`
        has there.
        """
        known: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            own, alias = [keys for keys in missing if keys[0] in _called(name, field)], field.validation_alias
            inner, value = field.annotation, getattr(by, name, by)
            if not own:
                continue
            if isinstance(inner, type) and issubclass(inner, Section) and all(keys[1:] for keys in own):
                kind: Any = inner.completed([keys[1:] for keys in own], value)
                known[name] = (kind, Field(default={}, validate_default=True, validation_alias=alias))
            else:
                given = Annotated[Any, BeforeValidator(lambda _, value=value: value)]
                known[name] = (given, Field(value, validation_alias=alias))
        return create_model(cls.__name__, __base__=cls, **known)

    def changed(self, **changes: Any) -> Self:
        """A copy with these values, which nothing examines; those of a section may be given as a table."""
        own = {name: getattr(self, name) for name in changes}
        return self.model_copy(
            update={
                name: own[name].changed(**value)
                if isinstance(own[name], Section) and isinstance(value, dict)
                else value
                for name, value in changes.items()
            }
        )


def _called(name: str, field: FieldInfo) -> Sequence[object]:
    """All names by which a file may tell it."""
    alias = field.validation_alias
    return alias.choices if isinstance(alias, AliasChoices) else [alias or name]


def _products(value: object) -> object:
    """Rows that name no product were passed over in 2012, too."""
    rows = value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, dict) and row.get("product_code")]


class FilesSettings(Section):
    """[files]: where the operator's other files are. `ec2secret` is what stands in that one."""

    lae_automation_config: Place = Field(default=Path(CONFIG_NAME), validate_default=True)
    ec2secret: SecretFile = Field(default=Path("ec2secret"), validate_default=True)
    serverinfo: Place = Field(default=Path("serverinfo.csv"), validate_default=True)
    credentials: Place | None = None


class Fallback(Section):
    """A row of ec2.fallbacks: what is asked for in place of the usual, when a zone is full."""

    size: Text | None = None
    zone: Text | None = None
    subnet: Text | None = None


class Ec2Settings(Section):
    """[ec2]: where instances are launched, and what."""

    region: Text = "us-east-1"
    endpoint: Endpoint | None = None
    account: CloudAccount | None = None
    """The cloud account's number; if it is given, `plan --check` compares."""
    security_group: Text = "CustomerDefault"
    customers_from: Ranges = (EVERYWHERE,)
    """Where customers may be: ranges of addresses (or `pl-…`) that the group must let in at the nodes' ports."""
    subnet: Text | None = None
    images: Mapping[Text, Text] = {}
    sizes: Mapping[Text, Text] = {}
    image: Text | None = None
    """What to launch where neither the config's product nor the lost server tells; never guessed."""
    size: Text | None = None
    fallbacks: Annotated[tuple[Fallback, ...], Field(strict=False)] = ()
    """In this order."""
    name_tag: Literal["none", "email"] = "none"
    """`email`: the instance's name is the customer's e-mail, as it was in 2012."""

    @property
    def place(self) -> str:
        """For people."""
        return f"{self.region} at {self.endpoint}" if self.endpoint else self.region


class RecipeSettings(Section):
    """[recipe]: what the hosts get, and where the customers' buckets are."""

    name: RecipeName = "tahoe"
    s3_endpoint: Endpoint | None = None
    """If they are not at Amazon."""
    session_token: bool = False
    """Whether the store wants user and product token as session token, as DevPay did."""


class MailSettings(Section):
    """[mail]: by whom mails are sent, and to whom those go that are not the customers'."""

    host: Text
    port: int = Field(default=587, ge=1, le=65535)
    security: MailSecurity = "starttls"
    user: Annotated[Text | None, NONE_IF_EMPTY] = None
    password: Annotated[SecretFile | None, NONE_IF_EMPTY] = Field(default=None, validation_alias="password_file")
    ca_file: Annotated[KeyFile | None, NONE_IF_EMPTY] = None
    sender: MailAddress
    staff: MailAddress
    organisation: Annotated[Name | None, NONE_IF_EMPTY] = None
    contact: Annotated[Name | None, NONE_IF_EMPTY] = None
    """Whom a customer asks, in the operator's words."""
    page: Annotated[Page | None, NONE_IF_EMPTY] = None
    """Of the operator's own site: there a customer sees that the letter is genuine."""
    intro: Annotated[PlainText | None, NONE_IF_EMPTY] = Field(default=None, validation_alias="intro_file")
    """What the operator says at a letter's beginning."""


class MonitoringSettings(Section):
    """[monitoring]: without the key of its host it is left out, and that is reported."""

    host_key: Text | None = None


class RunSettings(Section):
    """[run]: who goes ahead where the command names nobody: an account's id or e-mail."""

    canary: Annotated[Name | None, NONE_IF_EMPTY] = None


class ApprovalSettings(Section):
    """[approval]: whose ssh keys may approve plans and mails, as ssh-keygen knows such files, and whether they must."""

    allowed_signers: Place | None = None
    required: bool = False

    @model_validator(mode="after")
    def _by_somebody(self) -> Self:
        if self.model_fields_set and self.allowed_signers is None:
            raise ValueError("lets nobody approve: allowed_signers is missing")
        return self


class Prices(Section):
    """[prices], in the operator's own currency; what is None is not set.

    `instances`: type of instance -> an hour of one; `instance`: an hour of any other type; `disk`, `address`: an hour
    of one instance's; `storage`: a gigabyte (10^9 bytes) of the buckets for a month.
    """

    currency: Annotated[Text | None, NONE_IF_EMPTY] = None
    instance: Price | None = None
    instances: Mapping[Text, Price] = {}
    disk: Price | None = None
    address: Price | None = None
    storage: Price | None = None

    @property
    def any_known(self) -> bool:
        """Whether there is any."""
        return bool(self.instances) or any(
            price is not None for price in (self.instance, self.disk, self.address, self.storage)
        )

    def of_instance(self, size: str | None) -> float | None:
        """An hour of one of that type."""
        return self.instances.get(size or "", self.instance)


class Waits(Section):
    """[waits]: how long to wait, in seconds of the world's clock. Defaults suit today's EC2."""

    address_poll: Seconds = 15.0
    address_deadline: Seconds = 600.0
    listen_poll: Seconds = 15.0
    listen_tries: int = Field(default=20, ge=1, le=1_000_000)
    reboot_deadline: Seconds = 600.0
    command_deadline: Seconds = 1800.0
    dial_deadline: Seconds = 120.0
    mail_deadline: Seconds = 120.0
    monitoring_deadline: Seconds = 120.0


class LaunchedAs(Section):
    """A product of the config: what its servers were launched as."""

    model_config = ConfigDict(extra="ignore")

    product_code: Text
    ami_image_id: Text | None = None
    instance_size: Text | None = None


class AutomationConfig(Section):
    """lae_automation_config.json as the operator has it since 2012; what else stands in it is passed over."""

    model_config = ConfigDict(extra="ignore")

    ec2_access_key_id: Text
    admin_keypair_name: Text = Field(validation_alias=AliasChoices("admin_keypair_name", "keypair_name"))
    admin_privkey_path: KeyFile = Field(validation_alias=AliasChoices("admin_privkey_path", "key_filename"))
    monitor_pubkey: Content = Field(validation_alias="monitor_pubkey_path")
    monitor_privkey_path: KeyFile
    zenoss_ip: Text | None = Field(default=None, validation_alias="zenoss_IP")
    zenoss_privkey_path: KeyFile | None = None
    products: Annotated[tuple[LaunchedAs, ...], BeforeValidator(_products), Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _given(cls, table: Any) -> Any:
        """What is null or empty is not told, and its older name may tell it."""
        return {key: value for key, value in table.items() if value} if isinstance(table, dict) else table

    def product(self, code: str | None) -> LaunchedAs | None:
        """The last of that code, in whatever case."""
        wanted = (code or "").upper()
        return next((each for each in reversed(self.products) if each.product_code.upper() == wanted), None)
