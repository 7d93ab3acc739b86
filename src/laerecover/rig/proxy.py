"""EC2 as moto plays it, with what moto lacks: tokens, refusals, quota, capacity, delays, lost answers, our own addresses.

A WSGI layer around moto's own application. moto stays the store of what exists; this layer decides what may be asked of
it, when an instance shows itself, and under which address.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from unittest.mock import patch
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

from laerecover.rig.doorkeeper import Doorkeeper, Key
from laerecover.rig.faults import Faults

ADDRESSES = tuple(f"203.0.113.{n}" for n in range(10, 250))
"""RFC 5737: nobody's. moto's made-up public addresses belong to other people, so it is not let to make any up."""
OPERATOR = "123456789012"
VCPU_QUOTA = "L-1216C47A"
_GONE_TYPES = ("t1.micro", "m1.small")
_VCPU_LIMIT = "You have requested more vCPU capacity than your current vCPU limit of {} allows"
_XML = [("Content-Type", "text/xml")]

Environ = dict[str, Any]
Answer = tuple[int, list[tuple[str, str]], bytes]
Form = dict[str, str]


class Yard(Protocol):
    """Where the instances of this cloud stand as hosts."""

    def boot(
        self, instance_id: str, public_host: str, private_host: str, user_data: str, authorized_key: str
    ) -> None: ...
    def terminate(self, instance_id: str) -> None: ...
    def reboot(self, instance_id: str) -> None: ...
    def console(self, instance_id: str) -> str: ...


class EmptyYard:
    """No hosts at all."""

    def boot(self, instance_id: str, public_host: str, private_host: str, user_data: str, authorized_key: str) -> None:
        del instance_id, public_host, private_host, user_data, authorized_key

    def terminate(self, instance_id: str) -> None:
        del instance_id

    def reboot(self, instance_id: str) -> None:
        del instance_id

    def console(self, instance_id: str) -> str:
        return f"{instance_id} login: "


@dataclass(kw_only=True)
class Launch:
    """One committed RunInstances; the counts are of questions that are still answered as if it were younger."""

    token: str
    digest: str
    answer: bytes
    instance: Any
    reservation: Any
    unknown: int
    pending: int
    console: int
    address: str | None
    dies: bool
    booted: threading.Event = field(default_factory=threading.Event)

    @property
    def instance_id(self) -> str:
        return str(self.instance.id)

    @property
    def state(self) -> str:
        """EC2's word."""
        return str(self.instance.state)


class Refused(Exception):
    """EC2 answers with this code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code

    @property
    def answer(self) -> Answer:
        error = f"<Error><Code>{escape(self.code)}</Code><Message>{escape(str(self))}</Message></Error>"
        text = f"<Response><Errors>{error}</Errors><RequestID>rig</RequestID></Response>"
        return self.status, _XML, text.encode()


class Cloud:
    """The application, with its handles for whoever plays with it."""

    def __init__(self, yard: Yard, faults: Faults, addresses: Sequence[str]) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self.endpoint = ""
        self.faults, self.door = faults, Doorkeeper()
        self.launches: list[Launch] = []
        self._yard, self._addresses, self._given = yard, addresses, 0
        self._moto: Callable[..., Iterable[bytes]] = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()
        self._acts: dict[str, Callable[[Environ, Form, str | None], Answer]] = {
            "RunInstances": self._run,
            "DescribeInstances": self._describe,
            "TerminateInstances": self._end,
            "RebootInstances": self._reboot,
            "GetConsoleOutput": self._console,
        }

    def prepare(self, *, key_name: str, public_key: str, group: str = "CustomerDefault") -> tuple[str, str]:
        """Give the operator a key pair with this public key, and a security group; an image and a subnet to launch with."""
        backend = _backend("us-east-1")
        if key_name not in backend.key_pairs:
            backend.import_key_pair(key_name, public_key.encode(), {})
        if backend.get_security_group_by_name_or_id(group) is None:
            backend.create_security_group(group, "customers", vpc_id=backend.get_default_vpc().id)
        subnets = backend.get_default_subnets()
        return str(backend.describe_images()[0].id), str(subnets["us-east-1a"].id)

    def allow(self, access_key_id: str, secret: str, *, bucket: str | None = None, token: str | None = None) -> None:
        """Let this key in: to one bucket, or as the operator. From the first key on strangers are refused."""
        buckets = None if bucket is None else frozenset({bucket})
        self.door.keys[access_key_id] = Key(secret=secret, buckets=buckets, token=token)

    def reset(self, faults: Faults | None = None) -> None:
        """An empty cloud."""
        with self._lock:
            for launch in self.launches:
                self._yard.terminate(launch.instance_id)
            self.launches, self._given, self.faults, self.door = [], 0, faults or Faults(), Doorkeeper()
            from moto.backends import get_backend

            for service in ("ec2", "s3"):
                get_backend(service).reset()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI. A lost connection is a shut socket: werkzeug takes the ConnectionError for a client that went away."""
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        region, service = scope.groups() if scope else ("us-east-1", "s3")
        environ["laerecover.region"] = region
        try:
            if service == "s3":
                refused = self._s3(environ)
                if refused is None:
                    return self._moto(environ, start_response)
                answer = refused
            else:
                answer = self._ask(environ, service)
        except Refused as refusal:
            answer = refusal.answer
        except ConnectionError:
            line = environ["werkzeug.socket"]
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.shutdown(socket.SHUT_RDWR)
            raise
        status, headers, body = answer
        start_response(f"{status} -", [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _s3(self, environ: Environ) -> Answer | None:
        """Buckets pass through, unless the key is wrong or a fault strikes."""
        bucket = environ.get("PATH_INFO", "/").lstrip("/").partition("/")[0]
        fault = self.faults.strike(f"s3:{environ['REQUEST_METHOD']}")
        if fault in ("reset_before", "reset_after"):
            raise ConnectionResetError
        no = (503, "SlowDown") if fault == "throttle" else (500, "InternalError") if fault else None
        no = no or self.door.refuse(environ, bucket, None)
        if no is None:
            return None
        text = f"<Error><Code>{no[1]}</Code><Message>{no[1]}</Message></Error>"
        return (
            no[0],
            [("Content-Type", "application/xml")],
            b"" if environ["REQUEST_METHOD"] == "HEAD" else text.encode(),
        )

    def _ask(self, environ: Environ, service: str) -> Answer:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if no := self.door.refuse(environ, "", body):
            raise Refused(no[0], no[1], "this key may not do that")
        if service == "servicequotas":
            return self._quota(body)
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if service != "ec2":
            return self._forward(environ, form)
        call = form.get("Action", "") + (":dry" if form.get("DryRun") == "true" else "")
        with self._lock:
            fault = self.faults.strike(call)
            _strike_before(fault)
            act = self._acts.get(form.get("Action", ""))
            answer = act(environ, form, fault) if act else self._forward(environ, form)
        if fault == "reset_after":
            raise ConnectionResetError
        return answer

    def _forward(self, environ: Environ, form: Form) -> Answer:
        from werkzeug.test import run_wsgi_app

        body = urlencode(form).encode()
        asked = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        parts, status, headers = run_wsgi_app(self._moto, asked, buffered=True)
        kept = [(k, v) for k, v in headers if k.lower() not in ("content-length", "connection")]
        return int(status.split()[0]), kept, b"".join(parts)

    # --- EC2's actions ---

    def _run(self, environ: Environ, form: Form, fault: str | None) -> Answer:
        backend = _backend(environ["laerecover.region"])
        token = form.get("ClientToken") or f"none {len(self.launches)}"
        digest = hashlib.sha256(repr(sorted(form.items())).encode()).hexdigest()
        known = next((launch for launch in self.launches if launch.token == token), None)
        if known is not None:
            if known.digest != digest:
                raise Refused(400, "IdempotentParameterMismatch", "the client token was used with other parameters")
            if known.state == "terminated":
                raise Refused(400, "IdempotentInstanceTerminated", "the instance of this client token is terminated")
            return 200, _XML, known.answer
        _refuse_unknown(backend, form)
        if form.get("DryRun") == "true":
            raise Refused(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
        self._refuse_full(backend, form, fault)
        status, headers, body = self._forward(environ, form)
        if status != 200:
            return status, headers, body
        found = re.search(rb"<instanceId>(i-[0-9a-f]+)</instanceId>", body)
        if found is None:
            return status, headers, body
        body = body.replace(b"<name>running</name>", b"<name>pending</name>").replace(
            b"<code>16</code>", b"<code>0</code>"
        )
        user_data = base64.b64decode(form.get("UserData", "")).decode()
        self._commit(backend.get_instance(found[1].decode()), token, digest, body, user_data, dies=fault == "dies")
        return status, headers, body

    def _refuse_full(self, backend: Any, form: Form, fault: str | None) -> None:
        zone = _zone(backend, form)
        if fault == "capacity" or self.faults.full(form["InstanceType"], zone):
            raise Refused(500, "InsufficientInstanceCapacity", f"no {form['InstanceType']} is to be had in {zone} now")
        used = sum(vcpus(launch.instance.instance_type) for launch in self.launches if launch.state != "terminated")
        limit = self.faults.vcpus
        if fault == "quota" or (limit is not None and used + vcpus(form["InstanceType"]) > limit):
            raise Refused(400, "VcpuLimitExceeded", _VCPU_LIMIT.format(limit))

    def _commit(self, instance: Any, token: str, digest: str, answer: bytes, user_data: str, *, dies: bool) -> None:
        backend = instance.ec2_backend
        instance._state.name, instance._state.code = "pending", 0
        reservation = next(r for r in backend.reservations.values() if instance in r.instances)
        unknown, pending, console = self.faults.waits(len(self.launches))
        launch = Launch(
            token=token,
            digest=digest,
            answer=answer,
            instance=instance,
            reservation=reservation,
            unknown=unknown,
            pending=pending,
            console=console,
            address=self._address() if instance.nics[0].public_ip_auto_assign else None,
            dies=dies,
        )
        if unknown:
            del backend.reservations[reservation.id]
        self.launches.append(launch)
        threading.Thread(target=self._boot, args=(launch, user_data), daemon=True).start()

    def _boot(self, launch: Launch, user_data: str) -> None:
        instance = launch.instance
        try:
            key = instance.ec2_backend.key_pairs[instance.key_name].public_key
            self._yard.boot(launch.instance_id, launch.address or "", instance.private_dns_name, user_data, key)
        except Exception:  # noqa: BLE001  a cloud, too, ends an instance that it cannot boot
            launch.dies = True
        launch.booted.set()

    def _address(self) -> str:
        taken = {launch.address for launch in self.launches if launch.state != "terminated"}
        for _ in self._addresses:
            address = self._addresses[self._given % len(self._addresses)]
            self._given += 1
            if address not in taken:
                return address
        raise Refused(400, "InsufficientFreeAddressesInSubnet", "the rig has no more addresses")

    def _describe(self, environ: Environ, form: Form, fault: str | None) -> Answer:
        del fault
        for launch in self.launches:
            self._ripen(launch)
        answer = self._forward(environ, self._by_instance(form))
        asked = {value for key, value in form.items() if key.startswith("InstanceId.")}
        for launch in self.launches:
            if asked and launch.instance_id not in asked:
                continue
            if launch.unknown:
                launch.unknown -= 1
            elif launch.pending:
                launch.pending -= 1
        return answer

    def _ripen(self, launch: Launch) -> None:
        """Let the instance show itself, and run, when its time has come."""
        instance, reservations = launch.instance, launch.instance.ec2_backend.reservations
        if not launch.unknown:
            reservations.setdefault(launch.reservation.id, launch.reservation)
        if launch.unknown or launch.pending or launch.state != "pending" or not launch.booted.is_set():
            return
        if launch.dies:
            instance.terminate()
            self._yard.terminate(launch.instance_id)
            return
        instance._state.name, instance._state.code = "running", 16
        instance.nics[0].public_ip = launch.address

    def _by_instance(self, form: Form) -> Form:
        """moto fails the filter client-token: ask by the instances instead."""
        changed = dict(form)
        for key, value in form.items():
            if re.fullmatch(r"Filter\.\d+\.Name", key) and value == "client-token":
                stem = key.removesuffix("Name") + "Value."
                wanted = {v for k, v in form.items() if k.startswith(stem)}
                changed = {k: v for k, v in changed.items() if not k.startswith(stem)} | {key: "instance-id"}
                ids = [launch.instance_id for launch in self.launches if launch.token in wanted] or ["i-0"]
                changed |= {f"{stem}{n}": instance_id for n, instance_id in enumerate(ids, 1)}
        return changed

    def _end(self, environ: Environ, form: Form, fault: str | None) -> Answer:
        del fault
        answer = self._forward(environ, form)
        for launch in self.launches:
            if launch.state == "terminated":
                self._yard.terminate(launch.instance_id)
        return answer

    def _reboot(self, environ: Environ, form: Form, fault: str | None) -> Answer:
        del fault
        answer = self._forward(environ, form)
        if answer[0] == 200:
            for key, value in form.items():
                if key.startswith("InstanceId."):
                    self._yard.reboot(value)
        return answer

    def _console(self, environ: Environ, form: Form, fault: str | None) -> Answer:
        del environ, fault
        launch = next((each for each in self.launches if each.instance_id == form.get("InstanceId")), None)
        if launch is None:
            raise Refused(
                400, "InvalidInstanceID.NotFound", f"The instance ID '{form.get('InstanceId')}' does not exist"
            )
        text = "" if launch.console else self._yard.console(launch.instance_id)
        launch.console = max(0, launch.console - 1)
        output = base64.b64encode(text.encode()).decode()
        inner = f"<instanceId>{launch.instance_id}</instanceId><output>{output}</output>"
        return 200, _XML, f"<GetConsoleOutputResponse>{inner}</GetConsoleOutputResponse>".encode()

    def _quota(self, body: bytes) -> Answer:
        """service-quotas GetServiceQuota: moto knows VPC's quotas only."""
        headers = [("Content-Type", "application/x-amz-json-1.1")]
        if VCPU_QUOTA.encode() not in body or self.faults.vcpus is None:
            return 400, headers, b'{"__type": "NoSuchResourceException", "message": "no such quota"}'
        return 200, headers, b'{"Quota": {"QuotaCode": "%s", "Value": %d}}' % (VCPU_QUOTA.encode(), self.faults.vcpus)


def vcpus(instance_type: str) -> int:
    """How many virtual processors the type has."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    return int(INSTANCE_TYPES[instance_type]["VCpuInfo"]["DefaultVCpus"])


def _backend(region: str) -> Any:
    from moto.ec2.models import ec2_backends

    return ec2_backends[OPERATOR][region]


def _strike_before(fault: str | None) -> None:
    """What goes wrong before anything is done."""
    if fault == "reset_before":
        raise ConnectionResetError
    if fault == "throttle":
        raise Refused(503, "RequestLimitExceeded", "Request limit exceeded.")
    if fault == "error":
        raise Refused(500, "InternalError", "An internal error has occurred")
    if fault not in (None, "reset_after", "capacity", "quota", "dies"):
        raise Refused(400, str(fault), "as the plan of faults wants it")


def _zone(backend: Any, form: Form) -> str:
    if subnet := form.get("SubnetId"):
        return str(backend.get_subnet(subnet).availability_zone)
    return form.get("Placement.AvailabilityZone") or f"{backend.region_name}a"


def _refuse_unknown(backend: Any, form: Form) -> None:
    """moto takes any image, type and key, and breaks on an unknown group: EC2 refuses them with these codes."""
    image, size, key = form.get("ImageId", ""), form.get("InstanceType", ""), form.get("KeyName", "")
    subnet, zone = form.get("SubnetId"), form.get("Placement.AvailabilityZone")
    if not re.fullmatch(r"ami-([0-9a-f]{8}|[0-9a-f]{17})", image):
        raise Refused(400, "InvalidAMIID.Malformed", f'Invalid id: "{image}"')
    if not backend.describe_images(filters={"image-id": [image]}):
        raise Refused(400, "InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")
    if not backend.describe_instance_types(filters={"instance-type": [size]}) or size in _GONE_TYPES:
        raise Refused(400, "InvalidParameterValue", f"Invalid value '{size}' for InstanceType.")
    if key not in backend.key_pairs:
        raise Refused(400, "InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    if subnet and subnet not in {s.id for s in backend.describe_subnets()}:
        raise Refused(400, "InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist")
    if zone and zone not in {z.name for z in backend.describe_availability_zones()}:
        raise Refused(400, "InvalidParameterValue", f"Invalid availability zone: [{zone}]")
    groups = {k: v for k, v in form.items() if k.startswith("SecurityGroup")}
    if subnet and any(k.startswith("SecurityGroup.") for k in groups):
        raise Refused(
            400, "InvalidParameterCombination", "The parameter groupName cannot be used with the parameter subnet"
        )
    for group in groups.values():
        if backend.get_security_group_by_name_or_id(group) is None:
            raise Refused(400, "InvalidGroup.NotFound", f"The security group '{group}' does not exist")


@contextmanager
def serve(
    yard: Yard | None = None,
    bind: tuple[str, int] = ("127.0.0.1", 0),
    *,
    faults: Faults | None = None,
    addresses: Sequence[str] = ADDRESSES,
) -> Iterator[Cloud]:
    """The cloud at `endpoint`, as long as the context lasts. moto keeps its things in this process: one cloud at a time."""
    from moto.ec2.models import elastic_network_interfaces, instance_types
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log(self, type: str, message: str, *args: Any) -> None:
            del type, message, args

    cloud = Cloud(yard or EmptyYard(), faults or Faults(), addresses)
    with patch.object(elastic_network_interfaces, "random_public_ip", lambda: None):
        for offers in instance_types.INSTANCE_TYPE_OFFERINGS.values():
            for region, rows in offers.items():
                offers[region] = [row for row in rows if row["InstanceType"] not in _GONE_TYPES]
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
