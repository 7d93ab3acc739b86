"""Small evidence made by hand: one invented customer, whose files can be changed piece by piece."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import laeforensics as lf
from evidence_writer.certificates import NodeIdentity, default_pool, make_identity
from laeforensics.accounts.account import CaseAccount
from laeforensics.audit.lookup import account_of
from laeforensics.companions.secrets_files import SecretsFile, read_secrets
from laeforensics.doubting.judges import hear_file
from laeforensics.doubting.signups import Signup
from laeforensics.doubting.views import FileView
from laeforensics.facts.beliefs import Beliefs, Note
from laeforensics.facts.channels import OWN
from laeforensics.facts.fact import Fact, Locator, Residue
from laeforensics.facts.findings import Finding
from laeforensics.parsing.logs import SignupLog
from laeforensics.parsing.signuplogs import read_log
from laerecover.manifest import Secret

SEED = "inventedseedinventedseedinvented"
NAME = f"2012-03-20T101500Z-{SEED}"
LOG_FILE = f"signup_logs/{NAME}"
STARTED_AT = "2012-03-20T10:15:00Z"
ENDED_AT = "2012-03-20T10:40:00Z"
BUCKET = f"lae-abcd0123-{SEED}"
CODE = "ABCD0123"
KEY = "AINVENTEDKEYINVENTEDKEYINVENTE"
ACCESS_KEY_ID = "AKIAINVENTEDKEYID234"
SECRET_KEY = "invented/secret+key/of+forty/characters/"
USER_TOKEN = "{UserToken}AAAHVXNlclRrbgINVENTED=="
PRODUCT_TOKEN = "{ProductToken}AAAHUHJvZHVjdINVENTED=="
EMAIL = "ann@example.org"
NODE_PRIVKEY = "priv-v0-" + "inventedprivatekey" * 2 + "inventedprivatea"
HOST = "192.0.2.1"
INSTANCE = "i-0a1b2c3d"
LAUNCHED = "2012-03-20T10:17:02.000Z"
OTHER_SEED = "anotherseedanotherseedanotherseed"[:32]
OTHER_NAME = f"2012-04-21T080000Z-{OTHER_SEED}"


@cache
def identity(number: int) -> NodeIdentity:
    """The number-th invented node: certificate, key and TubID."""
    return make_identity(random.Random(number), default_pool().pem(number), datetime(2012, 3, 20, tzinfo=UTC))


INTRODUCER, STORAGE, OTHER_NODE = identity(0), identity(1), identity(2)
FURL = f"pb://{INTRODUCER.nodeid}@{HOST}:12345/introducer"


def furl_of(node: NodeIdentity, host: str = HOST) -> str:
    return f"pb://{node.nodeid}@{host}:12345/introducer"


def instance_dump(instance_id: str = INSTANCE, launched: str = LAUNCHED) -> str:
    return (
        ">EC2 instance started.>\n<txaws.ec2.model.Instance object at 0x2adba70>\n"
        f"  instance_id = '{instance_id}'\n  instance_state = 'pending'\n  instance_type = 't1.micro'\n"
        "  image_id = 'ami-0a1b2c3d'\n  private_dns_name = ''\n  dns_name = ''\n  key_name = 'InventedKeys'\n"
        f"  ami_launch_index = '0'\n  launch_time = '{launched}'\n  placement = 'us-east-1b'\n  product_codes = []\n"
        "  kernel_id = 'aki-0a1b2c3d'\n  ramdisk_id = None\n"
        "  reservation = <txaws.ec2.model.Reservation object at 0x2adcac0>\n"
    )


def deployment(bucket: str = BUCKET, email: str = EMAIL) -> str:
    return (
        ">Deploying EC2 instance...>\nendpoint_uri = 'https://ec2.us-east-1.amazonaws.com/'\n"
        f"ami_image_id = 'ami-0a1b2c3d'\ninstance_size = 't1.micro'\nbucket_name = '{bucket}'\n"
        f"keypair_name = 'InventedKeys'\ninstance_name = '{email}'\n\n"
    )


def settings(furl: str = FURL) -> str:
    return (
        ">\nThe settings for your gateway's tahoe.cfg are:\n\n[client]\n"
        f"introducer.furl = {furl}\n\nshares.needed = 1\nshares.happy = 1\nshares.total = 1\n\n>\n"
    )


# One whole signup in the manner of March 2012, part by part.
PARTS: dict[str, str] = {
    "started": ">Automation script started.>\nReceived all fields, thanks.\n"
    ">Signing up customer for An invented product...>\n",
    "activation": f">Activating license...>\nactivationkey = '{KEY}'\n",
    "credentials": f">License activated.>\naccess_key_id = '{ACCESS_KEY_ID}'\nsecret_key = '{SECRET_KEY}'\n"
    f"usertoken = '{USER_TOKEN}'\n",
    "poll": f">Verifying subscription...>\nusertoken = '{USER_TOKEN}'\nDevPay License subscription active? True\n"
    ">Subscription verified.>\n",
    "bucket": f">Creating S3 bucket in 'US East' region...>\nusertoken = '{USER_TOKEN}'\nbucketname = '{BUCKET}'\n"
    "location = None\n\n",
    "created": ">S3 bucket created.>\n''\n",
    "deployment": deployment(),
    "instance": instance_dump(),
    "address": f">The server's public address is '{HOST}'.>\n",
    "installing": f"[ubuntu@{HOST}] run: whoami\n[ubuntu@{HOST}] out: ubuntu\n\n>Installing dependencies...>\n",
    "installed": ">Finished server installation.>\n>Starting introducer...>\n>Starting storage server...>\n",
    "running": ">The introducer and storage server are running.>\n",
    "settings": settings(),
    "mail": f">Sending confirmation e-mail to <{EMAIL}>...>\n>Confirmation e-mail sent.>\n",
}
DUMP = "[Failure instance: Traceback: <type 'exceptions.SystemExit'>: 1\n/signup.py:111:_got_addresses\n]\n"
FAILURE = DUMP + ">SystemExit: 1>\n"


def log(*without: str, until: str | None = None, **changed: str) -> bytes:
    """The whole log, `without` some parts, `until` (including) one, with others `changed`."""
    names = list(PARTS)
    names = names[: names.index(until) + 1] if until else names
    return "".join(changed.get(name, PARTS[name]) for name in names if name not in without).encode()


@dataclass
class ReadLog:
    """What one file alone tells; `facts` have the word for their worth as channel, as in `case.facts`."""

    log: SignupLog
    signup: Signup
    notes: list[Note]
    findings: list[Finding]
    segments: int

    @property
    def facts(self) -> list[Fact]:
        told = [fact for fact in self.log.facts if fact.field not in ("stage", "failure", "bucket_failed", "reading")]
        return [fact._replace(channel=self.signup.hearing.channel(fact)) for fact in told]

    @property
    def stages(self) -> list[tuple[str, int]]:
        return self.signup.stages

    @property
    def failed(self) -> bool:
        return self.signup.has_failed

    @property
    def damaged_fields(self) -> set[str]:
        """The fields that are damaged somewhere."""
        return {t.field for t in self.log.damaged_values} | {
            str(f.field) for f in self.findings if f.code == "damaged-value"
        }

    @property
    def residue(self) -> list[Residue]:
        return self.log.residue


def read(data: bytes | str, name: str = LOG_FILE) -> ReadLog:
    """A log alone, as the judges of prints and files see it."""
    reading = read_log(data.encode() if isinstance(data, str) else data, name)
    notes, findings = hear_file(FileView(facts=reading.log.facts, log=reading))
    signup = Signup(name=name, log=reading.log, beliefs=Beliefs(notes))
    signup.add(reading.log.facts)
    return ReadLog(reading.log, signup, notes, findings, len(reading.course.runs))


@dataclass
class ReadSecrets:
    """What one secrets file alone tells; `rejected` are the fields of which something cannot be right."""

    file: SecretsFile
    view: FileView
    rejected: set[str]

    def value(self, name: str) -> str | None:
        return self.view.value(name)


def hear_secrets(data: bytes, name: str = "secrets") -> ReadSecrets:
    """A secrets file alone, as the judges of prints and files see it."""
    file = read_secrets(data, name)
    view = FileView(facts=file.facts, secrets=file)
    notes, findings = hear_file(view)
    rejected = {field for field, _ in file.rejected} | {str(f.field) for f in findings}
    return ReadSecrets(file, view.after(notes), rejected)


def cat(path: str, *lines: str, host: str = HOST) -> str:
    """What a `cat` on the host leaves in the log."""
    mark = f"[customer@{host}]"
    return "".join([f"{mark} run: cat /home/customer/{path}\n", *(f"{mark} out: {line}\n" for line in lines), "\n"])


def identities_read(introducer: NodeIdentity = INTRODUCER, storage: NodeIdentity = STORAGE) -> str:
    """The node keys and ids, read back over ssh."""
    return (
        cat("introducer/private/node.pem", *introducer.pem.split("\n"))
        + cat("introducer/my_nodeid", introducer.nodeid)
        + cat("storageserver/private/node.pem", *storage.pem.split("\n"))
        + cat("storageserver/my_nodeid", storage.nodeid)
    )


def re_record(bucket: str = BUCKET, access_key_id: str = ACCESS_KEY_ID) -> bytes:
    """The log of a run that read a server's secrets back."""
    told = ">Reading secrets...>\n" + cat(
        "storageserver/tahoe.cfg",
        f"nickname = {bucket}",
        f"tub.location = {HOST}:12346,ip-10-1-2-3.ec2.internal:12346",
        f"s3.access_key_id = {access_key_id}",
        f"s3.bucket = {bucket}",
    )
    told += cat("storageserver/private/s3secret", SECRET_KEY) + cat("storageserver/private/s3usertoken", USER_TOKEN)
    told += cat("storageserver/private/s3producttoken", PRODUCT_TOKEN) + identities_read()
    return (told + ">Writing secrets file...>\n").encode()


def replacement(bucket: str = BUCKET, email: str = EMAIL, host: str = "192.0.2.9", furl: str | None = None) -> bytes:
    """The log of a run that replaced a server."""
    return (
        deployment(bucket, email)
        + instance_dump("i-00000009", "2012-06-01T08:02:00.000Z")
        + f">The server's public address is '{host}'.>\n>Restoring introducer identity...>\n"
        + ">The introducer and storage server are running.>\n"
        + settings(furl or furl_of(INTRODUCER, host))
    ).encode()


def as_another(data: bytes) -> bytes:
    """The same text as another customer's: whatever only one account can have is replaced."""
    there = {
        SEED: OTHER_SEED,
        ACCESS_KEY_ID: ACCESS_KEY_ID[::-1],
        SECRET_KEY: SECRET_KEY[::-1],
        USER_TOKEN: USER_TOKEN.replace("INVENTED", "ANOTHERS"),
        KEY: "A" + KEY[:0:-1],
        INSTANCE: "i-0000ffff",
        HOST: "192.0.2.5",
        "inventedprivatekey": "anothersprivatekey",
        EMAIL: "bob@example.org",
        json.dumps(INTRODUCER.pem)[1:-1]: json.dumps(identity(3).pem)[1:-1],
        INTRODUCER.nodeid: identity(3).nodeid,
        json.dumps(STORAGE.pem)[1:-1]: json.dumps(identity(4).pem)[1:-1],
        STORAGE.nodeid: identity(4).nodeid,
    }
    for ours, theirs in there.items():
        data = data.replace(ours.encode(), theirs.encode())
    return data


def secrets_object(**changed: Any) -> dict[str, Any]:
    """The secrets file's object; a field changed to None is left out."""
    whole = {
        "access_key_id": ACCESS_KEY_ID,
        "secret_key": SECRET_KEY,
        "user_token": USER_TOKEN,
        "product_token": PRODUCT_TOKEN,
        "bucket_name": BUCKET,
        "publichost": HOST,
        "privatehost": "ip-10-1-2-3.ec2.internal",
        "introducer_node_pem": INTRODUCER.pem,
        "introducer_nodeid": INTRODUCER.nodeid,
        "server_node_pem": STORAGE.pem,
        "server_nodeid": STORAGE.nodeid,
        "external_introducer_furl": FURL,
        "internal_introducer_furl": f"pb://{INTRODUCER.nodeid}@10.1.2.3:12345,127.0.0.1:12345/introducer",
    }
    return {key: value for key, value in {**whole, **changed}.items() if value is not None}


def secrets(**changed: Any) -> bytes:
    return (json.dumps(secrets_object(**changed)) + "\n").encode()


def config(*products: dict[str, Any]) -> bytes:
    """lae_automation_config.json; without products, the one that the customer bought."""
    default = {"full_name": "An invented product", "product_code": CODE, "product_token": PRODUCT_TOKEN}
    return json.dumps({"products": list(products) or [default]}).encode()


def request(
    when: str = STARTED_AT, key: str = KEY, code: str = CODE, name: str = "Ann", email: str = EMAIL, info: str = ""
) -> bytes:
    """A row of activation_requests.csv."""
    return f"{when},{key},{code},{name},{email},{info}\n".encode()


def result(
    outcome: str = "success",
    when: str = ENDED_AT,
    key: str = KEY,
    code: str = CODE,
    name: str = "Ann",
    email: str = EMAIL,
    info: str = "",
) -> bytes:
    """A row of signups.csv."""
    return f"{when},{outcome},{key},{code},{name},{email},{info}\n".encode()


def serverinfo(instance: str = INSTANCE, host: str = HOST, launched: str = LAUNCHED) -> bytes:
    """A row of serverinfo.csv."""
    return f"{ENDED_AT},{launched},{instance},{host}\n".encode()


def evidence(**changed: bytes | None) -> dict[str, bytes]:
    """The customer's whole folder; `log secrets requests results servers config` change it, None leaves out."""
    files: dict[str, tuple[str, bytes]] = {
        "log": (LOG_FILE, log()),
        "secrets": (f"secrets/{NAME}", secrets()),
        "requests": ("activation_requests.csv", request()),
        "results": ("signups.csv", result()),
        "servers": ("serverinfo.csv", serverinfo()),
        "config": ("lae_automation_config.json", config()),
    }
    assert set(changed) <= set(files), changed
    given = {path: changed.get(key, data) for key, (path, data) in files.items()}
    return {path: data for path, data in given.items() if data is not None}


def open_files(folder: Path, files: dict[str, bytes]) -> lf.Case:
    """The case of a folder of these files."""
    for path, data in files.items():
        target = folder / "evidence" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return lf.open_case(folder / "evidence")


def judged(case: lf.Case, key: str = BUCKET) -> CaseAccount:
    """The account of that name, as the case judged it."""
    return account_of(case.judgement.accounts, key, where="a test")


def revealed(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def signup_row(case: lf.Case, name: str = LOG_FILE) -> dict[str, Any]:
    """One row of `case.signups`, secrets in the clear."""
    (row,) = (r for r in case.signups.to_dict("records") if r["log_file"] == name)
    return {key: revealed(value) for key, value in row.items()}


def audit_row(case: lf.Case, account_id: str = BUCKET) -> dict[str, Any]:
    """One row of `case.audit`, secrets in the clear."""
    (row,) = (r for r in case.audit.to_dict("records") if r["account_id"] == account_id)
    return {key: revealed(value) for key, value in row.items()}


def codes(case: lf.Case, field: str | None = None) -> set[str]:
    """The codes of the findings (about a field)."""
    return {f.code for f in case.judgement.findings if field is None or f.field == field}


def fact(value: str, channel: str = OWN, field: str = "public_host", evidence: str = "a file", start: int = 0) -> Fact:
    return Fact(field, value, Locator(evidence, 1, start, start + len(value)), "a rule", channel)


def account(**given: Any) -> CaseAccount:
    """An account with everything known and proved, but for what is given."""
    whole = {
        "account_id": BUCKET,
        "is_attempt": False,
        "signups": [],
        "ready": True,
        "introducer_identity": "PROVED",
        "storage_identity": "PROVED",
        "furl_fits": True,
    }
    return CaseAccount(**{**whole, **given})


def values(log: ReadLog, channels: Iterable[str] = (OWN,)) -> dict[str, set[str]]:
    """The values of each field that were read in some channels."""
    found: dict[str, set[str]] = {}
    for f in log.facts:
        if f.channel in channels:
            found.setdefault(f.field, set()).add(f.value)
    return found


# -- the verbs, as typed (the fixture `typed` types them) ----------------------------------------------------

AUDIT = ("audit", "evidence", "--output", "out/m.parquet", "--key-file", "key/k")


def is_three_lines(err: str) -> bool:
    """What, where and what next, and no more."""
    lines = err.rstrip("\n").split("\n")
    return len(lines) == 3 and lines[0].startswith("laeforensics: ") and "where" in lines[1] and "next" in lines[2]
