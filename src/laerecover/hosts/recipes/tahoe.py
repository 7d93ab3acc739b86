"""The recipe `tahoe`: stock Tahoe-LAFS 1.20, with the customer's bucket mounted as the storage node's folder."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from importlib import resources

from laerecover.hosts.identity import INTRODUCER_PORT, STORAGE_PORT, any_weak, parse_furl
from laerecover.hosts.programs.bucket_shares import RECOVERED
from laerecover.hosts.recipes.debian import folder, host_is_fit, packages, supervised, users
from laerecover.hosts.recipes.joining import join_shares
from laerecover.hosts.recipes.recipe import HOME, INTRODUCER, STORAGE, File, Service, Site, file_text, one_line
from laerecover.manifest import Secret
from laerecover.ports.hosts import Command

BUCKET = f"{HOME}/bucket"
RCLONE_CONF = f"{HOME}/rclone.conf"
OPENSSL_CONF = f"{HOME}/openssl.cnf"
VERSION = "tahoe-lafs==1.20.*"

_SETTINGS = f"PATH=/usr/bin:/bin HOME={HOME} LC_ALL=C.UTF-8"
"""A service sees none of the host's settings: with AWS_CA_BUNDLE set, Debian's rclone 1.60 ends at once."""
_ENV = f"env -i {_SETTINGS}"
_ALONE = f"""\
# As env -i would; but uutils' env (0.0.30, say) stays as the parent of what it starts, and a supervisor would end env alone.
for name in $(env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'); do unset "$name"; done
export {_SETTINGS}
"""
_LISTED = f"grep -qs ' {BUCKET} fuse' /proc/mounts"
"""The mount is there, dead or alive: one whose rclone has died, or could not unmount, stands on in /proc/mounts."""
_MOUNTED = f"df -Pk {BUCKET} 2>/dev/null | grep -q ' {BUCKET}$'"
"""The mount itself answers, to the customer alone: where rclone is gone, df is told ENOTCONN. No answer needs the store."""
LOWERED = "openssl_conf = start\n[start]\nssl_conf = ssl\n[ssl]\nsystem_default = lowered\n[lowered]\nCipherString = DEFAULT@SECLEVEL=0\n"
"""For Tahoe-LAFS alone: with it an RSA key of 1024 bits is served, whatever digest signed its certificate."""


class Tahoe:
    """What the HOWTO's functions made in 2012, made of parts that exist today."""

    joins = True
    identity_files: Mapping[str, str] = {
        "introducer_node_pem": f"{INTRODUCER}/private/node.pem",
        "introducer_furl": f"{INTRODUCER}/private/introducer.furl",
        "server_node_pem": f"{STORAGE}/private/node.pem",
    }

    def before_reboot(self) -> tuple[Command, ...]:
        """What the host must have, then packages."""
        return host_is_fit(modern=True), packages("python3-venv", "rclone", "fuse3", "ca-certificates", modern=True)

    def after_reboot(self, monitor_pubkey: str) -> tuple[Command, ...]:
        """Users, Tahoe-LAFS in a venv, two empty nodes, the place of the mount, three services."""
        return (
            *users(monitor_pubkey),
            Command(name="tahoe-lafs", user="customer", script=_INSTALL),
            *(
                Command(name=name, user="customer", script=_create(verb, folder))
                for name, verb, folder in (
                    ("create-introducer", "create-introducer", "introducer"),
                    ("create-node", "create-node", "storageserver"),
                )
            ),
            Command(name="bucket-folder", script=_PLACE_OF_MOUNT),
            supervised("introducer", _run("introducer")),
            supervised("bucket", _MOUNT, ended=_TAKE_AWAY),
            supervised("storageserver", _WAIT + _run("storageserver"), needs="bucket"),
        )

    def patches(self) -> tuple[Command, ...]:
        """Commands of their own, for hosts that an older recipe has installed, too."""
        return (
            Command(name="old-shares", user="customer", script=_old_shares("patch")),
            Command(name="old-shares-in-force", script=_STORAGE_AGAIN),
        )

    def patched(self) -> Command:
        """Of file and running node."""
        return Command(name="patched", user="customer", script=_old_shares("ask"))

    def services(self, site: Site) -> tuple[Service, ...]:
        """Introducer, mount, storage node."""
        keys, furl_file = site.keys, self.identity_files["introducer_furl"]
        level = Secret(LOWERED if any_weak(keys) else "# Nothing needs lowering here.\n")
        introducer = (
            File(path=OPENSSL_CONF, content=level, mode=0o644),
            File(path=f"{INTRODUCER}/tahoe.cfg", content=_introducer_cfg(site), mode=0o644),
            File(path=self.identity_files["introducer_node_pem"], content=file_text(keys.introducer_node_pem)),
            File(path=furl_file, content=file_text(keys.introducer_furl)),
        )
        storage = (
            File(path=f"{STORAGE}/tahoe.cfg", content=_storage_cfg(site)),
            File(path=f"{STORAGE}/private/introducers.yaml", content=_introducers(site)),
            File(path=self.identity_files["server_node_pem"], content=file_text(keys.server_node_pem)),
            File(path=f"{STORAGE}/private/node.privkey", content=file_text(keys.server_node_privkey)),
        )
        return (
            Service(name="introducer", files=introducer, proofs=(_proof("introducer", furl_file, INTRODUCER_PORT),)),
            Service(
                name="bucket",
                files=(File(path=RCLONE_CONF, content=_rclone_conf(site), mode=0o400),),
                preparation=() if site.joining is None else join_shares(RCLONE_CONF, seconds=site.joining),
            ),
            Service(
                name="storageserver",
                files=storage,
                proofs=(_proof("storageserver", f"{STORAGE}/private/storage.furl", STORAGE_PORT),),
            ),
        )

    def announced(self, server_nodeid: str) -> Command:
        """A subscriber on the host itself, by the furl that lies there."""
        arguments = f"{self.identity_files['introducer_furl']} {INTRODUCER_PORT} {shlex.quote(server_nodeid)}"
        return Command(name="announced", user="customer", script=f"cd /\n{_python(arguments, _ANNOUNCED)}")

    def serving(self) -> Command:
        """By the mount's own configuration, and through the mount."""
        program = resources.files("laerecover.hosts.programs").joinpath("serving.py").read_text("utf-8")
        return Command(name="serving", user="customer", script=f"cd /\n{_python(f'{BUCKET} {RCLONE_CONF}', program)}")


def _introducer_cfg(site: Site) -> Secret:
    return Secret(
        "[node]\nnickname = introducer\nweb.port =\n"
        f"tub.port = tcp:{INTRODUCER_PORT}\ntub.location = tcp:{one_line(site.public_host)}:{INTRODUCER_PORT}\n"
    )


def _storage_cfg(site: Site) -> Secret:
    """Old clients speak foolscap, not HTTPS, and know the node by its furl alone. No share ever expires: old ones have no lease."""
    places = ",".join(f"tcp:{one_line(host)}:{STORAGE_PORT}" for host in (site.public_host, site.private_host))
    return Secret(
        f"[node]\nnickname = {one_line(site.account.bucket_name or '')}\nweb.port =\n"
        f"tub.port = tcp:{STORAGE_PORT}\ntub.location = {places}\n\n"
        f"[storage]\nenabled = true\nanonymous = true\nforce_foolscap = true\nstorage_dir = {BUCKET}\n"
        "expire.enabled = false\n"
    )


def _introducers(site: Site) -> Secret:
    """The introducer next door: no way over the public address, which the host itself may be unable to go."""
    furl = parse_furl(site.keys.introducer_furl)
    near = f"pb://{furl.tub_id}@tcp:127.0.0.1:{INTRODUCER_PORT}/{furl.swissnum.reveal()}"
    return Secret(f"introducers:\n  recovered:\n    furl: {json.dumps(near)}\n")


def _rclone_conf(site: Site) -> Secret:
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


_INSTALL = f"""\
cd {HOME}
python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))' || exit 81
test -x venv/bin/pip || python3 -m venv --clear venv
tries=0
until venv/bin/pip --quiet --no-input --retries 10 install '{VERSION}' </dev/null; do
  tries=$((tries + 1)); test $tries -lt 3 || exit 1; sleep $((tries * 10))
done
venv/bin/tahoe --version
"""

_PLACE_OF_MOUNT = f"""\
# Without it fusermount3 lets no user unmount.
test -e /etc/mtab || ln -s ../proc/self/mounts /etc/mtab
# A plain file called shares: a storage node whose bucket is not mounted fails, rather than fill the host's own disk.
if ! {_LISTED}; then
{folder(BUCKET, mode=0o700, owner="customer")}\
test -e {BUCKET}/shares || {{ : >{BUCKET}/shares; chmod 444 {BUCKET}/shares; }}
fi
"""

_TAKE_AWAY = f"""\
# rclone unmounts as it ends, unless somebody is in there at that moment, or it was killed: then the mount stands, and is dead.
{_LISTED} || exit 0
exec fusermount3 -uz {BUCKET}
"""

_MOUNT = f"""\
# A mount whose rclone has died is taken away first. Never --vfs-write-back 0s: rclone 1.60 then uploads a share under the
# name it had before Tahoe-LAFS renamed it, and the finished share is lost.
{_LISTED} && fusermount3 -uz {BUCKET}
{_ALONE}exec rclone mount shares: {BUCKET} --config {RCLONE_CONF} --allow-non-empty --umask 077 \\
  --vfs-cache-mode full --vfs-write-back 2s --vfs-cache-max-size 500M --cache-dir {HOME}/.cache/shares \\
  --use-server-modtime --dir-cache-time 24h --log-file {HOME}/rclone.log
"""

_WAIT = f"""\
tries=0
until {_MOUNTED}; do
  tries=$((tries + 1)); test $tries -lt 60 || exit 1; sleep 1
done
"""

_STORAGE_AGAIN = """\
if test -d /run/systemd/system; then
  systemctl is-active --quiet lae-storageserver || exit 0
  systemctl restart lae-storageserver
else
  sv status lae-storageserver 2>/dev/null | grep -q '^run:' || exit 0
  sv -w 60 restart lae-storageserver
fi
echo started again
"""

_PROOF = """\
from foolscap.api import Tub
from twisted.internet import defer, error, reactor, task
import os, sys, time

async def trouble(tub, file, port):
    try:
        tub_id, _, rest = open(file).read().strip().partition("@")
    except OSError as problem:
        return type(problem)
    asked = tub.getReference(f"{tub_id}@tcp:127.0.0.1:{port}/{rest.rpartition('/')[2]}").addTimeout(20, reactor)
    return await asked.addCallbacks(lambda _: None, lambda failure: failure.type)

async def main(file, port, until=time.monotonic() + 120):
    tub = Tub()
    tub.startService()
    while kind := await trouble(tub, file, port):  # a node that just starts may listen before it knows its own furl
        if time.monotonic() > until:
            print(getattr(kind, "__name__", kind))
            silent = (OSError, error.ConnectError, error.ConnectionClosed, defer.TimeoutError)
            return 86 if isinstance(kind, type) and issubclass(kind, silent) else 85
        await task.deferLater(reactor, 0.5)
    return 0

def ended(status):
    sys.stdout.flush()
    os._exit(status if isinstance(status, int) else 1)

defer.ensureDeferred(main(sys.argv[1], sys.argv[2])).addBoth(ended)
reactor.run()
"""

_ANNOUNCED = """\
from allmydata.introducer.common import get_tubid_string_from_ann, unsign_from_foolscap
from allmydata.introducer.interfaces import RIIntroducerSubscriberClient_v2
from foolscap.api import Referenceable, Tub
from twisted.internet import defer, reactor, task
from zope.interface import implementer
import os, sys

@implementer(RIIntroducerSubscriberClient_v2)
class Subscriber(Referenceable):
    heard = set()

    def remote_announce_v2(self, announcements):
        for each in announcements:
            announced, _ = unsign_from_foolscap(each)  # raises if nobody signed it
            self.heard.add(get_tubid_string_from_ann(announced).decode("ascii"))

async def main(file, port, wanted):
    tub, subscriber = Tub(), Subscriber()
    tub.startService()
    tub_id, _, rest = open(file).read().strip().partition("@")
    furl = f"{tub_id}@tcp:127.0.0.1:{port}/{rest.rpartition('/')[2]}"
    introducer = await tub.getReference(furl).addTimeout(20, reactor)
    about = {b"version": 0, b"nickname": "verify", b"app-versions": [], b"my-version": "", b"oldest-supported": ""}
    await introducer.callRemote("subscribe_v2", subscriber, b"storage", about).addTimeout(20, reactor)
    for _ in range(30):  # a node that has lost its introducer comes back within seconds
        if wanted in subscriber.heard:
            break
        await task.deferLater(reactor, 0.5)
    print(*sorted(subscriber.heard), sep="\\n", flush=True)

def ended(outcome):
    if outcome is not None:  # its text could tell the furl
        print(f"the introducer cannot be asked: {outcome.type.__name__}", file=sys.stderr, flush=True)
    os._exit(0 if outcome is None else 1)

defer.ensureDeferred(main(*sys.argv[1:])).addBoth(ended)
reactor.run()
"""


def _create(verb: str, folder: str) -> str:
    """An empty node in one go: Tahoe-LAFS refuses a folder that an interrupted attempt left half made."""
    return (
        f"cd {HOME}\ntest ! -e {folder}/tahoe.cfg || exit 0\nrm -rf {folder}.new {folder}\n"
        f"venv/bin/tahoe --quiet {verb} --hostname=127.0.0.1 {folder}.new </dev/null\nmv {folder}.new {folder}\n"
    )


def _run(folder: str) -> str:
    return (
        f"cd {HOME} || exit 1\n{_ALONE}export OPENSSL_CONF={OPENSSL_CONF}\n"
        f"exec venv/bin/tahoe run --allow-stdin-close {folder}\n"
    )


def _proof(node: str, furl_file: str, port: int) -> Command:
    """A foolscap client on the host itself: who answers at the port has TubID and swissnum of the furl in the file."""
    return Command(name=f"proof-{node}", user="customer", script=_python(f"{furl_file} {port}", _PROOF))


def _old_shares(action: str) -> str:
    return f"cd /\n{_python(action, resources.files('laerecover.hosts.programs').joinpath('old_shares.py').read_text('utf-8'))}"


def _python(arguments: str, program: str) -> str:
    """The program in the host's own venv, which it leaves as it is."""
    run = f"{_ENV} OPENSSL_CONF={OPENSSL_CONF} {HOME}/venv/bin/python -B - {arguments}"
    return f"{run} <<'LAE_PROGRAM'\n{program}LAE_PROGRAM\n"
