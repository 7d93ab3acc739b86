"""A dialect with one new value is grammar, meanings, samples and one row in the table of fields, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from makings import ACCESS_KEY_ID, BUCKET, EMAIL, PARTS, evidence, log, open_files

from laerecover import manifest

ROOT = Path(__file__).resolve().parents[3]
VPC = "vpc-0a1b2c3d"
OF_THE_VPC = PARTS["deployment"].replace("bucket_name = ", f"vpc_id = '{VPC}'\nbucket_name = ")

Edit = tuple[str, str, str]
"""A file, the text after which something is written, what is written."""

SHAPE: tuple[Edit, ...] = (
    ("grammars/signup_log.lark", "(DEPLOYMENT_OTHER | AMI_IMAGE_ID | INSTANCE_SIZE ", "| VPC_ID "),
    ("grammars/signup_log.lark", "INSTANCE_SIZE.9: /instance_size = / REPR\n", "VPC_ID.9: /vpc_id = / REPR\n"),
)
DAMAGED: Edit = ("grammars/signup_log.lark", "|ami_image_id|instance_size", "|vpc_id")
MEANING: Edit = (
    "grammars/signup_log.toml",
    '[terminals.INSTANCE_SIZE]\nfield = "instance_size"\nkeys = ["instance_size"]\nblocks = ["deployment"]\n'
    'print = "deployment"\n',
    '[terminals.VPC_ID]\nfield = "vpc_id"\nkeys = ["vpc_id"]\nblocks = ["deployment"]\nprint = "deployment"\n'
    'marks = { "" = "vpc" }\n',
)
ORDER: tuple[Edit, ...] = (
    ("grammars/signup_log.toml", 'keys = ["endpoint_uri", "ami_image_id", "instance_size", ', '"vpc_id", '),
    ("grammars/signup_log.toml", 'not_always = ["instance_name"', ', "vpc_id"'),
)
OF_NO_PRINT: Edit = (*MEANING[:2], MEANING[2].replace('print = "deployment"\n', ""))
OF_ANOTHER_BLOCK: Edit = (*MEANING[:2], MEANING[2].replace('blocks = ["deployment"]', 'blocks = ["instance"]'))
LABEL: Edit = ("grammars/dialects.toml", "", '[[dialect]]\nlabel = "d15"\nmarked = ["vpc"]\n\n')
SAMPLE: Edit = (
    "grammars/signup_log.samples.toml",
    'last_resorts = ["OTHER", "MALFORMED"]\n',
    f"""
[[sample]]
name = "a deployment in a network of its own"
rule = "deployment"
facts = {{ ami_image_id = "ami-0a1b2c3d", instance_size = "t1.micro", vpc_id = "{VPC}", bucket_name = "{BUCKET}",\
 customer_email = "{EMAIL}" }}
text = '''
{OF_THE_VPC.rstrip()}
'''

[[sample]]
name = "the network without its announcement"
rule = "stray"
facts = {{ vpc_id = "{VPC}" }}
text = '''
vpc_id = '{VPC}'
'''
""",
)
FIELD: Edit = (
    "facts/fields.py",
    '    ("public_host", SERVER, _PUBLIC_HOST),\n',
    '    ("vpc_id", SERVER, r"vpc-[0-9a-f]{8}"),\n',
)
STRAY: Edit = ("grammars/signup_log.lark", "stray: ", "VPC_ID | ")
DIALECT = (*SHAPE, DAMAGED, STRAY, MEANING, *ORDER, LABEL, SAMPLE, FIELD)


SHELL = "import laeforensics.cli; laeforensics.cli.main()"
AUDIT = """
import sys
import laeforensics as lf
print(lf.open_case(sys.argv[1]).audit.to_json(orient="records", default_handler=str))
"""


@dataclass
class Copy:
    """A copy of laeforensics that can be changed."""

    folder: Path

    def change(self, *edits: Edit) -> Copy:
        for name, after, more in edits:
            path = self.folder / "laeforensics" / name
            text = path.read_text("utf-8")
            assert text.count(after) == 1 or not after, (name, after)
            path.write_text(text.replace(after, after + more, 1), "utf-8")
        return self

    def run(self, *arguments: str | Path, program: str = SHELL) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        return subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=self.folder,
        )  # fmt: skip

    def lint(self) -> list[str]:
        told = self.run("grammars", "lint", "--json")
        problems = [f"{p['where']}: {p['what']}" for p in json.loads(told.stdout)]
        assert told.returncode == (1 if problems else 0), told.stderr
        return problems


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "copy" / "laeforensics"
    unwritten = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "laeforensics", folder, ignore=unwritten)
    shutil.copytree(ROOT / "grammars", folder / "grammars", ignore=unwritten)
    return Copy(folder.parent)


@pytest.fixture
def root(tmp_path):
    """The evidence of one customer whose log is of the invented dialect."""
    return open_files(tmp_path, evidence(log=log(deployment=OF_THE_VPC))).root


def test_the_value_reaches_audit_explanation_and_extraction(copy, root, tmp_path):
    """Nothing but data and one row is changed: it is a column, is explained, is extracted; nothing else is lost."""
    copy.change(*DIALECT)
    assert copy.lint() == []
    (row,) = json.loads(copy.run(root, program=AUDIT).stdout)
    assert (row["account_id"], row["verdict"], row["vpc_id"]) == (BUCKET, "RECOVERABLE", VPC)
    told = copy.run("explain", root, BUCKET, "--case", tmp_path / "case", "--field", "vpc_id").stdout
    assert VPC in told
    assert "1 of 1 witnesses agree" in told
    copy.run("extract", root, "--output", tmp_path / "facts.jsonl", "--case", tmp_path / "case")
    facts = [json.loads(line) for line in (tmp_path / "facts.jsonl").read_text("utf-8").splitlines()]
    found = {fact["field"]: fact for fact in facts if fact["evidence"].startswith("signup_logs/")}
    assert (found["vpc_id"]["value"], found["vpc_id"]["channel"], found["vpc_id"]["dialect"]) == (VPC, "own", "d15")
    assert found["instance_size"]["channel"] == found["ami_image_id"]["channel"] == "own"


def test_the_manifest_stays_what_it_is(copy, root, tmp_path):
    """Its schema changes by a new version alone: this software reads what the copy wrote, with its digest."""
    copy.change(*DIALECT)
    path, key = tmp_path / "manifest.parquet", tmp_path / "key" / "manifest.key"
    told = copy.run("audit", root, "--case", tmp_path / "case", "--key-file", key, "--output", path)
    assert told.returncode == 0, told.stderr
    written = manifest.read_manifest(path, key_file=key)
    (account,) = written.recoverable
    assert (account.user_access_key_id, account.instance_size) == (ACCESS_KEY_ID, "t1.micro")
    assert set(account.provenance) <= set(manifest.FIELDS)
    assert manifest.content_digest(written.accounts, evidence_digest=written.evidence_digest) == written.digest


@pytest.mark.parametrize(
    ("left_out", "problem"),
    [
        ((MEANING,), "VPC_ID: is a terminal whose meaning is not told"),
        (ORDER, "instance_size = 'cut' was doubted"),
        (ORDER[1:], "a deployment that names the customer: instance_size = 'cut' was doubted"),
        ((DAMAGED,), "VPC_ID: is not known by its key vpc_id where its line is damaged: see MALFORMED"),
        ((SAMPLE,), "VPC_ID: is a terminal that no sample hits"),
        ((FIELD,), "vpc_id: is no field of the table of fields"),
    ],
    ids=["meaning", "order", "left out by older dialects", "damaged line", "samples", "field"],
)
def test_the_lint_tells_what_is_forgotten(copy, left_out, problem):
    """Above all it tells where the new line changes how another one is read."""
    problems = copy.change(*(edit for edit in DIALECT if edit not in left_out)).lint()
    assert any(problem in told for told in problems), problems


@pytest.mark.parametrize(
    ("meaning", "problem"),
    [
        (OF_NO_PRINT, "VPC_ID: is a line of deployment, and not of the print deployment"),
        (OF_ANOTHER_BLOCK, "VPC_ID: is a line of deployment, and not of the block deployment"),
    ],
    ids=["print", "block"],
)
def test_the_lint_tells_what_stands_with_another_rule(copy, meaning, problem):
    """No sample shows it: only where a line of the block is lost would the value be read otherwise."""
    edits = [meaning if edit is MEANING else edit for edit in DIALECT]
    assert problem in copy.change(*edits).lint()


def test_a_grammar_that_cannot_be_compiled_is_told(copy):
    """A slip in an expression is a problem of the grammar, without a traceback."""
    slip = ("grammars/signup_log.lark", "INSTANCE_SIZE.9: /instance_size = / REPR\n", "VPC_ID.9: /vpc_id = (/ REPR\n")
    (told,) = copy.change(SHAPE[0], slip).lint()
    assert told.startswith("the grammar: cannot be compiled")


def test_a_word_that_nobody_knows_is_told(copy):
    """A slip in a table is said with its file, without a traceback."""
    table = "grammars/signup_log.toml"
    told = copy.change((table, "[terminals.ACTIVATING]\n", 'feild = "activation_key"\n')).run("grammars", "lint")
    assert told.returncode not in (0, 1)
    assert table in told.stderr
    assert "feild" in told.stderr
    assert "Traceback" not in told.stderr
