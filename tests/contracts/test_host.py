"""One exam for hosts: the twin's and those that a real sshd serves."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from laerecover.adapters import line, phases, ssh
from laerecover.adapters.ssh import SshConnector
from laerecover.hosts.host_keys import HOST_KEY_FILE, derive_host_key, fingerprint
from laerecover.manifest import Secret
from laerecover.ports.compute import LaunchRequest
from laerecover.ports.hosts import Command, HostConnector
from laerecover.ports.refusals import NotListening, Refusal, Transient
from laerecover.rehearsal.twin.compute import TwinCompute
from laerecover.rehearsal.twin.hosts import TwinHosts


@dataclass
class Subject:
    """A host to examine."""

    connector: HostConnector
    address: str
    user: str
    host_key: str
    owner: str
    home: str
    base: str
    drop: Any

    def connect(self, host_key: str | None = None) -> Any:
        return self.connector.connect(self.address, user=self.user, host_key=host_key or self.host_key)

    def marker(self, command: Command) -> str:
        return f"{self.base}/{command.name}"


class HostExam:
    """What every Host does."""

    def test_a_file_comes_back_as_it_was_put(self, subject):
        """Content, digest, owner and mode of a written file are what was asked for."""
        host = subject.connect()
        path = f"{subject.home}/deep/file with 'quotes' and $signs"
        host.write(path, Secret("zwölf\nlines $HOME `id`\n"), owner=subject.owner, mode=0o440)
        assert host.read(path).reveal() == "zwölf\nlines $HOME `id`\n"
        fact = host.stat([path, f"{subject.home}/nothing"])[path]
        digest = hashlib.sha256("zwölf\nlines $HOME `id`\n".encode()).hexdigest()
        assert (fact.sha256, fact.owner, fact.mode) == (digest, subject.owner, 0o440)

    def test_a_file_can_be_replaced(self, subject):
        """Writing again replaces content and mode."""
        host, path = subject.connect(), f"{subject.home}/file"
        for text, mode in (("one", 0o600), ("two", 0o644)):
            host.write(path, Secret(text), owner=subject.owner, mode=mode)
        assert host.read(path).reveal() == "two"
        assert host.stat([path])[path].mode == 0o644

    def test_a_done_command_leaves_its_digest(self, subject):
        """The marker of a command that was carried out holds its digest."""
        host = subject.connect()
        command = Command(name="greet", script="echo hello", user="root")
        assert host.stat([subject.marker(command)]) == {}
        (result,) = host.run([command])
        assert (result.name, result.status, result.skipped) == ("greet", 0, False)
        fact = host.stat([subject.marker(command)])[subject.marker(command)]
        assert fact.sha256 == hashlib.sha256(command.digest.encode()).hexdigest()

    def test_a_done_command_is_not_done_again(self, subject):
        """A command whose marker holds its digest is skipped; another script of the same name is another command."""
        host = subject.connect()
        host.run([Command(name="greet", script="echo hello")])
        again = host.run([Command(name="greet", script="echo hello"), Command(name="part", script="echo bye")])
        assert [(r.name, r.skipped) for r in again] == [("greet", True), ("part", False)]
        assert [r.skipped for r in host.run([Command(name="greet", script="echo hello")])] == [True]
        (other,) = host.run([Command(name="greet", script="echo other")])
        assert not other.skipped

    def test_a_missing_file_is_a_refusal(self, subject):
        """Reading what is not there is final, not a matter of trying again."""
        with pytest.raises(Refusal):
            subject.connect().read(f"{subject.home}/nothing")

    def test_a_question_that_fails_is_a_refusal(self, subject):
        """A script that tells instead of changing may fail; it leaves no marker."""
        host, question = subject.connect(), Command(name="announced", script="echo nobody is there >&2\nexit 3\n")
        with pytest.raises(Refusal) as caught:
            host.output(question)
        assert caught.value.kind == "command_failed"
        assert host.stat([subject.marker(question)]) == {}

    def test_another_host_key_is_refused(self, subject, vault):
        """A host that answers with another key than the pinned one is not talked to; both are told."""
        another = derive_host_key(vault, "another").public
        with pytest.raises(Refusal) as caught:
            subject.connect(another)
        assert caught.value.kind == "host_key"
        assert "MITM" in str(caught.value)
        assert fingerprint(another) in str(caught.value)
        assert fingerprint(subject.host_key) in str(caught.value)

    def test_the_boot_id_stays_within_a_boot(self, subject):
        """Two connections of one boot tell one boot id."""
        assert subject.connect().boot_id() == subject.connect().boot_id()

    def test_a_lost_connection_is_transient(self, subject):
        """After the link is lost nothing is said about the effect, and a new connection works."""
        host = subject.connect()
        subject.drop()
        with pytest.raises(Transient):
            host.write(f"{subject.home}/file", Secret("x"), owner=subject.owner, mode=0o600)
        subject.connect().write(f"{subject.home}/file", Secret("x"), owner=subject.owner, mode=0o600)


class TestTwinHost(HostExam):
    """The twin's host."""

    @pytest.fixture
    def subject(self, twin_file, vault):
        """A running instance of the twin."""
        compute, key = TwinCompute(twin_file), derive_host_key(vault, "token", "boot")
        request = LaunchRequest(
            client_token="token",
            tags={},
            ami_image_id="ami-1",
            instance_size="t1.micro",
            admin_keypair_name="admin",
            security_group="CustomerDefault",
            user_data=key.user_data,
        )
        instance_id = compute.launch(request).instance_id
        with twin_file.change() as db:
            db.execute("UPDATE instances SET state = 'running', hidden = 0, refusals = 0")
        address = compute.describe(instance_id).public_host

        def drop():
            with twin_file.change() as db:
                db.execute("UPDATE instances SET boots = boots + 1")

        marks = "/var/lib/lae-recovery"
        hosts = TwinHosts(twin_file, vault)
        return Subject(hosts, address, "ubuntu", key.public, "customer", "/home/customer", marks, drop)

    def test_the_right_number_of_refusals_then_it_listens(self, subject, twin_file):
        """A booting host refuses a while."""
        with twin_file.change() as db:
            db.execute("UPDATE instances SET refusals = 2")
        for _ in range(2):
            with pytest.raises(NotListening):
                subject.connect()
        assert subject.connect()

    @pytest.mark.parametrize("how", ["reload_sshd", "reboot"])
    def test_the_host_answers_with_the_key_that_was_written(self, subject, vault, how):
        """After sshd has read its keys anew, the new key is the only one that answers."""
        final = derive_host_key(vault, "token")
        host = subject.connect()
        host.write(HOST_KEY_FILE, final.private, owner="root", mode=0o600)
        subject.connect()
        getattr(host, how)()
        with pytest.raises((Refusal, NotListening)):
            for _ in range(5):
                subject.connect()
        for _ in range(5):
            try:
                assert subject.connect(final.public)
                break
            except NotListening:
                continue
        else:
            raise AssertionError


class Crowd:
    """A port that drops the first connections before the banner, as MaxStartups does, then leads to sshd."""

    def __init__(self, port: int, drops: int) -> None:
        self._target, self._drops = port, drops
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._drops > 0:
                self._drops -= 1
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket) -> None:
        try:
            while some := one.recv(65536):
                other.sendall(some)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            one.close()
            other.close()

    def close(self) -> None:
        self._listener.close()


class SshExam(HostExam):
    """What every host does that a real sshd serves on loopback."""

    @pytest.fixture
    def connector(self, ssh_server):
        """Looks for its folders under the tests' own."""
        return self.connector_of(ssh_server)

    @staticmethod
    def connector_of(server, **other):
        known = {"keys": {server.user: server.key}, "command_seconds": 10, "port": server.port}
        return SshConnector(**{**known, "base": f"{server.root}/marks", "staging": f"{server.root}/staging", **other})

    @pytest.fixture
    def subject(self, ssh_server, connector):
        """The tests' own sshd."""
        server, home = ssh_server, f"{ssh_server.root}/home"
        return Subject(
            connector, "127.0.0.1", server.user, server.public, server.user, home, connector.base, server.drop
        )

    def test_a_long_phase_is_looked_at_until_it_ends(self, subject, monkeypatch):
        """The host says that it runs, again and again, then what came of it; the next phase waits for nobody."""
        hasten(monkeypatch, _WATCH=1)
        script = "sleep 2.5; printf '%s' 'the\tend'"
        for name in ("one", "other"):
            (result,) = subject.connect().run([Command(name=name, script=script)])
            assert (result.status, result.tail) == (0, "the·end")
            script = "printf '%s' 'the\tend'"

    def test_how_far_a_phase_is_is_heard(self, subject, monkeypatch):
        """The latest line of what is at work; no secret is in it, and nothing that moves a cursor."""
        hasten(monkeypatch, _WATCH=1)
        host, heard = subject.connect(), []
        host.write(f"{subject.home}/key", Secret("invented-secret"), owner=subject.owner, mode=0o600)
        script = "echo early\nprintf 'one \\033[2J of invented-secret\\n'\nsleep 3\n"
        assert (
            host.run(
                [Command(name="slow", script=script, user=subject.user)], lambda done, line: heard.append((done, line))
            )[0].status
            == 0
        )
        assert set(heard) == {(0, "one ·[2J of [concealed]")}

    def test_a_command_may_take_longer_than_others(self, subject, ssh_server):
        """Where that is known better: the others keep their deadline."""
        hasty = self.connector_of(ssh_server, command_seconds=1)
        host = hasty.connect("127.0.0.1", user=subject.user, host_key=subject.host_key)
        slow = [Command(name=f"slow{n}", script="sleep 3", seconds=n) for n in (60, None)]
        assert [result.status == 0 for result in host.run(slow)] == [True, False]

    def test_room_is_told_by_a_number_alone(self, subject, ssh_server):
        """Too little: no file, no phase, and the number that was read. No number.

        That the question failed, and nothing else.
        """
        host, wanted = subject.connect(), Secret("x" * 5000)
        told = "Filesystem 1024-blocks Used Available Capacity Mounted on\\na disk 100 99 {} 99%% /\\n"
        acts = {
            "write": lambda: host.write(f"{subject.home}/new", wanted, owner=subject.owner, mode=0o600),
            "run": lambda: host.run([Command(name="after", script=f"touch {subject.home}/after")]),
            "stage": lambda: subject.connect().write("/nowhere", wanted, owner=subject.owner, mode=0o600),
        }
        host.write(f"{subject.home}/old", wanted, owner=subject.owner, mode=0o600)
        for free, kind, words in (
            ("300", "disk_full", "300 KiB are free"),
            ("-8", "disk_full", "-8 KiB are free"),
            ("many", "command_failed", "df tells no number"),
        ):
            _df(ssh_server, f"printf '{told.format(free)}'")
            for what, act in acts.items():
                with pytest.raises(Refusal) as caught:
                    act()
                assert (what, caught.value.kind) == (what, kind)
                assert words in str(caught.value)
        _df(ssh_server, "echo \"df: unexpected argument '-P' found\" >&2; exit 1")
        for act in acts.values():
            with pytest.raises(Refusal, match="df tells no number of free KiB at") as caught:
                act()
            assert caught.value.kind == "command_failed"
        assert [path.name for path in Path(subject.home).iterdir()] == ["old"]

    def test_a_status_that_means_no_room_means_it_with_a_number_only(self, subject):
        """Others end with 28, too: curl, when its time is over."""
        host = subject.connect()
        with pytest.raises(Refusal) as caught:
            host.output(Command(name="ask", script="echo 'no room: none at all' >&2; exit 28", user=subject.owner))
        assert caught.value.kind == "command_failed"

    def test_a_folder_in_the_place_of_a_file_takes_nothing_in(self, subject):
        """The file is refused; a folder that it wants is made, for its owner."""
        host = subject.connect()
        host.write(f"{subject.home}/one/two/file", Secret("x"), owner=subject.owner, mode=0o600)
        with pytest.raises(Refusal, match="is a folder"):
            host.write(f"{subject.home}/one/two", Secret("x"), owner=subject.owner, mode=0o600)
        assert [path.name for path in Path(f"{subject.home}/one/two").iterdir()] == ["file"]
        assert Path(f"{subject.home}/one").stat().st_mode & 0o777 == 0o755

    def test_what_another_version_began_is_waited_for(self, subject, ssh_server, tmp_path, monkeypatch):
        """Its phase has other scripts, hence another name: two must not install at once on one host.

        A login without root is one of many on its host, and waits for nobody.
        """
        hasten(monkeypatch, _WATCH=1)
        begun, gate = tmp_path / "begun", tmp_path / "gate"
        os.mkfifo(gate)
        former = [Command(name="install", script=f"touch {begun}; cat <{gate}")]
        results = []
        working = threading.Thread(target=lambda: results.extend(subject.connect().run(former)), daemon=True)
        working.start()
        _until(begun.exists)
        now = [Command(name="install", script=f"cat {begun}")]
        with pytest.raises(Transient, match="still at work"):
            subject.connect().run(now)
        many = self.connector_of(ssh_server, sudo=False)
        beside = many.connect("127.0.0.1", user=subject.user, host_key=subject.host_key)
        assert [r.status for r in beside.run([Command(name="beside", user=subject.user, script="true")])] == [0]
        gate.write_text("go\n")
        working.join(timeout=20)
        assert [r.status for r in results] == [0]
        assert [(r.status, r.skipped) for r in subject.connect().run(now)] == [(0, False)]


class TestHostOfOtherTools(SshExam):
    """A host whose small programs are not GNU's.

    Whatever the adapter asks and does is asked of them and done by them.
    """

    @pytest.fixture(params=["busybox", "uutils"])
    def tools(self, request, tools_named):
        """They come first on the PATH."""
        return tools_named(request.param)


GREETS = (
    "echo '* Documentation: https://help.example.org'; echo ended; echo runs; "
    'sh -c "$SSH_ORIGINAL_COMMAND"; status=$?; echo; echo Good-bye; exit $status'
)


class TestHostThatGreets(SshExam):
    """A login shell that talks before and after whatever it carries out: of that nothing is an answer."""

    @pytest.fixture
    def ssh_server(self, sshd):
        """Whatever it is told, it says that before and after."""
        return sshd(f"ForceCommand {GREETS}")

    def test_what_the_shell_says_is_nowhere(self, subject):
        """Not before, not after; nor where a service is asked for that does not run."""
        host, path = subject.connect(), f"{subject.home}/file"
        host.write(path, Secret("no line end"), owner=subject.owner, mode=0o600)
        assert host.read(path).reveal() == "no line end"
        assert host.output(Command(name="ask", script="echo one", user=subject.owner)) == "one\n"
        assert not host.running("nothing")


class TestHostThatCarriesNothingOut:
    """What can begin nothing is no failed command: it is named with its remedy, and tried no further."""

    @staticmethod
    def refused(server, act: str) -> Refusal:
        connector = SshExam.connector_of(server)
        host = connector.connect("127.0.0.1", user=server.user, host_key=server.public)
        acts = {
            "boot_id": host.boot_id,
            "output": lambda: host.output(Command(name="ask", script="echo yes")),
            "running": lambda: host.running("bucket"),
            "run": lambda: host.run([Command(name="greet", script="echo hello")]),
            "write": lambda: host.write(f"{server.root}/home/x", Secret("x"), owner=server.user, mode=0o600),
        }
        with pytest.raises(Refusal) as caught:
            acts[act]()
        return caught.value

    @pytest.mark.parametrize("status", [0, 1, 142])
    @pytest.mark.parametrize("act", ["boot_id", "output", "running", "run", "write"])
    def test_a_forced_command_is_no_answer(self, sshd, act, status):
        """As images have it where root may not log in, whatever it ends with."""
        forced = f"echo 'Please login as the user \"admin\".'; exit {status}"
        error = self.refused(sshd(f"ForceCommand {forced}"), act)
        assert error.kind == "no_shell"
        for word in ('user "admin"', "/bin/bash", "choose another image"):
            assert word in str(error)

    @pytest.mark.parametrize("act", ["output", "running", "run", "write"])
    def test_a_login_user_who_cannot_become_root_is_told_so(self, ssh_server, act):
        """Whatever sudo says of it: it began nothing."""
        (ssh_server.root / "bin/sudo").write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
        error = self.refused(ssh_server, act)
        assert error.kind == "no_root"
        for word in ("a password is required", "NOPASSWD", "requiretty"):
            assert word in str(error)

    def test_a_command_that_was_killed_has_said_nothing(self, ssh_server):
        """Half an answer, with whatever status: it is asked again."""
        connector = SshExam.connector_of(ssh_server)
        host = connector.connect("127.0.0.1", user=ssh_server.user, host_key=ssh_server.public)
        with pytest.raises(Transient):
            host.output(Command(name="ask", script="echo half; kill -KILL $PPID; sleep 5"))

    @pytest.mark.parametrize("says", ["Failed to connect to bus: No such file or directory", ""])
    def test_a_supervisor_that_does_not_say_is_no_no(self, ssh_server, says, monkeypatch):
        """Else what runs would be put in place once more, under the feet of what runs."""
        (ssh_server.root / "bin/systemctl").write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {int(bool(says))}\n")
        (ssh_server.root / "bin/systemctl").chmod(0o755)
        there = phases.SERVICE_RUNS.replace("/run/systemd/system", "/")
        monkeypatch.setattr(phases, "SERVICE_RUNS", there)
        host = SshExam.connector_of(ssh_server).connect("127.0.0.1", user=ssh_server.user, host_key=ssh_server.public)
        with pytest.raises(Refusal, match="service bucket"):
            host.running("bucket")


class TestSshHost(SshExam):
    """A host with the machine's own programs."""

    def test_a_question_is_asked_each_time(self, subject, ssh_server):
        """Whole output of the script, here-documents and all, of this very moment; no marker; no secret in an error."""
        host, path = subject.connect(), f"{ssh_server.root}/home/now"
        question = Command(name="ask", script=f"cat {path} - <<'END'\n{'line ' * 2000}\nEND\n", user=subject.owner)
        for text in ("first\n", "second\n"):
            host.write(path, Secret(text), owner=subject.owner, mode=0o600)
            assert host.output(question) == f"{text}{'line ' * 2000}\n"
        assert host.stat([subject.marker(question)]) == {}
        host.write(path, Secret("canary-in-a-file"), owner=subject.owner, mode=0o600)
        with pytest.raises(Refusal) as caught:
            host.output(Command(name="ask", script=f"cat {path} >&2\nexit 3\n", user=subject.owner))
        assert "exit status 3: [concealed]" in str(caught.value)

    def test_nothing_is_offered_to_a_host_with_another_key(self, subject, ssh_server, vault):
        """No authentication is attempted where the host key differs, though it is with the right one."""
        with pytest.raises(Refusal):
            subject.connect(derive_host_key(vault, "another").public)
        assert "kex: algorithm" in ssh_server.log.read_text()
        assert ssh_server.authentications == 0
        subject.connect()
        assert ssh_server.authentications > 0

    def test_nothing_is_offered_to_a_host_with_a_key_of_another_kind(self, subject, ssh_server):
        """A host without a key of the pinned kind is another host, too."""
        with pytest.raises(Refusal) as caught:
            subject.connect(rsa_public())
        assert (caught.value.kind, ssh_server.authentications) == ("host_key", 0)

    def test_a_reload_brings_the_written_key_into_force(self, subject, ssh_server, vault):
        """The connection that stands is kept; the next one meets the new key."""
        other = derive_host_key(vault, "other")
        host = subject.connect()
        host.write(str(ssh_server.host_key_file), other.private, owner=subject.owner, mode=0o600)
        host.reload_sshd()
        assert host.boot_id()
        for _ in range(100):
            try:
                assert subject.connect(other.public)
                break
            except (Refusal, Transient, NotListening):
                time.sleep(0.05)
        else:
            raise AssertionError

    def test_a_closed_port_is_not_listening(self, subject, ssh_server):
        """Nobody listens: the HOWTO's NotListening."""
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        nobody = self.connector_of(ssh_server, port=port)
        with pytest.raises(NotListening):
            nobody.connect("127.0.0.1", user=subject.user, host_key=subject.host_key)

    def test_a_banner_that_never_comes_is_transient(self, subject, ssh_server):
        """A crowded sshd drops connections: that is a reason to come again, not to give up."""
        crowd = Crowd(ssh_server.port, drops=1)
        connector = self.connector_of(ssh_server, port=crowd.port)
        with pytest.raises(Transient):
            connector.connect("127.0.0.1", user=subject.user, host_key=subject.host_key)
        assert connector.connect("127.0.0.1", user=subject.user, host_key=subject.host_key).boot_id()
        crowd.close()

    def test_a_stranger_is_not_let_in(self, subject, ssh_server):
        """A refused key is final."""
        (ssh_server.root / "authorized_keys").write_text("")
        with pytest.raises(Refusal) as caught:
            subject.connect()
        assert caught.value.kind == "authentication"

    def test_a_failing_command_leaves_no_marker(self, subject):
        """Another exit status than 0 ends the phase; the tail tells why, made fit to be shown."""
        host = subject.connect()
        command = Command(name="fail", script="printf 'told\\033[31m\\n'; false; echo on")
        (result,) = host.run([command, Command(name="after", script="true")])
        assert (result.name, result.status, result.tail) == ("fail", 1, "told·[31m")
        assert host.stat([subject.marker(command)]) == {}

    def test_a_failed_phase_can_be_tried_again(self, subject):
        """Once its failure was told, the same phase starts anew, at the command that failed."""
        flag = f"{subject.home}/flag"
        phase = [Command(name="first", script="true"), Command(name="second", script=f"test -e {flag}")]
        host = subject.connect()
        assert [r.status for r in host.run(phase)] == [0, 1]
        Path(flag).touch()
        assert [(r.status, r.skipped) for r in host.run(phase)] == [(0, True), (0, False)]

    def test_a_failure_of_an_earlier_run_is_not_told_again(self, subject, ssh_server):
        """Who did not wait for a phase begins it anew, whatever became of it before."""
        flag = f"{subject.home}/flag"
        phase = [Command(name="only", script=f"test -e {flag}")]
        assert [r.status for r in subject.connect().run(phase)] == [1]
        Path(flag).touch()
        later = self.connector_of(ssh_server).connect("127.0.0.1", user=subject.user, host_key=subject.host_key)
        assert [r.status for r in later.run(phase)] == [0]

    def test_what_cannot_be_a_key_is_refused(self, subject):
        """A pinned key that is none connects to nothing."""
        for text in ("", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-nonsense AAAAC3NzaC1lZDI1NTE5"):
            with pytest.raises(Refusal) as caught:
                subject.connect(text or " ")
            assert caught.value.kind == "key_unusable"

    def test_much_output_is_cut(self, subject):
        """Only the end of what a command prints is kept."""
        script = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"
        (result,) = subject.connect().run([Command(name="talk", script=script)])
        assert result.tail.endswith("line 2999")
        assert len(result.tail) <= 500

    def test_a_full_disk_is_told_however_much_was_printed_after_it(self, subject):
        """Whoever fails for it may print a page of its own sorrows behind it."""
        script = (
            "echo 'cannot write: No space left on device'; i=0; while [ $i -lt 99 ]; do echo line $i; i=$((i+1)); done"
        )
        (result,) = subject.connect().run([Command(name="talk", script=f"{script}; false")])
        assert result.tail.startswith("No space left on device | ")
        assert result.tail.endswith("line 98")

    def test_what_was_placed_is_concealed_in_outputs(self, subject):
        """A command that prints a placed secret does not bring it back."""
        host, path = subject.connect(), f"{subject.home}/s3secret"
        host.write(path, Secret("canary-of-the-mine\n"), owner=subject.owner, mode=0o400)
        (result,) = host.run([Command(name="leak", script=f"cat {path}; exit 3")])
        assert (result.status, result.tail) == (3, "[concealed]")

    def test_a_daemon_of_a_command_does_not_hold_up_the_phase(self, subject):
        """A command is over when its shell is, whoever still holds its output."""
        begun = time.monotonic()
        (result,) = subject.connect().run([Command(name="daemon", script="sleep 9 & echo begun")])
        assert (result.status, result.tail) == (0, "begun")
        assert time.monotonic() - begun < 8

    def test_a_command_that_takes_too_long_is_ended(self, subject, ssh_server):
        """Each command has its own deadline, kept by the host."""
        hasty = self.connector_of(ssh_server, command_seconds=1)
        host = hasty.connect("127.0.0.1", user=subject.user, host_key=subject.host_key)
        (result,) = host.run([Command(name="sleep", script="sleep 30")])
        assert result.status == 124

    def test_a_lost_link_finds_its_phase_again(self, subject, tmp_path):
        """The phase goes on without the link; who comes again waits for its end, and nothing was done twice."""
        done, gate = tmp_path / "done", tmp_path / "gate"
        os.mkfifo(gate)
        phase = [Command(name="long", script=f"echo once >>{done}; cat <{gate}; echo over >>{done}")]
        lost = threading.Thread(target=self._lose, args=(subject, phase), daemon=True)
        lost.start()
        _until(done.exists)
        subject.drop()
        lost.join(timeout=20)
        assert self.lost == ["Transient"]
        again = threading.Thread(target=lambda: self.lost.append(subject.connect().run(phase)), daemon=True)
        again.start()
        gate.write_text("go\n")
        again.join(timeout=20)
        ((result,),) = self.lost[1:]
        assert result.status == 0
        assert done.read_text() == "once\nover\n"

    def test_a_lost_link_finds_the_failure_that_happened_meanwhile(self, subject, tmp_path):
        """What failed while nobody listened is told to who comes again, rather than done again."""
        done, gate = tmp_path / "done", tmp_path / "gate"
        os.mkfifo(gate)
        phase = [Command(name="long", script=f"echo once >>{done}; cat <{gate}; exit 7")]
        lost = threading.Thread(target=self._lose, args=(subject, phase), daemon=True)
        lost.start()
        _until(done.exists)
        subject.drop()
        lost.join(timeout=20)
        gate.write_text("broken\n")
        (result,) = subject.connect().run(phase)
        assert (result.status, result.tail, done.read_text()) == (7, "broken", "once\n")

    def _lose(self, subject, phase):
        self.lost = []
        try:
            subject.connect().run(phase)
        except Transient:
            self.lost.append("Transient")

    def test_a_half_open_link_is_noticed(self, subject, ssh_server, tmp_path, monkeypatch):
        """Where nobody answers any more, though the connection stands, the phase is found by another one."""
        hasten(monkeypatch, _WATCH=1, TIMEOUT=1.0)
        done, gate = tmp_path / "done", tmp_path / "gate"
        os.mkfifo(gate)
        phase = [Command(name="long", script=f"echo once >>{done}; cat <{gate}")]
        lost = threading.Thread(target=self._lose, args=(subject, phase), daemon=True)
        lost.start()
        _until(done.exists)
        stopped = ssh_server.sessions()
        ssh_server.signal(signal.SIGSTOP)
        lost.join(timeout=20)
        assert self.lost == ["Transient"]
        hasten(monkeypatch, TIMEOUT=10.0)
        gate.write_text("go\n")
        (result,) = subject.connect().run(phase)
        assert (result.status, done.read_text()) == (0, "once\n")
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @pytest.mark.parametrize("act", ["boot_id", "write", "run"])
    def test_a_half_open_link_is_noticed_at_once(self, subject, ssh_server, monkeypatch, act):
        """Whatever is asked of a host that answers no more, the question ends."""
        host = subject.connect()
        host.write(f"{subject.home}/file", Secret("x"), owner=subject.owner, mode=0o600)
        hasten(monkeypatch, _WATCH=1, TIMEOUT=0.5, SHORT=0.5)
        stopped = ssh_server.sessions()
        ssh_server.signal(signal.SIGSTOP)
        with pytest.raises(Transient):
            if act == "boot_id":
                host.boot_id()
            elif act == "write":
                host.write(f"{subject.home}/file", Secret("y"), owner=subject.owner, mode=0o600)
            else:
                host.run([Command(name="greet", script="echo hello")])
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def test_one_phase_is_never_started_twice_at_once(self, subject, tmp_path):
        """Several connections that ask for the same phase all get the results of one."""
        done, results = tmp_path / "done", []
        phase = [Command(name="once", script=f"echo once >>{done}; sleep 1")]

        def ask():
            results.extend(subject.connect().run(phase))

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert [result.status for result in results] == [0, 0, 0, 0]
        assert done.read_text() == "once\n"

    def test_a_killed_worker_leaves_nobody_behind(self, subject, ssh_server, tmp_path):
        """When the phase's own process was killed, what it had begun is ended before it is begun again."""
        begun = tmp_path / "begun"
        script = f"echo $$ >>{begun}; test ! -e {tmp_path}/quick || exit 0; sleep 60"
        phase = [Command(name="orphan", script=script)]
        lost = threading.Thread(target=self._lose, args=(subject, phase), daemon=True)
        lost.start()
        _until(begun.exists)
        (worker,) = (ssh_server.root / "marks/phases").glob("*/worker")
        os.kill(int(worker.read_text().split()[1]), signal.SIGKILL)
        lost.join(timeout=20)
        assert self.lost == ["Transient"]
        (tmp_path / "quick").touch()
        assert [r.status for r in subject.connect().run(phase)] == [0]
        orphan, _ = begun.read_text().split()
        _until(lambda: not Path(f"/proc/{orphan}").exists() or " Z " in Path(f"/proc/{orphan}/stat").read_text())

    def test_a_file_is_never_wider_than_asked(self, subject, ssh_server):
        """Contents pass through a private folder, and nothing of them stays there."""
        host = subject.connect()
        host.write(f"{subject.home}/file", Secret("x"), owner=subject.owner, mode=0o400)
        assert (ssh_server.root / "staging").stat().st_mode & 0o777 == 0o700
        assert list((ssh_server.root / "staging").iterdir()) == []
        assert [path.name for path in Path(subject.home).iterdir()] == ["file"]


def _df(server, script: str) -> None:
    """What the host answers to the question for room."""
    (server.root / "bin/df").write_text(f"#!/bin/sh\n{script}\n")
    (server.root / "bin/df").chmod(0o755)


def hasten(monkeypatch, **seconds: float) -> None:
    """Let the adapter lose its patience earlier."""
    for module in (line, ssh):
        for name, value in seconds.items():
            monkeypatch.setattr(module, name, value, raising=False)


def _until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to be")


def rsa_public() -> str:
    """A public key of another kind."""
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
