"""The configuration files of a host of the recipe `tahoe`."""

from __future__ import annotations

import json

from laerecover.hosts.identity import INTRODUCER_PORT, STORAGE_PORT, parse_furl
from laerecover.hosts.programs.bucket_shares import RECOVERED
from laerecover.hosts.recipes.recipe import HOME, Site, one_line
from laerecover.manifest import Secret

BUCKET = f"{HOME}/bucket"
LOWERED = """\
openssl_conf = start
[start]
ssl_conf = ssl
[ssl]
system_default = lowered
[lowered]
CipherString = DEFAULT@SECLEVEL=0
"""
"""For Tahoe-LAFS alone: with it an RSA key of 1024 bits is served, whatever digest signed its certificate."""


def introducer_config(site: Site) -> Secret:
    return Secret(
        "[node]\nnickname = introducer\nweb.port =\n"
        f"tub.port = tcp:{INTRODUCER_PORT}\ntub.location = tcp:{one_line(site.public_host)}:{INTRODUCER_PORT}\n"
    )


def storage_config(site: Site) -> Secret:
    """Old clients speak foolscap, not HTTPS, and know the node by its furl alone.

    No share ever expires: old ones have no lease.
    """
    places = ",".join(f"tcp:{one_line(host)}:{STORAGE_PORT}" for host in (site.public_host, site.private_host))
    return Secret(
        f"[node]\nnickname = {one_line(site.account.bucket_name or '')}\nweb.port =\n"
        f"tub.port = tcp:{STORAGE_PORT}\ntub.location = {places}\n\n"
        f"[storage]\nenabled = true\nanonymous = true\nforce_foolscap = true\nstorage_dir = {BUCKET}\n"
        "expire.enabled = false\n"
    )


def introducers(site: Site) -> Secret:
    """The introducer next door: no way over the public address, which the host itself may be unable to go."""
    furl = parse_furl(site.keys.introducer_furl)
    near = f"pb://{furl.tub_id}@tcp:127.0.0.1:{INTRODUCER_PORT}/{furl.swissnum.reveal()}"
    return Secret(f"introducers:\n  recovered:\n    furl: {json.dumps(near)}\n")


def rclone_config(site: Site) -> Secret:
    """The bucket as remote `shares:`. The buckets of 2012 have no location, which is us-east-1."""
    account = site.account
    lines = [
        "type = s3",
        f"provider = {'Other' if site.s3_endpoint else 'AWS'}",
        f"access_key_id = {one_line(account.user_access_key_id or '')}",
        f"secret_access_key = {one_line(account.user_secret_key.reveal() if account.user_secret_key else '')}",
        "region = us-east-1",
        "no_check_bucket = true",
    ]
    if site.s3_endpoint:
        lines += [f"endpoint = {one_line(site.s3_endpoint)}", "force_path_style = true"]
    if site.session_token and account.user_token and account.product_token:
        tokens = f"{account.user_token.reveal()},{account.product_token.reveal()}"
        lines.append(f"session_token = {one_line(tokens)}")
    store = "\n".join(lines)
    place = one_line(account.bucket_name or "") + (f"/{RECOVERED.rstrip('/')}" if site.recovered else "")
    return Secret(f"[store]\n{store}\n\n[shares]\ntype = alias\nremote = store:{place}\n")
