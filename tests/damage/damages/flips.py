"""Single bits turned over: in values, in the labels and keys before them, in announcements, anywhere."""

from __future__ import annotations

from collections.abc import Callable

from damages.classes import damage
from damages.effects import Edit
from damages.hurting import Hurt
from damages.texts import CREDENTIALS, IDENTITY, line_at
from damages.witnesses import CONFIG, CSV_FILES, FAILED, READY, Witness


def turned(hurt: Hurt, data: bytes, start: int, end: int) -> Edit:
    """One bit turned over in a byte between start and end, so that a letter or digit stays one: nothing shows it."""
    rng = hurt.rng
    for _ in range(200):
        at = rng.randrange(start, end)
        new = data[at] ^ (1 << rng.randrange(7))
        if chr(data[at]).isalnum() and chr(new).isalnum():
            return at, at + 1, bytes([new])
    at = rng.randrange(start, end)
    return at, at + 1, bytes([data[at] ^ 1])


def _flip(hurt: Hurt, witness: Witness) -> None:
    data = hurt.written.files[witness.path]
    hurt.edit(witness.path, turned(hurt, data, witness.start, witness.end))


def _flip_in(hurt: Hurt, paths: list[str], fields: tuple[str, ...], which: str = "any") -> None:
    """In half of the files that tell one of the fields: one bit of one place (the first, the last, any) that does."""
    told = {path: [w for w in hurt.written.of_file(path) if w.field in fields] for path in paths}
    for path in hurt.some([path for path in paths if told[path]]):
        field = hurt.rng.choice(sorted({w.field for w in told[path]}))
        places = sorted((w for w in told[path] if w.field == field), key=lambda w: w.start)
        _flip(hurt, {"first": places[0], "last": places[-1]}.get(which, hurt.rng.choice(places)))


def _logs(hurt: Hurt) -> list[str]:
    return [str(each.log) for each in hurt.logs()]


def _secrets(hurt: Hurt) -> list[str]:
    return [str(each.secrets) for each in hurt.secrets()]


_SERVER = ("instance_id", "launch_time", "public_host", "private_host")
# Which of the places that tell the field: the first, the last, or any.
_OF_LOGS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("log-flip-credentials", CREDENTIALS, "first"),
    ("log-flip-user-token-repeated", ("user_token",), "last"),
    ("log-flip-bucket-name", ("bucket_name",), "any"),
    ("log-flip-email-first", ("customer_email",), "first"),
    ("log-flip-email-last", ("customer_email",), "last"),
    ("log-flip-server", _SERVER, "any"),
    ("log-flip-furl", ("introducer_furl",), "any"),
    ("log-flip-activation-key", ("activation_key",), "any"),
    ("log-flip-identity", IDENTITY, "any"),
)
_OF_SECRETS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("secrets-flip-credentials", (*CREDENTIALS, "product_token")),
    ("secrets-flip-server", ("bucket_name", "public_host", "private_host", "introducer_furl", "server_node_privkey")),
    ("secrets-flip-identity", IDENTITY),
)


def _of_log(name: str, fields: tuple[str, ...], which: str) -> None:
    what = f"one bit in one place ({which}) that tells it, in half of the logs: {', '.join(fields)}"

    @damage(name, what, alone="logs")
    def make(hurt: Hurt) -> None:
        _flip_in(hurt, _logs(hurt), fields, which)


def _of_secrets(name: str, fields: tuple[str, ...]) -> None:
    @damage(name, f"one bit in one of these values, in half of the secrets files: {', '.join(fields)}", alone="secrets")
    def make(hurt: Hurt) -> None:
        _flip_in(hurt, _secrets(hurt), fields)


for _each in _OF_LOGS:
    _of_log(*_each)
for _one in _OF_SECRETS:
    _of_secrets(*_one)


def _key_flip(hurt: Hurt, path: str, before: Callable[[bytes, Witness], int]) -> None:
    """One bit in the label before a value."""
    data = hurt.written.files[path]
    told = [w for w in hurt.written.of_file(path) if w.kind != "relayed" and w.field not in (READY, FAILED)]
    named = [(before(data, w), w) for w in told]
    fit = [(start, w) for start, w in named if 0 <= start < w.start - 2]
    if fit:
        start, witness = hurt.rng.choice(fit)
        hurt.edit(path, turned(hurt, data, start, witness.start - 2))


@damage("log-flip-label", "one bit in the label of a printed value, in half of the logs", alone="logs")
def label(hurt: Hurt) -> None:
    for path in hurt.some(_logs(hurt)):
        _key_flip(hurt, path, lambda data, w: line_at(data, w.start)[0])


@damage("secrets-flip-key", "one bit in the key of a value, in half of the secrets files", alone="secrets")
def key(hurt: Hurt) -> None:
    for path in hurt.some(_secrets(hurt)):
        _key_flip(hurt, path, lambda data, w: data.rfind(b'"', 0, w.start - 4) + 1)


@damage("log-flips-scattered", "forty bits anywhere, in half of the logs", alone="logs")
def scattered(hurt: Hurt) -> None:
    for path in hurt.some(_logs(hurt)):
        data = hurt.written.files[path]
        places = sorted(hurt.rng.sample(range(len(data)), min(40, len(data) // 50)))
        hurt.edit(path, *((at, at + 1, bytes([data[at] ^ (1 << hurt.rng.randrange(8))])) for at in places))


def _rows_flipped(hurt: Hurt, paths: tuple[str, ...], fields: tuple[str, ...]) -> None:
    for path in paths:
        told = [w for w in hurt.written.of_file(path) if w.field in fields]
        places = sorted({(w.start, w.end) for w in hurt.some(told, 0.3)})
        edits = [turned(hurt, hurt.written.files[path], start, end) for start, end in places]
        if edits:
            hurt.edit(path, *edits)


@damage("csv-flip-customer", "one bit in a third of the cells with a name, an address or key information")
def csv_customer(hurt: Hurt) -> None:
    _rows_flipped(hurt, CSV_FILES, ("customer_name", "customer_email", "customer_keyinfo"))


@damage("config-flip-token", "one bit in the tokens of half of the products that were bought")
def config_token(hurt: Hurt) -> None:
    _rows_flipped_once(hurt, "product_token")


def _rows_flipped_once(hurt: Hurt, field: str) -> None:
    places = sorted({(w.start, w.end) for w in hurt.written.of_file(CONFIG) if w.field == field})
    data = hurt.written.files[CONFIG]
    hurt.edit(CONFIG, *(turned(hurt, data, start, end) for start, end in sorted(hurt.some(places))))
