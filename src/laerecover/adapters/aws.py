"""How the adapters talk to Amazon's services: clients, errors in the ports' words, one pace for everybody."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from laerecover.hosts.programs.store_answers import LATER, code_of
from laerecover.ports.hosts import unheard
from laerecover.ports.refusals import NotFound, Refusal, Transient, WorldError
from laerecover.ports.services import Clock
from laerecover.text import clean, reason_of

if TYPE_CHECKING:
    from laerecover.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

_NOT_FOUND = ("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")
_THROTTLED = ("RequestLimitExceeded", "Throttling", "ThrottlingException", "EC2ThrottledException", "SlowDown")
_KINDS = {
    "IdempotentParameterMismatch": "idempotent_mismatch",
    "IdempotentInstanceTerminated": "token_spent",
    "VcpuLimitExceeded": "quota",
    "InstanceLimitExceeded": "quota",
    "InsufficientInstanceCapacity": "capacity",
    "InsufficientHostCapacity": "capacity",
    "InsufficientFreeAddressesInSubnet": "capacity",
    "Unsupported": "capacity",
}
_TRIES = 40
_TELL_AFTER, _TELL_EACH = 3.0, 60.0
"""Seconds of being throttled after which people are told, and after which they are told again."""
_making = threading.Lock()


class Pace:
    """The gap between two calls, in seconds, for all accounts together: wider when the cloud throttles, then less.

    Everybody takes the next free moment, so that nobody comes back in a herd. `heard` is told what is waited for, and
    since when, if that takes more than some seconds; `service` is the cloud's name there.
    """

    def __init__(self, clock: Clock, service: str = "the cloud", heard: Callable[[str], None] = unheard) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._service, self._heard = service, heard
        self._gap, self._next, self._widened = 0.0, 0.0, 0.0
        self._refused, self._since, self._tell = "", 0.0, 0.0

    def wait(self) -> None:
        """Until it is this caller's turn. Raises Stopped if somebody asks to stop."""
        with self._lock:
            now = self._clock.monotonic()
            turn = self._next = max(now, self._next + self._gap)
            due = bool(self._refused) and turn > now and turn >= self._tell
            if due:
                self._tell = now + _TELL_EACH
        if due:
            self._heard(self._said(now, turn))
        if turn > now:
            self._clock.sleep(turn - now)

    def _said(self, now: float, turn: float) -> str:
        begun = (self._clock.now() - timedelta(seconds=now - self._since)).astimezone()
        return (
            f"{self._service} has had enough of questions since {begun:%H:%M:%S} ({self._refused}): it is waited "
            f"for, and asked again in {turn - now:.0f} s; nothing is lost by it"
        )

    def throttled(self, refused: str = "throttled") -> None:
        """The cloud had enough: what it `refused`, and how it said so.

        Answers to what was under way already widen the gap only once.
        """
        with self._lock:
            now = self._clock.monotonic()
            if not self._refused:
                self._since, self._tell = now, now + _TELL_AFTER
            self._refused = refused
            if self._gap == 0 or now >= self._widened + self._gap:
                self._gap, self._widened = min(20.0, max(0.5, 2 * self._gap)), now
            self._next = max(self._next, now)

    def went_well(self) -> None:
        """A little faster. It is over once the gap is what it was at first."""
        with self._lock:
            self._gap = self._gap * 0.8 if self._gap > 0.05 else 0.0
            if self._gap < 0.5:
                self._refused = ""


class AwsCaller:
    """Whoever calls Amazon: `translated` needs the pace."""

    pace: Pace


S = TypeVar("S", bound=AwsCaller)


def translated(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """boto3's errors in the words of the port; a throttled call is made again, at everybody's pace."""

    @functools.wraps(method)
    def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
        from botocore.parsers import ResponseParserError

        for tries in range(1, _TRIES + 1):
            self.pace.wait()
            try:
                answer = method(self, *args, **kwargs)
            except ClientError as error:
                said = _said(error.response)
                if said.kind != "throttled" or tries == _TRIES:
                    raise said from None
                self.pace.throttled(f"{error.operation_name}: {clean(code_of(error.response))}")
            except ParamValidationError:
                raise Refusal("the cloud would not take these parameters", kind="ec2_refused") from None
            except (BotoCoreError, ResponseParserError) as error:
                # A page of some proxy instead of an answer is no answer.
                raise Transient(f"the cloud was not reached: {reason_of(error)}") from None
            else:
                self.pace.went_well()
                return answer
        raise AssertionError("the last try either returns or raises")

    return wrapped


def _said(response: Any) -> WorldError:
    code = code_of(response)
    text = clean(f"the cloud says {code}: {response.get('Error', {}).get('Message', '')}")
    if code in _NOT_FOUND:
        return NotFound(text, code=code)
    if code in _THROTTLED:
        return Transient(text, kind="throttled")
    if code in LATER:
        return Transient(text, code=code)
    if code in _KINDS:
        return Refusal(text, kind=_KINDS[code], code=code)
    if int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500:
        return Transient(text, code=code)
    return Refusal(text, kind="ec2_refused", code=code)


@functools.cache
def known_regions() -> frozenset[str]:
    """The regions of Amazon's clouds, as botocore's own list has them; nobody is asked."""
    from botocore.loaders import Loader

    told: Any = Loader().load_data("endpoints")
    return frozenset(region for partition in told["partitions"] for region in partition["regions"])


def make_client(settings: Settings, service: str) -> Any:
    """The operator's client. It tries once: what to do after a lost answer is the steps' to decide, not botocore's."""
    return client_with(
        service,
        region_name=settings.ec2.region,
        endpoint_url=settings.ec2.endpoint,
        aws_access_key_id=settings.config.ec2_access_key_id,
        aws_secret_access_key=settings.files.ec2secret.reveal(),
    )


def client_with(service: str, *, attempts: int = 1, **how: Any) -> Any:
    """A client with these keys.

    One session makes them all, one after the other: it holds Amazon's large descriptions.
    """
    from botocore.config import Config

    config = Config(
        retries={"total_max_attempts": attempts},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=50,
        s3={"addressing_style": "path"},
        ignore_configured_endpoint_urls=True,
        use_fips_endpoint=False,
        use_dualstack_endpoint=False,
    )
    with _making:
        return _session().client(service, config=config, **how)


@functools.cache
def _session() -> Any:
    """Neither a profile nor a file of the environment's: what the operator's settings say alone decides."""
    import boto3
    import botocore.session

    nobody: dict[str, Any] = {"profile": (None, None, None, None)}
    nobody |= dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=nobody))
