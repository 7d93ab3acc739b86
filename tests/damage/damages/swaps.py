"""What is one customer's stands with another: files under each other's names, values in each other's place."""

from __future__ import annotations

import json
from collections.abc import Collection

from damages.classes import damage
from damages.hurting import Hurt
from damages.texts import IDENTITY, bytes_of, printed
from damages.witnesses import Left, Witness


def _finished(hurt: Hurt) -> list[Left]:
    """Runs of which both log and filled secrets file are there, one of each account, not of S4."""
    return [each for each in hurt.secrets(s4=False) if each.log and each.role == "origin"]


@damage("secrets-exchanged", "the secrets files of two customers bear each other's names", alone="secrets")
def secrets_exchanged(hurt: Hurt) -> None:
    for one, other in hurt.pairs(_finished(hurt), _finished(hurt)):
        hurt.exchange(str(one.secrets), str(other.secrets))


def _values_exchanged(hurt: Hurt, one: str, other: str, fields: tuple[str, ...]) -> None:
    """Each of the fields that both files tell stands in the other file, wherever the file tells it."""
    told = [[w for w in hurt.written.of_file(path) if w.field in fields] for path in (one, other)]
    values: list[dict[str, bytes]] = [{w.field: _written(hurt, w) for w in reversed(each)} for each in told]
    shared = set(values[0]) & set(values[1])
    for path, places, new in ((one, told[0], values[1]), (other, told[1], values[0])):
        edits = {(w.start, w.end, new[w.field]) for w in places if w.field in shared}
        if edits:
            hurt.edit(path, *edits)


def _written(hurt: Hurt, witness: Witness) -> bytes:
    return hurt.written.files[witness.path][witness.start : witness.end]


def _exchanged_in_secrets(name: str, fields: tuple[str, ...], what: str) -> None:
    @damage(name, f"two customers' secrets files have each other's {what}", alone="secrets")
    def make(hurt: Hurt) -> None:
        for one, other in hurt.pairs(_finished(hurt), _finished(hurt)):
            _values_exchanged(hurt, str(one.secrets), str(other.secrets), fields)


_exchanged_in_secrets("secrets-keys-exchanged", ("user_access_key_id", "user_secret_key"), "access and secret key")
_exchanged_in_secrets("secrets-identity-exchanged", IDENTITY, "nodes' certificates and ids")


_OF_NODES = (("node_pem", "nodeid"), ("node_pem",), ("nodeid",))
"""What changes places at once: keys with ids, keys alone, ids alone."""


@damage(
    "secrets-nodes-exchanged",
    "keys, ids or both of introducer and storage server have changed places in half of the secrets files",
    alone="secrets",
)
def nodes_exchanged(hurt: Hurt) -> None:
    for each in hurt.some(hurt.secrets()):
        told = json.loads(hurt.written.files[str(each.secrets)])
        for kind in hurt.rng.choice(_OF_NODES):
            ours, theirs = f"introducer_{kind}", f"server_{kind}"
            told[ours], told[theirs] = told[theirs], told[ours]
        hurt.rewrite(str(each.secrets), (json.dumps(told) + "\n").encode())


@damage("secrets-access-keys-turned", "each secrets file has the access key of the one before it", alone="secrets")
def access_keys_turned(hurt: Hurt) -> None:
    paths = [str(each.secrets) for each in hurt.secrets(s4=False) if each.role == "origin"]
    told = [next(w for w in hurt.written.of_file(p) if w.field == "user_access_key_id") for p in paths]
    for here, before in zip(told, told[-1:] + told[:-1], strict=True):
        if here.value != before.value:
            hurt.edit(here.path, (here.start, here.end, before.value.encode()))


@damage(
    "secrets-access-key-shared", "one customer's access key stands in another's secrets file as well", alone="secrets"
)
def access_key_shared(hurt: Hurt) -> None:
    for one, other in hurt.pairs(_finished(hurt), _finished(hurt)):
        mine, theirs = (
            next(w for w in hurt.written.of_file(str(each.secrets)) if w.field == "user_access_key_id")
            for each in (one, other)
        )
        hurt.edit(mine.path, (mine.start, mine.end, theirs.value.encode()))


@damage("logs-exchanged", "the logs of two customers bear each other's names", alone="logs")
def logs_exchanged(hurt: Hurt) -> None:
    logs = hurt.logs("origin", s4=False)
    for one, other in hurt.pairs(logs, logs):
        hurt.exchange(str(one.log), str(other.log))


def _prints_exchanged(hurt: Hurt, name: str, value: str | None = None) -> None:
    """A print of two logs stands in each other's."""
    logs = [each for each in hurt.logs("origin", s4=False) if printed(each, name, value)]
    for one, other in hurt.pairs(logs, logs):
        (a, b), (c, d) = printed(one, name, value) or (0, 0), printed(other, name, value) or (0, 0)
        mine, theirs = bytes_of(hurt, one.log)[a:b], bytes_of(hurt, other.log)[c:d]
        hurt.edit(str(one.log), (a, b, theirs))
        hurt.edit(str(other.log), (c, d, mine))


@damage("log-credentials-exchanged", "two logs have each other's print of keys and token", alone="logs")
def credentials_exchanged(hurt: Hurt) -> None:
    _prints_exchanged(hurt, "mark", "credentials")


@damage(
    "log-deploy-exchanged",
    "two logs have each other's deploy block, with bucket and address of the customer",
    alone="logs",
)
def deploy_exchanged(hurt: Hurt) -> None:
    _prints_exchanged(hurt, "mark", "deploy")


def _s4(hurt: Hurt) -> list[Left]:
    return [each for each in hurt.secrets(s4=True) if each.role == "origin"]


@damage("stripe-exchanged", "two S4 customers have each other's stripe file", alone="secrets")
def stripe_exchanged(hurt: Hurt) -> None:
    for one, other in hurt.pairs(_s4(hurt), _s4(hurt)):
        hurt.exchange(str(one.stripe), str(other.stripe))


@damage("s4-secrets-and-stripe-exchanged", "two S4 customers have each other's secrets and stripe files")
def s4_both_exchanged(hurt: Hurt) -> None:
    for one, other in hurt.pairs(_s4(hurt), _s4(hurt)):
        hurt.exchange(str(one.secrets), str(other.secrets))
        hurt.exchange(str(one.stripe), str(other.stripe))


@damage("s4-folder-of-another-log", "a log of the DevPay years lies in an S4 customer's folder, over his own log")
def s4_folder(hurt: Hurt) -> None:
    for one, other in hurt.pairs(_s4(hurt), hurt.logs("origin", s4=False)):
        hurt.put(str(one.log), bytes_of(hurt, other.log), like=str(other.log))


@damage("secrets-copied-over", "one customer's secrets file was copied over another's", alone="secrets")
def copied_over(hurt: Hurt) -> None:
    files = hurt.secrets()
    for one, other in hurt.pairs(files, files):
        hurt.rewrite(str(other.secrets), bytes_of(hurt, one.secrets))
        hurt.concern(one.account)


@damage("secrets-bucket-of-another", "secrets files name another customer's bucket", alone="secrets")
def bucket_of_another(hurt: Hurt) -> None:
    files = hurt.secrets()
    for one, other in hurt.pairs(files, files):
        told = json.loads(bytes_of(hurt, one.secrets))
        told["bucket_name"] = json.loads(bytes_of(hurt, other.secrets))["bucket_name"]
        hurt.rewrite(str(one.secrets), (json.dumps(told) + "\n").encode())
        hurt.concern(other.account)


_SERVER = ("publichost", "privatehost", "public_host", "private_host")
_FURLS = ("external_introducer_furl", "internal_introducer_furl")


def _filled_from_another(name: str, what: str, keys: Collection[str]) -> None:
    @damage(name, what, alone="secrets")
    def make(hurt: Hurt) -> None:
        files = hurt.secrets()
        for one, other in hurt.pairs(files, files):
            ours, theirs = (json.loads(bytes_of(hurt, each.secrets)) for each in (one, other))
            told = {**ours, **{key: theirs[key] for key in ours if key in keys and key in theirs}}
            hurt.rewrite(str(one.secrets), (json.dumps(told) + "\n").encode())
            hurt.concern(other.account)


_filled_from_another("secrets-server-of-another", "secrets files tell another's hosts and furls", {*_SERVER, *_FURLS})
_filled_from_another("secrets-secret-of-another", "secrets files tell another's secret key", {"secret_key"})
