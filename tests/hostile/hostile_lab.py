"""A laboratory for evidence that lies or is broken: folders in memory, and the oracle of what may be said of them.

The oracle is one sentence: a value is None, or it is the truth of that very log. `Judged.recall` counts what was found
of what stands in the evidence, so that a reader that says nothing does not pass for a careful one.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import laeforensics as lf
from laeforensics.present import pages
from laerecover.manifest import Secret

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
if str(FIXTURES) not in sys.path:
    sys.path.insert(0, str(FIXTURES))

from evidence_writer import KeyPool, config_files, make_signup  # noqa: E402  its folder is put on the path first
from evidence_writer.folder import CSV_FILES  # noqa: E402  its folder is put on the path first
from evidence_writer.records import Run  # noqa: E402  its folder is put on the path first
from evidence_writer.signup import Signup  # noqa: E402  its folder is put on the path first

FIELDS = [
    "bucket_name",
    "user_access_key_id",
    "user_secret_key",
    "user_token",
    "product_token",
    "product_code",
    "customer_email",
    "customer_name",
    "customer_keyinfo",
    "instance_id",
    "launch_time",
    "public_host",
    "private_host",
    "introducer_furl",
    "activation_key",
    "ami_image_id",
    "instance_size",
    "introducer_node_pem",
    "introducer_nodeid",
    "server_node_pem",
    "server_nodeid",
    "server_node_privkey",
]
# What nothing but the log itself can tell when csv, secrets and config are left out.
OF_THE_LOG = [
    "bucket_name",
    "user_access_key_id",
    "user_secret_key",
    "user_token",
    "product_code",
    "instance_id",
    "launch_time",
    "public_host",
    "introducer_furl",
    "activation_key",
    "ami_image_id",
    "instance_size",
]


@cache
def keys() -> KeyPool:
    """The committed key pool, read once."""
    return KeyPool.load()


@cache
def signup(dialect: str = "d06", seed: int = 1, **given: Any) -> Signup:
    """One small signup of a dialect; the same arguments give the same bytes."""
    return make_signup(random.Random(f"{dialect}/{seed}/{given}"), dialect=dialect, keys=keys(), number=seed, **given)


def revealed(value: Any) -> Any:
    """A cell's plain value."""
    return value.reveal() if isinstance(value, Secret) else value


@dataclass
class Judged:
    """What a case says of a folder, held against the truth."""

    case: Any
    wrong: list[str]
    found: int
    known: int
    lost: list[str]
    rows: dict[str, dict[str, Any]]
    accounts: dict[str, dict[str, Any]]

    @property
    def recall(self) -> float:
        """The share of the true values that were found."""
        return self.found / self.known if self.known else 1.0

    def findings(self) -> set[str]:
        """The codes of all findings."""
        return set(self.case.findings["code"])


@dataclass
class Lab:
    """An evidence folder in memory: its files, and the truth of each log by path and of each account by bucket."""

    files: dict[str, bytes] = field(default_factory=dict)
    truth: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, *runs: Run, csv: bool = True, secrets: bool = True, config: bool = True) -> Lab:
        """A sound folder of these runs; `csv`, `secrets`, `config` False leave those files out (the truth stays)."""
        lab = cls()
        rows: dict[str, list[bytes]] = {name: [] for name in CSV_FILES}
        for run in runs:
            lab.files.update({n: b for n, b in run.files().items() if secrets or not n.startswith("secrets/20")})
            lab.truth[run.log_file] = run.truth["fields"]
            if isinstance(run, Signup):
                lab.accounts[run.account["account_id"]] = run.account["fields"]
            for name, lines in run.csv_rows.items():
                rows[name] += lines
        if csv:
            lab.files.update({name: b"".join(sorted(lines)) for name, lines in rows.items()})
        if config:
            lab.files["lae_automation_config.json"] = config_files()["lae_automation_config.json"]
        return lab

    def edit(self, name: str, change: Callable[[bytes], bytes]) -> Lab:
        """Change one file's bytes; it must be there, and the change must change something."""
        before = self.files[name]
        self.files[name] = change(before)
        assert self.files[name] != before, f"the trick left {name} as it was"
        return self

    def rename(self, old: str, new: str) -> Lab:
        """Give a file another name; a log takes its truth along."""
        self.files[new] = self.files.pop(old)
        if old in self.truth:
            self.truth[new] = self.truth.pop(old)
        return self

    def write(self, folder: Path) -> Path:
        """Lay the files down."""
        for name, content in self.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return folder

    def judge(self, folder: Path, *, look: bool = False) -> Judged:
        """Write the folder, read it as a case, hold signups and audit against the truth; `look` at all pages too."""
        judged = judge(self.write(folder), self.truth, self.accounts)
        if look:
            look_at_everything(judged.case)
        return judged


def judge(folder: Path, truth: dict[str, dict[str, Any]], accounts: dict[str, dict[str, Any]]) -> Judged:
    """Open `folder` and compare every cell of `signups` and `audit` with the truth."""
    case = lf.open_case(folder)
    judged = Judged(case, [], 0, 0, [], {}, {})
    for row in case.signups.to_dict("records"):
        name = row["log_file"]
        judged.rows[name] = {key: revealed(value) for key, value in row.items()}
        _compare(judged, f"signups {name}", judged.rows[name], truth.get(name, {}), counted=True)
    for row in case.audit.to_dict("records"):
        account = row["account_id"]
        judged.accounts[account] = {key: revealed(value) for key, value in row.items()}
        if not account.startswith("attempt:"):
            if account not in accounts:
                judged.wrong.append(f"audit: an account {account} that never was")
            _compare(judged, f"audit {account}", judged.accounts[account], accounts.get(account, {}), counted=False)
    return judged


def _compare(judged: Judged, where: str, said: dict[str, Any], true: dict[str, Any], *, counted: bool) -> None:
    for name in FIELDS:
        value, expected = said[name], true.get(name)
        if value is not None and value != expected:
            judged.wrong.append(f"{where}: {name} = {value!r:.90}, truth {expected!r:.90}")
        if counted and expected is not None:
            judged.known += 1
            judged.found += value == expected
            if value is None:
                judged.lost.append(name)


def look_at_everything(case: Any) -> None:
    """Make every table, card, page and explanation: none may fail, and no control character may reach a terminal."""

    for table in (case.facts, case.residue, case.coverage, case.findings):
        assert {str(dtype) for dtype in table.dtypes} <= {"object"}
    texts = [repr(case)]
    for account in case.judgement.accounts:
        with contextlib.suppress(lf.UnknownKey):  # two attempts may share a key; that is said, not raised to people
            texts.append(str(case.explain(account.account_id)))
    for text in texts:
        rude = {c for c in text if c != "\n" and not c.isprintable() and c != "\u00a0"}
        assert not rude, f"control or formatting characters on the terminal: {rude!r}"
    page = pages.page(case.judgement)
    # One script, the page's own, which is let in by its hash.
    assert page.lower().count("<script") == 1 and "javascript:" not in page.lower()


def is_subset(said: dict[str, Any], true: dict[str, Any], names: Iterable[str] = FIELDS) -> list[str]:
    """The fields in which `said` is neither None nor the truth."""
    return [name for name in names if said[name] is not None and said[name] != true.get(name)]


def spread(folder: Path, run: Run, variants: dict[str, bytes], *, whole: bool = False, **given: bool) -> Judged:
    """Many damaged copies of one log, each in a folder of its own, judged in one case (which is quicker by far).

    `whole` lays secrets, csv files and config beside them. Row and complaint of a copy begin with its label.
    """
    lab = Lab.of(run, **given) if whole else Lab.of(run, csv=False, secrets=False, config=False)
    fields = lab.truth.pop(run.log_file)
    folders = (
        run.log_file.rsplit("/", 2)[-2:] if run.log_file.startswith("signup_logs") else run.log_file.split("/")[2:]
    )
    companions = {n.rsplit("/", 1)[1]: b for n, b in lab.files.items() if whole and n.startswith("secrets/S4")}
    for name in [n for n in lab.files if n == run.log_file or n.startswith("secrets/S4")]:
        del lab.files[name]
    for label, data in variants.items():
        name = "/".join([label, *folders])
        lab.files[name], lab.truth[name] = data, fields
        for base, content in companions.items():
            if base != "signup_logs":
                lab.files[f"{name.rpartition('/')[0]}/{base}"] = content
    return lab.judge(folder)


# -- ways to lie and to break ------------------------------------------------------------------------------


def after_line(containing: bytes, *lines: bytes) -> Callable[[bytes], bytes]:
    """Put whole lines behind the first line that contains `containing`."""

    def change(data: bytes) -> bytes:
        at = data.index(b"\n", data.index(containing)) + 1
        return data[:at] + b"".join(line + b"\n" for line in lines) + data[at:]

    return change


def relayed(host: str, *lines: bytes, user: str = "customer") -> list[bytes]:
    """Lines as fabric relays them from a host; a carriage return starts a new prefix, as fabric does it."""
    prefix = f"[{user}@{host}] out: ".encode()
    return [prefix + line.replace(b"\r", b"\r" + prefix) for line in lines]


def replaced(old: bytes, new: bytes, count: int = -1) -> Callable[[bytes], bytes]:
    """Replace bytes that must be there."""

    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, count)

    return change


ENCODINGS = {
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "bom": lambda data: b"\xef\xbb\xbf" + data,
    "crlf and bom": lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"),
    "utf-16 little": lambda data: b"\xff\xfe" + data.decode("latin-1").encode("utf-16-le"),
    "utf-16 big": lambda data: b"\xfe\xff" + data.decode("latin-1").encode("utf-16-be"),
    "utf-16 of utf-8": lambda data: data.decode("utf-8", "replace").encode("utf-16"),
    "nul tail": lambda data: data + b"\0" * 4096,
    "nul head": lambda data: b"\0" * 512 + data,
    "newlines after": lambda data: data + b"\n" * 300,
    "twice": lambda data: data + data,
}
