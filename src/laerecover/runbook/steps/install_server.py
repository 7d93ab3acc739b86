"""install_server: a bare instance becomes a host that is surely ours, with its users, packages and nodes."""

from __future__ import annotations

from laerecover.errors import StepFailed
from laerecover.hosts.host_keys import HOST_KEY_FILE, HOST_KEY_PUBLIC, LOGIN, HostKey, derive_host_key
from laerecover.hosts.recipes.debian import CLOUD_INIT
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import BOOT_NOTE
from laerecover.manifest import Secret
from laerecover.ports.refusals import Refusal, WorldError
from laerecover.runbook.values import DEPLOY, TO_LISTEN, Installed
from laerecover.runbook.work import Link, Work
from laerecover.text import clean_end

_HOST_KEY_SECONDS = 300.0
_CLOUD_INIT_SECONDS = 600.0
_NOT_LET_IN = (
    f"the user data has cloud-init let {LOGIN} in, with the public half of admin_keypair_name; is admin_privkey_path "
    f"its "
    "private half, and has the image cloud-init? An instance that an older version of laerecover launched knows only "
    "the users of its image: end it with `laerecover cleanup`, and run again"
)
_CONSOLE_SHOWN = 400


def install_server(work: Work) -> Installed:
    """As in the HOWTO: packages, a reboot that the boot id proves, users, Tahoe-LAFS; then a log-in as monitor.

    Before all that cloud-init is waited for, and the host's key is replaced by one that nobody else can know.
    Fails: `not_listening` (the runbook tries again), `host_key`, `command_failed`, `disk_full`,
    `reboot_failed` (with the end of the console's output), `deadline`.
    """
    if work.attempt > 1:
        work.waiting(TO_LISTEN, work.settings.waits.listen_poll)
        work.world.clock.sleep(work.settings.waits.listen_poll)
    recipe = recipe_named(work.settings.recipe.name)
    before, after = recipe.before_reboot(), recipe.after_reboot(work.settings.config.monitor_pubkey)
    replaced = replace_host_key(work)
    with work.link(patient=True) as link:
        if not replaced:
            _after_cloud_init(work, link)
        link.place(HOST_KEY_PUBLIC, Secret(f"{_final_key(work).public}\n"), mode=0o644, owner="root")
        link.commands(before, [*before, *after])
        boot_id = _reboot_once(work, link)
        link.commands(after, [*before, *after])
    with work.link(patient=True, user="monitor") as monitor:
        monitor.ask(lambda host: host.boot_id(), "log-in as monitor")
    return Installed(boot_id=boot_id)


def replace_host_key(work: Work) -> bool:
    """Have the host answer with its final key; whether that was still to be done, after cloud-init.

    User data can be read by others, hence no secret before this is done.

    Wherever an earlier run was killed, the host answers with one of two keys. A third one is somebody else's: it gets
    no bytes of authentication, and nothing is tried again.
    """
    # The final key is asked for twice: it may have come into force between the questions.
    listened = False

    def probe() -> bool | None:
        refusal: Refusal | None = None
        for at_boot in (False, True, False):
            with work.link(patient=listened, at_boot=at_boot) as link:
                try:
                    link.host()
                except Refusal as error:
                    if error.kind == "authentication":
                        raise Refusal(f"{error}: {_NOT_LET_IN}", kind=error.kind) from None
                    if error.kind != "host_key":
                        raise
                    refusal = error
                else:
                    return None if at_boot else True
        raise refusal or AssertionError

    def act() -> None:
        nonlocal listened
        listened = True
        with work.link(patient=True, at_boot=True) as link:
            # The console shows the boot key at cloud-init's end, out of the files.
            _after_cloud_init(work, link)
            host = link.host()
            host.write(HOST_KEY_FILE, _final_key(work).private, owner="root", mode=0o600)
            work.point("host-key-written")
            host.reload_sshd()

    work.ensure(probe, act, within=_CLOUD_INIT_SECONDS + _HOST_KEY_SECONDS, what="host key")
    return listened


def _final_key(work: Work) -> HostKey:
    return derive_host_key(work.vault, work.values_of(DEPLOY).client_token)


def _after_cloud_init(work: Work, link: Link) -> None:
    """Until cloud-init has ended, well or not: it writes where we write.

    After ten minutes it is not waited for any longer.
    """

    def ended() -> bool | None:
        return None if link.host().output(CLOUD_INIT).strip() == "at work" else True

    try:
        work.ensure(ended, lambda: None, within=_CLOUD_INIT_SECONDS, what="cloud-init's end", link=link)
    except StepFailed as error:
        if error.kind != "deadline":
            raise


def _reboot_once(work: Work, link: Link) -> str:
    """Reboot unless the boot id differs from the one noted on the host before; gives the new one."""
    before = link.ask(lambda host: host.read(BOOT_NOTE) if host.stat([BOOT_NOTE]) else Secret(""), "boot id")
    if not before.reveal():
        before = Secret(link.ask(lambda host: host.boot_id(), "boot id"))
        link.place(BOOT_NOTE, before, mode=0o644, owner="root")
    seen = False

    def rebooted() -> str | None:
        nonlocal seen
        seen = False
        now = link.host().boot_id()
        seen = True
        return now if now != before.reveal().strip() else None

    def reboot() -> None:
        link.host().reboot()
        link.drop()

    try:
        return work.ensure(rebooted, reboot, within=work.settings.waits.reboot_deadline, what="reboot", link=link)
    except StepFailed as error:
        if error.kind != "deadline":
            raise
        what = "the host never went down: its boot id is the same as before" if seen else "the host never came back"
        raise StepFailed(f"reboot: {what}; its console ends: {_console(work)}", kind="reboot_failed") from None


def _console(work: Work) -> str:
    try:
        printed = work.world.compute.console(work.values_of(DEPLOY).instance_id)
    except WorldError as error:
        return f"(not to be had: {error})"
    return clean_end(printed, limit=_CONSOLE_SHOWN) or "(nothing yet)"
