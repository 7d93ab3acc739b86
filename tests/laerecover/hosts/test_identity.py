"""Which identity the nodes of a recovered account get, and that it is sealed before anything depends on it."""

import base64
from dataclasses import replace

import pytest

from laerecover.hosts.identity import announced_key, node_keys, parse_furl, tub_id_of, weak_key
from laerecover.hosts.recipes.recipe import INTRODUCER, STORAGE
from laerecover.manifest import Secret, is_node_privkey
from laerecover.ports.refusals import Refusal
from laerecover.rehearsal.twin.hosts import TwinHost

HOST = "192.0.2.7"
PRIVKEY = "priv-v0-" + "inventedprivatekey" * 2 + "inventedprivateq"
NOTHING = {
    "introducer_identity": "ABSENT",
    "introducer_node_pem": None,
    "introducer_furl": None,
    "storage_identity": "ABSENT",
    "server_node_pem": None,
    "server_nodeid": None,
    "grade": "NEW_STORAGE_IDENTITY",
}


def kept(keys):
    """What the vault keeps of them."""
    return {
        "furl": keys.introducer_furl,
        "introducer_node_pem": keys.introducer_node_pem,
        "server_node_pem": keys.server_node_pem,
        "server_node_privkey": keys.server_node_privkey,
    }


def tubs(keys):
    return tub_id_of(keys.introducer_node_pem), tub_id_of(keys.server_node_pem)


def test_the_accounts_own_keys_come_first(make_account):
    """Proved keys and their furl are restored, at the new address, whatever an earlier attempt kept."""
    account = make_account(server_node_privkey=Secret(PRIVKEY))
    other = kept(node_keys(make_account(**NOTHING), {}, public_host=HOST))
    keys = node_keys(account, other, public_host=HOST)
    assert (keys.introducer_node_pem, keys.server_node_pem) == (account.introducer_node_pem, account.server_node_pem)
    assert keys.server_node_privkey == account.server_node_privkey
    assert parse_furl(keys.introducer_furl).same_capability(parse_furl(account.introducer_furl))
    assert parse_furl(keys.introducer_furl).location == f"{HOST}:12345"


def test_new_keys_are_made_once(make_account):
    """What an earlier attempt made and kept is used again, to the letter."""
    account = make_account(**NOTHING)
    first = node_keys(account, {}, public_host=HOST)
    assert node_keys(account, kept(first), public_host=HOST) == first
    assert tubs(node_keys(account, {}, public_host=HOST)) != tubs(first)


def test_a_proved_introducer_without_its_furl_gets_a_new_capability_at_the_old_tub(make_account):
    """NEW_FURL with a proved key: the TubID stays, the swissnum is new, and stays the same from then on."""
    account = make_account(introducer_furl=None, grade="NEW_FURL")
    first = node_keys(account, {}, public_host=HOST)
    assert parse_furl(first.introducer_furl).tub_id == tub_id_of(account.introducer_node_pem)
    assert node_keys(account, kept(first), public_host=HOST) == first


def test_a_new_identity_restores_nothing(make_account):
    """After a break-in neither the account's keys nor what was kept of them come back; the new ones are kept."""
    account = make_account(server_node_privkey=Secret(PRIVKEY))
    restored = node_keys(account, {}, public_host=HOST)
    forced = node_keys(account, kept(restored), public_host=HOST, new_identity=True)
    assert not set(tubs(forced)) & set(tubs(restored))
    assert not parse_furl(forced.introducer_furl).same_capability(parse_furl(account.introducer_furl))
    assert forced.server_node_privkey != account.server_node_privkey
    assert node_keys(account, kept(forced), public_host=HOST, new_identity=True) == forced


@pytest.mark.parametrize("privkey", [PRIVKEY[:-1] + "b", PRIVKEY[:-1], PRIVKEY[:-1] + "A", "priv-v0-x\n\0", ""])
def test_no_node_is_given_a_key_with_which_it_cannot_start(make_bench, make_account, privkey):
    """Its storage node would die of it. A new one is made once, as where none is known; the TubID is restored."""
    account = make_account(server_node_privkey=Secret(privkey))
    keys = node_keys(account, {}, public_host=HOST)
    assert is_node_privkey(keys.server_node_privkey.reveal())
    assert keys.server_node_pem == account.server_node_pem
    assert node_keys(account, kept(keys), public_host=HOST) == keys
    earlier = kept(replace(keys, server_node_privkey=Secret(privkey)))  # as an earlier version kept it
    assert is_node_privkey(node_keys(account, earlier, public_host=HOST).server_node_privkey.reveal())
    bench = make_bench(account)
    assert bench.recover()["outcome"] == "recovered"
    assert is_node_privkey(bench.host_file(f"{STORAGE}/private/node.privkey"))


def test_keys_are_sealed_before_the_host_has_them(make_bench, make_account, monkeypatch):
    """A run that ends before anything reaches the host finds its keys again: the customer never hears of two furls."""
    bench = make_bench(make_account(**NOTHING))

    def broken(self, path, *args, **named):
        if path.startswith(INTRODUCER):
            raise Refusal("no space", kind="disk_full")
        return write(self, path, *args, **named)

    write = TwinHost.write
    with monkeypatch.context() as patch:
        patch.setattr(TwinHost, "write", broken)
        assert bench.recover()["failures"][0]["kind"] == "disk_full"
    sealed = bench.vault.load(bench.work.account.account_id)
    assert bench.recover()["outcome"] == "recovered"
    assert bench.vault.load(bench.work.account.account_id) == sealed
    running = parse_furl(Secret(bench.host_file(f"{INTRODUCER}/private/introducer.furl")))
    assert running.same_capability(parse_furl(sealed["furl"]))


def test_a_forced_identity_reaches_the_host(make_bench, make_account):
    """With `new_identity` the grade's promise does not hold, and the step says that nothing was restored."""
    account = make_account()
    bench = make_bench(account)
    bench.work = replace(bench.work, new_identity=True)
    assert bench.recover()["outcome"] == "recovered"
    values = bench.values("bounce_server")
    assert (values["introducer_restored"], values["storage_restored"]) == (False, False)
    assert values["server_nodeid"] != account.server_nodeid


@pytest.mark.parametrize("field", ["bucket_name", "user_access_key_id"])
def test_a_value_of_two_lines_is_no_configuration(make_bench, make_account, field):
    """A line break in a value would write another line of a configuration file: the account fails, nothing is sent."""
    account = make_account(**{field: "lae-x\nendpoint = https://elsewhere.example.net"})
    bench = make_bench(account)
    assert bench.recover()["failures"][0]["kind"] == "account_unfit"
    assert not [row for row in bench.rows("files") if row["path"].endswith((".conf", "tahoe.cfg"))]


@pytest.mark.parametrize("field", ["bucket_name", "user_access_key_id", "user_secret_key"])
@pytest.mark.parametrize(
    "end", ["\nendpoint = https://elsewhere.example.net", "\0", "\x1b[2J", "\u202e", "\u2028", " "]
)
def test_a_value_that_fits_into_no_configuration_is_found_before_the_launch(operator, make_account, field, end):
    """Bucket, access key, secret key: the account is blocked, its value not shown; the other one is recovered."""
    value = "lae-canary-value" + end
    changes = {field: Secret(value) if field == "user_secret_key" else value}
    unfit = make_account(0, **changes, **({"account_id": value} if field == "bucket_name" else {}))
    someone = operator(unfit, make_account(1))
    made = someone.run()
    first, second = sorted(made.body["accounts"], key=lambda each: each["outcome"])
    assert (first["outcome"], second["outcome"]) == ("blocked", "recovered")
    assert f"UNFIT: its {field} holds" in first["why"]
    assert "files.credentials" in first["why"]
    assert "canary-value" not in first["why"]
    assert len(someone.rows("instances")) == 1


def test_keys_of_2012_are_known_to_be_weak(make_account):
    """RSA of 1024 bits is weak if it is restored; a key that stays behind weakens nobody."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding

    account = make_account()
    assert weak_key(account) is False
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    strong = x509.load_pem_x509_certificate(account.server_node_pem.reveal().encode())
    builder = x509.CertificateBuilder().issuer_name(strong.issuer).subject_name(strong.subject).serial_number(1)
    builder = builder.not_valid_before(strong.not_valid_before_utc).not_valid_after(strong.not_valid_after_utc)
    certificate = builder.public_key(key.public_key()).sign(key, hashes.SHA256())
    old = Secret(certificate.public_bytes(Encoding.PEM).decode())
    assert weak_key(replace(account, server_node_pem=old)) is True
    assert weak_key(replace(account, server_node_pem=old, storage_identity="BROKEN")) is False


def test_a_privkey_announces_itself_as_tahoe_lafs_has_it():
    """The key of RFC 8032's first test, in Tahoe-LAFS's letters; what starts no node announces nothing."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    letters = [base64.b32encode(each).decode().lower().rstrip("=") for each in (seed, public)]
    assert announced_key(Secret(f"priv-v0-{letters[0]}\n")) == f"v0-{letters[1]}"
    assert announced_key(Secret("priv-v0-invented")) == ""
