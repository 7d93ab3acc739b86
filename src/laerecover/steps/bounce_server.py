"""bounce_server: the account's identity and its S3 keys come to the host, and its two nodes run."""

from __future__ import annotations

from laerecover.identity import parse_furl, restored_introducer, restored_storage, tub_id_of
from laerecover.manifest import Secret
from laerecover.recipe import INTRODUCER, STORAGE, introducer_cfg, storage_cfg, storage_secrets
from laerecover.steps.work import Link, StepFailed, Values, Work

_PRIVATE = 0o600


def bounce_server(work: Work) -> Values:
    """Restore what is proved before the first start, start, read back what runs, and compare.

    New identities are sealed into the state folder before anything depends on them.
    Values: introducer_tub_id, server_nodeid, and whether each was restored. Fails: `identity_differs`, as install_server.
    """
    with work.link(patient=True) as link:
        furl = _introducer(work, link)
        nodeid = _storage(work, link, furl)
    return {
        "introducer_tub_id": parse_furl(furl).tub_id,
        "server_nodeid": nodeid,
        "introducer_restored": restored_introducer(work.account)[0] is not None,
        "storage_restored": restored_storage(work.account)[0] is not None,
    }


def _introducer(work: Work, link: Link) -> Secret:
    public_host = work.known_of("wait_for_ec2_addresses", "public_host")
    node_pem, old_furl = restored_introducer(work.account)
    furl_file, pem_file = f"{INTRODUCER}/private/introducer.furl", f"{INTRODUCER}/private/node.pem"
    if not link.ask(lambda host: host.running("introducer"), "introducer"):
        link.place(f"{INTRODUCER}/tahoe.cfg", introducer_cfg(public_host), mode=0o644)
        if node_pem is not None:
            link.place(pem_file, node_pem, mode=_PRIVATE)
        if old_furl is not None:
            link.place(furl_file, old_furl, mode=_PRIVATE)
        link.service("introducer")
    running, pem = link.ask(lambda host: (parse_furl(host.read(furl_file)), host.read(pem_file)), "furl")
    if running.tub_id != tub_id_of(pem) or (node_pem is not None and running.tub_id != tub_id_of(node_pem)):
        raise StepFailed("the introducer runs with another TubID than that of its key", kind="identity_differs")
    if old_furl is not None and not running.same_capability(parse_furl(old_furl)):
        raise StepFailed("the introducer runs with another furl than the restored one", kind="identity_differs")
    if work.account.grade == "IDENTITY_KEPT" and old_furl is None:
        raise StepFailed("the grade says IDENTITY_KEPT, but no furl fits the proved key", kind="identity_differs")
    furl = running.at(public_host)
    work.vault.save(
        work.account.account_id, {"furl": furl, "introducer_node_pem": pem, "public_host": Secret(public_host)}
    )
    return furl


def _storage(work: Work, link: Link, furl: Secret) -> str:
    account = work.account
    node_pem, privkey = restored_storage(account)
    pem_file = f"{STORAGE}/private/node.pem"
    if not link.ask(lambda host: host.running("storageserver"), "storage node"):
        addresses = work.known["wait_for_ec2_addresses"]
        cfg = storage_cfg(
            account, public_host=addresses["public_host"], private_host=addresses["private_host"], introducer_furl=furl
        )
        link.place(f"{STORAGE}/tahoe.cfg", cfg, mode=0o600)
        for path, secret in storage_secrets(account).items():
            link.place(path, secret, mode=0o440)
        if node_pem is not None:
            link.place(pem_file, node_pem, mode=_PRIVATE)
        if privkey is not None:
            link.place(f"{STORAGE}/private/node.privkey", privkey, mode=_PRIVATE)
        link.service("storageserver")
    pem = link.ask(lambda host: host.read(pem_file), "node.pem")
    if node_pem is not None and tub_id_of(pem) != tub_id_of(node_pem):
        raise StepFailed("the storage node runs with another identity than the restored one", kind="identity_differs")
    if account.grade in ("IDENTITY_KEPT", "NEW_FURL") and account.server_nodeid not in (None, tub_id_of(pem)):
        raise StepFailed("the storage node runs with another node id than the lost one", kind="identity_differs")
    work.vault.save(account.account_id, {"server_node_pem": pem})
    return tub_id_of(pem)
