"""One exam for hosts: the twin's and those that paramiko reaches."""

from __future__ import annotations

import getpass
import hashlib
import socket
import time
from dataclasses import dataclass
from typing import Any

import paramiko
import pytest

from laerecover.adapters.ssh import SshConnector
from laerecover.hostkeys import derive_host_key
from laerecover.manifest import Secret
from laerecover.ports import Command, HostConnector, LaunchRequest, NotListening, Refusal, Transient
from laerecover.recipes import HOME
from laerecover.twin.compute import TwinCompute
from laerecover.twin.hosts import TwinHosts


@dataclass
class Subject:
    """A host to examine."""

    connector: HostConnector
    address: str
    host_key: str
    owner: str
    drop: Any

    def connect(self, host_key: str | None = None) -> Any:
        return self.connector.connect(self.address, user="ubuntu", host_key=host_key or self.host_key)


class HostExam:
    """What every Host does."""

    def test_a_file_comes_back_as_it_was_put(self, subject):
        """Content, digest, owner and mode of a written file are what was asked for."""
        host = subject.connect()
        path = f"{HOME}/deep/file with 'quotes' and $signs"
        host.write(path, Secret("zwölf\nlines $HOME `id`\n"), owner=subject.owner, mode=0o440)
        assert host.read(path).reveal() == "zwölf\nlines $HOME `id`\n"
        fact = host.stat([path, f"{HOME}/nothing"])[path]
        digest = hashlib.sha256("zwölf\nlines $HOME `id`\n".encode()).hexdigest()
        assert (fact.sha256, fact.owner, fact.mode) == (digest, subject.owner, 0o440)

    def test_a_file_can_be_replaced(self, subject):
        """Writing again replaces content and mode."""
        host = subject.connect()
        for text, mode in (("one", 0o600), ("two", 0o644)):
            host.write(f"{HOME}/file", Secret(text), owner=subject.owner, mode=mode)
        assert host.read(f"{HOME}/file").reveal() == "two"
        assert host.stat([f"{HOME}/file"])[f"{HOME}/file"].mode == 0o644

    def test_a_done_command_leaves_its_digest(self, subject):
        """The marker of a command that was carried out holds its digest."""
        host = subject.connect()
        command = Command(name="greet", script="echo hello", user="root")
        assert host.stat([command.marker]) == {}
        (result,) = host.run([command])
        assert (result.name, result.status, result.skipped) == ("greet", 0, False)
        fact = host.stat([command.marker])[command.marker]
        assert fact.sha256 == hashlib.sha256(command.digest.encode()).hexdigest()

    def test_a_done_command_is_not_done_again(self, subject):
        """A command whose marker holds its digest is skipped; another script of the same name is another command."""
        host = subject.connect()
        host.run([Command(name="greet", script="echo hello")])
        again = host.run([Command(name="greet", script="echo hello"), Command(name="part", script="echo bye")])
        assert [(r.name, r.skipped) for r in again] == [("greet", True), ("part", False)]
        (other,) = host.run([Command(name="greet", script="echo other")])
        assert not other.skipped

    def test_a_missing_file_is_a_refusal(self, subject):
        """Reading what is not there is final, not a matter of trying again."""
        with pytest.raises(Refusal):
            subject.connect().read(f"{HOME}/nothing")

    def test_another_host_key_is_refused(self, subject, vault):
        """A host that answers with another key than the pinned one is not talked to."""
        with pytest.raises(Refusal) as caught:
            subject.connect(derive_host_key(vault, "another").public)
        assert caught.value.kind == "host_key"

    def test_the_boot_id_stays_within_a_boot(self, subject):
        """Two connections of one boot tell one boot id."""
        assert subject.connect().boot_id() == subject.connect().boot_id()

    def test_a_lost_connection_is_transient(self, subject):
        """After the link is lost nothing is said about the effect, and a new connection works."""
        host = subject.connect()
        subject.drop()
        with pytest.raises(Transient):
            host.write(f"{HOME}/file", Secret("x"), owner=subject.owner, mode=0o600)


class TestTwinHost(HostExam):
    """The twin's host."""

    @pytest.fixture
    def subject(self, twin_file, vault):
        """A running instance of the twin."""
        compute, key = TwinCompute(twin_file), derive_host_key(vault, "token")
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

        return Subject(TwinHosts(twin_file, vault), address, key.public, "customer", drop)

    def test_the_right_number_of_refusals_then_it_listens(self, subject, twin_file):
        """A booting host refuses a while."""
        with twin_file.change() as db:
            db.execute("UPDATE instances SET refusals = 2")
        for _ in range(2):
            with pytest.raises(NotListening):
                subject.connect()
        assert subject.connect()


class TestSshHost(HostExam):
    """A host over ssh on loopback."""

    @pytest.fixture
    def subject(self, ssh_server, tmp_path):
        """The tests' own ssh server."""
        key = tmp_path / "admin.pem"
        ssh_server.client_key.write_private_key_file(str(key))
        (ssh_server.root / "home").mkdir()
        connector = SshConnector(keys={"ubuntu": key}, command_seconds=10, port=ssh_server.port)
        return Subject(connector, "127.0.0.1", ssh_server.public, getpass.getuser(), ssh_server.drop)

    def test_nothing_is_offered_to_a_host_with_another_key(self, subject, ssh_server, vault):
        """No authentication is attempted where the host key differs."""
        with pytest.raises(Refusal):
            subject.connect(derive_host_key(vault, "another").public)
        assert ssh_server.authentications == 0

    def test_a_closed_port_is_not_listening(self, subject):
        """Nobody listens: the HOWTO's NotListening."""
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        nobody = SshConnector(keys=subject.connector._keys, command_seconds=5, port=port)
        with pytest.raises(NotListening):
            nobody.connect("127.0.0.1", user="ubuntu", host_key=subject.host_key)

    def test_a_stranger_is_not_let_in(self, subject, tmp_path):
        """A refused key is final."""
        paramiko.RSAKey.generate(2048).write_private_key_file(str(tmp_path / "other.pem"))
        subject.connector._keys["ubuntu"] = tmp_path / "other.pem"
        with pytest.raises(Refusal) as caught:
            subject.connect()
        assert caught.value.kind == "authentication"

    def test_a_failing_command_leaves_no_marker(self, subject):
        """Another exit status than 0 ends the phase, and the command counts as not done."""
        host, command = subject.connect(), Command(name="fail", script="echo canary; false; echo on")
        (result,) = host.run([command, Command(name="after", script="true")])
        assert (result.name, result.status) == ("fail", 1)
        assert host.stat([command.marker]) == {}

    def test_a_command_that_takes_too_long_is_given_up(self, ssh_server, subject):
        """Each command has its own deadline."""
        hasty = SshConnector(keys=subject.connector._keys, command_seconds=0.3, port=ssh_server.port)
        host = hasty.connect("127.0.0.1", user="ubuntu", host_key=subject.host_key)
        begun = time.monotonic()
        with pytest.raises(Transient):
            host.run([Command(name="sleep", script="sleep 3")])
        assert time.monotonic() - begun < 2.9
