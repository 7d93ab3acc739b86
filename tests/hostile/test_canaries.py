"""No secret of the evidence stands in any output: whole, in pieces, encoded or turned round."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import shutil
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pyarrow.parquet as pq
import pytest

import laeforensics as lf
from laeforensics import cli
from laeforensics.facts.fields import FIELDS
from laerecover.manifest import Secret

EVIDENCE = Path(__file__).resolve().parents[2] / "fixtures" / "evidence"
PIECE = 8
"""So long a piece of a secret is a leak."""
CODED = 14
"""So long a piece of a secret in hex or base64: shorter ones stand in hashes by chance."""

pytestmark = pytest.mark.thorough
HIDDEN_HEAD = ("{UserToken}", "{ProductToken}", "priv-v0-", "pb://")


def secret_values(case: lf.Case) -> set[str]:
    """Every secret that any witness tells, of internal furls (and the customers' own) the part that must be hidden."""
    found = set()
    for value, name in zip(case.facts.value, case.facts.field, strict=True):
        if isinstance(value, Secret):
            text = value.reveal()
            found.add(text.rpartition("/")[2] if "furl" in name else text)
    return found - {"introducer"}


def bodies(secret: str) -> list[str]:
    """The parts of a secret that tell anything: the lines of a private key, a token without its head."""
    for head in HIDDEN_HEAD:
        secret = secret.removeprefix(head)
    if "PRIVATE KEY" in secret:
        secret = secret.partition("PRIVATE KEY-----\n")[2].partition("\n-----END")[0]
    return [line for line in secret.split("\n") if len(line) >= PIECE]


def pieces(text: str, size: int = PIECE) -> set[str]:
    return {text[at : at + size] for at in range(len(text) - size + 1)}


def canaries(secrets: set[str]) -> set[str]:
    """Every piece of every secret, as it is, turned round, in base64, in hex, percent-encoded."""
    found: set[str] = set()
    for secret in secrets:
        for body in bodies(secret):
            raw = body.encode()
            found |= pieces(body) | pieces(body[::-1]) | pieces(raw.hex(), CODED)
            if quote(body, safe="") != body:
                found |= {p for p in pieces(quote(body, safe="")) if "%" in p}
            for shift in range(3):
                found |= pieces(base64.b64encode(raw[shift:]).decode().rstrip("=")[:-2], CODED)
    return found


def leaks(output: str, wanted: set[str]) -> set[str]:
    """The pieces of secrets that stand in an output, also where it breaks its lines."""
    joined = output.replace("\n", "")
    return set().union(*(pieces(text, size) for text in (output, joined) for size in {PIECE, CODED})) & wanted


def run(*arguments: object) -> str:
    """What a verb tells on both streams."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.suppress(SystemExit):
        cli.main([str(a) for a in arguments])
    return out.getvalue() + err.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("canaries")


@pytest.fixture(scope="module")
def damaged(place) -> Path:
    """The fixtures' evidence, of which some files are cut, torn or no JSON: errors and residue must not tell either."""
    folder = place / "damaged"
    shutil.copytree(EVIDENCE, folder)
    for number, path in enumerate(sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size)):
        data = path.read_bytes()
        where = (1 + number % 5) * len(data) // 6
        path.write_bytes(
            [data[:where], data[:where] + data[where + 50 :], data[:where] + b"\0" * 40 + data[where:]][number % 3]
        )
    return folder


@pytest.fixture(scope="module", params=["whole", "damaged"])
def folder(request, damaged) -> Path:
    return EVIDENCE if request.param == "whole" else damaged


@pytest.fixture(scope="module")
def wanted() -> set[str]:
    return canaries(secret_values(lf.open_case(EVIDENCE)))


def test_the_search_finds_what_it_is_given(wanted):
    """A secret key in a line, in hex, in base64 or turned round is found: the other tests can fail."""
    secret = next(v.reveal() for v in lf.open_case(EVIDENCE).signups.user_secret_key if v is not None)
    raw = secret.encode()
    for text in (
        secret,
        secret[::-1],
        raw.hex(),
        base64.b64encode(raw).decode(),
        base64.b64encode(b"a" + raw).decode(),
    ):
        assert leaks(f"what {text} tells", wanted)
    assert not leaks("nothing of interest, nothing at all that matters", wanted)


def test_no_verb_tells_a_secret(folder, place, wanted):
    """Every verb: both streams, every file that they leave unencrypted."""
    out = place / f"out-{folder.name}"
    case_folder = place / f"case-{folder.name}"
    common = (folder, "--case", case_folder)
    told = [
        run("audit", *common, "-o", out / "m.parquet", "--key-file", place / "keys" / "k", "--json"),
        run("audit", *common, "-o", out / "m.parquet", "--key-file", place / "keys" / "k"),
        run("extract", folder, "-o", out / "facts.jsonl"),
        run("extract", folder, "-o", out / "facts.parquet"),
        run("custody", *common, "--check"),
        run("custody", *common, "--json"),
        run("diff", out / "audit.parquet", out / "audit.parquet", "--json"),
        run("diff", out / "m.parquet", out / "audit.parquet"),
        run("audit", folder, "-o", folder / "inside.parquet"),
        run("grammars", "lint", "--json") if folder == EVIDENCE else "",
    ]
    case = lf.open_case(folder, folder=case_folder)
    for account in case.judgement.accounts:
        told.append(str(case.explain(account.account_id)) + case.explain(account.account_id)._repr_html_())
        for field in sorted(account.contested):
            for witness in (9, 1):
                told.append(run("decide", *common, account.account_id, field, "--witness", witness, "--because", "x"))
        told.append(run("explain", *common, account.account_id, "--json")) if account.contested else None
    told += [path.read_text("utf-8") for path in (out / "audit.html", out / "facts.jsonl", *case_folder.iterdir())]
    told += [page.read_text("utf-8") for page in (out / "audit.d").glob("*.html")]
    told += [run("list", *common, "--json"), run("list", *common, "--csv"), run("list", *common)]
    told += [run("show", folder, file.name) for file, _ in case.judgement.reading.files]
    told += [run("timeline", *common, account.account_id) for account in case.judgement.accounts]
    for name in ("audit.parquet", "facts.parquet"):
        told.append(json.dumps(pq.read_table(out / name).to_pylist(), default=str))
    told.append((out / "audit.parquet").read_bytes().decode("latin-1"))
    told.append((out / "m.parquet").read_bytes().decode("latin-1"))
    for number, text in enumerate(told):
        assert not leaks(text, wanted), f"output {number}"


def test_no_table_tells_a_secret(folder, place, wanted):
    """Every table as text, as HTML and as csv; the case, its card, its findings; their reprs."""
    case = lf.open_case(folder, folder=place / "none")
    tables = ("signups", "audit", "facts", "residue", "residue_kinds", "coverage", "findings", "calls")
    with pd.option_context("display.max_colwidth", None, "display.max_columns", None, "display.max_rows", None):
        for name in tables:
            frame = getattr(case, name)
            for text in (repr(frame), frame.to_html(), frame.to_csv()):
                assert not leaks(text, wanted), name
    told = case.judgement
    objects = (case, told, told.accounts, told.joined, told.reading, told.findings, told.mends, case.shopping_list())
    for thing in objects:
        assert not leaks(f"{thing!r} {thing!s}", wanted), type(thing)
    assert not leaks(case._repr_html_(), wanted)


def test_an_error_tells_no_secret(place, wanted):
    """A config, a monthly file, an inventory and a decisions file of secrets and rubbish.

    What is said of them holds none.
    """
    case = lf.open_case(EVIDENCE)
    secrets = sorted(secret_values(case))[:40]
    bad = place / "bad"
    shutil.copytree(EVIDENCE, bad)
    (bad / "lae_automation_config.json").write_text('{"products": [' + json.dumps(secrets)[:-3])
    (bad / "signups.csv").write_text("\n".join(secrets))
    rubbish = place / "rubbish.csv"
    rubbish.write_text("\n".join(secrets))
    folder = place / "bad.case"
    folder.mkdir()
    told = [run("audit", bad, "--case", folder, "-o", place / "b" / "m.parquet", "--product-tokens", rubbish)]
    told.append(run("audit", bad, "--case", folder, "-o", place / "b" / "m.parquet", "--inventory", rubbish))
    (folder / "decisions.jsonl").write_text("\n".join(secrets))
    told.append(run("audit", bad, "--case", folder, "-o", place / "b" / "m.parquet"))
    told.append((place / "b" / "audit.html").read_text("utf-8"))
    for number, text in enumerate(told):
        assert not leaks(text, wanted), f"output {number}"


def test_a_decision_and_an_explanation_tell_no_secret(place, wanted):
    """A contested secret key decided for good, explained before and after, as text and as JSON; what is kept of it."""
    folder, case_folder = place / "contested", place / "contested.case"
    shutil.copytree(EVIDENCE, folder)
    case = lf.open_case(folder, folder=case_folder)
    account = next(a for a in case.judgement.accounts if _secrets_file(a, folder))
    path = _secrets_file(account, folder)
    copy = folder / "copied" / "secrets" / path.name
    copy.parent.mkdir(parents=True)
    other = account.values["user_secret_key"][::-1]
    copy.write_text(path.read_text().replace(account.values["user_secret_key"], other))
    common = (folder, "--case", case_folder, account.account_id)
    told = [run("explain", *common), run("explain", *common, "--json")]
    decided = run("decide", common[0], *common[1:], "user_secret_key", "--witness", 1, "--because", "seen")
    assert "kept in" in decided
    told += [decided, run("explain", *common, "--json"), (case_folder / "decisions.jsonl").read_text()]
    assert '"user_secret_key"' in told[1]
    for number, text in enumerate(told):
        assert not leaks(text, wanted | canaries({other})), f"output {number}"


def _secrets_file(account, folder: Path) -> Path | None:
    """The account's filled DevPay secrets file, if its secret key stands in it."""
    key = account.values.get("user_secret_key")
    files = sorted((folder / "secrets").iterdir())
    return next((p for p in files if key and p.is_file() and key in p.read_text("latin-1")), None)


def test_every_secret_field_is_searched():
    """Each field that is secret has a value among those that are searched: none is forgotten."""
    case = lf.open_case(EVIDENCE)
    told = {name for name, value in zip(case.facts.field, case.facts.value, strict=True) if isinstance(value, Secret)}
    assert told == {name for name, field in FIELDS.items() if field.secret}
