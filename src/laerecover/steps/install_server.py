"""install_server: a bare instance becomes a host with its users, its packages and two empty nodes."""

from __future__ import annotations

from laerecover.manifest import Secret
from laerecover.recipes import BOOT_NOTE, recipe_named
from laerecover.steps.work import Link, Values, Work


def install_server(work: Work) -> Values:
    """As in the HOWTO: packages, a reboot that the boot id proves, users, Tahoe-LAFS; then a log-in as monitor.

    Values: boot_id. Fails: `not_listening` (the runbook tries again), `host_key`, `command_failed`, `deadline`.
    """
    if work.attempt > 1:
        work.waiting("the host to listen", work.settings.waits.listen_poll)
        work.world.clock.sleep(work.settings.waits.listen_poll)
    recipe = recipe_named(work.settings.recipe)
    with work.link(patient=False) as link:
        link.host()
    with work.link(patient=True) as link:
        link.commands(recipe.before_reboot())
        boot_id = _reboot_once(work, link)
        link.commands(recipe.after_reboot(work.settings.monitor_pubkey))
    with work.link(patient=True, user="monitor") as monitor:
        monitor.ask(lambda host: host.boot_id(), "log-in as monitor")
    return {"boot_id": boot_id}


def _reboot_once(work: Work, link: Link) -> str:
    """Reboot unless the boot id differs from the one noted on the host before; gives the new one."""

    def noted(path: str) -> Secret:
        before = link.ask(lambda host: host.read(path) if host.stat([path]) else None, "boot id")
        if before is not None:
            return before
        current = Secret(link.ask(lambda host: host.boot_id(), "boot id"))
        link.place(path, current, mode=0o644, owner="root")
        return current

    before = noted(BOOT_NOTE).reveal().strip()

    def rebooted() -> str | None:
        now = link.host().boot_id()
        return now if now != before else None

    def reboot() -> None:
        link.host().reboot()
        link.drop()

    return work.ensure(rebooted, reboot, within=work.settings.waits.reboot_deadline, what="reboot", link=link)
