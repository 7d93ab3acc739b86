"""Work: what a step has in hand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from laerecover.errors import StepFailed
from laerecover.hosts.host_keys import LOGIN, fingerprint
from laerecover.hosts.recipes.recipe import PROBLEMS
from laerecover.instances.rebuilt import Rebuilt
from laerecover.mail.delivery import Delivery, MailMeans, nowhere
from laerecover.manifest import Account, Secret
from laerecover.ports.compute import Instance
from laerecover.ports.hosts import NO_SPACE, Command, FileFact, Host
from laerecover.ports.patience import Patience, nobody_watches
from laerecover.ports.refusals import NotListening, Refusal, Transient, WorldError
from laerecover.runbook.values import APPEND, DEPLOY, INSTANCE_DIED, WAIT, Known, Recorded, Step

T = TypeVar("T")
V = TypeVar("V", bound=Recorded)


def _unlimited(client_token: str) -> None:
    del client_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Means(MailMeans):
    """What all accounts of a run are recovered with."""

    mode: str
    new_identity: bool = False
    """After a break-in: nothing of an account's identity is restored."""
    dial: bool = True
    """Whether new servers can be dialled from here; a human may have said that they cannot."""
    rebuilt: Rebuilt = field(default_factory=Rebuilt)
    """By which servers are known that somebody else made for an account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Means):
    """One account, what it is recovered with, and what the earlier steps told."""

    account: Account
    round: int = 1
    attempt: int = 1
    known: Known = field(default_factory=dict)
    failure: str = ""
    permit_launch: Callable[[str], None] = _unlimited
    """Raises StepFailed (`max_instances`) if the launch with this token would be one too many."""
    point: Callable[[str], None] = nowhere
    """Named crash points of the drills; the real world has none."""
    waiting: Callable[[str, float], None] = nobody_watches
    """Tells the people watching: what is waited for, how many seconds at the latest."""

    def values_of(self, step: Step[V]) -> V:
        """What an earlier step told. Raises KeyError, TypeError."""
        return step.tells.read(self.known[step])

    def ensure(
        self,
        probe: Callable[[], T | None],
        act: Callable[[], T | None],
        *,
        within: float,
        what: str,
        link: Link | None = None,
    ) -> T:
        """Ask; if it is not so, act; ask again: until it is so, or `within` seconds are over.

        A Transient answer (a lost connection above all) says nothing about the effect, so the world is asked again
        before acting again. Raises StepFailed (`deadline`), and whatever else the world says.
        """
        until = self.world.clock.monotonic() + within
        tries, reason = 0, "not there yet"
        while True:
            try:
                found = probe()
                if found is not None:
                    return found
                if tries == 0 or reason != "not there yet":
                    self.point("before-act")
                    try:
                        found, reason = act(), "not there yet"
                    finally:
                        self.point("after-act")
                    found = probe() if found is None else found
                    if found is not None:
                        return found
            except Transient as error:
                reason = str(error) or error.kind
                if link is not None:
                    link.drop()
            tries += 1
            self.patience.pause(tries, until, what, reason)

    def ask(self, question: Callable[[], T], what: str, *, link: Link | None = None) -> T:
        """An answer of the world, whatever it is; asked again after a Transient one. Raises as `ensure` does."""
        return self.ensure(lambda: (question(),), lambda: None, within=self.deadline, what=what, link=link)[0]

    @property
    def deadline(self) -> float:
        """Seconds that a command, or an answer, may take where nothing else is said."""
        return self.settings.waits.command_deadline

    @property
    def patience(self) -> Patience:
        """How this account's world is asked again."""
        return Patience(account_id=self.account.account_id, clock=self.world.clock, waiting=self.waiting)

    @property
    def delivery(self) -> Delivery:
        """By which this account's mails leave, or are held."""
        recorded = self.values_of(APPEND).instance_id if APPEND in self.known else None
        return Delivery(account=self.account, means=self, patience=self.patience, recorded=recorded, point=self.point)

    def look_for_death(self) -> None:
        """Of a host that does not answer: see `refuse_dead`."""
        instance_id = self.values_of(DEPLOY).instance_id
        try:
            instance = self.world.compute.describe(instance_id, fresh=self.settings.waits.address_poll)
        except WorldError:
            return
        refuse_dead(instance)

    def own_host_keys(self) -> str:
        """Both keys that the account's new server may answer with, fit for comparing."""
        deployed = self.values_of(DEPLOY)
        boot, final = fingerprint(deployed.boot_host_key), fingerprint(deployed.host_key)
        return f"at the first boot it shows our boot key, {boot}; the key that takes its place is {final}"

    def link(self, *, patient: bool, user: str = LOGIN, at_boot: bool = False) -> Link:
        """A connection to the account's new server, opened when first used. See Link."""
        return Link(self, user, patient, at_boot)


def refuse_dead(instance: Instance) -> None:
    """Raises StepFailed (`instance_died`, `instance_stopped`) for one that was ended or stopped."""
    what = f"{instance.instance_id} is {instance.state_with_reason}"
    if instance.dead:
        ended = f"{what}: somebody ended it, or it died; another is launched once it is terminated"
        raise StepFailed(ended, kind=INSTANCE_DIED)
    if instance.state in ("stopping", "stopped"):
        after = "start it, or terminate it (another is then launched), and run again"
        raise StepFailed(f"{what}, so it does not answer; {after}", kind="instance_stopped")


class Link:
    """A connection that is made anew after it was lost.

    `patient`: a host that does not listen is a passing trouble (it is known to have listened); else NotListening
    is for the caller. `at_boot`: the host must answer with its boot key, else with its final one.
    """

    def __init__(self, work: Work, user: str, patient: bool, at_boot: bool) -> None:
        self._work, self._user, self._patient, self._at_boot = work, user, patient, at_boot
        self._host: Host | None = None

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *exc: object) -> None:
        self.drop()

    def host(self) -> Host:
        """The open connection."""
        if self._host is None:
            address = self._work.values_of(WAIT).public_host
            deployed = self._work.values_of(DEPLOY)
            key = deployed.boot_host_key if self._at_boot else deployed.host_key
            try:
                self._host = self._work.world.hosts.connect(address, user=self._user, host_key=key)
            except Refusal as error:
                if error.kind != "host_key":
                    raise
                raise Refusal(f"{error}: {self._work.own_host_keys()}", kind=error.kind) from None
            except (NotListening, Transient) as error:
                self._work.look_for_death()
                if not self._patient or isinstance(error, Transient):
                    raise
                raise Transient(str(error), kind=error.kind) from None
        return self._host

    def drop(self) -> None:
        """Close the connection; the next use opens another."""
        host, self._host = self._host, None
        if host is not None:
            host.close()

    def commands(self, commands: Sequence[Command], among: Sequence[Command] = ()) -> None:
        """Have one phase done, which may be empty; `among`: all commands of the step, by whose number each is told.

        Raises StepFailed (`command_failed`) with the first failed command's status and tail.
        """
        if not commands:
            return
        usual = self._work.deadline
        deadline = sum(command.seconds or usual for command in commands)
        what = ", ".join(command.name for command in commands)
        until, every = self._work.world.clock.monotonic() + deadline, [each.name for each in among or commands]

        def heard(done: int, line: str) -> None:
            at = commands[min(done, len(commands) - 1)]
            number = f", {every.index(at.name) + 1} of {len(every)}" if len(every) > 1 else ""
            left = max(0.0, until - self._work.world.clock.monotonic())
            self._work.waiting(line if line and at.seconds else f"{at.name}{number}", left)

        heard(0, "")
        results = self._work.ensure(
            lambda: None, lambda: self.host().run(commands, heard), within=deadline, what=what, link=self
        )
        for command, result in zip(commands, results, strict=False):
            # What comes before the last line only told how far it was.
            tail = result.tail.rpartition(" | ")[2] if command.seconds else result.tail
            if problem := PROBLEMS.get(result.status):
                raise StepFailed(f"{result.name}: {problem.text}: {tail}".rstrip(": "), kind=problem.kind)
            if result.status != 0 and NO_SPACE in result.tail:
                full = "the host's disk became full; make room there or choose a larger root volume, then run again"
                raise StepFailed(f"{result.name}: {full}: {tail}", kind="disk_full")
            if result.status != 0:
                raise StepFailed(
                    f"{result.name}: exit status {result.status}: {tail}".rstrip(": "), kind="command_failed"
                )

    def place(self, path: str, content: Secret, *, mode: int, owner: str = "customer") -> None:
        """Have the file on the host with this content, owner and mode."""
        wanted = FileFact(sha256=_sha256(content.reveal()), owner=owner, mode=mode)

        def probe() -> bool | None:
            return True if self.host().stat([path]).get(path) == wanted else None

        def act() -> None:
            self.host().write(path, content, owner=owner, mode=mode)

        self._work.ensure(probe, act, within=self._work.deadline, what=f"file {path}", link=self)

    def service(self, name: str) -> None:
        """Have the service running."""
        self._work.ensure(
            lambda: self.host().running(name) or None,
            lambda: self.host().start(name),
            within=self._work.deadline,
            what=f"service {name}",
            link=self,
        )

    def ask(self, question: Callable[[Host], T], what: str) -> T:
        """An answer of the host, asked again after a lost connection."""
        return self._work.ask(lambda: question(self.host()), what, link=self)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
