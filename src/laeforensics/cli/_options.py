"""What several verbs let their caller say, each declared once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

EVIDENCE = typer.Argument(
    metavar="EVIDENCE",
    help="the folder that holds signup_logs/, secrets/, the csv files and the config, or a .tar.* or .zip of it; "
    "several are read as one case",
)
Evidence = Annotated[list[Path], EVIDENCE]
Json = Annotated[bool, typer.Option("--json", help="for machines: JSON on stdout, people's text on stderr")]
Jobs = Annotated[int, typer.Option(min=1, help="so many processes parse; the result is the same")]
CaseFolder = Annotated[
    Path | None,
    typer.Option("--case", help="where custody and decisions of the case are kept; default EVIDENCE.case/ beside it"),
]
Inventory = Annotated[Path | None, typer.Option(help="a saved DescribeInstances answer: which old servers still run")]
ProductTokens = Annotated[Path | None, typer.Option(help="a monthly file: lines of YYYY-MM,product code,product token")]
ClosedAccounts = Annotated[
    Path | None,
    typer.Option("--closed", help="customers who left, never recovered: lines of account or e-mail,date,reason"),
]
KEY_HELP = "log name, bucket, e-mail or activation key, or the beginning of one"
Key = Annotated[str, typer.Argument(metavar="KEY", help=KEY_HELP)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="say nothing but what is wrong")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="NAME=VALUE",
        help="only accounts of which this holds: contested=product_token, customer_email=*@example.org; "
        "of several all must hold",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOptions:
    """Which case a verb works on. A verb that does not take an option has its default."""

    evidence: Evidence
    case_folder: CaseFolder = None
    inventory: Inventory = None
    product_tokens: ProductTokens = None
    closed: ClosedAccounts = None
    jobs: Jobs = 1
    as_json: Json = False

    @property
    def sources(self) -> dict[str, Any]:
        """The files that are named beside the evidence, by what they are."""
        return {name: getattr(self, name) for name in ("inventory", "product_tokens", "closed")}


def of_a_case(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A verb `(options: CaseOptions, *its own)`, typed as EVIDENCE, its own, then the options of these names."""

    def expand(verb: Callable[..., None]) -> Callable[..., None]:
        _, *given = inspect.signature(verb).parameters.values()
        types = inspect.get_annotations(verb, eval_str=True)
        own = [p.replace(annotation=types[p.name], kind=inspect.Parameter.KEYWORD_ONLY) for p in given]
        known = inspect.signature(CaseOptions, eval_str=True).parameters
        evidence, *options = (known[name] for name in ("evidence", *names))

        @functools.wraps(verb)
        def called(**values: Any) -> None:
            options = CaseOptions(**{name: values.pop(name) for name in ("evidence", *names)})
            verb(options, **values)

        parameters = [evidence, *own, *options]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {p.name: p.annotation for p in parameters}
        return called

    return expand


def help_of(verb: Callable[..., None]) -> str:
    """The help of a verb: its docstring, whose line ends inside a paragraph are the source's alone."""
    return "\n\n".join(" ".join(part.split("\n")) for part in inspect.cleandoc(verb.__doc__ or "").split("\n\n"))
