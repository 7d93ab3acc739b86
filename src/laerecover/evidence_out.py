"""What a recovery leaves behind, in the dialect of a replacement's log, so that the next disaster can start from it."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from laerecover.hosts.identity import parse_furl, tub_id_of
from laerecover.manifest import Account, Secret
from laerecover.writing import write_atomically

_UNQUOTED = " !#$()*+-./:=?@^_`{|}~"
"""What the site of 2012 let through as it was typed; everything else it URL-quoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The account's new server, as the earlier steps told it. `kept` are the account's sealed secrets."""

    account: Account
    recovery_id: str
    instance_id: str
    launch_time: str
    public_host: str
    private_host: str
    recorded_at: str
    endpoint: str
    ami_image_id: str | None
    instance_size: str | None
    keypair_name: str
    introducer_restored: bool
    storage_restored: bool
    kept: Mapping[str, Secret]

    @property
    def name(self) -> str:
        """TIMESTAMP-SEED: the launch, and a seed that no other account or recovery has; the same however often it is
        asked.
        """
        digest = hashlib.sha256("\0".join(["evidence", self.recovery_id, self.account.account_id]).encode()).digest()
        return f"{self.launch_time[:19].replace(':', '')}Z-{base64.b32encode(digest[:20]).decode().lower()}"


def leave(folder: Path, server: Recovered) -> tuple[str, str]:
    """Write secrets file, csv rows and log, in this order, each whole or not at all; gives the names of log and
    secrets file below the folder.

    Written again, every byte is the same. Raises OSError.
    """
    plan = _plan_of(server.account)
    log, secrets = f"signup_logs/{server.name}", f"secrets/{server.name}"
    if plan is not None:
        log, secrets = f"secrets/{plan}/{server.name}/signup_logs", f"secrets/{plan}/{server.name}/SSEC2"
        _write(folder, f"secrets/{plan}/{server.name}/stripe", _stripe(server.account, plan))
    _write(folder, secrets, secrets_object(server))
    for file, row in rows(server).items():
        _add_row(folder / file, row)
    _write(folder, log, log_of(server))
    return log, secrets


def log_of(server: Recovered) -> bytes:
    """The log: what happened, without any secret.

    The furl that the old program printed stands in the secrets file alone.
    """
    account = server.account
    # Without the rows nobody would know that this customer wants encrypted mail only: then no address either.
    secretive = bool(account.customer_keyinfo) or account.customer_keyinfo_lost
    alone = secretive and _plan_of(account) is None and _customer_row(account) is None
    email = account.customer_email if account.customer_email_confirmed and not alone else None
    told = [
        # It opened the account, once, and is worth nothing now but that it ties the log to its csv rows. (Nobody
        # believes
        # a key whose line could have been cut, hence the line that follows; the product's name is in no manifest.)
        (
            account.activation_key if _is_tied(account) else None,
            "activationkey = {}\nWarning: missing field for full_name",
        ),
        ("", ">Deploying EC2 instance...>"),
        (server.endpoint, "endpoint_uri = {}"),
        (server.ami_image_id, "ami_image_id = {}"),
        (server.instance_size, "instance_size = {}"),
        (account.bucket_name, "bucket_name = {}"),
        (server.keypair_name, "keypair_name = {}"),
        (email, "instance_name = {}"),
        ("", ""),
        ("", ">EC2 instance started.>"),
        # Every line of the old program's print, in its order: where one is missing, a reader must think of damage.
        (server.instance_id, "  instance_id = {}"),
        ("", "  instance_state = 'pending'"),
        (server.instance_size, "  instance_type = {}"),
        (server.ami_image_id, "  image_id = {}"),
        ("", "  private_dns_name = ''\n  dns_name = ''"),
        (server.keypair_name, "  key_name = {}"),
        ("", "  ami_launch_index = '0'"),
        (server.launch_time, "  launch_time = {}"),
        ("", "  placement = None\n  product_codes = []\n  kernel_id = None\n  ramdisk_id = None\n  reservation = None"),
        (server.public_host, ">The server's public address is {}.>"),
        ("", ">Updating server...>\n>Finished server installation.>"),
        ("", _restoring("introducer", "introducer_node_pem", server.introducer_restored)),
        ("", ">Starting introducer...>"),
        ("", _restoring("storage server", "server_node_pem", server.storage_restored)),
        ("", ">Starting storage server...>"),
        ("", ">The introducer and storage server are running.>"),
        ("", "Signup done."),
    ]
    return "".join(f"{line.format(_repr(value))}\n" for value, line in told if value is not None).encode("ascii")


def _restoring(node: str, field: str, restored: bool) -> str:
    return f">Restoring {node} identity...>" if restored else f"Warning: missing field for {field}"


def secrets_object(server: Recovered) -> Secret:
    """The secrets file: one JSON object on one line, with the keys of 2013; what is not known is null."""
    account, kept = server.account, server.kept
    introducer, storage = kept["introducer_node_pem"], kept["server_node_pem"]
    body = {
        "publichost": server.public_host,
        "privatehost": server.private_host,
        "access_key_id": account.user_access_key_id,
        "secret_key": account.user_secret_key,
        "user_token": account.user_token,
        "product_token": account.product_token,
        "bucket_name": account.bucket_name,
        "introducer_node_pem": introducer,
        "introducer_nodeid": tub_id_of(introducer),
        "server_node_pem": storage,
        "server_nodeid": tub_id_of(storage),
        "server_node_privkey": kept.get("server_node_privkey"),
        "external_introducer_furl": parse_furl(kept["furl"]).at(server.public_host),
    }
    plain = {key: value.reveal().strip() if isinstance(value, Secret) else value for key, value in body.items()}
    return Secret(json.dumps(plain) + "\n")


def rows(server: Recovered) -> dict[str, str]:
    """File -> its row. The customer's rows are written only where rows are what told of the customer.

    An address that was doubtful stays so: it gets no row in signups.csv, and the log does not name it.
    """
    found = {"serverinfo.csv": f"{server.recorded_at},{server.launch_time},{server.instance_id},{server.public_host}"}
    cells = _customer_row(server.account)
    if cells is not None:
        found["activation_requests.csv"] = f"{server.launch_time[:19]}Z,{cells}"
        if server.account.customer_email_confirmed:
            found["signups.csv"] = f"{server.recorded_at},success,{cells}"
    return found


def _customer_row(account: Account) -> str | None:
    """What the csv files tell of the customer, as they tell it; None where no csv file did (the name is told nowhere
    else).
    """
    email = account.customer_email or ""
    if account.customer_keyinfo_lost or not (
        _is_tied(account) and account.customer_name and _quoted(email, also="%") == email
    ):
        return None
    texts = (account.activation_key or "", account.product_code or "", account.customer_name)
    return ",".join([*map(_quoted, texts), email, _quoted(account.customer_keyinfo or "")])


def _is_tied(account: Account) -> bool:
    """Whether the activation key is sure to be the account's: a log told it, or the address that its rows tell is sure.

    A key that was only guessed from the time of a row must not come back as our own word.
    """
    places = account.provenance.get("activation_key", ())
    told = account.customer_email_confirmed or any(not place.endswith(" csv") for place in places)
    return account.activation_key is not None and told


def _stripe(account: Account, plan: str) -> Secret:
    """The list that an S4 plan's log has beside it: e-mail, PGP information, customer, plan, subscription."""
    subscription, customer = (_base32(half) for half in (account.bucket_name or "").split("-")[1:3])
    email = account.customer_email if account.customer_email_confirmed else None
    return Secret(json.dumps([email or "", account.customer_keyinfo or "", customer, plan, subscription]))


def _plan_of(account: Account) -> str | None:
    """The S4 plan in whose folder the account's evidence lay, None for an account of the older kind."""
    if re.fullmatch("lae-[a-z2-7]+-[a-z2-7]+", account.bucket_name or "") and account.product_code is None:
        for place in (account.log_file, account.secrets_file):
            match = re.search(r"(?:^|/)secrets/([A-Za-z0-9_.-]*[A-Za-z0-9_-])/[^/]+/(?:signup_logs|SSEC2)", place or "")
            if match:
                return match[1]
    return None


def _base32(text: str) -> str:
    try:
        return base64.b32decode(text.upper() + "=" * (-len(text) % 8)).decode("ascii", "replace")
    except ValueError:
        return ""


def _repr(value: str) -> str:
    """Python 2's repr of a byte string: whatever the value is, it stays on its line."""
    return repr(value.encode("utf-8", "surrogatepass"))[1:]


def _quoted(text: str, *, also: str = "") -> str:
    return quote(text, safe=_UNQUOTED + also, errors="replace")


def _write(folder: Path, name: str, content: Secret | bytes) -> None:
    path = folder / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = content.reveal().encode("ascii") if isinstance(content, Secret) else content
    if not path.is_file() or path.read_bytes() != data:
        write_atomically(path, data)


def _add_row(path: Path, row: str) -> None:
    """The file with this row in it: under a lock, sorted, so that its bytes tell nothing of the order of writing."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = path.read_bytes() if path.is_file() else b""
        after = b"".join(sorted({*before.splitlines(keepends=True), f"{row}\n".encode("ascii")}))
        if after != before:
            write_atomically(path, after)
