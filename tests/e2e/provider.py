"""The provider's side before the disaster: what its signup wrote down of a server that really ran."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from evidence_writer.certificates import NodeIdentity, default_pool
from evidence_writer.dialects import DIALECTS
from evidence_writer.fullsignup import FullSignup
from evidence_writer.noise import Noise
from evidence_writer.people import Customer, quoted
from evidence_writer.products import LAE_ACCESS_KEY_ID, LAE_SECRET_KEY, Product, config_files, products_of
from evidence_writer.records import csv_row, secrets_document
from evidence_writer.server import Server
from evidence_writer.signup import Signup
from evidence_writer.stripe import make_stripe_signup

DIALECT = DIALECTS["d06"]
"""The dialect that the HOWTO describes."""


@dataclass(frozen=True, kw_only=True)
class RealServer:
    """What was read back from a running host."""

    instance_id: str
    public_host: str
    private_address: str
    introducer_pem: str
    introducer_nodeid: str
    swissnum: str
    server_pem: str
    server_nodeid: str
    node_privkey: str


class SignupPapers:
    """One customer's signup: its names and keys are drawn first, its papers are written when the server runs."""

    def __init__(self, number: int, customer: Customer, when: datetime) -> None:
        rng = random.Random(f"story {number}")
        self.customer, self.product = customer, _product(when)
        self._run = FullSignup(
            rng=rng,
            dialect=DIALECT,
            fail_at=None,
            customer=customer,
            product=self.product,
            started=when,
            noise=Noise(rng, "small"),
            keys=default_pool(),
            number=number,
        )

    @property
    def bucket_name(self) -> str:
        return self._run.bucket

    @property
    def log_name(self) -> str:
        return self._run.name

    @property
    def credentials(self) -> tuple[str, str, str, str]:
        """Access key id, secret key, user token, product token."""
        run = self._run
        return run.access_key_id, run.secret_key, run.user_token, self.product.token

    def write(self, folder: Path, server: RealServer, *, secrets: bool = True, cut_before_keys: bool = False) -> None:
        """Lay log, secrets file and csv rows below `folder`, as far as they survived."""
        run = self._run
        run.server = _told(run.server, server)
        run.write()
        log = run.t.log.getvalue()
        if cut_before_keys:
            log = log[: log.index(b"cat /home/customer/introducer/private/node.pem")]
        _put(folder / "signup_logs" / run.name, log)
        if secrets:
            document = secrets_document(DIALECT.secrets, run.server, run.bucket, self.credentials)
            _put(folder / "secrets" / run.name, (json.dumps(document) + "\n").encode("ascii"))
        who = [quoted(text) for text in (self.customer.name, self.customer.email, self.customer.keyinfo)]
        about = (run.activation_key, self.product.code)
        _add(folder / "devpay_completions.csv", csv_row(run.started - timedelta(seconds=60), *about))
        _add(folder / "activation_requests.csv", csv_row(run.started, *about, *who))
        _add(folder / "signups.csv", csv_row(run.t.now, "success", *about, *who))
        _add(folder / "serverinfo.csv", (run.recorded or "").encode("ascii"))


class S4Papers:
    """The same of a customer of the S4 era: log, secrets and stripe file in one folder; the provider's own keys."""

    def __init__(self, number: int, customer: Customer, when: datetime) -> None:
        self.customer, self._number, self._when = customer, number, when
        self._drawn = self._signup(lambda drawn: drawn)

    def _signup(self, on: Callable[[Server], Server]) -> Signup:
        """The same at each call but for its server."""
        rng = random.Random(f"story {self._number}")
        return make_stripe_signup(rng, number=self._number, customer=self.customer, when=self._when, on=on)

    @property
    def bucket_name(self) -> str:
        return str(self._drawn.account["account_id"])

    @property
    def credentials(self) -> tuple[str, str, str, str]:
        """Access key id and secret key; there are no tokens."""
        return LAE_ACCESS_KEY_ID, LAE_SECRET_KEY, "", ""

    def write(self, folder: Path, server: RealServer, *, secrets: bool = True, cut_before_keys: bool = False) -> None:
        """Lay the three files and the row of the server below `folder`."""
        assert secrets and not cut_before_keys, "all papers of this kind survive"
        signup = self._signup(lambda drawn: _told(drawn, server))
        _put(folder / signup.truth["log_file"], signup.log_bytes)
        for path, content in signup.paths.items():
            _put(folder / path, content)
        for row in signup.csv_rows["serverinfo.csv"]:
            _add(folder / "serverinfo.csv", row)


def write_config(folder: Path) -> None:
    """The configurations of both eras."""
    for path, content in config_files().items():
        _put(folder / path, content)


def _product(when: datetime) -> Product:
    return products_of(when)[0]


def _told(drawn: Server, real: RealServer) -> Server:
    return replace(
        drawn,
        instance_id=real.instance_id,
        public_host=real.public_host,
        private_address=real.private_address,
        introducer=NodeIdentity(pem=real.introducer_pem.rstrip("\n"), nodeid=real.introducer_nodeid),
        storage=NodeIdentity(pem=real.server_pem.rstrip("\n"), nodeid=real.server_nodeid),
        node_privkey=real.node_privkey.rstrip("\n"),
        swissnum=real.swissnum,
    )


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _add(path: Path, row: bytes) -> None:
    with path.open("ab") as file:
        file.write(row)
