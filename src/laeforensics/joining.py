"""Each log is joined with its secrets file, its csv rows and its product; per field, the witnesses are weighed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from laeforensics.activations import Row
from laeforensics.facts import FOREIGN, LAST_ASSERTING_STANDING, STRAY, Fact
from laeforensics.fields import SIGNUP_FIELDS
from laeforensics.findings import Finding, finding
from laeforensics.packed import without_suffix
from laeforensics.producttokens import Product
from laeforensics.secretsfiles import SecretsFile
from laeforensics.segments import is_damage
from laeforensics.signuplogs import SignupLog
from laeforensics.stages import RANK, furthest, impossible

_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z-(.+)")
_REQUEST_TO_LOG = timedelta(seconds=5)
_LONGEST_RUN = timedelta(days=1)
_USUAL_KEY = re.compile(r"A[A-Z2-7]{29}")
_DEVPAY_BUCKET = re.compile(r"lae-([0-9a-z]{8})-([a-z2-7]{32})")


@dataclass(slots=True, kw_only=True)
class Sources:
    """Everything read beside the logs, indexed by what it is joined by."""

    secrets: dict[str, SecretsFile] = field(default_factory=dict)
    stripe: dict[str, SecretsFile] = field(default_factory=dict)
    activations: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    signups: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    serverinfo: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    products: dict[str, list[Product]] = field(default_factory=lambda: defaultdict(list))
    _keys_by_cell: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def is_of_another_key(self, name: str, value: str, key: str) -> bool:
        """True if somebody sent this value of a field in with another activation key than `key`."""
        if not self._keys_by_cell:
            for other, rows in self.activations.items():
                for row in rows:
                    for fact in row.facts:
                        self._keys_by_cell.setdefault((fact.field, fact.value), set()).add(other)
        return bool(self._keys_by_cell.get((name, value), set()) - {key})


@dataclass(slots=True, kw_only=True)
class Signup:
    """One log with all its witnesses. `values` holds what the best witnesses agree on; `contested` what they do not."""

    name: str
    log: SignupLog | None
    secrets: SecretsFile | None = None
    witnesses: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, str] = field(default_factory=dict, repr=False)
    contested: set[str] = field(default_factory=set)
    matched_by: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    success_row: Row | None = None
    failure_row: Row | None = None
    serverinfo_rows: list[Row] = field(default_factory=list)


def stem(name: str) -> str:
    """What a log and its secrets file share: the TIMESTAMP-SEED name, or in the S4 layout their folder."""
    folder, _, base = without_suffix(name).rpartition("/")
    return folder if base in ("signup_logs", "SSEC2", "stripe") else base


def start_of(name: str) -> tuple[str, str] | None:
    """UTC start (ISO, with colons) and seed of a TIMESTAMP-SEED name."""
    match = _STAMP.fullmatch(stem(name).rpartition("/")[2])
    return (f"{match[1]}T{match[2]}:{match[3]}:{match[4]}Z", match[5]) if match else None


def product_code_of(bucket: str) -> str | None:
    """The product code in a DevPay bucket name (`lae-CODE-SEED`), upper case; None for other buckets."""
    match = _DEVPAY_BUCKET.fullmatch(bucket)
    return match[1].upper() if match else None


def seed_of(bucket: str) -> str | None:
    """The seed in a DevPay bucket name."""
    match = _DEVPAY_BUCKET.fullmatch(bucket)
    return match[2] if match else None


def weigh(facts: Iterable[Fact]) -> tuple[str | None, bool]:
    """What the witnesses of the best standing present say, and whether they contradict each other.

    A fact whose standing asserts nothing (relayed, stray, from an error message) has no say.
    """
    best: int = LAST_ASSERTING_STANDING
    values: set[str] = set()
    for fact in facts:
        if fact.standing < best:
            best, values = fact.standing, {fact.value}
        elif fact.standing == best:
            values.add(fact.value)
    if len(values) == 1:
        return values.pop(), False
    return None, len(values) > 1


def join(logs: Sequence[SignupLog], sources: Sources) -> list[Signup]:
    """One `Signup` for each log, in the logs' order."""
    signups = []
    for log in logs:
        signup = Signup(name=log.evidence, log=log)
        _add(signup, log.facts)
        signup.findings.extend(_order_findings(log))
        signups.append(signup)
    for signup in signups:
        _doubt_name(signup, sources)
    _join_secrets(signups, sources)
    for signup in signups:
        join_rest(signup, sources)
    return signups


def _doubt_name(signup: Signup, sources: Sources) -> None:
    """A whole signup whose bucket bears another seed than its file: renamed, or the head of one log with the rest of another.

    It is believed as renamed if a csv row ties the activation key at its head to the product and the e-mail of its rest;
    without the key, if a secrets file ties its access key to its bucket; else nothing of it is sure.
    """
    start = start_of(signup.name)
    bucket, _ = weigh(signup.witnesses["bucket_name"])
    key, _ = weigh(signup.witnesses["activation_key"])
    if start is None or bucket is None or key is None or bears_seed(bucket, start[1]):
        return
    code = product_code_of(bucket)
    email, _ = weigh(signup.witnesses["customer_email"])
    rows = [*sources.activations.get(key, ()), *sources.signups.get(key, ())]
    agreeing = [r for r in rows if r.value("product_code") == code and email in (None, r.value("customer_email"))]
    if email is None and len({tuple(_cells(r)) for r in rows}) != 1:
        agreeing = []
    if agreeing and not any(abs(_time(r.time) - _time(start[0])) <= _REQUEST_TO_LOG for r in rows):
        signup.findings.append(finding("renamed-log", f"its bucket {bucket} bears another seed", signup=signup.name))
        return
    access_key, _ = weigh(signup.witnesses["user_access_key_id"])
    tied = access_key is not None and any(
        file.value("bucket_name") == bucket and file.value("user_access_key_id") == access_key
        for file in sources.secrets.values()
    )
    doubted = ("activation_key",) if tied else tuple(signup.witnesses)
    for name in doubted:
        signup.witnesses[name] = [f._replace(channel=FOREIGN) for f in signup.witnesses[name]]
    signup.findings.append(
        finding(
            "several-signups",
            f"the bucket {bucket} bears another seed than the file's name, and nothing ties head and rest together",
            signup=signup.name,
        )
    )


def join_rest(signup: Signup, sources: Sources) -> None:
    """Join csv rows, product and serverinfo, then settle every field."""
    _join_product_code(signup)
    _join_csv(signup, sources)
    _join_serverinfo(signup, sources.serverinfo)
    _join_token(signup, sources.products)
    _settle(signup)


def _add(signup: Signup, facts: Iterable[Fact]) -> None:
    for fact in facts:
        signup.witnesses[fact.field].append(fact)


def _order_findings(log: SignupLog) -> Iterable[Finding]:
    wrong = impossible(log.stages)
    if wrong is not None:
        what, line = wrong
        yield finding(
            "impossible-order", f"line {line}: {what}; lines are missing, or not of this signup", signup=log.evidence
        )
    if log.seam is not None:
        yield finding(
            "several-signups",
            f"two signups are glued together: {log.seam} changes; only the part that bears the file's name counts",
            signup=log.evidence,
            field=log.seam,
        )


# -- secrets files -------------------------------------------------------------------------------------


def _join_secrets(signups: Sequence[Signup], sources: Sources) -> None:
    by_stem = {stem(name): file for name, file in sources.secrets.items()}
    by_bucket: dict[str, list[SecretsFile]] = defaultdict(list)
    for file in sources.secrets.values():
        bucket = file.value("bucket_name")
        if bucket:
            by_bucket[bucket].append(file)
    taken: set[str] = set()
    for signup in signups:
        named = by_stem.get(stem(signup.name))
        if named is not None and _belongs(signup, named, sources):
            taken.add(named.evidence)
            _take_secrets(signup, named, "seed")
    for signup in signups:
        if signup.secrets is None or not signup.secrets.filled:
            _search_secrets(signup, by_bucket, taken)
        stripe = sources.stripe.get(stem(signup.name))
        if stripe is not None:
            _add(signup, stripe.facts)


def _take_secrets(signup: Signup, file: SecretsFile, how: str) -> None:
    signup.secrets = file
    if file.filled:
        _doubt_other_server(signup, file)
        signup.matched_by.append(how)
        _add(signup, file.facts)


_OF_THE_HEAD = frozenset({"full_name", "activating", "credentials", "poll", "bucket"})


def _doubt_other_server(signup: Signup, file: SecretsFile) -> None:
    """A log that tells another address than its own secrets file goes on with another signup's server.

    What it says from the deployment on is then not sure, except where the secrets file says the same.
    """
    host, _ = weigh(signup.witnesses["public_host"])
    if host is None or file.value("public_host") in (None, host):
        return
    for name, facts in signup.witnesses.items():
        signup.witnesses[name] = [
            f if f.rule in _OF_THE_HEAD or f.value == file.value(name) else f._replace(channel=FOREIGN) for f in facts
        ]
    signup.findings.append(
        finding("several-signups", f"{file.evidence} tells another public_host than this log", signup=signup.name)
    )


def _belongs(signup: Signup, file: SecretsFile, sources: Sources) -> bool:
    """True unless something speaks against the secrets file of the log's name being this run's."""
    if not file.filled:
        return True
    why = _against(signup, file, sources)
    if why is not None:
        field_name, reason = why
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
    log = signup.log
    stage = furthest(log.stages) if log else None
    if log is not None and log.failed and RANK.get(stage or "", 0) < RANK["storage_started"]:
        return "bucket_name", f"a run that failed at {stage} cannot have filled it"
    if log is not None and "Reading secrets..." in log.announcements:
        return None  # a re-record wrote this file itself: where the two differ, they contradict each other
    bucket, _ = weigh(signup.witnesses["bucket_name"])
    theirs = file.value("bucket_name")
    if bucket is not None:
        # Of the same bucket: this run's, even where the two then contradict each other.
        return None if theirs in (None, bucket) else ("bucket_name", "another bucket_name")
    host, _ = weigh(signup.witnesses["public_host"])
    if host and file.value("public_host") not in (None, host):
        return "public_host", "another public_host"
    key, _ = weigh(signup.witnesses["user_access_key_id"])
    if key and file.value("user_access_key_id") not in (None, key):
        return "user_access_key_id", "another access key"
    start = start_of(signup.name)
    if theirs is not None and start is not None and not bears_seed(theirs, start[1]):
        return "bucket_name", "its bucket bears another seed"
    activation, _ = weigh(signup.witnesses["activation_key"])
    rows = sources.activations.get(activation or "", [])
    if start is not None and rows and all(row.time != start[0] for row in rows):
        return "bucket_name", "the log's activation key was sent in at another time than its name tells"
    return None


def bears_seed(bucket: str, seed: str) -> bool:
    """True if the bucket was made by the run whose file name ends with `seed` (in the S4 layout the two halves are swapped)."""
    if bucket.endswith("-" + seed):
        return True
    customer, _, subscription = seed.partition("-")
    return bool(subscription) and bucket == f"lae-{subscription}-{customer}"


def _search_secrets(signup: Signup, by_bucket: Mapping[str, list[SecretsFile]], taken: set[str]) -> None:
    bucket, _ = weigh(signup.witnesses["bucket_name"])
    host, _ = weigh(signup.witnesses["public_host"])
    key, _ = weigh(signup.witnesses["user_access_key_id"])
    for file in by_bucket.get(bucket or "", ()):
        if file.evidence in taken or (host and file.value("public_host") != host):
            continue
        if key and file.value("user_access_key_id") != key:
            continue
        taken.add(file.evidence)
        signup.findings.append(
            finding(
                "misnamed-secrets",
                f"{file.evidence} was matched by its bucket name, not by its own",
                signup=signup.name,
            )
        )
        _take_secrets(signup, file, "bucket name")
        return


# -- csv, product, serverinfo ----------------------------------------------------------------------------


def _join_product_code(signup: Signup) -> None:
    for fact in tuple(signup.witnesses["bucket_name"]):
        code = product_code_of(fact.value)
        if code and fact.standing <= LAST_ASSERTING_STANDING:
            start = fact.locator.start + len("lae-")
            locator = fact.locator._replace(start=start, end=start + len(code))
            signup.witnesses["product_code"].append(Fact("product_code", code, locator, "bucket name", fact.channel))


def _join_csv(signup: Signup, sources: Sources) -> None:
    key, _ = weigh(signup.witnesses["activation_key"])
    start = start_of(signup.name)
    if key and not (_USUAL_KEY.fullmatch(key) or key in sources.activations or key in sources.signups):
        # A key of unusual length that no csv row knows may have lost a piece.
        signup.witnesses["activation_key"] = [f._replace(channel=STRAY) for f in signup.witnesses["activation_key"]]
        key = None
    if _is_renamed(signup, start):
        start = None
    activations, signups = _rows_by_key(key, start, sources) if key else _rows_by_start(signup, start, sources)
    if not (activations or signups):
        return
    email, _ = weigh(signup.witnesses["customer_email"])
    code, _ = weigh(signup.witnesses["product_code"])
    sent = bool(activations or signups)
    signups, activations = _without_damaged_cells(signup, signups, activations)
    signups = _credible(signup, signups, email, code)
    if email is None:
        emails = {row.value("customer_email") for row in signups} - {None}
        email = emails.pop() if len(emails) == 1 else None
    activations = _credible(signup, activations, email, code)
    if sent and not (activations or signups) and key:
        # Every row that knows the key tells of another customer: then the key is not this log's for sure.
        signup.witnesses["activation_key"] = [f._replace(channel=STRAY) for f in signup.witnesses["activation_key"]]
    if activations or signups:
        signup.matched_by.append("activation key" if key else "start time and product code")
    for row in (*signups, *activations):
        _add(signup, row.facts)
    for row in signups:
        if row.outcome == "success":
            signup.success_row = row
        else:
            signup.failure_row = row


def _is_renamed(signup: Signup, start: tuple[str, str] | None) -> bool:
    """True if the log's own bucket bears another seed than the file's name: then the name tells nothing about the run."""
    bucket, _ = weigh(signup.witnesses["bucket_name"])
    return start is not None and bucket is not None and not bears_seed(bucket, start[1])


def _rows_by_key(key: str, start: tuple[str, str] | None, sources: Sources) -> tuple[list[Row], list[Row]]:
    """The rows of an activation key that are of the run that began at `start`.

    The same key may have been sent twice, or typed in by somebody else: a run's own request is of the seconds in which
    its log begins, and its own result is the first one of the day that follows.
    """
    activations, signups = sources.activations.get(key, []), sources.signups.get(key, [])
    if start is None:
        return activations, signups
    began = _time(start[0])
    if len(activations) == len(signups) == 1 and _cells(activations[0]) == _cells(signups[0]):
        return activations, signups  # request and result agree in everything: the file's name may be wrong
    activations = [row for row in activations if abs(_time(row.time) - began) <= _REQUEST_TO_LOG]
    after = [row for row in signups if timedelta(0) <= _time(row.time) - began <= _LONGEST_RUN]
    signups = [row for row in after if row.time == min(r.time for r in after)]
    return activations, [row for row in signups if not _is_glued(row, key, activations, sources)]


def _cells(row: Row) -> list[str | None]:
    return [row.value(name) for name in ("product_code", "customer_name", "customer_email", "customer_keyinfo")]


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)


def _is_glued(row: Row, key: str, requests: Sequence[Row], sources: Sources) -> bool:
    """True if a result row ends with another customer's fields: two rows torn and glued so that the number of fields is right.

    Its own request says something else there, and somebody else's request says just that.
    """
    for name in ("customer_email", "customer_keyinfo"):
        value = row.value(name)
        if (
            value
            and requests
            and all(r.value(name) != value for r in requests)
            and sources.is_of_another_key(name, value, key)
        ):
            return True
    return False


def _rows_by_start(signup: Signup, start: tuple[str, str] | None, sources: Sources) -> tuple[list[Row], list[Row]]:
    """For a log whose head is lost: the one request of its second, for its product (and with its e-mail, if it tells one)."""
    email, _ = weigh(signup.witnesses["customer_email"])
    code, _ = weigh(signup.witnesses["product_code"])
    bucket, _ = weigh(signup.witnesses["bucket_name"])
    if not (code and start and bucket and seed_of(bucket) == start[1]):
        return [], []
    keys = {
        key
        for key, rows in sources.activations.items()
        for row in rows
        if row.time == start[0] and row.value("product_code") == code and email in (None, row.value("customer_email"))
    }
    return _rows_by_key(keys.pop(), start, sources) if len(keys) == 1 else ([], [])


def _without_damaged_cells(signup: Signup, signups: list[Row], activations: list[Row]) -> tuple[list[Row], list[Row]]:
    """Where a result's cell is its own request's with a stretch lost (or the other way round), neither is sure."""
    for name in ("customer_name", "customer_email", "customer_keyinfo"):
        ours, theirs = {row.value(name) for row in signups}, {row.value(name) for row in activations}
        if not theirs or ours & theirs or not any(a and b and _is_damaged_cell(a, b) for a in ours for b in theirs):
            continue
        signup.findings.append(
            finding("damaged-row", f"one of the csv rows has lost a piece of {name}", signup=signup.name, field=name)
        )
        signups, activations = [_without(name, row) for row in signups], [_without(name, row) for row in activations]
    return signups, activations


def _is_damaged_cell(one: str, other: str) -> bool:
    # Judged as it was written: a hole may have cut an escape in two.
    return is_damage(one, other) or is_damage(quote(one), quote(other))


def _without(name: str, row: Row) -> Row:
    return row._replace(facts=tuple(f for f in row.facts if f.field != name))


def _credible(signup: Signup, rows: list[Row], email: str | None, code: str | None) -> list[Row]:
    kept = []
    for row in rows:
        contradicted = [
            (name, fact)
            for name, known in (("customer_email", email), ("product_code", code))
            for fact in row.facts
            if known and fact.field == name and fact.value != known
        ]
        for name, fact in contradicted:
            signup.findings.append(
                finding(
                    "csv-contradicts-log",
                    f"{row.evidence}:{row.line} names this activation key with another {name}; the row was left out",
                    signup=signup.name,
                    field=name,
                    locators=(fact.locator,),
                )
            )
        if not contradicted:
            kept.append(row)
    return kept


def _join_serverinfo(signup: Signup, serverinfo: Mapping[str, list[Row]]) -> None:
    """serverinfo.csv by instance id; where no id is known, by the address, if one server alone ever had it."""
    instance, _ = weigh(signup.witnesses["instance_id"])
    if instance is not None:
        rows = serverinfo.get(instance, [])
    else:
        host, _ = weigh(signup.witnesses["public_host"])
        rows = serverinfo.get(host, []) if host is not None else []
        rows = rows if len({row.value("instance_id") for row in rows}) == 1 else []
    for row in rows:
        signup.serverinfo_rows.append(row)
        _add(signup, row.facts)


def _join_token(signup: Signup, products: Mapping[str, list[Product]]) -> None:
    code, _ = weigh(signup.witnesses["product_code"])
    if code is None:
        _token_by_name(signup, products)
        return
    start = start_of(signup.name)
    entries = products.get(code, [])
    bucket, _ = weigh(signup.witnesses["bucket_name"])
    if start and (bucket is None or seed_of(bucket) == start[1]):
        day = start[0][:10]
        entries = [p for p in entries if p.months is None or p.months[0] <= day <= p.months[1]]
    _add(signup, [product.token for product in entries])
    if entries:
        signup.matched_by.append("product code")
    elif not any(f.field == "product_token" for f in signup.witnesses["product_token"]):
        signup.findings.append(
            finding(
                "unknown-product",
                f"no product of code {code} is in the config",
                signup=signup.name,
                field="product_token",
            )
        )


def _token_by_name(signup: Signup, products: Mapping[str, list[Product]]) -> None:
    """By full name only where no witness tells a code, and one product alone bears the name (in that month)."""
    name, _ = weigh(signup.witnesses["full_name"])
    start = start_of(signup.name)
    bucket = any(f.standing <= LAST_ASSERTING_STANDING for f in signup.witnesses["bucket_name"])
    if name is None or bucket:
        return
    bearers = [p for entries in products.values() for p in entries if p.full_name == name]
    if start:
        day = start[0][:10]
        bearers = [p for p in bearers if p.months is None or p.months[0] <= day <= p.months[1]]
    if len(bearers) == 1:
        signup.matched_by.append("full name")
        _add(signup, [bearers[0].token])


def _settle(signup: Signup) -> None:
    for name in SIGNUP_FIELDS:
        facts = signup.witnesses.get(name)
        if not facts:
            continue
        value, contested = weigh(facts)
        if value:
            signup.values[name] = value
        if contested:
            signup.contested.add(name)
            best = min(f.standing for f in facts)
            signup.findings.append(
                finding(
                    "contested-field",
                    f"witnesses of equal standing contradict each other in {name}",
                    signup=signup.name,
                    field=name,
                    locators=tuple(f.locator for f in facts if f.standing == best),
                )
            )
        elif value is not None:
            _note_outranked(signup, name, value, facts)


def _note_outranked(signup: Signup, name: str, value: str, facts: list[Fact]) -> None:
    others = tuple(f.locator for f in facts if f.value != value and f.standing <= LAST_ASSERTING_STANDING)
    if others:
        signup.findings.append(
            finding(
                "outranked-witness",
                f"a lesser witness of {name} disagrees",
                signup=signup.name,
                field=name,
                locators=others,
            )
        )
    forged = tuple(f.locator for f in facts if f.value != value and f.standing > LAST_ASSERTING_STANDING)
    if forged:
        signup.findings.append(
            finding(
                "forged-look-alike",
                f"text that looks like another {name} was not believed",
                signup=signup.name,
                field=name,
                locators=forged,
            )
        )
