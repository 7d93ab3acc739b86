"""EC2's actions as EC2 carries them out: moto is the store, an instance shows itself when its time has come."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from laerecover.rehearsal.rig.ec2_refusals import (
    XML,
    Answer,
    Form,
    Refused,
    backend_of,
    refuse_unknown,
    rules_of,
    vcpus,
    zone_of,
)
from laerecover.rehearsal.rig.faults import RigFaults
from laerecover.rehearsal.rig.hypervisor import Hypervisor, NewHost
from laerecover.rehearsal.rig.images import image_of

_NO_TAGS = (
    "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/drill is not authorized to "
    "perform: ec2:CreateTags on resource: arn:aws:ec2:us-east-1:123456789012:instance/* because no identity-based "
    "policy allows the ec2:CreateTags action"
)
_VCPU_LIMIT = "You have requested more vCPU capacity than your current vCPU limit of {} allows"


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
    dies: str
    """The reason with which it ends instead of running; "" if it runs."""
    booted: threading.Event = field(default_factory=threading.Event)

    @property
    def instance_id(self) -> str:
        return str(self.instance.id)

    @property
    def state(self) -> str:
        """EC2's word."""
        return str(self.instance.state)


@dataclass(frozen=True, kw_only=True)
class ActionCall:
    """One call; `forward` hands a form on to moto."""

    region: str
    form: Form
    fault: str | None
    forward: Callable[[Form], Answer]

    @property
    def instance_ids(self) -> set[str]:
        return {value for key, value in self.form.items() if key.startswith("InstanceId.")}


class Actions:
    """The actions for which moto is not enough. Whoever calls holds one lock for all of them."""

    def __init__(self, hypervisor: Hypervisor, faults: RigFaults, addresses: Sequence[str]) -> None:
        self.launches: list[Launch] = []
        self._hypervisor, self._faults, self._addresses, self._given = hypervisor, faults, addresses, 0

    def carry_out(self, asked: ActionCall) -> Answer:
        """The answer; Refused, or ConnectionResetError where the fault says so."""
        acts = {
            "RunInstances": self._run,
            "DescribeInstances": self._describe,
            "TerminateInstances": self._terminate,
            "RebootInstances": self._reboot,
            "GetConsoleOutput": self._console,
            "AuthorizeSecurityGroupIngress": self._change_group,
            "RevokeSecurityGroupIngress": self._change_group,
        }
        _strike_before(asked.fault)
        act = acts.get(asked.form.get("Action", ""))
        answer = act(asked) if act else asked.forward(asked.form)
        if asked.fault == "reset_after":
            raise ConnectionResetError
        return answer

    def _run(self, asked: ActionCall) -> Answer:
        form, backend = asked.form, backend_of(asked.region)
        token = form.get("ClientToken") or f"none {len(self.launches)}"
        digest = hashlib.sha256(repr(sorted(form.items())).encode()).hexdigest()
        known = next((launch for launch in self.launches if launch.token == token), None)
        if known is not None:
            return 200, XML, _again(known, digest)
        if asked.fault == "untagged" and any(name.startswith("TagSpecification") for name in form):
            raise Refused(403, "UnauthorizedOperation", _NO_TAGS)
        refuse_unknown(backend, form)
        if form.get("DryRun") == "true":
            raise Refused(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
        self._refuse_full(backend, form, asked.fault)
        status, headers, body = asked.forward(form)
        found = re.search(rb"<instanceId>(i-[0-9a-f]+)</instanceId>", body)
        if status != 200 or found is None:
            return status, headers, body
        for running, pending in ((b"<name>running</name>", b"<name>pending</name>"), (b"<code>16<", b"<code>0<")):
            body = body.replace(running, pending)
        launch = self._commit(backend.get_instance(found[1].decode()), token, digest, body, dies=_death(asked.fault))
        user_data = base64.b64decode(form.get("UserData", "")).decode()
        threading.Thread(target=self._boot, args=(launch, user_data), daemon=True).start()
        return status, headers, body

    def _refuse_full(self, backend: Any, form: Form, fault: str | None) -> None:
        zone = zone_of(backend, form)
        if fault == "capacity" or self._faults.full(form["InstanceType"], zone):
            raise Refused(500, "InsufficientInstanceCapacity", f"no {form['InstanceType']} is to be had in {zone} now")
        used = sum(vcpus(launch.instance.instance_type) for launch in self.launches if launch.state != "terminated")
        limit = self._faults.vcpus
        if fault == "quota" or (limit is not None and used + vcpus(form["InstanceType"]) > limit):
            raise Refused(400, "VcpuLimitExceeded", _VCPU_LIMIT.format(limit))

    def _commit(self, instance: Any, token: str, digest: str, answer: bytes, *, dies: str) -> Launch:
        reservations = instance.ec2_backend.reservations
        instance._state.name, instance._state.code = "pending", 0
        unknown, pending, console = self._faults.waits(len(self.launches))
        launch = Launch(
            token=token,
            digest=digest,
            answer=answer,
            instance=instance,
            reservation=next(r for r in reservations.values() if instance in r.instances),
            unknown=unknown,
            pending=pending,
            console=console,
            address=self._address() if instance.nics[0].public_ip_auto_assign else None,
            dies=dies,
        )
        if unknown:
            del reservations[launch.reservation.id]
        self.launches.append(launch)
        return launch

    def _boot(self, launch: Launch, user_data: str) -> None:
        instance = launch.instance
        try:
            key = instance.ec2_backend.key_pairs[instance.key_name].public_key
            wanted = self._faults.poverty(tag["value"] for tag in instance.get_tags())
            address, name = launch.address or "", instance.private_dns_name
            ingress = rules_of(instance)
            told = {"instance_id": launch.instance_id, "public_host": address, "private_host": name}
            told |= {"user_data": user_data, "authorized_key": key, "ingress": ingress}
            if image_of(wanted["image"]).systemd:
                told["private_address"] = str(instance.private_ip)
            self._hypervisor.boot(NewHost(**told, **wanted))
            if (seconds := self._faults.power_cut(len(self.launches))) is not None:
                threading.Timer(seconds, self._hypervisor.reboot, [launch.instance_id]).start()
        except Exception:  # noqa: BLE001  a cloud, too, ends an instance that it cannot boot
            launch.dies = "Server.InternalError"
        if launch.state == "terminated":
            self._hypervisor.terminate(launch.instance_id)
        launch.booted.set()

    def _address(self) -> str:
        taken = {launch.address for launch in self.launches if launch.state != "terminated"}
        for _ in self._addresses:
            address = self._addresses[self._given % len(self._addresses)]
            self._given += 1
            if address not in taken:
                return address
        raise Refused(400, "InsufficientFreeAddressesInSubnet", "the rig has no more addresses")

    def _describe(self, asked: ActionCall) -> Answer:
        for launch in self.launches:
            self._ripen(launch)
        answer = _with_reasons(asked.forward(self._by_instance(asked.form)), self.launches)
        for launch in self.launches:
            if asked.instance_ids and launch.instance_id not in asked.instance_ids:
                continue
            if launch.unknown:
                launch.unknown -= 1
            elif launch.pending:
                launch.pending -= 1
        return answer

    def _ripen(self, launch: Launch) -> None:
        """Let the instance show itself, then run, when its time has come."""
        instance, reservations = launch.instance, launch.instance.ec2_backend.reservations
        if not launch.unknown:
            reservations.setdefault(launch.reservation.id, launch.reservation)
        if launch.unknown or launch.pending or launch.state != "pending" or not launch.booted.is_set():
            return
        if launch.dies:
            instance.terminate()
            instance.state_reason.code, instance.state_reason.message = launch.dies, "as the plan of faults wants it"
            self._hypervisor.terminate(launch.instance_id)
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

    def _terminate(self, asked: ActionCall) -> Answer:
        answer = asked.forward(asked.form)
        for launch in self.launches:
            if launch.instance_id in asked.instance_ids and launch.state == "terminated":
                self._hypervisor.terminate(launch.instance_id)
        return answer

    def _reboot(self, asked: ActionCall) -> Answer:
        answer = asked.forward(asked.form)
        if answer[0] == 200:
            for instance_id in asked.instance_ids:
                self._hypervisor.reboot(instance_id)
        return answer

    def _change_group(self, asked: ActionCall) -> Answer:
        """Who is let in changes for hosts that run, too."""
        answer = asked.forward(asked.form)
        for launch in self.launches:
            if launch.state != "terminated":
                self._hypervisor.let_in(launch.instance_id, rules_of(launch.instance))
        return answer

    def _console(self, asked: ActionCall) -> Answer:
        wanted = asked.form.get("InstanceId", "")
        launch = next((each for each in self.launches if each.instance_id == wanted), None)
        if launch is None:
            raise Refused(400, "InvalidInstanceID.NotFound", f"The instance ID '{wanted}' does not exist")
        text = "" if launch.console else self._hypervisor.console(wanted)
        launch.console = max(0, launch.console - 1)
        output = base64.b64encode(text.encode()).decode()
        inner = f"<instanceId>{wanted}</instanceId><output>{output}</output>"
        return 200, XML, f"<GetConsoleOutputResponse>{inner}</GetConsoleOutputResponse>".encode()


def _again(known: Launch, digest: str) -> bytes:
    """The answer to a client token that was seen before."""
    if known.digest != digest:
        raise Refused(400, "IdempotentParameterMismatch", "the client token was used with other parameters")
    if known.state == "terminated":
        raise Refused(400, "IdempotentInstanceTerminated", "the instance of this client token is terminated")
    return known.answer


def _death(fault: str | None) -> str:
    """The code of `dies` or `dies:CODE`; "" for any other fault."""
    name, _, code = (fault or "").partition(":")
    return (code or "Server.InternalError") if name == "dies" else ""


def _with_reasons(answer: Answer, launches: Sequence[Launch]) -> Answer:
    """moto keeps why an instance is in its state, and does not tell it."""
    status, headers, body = answer
    for launch in launches:
        if (reason := launch.instance.state_reason).code:
            told = f"<stateReason><code>{reason.code}</code><message>{reason.message}</message></stateReason>"
            name = f"<instanceId>{launch.instance_id}</instanceId>"
            body = body.replace(name.encode(), f"{name}{told}".encode())
    return status, headers, body


def _strike_before(fault: str | None) -> None:
    """What goes wrong before anything is done."""
    if fault == "reset_before":
        raise ConnectionResetError
    if fault == "throttle":
        raise Refused(503, "RequestLimitExceeded", "Request limit exceeded.")
    if fault == "error":
        raise Refused(500, "InternalError", "An internal error has occurred")
    if fault not in (None, "reset_after", "capacity", "quota", "untagged") and not _death(fault):
        raise Refused(400, str(fault), "as the plan of faults wants it")
