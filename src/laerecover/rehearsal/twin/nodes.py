"""What a Tahoe-LAFS node does with its identity when it starts."""

from __future__ import annotations

import os
from collections.abc import Mapping

from laerecover.hosts.identity import Furl, new_node_pem, parse_furl, tub_id_of
from laerecover.manifest import Secret
from laerecover.ports.refusals import Refusal


def start_node(service: str, folder: str, held: Mapping[str, Secret]) -> tuple[str, dict[str, Secret]]:
    """The node's TubID, and the files it makes because they are missing. `held`: all files of the host.

    As real ones: node.pem alone keeps the TubID but draws a new swissnum; a furl that does not fit ends the start
    (WrongTubIdError); a storage node needs its introducer's furl, and S3 secrets or a bucket that is mounted.
    """
    if service == "bucket":
        _need(service, held, f"{folder}/rclone.conf", "access_key_id = ")
        return "", {}
    cfg, made = f"{folder}/tahoe.cfg", dict[str, Secret]()
    pem = held.get(f"{folder}/private/node.pem")
    if pem is None:
        pem = made[f"{folder}/private/node.pem"] = new_node_pem()
    tub_id = tub_id_of(pem)
    if service == "introducer":
        furl_files = (f"{folder}/private/introducer.furl", f"{folder}/introducer.furl")
        furl = next((held[path] for path in furl_files if path in held), None)
        if furl is None:
            new = Furl(tub_id=tub_id, location="", swissnum=Secret(os.urandom(16).hex()))
            made[furl_files[0]] = new.at("127.0.0.1")
        elif parse_furl(furl).tub_id != tub_id:
            raise Refusal("introducer: WrongTubIdError", kind="service_failed")
    else:
        _need(service, held, cfg, "")
        legacy = "backend = s3" in held[cfg].reveal()
        _need(service, held, cfg if legacy else f"{folder}/private/introducers.yaml", "pb://")
        if legacy:
            _need(service, held, f"{folder}/private/s3secret", "")
    return tub_id, made


def _need(service: str, held: Mapping[str, Secret], path: str, text: str) -> None:
    if path not in held or text not in held[path].reveal():
        raise Refusal(f"{service}: {path} is missing or holds no {text or 'text'}", kind="service_failed")
