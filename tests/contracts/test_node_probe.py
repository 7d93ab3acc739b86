"""One exam for who answers at a node's port: the twin's nodes, and foolscap's handshake over loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import warnings
from pathlib import Path

import pytest

from laerecover.adapters.tahoe_probe import TahoeProbe
from laerecover.hosts.identity import INTRODUCER_PORT, new_node_pem, tub_id_of
from laerecover.manifest import Secret
from laerecover.ports.refusals import Refusal, Transient
from laerecover.rehearsal.rig.cache import client_program
from laerecover.rehearsal.rig.tools import missing
from laerecover.rehearsal.twin.probes import TwinProbe

OTHER_NODE = "a" * 32


class NodeExam:
    """What every NodeProbe does. `node` gives the probe, an address, a port and the TubID of who is at home there."""

    def test_the_tub_that_is_there_answers(self, node):
        """Asked for itself, a node gives its TubID."""
        probe, host, port, tub_id = node
        assert probe.tub_id(host, port, wanted=tub_id) == tub_id

    def test_another_tub_is_not_there(self, node):
        """Asked for another tub, it is a refusal, never that other's TubID."""
        probe, host, port, _ = node
        with pytest.raises(Refusal):
            probe.tub_id(host, port, wanted=OTHER_NODE)

    def test_nobody_there_is_transient(self, node):
        """Where no node runs, nobody answers."""
        probe, host, _, tub_id = node
        with pytest.raises(Transient):
            probe.tub_id(host, free_port(), wanted=tub_id)


class TestTwinProbe(NodeExam):
    """The twin's nodes."""

    @pytest.fixture
    def node(self, twin_file):
        """An introducer that runs."""
        tub_id = "b" * 32
        with twin_file.change() as db:
            row = "'i-1','t','d','a','{}','running','l',0,0,'203.0.113.7','p','k',1,0"
            db.execute(f"INSERT INTO instances VALUES ({row})")
            db.execute("INSERT INTO services VALUES ('i-1', 'introducer', ?)", (tub_id,))
        return TwinProbe(twin_file), "203.0.113.7", INTRODUCER_PORT, tub_id

    def test_a_port_that_the_group_keeps_shut_does_not_answer(self, node, twin_file):
        """As behind a real security group: packets are dropped. On the rig: tests/e2e/test_reach.py."""
        probe, host, port, tub_id = node
        twin_file.let_in([(22, 22, "0.0.0.0/0"), (12345, 12346, "198.51.100.0/24")])
        with pytest.raises(Transient, match="timed out"):
            probe.tub_id(host, port, wanted=tub_id)


class Tub:
    """A server that negotiates as foolscap does: HTTP upgrade, then TLS that wants a certificate of the client's, too.

    `knows`: the TubID it answers for, whatever its certificate says; `newest`: the latest TLS that it speaks.
    """

    def __init__(
        self, folder: Path, pem: Secret, *, knows: str, manner: str = "foolscap", newest: ssl.TLSVersion | None = None
    ) -> None:
        file = folder / "node.pem"
        file.write_text(pem.reveal())
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        self.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        if newest is not None:
            self.context.maximum_version = newest
        self.context.load_cert_chain(file)
        self.knows, self.manner, self.asked = knows, manner, b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._answer(connection)
                except OSError:
                    continue

    def _answer(self, connection: socket.socket) -> None:
        self.asked = connection.recv(4096)
        if self.manner == "hangs up":
            return
        if self.manner == "chatters":
            connection.sendall(b"x" * 100_000)
            return
        if self.manner == "drips":
            for octet in b"HTTP/1.1 101 Switching Protocols\r\n":
                connection.sendall(bytes([octet]))
                time.sleep(0.1)
            connection.sendall(b"\r\n")
        if b"GET /id/" + self.knows.encode() not in self.asked:
            connection.sendall(b"HTTP/1.1 500 Internal Server Error: unknown TubID\r\n\r\n")
            return
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: TLS/1.0, PB/1.0\r\nConnection: Upgrade\r\n\r\n"
        )
        if self.manner == "no tls":
            connection.sendall(b"HTTP/1.1 400 no\r\n\r\n" * 10)
            return
        with self.context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)

    def close(self) -> None:
        self._listener.close()


def weak_pem() -> Secret:
    """A node.pem as of 2012 out of the fixtures.

    RSA of 1024 bits, its certificate expired and signed over SHA-1 or MD5.
    """
    for path in sorted((Path(__file__).parents[2] / "fixtures/evidence/secrets").glob("2012-*")):
        if path.stat().st_size:
            return Secret(str(json.loads(path.read_text())["introducer_node_pem"]) + "\n")
    raise FileNotFoundError("no filled secrets file in the fixtures")


class TestTahoeProbe(NodeExam):
    """The real probe, at a server of the tests' own."""

    @pytest.fixture
    def tub(self, tmp_path):
        """Makes servers."""
        made = []

        def make(pem=None, **options):
            pem = pem or new_node_pem()
            made.append(Tub(tmp_path, pem, **{"knows": tub_id_of(pem), **options}))
            return made[-1]

        yield make
        for server in made:
            server.close()

    @pytest.fixture(params=["of today", "of 2012"])
    def node(self, tub, request):
        """A node with a strong key, and one with an expired certificate over 1024 bits that knows TLS 1.0 alone."""
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            server = tub(weak_pem(), newest=ssl.TLSVersion.TLSv1) if request.param == "of 2012" else tub()
        return TahoeProbe(timeout=5), "127.0.0.1", server.port, server.knows

    def test_a_wrong_certificate_is_seen(self, tub):
        """Whoever claims to be the wanted tub, but has another key, gives that other key's TubID."""
        pem = new_node_pem()
        server = tub(pem, knows=OTHER_NODE)
        assert TahoeProbe(timeout=5).tub_id("127.0.0.1", server.port, wanted=OTHER_NODE) == tub_id_of(pem)

    def test_nothing_but_the_tub_id_is_told(self, tub):
        """The request names the wanted tub: no swissnum, no location."""
        server = tub()
        TahoeProbe(timeout=5).tub_id("127.0.0.1", server.port, wanted=server.knows)
        assert server.asked.startswith(f"GET /id/{server.knows} HTTP/1.1\r\n".encode())
        assert b"pb://" not in server.asked

    @pytest.mark.parametrize(
        ("manner", "error"), [("hangs up", Transient), ("chatters", Transient), ("no tls", Refusal)]
    )
    def test_what_is_no_node_ends_the_asking(self, tub, manner, error):
        """Another service, a proxy, a broken handshake: told, and never hung upon."""
        server = tub(manner=manner)
        with pytest.raises(error):
            TahoeProbe(timeout=5).tub_id("127.0.0.1", server.port, wanted=server.knows)

    def test_who_drips_is_not_waited_for(self, tub):
        """A byte now and then, each within the time that one answer may take: the whole must come in that time."""
        server = tub(manner="drips")
        with pytest.raises(Transient, match="timed out"):
            TahoeProbe(timeout=1).tub_id("127.0.0.1", server.port, wanted=server.knows)

    @pytest.mark.parametrize("wanted", ["", "x\r\nHost: a", "A" * 32, "pb://" + "a" * 27])
    def test_only_a_tub_id_is_asked_for(self, wanted):
        """What is no TubID never reaches the wire."""
        with pytest.raises(Refusal):
            TahoeProbe().tub_id("127.0.0.1", 1, wanted=wanted)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.mark.e2e
@pytest.mark.parametrize("age", ["of today", "of 2012"])
def test_a_real_introducer_answers(tmp_path, age):
    """Stock Tahoe-LAFS (of LAE_TAHOE, the PATH, or the rig) proves itself to the probe, also with a key of 2012."""
    tahoe = os.environ.get("LAE_TAHOE") or shutil.which("tahoe")
    if tahoe is None:
        if reason := missing():
            pytest.skip(f"no tahoe: name one with LAE_TAHOE; nor can the rig make one: {reason}")
        tahoe = str(client_program(print))
    port, folder = free_port(), tmp_path / "introducer"
    listen = f"--port=tcp:{port}:interface=127.0.0.1", f"--location=tcp:127.0.0.1:{port}"
    subprocess.run([tahoe, "create-introducer", "--listen=tcp", *listen, folder], check=True, timeout=60)
    pem = weak_pem() if age == "of 2012" else new_node_pem()
    (folder / "private" / "node.pem").write_text(pem.reveal())
    lowered = tmp_path / "openssl.cnf"
    lowered.write_text(
        "openssl_conf = start\n[start]\nssl_conf = ssl\n[ssl]\nsystem_default = lowered\n[lowered]\n"
        "CipherString = DEFAULT@SECLEVEL=0\n"
    )
    node = subprocess.Popen(
        [tahoe, "run", "--allow-stdin-close", folder],
        env={**os.environ, "OPENSSL_CONF": str(lowered)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        probe, until = TahoeProbe(timeout=5), time.monotonic() + 60
        while True:
            try:
                assert probe.tub_id("127.0.0.1", port, wanted=tub_id_of(pem)) == tub_id_of(pem)
                break
            except Transient:
                assert time.monotonic() < until
                time.sleep(0.5)
        with pytest.raises(Refusal):
            probe.tub_id("127.0.0.1", port, wanted=OTHER_NODE)
    finally:
        node.send_signal(signal.SIGTERM)
        node.wait(20)
