"""Whether what was recovered still answers: nodes, announcement, bucket, shares; read-only, at any later time."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.identity import INTRODUCER_PORT, STORAGE_PORT
from laerecover.hosts.recipes.debian import SERVICES, read_services
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import REINSTALL, Recipe
from laerecover.hosts.vault import Vault
from laerecover.mail.dialling import answers_as
from laerecover.manifest import Account
from laerecover.options import Options, find_state
from laerecover.ports.compute import Compute, Instance, NodeProbe, Store
from laerecover.ports.hosts import Command, Host
from laerecover.ports.refusals import Refusal, WorldError
from laerecover.ports.world import World
from laerecover.runbook.ledger import Round, read_ledger
from laerecover.runbook.rebuilt import REBUILT, Rebuilt, described, to_accept
from laerecover.runbook.values import BOUNCE, DEPLOY, WAIT
from laerecover.shared_buckets import SHARED_BUCKET
from laerecover.state.state import State
from laerecover.state.worlds import Worlds
from laerecover.text import clean

_TUB_ID = re.compile(r"\b[a-z2-7]{32}\b")
_SHOWN = 3
NOT_FROM_HOST = "not asked from the host"
_SERVING = re.compile(r"^(store|share) (ok|failed|none) (\S.*)$", re.M)
_OK = {"ok": True, "failed": False, "none": None}
_DESTROYS = {
    "stock": "its Tahoe-LAFS destroys shares of 2014",
    "older": "its storage node may run a Tahoe-LAFS from before it was patched, which destroys shares of 2014",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question and its answer. `ok` is None where nobody could be asked; `said` holds no secret.

    `kind`: of what failed, as of WorldError; `next`: what to type, where that mends it.
    """

    account_id: str
    customer: str
    what: str
    where: str
    ok: bool | None
    said: str
    kind: str = ""
    next: str = ""

    @property
    def body(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """Who is asked: the world; hosts by the keys that `vault` derives, in the words of `recipe`.

    `patch`: what to type.
    """

    world: World
    vault: Vault
    recipe: Recipe
    untold: str = "there is nobody to ask"
    """Why the nodes' ports are not asked, where `world` has no `nodes`."""
    patch: str = "laerecover patch"


def verify(options: Options, *, stop: threading.Event, worlds: Worlds) -> list[Check]:
    """Ask about the recovered accounts of the state, as they are now. Takes no lock, changes nothing."""
    state = find_state(options)
    asked, accounts, rounds = who_is_asked(options, state, stop, worlds)
    served = [account for account, _ in recovered(accounts, rounds)]
    manifest = options.places.read()
    rebuilt = Rebuilt(everyone=manifest.accounts, decided=state.decisions.instances)
    return [
        *(
            _check_of(a, "own bucket", a.bucket_name or "", False, manifest.shared[a.account_id], SHARED_BUCKET)
            for a in served
            if a.account_id in manifest.shared
        ),
        *checks(asked, accounts, rounds, concurrency=options.concurrency),
        *no_other_server(served, asked.world.compute, rebuilt),
    ]


def no_other_server(accounts: Sequence[Account], compute: Compute, rebuilt: Rebuilt) -> list[Check]:
    """Whether each of these recovered accounts has its new server alone; all are asked about at once."""
    found: Mapping[str, Sequence[Instance]] = {}
    try:
        found, unsaid = rebuilt.found(accounts, compute), ""
    except WorldError as error:
        unsaid = f"EC2 does not say: {error}"

    def check(account: Account) -> Check:
        others = found.get(account.account_id, ())
        said = unsaid or (
            f"{described(others)}; {to_accept(others)}" if others else "nobody rebuilt its server of 2012"
        )
        return _check_of(
            account, "other servers", "EC2", None if unsaid else not others, said, REBUILT if others else ""
        )

    return [check(account) for account in accounts]


def who_is_asked(
    options: Options, state: State, stop: threading.Event, worlds: Worlds
) -> tuple[Inquiry, list[Account], dict[str, Round]]:
    """With whom, the accounts that were chosen, and what the ledger knows of all."""
    manifest = state.seen(options.places.read())
    settings = options.settings_for(state.mode, state.folder)
    vault = options.places.vault(state.folder)
    asked = Inquiry(
        world=worlds.open(state, settings, vault, stop).world,
        vault=vault,
        recipe=recipe_named(settings.recipe.name),
        patch=f"laerecover patch {options.places.quoted}{options.repeat('patch', state=True)}",
    )
    chosen = options.selection.of(manifest)
    accounts = [a for a in manifest.accounts if a.account_id in chosen]
    return dialling(state, asked), accounts, read_ledger(state.ledger)


def dialling(state: State, asked: Inquiry) -> Inquiry:
    """Without the nodes' ports where somebody has said that they cannot be dialled from here."""
    if state.decisions.not_dialled is None:
        return asked
    untold = f"not asked from here: {state.decisions.not_dialled['because']}"
    return replace(asked, world=replace(asked.world, nodes=None), untold=untold)


def recovered(accounts: list[Account], rounds: dict[str, Round]) -> list[tuple[Account, Round]]:
    """Those of the accounts that the ledger calls recovered, in their order."""
    return [(a, rounds[a.account_id]) for a in accounts if _is_recovered(rounds.get(a.account_id))]


def checks(asked: Inquiry, accounts: list[Account], rounds: dict[str, Round], *, concurrency: int) -> list[Check]:
    """The checks for each of the accounts that the ledger calls recovered, in the accounts' order."""
    with ThreadPoolExecutor(concurrency, thread_name_prefix="verify") as pool:
        found = pool.map(lambda pair: list(_checks(asked, *pair)), recovered(accounts, rounds))
        return [check for checks in found for check in checks]


def _is_recovered(latest: Round | None) -> bool:
    return latest is not None and latest.outcome == "recovered"


def _checks(asked: Inquiry, account: Account, latest: Round) -> Iterator[Check]:
    host, bounced = latest.values_of(WAIT).public_host, latest.values_of(BOUNCE)
    introducer, storage = bounced.introducer_tub_id, bounced.server_nodeid
    nodes = (("introducer", INTRODUCER_PORT, introducer), ("storage node", STORAGE_PORT, storage))
    for what, port, wanted in nodes:
        yield _check(account, what, f"{host}:{port}", _node(asked.world.nodes, host, port, wanted), asked.untold)
    token = latest.values_of(DEPLOY).client_token
    yield _check(account, "announcement", host, _announced(asked, host, token, wanted=storage))
    yield _check(account, "bucket", account.bucket_name or "", _bucket(asked.world.store, account))
    for what, (ok, said) in _serving(asked, host, token).items():
        yield _check_of(account, what, host, ok, said)
    yield _check(account, "services", host, _services(asked, host, token), NOT_FROM_HOST)
    yield old_shares(asked, account, latest)


def old_shares(asked: Inquiry, account: Account, latest: Round, *, mend: Callable[[Host], None] | None = None) -> Check:
    """Whether the host leaves shares of 2014 whole; asked on the host, once it was mended.

    Kind `old_shares`: `patch` mends it.
    """
    host, question = latest.values_of(WAIT).public_host, asked.recipe.patched()

    def ask() -> str:
        key = derive_host_key(asked.vault, latest.values_of(DEPLOY).client_token).public
        with closing(asked.world.hosts.connect(host, user="ubuntu", host_key=key)) as connection:
            if mend is not None:
                mend(connection)
            answer = connection.output(question).strip() if question else ""
        if answer == "patched":
            return "shares of 2014 stay whole when they are changed"
        word, _, processes = answer.partition(" ")
        if word in _DESTROYS:
            said = f"{_DESTROYS[word]} at their first change{processes and f': process {processes}'}"
            raise Refusal(said, kind="old_shares" if mend is None or not processes else "by_hand")
        raise Refusal(f"nobody knows what its Tahoe-LAFS does to shares of 2014: {answer}", kind="unknown_tahoe")

    check = _check(account, "old shares", host, ask if question else None, NOT_FROM_HOST)
    typed = f"{asked.patch} --only {shlex.quote(account.account_id)}"
    remedies = {
        "old_shares": typed,
        "by_hand": f"on the host, end that node, which was started by hand, and start lae-storageserver; then: {typed}",
        "unknown_tahoe": f"on the host: {REINSTALL}; then: {typed}",
    }
    return replace(check, next=remedies.get(check.kind, ""))


def _check(
    account: Account, what: str, where: str, ask: Callable[[], str] | None, untold: str = "there is nobody to ask"
) -> Check:
    ok, said, kind = None, untold, ""
    if ask is not None:
        try:
            ok, said = True, ask()
        except WorldError as error:
            ok, said, kind = False, str(error), error.kind
    return _check_of(account, what, where, ok, said, kind)


def _check_of(account: Account, what: str, where: str, ok: bool | None, said: str, kind: str = "") -> Check:
    customer = account.customer_email or account.customer_name or "(unknown)"
    return Check(account_id=account.account_id, customer=customer, what=what, where=where, ok=ok, said=said, kind=kind)


def _node(probe: NodeProbe | None, host: str, port: int, wanted: str) -> Callable[[], str] | None:
    if probe is None:
        return None

    def ask() -> str:
        answers_as(probe, host, port, wanted)
        return f"answers as {wanted}"

    return ask


def _announced(asked: Inquiry, host: str, client_token: str, *, wanted: str) -> Callable[[], str] | None:
    """The furl stays where it is: on the host, which alone asks its introducer."""
    command = asked.recipe.announced(wanted)
    if command is None:
        return None

    def ask() -> str:
        told = sorted(set(_TUB_ID.findall(_output(asked, host, client_token, command))))
        if wanted not in told:
            others = f"; it tells of {', '.join(told[:_SHOWN])}" if told else ""
            raise Refusal(
                f"the introducer does not tell clients of {wanted}{others}. Start lae-storageserver on the host again",
                kind="not_announced",
            )
        return f"the introducer tells clients of {wanted}"

    return ask


def _output(asked: Inquiry, host: str, client_token: str, command: Command) -> str:
    key = derive_host_key(asked.vault, client_token).public
    with closing(asked.world.hosts.connect(host, user="ubuntu", host_key=key)) as connection:
        return connection.output(command)


def _serving(asked: Inquiry, host: str, client_token: str) -> dict[str, tuple[bool | None, str]]:
    """What the host says of the store and of a share, asked in one go, as the customer's user."""
    command = asked.recipe.serving()
    if command is None or asked.world.store is None:
        return dict.fromkeys(("store", "share"), (None, NOT_FROM_HOST))
    answers: dict[str, tuple[bool | None, str]] = {}
    try:
        for what, word, said in _SERVING.findall(_output(asked, host, client_token, command)):
            answers[what] = _OK[word], clean(said)
        unsaid = False, "what the host says of it cannot be read"
    except WorldError as error:
        unsaid = False, f"the host cannot be asked: {error}"
    return {what: answers.get(what, unsaid) for what in ("store", "share")}


def _services(asked: Inquiry, host: str, client_token: str) -> Callable[[], str] | None:
    """What a supervisor calls active may restart again and again: the host looks at its services twice."""
    if asked.recipe.serving() is None:
        return None

    def ask() -> str:
        told = read_services(_output(asked, host, client_token, SERVICES))
        failing = "; ".join(f"lae-{name}: {why}" for name, (ok, why) in told.items() if not ok)
        if failing or not told:
            raise Refusal(failing or "what the host says of them cannot be read", kind="service_failed")
        return f"{', '.join(f'lae-{name}' for name in told)} run"

    return ask


def _bucket(store: Store | None, account: Account) -> Callable[[], str] | None:
    if store is None:
        return None

    def ask() -> str:
        first = next(iter(store.listing(account)), None)
        return f"can be listed from here{'' if first is not None else '; it is empty'}"

    return ask
