"""Whether what stands in a log is the log of its name, which may be another's, or stand above another's head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from laeforensics.companions.products import Product
from laeforensics.companions.sources import Sources
from laeforensics.doubting.signups import Signup
from laeforensics.evidence.names import s4_name, start_of
from laeforensics.facts.buckets import bears_seed, product_code_of, seed_of
from laeforensics.facts.fields import COURSE, fields_of
from laeforensics.facts.findings import finding
from laeforensics.facts.reasons import REASONS
from laeforensics.joining._csv_rows import cells
from laeforensics.joining._customers import REQUEST_TO_LOG, moment
from laeforensics.parsing.logs import SignupLog
from laeforensics.parsing.stages import BEFORE_DEPLOYMENT


def codes_by_seed(signups: Sequence[Signup]) -> dict[str, dict[str, str]]:
    """By the seed in a bucket's name: the product codes that logs tell with it, each with the log."""
    codes: dict[str, dict[str, str]] = {}
    for signup in signups:
        bucket, _ = signup.weigh("bucket_name")
        seed, code = seed_of(bucket or ""), product_code_of(bucket or "")
        if seed and code:
            codes.setdefault(seed, {})[signup.name] = code
    return codes


def doubt_name(signup: Signup, sources: Sources, codes: Mapping[str, Mapping[str, str]]) -> None:
    """A whole signup whose bucket bears another seed than its file.

    It was renamed, or is the head of one log with the rest of another. It is believed as renamed if a csv row ties the
    activation key at its head to the product and the e-mail of its rest, or if its head cannot be that of the file's
    name; without the key, if a secrets file ties its access key to its bucket; else nothing of it is sure. A user token
    beside access key and bucket ties nothing: where the line of the bucket begins another log's rest, every byte is the
    same.
    """
    start = start_of(signup.name)
    bucket, _ = signup.weigh("bucket_name")
    key, _ = signup.weigh("activation_key")
    told = signup.stage_names
    if start is not None and not signup.witnesses_of("bucket_name"):
        _doubt_head(signup, start[0], sources)
    if start is None or bucket is None or bears_seed(bucket, start[1]) or not told & BEFORE_DEPLOYMENT:
        return
    code = product_code_of(bucket)
    email, _ = signup.weigh("customer_email")
    rows = [*sources.activations.get(key, ()), *sources.signups.get(key, ())] if key else []
    agreeing = [r for r in rows if r.value("product_code") == code and email in (None, r.value("customer_email"))]
    if email is None and len({tuple(cells(r)) for r in rows}) != 1:
        agreeing = []
    # The e-mail stands at the end of a log: its row ties the head to it. Without it, a request of the second that the
    # file's name tells is the name's.
    own_second = any(abs(moment(r.time) - moment(start[0])) <= REQUEST_TO_LOG for r in rows)
    is_renamed = _is_head_of_another(signup, sources.products, code, codes.get(start[1], {}))
    if is_renamed or (agreeing and (email is not None or not own_second)):
        sources.seeds_of_renamed.add(seed_of(bucket))
        signup.findings.append(finding("renamed-log", f"its bucket {bucket} bears another seed", signup=signup.name))
        return
    access_key, _ = signup.weigh("user_access_key_id")
    tied = access_key is not None and any(
        sources.value(file, "user_access_key_id") == access_key for file in sources.secrets_of(bucket)
    )
    for name in ("activation_key",) if tied else signup.witnesses:
        if name not in fields_of(COURSE):
            signup.doubt(signup.witnesses_of(name), "nothing-ties-head", signup.asserted("bucket_name"))
    signup.findings.append(
        finding(
            "several-signups",
            f"the bucket {bucket} bears another seed than the file's name, and nothing ties head and rest together",
            signup=signup.name,
        )
    )


def _doubt_head(signup: Signup, began: str, sources: Sources) -> None:
    """A log that tells no bucket, and an activation key that was sent in at other times alone than its name tells.

    If another key was sent in then, or its layout knows none, its head is another log's, which lies over its own:
    nothing that it tells is the name's. (A log in which nothing is broken was renamed: it tells of itself.)
    """
    if not _is_broken(signup):
        return
    key, _ = signup.weigh("activation_key")
    rows = sources.activations.get(key or "", [])
    if not rows or any(abs(moment(row.time) - moment(began)) <= REQUEST_TO_LOG for row in rows):
        return
    if s4_name(signup.name) is not None or sources.keys_sent_in(began, REQUEST_TO_LOG):
        for name in signup.witnesses:
            told = signup.witnesses_of(name)
            is_course = name in fields_of(COURSE)
            head = (f for f in told if not is_course or f.value in BEFORE_DEPLOYMENT)
            signup.doubt(head, "other-moment", (f for row in rows for f in row.of("activation_key")))
        what = "its activation key was sent in at another time than its name tells: it may have another log's head"
        signup.findings.append(finding("several-signups", what, signup=signup.name))


def _is_broken(signup: Signup) -> bool:
    """True if lines of its log are missing, or cannot be read."""
    facts = signup.log.facts if signup.log is not None else ()
    if any(note.reason == "nothing-ties" for fact in facts for note in signup.hearing.notes(fact)):
        return True
    return signup.log is not None and signup.is_damaged(signup.log.evidence)


def _is_head_of_another(
    signup: Signup, products: Mapping[str, Sequence[Product]], code: str | None, told: Mapping[str, str]
) -> bool:
    """True if the product that a whole log's head names is that of its bucket, and not that of the file's own signup.

    That one's bucket, which bears the seed of the file's name, another log tells.
    """
    if signup.log is None or signup.is_damaged(signup.name) or _is_mixed(signup, signup.log):
        return False
    name, _ = signup.weigh("full_name")
    own = [_names_of(products, each) for log, each in told.items() if log != signup.name]
    return name in _names_of(products, code) and bool(own) and all(names and name not in names for names in own)


def _is_mixed(signup: Signup, log: SignupLog) -> bool:
    """True if something in the file was shown to be of another run."""
    return any(REASONS[note.reason].channel == "foreign" for fact in log.facts for note in signup.hearing.notes(fact))


def _names_of(products: Mapping[str, Sequence[Product]], code: str | None) -> set[str]:
    return {p.full_name for p in products.get(code or "", ()) if p.full_name}
