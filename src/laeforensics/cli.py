"""The shell of laeforensics: the library's verbs with the library's names."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from laeforensics import shell

app = typer.Typer(
    name="laeforensics",
    help="From the evidence that signups left behind to audited accounts. The evidence is never written to.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

grammars = typer.Typer(help="The grammars that the evidence is read with, and their samples.", no_args_is_help=True)
app.add_typer(grammars, name="grammars")

Evidence = Annotated[
    list[Path],
    typer.Argument(
        metavar="EVIDENCE",
        help="the folder that holds signup_logs/, secrets/, the csv files and the config, or a .tar.* or .zip of it; "
        "several are read as one case",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="for machines: JSON on stdout, people's text on stderr")]
Jobs = Annotated[int, typer.Option(min=1, help="so many processes parse; the result is the same")]
CaseFolder = Annotated[
    Path | None,
    typer.Option("--case", help="where custody and decisions of the case are kept; default EVIDENCE.case/ beside it"),
]
Inventory = Annotated[Path | None, typer.Option(help="a saved DescribeInstances answer: which old servers still run")]


ProductTokens = Annotated[Path | None, typer.Option(help="a monthly file: lines of YYYY-MM,product code,product token")]


@app.callback()
def _shell() -> None:
    """Keep the verbs verbs, however few."""


@app.command()
def audit(
    evidence: Evidence,
    output: Annotated[Path, typer.Option("--output", "-o", help="the manifest to write")] = Path("manifest.parquet"),
    key_file: Annotated[Path | None, typer.Option(help="the manifest's key; made if it does not exist")] = None,
    case_folder: CaseFolder = None,
    inventory: Inventory = None,
    product_tokens: ProductTokens = None,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Judge every account, and write the manifest, audit.parquet and audit.html (the last two without secrets).

    Exits with 1 if a file is not what it was when it was first read.
    """
    from laeforensics import custody, display
    from laerecover.manifest import default_key_file

    shell.refuse_inside(output, evidence, "the manifest")
    if output.is_dir():
        shell.stop(
            "the manifest's name is a folder's", str(output), f"name a file: --output {output / 'manifest.parquet'}"
        )
    if output.name in ("audit.parquet", "audit.html"):
        shell.stop(
            "that name is the audit's own",
            str(output),
            "choose another --output: audit.parquet and audit.html are written beside it",
        )
    if key_file is not None:
        shell.refuse_inside(key_file, evidence, "the key")
    if case_folder is not None:
        custody.refuse_inside(case_folder, evidence)
    case = shell.open_case(evidence, case_folder, inventory, jobs, product_tokens)
    compared = shell.keep_custody(case, is_named=case_folder is not None)
    out = sys.stderr if as_json else sys.stdout
    print(display.card(case, is_short=out.isatty()), file=out)
    output.parent.mkdir(parents=True, exist_ok=True)
    manifest = case.export(output, key_file=key_file)
    page = output.with_name("audit.html")
    display.write_page(case, page)
    key = key_file or default_key_file()
    print(
        f"\n{output}  {len(manifest.accounts)} accounts, encrypted under {key}"
        f"  · {output.with_name('audit.parquet')}, {page} (no secrets)\n"
        f"{case.folder}  custody and decisions of this case{'' if compared else ': not kept'}\n"
        f"next: laerecover drill {output}{f' --key-file {key_file}' if key_file else ''}",
        file=out,
    )
    changed = [] if compared is None else [f.signup for f in compared.findings()]
    if as_json:
        told = {
            "manifest": str(output),
            "manifest_digest": manifest.digest,
            "case": str(case.folder),
            "evidence_changed": changed,
        }
        print(json.dumps({**display.summary(case), **told}, indent=1))
    if compared is not None and not compared.is_unchanged:
        shell.tell_changes(compared, case.folder, sys.stderr)
        raise typer.Exit(shell.EXIT_CHECK)


@app.command()
def explain(
    evidence: Evidence,
    key: Annotated[str, typer.Argument(metavar="KEY", help="log name, bucket, e-mail or activation key")],
    field: Annotated[str | None, typer.Option(help="only this field")] = None,
    case_folder: CaseFolder = None,
    product_tokens: ProductTokens = None,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Why we believe what we say of one account: every field, every witness with its place."""
    from dataclasses import asdict, replace

    explanation = shell.open_case(evidence, case_folder, None, jobs, product_tokens).explain(key)
    if field is not None:
        chosen = tuple(f for f in explanation.fields if f.name == field)
        if not chosen:
            names = ", ".join(f.name for f in explanation.fields)
            shell.stop(f"no field {field!r}", "--field", f"choose one of {names}")
        explanation = replace(explanation, fields=chosen)
    print(explanation, file=sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps(asdict(explanation), indent=1))


@app.command()
def decide(
    evidence: Evidence,
    key: Annotated[str, typer.Argument(metavar="KEY", help="log name, bucket, e-mail or activation key")],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="the contested field")],
    witness: Annotated[
        int, typer.Option(help="the number that `explain` shows before the right witness; 0 withdraws a decision")
    ],
    because: Annotated[str, typer.Option(help="why")],
    who: Annotated[str | None, typer.Option(help="who decides; default: you")] = None,
    case_folder: CaseFolder = None,
    product_tokens: ProductTokens = None,
) -> None:
    """Decide a contested field: which witness is right, who says so, why. Kept in the case folder, carried into the manifest."""
    import getpass

    from laeforensics import custody
    from laeforensics.masking import plain

    if case_folder is not None:
        custody.refuse_inside(case_folder, evidence)
    case = shell.open_case(evidence, case_folder, None, 1, product_tokens)
    try:
        told = case.decide(key, field, witness=witness, who=who or getpass.getuser(), because=because)
    except OSError as error:
        shell.stop(
            f"the decision cannot be kept: {error.strerror or type(error).__name__}",
            str(case.folder),
            "name a folder that can be written to with --case, here and in every later `audit`",
        )
    print(
        f"{plain(told)}\nkept in {case.folder}\nnext: laeforensics audit {' '.join(map(str, evidence))}"
        f"{f' --case {case_folder}' if case_folder else ''}{f' --product-tokens {product_tokens}' if product_tokens else ''}"
    )


@app.command()
def extract(
    evidence: Evidence,
    output: Annotated[Path, typer.Option("--output", "-o", help="facts.parquet or facts.jsonl")] = Path(
        "facts.parquet"
    ),
    key_file: Annotated[
        Path | None, typer.Option(help="write the secrets too, encrypted under this key; made if it does not exist")
    ] = None,
    case_folder: CaseFolder = None,
    jobs: Jobs = 1,
) -> None:
    """Write every value at every place, for other programs. Secrets are fingerprints unless there is a key."""
    from laeforensics import extraction

    shell.refuse_inside(output, evidence, "the facts")
    extraction.check(output, key_file)
    case = shell.open_case(evidence, case_folder, None, jobs)
    output.parent.mkdir(parents=True, exist_ok=True)
    rows = extraction.rows((*case.joined, *case.lost), case.reading.files)
    written = extraction.write(output, rows, key_file=key_file)
    how = "secrets are fingerprints" if key_file is None else f"with secrets, encrypted under {key_file}"
    print(f"{output}  {written} facts of {len(case.joined)} logs, {how}")


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="an audit.parquet")],
    new: Annotated[Path, typer.Argument(help="a later one")],
    as_json: Json = False,
) -> None:
    """Which account appeared, vanished or changed between two audits, because of which evidence."""
    from laeforensics import comparing, masking
    from laerecover.manifest import read_audit_table

    difference = comparing.compare(read_audit_table(old), read_audit_table(new))
    print(
        "\n".join(masking.plain(line) for line in str(difference).split("\n")),
        file=sys.stderr if as_json else sys.stdout,
    )
    if as_json:
        print(json.dumps(difference.as_json(), indent=1))


@app.command()
def custody(
    evidence: Evidence,
    check: Annotated[
        bool, typer.Option("--check", help="is every file as it was when it was first read? Exits with 1 if not")
    ] = False,
    case_folder: CaseFolder = None,
    as_json: Json = False,
) -> None:
    """When each file was first read, by what, with which hash. Nothing is written."""
    from dataclasses import asdict

    from laeforensics import custody as register
    from laeforensics import evidence as found
    from laeforensics import masking
    from laeforensics.case import default_folder

    folder = case_folder or default_folder(evidence[0])
    entries = register.load(folder)
    if not entries:
        shell.stop(
            "nothing is in custody yet", str(folder / register.FILE), "`laeforensics audit` enters what it reads"
        )
    if not check:
        for entry in entries:
            line = f"{entry.sha256}  {entry.first_read}  {entry.program}  {entry.root}/{entry.name}"
            print(json.dumps(asdict(entry)) if as_json else masking.plain(line))
        return
    told = [(file, content.sha256) for file, content in found.contents(found.find(*evidence))]
    compared = register.compare(entries, [(file, sha) for file, sha in told if file.kind != found.LEFT_OUT])
    out = sys.stderr if as_json else sys.stdout
    if as_json:
        names = {"changed": [f.name for _, f, _ in compared.changed], "vanished": [e.name for e in compared.vanished]}
        told_new = [file.name for _, file, _ in compared.new]
        print(json.dumps({"unchanged": compared.is_unchanged, **names, "new": told_new}, indent=1))
    for _, file, _ in compared.new:
        print(f"new        {masking.plain(file.name)}  (not in custody yet)", file=out)
    if not compared.is_unchanged:
        shell.tell_changes(compared, folder, out)
        raise typer.Exit(shell.EXIT_CHECK)
    since = min((e.first_read for e in compared.entries), default="now")
    print(f"unchanged  {len(compared.entries)} files since they were first read ({since})", file=out)


@grammars.command()
def lint(as_json: Json = False) -> None:
    """Run every grammar's samples; what no sample hits, or what two terminals would take, is named. Exits with 1 if something is."""
    from dataclasses import asdict

    from laeforensics import linting

    problems = linting.lint()
    print(linting.render(problems), file=sys.stderr if as_json else sys.stdout)
    if as_json:
        print(json.dumps([asdict(problem) for problem in problems], indent=1))
    if problems:
        raise typer.Exit(shell.EXIT_CHECK)


def main(argv: list[str] | None = None) -> Any:
    """Run one verb. Exit codes: 0 audited, whatever the verdicts; 1 a check failed; 2 usage or no readable evidence; 130 interrupted."""
    return shell.run(app, argv)
