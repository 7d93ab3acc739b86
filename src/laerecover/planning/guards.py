"""What stops a command before the first launch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from laerecover.errors import Guarded, LaeRecoverError, Mistakes
from laerecover.options import Options
from laerecover.planning.plan import Plan
from laerecover.runbook.ledger import Round, read_ledger
from laerecover.runbook.values import DEPLOY
from laerecover.settings_reader import ABSENT, is_file
from laerecover.state.state import State
from laerecover.text import counted

if TYPE_CHECKING:
    from laerecover.planning.obstacles import Obstacle
    from laerecover.settings import Settings

NOT_STARTED = "nothing was started"


def guard_instances(planned: Plan, options: Options) -> None:
    """`--max-instances` is for the whole plan."""
    if options.limits.max_instances is not None and len(planned.recover) > options.limits.max_instances:
        raise Guarded(
            f"the plan wants {len(planned.recover)} instances, --max-instances allows {options.limits.max_instances}",
            where=str(options.places.manifest),
            next_step=f"allow more, or select fewer with --only, --except, --first; {NOT_STARTED}",
        )


def guard_files(settings: Settings) -> None:
    """Keys that no step could do without are looked for before anything is launched."""
    owners = dict.fromkeys(("admin_privkey_path", "monitor_privkey_path", "zenoss_privkey_path"), settings.config)
    paths = {name: getattr(owner, name) for name, owner in {**owners, "ca_file": settings.mail}.items()}
    absent = [(f"{name} {ABSENT}", str(path)) for name, path in paths.items() if path is not None and not is_file(path)]
    if absent:
        what = f"the settings name {counted(len(absent), 'file')} that cannot be found"
        raise Mistakes(absent, what=what, next_step=f"put each there, or name another; {NOT_STARTED}")


def guard_cloud(state: State, settings: Settings) -> None:
    """Elsewhere nobody knows of the instances that were launched: every account would get a second one."""
    if state.mode != "run" or state.cloud in ("", settings.ec2.place):
        return
    rounds = read_ledger(state.ledger).values()
    if any(latest.launched or latest.outcome == "on its way" or _perhaps(latest) for latest in rounds):
        raise Guarded(
            f"the settings say {settings.ec2.place}, but this recovery launched in {state.cloud}",
            where=f"ec2.region, ec2.endpoint · {state.folder}",
            next_step=f"name {state.cloud} again; or, once `laerecover cleanup` left nothing there, begin elsewhere "
            f"with another --state; {NOT_STARTED}",
        )


def _perhaps(latest: Round) -> bool:
    """Whether the latest launch may have been done though its answer was lost."""
    launch = latest.done(DEPLOY)
    return launch is not None and launch.kind in ("deadline", "local", "bug")


def guard_evidence_out(folder: Path) -> None:
    """What a recovery leaves for the next disaster needs a place, before there is anything to leave."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryFile(dir=folder) as probe:
            probe.write(b"\0")
    except OSError as error:
        raise LaeRecoverError(
            f"what the recovery leaves cannot be written there: {error.strerror or type(error).__name__}",
            where=str(folder),
            next_step=f"name a folder that can be written with --evidence-out; {NOT_STARTED}",
        ) from None


def guard_obstacles(obstacles: Sequence[Obstacle], options: Options) -> None:
    """What would fail every launch stops the run before the first."""
    for obstacle in obstacles:
        if obstacle.blocks and obstacle.account_id is None:
            raise Guarded(
                obstacle.message,
                where=f"{obstacle.what} · `laerecover plan {options.places.quoted}{options.places.repeated} --check` "
                f"shows all",
                next_step=f"{obstacle.remedy}; {NOT_STARTED}",
            )
