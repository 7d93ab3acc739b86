"""Signups whose log is lost, although their secrets file stands."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence

from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.companions.sources import Sources
from laeforensics.doubting.account_views import is_launch
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of, stem
from laeforensics.facts.beliefs import Hearing
from laeforensics.facts.buckets import bears_seed, seed_of
from laeforensics.facts.findings import Finding, finding
from laeforensics.joining._secrets_files import join_stripe
from laeforensics.parsing.logs import SignupLog

_FEWEST = 3
_MOST = 1.5
"""Where so many files, and two thirds of all, contradict the rows, the rows are wrong."""


def logs_lost(joined: Sequence[Signup], sources: Sources) -> list[Signup]:
    """Filled secrets files that no log took: their log is lost, the account is one all the same."""
    taken = {s.secrets.evidence for s in joined if s.secrets is not None}
    known = {bucket for s in joined if (bucket := s.weigh("bucket_name")[0])}
    known |= {sources.value(file, "bucket_name") or "" for file in sources.secrets.values() if not file.is_nameless}
    by_seed: dict[str | None, list[SecretsFile]] = defaultdict(list)
    for file in sources.secrets.values():
        by_seed[seed_of(sources.value(file, "bucket_name") or "")].append(file)
    theirs = {bucket for s in joined if (bucket := s.weigh("bucket_name")[0])}
    theirs |= {
        sources.value(f, "bucket_name") or "" for f in sources.secrets.values() if not _names_another(f, sources)
    }
    lost: list[Signup] = []
    copies = _copies(taken, sources)
    of_another_run, began = _with_another_runs_server(sources), _first_of_seeds(sources)
    for name, file in sources.secrets.items():
        if name in copies:
            what = f"it tells word for word what {copies[name]} tells: a copy under another run's name"
            sources.findings.append(finding("misnamed-secrets", what, signup=name))
            continue
        told = Hearing(sources.beliefs).own(f for f in file.facts if f.field == "bucket_name")
        names = {f.value for f in told}
        if name in taken or not (len(names) == 1 or names & sources.undecided.keys()):
            continue
        if names <= theirs and _names_another(file, sources):
            what = "its folder is another customer's, and the bucket that it names is told by others"
            sources.findings.append(finding("misnamed-secrets", what, signup=name))
            continue
        signup = Signup(name=name, log=None, beliefs=sources.beliefs, secrets=file, matched_by=["secrets file"])
        signup.exchanged_with = _exchanged_with(file, by_seed, sources)
        signup.add(file.facts)
        if file.is_nameless and not names & known and not _has_server_row(file, sources):
            signup.doubt((f for f in file.facts if f.field != "bucket_name"), "nameless")  # else it is no account
            what = "no log, stamp or row of serverinfo.csv confirms whose secrets these are"
            signup.findings.append(finding("nameless-file", what, signup=name))
        if name in of_another_run:
            signup.doubt((f for f in file.facts if f.field != "bucket_name"), "another-runs-server")
        if signup.stamp and signup.stamp[0] < began.get(seed_of(min(names)) or "", ""):
            signup.doubt((f for f in file.facts if f.field != "bucket_name"), "before-its-bucket")
        join_stripe(signup, sources)
        lost.append(signup)
    return lost


def _copies(taken: set[str], sources: Sources) -> dict[str, str]:
    """The files that tell, under another run's stamp, all that one under its own tells.

    Not what a re-record may have read out of the server: its name bears the time of the launch.
    """
    same: dict[frozenset[tuple[str, str]], list[SecretsFile]] = defaultdict(list)
    for file in sources.secrets.values():
        if file.filled and start_of(file.evidence) is not None:
            same[frozenset((fact.field, fact.value) for fact in file.facts)].append(file)
    began = _first_of_seeds(sources)
    names = Counter(name for alike in same.values() for name in {stem(file.evidence) for file in alike})
    copies: dict[str, str] = {}
    for alike in same.values():
        if len({stem(file.evidence) for file in alike}) > 1:
            begin = began.get(seed_of(sources.value(alike[0], "bucket_name") or "") or "", "")
            first = min(
                alike,
                key=lambda f: (
                    names[stem(f.evidence)],
                    not _bears_own_seed(f, sources),
                    _began(f) < begin,  # nothing is replaced before it was made
                    f.evidence,
                ),
            )
            others = [f for f in alike if f.evidence not in taken and stem(f.evidence) != stem(first.evidence)]
            copies |= {f.evidence: first.evidence for f in others if not is_launch(_began(first), _began(f))}
    return copies


def _first_of_seeds(sources: Sources) -> dict[str, str]:
    """By the seed of a bucket: when the first secrets file began whose name bears it."""
    began: dict[str, str] = {}
    for file in sources.secrets.values():
        seed = seed_of(sources.value(file, "bucket_name") or "")
        if seed is not None and _bears_own_seed(file, sources):
            began[seed] = min(began.get(seed, _began(file)), _began(file))
    return began


def _began(file: SecretsFile) -> str:
    return (start_of(file.evidence) or ("", ""))[0]


def _names_another(file: SecretsFile, sources: Sources) -> bool:
    """True if the folder bears both halves of an S4 customer's name, and his bucket is not told."""
    start = start_of(file.evidence)
    return start is not None and "-" in start[1] and not _bears_own_seed(file, sources)


def _bears_own_seed(file: SecretsFile, sources: Sources) -> bool:
    start = start_of(file.evidence)
    return start is not None and bears_seed(sources.value(file, "bucket_name") or "", start[1])


def _exchanged_with(file: SecretsFile, by_seed: dict[str | None, list[SecretsFile]], sources: Sources) -> str | None:
    """The file with which this one was exchanged: it tells the bucket whose seed this one's name bears."""
    start, bucket = start_of(file.evidence), sources.value(file, "bucket_name") or ""
    if start is None or bears_seed(bucket, start[1]):
        return None
    others = {stem(each.evidence): each.evidence for each in by_seed.get(start[1], ())}
    others.pop(stem(file.evidence), None)
    others = {name: evidence for name, evidence in others.items() if (start_of(evidence) or start)[1] != start[1]}
    return next(iter(others.values())) if len(others) == 1 else None


def _has_server_row(file: SecretsFile, sources: Sources) -> bool:
    host = sources.value(file, "public_host")
    return host is not None and host in sources.serverinfo


def _with_another_runs_server(sources: Sources) -> set[str]:
    """The files whose run, by serverinfo.csv, did not launch their server, but another: they are another customer's.

    None, where most rows that are held against files contradict them, for then it is the rows that have moved.
    """
    launches: dict[str | None, list[str]] = defaultdict(list)
    for row in (row for rows in sources.serverinfo.values() for row in rows):
        if launched := row.value("launch_time"):
            launches[row.value("public_host")].append(launched)
    of_all = sorted(launched for found in launches.values() for launched in found)
    held, others = 0, set[str]()
    for file in sources.secrets.values():
        began, host = _began(file), sources.value(file, "public_host")
        own = launches.get(host, []) if host is not None else []
        held += bool(own)
        if own and not any(is_launch(began, launched) for launched in own):
            after = of_all[bisect_left(of_all, began.rstrip("Z")) :][:1]
            others |= {file.evidence} if after and is_launch(began, after[0]) else set()
    return others if len(others) * _MOST < held or len(others) < _FEWEST else set()


def is_no_log(log: SignupLog) -> bool:
    """True for a file among the logs whose name is no log's and in which no program said anything: a README, a list."""
    return start_of(log.evidence) is None and bool(log.size) and not log.facts


def no_log_finding(log: SignupLog) -> Finding:
    """What is said of a file that lies among the logs and is none."""
    return finding(
        "no-log", "this file lies among the logs, but neither its name nor its text is a log's", signup=log.evidence
    )
