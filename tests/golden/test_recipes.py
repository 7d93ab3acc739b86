"""What each recipe does to a host, word for word: commands, files with owner and mode, services in order of start."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pytest
from doors import RECIPES, Account, Command, NodeKeys, Recipe, Secret, Site, phase_digest, phase_script, recipe_named
from goldens import HERE, hold

MONITOR = "ssh-ed25519 AAAAinvented monitor"
BUCKET = "lae-0c4e91d7-inventedseedinventedseedinvented"
# A certificate of RSA-1024 as Tahoe-LAFS made it in 2012, and one of today; the keys below them are no keys.
CERTIFICATES = (HERE / "certificates.pem").read_text("ascii").split("\n\n")


def account() -> Account:
    """A DevPay customer with everything known."""
    return Account(
        account_id=BUCKET,
        verdict="RECOVERABLE",
        bucket_name=BUCKET,
        user_access_key_id="AKIAINVENTEDKEYID234",
        user_secret_key=Secret("invented/secret+key"),
        user_token=Secret("{UserToken}invented=="),
        product_token=Secret("{ProductToken}invented=="),
    )


def site() -> Site:
    """That customer's new server."""
    introducer, storage = (Secret(f"{text.strip()}\n-----NO KEY-----") for text in CERTIFICATES)
    tub_id = "inventedtubidinventedtubidinvent"
    keys = NodeKeys(
        introducer_node_pem=introducer,
        introducer_furl=Secret(f"pb://{tub_id}@192.0.2.7:12345/inventedswissnum"),
        server_node_pem=storage,
        server_node_privkey=Secret("priv-v0-invented"),
    )
    return Site(
        account=account(),
        public_host="192.0.2.7",
        private_host="10.0.0.7",
        keys=keys,
        s3_endpoint="https://s3.example.org",
        session_token=True,
    )


PINNED = re.compile(r"(?<=<<'LAE_FILE'\n)\S+==.*?(?=\nLAE_FILE\n)", re.DOTALL)


def _named(pinned: re.Match[str]) -> str:
    """Of two thousand lines of digests: how many, and the digest of all."""
    count = len(re.findall("^[a-z]", pinned[0], re.MULTILINE))
    return f"‹{count} packages pinned, sha256 {hashlib.sha256(pinned[0].encode()).hexdigest()}›"


def transcript(recipe: Recipe) -> str:
    """All that reaches the host, in order."""
    lines: list[str] = []

    def tell(commands: tuple[Command, ...]) -> None:
        for command in commands:
            lines.extend((f"== {command.name} as {command.user}", PINNED.sub(_named, command.script).rstrip("\n")))

    tell(recipe.before_reboot())
    lines.append("== reboot")
    tell(recipe.after_reboot(MONITOR))
    tell(recipe.patches())
    for service in recipe.services(site()):
        for file in service.files:
            lines.extend((f"== {file.path} {file.mode:04o} {file.owner}", file.content.reveal().rstrip("\n")))
        lines.append(f"== start {service.name}")
        tell(service.proofs)
    questions = (recipe.announced("inventednodeidinventednodeidinve"), recipe.patched())
    tell(tuple(filter(None, questions)))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_does_exactly_this(name: str) -> None:
    """Every command, file, mode and start is the one in the transcript; a change of either is a decision."""
    hold(f"recipe-{name}.txt", transcript(recipe_named(name)))


def phases(recipe: Recipe) -> Iterator[tuple[str, tuple[Command, ...]]]:
    """The commands that travel together, as a host gets them."""
    yield "before the reboot", recipe.before_reboot()
    yield "after the reboot", recipe.after_reboot(MONITOR)
    yield from ((f"proofs of {service.name}", service.proofs) for service in recipe.services(site()) if service.proofs)


def test_a_half_made_host_is_known_again() -> None:
    """Markers and phases on hosts are called by digests: a byte more in a script, and what is done is done again."""
    lines: list[str] = []
    for name in RECIPES:
        for when, commands in phases(recipe_named(name)):
            sent = hashlib.sha256(phase_script(commands).encode()).hexdigest()
            lines += [f"{name}, {when}", f"  phase {phase_digest(commands)}", f"  as sent {sent}"]
            lines += [f"  {command.marker} {command.digest}" for command in commands] + [""]
    hold("recipe-markers.txt", "\n".join(lines))


@pytest.mark.parametrize("name", RECIPES)
def test_no_secret_is_in_a_command(name: str) -> None:
    """Scripts can be seen in process lists and logs: what is secret travels in files alone, none of them wide open."""
    recipe, here = recipe_named(name), site()
    services = recipe.services(here)
    scripts = [
        *recipe.before_reboot(),
        *recipe.after_reboot("ssh-ed25519 AAAA"),
        *recipe.patches(),
        *(p for s in services for p in s.proofs),
        *filter(None, [recipe.announced("inventednodeid")]),
    ]
    secrets = ("invented/secret+key", "UserToken", "ProductToken", "inventedswissnum", "NO KEY", "priv-v0")
    assert [(c.name, s) for c in scripts for s in secrets if s in c.script] == []
    holding = [f for service in services for f in service.files if any(s in f.content.reveal() for s in secrets)]
    assert len(holding) >= 5
    assert [f.path for f in holding if f.mode & 0o007 or f.owner != "customer"] == []


def test_tokens_stay_at_home_unless_the_store_wants_them() -> None:
    """DevPay is gone: user and product token travel only where the settings say so."""
    here = site()
    quiet = Site(account=here.account, public_host="192.0.2.7", private_host="h", keys=here.keys)
    texts = [file.content.reveal() for service in recipe_named("tahoe").services(quiet) for file in service.files]
    assert [text for text in texts if "Token" in text] == []
    assert any("provider = AWS\n" in text and "endpoint" not in text for text in texts)
