"""bounce_server: the account's identity and its S3 keys come to the host, and its nodes run."""

from __future__ import annotations

import json
from collections.abc import Collection
from operator import methodcaller

from laerecover.errors import StepFailed
from laerecover.hosts.bucket_layout import BucketLayout
from laerecover.hosts.identity import (
    NodeKeys,
    every_identity,
    identity_in,
    node_keys,
    parse_furl,
    restored_introducer,
    restored_storage,
    tub_id_of,
)
from laerecover.hosts.recipes.debian import SERVICES, read_services
from laerecover.hosts.recipes.named import recipe_named
from laerecover.hosts.recipes.recipe import Recipe, Service, Site
from laerecover.manifest import Secret
from laerecover.ports.compute import RECOVERED_TAG
from laerecover.ports.refusals import WorldError
from laerecover.runbook.bucket import look, seconds_to_join, what_was_joined
from laerecover.runbook.values import DEPLOY, WAIT, Bounced, Values
from laerecover.runbook.work import Link, Work
from laerecover.text import clean


def bounce_server(work: Work) -> Bounced:
    """Settle which identity the nodes have, seal it, put it in place before the first start, start, compare what
    runs.

    Where nothing may be restored, keys are made here, not on the host: a crash at any moment finds them sealed.
    Shares that lie in pieces are joined before the bucket is first mounted. Fails: `identity_differs`, `other_keys`
    (somebody else's are there already), `account_unfit`, as install_server, as `bucket.look`.
    """
    account, addresses = work.account, work.values_of(WAIT)
    public_host, private_host = addresses.public_host, addresses.private_host
    kept = work.vault.load(account.account_id)
    keys = node_keys(account, kept, public_host=public_host, new_identity=work.new_identity)
    if not work.new_identity:
        _promised(work, keys)
    recipe = recipe_named(work.settings.recipe.name)
    with work.link(patient=True) as link:
        serves = link.ask(methodcaller("running", "bucket"), "bucket")
    layout = look(work, recipe)
    # What serves the bucket by now must go on as it began.
    joins = layout is not None and layout.to_be_joined and not serves
    site = Site(
        account=account,
        public_host=public_host,
        private_host=private_host,
        keys=keys,
        s3_endpoint=work.settings.s3_endpoint_of(work.account),
        session_token=work.settings.recipe.session_token,
        recovered=layout is not None and (joins or layout.complete),
        joining=seconds_to_join(work, layout) if joins and layout is not None else None,
    )
    try:
        services = recipe.services(site)
    except ValueError as error:
        raise StepFailed(f"no configuration can be written: {error}", kind="account_unfit") from None
    ours = every_identity(account, kept, keys)
    found: dict[str, Values] = {} if layout is None else {"bucket": layout.body}
    if serves and "found" in kept:
        found = json.loads(kept["found"].reveal())
    with work.link(patient=True) as link:
        _spare_others(work, link, recipe, keys, ours)
    work.vault.save(
        account.account_id,
        {
            "ours": Secret(" ".join(sorted(ours))),
            "furl": keys.introducer_furl,
            "introducer_node_pem": keys.introducer_node_pem,
            "server_node_pem": keys.server_node_pem,
            "server_node_privkey": keys.server_node_privkey,
            "public_host": Secret(public_host),
            **_sealed(found),
        },
    )
    with work.link(patient=True) as link:
        _patch(work, link, recipe)
        for service in services:
            _bring_up(work, link, service, layout)
        _compare(link, recipe, keys)
    if site.recovered and layout is not None:
        found["joined"] = what_was_joined(work, layout)
        work.vault.save(account.account_id, _sealed(found))
    return Bounced(
        **found,
        introducer_tub_id=tub_id_of(keys.introducer_node_pem),
        server_nodeid=tub_id_of(keys.server_node_pem),
        introducer_restored=not work.new_identity and restored_introducer(account)[0] is not None,
        storage_restored=not work.new_identity and restored_storage(account)[0] is not None,
    )


def _sealed(found: Values) -> dict[str, Secret]:
    """What the mails tell of the bucket: as it was before a node of this recovery wrote to it."""
    return {"found": Secret(json.dumps(found))} if found else {}


def _spare_others(work: Work, link: Link, recipe: Recipe, keys: NodeKeys, ours: Collection[str]) -> None:
    """An identity on the host that is not this recovery's stays: a customer may have been told of it.

    On a server that was recovered even one of ours stays. Tahoe-LAFS itself makes none before its first start.
    """
    for name, path in recipe.identity_files.items():
        if not link.ask(methodcaller("stat", [path]), name):
            continue
        there = identity_in(name, link.ask(methodcaller("read", path), name))
        if there != identity_in(name, getattr(keys, name)) and (there not in ours or _serves(work)):
            raise StepFailed(
                f"the host holds another {name} than this recovery has; nothing was replaced: go on with the state "
                "folder, or the evidence, that has it, or end the instance if nobody needs it",
                kind="other_keys",
            )


def _serves(work: Work) -> bool:
    instance_id = work.values_of(DEPLOY).instance_id
    return RECOVERED_TAG in work.ask(lambda: work.world.compute.describe(instance_id), "whether it was recovered").tags


def _patch(work: Work, link: Link, recipe: Recipe) -> None:
    """No node starts that could destroy a share.

    One that serves a customer already stays as it is: `verify` names it.
    """
    question = recipe.patched()

    def lacking() -> str:
        answer = link.ask(methodcaller("output", question), "whether it is patched").strip() if question else "patched"
        return "" if answer == "patched" else answer

    if not lacking() or (link.ask(methodcaller("running", "storageserver"), "storageserver") and _serves(work)):
        return
    link.commands(recipe.patches())
    told = lacking()
    if told.startswith("older"):
        raise StepFailed(
            "a storage node runs on this host that may be from before Tahoe-LAFS was patched, and that is none of "
            f"lae-storageserver's ({clean(told)}): end it there, then run again",
            kind="service_failed",
        )
    if told:
        markers = " ".join(command.marker for command in recipe.patches())
        raise StepFailed(
            f"Tahoe-LAFS was patched on this host, and is not any more ({clean(told)}): somebody installed it again; "
            f"remove {markers} there, then run again",
            kind="unknown_tahoe",
        )


def _bring_up(work: Work, link: Link, service: Service, layout: BucketLayout | None) -> None:
    """Files first; a service that runs has had them, and may have written to them since.

    Where shares were joined for it, it starts only if what COMPLETE tells of that is believed.
    """
    if not link.ask(lambda host: host.running(service.name), service.name):
        for file in service.files:
            link.place(file.path, file.content, mode=file.mode, owner=file.owner)
        if service.preparation and layout is not None:
            link.commands(service.preparation)
            what_was_joined(work, layout)
        link.service(service.name)
    try:
        link.commands(service.proofs)
    except StepFailed as error:
        if error.kind not in ("service_failed", "not_mounted"):
            raise
        raise StepFailed(f"{error}{_how_services_are(link)}", kind=error.kind) from None


def _how_services_are(link: Link) -> str:
    """What is wrong with which service, as the host says; "" if it says nothing."""
    try:
        told = read_services(link.ask(methodcaller("output", SERVICES), "services"))
    except (StepFailed, WorldError):
        return ""
    return "".join(f"; lae-{name}: {why}" for name, (ok, why) in told.items() if not ok)


def _promised(work: Work, keys: NodeKeys) -> None:
    """The grade's promise, checked before anything is put on the host."""
    account, furl = work.account, parse_furl(keys.introducer_furl)
    if account.grade == "IDENTITY_KEPT" and (
        account.introducer_furl is None or not furl.same_capability(parse_furl(account.introducer_furl))
    ):
        raise StepFailed("the grade says IDENTITY_KEPT, but no furl fits the proved key", kind="identity_differs")
    node_ids = (None, tub_id_of(keys.server_node_pem))
    if account.grade in ("IDENTITY_KEPT", "NEW_FURL") and account.server_nodeid not in node_ids:
        raise StepFailed("the key of the storage node does not give the lost one's node id", kind="identity_differs")


def _compare(link: Link, recipe: Recipe, keys: NodeKeys) -> None:
    """What stands on the host, now that its nodes run, is what was put there."""

    def held(name: str) -> Secret:
        return link.ask(lambda host: host.read(recipe.identity_files[name]), name)

    for name, pem in (("introducer_node_pem", keys.introducer_node_pem), ("server_node_pem", keys.server_node_pem)):
        if tub_id_of(held(name)) != tub_id_of(pem):
            raise StepFailed(f"the host holds another {name} than the one put there", kind="identity_differs")
    if not parse_furl(held("introducer_furl")).same_capability(parse_furl(keys.introducer_furl)):
        raise StepFailed("the introducer runs with another furl than the one put there", kind="identity_differs")
