"""The judges, by stage. A judge sees the doubts of earlier stages only: within a stage their order does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from laeforensics.companions.products import doubled
from laeforensics.companions.sources import Sources
from laeforensics.doubting import (
    agreeing,
    before_deployment,
    broken_json,
    broken_key,
    changed_cells,
    cut,
    cut_tokens,
    ends_lost,
    folded,
    furl_differs,
    furl_parts,
    hosts_differ,
    impossible_key,
    impossible_launch,
    in_error,
    moved_cells,
    neighbours,
    offered,
    one_address,
    other_bucket,
    other_host,
    outvoted,
    pairs,
    pieces,
    redacted,
    repeated,
    rows_against_logs,
    runs,
    server_rows,
    shared,
    shared_pair,
    swapped,
    swapped_nodes,
    testimony,
    tied,
    unannounced,
    unknown_server,
    vouching,
    wholesale,
)
from laeforensics.doubting.account_views import AccountJudge, by_account
from laeforensics.doubting.case_views import CaseView
from laeforensics.doubting.signups import Signup
from laeforensics.doubting.views import FileView, Said
from laeforensics.facts.beliefs import Doubt, Warrant
from laeforensics.facts.findings import Finding

View = TypeVar("View")
FileJudge = Callable[[FileView], Iterable[Said]]
CaseJudge = Callable[[CaseView], Iterable[Said]]

OF_A_PRINT: tuple[FileJudge, ...] = (
    redacted.judge,
    moved_cells.judge,
    changed_cells.judge,
    unannounced.judge,
    cut.judge,
    in_error.judge,
    before_deployment.judge,
    other_host.judge,
    broken_key.judge,
    broken_json.judge,
    folded.judge,
    other_bucket.judge,
    impossible_launch.judge,
)
OF_A_FILE: tuple[FileJudge, ...] = (
    runs.judge,
    vouching.judge,
    testimony.judge,
    hosts_differ.judge,
    swapped.judge,
    furl_differs.judge,
)
OF_WHAT_IS_TIED: tuple[FileJudge, ...] = (tied.judge,)
ACROSS: tuple[CaseJudge, ...] = (
    shared.judge,
    shared_pair.judge,
    pieces.judge,
    wholesale.judge,
    impossible_key.judge,
    unknown_server.judge,
    one_address.judge,
    cut_tokens.judge,
    server_rows.judge,
)
OF_WHAT_IS_OFFERED: tuple[CaseJudge, ...] = (offered.judge,)
BEFORE_SETTLING: tuple[AccountJudge, ...] = (
    outvoted.judge,
    ends_lost.judge,
    swapped_nodes.judge,
    rows_against_logs.judge,
)
SETTLING: tuple[AccountJudge, ...] = (repeated.judge, neighbours.judge, agreeing.judge, furl_parts.judge)
OF_WHAT_WINS: tuple[AccountJudge, ...] = (pairs.judge,)


def hear_file(view: FileView) -> tuple[list[Doubt | Warrant], list[Finding]]:
    """What the judges of prints, and then of files, say of a log or a secrets file."""
    notes: list[Doubt | Warrant] = []
    findings: list[Finding] = []
    for stage in (OF_A_PRINT, OF_A_FILE, OF_WHAT_IS_TIED):
        told = hear(stage, view)
        notes += told[0]
        findings += told[1]
        view = view.after(told[0])
    return notes, findings


def hear(stage: Iterable[Callable[[View], Iterable[Said]]], view: View) -> tuple[list[Doubt | Warrant], list[Finding]]:
    """What the judges of one stage say."""
    said = [each for judge in stage for each in judge(view)]
    return [s for s in said if not isinstance(s, Finding)], [s for s in said if isinstance(s, Finding)]


def hear_case(signups: Sequence[Signup], sources: Sources) -> None:
    """Let the signups of a case hear what the judges that see all of it together say."""
    view = CaseView(
        accounts=list(by_account(signups)),
        requests=sources.activations,
        results=sources.signups,
        servers=sources.serverinfo,
        secrets=[file for file in sources.secrets.values() if file.legible],
    )
    notes, findings = hear(ACROSS, view)
    sources.beliefs.add(notes)
    by_name = {signup.name: signup.findings for signup in signups}
    for found in findings:
        by_name.get(found.signup or "", sources.findings).append(found)


def hear_accounts(signups: Sequence[Signup], sources: Sources) -> None:
    """Let the signups of each bucket hear what is said of what they share, then what the judges that settle say."""
    views = list(by_account(signups))
    products = [p for entries in (*sources.products.values(), *sources.printed_products.values()) for p in entries]
    offered = frozenset(product.token.value for product in products)
    notes, _ = hear(OF_WHAT_IS_OFFERED, CaseView(accounts=views, offered=offered, doubled=doubled(products)))
    sources.beliefs.add(notes)
    for view in views:
        for stage in (BEFORE_SETTLING, SETTLING, OF_WHAT_WINS):
            notes, findings = hear(stage, view)
            view.hear(notes)
            view.signups[0].findings += findings
