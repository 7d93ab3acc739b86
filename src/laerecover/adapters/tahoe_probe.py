"""Who answers at a Tahoe-LAFS node's port, by the TLS handshake that foolscap's negotiation leads to."""

from __future__ import annotations

import functools
import re
import socket
import ssl
import tempfile
import threading
import time

from laerecover.hosts.identity import new_node_pem
from laerecover.manifest import tub_id_of_certificate
from laerecover.ports.refusals import Refusal, Transient
from laerecover.text import clean, reason_of

_TIMEOUT = 20.0
_ANSWER = 4096
_TUB_ID = re.compile("[a-z2-7]{32}")
_one_at_a_time = threading.Lock()


class TahoeProbe:
    """NodeProbe over TCP. No furl leaves this machine: a TubID is no capability, and no more than it is named."""

    def __init__(self, *, timeout: float = _TIMEOUT) -> None:
        self._timeout = timeout

    def tub_id(self, public_host: str, port: int, *, wanted: str) -> str:
        """Ask for the wanted tub, as foolscap does; then believe nothing but the certificate of the handshake."""
        if not _TUB_ID.fullmatch(wanted):
            raise Refusal("that is no TubID", kind="bad_tub_id")
        where = f"{public_host}:{port}"
        try:
            with socket.create_connection((public_host, port), timeout=self._timeout) as plain:
                # foolscap's negotiate.py: an HTTP request that asks to go on in TLS; 404 where no such tub is known.
                plain.sendall(
                    f"GET /id/{wanted} HTTP/1.1\r\nHost: {public_host}\r\nUser-Agent: Foolscap/0.13\r\n"
                    "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n".encode("ascii")
                )
                status = _headers(plain, time.monotonic() + self._timeout).partition(b"\r\n")[0]
                if not re.match(rb"HTTP/1\.[01] 101 ", status):
                    raise Refusal(f"{where} does not know that tub: {clean(status.decode('latin-1'))}", kind="no_tub")
                with _context().wrap_socket(plain) as secured:
                    certificate = secured.getpeercert(binary_form=True) or b""
        except ssl.SSLError as error:
            raise Refusal(f"{where} breaks the handshake: {clean(error.reason)}", kind="no_tls") from None
        except OSError as error:
            raise Transient(
                f"{where} does not answer: {clean(error.strerror or str(error) or reason_of(error))}"
            ) from None
        return tub_id_of_certificate(certificate)


def _headers(plain: socket.socket, until: float) -> bytes:
    """To the empty line and no byte further: what follows belongs to TLS.

    TimeoutError, however slowly the bytes drip.
    """
    answer, patience = b"", plain.gettimeout()
    while not answer.endswith(b"\r\n\r\n"):
        plain.settimeout(max(0.001, until - time.monotonic()))
        octet = plain.recv(1)
        if not octet or len(answer) > _ANSWER:
            raise ConnectionResetError(0, "it hangs up before TLS" if not octet else "it does not speak foolscap")
        answer += octet
    plain.settimeout(patience)
    return answer


@functools.cache
def _made() -> ssl.SSLContext:
    """Certificates of 2012 are let through (RSA of 1024 bits, MD5), and so is that time's TLS 1.0.

    The TubID is the certificate's hash, and the hash is what counts.

    Nodes want to see a certificate of ours, too: it is made for this process, and tells nothing.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(new_node_pem().reveal().encode("ascii"))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _context() -> ssl.SSLContext:
    with _one_at_a_time:
        return _made()
