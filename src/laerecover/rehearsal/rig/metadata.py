"""The metadata service at 169.254.169.254, as far as cloud-init's data source Ec2 asks it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Mapping

from laerecover.rehearsal.rig.hypervisor import NewHost

ADDRESS = "169.254.169.254"
_VERSIONS = ("2009-04-04", "2021-03-23", "latest")


class Metadata:
    """Who asks from a host's public address is told about that host, and about no other."""

    def __init__(self) -> None:
        self._hosts: dict[str, NewHost] = {}

    def add(self, new: NewHost) -> None:
        """From now on this host is answered."""
        self._hosts[new.public_host] = new

    def forget(self, public_host: str) -> None:
        """No longer; no effect if it is not known."""
        self._hosts.pop(public_host, None)

    def answer(self, public_host: str, path: str) -> str | None:
        """What stands at `path`; None for 404."""
        parts = path.strip("/").split("/")
        if parts == [""]:
            return "\n".join(_VERSIONS)
        new = self._hosts.get(public_host)
        if new is None or parts[0] not in _VERSIONS:
            return None
        found: str | Mapping[str, object] | object = _tree(new)
        for part in parts[1:]:
            if not isinstance(found, Mapping) or part not in found:
                return None
            found = found[part]
        if parts[1:] == ["meta-data", "public-keys"]:
            return "0=key-pair"
        if isinstance(found, Mapping):
            return "\n".join(f"{name}/" if isinstance(value, Mapping) else name for name, value in found.items())
        return str(found)

    def serve(self, address: str = ADDRESS, port: int = 80) -> http.server.ThreadingHTTPServer:
        """Answer from now on, in threads of its own."""
        server = http.server.ThreadingHTTPServer((address, port), _answers_of(self))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


def _tree(new: NewHost) -> dict[str, object]:
    """As EC2 has it: a folder lists what is in it, `/` behind what is a folder again."""
    about = {
        "ami-id": "ami-0123456789abcdef0",
        "hostname": new.private_host,
        "instance-id": new.instance_id,
        "instance-type": "t3.micro",
        "local-hostname": new.private_host,
        "local-ipv4": new.private_address or new.public_host,
        "placement": {"availability-zone": "us-east-1a", "region": "us-east-1"},
        "public-ipv4": new.public_host,
        "public-keys": {"0": {"openssh-key": (new.authorized_key or "").strip()}},
    }
    return {"meta-data": about, **({"user-data": new.user_data} if new.user_data else {})}


def _answers_of(metadata: Metadata) -> type[http.server.BaseHTTPRequestHandler]:
    class Answers(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            """A token, which is asked for before questions of the second version; those of the first are answered."""
            self._say(200, "token")

        def do_GET(self) -> None:
            text = metadata.answer(self.client_address[0], self.path)
            self._say(404 if text is None else 200, text or "")

        def log_message(self, format: str, *args: object) -> None:
            del format, args

        def _say(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Answers
