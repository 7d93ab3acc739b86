"""The rig's cloud: moto behind a layer that adds what moto lacks.

moto's own application is wrapped where it is served, so that there is one socket. It stays the store of what exists; the
layer decides who may ask, what goes wrong, when an instance shows itself, under which address. S3 passes through.
"""

from __future__ import annotations

import io
import os
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode

from laerecover.ports.ingress import EVERYWHERE
from laerecover.rehearsal.rig.access import Access, Key
from laerecover.rehearsal.rig.ec2 import ActionCall, Actions, Launch
from laerecover.rehearsal.rig.ec2_refusals import GONE_TYPES, Answer, Form, Refused, backend_of
from laerecover.rehearsal.rig.faults import RigFaults
from laerecover.rehearsal.rig.hypervisor import Hypervisor, NoHosts

ADDRESSES = tuple(f"203.0.113.{n}" for n in range(10, 250))
"""RFC 5737: nobody's. moto's made-up public addresses belong to other people, so it is not let to make any up."""
IMAGE = "ami-0123456789abcdef0"
"""The one image of this cloud; moto's own list is a thousand long, and made anew at each reset."""
_VCPU_QUOTA = b"L-1216C47A"
_JSON, _XML = [("Content-Type", "application/x-amz-json-1.1")], [("Content-Type", "application/xml")]

Environ = dict[str, Any]


class Cloud:
    """The application, with its handles for whoever plays with it."""

    def __init__(self, hypervisor: Hypervisor, faults: RigFaults, addresses: Sequence[str]) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self.endpoint = ""
        self._moto: Callable[..., Iterable[bytes]] = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()
        self._hypervisor, self._addresses = hypervisor, addresses
        self._begin(faults)

    def _begin(self, faults: RigFaults) -> None:
        self.faults, self.access = faults, Access()
        self._actions = Actions(self._hypervisor, faults, self._addresses)

    @property
    def launches(self) -> list[Launch]:
        """What was launched, dead or alive, oldest first."""
        return self._actions.launches

    def prepare(self, *, key_name: str, public_key: str, group: str = "CustomerDefault") -> tuple[str, str]:
        """Give the operator a key pair with this public key, and a security group that lets everybody in where a recovered
        server must be reached; an image and a subnet to launch with."""
        from moto.ec2.models.amis import Ami

        backend = backend_of("us-east-1")
        backend.amis[IMAGE] = Ami(backend, IMAGE, name="debian-12", architecture="x86_64", virtualization_type="hvm")
        if key_name not in backend.key_pairs:
            backend.import_key_pair(key_name, public_key.encode(), {})
        if backend.get_security_group_by_name_or_id(group) is None:
            backend.create_security_group(group, "customers", vpc_id=backend.get_default_vpc().id)
            self.let_in([(22, 22, EVERYWHERE), (12345, 12346, EVERYWHERE)], group=group)
        return IMAGE, str(backend.get_default_subnets()["us-east-1a"].id)

    def let_in(self, rules: Sequence[tuple[int, int, str]], *, group: str = "CustomerDefault") -> None:
        """Replace the group's rules: first port, last port, range of addresses. Hosts that run already keep theirs."""
        backend = backend_of("us-east-1")
        backend.get_security_group_by_name_or_id(group).ingress_rules.clear()
        for first, last, source in rules:
            ranges = [{"CidrIp": source}]
            backend.authorize_security_group_ingress(group, "tcp", str(first), str(last), ip_ranges=ranges)

    def allow(
        self,
        access_key_id: str,
        secret: str,
        *,
        bucket: str | None = None,
        token: str | None = None,
        objects_from: str | None = None,
    ) -> None:
        """Let this key in: to one bucket, or as the operator. From the first key on strangers are refused."""
        buckets = None if bucket is None else frozenset({bucket})
        key = Key(secret=secret, buckets=buckets, token=token, objects_from=objects_from)
        self.access.keys[access_key_id] = key

    def reset(self, faults: RigFaults | None = None) -> None:
        """An empty cloud."""
        from moto.backends import get_backend

        with self._lock:
            for launch in self.launches:
                self._hypervisor.terminate(launch.instance_id)
            self._begin(faults or RigFaults())
            get_backend("ec2").reset()
            get_backend("s3").reset()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI. A lost connection is a shut socket: werkzeug takes the ConnectionError for a client that went away."""
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        region, service = scope.groups() if scope else ("us-east-1", "s3")
        try:
            refused = self._s3(environ) if service == "s3" else None
            if service == "s3" and refused is None:
                return self._moto(environ, start_response)
            status, headers, body = refused or self._ask(environ, region, service)
        except Refused as refusal:
            status, headers, body = refusal.answer
        except ConnectionError:
            line = environ["werkzeug.socket"]
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.shutdown(socket.SHUT_RDWR)
            raise
        start_response(f"{status} -", [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _s3(self, environ: Environ) -> Answer | None:
        """Buckets pass through, unless the key is wrong or a fault strikes."""
        bucket, method = environ.get("PATH_INFO", "/").lstrip("/").partition("/")[0], environ["REQUEST_METHOD"]
        fault = self.faults.strike(f"s3:{method}")
        if fault in ("reset_before", "reset_after"):
            raise ConnectionResetError
        no = (503, "SlowDown") if fault == "throttle" else (500, "InternalError") if fault else None
        no = no or self.access.refuse(environ, bucket, None)
        if no is None:
            return None
        text = f"<Error><Code>{no[1]}</Code><Message>{no[1]}</Message></Error>"
        return no[0], _XML, b"" if method == "HEAD" else text.encode()

    def _ask(self, environ: Environ, region: str, service: str) -> Answer:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if no := self.access.refuse(environ, "", body):
            raise Refused(no[0], no[1], "this key may not do that")
        if service == "servicequotas":
            return self._quota(body)
        if service != "ec2":
            return self._forward(environ, body)
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        dry = ":dry" if form.get("DryRun") == "true" else ""

        def forward(changed: Form) -> Answer:
            return self._forward(environ, urlencode(changed).encode())

        with self._lock:
            fault = self.faults.strike(form.get("Action", "") + dry)
            return self._actions.carry_out(ActionCall(region=region, form=form, fault=fault, forward=forward))

    def _forward(self, environ: Environ, body: bytes) -> Answer:
        from werkzeug.test import run_wsgi_app

        asked = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        parts, status, headers = run_wsgi_app(self._moto, asked, buffered=True)
        kept = [(k, v) for k, v in headers if k.lower() not in ("content-length", "connection")]
        return int(status.split()[0]), kept, b"".join(parts)

    def _quota(self, body: bytes) -> Answer:
        """GetServiceQuota: moto knows VPC's quotas only."""
        if _VCPU_QUOTA not in body or self.faults.vcpus is None:
            return 400, _JSON, b'{"__type": "NoSuchResourceException", "message": "no such quota"}'
        return 200, _JSON, b'{"Quota": {"QuotaCode": "%s", "Value": %d}}' % (_VCPU_QUOTA, self.faults.vcpus)


@contextmanager
def serve(
    hypervisor: Hypervisor | None = None,
    bind: tuple[str, int] = ("127.0.0.1", 0),
    *,
    faults: RigFaults | None = None,
    addresses: Sequence[str] = ADDRESSES,
) -> Iterator[Cloud]:
    """The cloud at `endpoint`, as long as the context lasts. moto keeps its things in this process: one cloud at a time."""
    from moto.ec2.models import elastic_network_interfaces, instance_types
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            del type, message, args

    cloud = Cloud(hypervisor or NoHosts(), faults or RigFaults(), addresses)
    no_images = patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"})
    with no_images, patch.object(elastic_network_interfaces, "random_public_ip", lambda: None):
        for offers in instance_types.INSTANCE_TYPE_OFFERINGS.values():
            for region, rows in offers.items():
                offers[region] = [row for row in rows if row["InstanceType"] not in GONE_TYPES]
        server = make_server(*bind, cloud, threaded=True, request_handler=Quiet)
        host, port = server.server_address[:2]
        cloud.endpoint = f"http://{host!s}:{port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield cloud
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
