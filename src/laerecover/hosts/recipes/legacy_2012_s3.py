"""The recipe `legacy-2012-s3`: exactly the files of 2012, for a host whose image holds the Tahoe-LAFS of 2012."""

from __future__ import annotations

from collections.abc import Mapping

from laerecover.hosts.identity import INTRODUCER_PORT, STORAGE_PORT, parse_furl
from laerecover.hosts.recipes.debian import host_is_fit, packages, supervised, users
from laerecover.hosts.recipes.recipe import HOME, INTRODUCER, STORAGE, File, Service, Site, file_text, one_line
from laerecover.hosts.scripts import filled
from laerecover.manifest import Secret
from laerecover.ports.hosts import Command


class Legacy2012S3:
    """The storage node itself speaks to S3. That Tahoe-LAFS can no longer be fetched: it must be in LAFS_source."""

    joins = False
    identity_files: Mapping[str, str] = {
        "introducer_node_pem": f"{INTRODUCER}/private/node.pem",
        "introducer_furl": f"{INTRODUCER}/introducer.furl",
        "server_node_pem": f"{STORAGE}/private/node.pem",
    }

    def before_reboot(self) -> tuple[Command, ...]:
        """Only a supervisor is added: an image of that age is left as it is."""
        return host_is_fit(modern=False), packages("ca-certificates", modern=False)

    def after_reboot(self, monitor_pubkey: str) -> tuple[Command, ...]:
        """Users, the two empty nodes of 2012, two services."""
        return (
            *users(monitor_pubkey),
            Command(name="tahoe-lafs", user="customer", script=f"test -x {HOME}/LAFS_source/bin/tahoe || exit 84\n"),
            *(
                Command(
                    name=verb,
                    user="customer",
                    script=filled("create_node_of_2012.sh", HOME=HOME, VERB=verb, FOLDER=folder),
                )
                for verb, folder in (("create-introducer", "introducer"), ("create-node", "storageserver"))
            ),
            *(
                supervised(node, filled("run_node_of_2012.sh", HOME=HOME, FOLDER=node))
                for node in ("introducer", "storageserver")
            ),
        )

    def patches(self) -> tuple[Command, ...]:
        """None: that Tahoe-LAFS wrote these shares."""
        return ()

    def patched(self) -> None:
        """There is nothing to mend."""

    def services(self, site: Site) -> tuple[Service, ...]:
        """Introducer, then storage node; the S3 secrets are mode 0440, an account without tokens has no such files."""
        keys, account = site.keys, site.account
        secrets = {
            "s3secret": account.user_secret_key,
            "s3usertoken": account.user_token,
            "s3producttoken": account.product_token,
        }
        introducer = (
            File(path=f"{INTRODUCER}/introducer.port", content=Secret(f"{INTRODUCER_PORT}\n"), mode=0o644),
            File(path=self.identity_files["introducer_node_pem"], content=file_text(keys.introducer_node_pem)),
            File(path=self.identity_files["introducer_furl"], content=file_text(keys.introducer_furl)),
        )
        storage = [
            File(path=f"{STORAGE}/client.port", content=Secret(f"{STORAGE_PORT}\n"), mode=0o644),
            File(path=f"{STORAGE}/tahoe.cfg", content=_storage_cfg(site)),
            *(
                File(path=f"{STORAGE}/private/{name}", content=secret, mode=0o440)
                for name, secret in secrets.items()
                if secret is not None
            ),
            File(path=self.identity_files["server_node_pem"], content=file_text(keys.server_node_pem)),
        ]
        if keys.server_node_privkey == account.server_node_privkey:  # the nodes of before 2013 had none
            storage.append(File(path=f"{STORAGE}/private/node.privkey", content=file_text(keys.server_node_privkey)))
        return Service(name="introducer", files=introducer), Service(name="storageserver", files=tuple(storage))

    def announced(self, server_nodeid: str) -> None:
        """No question is known that its introducer of 2012 answers."""

    def serving(self) -> None:
        """Its node speaks to S3 by itself, and nothing else on the host does."""


def _storage_cfg(site: Site) -> Secret:
    """The bucket is the nickname, S3 the backend; locations and ports in the manner of 2012, without `tcp:`."""
    account, furl = site.account, parse_furl(site.keys.introducer_furl)
    places = f"{one_line(site.private_host)}:{INTRODUCER_PORT},127.0.0.1:{INTRODUCER_PORT}"
    near = f"pb://{furl.tub_id}@{places}/{furl.swissnum.reveal()}"
    return Secret(
        f"[node]\nnickname = {one_line(account.bucket_name or '')}\nweb.port = \ntub.port = {STORAGE_PORT}\n"
        f"tub.location = {one_line(site.public_host)}:{STORAGE_PORT},{one_line(site.private_host)}:{STORAGE_PORT}\n\n"
        f"[client]\nintroducer.furl = {near}\n\n"
        f"[storage]\nenabled = true\nbackend = s3\ns3.access_key_id = {one_line(account.user_access_key_id or '')}\n"
        f"s3.bucket = {one_line(account.bucket_name or '')}\n"
    )
