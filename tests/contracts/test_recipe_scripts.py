"""What recipes have hosts do, by a real sshd and dash: with GNU's small programs, busybox's, uutils'.

Begun by an older version.
"""

from __future__ import annotations

import getpass
import grp
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from laerecover.adapters import phases
from laerecover.adapters.ssh import SshConnector
from laerecover.hosts.recipes.debian import CLOUD_INIT
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import PROBLEMS
from laerecover.hosts.scripts import program
from laerecover.ports.hosts import Command, CommandResult
from laerecover.settings import RECIPES

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MONITOR = "ssh-ed25519 AAAAinvented monitor"
# What is not a small program is none of this test's: these say that they did it.
STAND_INS = {
    **dict.fromkeys(("apt-get", "dpkg", "python3", "systemctl", "chown"), "exit 0"),
    "useradd": """
for name; do :; done
cd "$ROOT/home" || exit 1
mkdir "$name"
for program in venv/bin/pip venv/bin/tahoe LAFS_source/bin/tahoe; do
    mkdir -p "$name/${program%/*}"
    cp "$ROOT/bin/tahoe" "$name/$program"
done
""",
    "tahoe": """
for last; do :; done
case $last in -*|*==*|*.txt) ;; *) mkdir "$last" && echo "[node]" >"$last/tahoe.cfg" ;; esac
""",
}
MODES = {
    "etc/sv/lae-introducer/run": 0o755,
    "etc/sv/lae-introducer/log/run": 0o755,
    "home/monitor/.ssh": 0o700,
    "home/monitor/.ssh/authorized_keys": 0o600,
    "home/customer/introducer/tahoe.cfg": 0o644,
    "home/customer": 0o711,
    "usr/local/lib/lae-recovery": 0o755,
    "usr/local/lib/lae-recovery/storageserver": 0o755,
}
TAHOE_MODES = {
    "home/customer/bucket": 0o700,
    "home/customer/bucket/shares": 0o444,
    "etc/sv/lae-bucket/finish": 0o755,
    "etc/sv/lae-bucket/control/d": 0o755,
    "usr/local/lib/lae-recovery/bucket-ended": 0o755,
}


def commands_of(name: str) -> list[Command]:
    """All that the recipe has a host do before its files come."""
    recipe = recipe_named(name)
    return [*recipe.before_reboot(), *recipe.after_reboot(MONITOR)]


def former_commands_of(name: str) -> list[Command]:
    """The same, as the version before wrote them, word for word."""
    parts = re.split(
        r"^== (?:(\S+) as (\S+)|reboot)\n", (GOLDEN / f"former-recipe-{name}.txt").read_text("utf-8"), flags=re.M
    )
    triples = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return [Command(name=name, user=user, script=script) for name, user, script in triples if name]


@dataclass
class Place:
    """A host whose places are under one folder."""

    root: Path
    connect: Callable[[], Any]

    def run(self, commands: list[Command]) -> list[CommandResult]:
        return list(self.connect().run([self._here(command) for command in commands]))

    def _here(self, command: Command) -> Command:
        me, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
        script = re.sub(
            r"(?<![\w.])/(?=(home|etc|run|var/lib|var/log|usr/local/lib)/)", f"{self.root}/", command.script
        )
        script = re.sub(r"\b(customer|monitor):\1\b", f"{me}:{group}", script.replace("/dev/fuse", "/dev/null"))
        script = re.sub(r"-o (customer|monitor) -g \1\b", f"-o {me} -g {group}", script)
        return replace(command, user=me, script=f"ROOT={self.root}; export ROOT\n{script}")

    def tree(self) -> dict[str, Any]:
        """Path -> mode, and what is there."""
        found = {}
        for top in ("home", "etc", "usr", "var"):
            for path in (self.root / top).rglob("*"):
                what = str(path.readlink()) if path.is_symlink() else "" if path.is_dir() else path.read_text()
                about = oct(path.lstat().st_mode), what.replace(str(self.root), "")
                found[str(path.relative_to(self.root))] = about
        return found


@pytest.fixture
def places(ssh_server) -> Callable[[str], Place]:
    """Makes hosts with the folders that every host has, and the programs that are not looked at."""
    for name, script in STAND_INS.items():
        (ssh_server.root / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (ssh_server.root / "bin" / name).chmod(0o755)

    def make(name: str) -> Place:
        root = ssh_server.root / name
        for folder in ("home", "etc/sv", "etc/systemd/system", "usr/local/lib", "var/lib", "var/log"):
            (root / folder).mkdir(parents=True)
        (root / "proc").symlink_to("/proc")
        (root / "bin").symlink_to(ssh_server.root / "bin")
        known = {"keys": {ssh_server.user: ssh_server.key}, "command_seconds": 20, "port": ssh_server.port}
        connector = SshConnector(**known, base=f"{root}/marks", staging=f"{root}/staging")
        return Place(root, lambda: connector.connect("127.0.0.1", user=ssh_server.user, host_key=ssh_server.public))

    return make


@pytest.fixture
def place(places) -> Place:
    """One host."""
    return places("one")


class TestTools:
    """Each script under dash, with each kind of small programs first on the PATH."""

    @pytest.fixture(params=["coreutils", "busybox", "uutils"])
    def tools(self, request, tools_named):
        """One kind."""
        return tools_named(request.param)

    @pytest.mark.parametrize("name", RECIPES)
    def test_every_command_does_what_it_is_for(self, place, name):
        """Nothing is refused, modes are what they should be; done twice, without its markers, it is the same."""
        wanted = {**MODES, **(TAHOE_MODES if name == "tahoe" else {})}
        commands = commands_of(name)
        results = place.run(commands)
        assert [(r.name, r.status, r.tail) for r in results if r.status] == []
        assert [r.name for r in results] == [command.name for command in commands]
        made = place.tree()
        assert {path: made[path][0][-3:] for path in wanted} == {path: f"{mode:o}" for path, mode in wanted.items()}
        assert made["home/monitor/.ssh/authorized_keys"][1] == f"{MONITOR}\n"
        for command in commands:
            (place.root / "marks" / command.name).unlink()
        again = place.run(commands)
        assert [(r.status, r.skipped) for r in again] == [(0, False)] * len(commands)
        assert place.tree() == made

    def test_a_service_is_the_supervised_process_and_sees_nothing_of_the_host(self, place, tools):
        """Its settings are its own, whatever stood in the environment; a signal for the supervised process reaches it,
        though there is an `env` that stays as the parent of what it starts."""
        place.run(commands_of("tahoe"))
        program = place.root / "home/customer/venv/bin/tahoe"
        program.write_text("#!/bin/sh\necho $$\nenv\n")
        nasty = {
            "AWS_CA_BUNDLE": "/x",
            "LINES": "one\nHOME=/two\n",
            "IFS": "=",
            "PATH": f"{tools or '/bin'}:/usr/bin:/bin",
        }
        start = place.root / "usr/local/lib/lae-recovery/introducer"
        with subprocess.Popen([start], env=nasty, stdout=subprocess.PIPE, text=True) as process:
            pid, *seen = process.communicate(timeout=20)[0].splitlines()
        home = f"{place.root}/home/customer"
        wanted = {"PATH=/usr/bin:/bin", f"HOME={home}", "LC_ALL=C.UTF-8", f"OPENSSL_CONF={home}/openssl.cnf"}
        assert set(seen) - {f"PWD={home}"} == wanted
        assert int(pid) == process.pid

    @pytest.mark.parametrize(
        ("df", "status", "told"),
        [
            ("echo /dev/root 9000000 8000000 900000 90% /", 83, "900000 KiB are free at /var, 1024000 are wanted"),
            ("echo 'df: what is -P?' >&2; exit 1", 1, "df tells no number of free KiB at /var"),
            ("echo '/dev/root 9000000 8000000 - 90% /'", 1, "df tells no number of free KiB at /var"),
        ],
    )
    def test_a_host_without_room_is_told_by_the_number(self, place, df, status, told):
        """Exit status 83 means a number that was read; a question that fails is another failure."""
        enough = "echo /dev/root 9000000 10 8999990 1% /"
        script = f"#!/bin/sh\necho Filesystem\ncase $2 in /var) {df} ;; *) {enough} ;; esac\n"
        (place.root / "bin/df").write_text(script)
        (place.root / "bin/df").chmod(0o755)
        (result,) = place.run([command for command in commands_of("tahoe") if command.name == "host"])
        assert result.status == status
        assert told in result.tail

    @pytest.mark.parametrize(("kib", "status"), [(200_000, 0), (20_000, 92)])
    def test_a_small_tmp_is_no_full_disk(self, place, kib, status):
        """From Debian 13 on it is a tmpfs of half the memory; what lacks room there has a remedy of its own."""
        script = f"#!/bin/sh\necho Filesystem\ncase $2 in /tmp) free={kib} ;; *) free=8999990 ;; esac\n"
        (place.root / "bin/df").write_text(f"{script}echo tmpfs 9000000 10 $free 1% /\n")
        (place.root / "bin/df").chmod(0o755)
        host, *rest = commands_of("tahoe")
        (result,) = place.run([host])
        assert result.status == status
        assert status == 0 or PROBLEMS[status].kind == "small_tmp"
        pip = f'#!/bin/sh\necho "$TMPDIR" >{place.root}/home/where\n'
        (place.root / "home/customer/venv/bin").mkdir(parents=True)
        for name in ("pip", "tahoe"):
            (place.root / "home/customer/venv/bin" / name).write_text(pip)
            (place.root / "home/customer/venv/bin" / name).chmod(0o755)
        (installed,) = place.run([command for command in rest if command.name == "tahoe-lafs"])
        assert installed.status == 0, installed
        assert (place.root / "home/where").read_text() == f"{place.root}/home/customer/tmp\n"

    @pytest.mark.parametrize(("left", "told"), [(None, "at work"), ("result.json", "ended")])
    def test_the_question_for_cloud_init_is_understood(self, place, left, told):
        """By its result, not by the status with which somebody's `timeout` ends."""
        (place.root / "run/cloud-init").mkdir(parents=True)
        if left:
            (place.root / "run/cloud-init" / left).touch()
        (place.root / "bin/cloud-init").write_text("#!/bin/sh\necho 'status: error'\nexit 1\n")
        (place.root / "bin/cloud-init").chmod(0o755)
        quick = replace(CLOUD_INIT, script=CLOUD_INIT.script.replace("timeout 60", "timeout 2"))
        assert place.connect().output(place._here(quick)).strip() == told


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("done", [1, 4, 6, 99])
def test_a_host_half_installed_by_the_version_before_is_finished(places, name, done):
    """What that version did and this one would do in other words is done again, the rest is skipped.

    The host is the same as one that this version has installed alone.
    """
    former, now, place, fresh = former_commands_of(name), commands_of(name), places("one"), places("fresh")
    assert [r.status for r in place.run(former[:done])] == [0] * len(former[:done])
    results = place.run(now)
    assert [(r.name, r.status) for r in results] == [(command.name, 0) for command in now]
    unchanged = {(c.name, c.digest) for c in former[:done]} & {(c.name, c.digest) for c in now}
    assert {r.name for r in results if r.skipped} == {name for name, _ in unchanged}
    fresh.run(now)
    assert place.tree() == fresh.tree()


# Options that POSIX knows; of programs that it does not know, those that GNU, busybox and uutils share.
# (The tests above run them.)
_PLAIN = """
awk base64 basename cat chmod chown cp cut date dirname nohup printf sha256sum sleep sort sync tee touch
"""
OPTIONS: dict[str, str | None] = {
    **dict.fromkeys(_PLAIN.split(), ""),
    **dict.fromkeys(("install", "mktemp", "readlink"), None),
    "df": "Pk",
    "env": "i",
    "grep": "qs",
    "head": "n",
    "id": "gnu",
    "ln": "sf",
    "ls": "ld",
    "mkdir": "pm",
    "mv": "f",
    "rm": "rf",
    "sed": "n",
    "stat": "c",
    "tail": "cn",
    "timeout": "k",
    "tr": "d",
    "wc": "lc",
}


def scripts() -> dict[str, str]:
    """All that is carried out on hosts."""
    found = {name: program(f"{name}.sh") for name in ("phase", "place", "room")}
    found |= {name: getattr(phases, name) for name in ("SERVICE_RUNS", "SERVICE_START", "RELOAD_SSHD")}
    found["cloud-init"] = CLOUD_INIT.script
    for recipe in RECIPES:
        others = [*recipe_named(recipe).patches(), recipe_named(recipe).announced("inventednodeid")]
        named = [*commands_of(recipe), *filter(None, others)]
        found |= {f"{recipe}: {command.name}": command.script for command in named}
    return found


@pytest.mark.parametrize(("what", "script"), scripts().items(), ids=list(scripts()))
def test_no_script_uses_an_option_that_only_gnu_knows(what, script):
    """Short options of POSIX, and no program at all that POSIX has in another form: `install` and `df -m` above all."""
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
    place = r"(?:^|[;|&({!]|\b(?:then|do|else|until|while|if|exec)\b)\s*"
    found = re.findall(rf"{place}({'|'.join(OPTIONS)})\b((?: +-[\w=-]+)*)", code, flags=re.M)
    for tool, options in found:
        known = OPTIONS[tool]
        assert known is not None, f"{what}: {tool}"
        for option in options.split():
            assert set(option[1:]) <= set(known), f"{what}: {tool} {option}"


def test_that_rule_finds_what_it_is_for():
    """The scripts of the version before broke it."""
    broken = []
    for command in former_commands_of("tahoe"):
        try:
            test_no_script_uses_an_option_that_only_gnu_knows(command.name, command.script)
        except AssertionError as error:
            broken.append(str(error).splitlines()[0])
    assert {"host: df -Pm", "user-monitor: install", "bucket-folder: install", "service-bucket: install"} <= set(broken)
