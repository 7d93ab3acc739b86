"""Whether what was recovered still answers: nodes, announcement, bucket, shares; read-only, at any later time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from laerecover.afterwards.inquiry import NOT_FROM_HOST, Inquiry, announced, bucket, node, services, serving
from laerecover.hosts.host_keys import derive_host_key
from laerecover.hosts.identity import INTRODUCER_PORT, STORAGE_PORT
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import REINSTALL
from laerecover.instances.rebuilt import REBUILT, Rebuilt, described, to_accept
from laerecover.manifest import Account
from laerecover.options import Options, find_state
from laerecover.ports.compute import Compute, Instance
from laerecover.ports.hosts import Host
from laerecover.ports.refusals import Refusal, WorldError
from laerecover.runbook.ledger import Round, read_ledger
from laerecover.runbook.values import BOUNCE, DEPLOY, WAIT
from laerecover.shared_buckets import SHARED_BUCKET
from laerecover.state.state import State
from laerecover.state.worlds import Worlds
from laerecover.text import shell_word

_DESTROYS = {
    "stock": "its Tahoe-LAFS destroys shares of 2014",
    "older": "its storage node may run a Tahoe-LAFS from before it was patched, which destroys shares of 2014",
}


_AGAIN = (
    "on the host: sudo systemctl enable lae-{0}, sudo systemctl restart lae-{0} "
    "(without systemd: sudo sv restart lae-{0})"
)
_DOOR = f"see that the instance runs and that its security group lets in TCP {{1}}; {_AGAIN}"
_STORE = "see that the store can be reached, that the bucket is there and that its keys are still good"
_NEXT = {
    "introducer": _DOOR.format("introducer", INTRODUCER_PORT),
    "storage node": _DOOR.format("storageserver", STORAGE_PORT),
    "announcement": _AGAIN.format("storageserver"),
    "bucket": _STORE,
    "store": f"{_STORE}; if only the host cannot reach it, see its network and its clock",
    "share": _AGAIN.format("bucket"),
    "services": _AGAIN.format("NAME"),
}
"""What to look at where a check failed."""


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
    manifest, settings = options.read(state.mode, state.folder)
    manifest = state.seen(manifest)
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
        yield _check(account, what, f"{host}:{port}", node(asked.world.nodes, host, port, wanted), asked.untold)
    token = latest.values_of(DEPLOY).client_token
    privkey = asked.vault.load(account.account_id).get("server_node_privkey")
    yield _check(account, "announcement", host, announced(asked, host, token, privkey, storage))
    yield _check(account, "bucket", account.bucket_name or "", bucket(asked.world.store, account))
    for what, (ok, said) in serving(asked, host, token).items():
        yield _check_of(account, what, host, ok, said)
    yield _check(account, "services", host, services(asked, host, token), NOT_FROM_HOST)
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
    typed = f"{asked.patch} --only {shell_word(account.account_id)}"
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
    return Check(
        account_id=account.account_id,
        customer=account.customer_email or account.customer_name or "(unknown)",
        what=what,
        where=where,
        ok=ok,
        said=said,
        kind=kind,
        next=_NEXT.get(what, "") if ok is False else "",
    )
