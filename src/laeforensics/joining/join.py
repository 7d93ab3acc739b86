"""Each log is joined with what belongs to it; then, per field, the witnesses are weighed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from laeforensics.companions.csv_rows import Row
from laeforensics.companions.products import Product, is_offered, of_another_time
from laeforensics.companions.sources import Sources
from laeforensics.doubting.judges import hear_accounts, hear_case
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import start_of
from laeforensics.facts.buckets import activation_key_of, product_code_of, seed_of
from laeforensics.facts.channels import LAST_ASSERTING_STANDING, REMOTE
from laeforensics.facts.damage import Neighbours, is_near
from laeforensics.facts.fact import Fact, Locator
from laeforensics.facts.fields import SIGNUP_FIELDS
from laeforensics.facts.findings import Finding, finding
from laeforensics.facts.node_keys import host_of_furl
from laeforensics.joining._bucket_names import settle_names
from laeforensics.joining._clocks import is_contradicted, is_of_another_clock
from laeforensics.joining._csv_rows import join_csv, leave_out_moved
from laeforensics.joining._renamed import codes_by_seed, doubt_name
from laeforensics.joining._secrets_files import join_secrets, note_empty
from laeforensics.joining._shared_keys import join_shared_keys
from laeforensics.parsing.logs import SignupLog
from laeforensics.parsing.stages import impossible


def join(logs: Sequence[SignupLog], sources: Sources) -> list[Signup]:
    """One `Signup` for each log, in the logs' order, with its secrets files."""
    signups = []
    for log in logs:
        signup = Signup(name=log.evidence, log=log, beliefs=sources.beliefs)
        signup.add(log.facts)
        signup.findings.extend(_order_findings(signup))
        signups.append(signup)
    settle_names(signups, sources)
    codes = codes_by_seed(signups)
    for signup in signups:
        doubt_name(signup, sources, codes)
    join_secrets(signups, sources)
    return signups


def settle(signups: Sequence[Signup], sources: Sources) -> None:
    """Join what is found by settled values, and weigh the witnesses of every field, when the judges have spoken."""
    hear_case(signups, sources)
    join_shared_keys(signups)
    keys = Neighbours(sorted({*sources.activations, *sources.signups}))
    for signup in signups:
        _join_rest(signup, sources, keys)
    leave_out_moved(signups)
    for signup in signups:
        note_empty(signup)
    hear_accounts(signups, sources)
    for signup in signups:
        _settle(signup)
    _name_decided(signups)


def _name_decided(signups: Sequence[Signup]) -> None:
    """Let signups whose bucket's name was undecided bear the one that is told, where the doubts have left but one."""
    undecided: dict[str, list[Signup]] = defaultdict(list)
    for signup in signups:
        if signup.undecided_bucket is not None:
            undecided[signup.undecided_bucket].append(signup)
    for some in undecided.values():
        told = {signup.values.get("bucket_name") for signup in some}
        if len(told) == 1:
            for signup in some:
                signup.undecided_bucket = signup.values.get("bucket_name", signup.undecided_bucket)


def _join_rest(signup: Signup, sources: Sources, keys: Neighbours) -> None:
    """Join csv rows, product and serverinfo."""
    _join_product_code(signup)
    join_csv(signup, sources, keys)
    _join_serverinfo(signup, sources.serverinfo)
    _join_token(signup, sources)
    signup.doubt(of_another_time(signup.witnesses_of("product_token"), signup.hearing), "of-another-time")
    names = (f.value for f in signup.asserted("bucket_name"))
    signup.undecided_bucket = next((sources.undecided[n] for n in names if n in sources.undecided), None)


def _order_findings(signup: Signup) -> Iterable[Finding]:
    wrong = impossible(signup.stages)
    if wrong is not None:
        what, line = wrong
        yield finding(
            "impossible-order", f"line {line}: {what}; lines are missing, or not of this signup", signup=signup.name
        )


# -- csv, product, serverinfo ----------------------------------------------------------------------------


def _join_product_code(signup: Signup) -> None:
    derive = signup.beliefs.derive
    for fact in signup.asserted("bucket_name"):
        code = product_code_of(fact.value)
        if code:
            locator = _place_within(fact, len("lae-"), len(code))
            told = fact._replace(field="product_code", value=code, locator=locator, rule="bucket name")
            signup.add([derive(told, fact)])
            key = activation_key_of(fact.value)
            if key:
                locator = _place_within(fact, len("lae-") + len(code) + 1, len(key))
                told = told._replace(field="activation_key", value=key, locator=locator)
                signup.add([derive(told, fact)])


def _place_within(fact: Fact, start: int, length: int) -> Locator:
    """Where some characters of a value stand, however wide they are in its file; the whole value, where in escapes."""
    place = fact.locator
    width, rest = divmod(place.end - place.start, len(fact.value))
    if rest:
        return place
    start = place.start + width * start
    return place._replace(start=start, end=start + width * length)


def _join_serverinfo(signup: Signup, serverinfo: Mapping[str, list[Row]]) -> None:
    """serverinfo.csv by instance id; where no id is known, by the address, if one server alone ever had it."""
    instance, _ = signup.weigh("instance_id")
    if instance is not None:
        rows = serverinfo.get(instance, [])
        if not rows and (host := signup.weigh("public_host")[0]) is not None:
            # One id, overwritten here or there: which is right, the witnesses settle.
            rows = [row for row in serverinfo.get(host, ()) if is_near(instance, row.value("instance_id") or "")]
    else:
        host, _ = signup.weigh("public_host")
        rows = serverinfo.get(host, []) if host is not None else []
        rows = rows if len({row.value("instance_id") for row in rows}) == 1 else []
    printed = {name: signup.asserted(name) for name in ("launch_time", "public_host")}
    for row in rows:
        is_heard = bool(signup.hearing.asserting(row.of("public_host")))
        signup.add(row.facts)
        if is_of_another_clock(signup, row, printed):
            signup.serverinfo_rows.append(row)
        elif any(is_contradicted(own, row.value(name)) for name, own in printed.items()):
            # it tells of another server, and not that this one was ready
            same = instance == row.value("instance_id") and row.value("launch_time") in _values(printed["launch_time"])
            against = [f for name, own in printed.items() if is_contradicted(own, row.value(name)) for f in own]
            is_launch = is_contradicted(printed["launch_time"], row.value("launch_time"))
            signup.doubt(row.facts, "other-launch" if is_launch else "other-address", against)
            if same and is_heard:
                _doubt_lone_address(signup, printed["public_host"], row.of("public_host"))
        else:
            signup.serverinfo_rows.append(row)


def _values(facts: Iterable[Fact]) -> set[str]:
    return {fact.value for fact in facts}


def _doubt_lone_address(signup: Signup, told: Sequence[Fact], theirs: Sequence[Fact]) -> None:
    """Doubt the address that one file alone tells against a row of its own instance and launch, with its furl."""
    if len({fact.locator.evidence for fact in told}) == 1:
        hosts = _values(told)
        furls = [fact for fact in signup.asserted("introducer_furl") if host_of_furl(fact.value) in hosts]
        signup.doubt([*told, *furls], "other-address", theirs)


def _join_token(signup: Signup, sources: Sources) -> None:
    products = sources.products
    code, _ = signup.weigh("product_code")
    if code is None:
        _token_by_name(signup, products)
        return
    start = start_of(signup.name)
    entries = products.get(code) or sources.printed_products.get(code, [])
    bucket, _ = signup.weigh("bucket_name")
    if start and (bucket is None or seed_of(bucket) == start[1]):
        day = start[0][:10]
        entries = [p for p in entries if p.is_sold_on(day)]
    elif len({p.token.value for p in entries}) > 1:
        return  # a later run of the account: the day of its signup, which decides, is the origin's
    signup.add([product.token for product in entries])
    name, _ = signup.weigh("full_name")
    if all(map(is_offered, signup.asserted("product_token"))):  # else the account's own word stands against it
        others = [p.token for p in entries if name and p.full_name and p.full_name != name]
        signup.doubt(others, "another-name", signup.asserted("full_name"))
        if others and len(others) == len(entries):  # the code, or the name, may be what was replaced
            signup.doubt(signup.witnesses_of("product_code"), "another-name", [*signup.asserted("full_name"), *others])
    if entries:
        signup.matched_by.append("product code")
    elif not signup.witnesses_of("product_token"):
        signup.findings.append(
            finding(
                "unknown-product",
                f"no product of code {code} is in the config for the day of the signup",
                signup=signup.name,
                field="product_token",
            )
        )


def _token_by_name(signup: Signup, products: Mapping[str, list[Product]]) -> None:
    """By full name only where no witness tells a code, and one product alone bears the name (in that month).

    Not by the name in a log with damage: it may stand in a piece of another one, and nothing else tells the product.
    """
    name, _ = signup.weigh("full_name")
    start = start_of(signup.name)
    if name is None or signup.asserted("bucket_name") or signup.is_damaged(signup.name):
        return
    bearers = [p for entries in products.values() for p in entries if p.full_name == name]
    if start:
        day = start[0][:10]
        bearers = [p for p in bearers if p.is_sold_on(day)]
    if len(bearers) == 1:
        signup.matched_by.append("full name")
        signup.add([bearers[0].token])


def _settle(signup: Signup) -> None:
    for name in SIGNUP_FIELDS:
        facts, heard = signup.witnesses_of(name), signup.heard(name)
        if heard.value:
            signup.values[name] = heard.value
        if heard.is_of_one_mind:
            continue
        if heard.is_contested:
            signup.contested.add(name)
            best = min(map(signup.hearing.standing, facts))
            signup.findings.append(
                finding(
                    "contested-field",
                    f"witnesses of equal standing contradict each other in {name}",
                    signup=signup.name,
                    field=name,
                    locators=tuple(f.locator for f in facts if signup.hearing.standing(f) == best),
                )
            )
        elif heard.value is not None:
            _note_outranked(signup, name, heard.value, facts)


def _note_outranked(signup: Signup, name: str, value: str, facts: Sequence[Fact]) -> None:
    differing = [fact for fact in facts if fact.value != value]
    if not differing:
        return
    standing, channel = signup.hearing.standing, signup.hearing.channel
    others = tuple(f.locator for f in differing if standing(f) <= LAST_ASSERTING_STANDING)
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
    forged = tuple(f.locator for f in differing if standing(f) > LAST_ASSERTING_STANDING and channel(f) != "damaged")
    reasons = {note.reason for fact in differing if fact.channel != REMOTE for note in signup.hearing.notes(fact)}
    is_forged = not reasons or bool(reasons & {"in-error", "went-on"})
    if forged:
        signup.findings.append(
            finding(
                "forged-look-alike",
                f"text that looks like another {name} was not believed",
                signup=signup.name,
                field=name,
                locators=forged,
                remedy=None if is_forged else "none needed; `laeforensics explain` tells why each was not believed",
            )
        )
