"""What was given on the command line, for all commands alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laerecover.credentials import changed_credentials, endpoints_of, with_changed
from laerecover.errors import LaeRecoverError, together
from laerecover.hosts.vault import Vault
from laerecover.manifest import Manifest, default_key_file, key_fingerprint, read_key, refuse_missing
from laerecover.runbook.limits import Limits
from laerecover.selection import Selection
from laerecover.settings_reader import DEFAULT_NAME
from laerecover.state.opening import read_state
from laerecover.state.state import State
from laerecover.text import shell_word

if TYPE_CHECKING:
    from laerecover.settings import Settings

_PLACES, _WORK = ("key_file", "settings"), ("selection", "evidence_out", "mail", "max_instances")
TAKES = {
    "drill": ("key_file", *_WORK),
    "run": (*_PLACES, *_WORK, "canary", "name_tag", "disaster_at", "min_grade"),
    "notify": (*_PLACES, "selection"),
    "resolve": _PLACES,
    "plan": (*_PLACES, "selection", "name_tag", "disaster_at", "min_grade"),
    "patch": _PLACES,
    "report": _PLACES,
    "cleanup": _PLACES,
}
"""Command -> those of its options that change what it means, so that they are said again where it is proposed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things lie: the manifest, its key, the state folder, the operator's settings."""

    manifest: Path
    state: Path | None = None
    key_file: Path | None = None
    settings: Path | None = None

    def read(self) -> Manifest:
        """The manifest, with the credentials that changed since. Raises ManifestError, LaeRecoverError."""
        from laerecover.manifest import (
            read_manifest,  # It needs Arrow, which takes longer to load than `status` to run.
        )

        manifest, changed = together(
            lambda: read_manifest(self.manifest, key_file=self.key_file),
            lambda: changed_credentials(self.settings_file),
        )
        return with_changed(manifest, changed, self.settings_file)

    @property
    def quoted(self) -> str:
        """The manifest's path, to be typed in a shell."""
        return shell_word(str(self.manifest))

    @property
    def repeated(self) -> str:
        """What every further command about this manifest must name again, with a space before it."""
        return "" if self.key_file is None else f" --key-file {shell_word(str(self.key_file))}"

    @property
    def key(self) -> Path:
        """--key-file, else the user's own."""
        return self.key_file or default_key_file()

    def fingerprint(self) -> str:
        """Of the key, for people. Raises KeyFileRefused."""
        return key_fingerprint(self.key, manifest=self.manifest)

    def vault(self, folder: Path) -> Vault:
        """The state's secrets, under the manifest's key."""
        return Vault(folder / "secrets", read_key(self.key, manifest=self.manifest))

    def folder(self, mode: str) -> Path:
        """The state folder: --state, or `<manifest>.state` for runs and `<manifest>.drill` for drills."""
        return self.state or Path(f"{self.manifest}.{'state' if mode == 'run' else 'drill'}")

    @property
    def settings_file(self) -> Path:
        """--settings, or laerecover.toml beside the manifest."""
        return self.settings or self.manifest.parent / DEFAULT_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a human says, with the reason: `accept` (accounts whose old servers do no harm), that nobody can dial.

    `not_dialled`: False takes that back.
    """

    accept: tuple[str, ...] = ()
    not_dialled: bool | None = None
    because: str | None = None

    @property
    def reason(self) -> str:
        """The reason without its edges; "" is none."""
        return (self.because or "").strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillOptions:
    """What only a drill is asked: its mishaps, its world (`twin` or `rig`), its pace (1.0: as slow as real clouds)."""

    seed: int | None = None
    faults: str = ""
    """Empty, or `seed:N`."""
    world: str = "twin"
    prove: bool = False
    hosts: str = "light"
    """On a rig: `light`, or an image that systemd runs: `systemd` (Debian 12), `debian13`."""
    pace: float = 0.01
    again: bool = False
    crash_at: str = ""

    @property
    def drawn(self) -> int:
        """By which the mishaps are drawn: --seed, else the N of --faults, else 1."""
        return self.seed if self.seed is not None else int(self.faults.removeprefix("seed:") or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was given to a command, by what it is about; beside that how the work is done."""

    places: Places
    selection: Selection = field(default_factory=Selection)
    limits: Limits = field(default_factory=Limits)
    consent: Consent = field(default_factory=Consent)
    drill: DrillOptions = field(default_factory=DrillOptions)
    concurrency: int = 8
    mail: str = "hold"
    evidence_out: Path | None = None
    name_tag: str | None = None
    new_identity: bool = False
    disaster_at: str | None = None
    min_grade: str | None = None
    """Accounts of a lesser grade wait; None: as was said last."""
    approved_by: Path | None = None
    """A signature of the plan, or of the mails."""

    def __post_init__(self) -> None:
        """Refuse what is no time when it is given, not when it is first needed. Raises LaeRecoverError."""
        _ = self.lost_at

    @property
    def lost_at(self) -> datetime | None:
        """--disaster-at, UTC unless it says otherwise. Raises LaeRecoverError."""
        if self.disaster_at is None:
            return None
        try:
            said = datetime.fromisoformat(self.disaster_at)
        except ValueError:
            raise LaeRecoverError(
                f"{self.disaster_at!r} is no time",
                where="--disaster-at",
                next_step="write it as 2026-11-02T10:00:00+00:00; nothing was started",
            ) from None
        when = said if said.tzinfo else said.replace(tzinfo=UTC)
        if when > datetime.now(UTC):
            raise LaeRecoverError(
                f"{self.disaster_at!r} is still to come, so nothing could have been written after it",
                where="--disaster-at",
                next_step="say when the servers were lost; nothing was started",
            )
        return when

    def repeat(self, command: str, *, state: bool = False) -> str:
        """The options of `command` as they were given, to be typed again, with a space before each.

        `state`: --state, too.
        """
        words: list[str] = [] if self.places.state is None or not state else ["--state", str(self.places.state)]
        for name in TAKES[command]:
            owner = next(each for each in (self, self.places, self.limits) if hasattr(each, name))
            value = getattr(owner, name)
            if name == "selection":
                words += self.selection.words
            elif name == "canary":
                words += ["--canary", value] if isinstance(value, str) else [] if value else ["--no-canary"]
            elif value is not None and (name, value) != ("mail", "hold"):
                words += [f"--{name.replace('_', '-')}", str(value)]
        return "".join(f" {shell_word(word)}" for word in words)

    def again(self, command: str) -> str:
        """Another command about the same recovery, to be typed."""
        return f"laerecover {command} {self.places.quoted}{self.repeat(command, state=True)}"

    def read_settings(self) -> Settings:
        """The operator's settings. Raises LaeRecoverError."""
        from laerecover.settings import read_settings

        return read_settings(self.places.settings_file)

    @property
    def has_settings(self) -> bool:
        """Whether the operator's settings were named, or lie where they are looked for."""
        return self.places.settings is not None or self.places.settings_file.is_file()

    def settings_to_plan(self, folder: Path) -> tuple[Settings, tuple[str, ...]]:
        """The operator's settings as far as they are filled in, and what is missing in them; a drill's, if there are
        none.
        """
        from laerecover.settings import drill_settings, unfinished_settings

        if not self.has_settings:
            return drill_settings(folder), ()
        settings, missing = unfinished_settings(self.places.settings_file, folder)
        return (settings, missing) if missing else (self.settings_for("run", folder), ())

    def read(
        self, mode: str, folder: Path, *, also: Callable[[Settings], None] = lambda _: None
    ) -> tuple[Manifest, Settings]:
        """The manifest, and the settings for that mode; `also` says what else is wrong with these.

        Raises ManifestError, LaeRecoverError: one that tells the mistakes of all of them.
        """

        def settings() -> Settings:
            found = self.settings_for(mode, folder)
            also(found)
            return found

        manifest, found = together(self.places.read, settings)
        changed = changed_credentials(self.places.settings_file) if mode == "run" else ()
        return manifest, found.changed(s3_endpoints=endpoints_of(manifest, changed)) if changed else found

    def settings_for(self, mode: str, folder: Path) -> Settings:
        """A drill's settings or the operator's, with what the options replace in them."""
        from laerecover.settings import drill_settings

        settings = drill_settings(folder) if mode == "drill" else self.read_settings()
        settings = settings.changed(evidence_out=self.evidence_out or folder / "evidence")
        return settings.changed(ec2={"name_tag": self.name_tag}) if self.name_tag else settings


_PARTS = {"places": Places, "selection": Selection, "limits": Limits, "consent": Consent, "drill": DrillOptions}


def make_options(**given: Any) -> Options:
    """Options by their names alone, each put where it belongs; a whole part may be given, too."""
    for part, kind in _PARTS.items():
        own = {f.name: given.pop(f.name) for f in fields(kind) if f.name in given}
        if own:
            given[part] = replace(given[part], **own) if part in given else kind(**own)
    return Options(**given)


def now() -> datetime:
    """The time of the machine, UTC-aware."""
    return datetime.now(UTC)


def find_state(options: Options) -> State:
    """The state that `status`, `report`, `notify`, `resolve` look at: --state, the run's, else the drill's."""
    folders = (
        [options.places.state]
        if options.places.state
        else [options.places.folder("run"), options.places.folder("drill")]
    )
    for folder in folders:
        state = read_state(folder)
        if state is not None and (state.started_at is not None or options.places.state):
            return state
    refuse_missing(options.places.manifest)
    raise LaeRecoverError(
        "nothing was started yet",
        where=", ".join(str(folder) for folder in folders),
        next_step=f"begin with `laerecover drill {options.places.quoted}{options.repeat('drill')}`",
    )
