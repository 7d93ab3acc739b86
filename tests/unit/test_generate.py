"""The writer of synthetic evidence: it must be deterministic, self-consistent and true to the streams' habits."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import random
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fixtures_generate", FIXTURES / "generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generate = _load()
from evidence_writer.people import quoted  # noqa: E402
from evidence_writer.signup import failures_of  # noqa: E402
from evidence_writer.streams import Fabric, LogFile, LoggingStream, Transcript, render  # noqa: E402

SIGNUP_DIALECTS = generate.SIGNUP_DIALECTS
CASES = [(dialect, None) for dialect in SIGNUP_DIALECTS]
CASES += [(dialect, fail_at) for dialect in SIGNUP_DIALECTS for fail_at in failures_of(dialect)]
STAGE_OF_FAILURE = {
    "activation": {"activating"},
    "verification": {"activated"},
    "bucket": {"bucket_creating"},
    "launch": {"deploying"},
    "addresses": {"instance_started"},
    "listen": {"address_known"},
    "install": {"installing"},
    "slip": {"installed"},
    "introducer": {"introducer_started"},
    "mail": {"settings_told"},
    "monitoring": {"settings_told", "mail_sent"},
}


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _signup(dialect: str, fail_at: str | None = None, seed: int = 1, **given):
    return generate.make_signup(random.Random(f"{dialect}{fail_at}{seed}"), dialect=dialect, fail_at=fail_at, **given)


@pytest.fixture(scope="module")
def showcase(tmp_path_factory) -> tuple[Path, list[dict]]:
    folder = tmp_path_factory.mktemp("showcase") / "evidence"
    return folder, generate.write_evidence(folder, seed=7, accounts=15)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> tuple[Path, list[dict]]:
    folder = tmp_path_factory.mktemp("corpus") / "evidence"
    names = list(generate.DIALECTS)
    return folder, generate.write_evidence(folder, seed=3, accounts=4 * len(names), dialects=names, noise="small")


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    """Two folders from one seed agree in every byte and in the truth; another seed gives others."""
    truths = [
        generate.write_evidence(tmp_path / name, seed=seed, accounts=6, noise="small")
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    ]
    assert _files(tmp_path / "a") == _files(tmp_path / "b")
    assert truths[0] == truths[1]
    assert _files(tmp_path / "a") != _files(tmp_path / "c")


def test_the_committed_folder_is_what_the_generator_writes(showcase):
    """fixtures/evidence and its truth are the output of `generate.py --seed 7 --accounts 15`, byte for byte."""
    folder, truth = showcase
    assert _files(folder) == _files(FIXTURES / "evidence")
    assert generate.truth_lines(truth) == (FIXTURES / "evidence.truth.jsonl").read_bytes()


def test_the_showcase_shows_every_verdict_and_grade(showcase):
    """The committed folder has at least one account of every verdict and of every grade, and three attempts."""
    _, truth = showcase
    accounts = [record for record in truth if record["kind"] == "account"]
    verdicts = Counter(record["verdict"] for record in accounts)
    assert verdicts == {"RECOVERABLE": 12, "CONTESTED": 1, "INCOMPLETE": 1, "UNFINISHED": 1}
    recoverable = Counter(record["grade"] for record in accounts if record["verdict"] == "RECOVERABLE")
    assert recoverable == {"IDENTITY_KEPT": 10, "NEW_FURL": 1, "NEW_STORAGE_IDENTITY": 1}
    assert sum(record["kind"] == "attempt" for record in truth) == 3
    assert sum(record["log_file"] is None for record in accounts) == 1
    logs = [record for record in truth if record["kind"] == "log"]
    assert Counter(record["role"] for record in logs) == {"origin": 14, "attempt": 3, "replacement": 1, "re-record": 1}
    assert {record["outcome"] for record in logs} == {"complete", "failed", "cut"}


def test_truth_is_never_laid_among_the_evidence(corpus):
    """No file of the folder holds a verdict or bears the name of the truth."""
    folder, _ = corpus
    for path, content in _files(folder).items():
        assert "truth" not in path
        assert b"RECOVERABLE" not in content


def test_tub_ids_are_the_hashes_of_the_certificates(corpus):
    """Every proved pem parses, its key fits, and the SHA-1 of its certificate is the node id and the furl's TubID."""
    _, truth = corpus
    seen = set()
    for record in truth:
        fields = record["fields"]
        for role in ("introducer", "server"):
            pem, nodeid = fields[f"{role}_node_pem"], fields[f"{role}_nodeid"]
            assert (pem is None) == (nodeid is None) or f"{role}_nodeid" in record["unsure"]
            if pem is None or pem in seen:
                continue
            seen.add(pem)
            certificate = x509.load_pem_x509_certificate(pem.encode())
            der = certificate.public_bytes(serialization.Encoding.DER)
            key = serialization.load_pem_private_key(pem[pem.index("-----BEGIN RSA") :].encode(), None)
            assert base64.b32encode(hashlib.sha1(der).digest()).decode().lower() == nodeid
            assert key.public_key().public_numbers() == certificate.public_key().public_numbers()
            if role == "introducer" and record.get("role") == "origin":
                assert fields["introducer_furl"].startswith(f"pb://{nodeid}@{fields['public_host']}:12345/")
    assert len(seen) > 60


def test_no_two_accounts_share_a_certificate(corpus):
    """However small the pool of keys, every account has node ids of its own."""
    _, truth = corpus
    ids = [
        r["fields"][name] for r in truth if r["kind"] == "account" for name in ("introducer_nodeid", "server_nodeid")
    ]
    known = [value for value in ids if value]
    assert len(known) == len(set(known))


def _occurs(name: str, value: str, evidence: bytes) -> bool:
    spellings = [value, quoted(value), json.dumps(value)[1:-1], value.lower()]
    return any(spelling.encode() in evidence for spelling in spellings)


def test_every_truth_value_stands_in_the_evidence(corpus, showcase):
    """A value that must be found is there to be found, as printed, quoted or escaped (or line by line, a pem)."""
    for folder, truth in (corpus, showcase):
        evidence = b"\n".join(_files(folder).values())
        for record in truth:
            for name, value in record["fields"].items():
                assert value != "", (record["kind"], name)
                if value is None:
                    continue
                parts = value.split("\n") if name.endswith("_pem") else [value]
                assert all(_occurs(name, part, evidence) for part in parts), (record["log_file"], name)


def test_what_must_be_none_stands_nowhere_it_would_count(corpus):
    """The credentials that a damaged log lost are gone from all its companions too."""
    folder, truth = corpus
    incomplete = [r for r in truth if r["kind"] == "account" and r["verdict"] == "INCOMPLETE"]
    assert incomplete
    for record in incomplete:
        log = (folder / record["log_file"]).read_bytes()
        assert b"\0" in log
        assert b"\nsecret_key = " not in log
        assert not (folder / "secrets" / Path(record["log_file"]).name).exists()


def test_a_prefix_stands_before_every_write_not_before_every_line():
    """A print is two writes: its text, however many lines, has one prefix, its newline has another."""
    log = LogFile()
    stream = LoggingStream(log, b">")
    stream.print("one\ntwo")
    stream.print("\nthree\n")
    assert log.getvalue() == b">one\ntwo>\n>\nthree\n>\n"


def test_the_settings_block_has_the_prefixes_of_one_print():
    """The block for tahoe.cfg is a line with a prefix, plain lines, an empty line, and a line with a prefix."""
    log = _signup("d06").log_bytes
    block = log[log.index(b">\nThe settings") :].split(b"\n>\n")[0].split(b"\n")
    assert block[:4] == [b">", b"The settings for your gateway's tahoe.cfg are:", b"", b"[client]"]
    assert not [line for line in block[1:] if line.startswith(b">")]


def test_the_oldest_dialect_has_a_hyphen_before_every_byte_of_remote_output():
    """In x00 the stderr prefix is a hyphen, and fabric writes byte by byte."""
    signup = _signup("x00")
    host = signup.truth["fields"]["public_host"].encode()
    assert b"\n-[ubuntu@" + host + b"] run: whoami-\n" in signup.log_bytes
    assert b"\n-[ubuntu@" + host + b"] out: -u-b-u-n-t-u-\n" in signup.log_bytes
    assert b"\n-access_key_id = '" in signup.log_bytes
    assert b"\nsecret_key = '" in signup.log_bytes
    assert signup.log_bytes.startswith(b">Automation script started.>\n-On separate lines: ")


@pytest.mark.parametrize(
    ("modern", "expected"),
    [
        (False, b"P \nP a\n\nP b\rP c\n"),
        (True, b"P \nP a\nP \nP b\rP c\nP \n"),
    ],
)
def test_remote_output_is_rendered_in_the_manner_of_the_fabric_version(modern, expected):
    """Old fabric swallows the prefix of an empty line, but of the first; new fabric adds one after the output."""
    assert render(b"P ", b"\na\n\nb\rc\n", modern=modern) == expected


def test_a_command_without_output_leaves_no_empty_line(corpus):
    """The empty line belongs to the output, not to the command."""
    when = _signup("d04").ended
    transcript = Transcript(when)
    fabric = Fabric(transcript, "192.0.2.9", modern=True)
    fabric.sudo("mkdir -p x")
    fabric.run("ubuntu", "whoami", b"ubuntu\n")
    told = transcript.log.getvalue().decode().split("\n")
    assert told == [
        "[ubuntu@192.0.2.9] sudo: mkdir -p x",
        "[ubuntu@192.0.2.9] run: whoami",
        "[ubuntu@192.0.2.9] out: ubuntu",
        "[ubuntu@192.0.2.9] out: ",
        "",
        "",
    ]


def test_a_throw_away_furl_is_the_logs_but_not_the_accounts(showcase):
    """A replacement that told a new furl before it restored the old key leaves the account its old furl."""
    _, truth = showcase
    replacement = next(record for record in truth if record.get("role") == "replacement")
    bucket, told = replacement["fields"]["bucket_name"], replacement["fields"]["introducer_furl"]
    account = next(record for record in truth if record.get("account_id") == bucket)
    assert told.split("@")[0] != f"pb://{replacement['fields']['introducer_nodeid']}"
    assert account["fields"]["introducer_furl"].startswith(f"pb://{account['fields']['introducer_nodeid']}@")
    assert account["fields"]["instance_id"] == replacement["fields"]["instance_id"]
    assert (account["verdict"], account["grade"]) == ("RECOVERABLE", "IDENTITY_KEPT")


def test_a_re_record_tells_its_values_in_remote_output_only(showcase):
    """Every credential of a re-record stands behind a remote prefix, and no customer is named."""
    folder, truth = showcase
    record = next(record for record in truth if record.get("role") == "re-record")
    log = (folder / record["log_file"]).read_bytes()
    assert b"] out: " + record["fields"]["user_secret_key"].encode() + b"\n" in log
    assert b"@example" not in log
    assert record["fields"]["customer_email"] is None
    assert log.startswith(b">Reading secrets...>\n")


@pytest.mark.parametrize(("dialect", "fail_at"), CASES)
def test_every_dialect_and_every_failure_ends_at_its_stage(dialect, fail_at):
    """A signup ends where it was told to, with the outcome, the role and the secrets file that go with it."""
    signup = _signup(dialect, fail_at)
    truth, habits = signup.truth, generate.DIALECTS[dialect]
    assert truth["dialect"] == dialect
    assert (truth["outcome"] == "failed") == bool(fail_at or habits.dies)
    if fail_at:
        assert truth["stage"] in STAGE_OF_FAILURE[fail_at]
    elif not habits.dies:
        assert truth["stage"] == ("mail_sent" if habits.email_told else "settings_told")
    attempt = fail_at in ("activation", "verification", "bucket")
    assert truth["role"] == ("attempt" if attempt else "origin")
    assert (signup.secrets_bytes is None) == (habits.secrets == "none")
    if signup.secrets_bytes is not None:
        reached = generate.STAGES.index(truth["stage"]) >= generate.STAGES.index("servers_running")
        assert bool(signup.secrets_bytes) == reached
    if fail_at and habits.failure == "silent":
        assert b"Failure" not in signup.log_bytes
    if fail_at and habits.failure in ("dump", "twice"):
        dumps = signup.log_bytes.count(b"\n[Failure instance: Traceback")
        assert dumps == (2 if habits.failure == "twice" else 1)
        last = b">TypeError: " if fail_at == "slip" else b"\n>"
        assert last in b"\n" + b"\n".join(signup.log_bytes.splitlines()[-2:])
        assert signup.log_bytes.endswith(b">\n")


def test_a_swallowed_failure_leaves_a_success_row():
    """For an hour in February 2012 a failed signup was recorded as a success."""
    signup = _signup("x03", "install")
    assert b",success," in signup.csv_rows["signups.csv"][0]
    assert signup.account["verdict"] == "UNFINISHED"


def test_logs_are_as_long_as_they_were():
    """A complete log with real noise has 40 to 250 kB, with small noise less than a quarter of that."""
    sizes = [len(_signup("d07", seed=seed, noise="real").log_bytes) for seed in range(12)]
    assert 40_000 < min(sizes) <= max(sizes) < 250_000
    assert len(_signup("d07").log_bytes) < 40_000


def test_an_impossible_failure_is_refused():
    """A signup of the first days cannot fail at an e-mail that it does not send."""
    with pytest.raises(ValueError, match="cannot fail at mail"):
        _signup("d01", "mail")


def test_a_loss_that_the_log_cannot_have_is_refused():
    """Credentials that were never printed cannot be lost."""
    with pytest.raises(ValueError, match="no credentials to lose"):
        _signup("d06", "activation", lost="credentials")


def test_the_command_line_writes_the_folder_and_the_truth_beside_it(tmp_path, capsys):
    """generate.py writes OUTPUT and OUTPUT.truth.jsonl, and refuses to replace a folder without --force."""
    arguments = ["--seed", "2", "--accounts", "2", "--output", str(tmp_path / "e"), "--dialects", "d02,d06"]
    assert generate.main([*arguments, "--noise", "small"]) == 0
    records = [json.loads(line) for line in (tmp_path / "e.truth.jsonl").read_text().splitlines()]
    assert {record["dialect"] for record in records if record["kind"] == "log"} <= {"d02", "d06"}
    with pytest.raises(SystemExit):
        generate.main(arguments)
    assert "--force" in capsys.readouterr().err
