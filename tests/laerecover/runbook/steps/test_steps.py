"""The HOWTO's steps in a twin world: what each leaves behind, and what it does when the world says no."""

import hashlib
from dataclasses import replace

import pytest

from calm_twin import NO_FAULTS
from laerecover.hosts.host_keys import HOST_KEY_FILE, HOST_KEY_PUBLIC, derive_host_key, fingerprint
from laerecover.hosts.identity import new_node_pem, parse_furl, tub_id_of
from laerecover.hosts.recipes.recipe import INTRODUCER, STORAGE
from laerecover.mail.outbox import CONFIRMATION
from laerecover.manifest import Secret
from laerecover.ports.refusals import NotListening, Refusal, Transient
from laerecover.ports.services import ServerRow
from laerecover.rehearsal.twin.services import TwinRegister
from laerecover.rehearsal.twin.world import TwinFaults
from laerecover.runbook.values import DEPLOY, INSTALL, STEPS, WAIT


def test_a_recovery_leaves_one_instance_one_row_one_watch_and_one_held_mail(make_bench):
    """An undisturbed recovery has exactly one effect of each kind."""
    bench = make_bench()
    assert bench.recover() == {"outcome": "recovered", "failures": [], "notice_failed": ""}
    assert [e.step for e in bench.effects if e.ok] == list(STEPS)
    assert [len(bench.rows(t)) for t in ("instances", "serverinfo", "monitored", "mailbox")] == [1, 1, 1, 0]
    assert [mail.state for mail in bench.outbox.all()] == ["held"]


def test_a_second_round_finds_everything_and_does_nothing(make_bench):
    """Running a whole recovery again adds no effect to the world."""
    bench = make_bench()
    bench.recover()
    before = len(bench.rows("effects"))
    again = make_bench()
    assert again.recover()["outcome"] == "recovered"
    assert len(again.rows("effects")) == before


@pytest.mark.parametrize("seed", range(6))
def test_lost_connections_double_nothing(make_bench, seed):
    """However many answers are lost after the effect, each effect happens once."""
    faults = TwinFaults(connection_lost=0.3, throttled=0.3, monitoring_down=0.5, mail_busy=0.5, slowness=0)
    bench = make_bench(name=f"bench{seed}", faults=faults, mail="send")
    bench.file.seed = str(seed)
    assert bench.recover() == {"outcome": "recovered", "failures": [], "notice_failed": ""}
    assert [len(bench.rows(t)) for t in ("instances", "serverinfo", "monitored", "mailbox")] == [1, 1, 1, 1]
    assert len([r for r in bench.rows("effects") if r["effect"] == "start introducer"]) == 1


def test_identity_kept_is_what_runs(make_bench, make_account):
    """With proved identities the host runs with the old TubID, the old swissnum and the old node id."""
    account = make_account()
    bench = make_bench(account)
    bench.recover()
    running = parse_furl(Secret(bench.host_file(f"{INTRODUCER}/private/introducer.furl")))
    assert running.same_capability(parse_furl(account.introducer_furl))
    assert bench.values("bounce_server")["server_nodeid"] == account.server_nodeid
    kept = bench.vault.load(account.account_id)["furl"].reveal()
    host = bench.values("wait_for_ec2_addresses")["public_host"]
    assert kept == running.at(host).reveal()
    assert f"@{host}:12345/" in kept


def test_the_storage_node_gets_the_files_of_2012(make_bench, make_account):
    """tahoe.cfg names bucket, key id and the introducer's furl; the S3 secrets are files of mode 0440."""
    account = make_account()
    bench = make_bench(account)
    bench.work = replace(bench.work, settings=bench.work.settings.changed(recipe={"name": "legacy-2012-s3"}))
    bench.recover()
    cfg = bench.host_file(f"{STORAGE}/tahoe.cfg")
    assert f"nickname = {account.bucket_name}" in cfg
    assert f"s3.access_key_id = {account.user_access_key_id}" in cfg
    assert f":12345,127.0.0.1:12345/{parse_furl(account.introducer_furl).swissnum.reveal()}\n" in cfg
    facts = {r["path"]: r for r in bench.rows("files")}
    for name, secret in (
        ("s3secret", account.user_secret_key),
        ("s3usertoken", account.user_token),
        ("s3producttoken", account.product_token),
    ):
        row = facts[f"{STORAGE}/private/{name}"]
        assert (row["mode"], row["owner"]) == (0o440, "customer")
        assert row["sha256"] == hashlib.sha256(secret.reveal().encode()).hexdigest()


def test_an_absent_introducer_key_gives_a_new_furl_that_is_kept_sealed(make_bench, make_account):
    """Without the old key the host makes one, and its furl is in the state folder before the mail is written."""
    account = make_account(introducer_identity="ABSENT", introducer_node_pem=None, grade="NEW_FURL")
    bench = make_bench(account)
    assert bench.recover()["outcome"] == "recovered"
    kept = bench.vault.load(account.account_id)
    assert parse_furl(kept["furl"]).tub_id == tub_id_of(kept["introducer_node_pem"])
    assert not parse_furl(kept["furl"]).same_capability(parse_furl(account.introducer_furl))
    assert bench.values("bounce_server")["introducer_restored"] is False
    assert bench.values("bounce_server")["storage_restored"] is True


def test_a_broken_key_is_never_restored(make_bench, make_account):
    """A BROKEN storage identity stays behind; the host gets a new one."""
    account = make_account(storage_identity="BROKEN", grade="NEW_STORAGE_IDENTITY")
    bench = make_bench(account)
    assert bench.recover()["outcome"] == "recovered"
    assert bench.values("bounce_server")["server_nodeid"] != account.server_nodeid
    assert bench.host_file(f"{STORAGE}/private/node.pem") != account.server_node_pem.reveal()


def test_identity_kept_is_a_checked_property(make_bench, make_account):
    """A grade that promises the old identity fails if the key does not give the promised node id."""
    bench = make_bench(make_account(server_nodeid="a" * 32))
    outcome = bench.recover()
    assert outcome["outcome"] == "failed"
    assert outcome["failures"][0]["kind"] == "identity_differs"


def test_a_furl_of_another_key_is_not_restored(make_bench, make_account):
    """A furl whose TubID is not that of the proved key would end the introducer: IDENTITY_KEPT fails clearly."""
    other = Secret(f"pb://{tub_id_of(new_node_pem())}@203.0.113.9:12345/canaryother")
    outcome = make_bench(make_account(introducer_furl=other)).recover()
    assert outcome["failures"][0]["kind"] == "identity_differs"


def test_not_listening_is_tried_again_and_then_given_up(make_bench, monkeypatch):
    """A host that never listens fails the account after the settings' number of tries, and the staff are told."""
    bench = make_bench()
    hosts = type(bench.work.world.hosts)

    def refuse(self, public_host, *, user, host_key):
        raise NotListening(f"{public_host} refuses connections")

    monkeypatch.setattr(hosts, "connect", refuse)
    outcome = bench.recover()
    tries = [e for e in bench.effects if e.step == INSTALL]
    assert len(tries) == bench.work.settings.waits.listen_tries
    assert outcome["failures"][0]["kind"] == "not_listening"
    assert [mail.kind for mail in bench.outbox.all()] == ["failure"]


def test_another_host_key_ends_the_account_at_once(make_bench, monkeypatch):
    """A host that answers with another key is not tried again, and the finding says why that matters."""
    bench = make_bench()
    with bench.file.change() as db:
        db.execute(
            "CREATE TRIGGER swap AFTER INSERT ON instances BEGIN UPDATE instances SET host_key = 'ssh-ed25519 x'; END"
        )
    outcome = bench.recover()
    assert outcome["failures"][0]["kind"] == "host_key"
    assert "in between" in outcome["failures"][0]["message"]
    told = bench.values("deploy_ec2_instance")
    assert fingerprint(told["host_key"]) in outcome["failures"][0]["message"]
    assert fingerprint(told["boot_host_key"]) in outcome["failures"][0]["message"]
    assert bench.effects[-2].step == INSTALL


def test_both_halves_of_the_host_key_are_the_final_ones(make_bench):
    """sshd compares them at every connection.

    A host whose key the version before replaced, one half of it, is mended by the step that it was killed in, which
    waits for cloud-init all the same.
    """
    bench = make_bench()
    waited = []
    bench.work = replace(bench.work, waiting=lambda what, seconds: waited.append(what))
    known = {}
    for step in (DEPLOY, WAIT):
        known[step] = bench.perform(step, 1, known, "").values
    final = derive_host_key(bench.vault, known[DEPLOY]["client_token"])
    with bench.file.change() as db:
        db.execute("UPDATE instances SET refusals = 0")
    work = replace(bench.work, known=known)
    with work.link(patient=True, at_boot=True) as link:
        host = link.host()
        host.write(HOST_KEY_FILE, final.private, owner="root", mode=0o600)
        host.write(HOST_KEY_PUBLIC, Secret(known[DEPLOY]["boot_host_key"]), owner="root", mode=0o644)
        host.reload_sshd()
    bench.file.seed = next(str(n) for n in range(99) if _cloud_init_is_at_work(bench, n))
    assert bench.perform(INSTALL, 1, known, "").ok
    assert bench.host_file(HOST_KEY_PUBLIC) == f"{final.public}\n"
    assert bench.host_file(HOST_KEY_FILE) == final.private.reveal()
    assert "cloud-init's end: not there yet" in waited


def _cloud_init_is_at_work(bench, seed) -> bool:
    """Whether the twin's dice say so at the first two questions."""
    instance_id = bench.rows("instances")[0]["instance_id"]
    dice = [hashlib.sha256(f"{seed} cloud-init {instance_id} {n}".encode()).digest()[0] / 256 for n in (1, 2)]
    return max(dice) < 0.3


def test_an_instance_that_died_is_followed_by_another_generation(make_bench):
    """A dead instance fails the round; the next one launches generation 2, and the old id stays in the world."""
    bench = make_bench()
    deploy = bench.perform(DEPLOY, 1, {}, "")
    bench.work.world.compute.terminate(deploy.values["instance_id"])
    died = bench.perform(WAIT, 1, {DEPLOY: deploy.values}, "")
    assert (died.ok, died.kind) == (False, "instance_died")
    assert bench.recover()["outcome"] == "recovered"
    assert bench.effects[2].values["generation"] == 2
    assert sorted(r["state"] for r in bench.rows("instances")) == ["running", "terminated"]


def test_two_living_instances_stop_the_account(make_bench):
    """If somebody doubled an instance by hand, a human decides which one stays."""
    bench = make_bench()
    bench.recover()
    with bench.file.change() as db:
        columns = [r["name"] for r in db.execute("PRAGMA table_info(instances)")]
        changed = {"instance_id": "'i-twice'", "client_token": "'t'", "public_host": "'192.0.2.77'"}
        chosen = ", ".join(changed.get(c, c) for c in columns)
        db.execute(f"INSERT INTO instances SELECT {chosen} FROM instances")
    assert bench.perform(DEPLOY, 1, {}, "").kind == "doubled"


def test_no_image_is_known(make_bench, make_account):
    """An image is never guessed."""
    bench = make_bench(make_account(ami_image_id=None))
    bench.work = replace(bench.work, settings=bench.work.settings.changed(ec2={"image": None}))
    assert bench.recover()["failures"][0]["kind"] == "no_image"


@pytest.mark.parametrize(
    ("faults", "kind", "states"),
    [
        (TwinFaults(mail_refused=1.0, mail_busy=0, slowness=0), "mail_refused", ["refused", "sent"]),
        (TwinFaults(mail_lost=1.0, mail_busy=0, slowness=0), "mail_in_doubt", ["in_doubt", "in_doubt"]),
        (TwinFaults(mail_busy=1.0, slowness=0), "mail_waiting", ["held", "held"]),
    ],
)
def test_trouble_with_mail_leaves_the_account_recovered(make_bench, faults, kind, states):
    """5xx, a lost connection after DATA and a busy server are follow-ups; monitoring is set up all the same."""
    bench = make_bench(faults=faults, mail="send")
    outcome = bench.recover()
    assert (outcome["outcome"], outcome["failures"][0]["kind"]) == ("recovered", kind)
    assert bench.values("notify_zenoss")["watched"] is True
    assert bench.outbox.all()[0].state == states[0]


def test_a_mail_in_doubt_is_never_sent_again(make_bench):
    """After a lost connection the same recovery, run again with --mail send, leaves the mail alone."""
    make_bench(faults=TwinFaults(mail_lost=1.0, mail_busy=0, slowness=0), mail="send").recover()
    again = make_bench(mail="send")
    again.recover()
    customers = [r for r in again.rows("mailbox") if "customer0" in r["recipient"]]
    assert len(customers) == 1


def test_monitoring_that_stays_down_is_a_gap_in_the_report(make_bench):
    """An unreachable zenoss server fails nothing but itself."""
    outcome = make_bench(faults=TwinFaults(monitoring_down=1.0, slowness=0)).recover()
    assert outcome["outcome"] == "recovered"
    assert outcome["failures"][0]["kind"] == "monitoring_missing"


def test_a_failure_notice_that_fails_does_not_hide_the_first_failure(make_bench, make_account, monkeypatch):
    """The first error stays the first."""
    bench = make_bench(make_account(server_nodeid="a" * 32))
    monkeypatch.setattr(
        type(bench.outbox), "prepare", lambda self, mail: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    outcome = bench.recover()
    assert outcome["failures"][0]["kind"] == "identity_differs"
    assert "no space left" in outcome["notice_failed"]


def test_a_failure_notice_is_withdrawn_once_the_account_is_recovered(make_bench, monkeypatch):
    """Nobody is told of a failure that is history before the notice was sent."""
    bench = make_bench()
    register = type(bench.work.world.register)
    with monkeypatch.context() as patch:
        patch.setattr(register, "append", lambda self, row: (_ for _ in ()).throw(Refusal("disk full")))
        assert bench.recover()["outcome"] == "failed"
    assert bench.recover()["outcome"] == "recovered"
    assert {m.kind: m.state for m in bench.outbox.all()} == {"failure": "withdrawn", "confirmation": "held"}


def test_a_mistake_of_ours_is_a_failure_without_its_text(make_bench, monkeypatch):
    """An unforeseen exception fails the account, and its text, which could hold anything, goes nowhere."""
    bench = make_bench()
    monkeypatch.setattr(type(bench.work.world.register), "rows", lambda self: (_ for _ in ()).throw(KeyError("canary")))
    failure = bench.recover()["failures"][0]
    assert failure["kind"] == "bug"
    assert "canary" not in str(failure)


def test_ensure_gives_up_at_its_deadline(make_bench):
    """A world that never changes is waited for only as long as the settings say."""
    bench = make_bench()

    def never() -> None:
        raise Transient("still down")

    with pytest.raises(Exception, match="zenoss: still down"):
        bench.work.ensure(never, lambda: None, within=30, what="zenoss")


def test_a_row_that_another_folder_wrote_within_the_same_second_is_not_ours(make_bench, monkeypatch):
    """Both had asked before either wrote, and both rows look alike: the customer's mail is in doubt, and not sent."""
    bench = make_bench(faults=NO_FAULTS, mail="send")
    append = TwinRegister.append

    def after_another(self, row):
        append(self, replace(row, recorded_by="by-another"))
        append(self, row)

    monkeypatch.setattr(TwinRegister, "append", after_another)
    bench.recover()
    assert [mail.state for mail in bench.outbox.all() if mail.kind == CONFIRMATION] == ["in_doubt"]
    assert not any("customer" in row["recipient"] for row in bench.rows("mailbox"))


def test_a_row_that_another_folder_wrote_before_a_kill_is_not_ours(make_bench, monkeypatch):
    """Killed between intention and row, while another folder writes its own within the same second: both send."""
    bench = make_bench(faults=NO_FAULTS, mail="send")
    append = TwinRegister.append

    def another_and_a_kill(self, row):
        append(self, replace(row, recorded_by="by-another"))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TwinRegister, "append", another_and_a_kill)
        bench.recover()
    assert len(bench.rows("serverinfo")) == 1
    bench.recover()
    assert [mail.state for mail in bench.outbox.all() if mail.kind == CONFIRMATION] == ["in_doubt"]


@pytest.mark.parametrize(("ours", "states"), [(True, ["sent"]), (False, ["in_doubt"])])
def test_a_row_of_an_older_version_is_known_by_its_second(make_bench, ours, states):
    """It wrote no word of its own into the row, and its outbox keeps the time."""
    bench = make_bench(faults=NO_FAULTS)
    bench.recover()
    with bench.file.change() as db:
        db.execute("UPDATE serverinfo SET recorded_by = ''")
    row, account_id = bench.rows("serverinfo")[0], bench.work.account.account_id
    bench.outbox.record(account_id, row["instance_id"], row["recorded_at"] if ours else "2026-11-27T00:00:00Z")
    (mail,) = bench.outbox.waiting()
    bench.work.delivery.deliver(mail)
    assert [mail.state for mail in bench.outbox.all()] == states


def test_an_existing_row_is_not_doubled(make_bench):
    """append_record finds a row that another runner wrote for this instance."""
    bench = make_bench(faults=NO_FAULTS)
    deploy = bench.perform(DEPLOY, 1, {}, "").values
    row = ServerRow(
        recorded_at="2012-03-20T10:15:00Z",
        launch_time=deploy["launch_time"],
        instance_id=deploy["instance_id"],
        public_host="203.0.113.20",
    )
    bench.work.world.register.append(row)
    bench.recover()
    assert len(bench.rows("serverinfo")) == 1
