"""Which secrets file is a log's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from laeforensics.companions.secrets_files import SecretsFile
from laeforensics.companions.sources import Sources
from laeforensics.doubting.impossible_launch import is_of_run
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of, stem
from laeforensics.facts.buckets import bears_seed, product_code_of, seed_of
from laeforensics.facts.damage import is_near
from laeforensics.facts.fact import Fact
from laeforensics.facts.fields import COURSE, IDENTITY, SERVER, fields_of
from laeforensics.facts.findings import finding
from laeforensics.facts.node_keys import tub_id_of_furl
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT, RANK, furthest


class _Runs(NamedTuple):
    """The logs by the stems of their names, and by the bucket and the address that they tell."""

    of_stem: Mapping[str, Signup]
    of_bucket: defaultdict[str, list[Signup]]
    of_host: defaultdict[str, list[Signup]]


def join_secrets(signups: Sequence[Signup], sources: Sources) -> None:
    """Give each log its secrets file.

    The one of its name, unless something speaks against it; else the one of its bucket.
    """
    by_stem: dict[str, list[SecretsFile]] = defaultdict(list)
    for name, file in sources.secrets.items():
        by_stem[stem(name)].append(file)
    taken: set[str] = set()
    runs = _Runs({stem(signup.name): signup for signup in signups}, defaultdict(list), defaultdict(list))
    for signup in signups:
        for name, index in (("bucket_name", runs.of_bucket), ("public_host", runs.of_host)):
            if value := signup.weigh(name)[0]:
                index[value].append(signup)
    for signup in signups:
        for named in by_stem.get(stem(signup.name), ()):
            # Copies of one file, in two places: all of them speak, and where they differ nobody is right.
            if _belongs(signup, named, sources):
                taken.add(named.evidence)
                _take_secrets(signup, named, "seed", sources, runs)
    empty = {start[1]: file for name, file in sources.secrets.items() if not file.filled and (start := start_of(name))}
    for signup in signups:
        if signup.secrets is None or not signup.secrets.filled:
            _search_secrets(signup, sources, taken, runs)
        if signup.secrets is None and not BEFORE_DEPLOYMENT.isdisjoint(signup.stage_names):
            # 0 bytes of its bucket's own seed are of this run, whatever the log's name has become.
            bucket, _ = signup.weigh("bucket_name")
            signup.secrets = empty.get(seed_of(bucket or "") or "")
        join_stripe(signup, sources)


def join_stripe(signup: Signup, sources: Sources) -> None:
    """Add the stripe file of the signup's folder, if it is of its subscription."""
    stripe = sources.stripe.get(stem(signup.name))
    if stripe is None:
        return
    bucket, _ = signup.weigh("bucket_name")
    name = bucket or stem(signup.name).rpartition("/")[2]
    is_own = all(part in name for part in stripe.ids)
    is_theirs = not is_own and sources.has_folder_of(stripe.ids)
    if product_code_of(name) is None and not is_theirs:
        if is_own and stripe.ids:
            _doubt_two_customers(signup, stripe)
        signup.add(stripe.facts)
        return
    signup.findings.append(
        finding(
            "misnamed-secrets",
            f"{stripe.evidence} lies in this log's folder, but is of another subscription; it was not used here",
            signup=signup.name,
        )
    )


def _doubt_two_customers(signup: Signup, stripe: SecretsFile) -> None:
    """Where the log tells quite another address than the stripe file of its own subscription, neither is sure."""
    ours = signup.asserted("customer_email")
    theirs = [fact for fact in stripe.facts if fact.field == "customer_email"]
    if ours and theirs and not any(a.value == b.value or is_near(a.value, b.value) for a in ours for b in theirs):
        signup.doubt([*ours, *theirs], "stripe-against-log", [*ours, *theirs])


def _take_secrets(signup: Signup, file: SecretsFile, how: str, sources: Sources, runs: _Runs) -> None:
    if signup.secrets is None or not signup.secrets.filled:
        signup.secrets = file
    if file.filled:
        _doubt_other_server(signup, file, sources, runs)
        if how not in signup.matched_by:
            signup.matched_by.append(how)
        signup.add(file.facts)


_OF_THE_HEAD = frozenset({"full_name", "activating", "credentials", "poll", "bucket"})


def _doubt_other_server(signup: Signup, file: SecretsFile, sources: Sources, runs: _Runs) -> None:
    """A log that tells another address than its own secrets file goes on with another signup's server.

    What it says from the deployment on is then not believed, except where the secrets file says the same. Where that
    tells other keys than the head of a log that is whole, too, it may be the file that is another's: neither is sure.
    If the log is whole and the file is damaged, the file is it. Where both tell one node, and the log that its own run
    launched it, it is one server with two addresses: they are held against each other.
    """
    host, _ = signup.weigh("public_host")
    if host is None or sources.value(file, "public_host") in (None, host):
        return
    if _is_of_one_server(signup, file) and not runs.of_host.get(sources.value(file, "public_host") or ""):
        return
    hosts = [f for f in (*signup.witnesses_of("public_host"), *file.facts) if f.field == "public_host"]
    ours, others = ([f for f in hosts if (f.value == host) is is_ours] for is_ours in (True, False))
    is_read_there = signup.is_re_record and not _nodes(signup.witnesses.values()).isdisjoint(_nodes([file.facts]))
    copied = None if is_read_there else _copied_from(file, sources, runs)  # what it read was told before
    if copied is not None:
        theirs = [f for f in file.facts if f.field in fields_of(SERVER, IDENTITY)]
        signup.doubt(theirs, "of-another-server", [*ours, *(f for f in copied.facts if f.field == "public_host")])
        what = f"{file.evidence} tells the server of {copied.evidence}, and this log another: it is a copy"
        signup.findings.append(finding("several-signups", what, signup=signup.name))
        return
    log_facts = [f for facts in signup.witnesses.values() for f in facts]
    values = [f for f in log_facts if f.field not in fields_of(COURSE) and f.rule not in _OF_THE_HEAD]
    differing = [f for f in values if f.value != sources.value(file, f.field)]
    is_whole = signup.log is not None and not signup.is_damaged(signup.log.evidence)
    theirs = [f for f in file.facts if f.field in fields_of(SERVER, IDENTITY)]
    fellows = runs.of_bucket.get(signup.weigh("bucket_name")[0] or "", ())
    if is_whole and (file.rejected or (file.problem is not None and not file.legible)):
        signup.doubt(theirs, "in-damaged-file", ours)
        signup.doubt([f for f in file.facts if f not in theirs and f.field != "bucket_name"], "tied", others)
    elif is_whole and _tells_other_keys([signup, *fellows], file, sources):
        signup.doubt([*differing, *theirs], "other-keys-too", [*others, *ours])
    else:
        signup.doubt(differing, "other-server", others)
    signup.findings.append(
        finding("several-signups", f"{file.evidence} tells another public_host than this log", signup=signup.name)
    )


def _nodes(told: Iterable[Iterable[Fact]]) -> set[tuple[str, str]]:
    """The nodes' ids that are told, believed or not."""
    return {(f.field, f.value) for facts in told for f in facts if f.field in ("introducer_nodeid", "server_nodeid")}


def _is_of_one_server(signup: Signup, file: SecretsFile) -> bool:
    start, (launch, _) = start_of(signup.name), signup.weigh("launch_time")
    if start is None or launch is None or not is_of_run(start[0], launch):
        return False
    ours = {tub_id_of_furl(fact.value) for fact in signup.asserted("introducer_furl")}
    return bool(ours) and ours == {tub_id_of_furl(f.value) for f in file.facts if f.field == "introducer_furl"}


def _copied_from(file: SecretsFile, sources: Sources, runs: _Runs) -> SecretsFile | None:
    """Another run's secrets file of the same bucket, with the same server, which that run's own log deployed."""
    host, bucket = sources.value(file, "public_host"), sources.value(file, "bucket_name")
    for other in sources.secrets_of(bucket):
        run = runs.of_stem.get(stem(other.evidence))
        if run is None or stem(other.evidence) == stem(file.evidence) or sources.value(other, "public_host") != host:
            continue
        told = {fact.value for fact in run.asserted("public_host") if fact.rule == "address"}
        if told == {host}:
            return other
    return None


def _tells_other_keys(signups: Iterable[Signup], file: SecretsFile, sources: Sources) -> bool:
    """True if access key and secret key are both others than those of the first of these logs to tell any.

    A replacement's log tells no keys, its signup's does. (Not if one is damage of the other.)
    """
    names = ("user_access_key_id", "user_secret_key")
    told = next((keys for s in signups if any(keys := [_of_log(s, name) for name in names])), [None])
    pairs = [(value, sources.value(file, name)) for name, value in zip(names, told, strict=False)]
    return all(ours and theirs and ours != theirs and not is_near(ours, theirs) for ours, theirs in pairs)


def _of_log(signup: Signup, name: str) -> str | None:
    return signup.hearing.weigh(f for f in signup.witnesses_of(name) if f.locator.evidence == signup.name)[0]


def _belongs(signup: Signup, file: SecretsFile, sources: Sources) -> bool:
    """True unless something speaks against the secrets file of the log's name being this run's."""
    if not file.filled:
        return True
    why = _against(signup, file, sources)
    if why is not None:
        field_name, reason = why
        key, _ = signup.weigh("user_access_key_id")
        if key is not None and key == sources.value(file, "user_access_key_id"):
            # The head of its own file, with another's tail: what was sold contradicts what is offered all the same.
            signup.add(fact for fact in file.facts if fact.field == "product_token")
        signup.findings.append(
            finding(
                "misnamed-secrets",
                f"{file.evidence} bears this log's name, but {reason}; it was not used here",
                signup=signup.name,
                field=field_name,
                locators=tuple(f.locator for f in file.facts if f.field == field_name),
            )
        )
    return why is None


def _against(signup: Signup, file: SecretsFile, sources: Sources) -> tuple[str, str] | None:
    stage = furthest(signup.stages)
    if signup.has_failed and RANK.get(stage or "", 0) < RANK["storage_started"]:
        return "bucket_name", f"a run that failed at {stage} cannot have filled it"
    if signup.asserted("reading"):
        return None  # a re-record wrote this file itself: where the two differ, they contradict each other
    bucket, _ = signup.weigh("bucket_name")
    theirs = sources.value(file, "bucket_name")
    named, theirs_named = (
        _undecided(signup, facts, sources) for facts in (signup.witnesses_of("bucket_name"), file.facts)
    )
    if named is not None and named == theirs_named:
        return None  # of the same bucket, whichever of its names is right
    if bucket is not None:
        # Of the same bucket: this run's, even where the two then contradict each other.
        return None if theirs in (None, bucket) else ("bucket_name", "another bucket_name")
    host, _ = signup.weigh("public_host")
    if host and sources.value(file, "public_host") not in (None, host):
        return "public_host", "another public_host"
    key, _ = signup.weigh("user_access_key_id")
    if key and sources.value(file, "user_access_key_id") not in (None, key):
        return "user_access_key_id", "another access key"
    start = start_of(signup.name)
    if theirs is not None and start is not None and not bears_seed(theirs, start[1]):
        return "bucket_name", "its bucket bears another seed"
    activation, _ = signup.weigh("activation_key")
    rows = sources.activations.get(activation or "", [])
    if start is not None and rows and all(row.time != start[0] for row in rows):
        return "bucket_name", "the log's activation key was sent in at another time than its name tells"
    return None


def _undecided(signup: Signup, facts: Iterable[Fact], sources: Sources) -> str | None:
    """What stands for the names of a bucket, where they are told in more than one spelling."""
    names = (f.value for f in signup.hearing.asserting(facts) if f.field == "bucket_name")
    return next((sources.undecided[n] for n in names if n in sources.undecided), None)


def note_empty(signup: Signup) -> None:
    """A run that came to its end has filled its secrets file, whether its log tells that end or signups.csv."""
    file = signup.secrets
    if signup.log is None or file is None or not file.is_empty:
        return
    is_told = "mail_sent" in signup.stage_names
    if not signup.has_failed and (is_told or signup.success_row is not None):
        told = "this log tells" if is_told else "a row of signups.csv, which may be wrong, tells"
        what = f"{file.evidence} is empty, but {told} the run's end: {'' if is_told else 'then '}it was filled once"
        signup.findings.append(finding("emptied-secrets", what, signup=signup.name))


def _search_secrets(signup: Signup, sources: Sources, taken: set[str], runs: _Runs) -> None:
    bucket, _ = signup.weigh("bucket_name")
    host, _ = signup.weigh("public_host")
    key, _ = signup.weigh("user_access_key_id")
    for file in sources.secrets_of(bucket):
        if file.evidence in taken or (host and sources.value(file, "public_host") != host):
            continue
        if key and sources.value(file, "user_access_key_id") != key:
            continue
        taken.add(file.evidence)
        start = start_of(file.evidence)
        if start is None or not bears_seed(bucket or "", start[1]):
            what = f"{file.evidence} was matched by its bucket name, not by its own"
            signup.findings.append(finding("misnamed-secrets", what, signup=signup.name))
        _take_secrets(signup, file, "bucket name", sources, runs)
        return
