"""Where nobody can know better: another sound folder that another damage makes into the very same bytes.

A *story* builds for one account that folder, with another value in it, and does the other damage to it. It is believed
only where every byte of both outcomes is the same. Then no reader can tell the two truths apart, and it is right to
leave the account to a human: it is **set aside**.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from damages.classes import apply
from damages.hurting import Damaged
from damages.texts import CREDENTIALS
from damages.witnesses import CONFIG, CSV_FILES, Witness
from damages.written import Written
from evidence_writer.products import CATALOGUE

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Other:
    """Another truth of an account: what a field is there, the sound folder, and what another damage makes of it."""

    field: str
    value: str
    sound: Files
    damaged: Files


Story = Callable[[str, Written, Damaged, str], Other | None]
STORIES: dict[str, Story] = {}


def _of(*classes: str) -> Callable[[Story], Story]:
    def register(story: Story) -> Story:
        STORIES.update(dict.fromkeys(classes, story))
        return story

    return register


def other_truth(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """The other truth of an account under a class of damage; None where the bytes differ, or no story is known."""
    story = STORIES.get(name)
    other = story(name, written, damaged, account) if story is not None else None
    if other is None or other.damaged != damaged.files or other.value in written.truths[account].values[other.field]:
        return None
    return other


def _invented(value: str) -> str:
    """Another value of the same shape and length: its middle reversed."""
    start, end = min(40, len(value) // 2), len(value) - 4
    return value[:start] + value[start:end][::-1] + value[end:]


def _files_of(written: Written, account: str) -> list[str]:
    """The logs with their copies, and the secrets files of an account."""
    logs = [path for path, truth in written.logs.items() if truth.account == account]
    return sorted({*logs, *(left.secrets for left in written.left if left.account == account and left.secrets)})


def _exchanged(files: Files, paths: Iterable[str], *values: tuple[str, str]) -> dict[str, bytes]:
    """The files, with values in all of these paths (that are there) replaced by others."""
    after = dict(files)
    for path in after.keys() & set(paths):
        for old, new in values:
            after[path] = after[path].replace(old.encode(), new.encode())
    return after


def _is_re_recorded(written: Written, account: str) -> bool:
    """True if values were read out of its server, too: who told them first did not fill that file."""
    return any(left.account == account and left.role == "re-record" for left in written.left)


def _secrets_telling(written: Written, account: str, field: str) -> list[Witness]:
    return [w for w in written.of_account(account, field) if w.kind == "secrets"]


@_of("secrets-sector-zero-512", "secrets-sector-zero-4096", "secrets-sector-foreign-512")
def _other_token_below_the_sector(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """The secrets file told another product token than the configuration does, where the sector is now."""
    told = _secrets_telling(written, account, "product_token")
    if not told:
        return None
    old = told[0].value
    sound = _exchanged(written.files, {w.path for w in told}, (old, _invented(old)))
    return Other("product_token", _invented(old), sound, apply(name, replace(written, files=sound)).files)


def freed(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """The other truth of an account that its secrets files contest: there, nothing did."""
    for story in (_offered_what_is_told, _told_what_is_offered):
        other = story(name, written, damaged, account)
        if other is not None and other.damaged == damaged.files:
            return other
    return None


def _offered_what_is_told(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """The configuration offered what the secrets files tell, before it was replaced by that of another time."""
    told = {w.value for w in _secrets_telling(written, account, "product_token")}
    offered = {w.value for w in written.of_account(account, "product_token") if w.kind == "config"}
    if len(told) != 1 or len(offered) != 1 or written.files[CONFIG] == damaged.files.get(CONFIG):
        return None
    new = told.pop()
    sound = _exchanged(written.files, {CONFIG}, (offered.pop(), new))
    return Other("product_token", new, sound, apply(name, replace(written, files=sound)).files)


def _told_what_is_offered(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """The secrets files begin with a piece of another, whatever the class.

    There they told the product token that is offered, so that nothing was contested; with a head like that, whose tail
    is their own, they are the very same bytes. None where anything else tells the token that contests.
    """
    told = _secrets_telling(written, account, "product_token")
    offered = {w.value for w in written.of_account(account, "product_token") if w.kind == "config"}
    if len({w.value for w in told} | offered) != 2 or len(offered) != 1:
        return None
    old, new = told[0].value, offered.pop()
    if any(w.value == old and w.kind != "secrets" for w in written.of_account(account, "product_token")):
        return None
    sound = _exchanged(written.files, {w.path for w in told}, (old, new))
    after = dict(damaged.files)
    for path in sorted({w.path for w in told} & after.keys()):
        own, tail = sound[path], 0
        while tail < min(len(own), len(after[path])) and own[-1 - tail] == after[path][-1 - tail]:
            tail += 1
        head = after[path][: len(after[path]) - tail]
        if not any(head in data for name, data in sound.items() if name != path):
            return None
        after[path] = head + own[len(own) - tail :]
    return Other("product_token", new, sound, after)


@_of("secrets-access-key-shared", "secrets-secret-of-another")
def _the_other_file_has_the_strange_key(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """The key is the other customer's, and stands in this one's file as well: nothing else tells of either.

    (A replacement's file is filled from the first, so it has what that has.)
    """
    field = "user_secret_key" if name == "secrets-secret-of-another" else "user_access_key_id"
    mine = _secrets_telling(written, account, field)
    if not mine or _is_re_recorded(written, account):
        return None
    theirs = [w for w, effect in damaged.touched.items() if w.field == field and effect != "tied"]
    theirs = [w for w in theirs if mine[0].value.encode() in damaged.files.get(w.path, b"")]
    if len(theirs) != 1:
        return None
    shared, lost = mine[0].value, theirs[0].value
    own = "AKIA" + shared[:3:-1] if field == "user_access_key_id" else shared[::-1]
    sound = _exchanged(written.files, _files_of(written, account), (shared, own))
    sound = _exchanged(sound, _files_of(written, theirs[0].account), (lost, shared))
    after = _exchanged(sound, [w.path for w in mine], (own, shared))
    here = {*_files_of(written, account), *_files_of(written, theirs[0].account)}
    return Other(field, own, sound, _beside(after, damaged, here))


def _beside(after: Files, damaged: Damaged, here: set[str]) -> Files:
    """These files, and all others as they are: what was done to others was done there, too; what is lost is lost."""
    return {path: after[path] if path in here else data for path, data in damaged.files.items()}


@_of("logs-exchanged")
def _rests_exchanged(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """Not the names of two logs were exchanged, but what follows in them from the line of the bucket on."""
    path = next((new for new, old in damaged.origins.items() if written.logs[old].account == account), None)
    if path is None or path not in damaged.files:
        return None
    here = damaged.origins[path]
    (head, rest), (other_head, other_rest) = (_parted(written.files[each]) for each in (here, path))
    if not rest or not other_rest or _spelled(head) != _spelled(other_head):
        return None  # a program of another day, or for a product of another name, would not have printed that head
    if {here, path} & set(written.copies.values()):
        return None  # the copy tells head and rest together
    accounts = [written.logs[each].account for each in (here, path)]
    sound, mixed = dict(written.files), {here, path}
    for field in ("activation_key", *CREDENTIALS):
        one, other = (next((w.value for w in written.of_account(each, field)), "") for each in accounts)
        telling = {w.path for each in accounts for w in written.of_account(each, field)} - {here, path}
        sound = _exchanged(sound, telling, (one, "\0"), (other, one), ("\0", other)) if one and other else sound
        mixed |= telling
    sound |= {here: other_head + rest, path: head + other_rest}
    after = {**sound, here: other_head + other_rest, path: head + rest}
    value = next(w.value for w in written.of_file(path) if w.field == "user_access_key_id")
    return Other("user_access_key_id", value, sound, _beside(after, damaged, mixed))


@_of("codes-replaced")
def _sold_under_another_code(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """The bucket bears another code of the products that have the name of the one sold."""
    others = (named(written, damaged, account, f"lae-{p.code.lower()}-{account[13:]}") for p in CATALOGUE)
    return next(filter(None, others), None)


def named(written: Written, damaged: Damaged, account: str, bucket: str) -> Other | None:
    """The account has this name, of a product of one full name; its code was replaced by what stands there now."""
    names, codes = {each.code.lower(): each.full_name for each in CATALOGUE}, (account[4:12], bucket[4:12])
    if codes[0] == codes[1] or bucket[13:] != account[13:] or len({names.get(code, code) for code in codes}) > 1:
        return None
    key = next((w.value for w in written.of_account(account, "activation_key")), "\0")
    own = set(_files_of(written, account))
    now = re.search(rb"lae-(\w{8})-" + account[13:].encode(), b"".join(damaged.files.get(path, b"") for path in own))
    put = now[1].decode() if now else codes[1]
    old, new, then = ((f"lae-{code}-{account[13:]}", f"{key},{code.upper()}") for code in (*codes, put))
    sound = _exchanged(written.files, {*own, *CSV_FILES}, *zip(old, new, strict=True))
    after = _exchanged(sound, {*CSV_FILES, *(own & written.logs.keys())}, *zip(new, then, strict=True))
    is_same = _rows_with(key, after) == _rows_with(key, damaged.files)
    after = _beside(after, damaged, own)
    return Other("bucket_name", bucket, sound, after) if is_same and after == damaged.files else None


def _rows_with(key: str, files: Files) -> list[bytes]:
    return [row for path in CSV_FILES for row in files.get(path, b"").splitlines() if key.encode() in row]


_WHILE_WAITING = (">Waiting another 30 seconds...>", "DevPay License subscription active? False")


def _parted(log: bytes) -> tuple[bytes, bytes]:
    """A log before and from the line on that first tells its bucket."""
    at = log.find(b"bucketname = ")
    return (log[:at], log[at:]) if at >= 0 else (log, b"")


def _spelled(head: bytes) -> list[str]:
    """How a head is written, the product's name in it: but for values, and how often the program had to ask."""
    lines = re.sub(rb"'[^'\n]*'", b"''", head).decode("latin-1").splitlines()
    return list(dict.fromkeys(line for line in lines if line not in _WHILE_WAITING))


@_of("csv-row-of-another")
def _row_of_a_lost_customer(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """The customer is who signed up with the next key, too; the row that was his first is a stranger's, now lost."""
    keys = {w.value.encode() for w in written.of_account(account, "activation_key")}
    sound, after, emails = dict(written.files), dict(damaged.files), set[str]()
    for path, column in (("activation_requests.csv", 4), ("signups.csv", 5)):
        own = [row for row in written.files[path].splitlines(True) if keys & set(row.split(b","))]
        extra = [row for row in damaged.files.get(path, b"").splitlines(True) if keys & set(row.split(b","))]
        extra = [row for row in extra if row not in own]
        if not extra:
            continue
        if len(own) != 1 or len(extra) != 1:
            return None
        sound[path] = written.files[path].replace(own[0], extra[0])
        others = [row for row in damaged.files[path].splitlines(True) if row not in own]
        after[path] = b"".join(sorted([*others, own[0]]))
        emails.add(extra[0].split(b",")[column].decode())
    told = [w for w in written.of_account(account, "customer_email") if w.kind in ("log", "secrets")]
    return Other("customer_email", emails.pop(), sound, after) if len(emails) == 1 and not told else None


@_of("log-token-misread", "log-token-of-the-one-before", "log-keys-of-the-one-before")
def _secrets_are_wrong(name: str, written: Written, damaged: Damaged, account: str) -> Other | None:
    """The logs are right: all secrets files were misread, or have the keys of the signup after theirs.

    So has the log of the first signup, then: it is set aside, too. (A replacement's file is filled from the first, so
    it has what that has; what was read out of a server is no such file.)
    """
    fields = ("user_token",) if "token" in name else CREDENTIALS
    told = {each: dict(_changes(written, damaged, each, fields)) for each in sorted(written.truths)}
    first = {w.field: w.value for field in fields for w in written.of_account(account, field) if w.kind == "log"}
    is_first = not told[account] and first.get(fields[0]) in {c[fields[0]][1] for c in told.values() if fields[0] in c}
    if not (is_first or fields[0] in told[account]) or _is_re_recorded(written, account):
        return None
    now = {new for changes in told.values() for _, new in changes.values()}
    sound, after = dict(damaged.files), dict(damaged.files)
    for each, changes in told.items():
        here = {left.secrets for left in written.left if left.account == each and left.secrets} & sound.keys()
        pairs = list(changes.values())
        own = {w.value for field in fields for w in written.of_account(each, field) if w.kind == "log"}
        if not changes and own & now:  # the first of all: in that world nothing tells his own keys any more
            here, pairs = set(_files_of(written, each)) & sound.keys(), [(value, _invented(value)) for value in own]
        sound = _exchanged(sound, here, *pairs)
        done = _exchanged(sound, here, *((new, old) for old, new in pairs))
        after |= {path: done[path] for path in here}
    value = _invented(first[fields[0]]) if is_first else told[account][fields[0]][1]
    return Other(fields[0], value, sound, after)


_LABELS = {"user_access_key_id": b"access_key_id", "user_secret_key": b"secret_key", "user_token": b"usertoken"}


def _changes(
    written: Written, damaged: Damaged, account: str, fields: Iterable[str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """The fields that a log tells otherwise in all its prints, with what it told, and what it tells now."""
    for field in fields:
        prints = [w for w in written.of_account(account, field) if w.kind == "log" and w in damaged.touched]
        prints = [w for w in prints if w.path in damaged.files]
        if prints:
            line = rb"^" + _LABELS[field] + rb" = '([^'\n]*)'"
            found = re.findall(line, damaged.files[prints[0].path], re.MULTILINE)
            new = {value.decode() for value in found} - {prints[0].value}
            if len(new) == 1:
                yield field, (prints[0].value, new.pop())
