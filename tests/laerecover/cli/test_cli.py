"""What an operator types, sees and gets as exit codes."""

import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from laeforensics.cli import app as forensics
from laerecover.cli import app
from laerecover.cli._show import ask, ask_word
from laerecover.errors import Guarded
from laerecover.mail.outbox import COPIED
from laerecover.manifest import Secret, broken_journal, write_manifest

ROOT = Path(__file__).parents[3]
MAIN = [sys.executable, "-c", "from laerecover.cli import main; main()"]


@pytest.fixture
def laerecover(commands, key_file):
    """Runs the command as a user would, piped."""

    def call(*arguments, start=False):
        given = [*arguments]
        if given[0] in ("plan", "drill", "run", "notify", "report", "adopt", "cleanup", "verify"):
            given += ["--key-file", key_file]
        if given[0] == "drill" and "--pace" not in given:
            given += ["--pace", "0.001"]
        return commands.start(*given) if start else commands(*given)

    return call


def test_help_names_every_command_and_loads_nothing_heavy():
    """--help lists what exists; it imports neither engine, nor tables, nor cloud, and reads no verb's options."""
    code = (
        "import sys\nfrom laerecover import cli\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'dbos', 'pyarrow', 'boto3', 'paramiko', 'smtplib', 'sqlalchemy', 'jinja2', 'pandas', 'lark'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
        "print('read:', cli.typer.main.get_command(cli.app).commands['plan'].params)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=False).stdout
    assert "heavy: []\nread: []" in shown
    for command in ("plan", "drill", "run", "notify", "status", "report", "resolve", "adopt", "cleanup", "settings"):
        assert re.search(rf"^\s*{command}\b", shown, re.M), command


def test_a_drill_from_start_to_sent_mails(laerecover, make_manifest, make_account):
    """Drill, status, notify, report: four commands, and the state tells the same story each time."""
    manifest = make_manifest(
        make_account(0),
        make_account(1, customer_keyinfo="PGP"),
        make_account(2, verdict="INCOMPLETE", user_secret_key=None, missing=("user_secret_key",)),
        make_account(3, customer_name="Zoë <script>alert(1)</script> [red]x[/red]\x1b[31m"),
    )
    drilled = laerecover("drill", manifest)
    assert drilled.returncode == 0, drilled.stderr
    assert "3 of 4 accounts recovered, 1 blocked" in drilled.stdout
    assert re.search(r"^\d\d:\d\d:\d\d  lae-\S+  install_server  done$", drilled.stderr, re.M)
    assert "\x1b" not in drilled.stdout + drilled.stderr
    assert json.loads(laerecover("status", manifest, "--json").stdout)["mails"] == {"held": 3}
    sent = laerecover("notify", manifest)
    assert sent.returncode == 0
    assert "Mails: 3 sent" in sent.stdout
    assert sent.stdout.count("DRILL: nobody is mailed") == 2, "before the letters, and behind the numbers"
    assert "canary" not in sent.stdout
    report = json.loads(laerecover("report", manifest, "--json").stdout)
    assert [a["mails_sent"] for a in report["accounts"] if a["outcome"] == "recovered"] == [1, 1, 1]
    html = (Path(f"{manifest}.drill") / "report.html").read_text()
    assert "<script" not in html
    assert "default-src 'none'; style-src 'sha256-" in html
    again = laerecover("notify", manifest, "--json")
    assert set(json.loads(again.stdout)["mails"].values()) == {"sent"}


def test_json_is_alone_on_stdout(laerecover, make_manifest):
    """With --json the report is all that machines read; people's text is on stderr."""
    manifest = make_manifest(count=1)
    drilled = laerecover("drill", manifest, "--json")
    body = json.loads(drilled.stdout)
    account = body["accounts"][0]
    assert [s["step"] for s in account["steps"]][:2] == ["deploy_ec2_instance", "wait_for_ec2_addresses"]
    assert {"outcome", "grade", "instances_launched", "mails_sent", "serverinfo_rows", "rto_seconds"} <= set(account)
    assert account["rto_seconds"] > 0
    assert body == {**json.loads((Path(f"{manifest}.drill") / "report.json").read_text())}


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("drill", "nosuch.parquet"), 2, "no such manifest"),
        (("drill", "{manifest}", "--only", "nobody@example.org"), 2, "no account is called"),
        (("drill", "{manifest}", "--max-instances", "1"), 3, "--max-instances allows 1"),
        (("drill", "{manifest}", "--mail", "maybe"), 2, "hold or send"),
        (("run", "{manifest}"), 2, "laerecover settings --example > "),
        (("run", "{manifest}", "--accept", "x"), 2, "--because"),
        (("run", "{manifest}", "--not-dialled"), 2, "--not-dialled needs a reason"),
        (("notify", "{manifest}", "--not-dialled", "--because", " "), 2, "--not-dialled needs a reason"),
        (("report", "{manifest}"), 2, "nothing was started yet"),
        (("status", "{manifest}"), 2, "nothing was started yet"),
        (("status", "nosuch.parquet"), 2, "no such manifest"),
        (("report", "nosuch.parquet"), 2, "no such manifest"),
        (("status", "{manifest.parent}"), 2, "this is a folder, no manifest"),
        (("notify", "{manifest}"), 2, "nothing was started yet"),
        (("resolve", "{manifest}", "x", "mail"), 2, "--sent, --resend, --bounced, --told-by-hand"),
    ],
)
def test_a_refusal_is_what_where_next_and_no_traceback(laerecover, make_manifest, arguments, code, text):
    """Every refusal fits on one screen and has its exit code."""
    manifest = make_manifest(count=2)
    refused = laerecover(*[a.format(manifest=manifest) for a in arguments])
    assert (refused.returncode, refused.stdout) == (code, "")
    assert text in refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.splitlines()) < 10


def test_what_is_mistyped_in_place_of_a_manifest_is_told_as_what_it_is(laerecover, make_manifest, tmp_path):
    """Evidence, with the verb that makes a manifest of it; a name cut short, with the manifest beside it."""
    manifest, evidence = make_manifest(count=1), tmp_path / "old evidence"
    (evidence / "signup_logs").mkdir(parents=True)
    said = laerecover("plan", evidence).stderr
    assert "this is a folder, no manifest, and none lies in it" in said
    assert f"`laeforensics audit '{evidence}' --output manifest.parquet`" in said
    for name in ("manifest.parqet", "manifest.parq", "manfest.parquet", "manifest"):
        assert f"did you mean {manifest}?" in laerecover("plan", manifest.with_name(name)).stderr, name


def test_who_was_asked_for_and_is_blocked_is_told_first(laerecover, make_manifest, make_account):
    """With the reason, on a fresh drill as on a finished one; nothing is proposed that leaves out whom it is for.

    Counted are those that were asked for, and the state tells that none of them was begun.
    """
    blocked = make_account(2, verdict="UNFINISHED", grade=None, blocking=("never-ready",))
    manifest = make_manifest(make_account(0), make_account(1), blocked, make_account(3, verdict="CLOSED", grade=None))
    why = " is blocked: UNFINISHED: its server was never seen ready; nothing was done for it"
    said = f"customer2@example.org {blocked.account_id.rpartition('-')[2][:6]}{why}"
    asked = ("drill", manifest, "--only", "customer2@example.org")
    fresh = laerecover(*asked)
    assert (fresh.returncode, fresh.stdout.splitlines()[1], "laerecover notify" in fresh.stdout) == (0, said, False)
    counted = "0 of 1 accounts recovered, 1 blocked, 3 others not selected"
    assert fresh.stdout.startswith(f"{counted}\n")
    status = laerecover("status", manifest, "--state", f"{manifest}.drill").stdout.splitlines()
    none = "no account was begun: all that were selected are blocked; 4 in the manifest"
    assert (status[0], status[-1].startswith("next: laerecover report")) == (none, True)
    whole = laerecover("drill", manifest).stdout
    assert (why in whole, whole.startswith("2 of 4 accounts recovered, 2 blocked (1 because")) == (False, True)
    assert laerecover("status", manifest).stdout.startswith("2 recovered; of 2 accounts to recover, 4 in the manifest")
    done = laerecover(*asked)
    assert (done.returncode, done.stdout.splitlines()[1]) == (0, said)
    assert ("laerecover notify" in done.stdout, "--only" in done.stdout) == (True, False)


def test_why_mails_are_in_doubt_is_told_where_they_are_not_sent(laerecover, make_manifest, tmp_path):
    """Of a folder that was copied, once for all of them; the original knows of no doubt."""
    manifest = make_manifest(count=2)
    assert laerecover("drill", manifest).returncode == 0
    copy = shutil.copytree(f"{manifest}.drill", tmp_path / "copy")
    ended = laerecover("notify", manifest, "--state", copy)
    assert (ended.returncode, f"\nin doubt, 2: {COPIED}\n" in ended.stdout) == (4, True), ended.stdout
    assert "doubt" not in laerecover("notify", manifest).stdout


def test_the_plans_seconds_are_those_of_all_and_the_forecasts_those_of_one(laerecover, make_manifest):
    """As docs/recovery.md says."""
    told = json.loads(laerecover("plan", make_manifest(count=5), "--concurrency", "2", "--json").stdout)
    assert told["seconds"] == 3 * told["forecast"]["seconds"], "the canary, then two at a time"
    assert "`forecast.seconds` how long one account does" in (ROOT / "docs/recovery.md").read_text("utf-8")


def test_who_has_no_name_is_told_by_six_characters(laerecover, make_manifest, make_account):
    """What is left for a human is left for one of them; report.html says the same."""
    nameless = {"customer_email": None, "customer_name": None}
    accounts = [make_account(n, **nameless) for n in range(2)]
    manifest = make_manifest(*accounts)
    left = laerecover("drill", manifest).stdout.partition("Left for a human")[2].partition("account  ")[0]
    page = (Path(f"{manifest}.drill") / "report.html").read_text("utf-8")
    for account in accounts:
        name = f"(unknown) {account.account_id.rpartition('-')[2][:6]}"
        assert name in left
        assert name in page.replace("<wbr>", "")
    assert not re.search(r"\(unknown\)(?! \w{6})", left)


def test_a_plan_names_no_image_that_nobody_has_told(laerecover, make_manifest, make_account):
    """Without settings: what a drill would take is nobody's."""
    manifest = make_manifest(make_account(0, ami_image_id=None), make_account(1))
    told = laerecover("plan", manifest).stdout
    assert told.count("launch the image that the settings name as") == 1
    assert ("launch ami-11111111 as" in told, "ami-0d2111a0" in told) == (True, False)


def test_a_verb_of_the_other_program_is_told_as_such(laerecover):
    """Each of them, and no verb of our own."""
    verbs, own = ({*get_command(each).commands} for each in (forensics, app))
    for verb in verbs - own:
        ended = laerecover(verb, "evidence")
        said = f"laerecover: {verb} is a command of laeforensics\n  where   laerecover\n"
        assert (ended.returncode, ended.stderr) == (2, f"{said}  next    laeforensics {verb} evidence\n")
    typed = laerecover("audit", "old evidence", "--output", "m.parquet").stderr
    assert "next    laeforensics audit 'old evidence' --output m.parquet\n" in typed
    assert "No such command 'recover'" in laerecover("recover", "x").stderr


def test_both_programs_take_the_same_words(laerecover, make_manifest, make_account):
    """--version, -h, and --quiet, of which a drill that went well says nothing, and one that did not its conclusion."""
    assert laerecover("--version").stdout.startswith("laerecover ")
    assert laerecover("drill", "-h").stdout == laerecover("drill", "--help").stdout
    manifest = make_manifest(count=2)
    done = laerecover("drill", manifest, "--quiet", "--pace", "0.001")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    manifest = make_manifest(make_account(0, server_nodeid="b" * 32))
    failed = laerecover("drill", manifest, "-q", "--again", "--pace", "0.001")
    assert failed.returncode == 1
    assert failed.stdout.startswith("0 of 1 accounts recovered, 1 failed")


def test_a_key_that_was_handed_on_can_be_checked(laerecover, make_manifest, key_file, tmp_path):
    """It opens the manifest, and its fingerprint is the one that plan and status show; another key is refused."""
    manifest = make_manifest(count=2)
    checked = laerecover("key", "check", manifest, "--key-file", key_file)
    assert checked.returncode == 0
    assert checked.stdout.startswith("this key opens the manifest, 2 accounts\n")
    fingerprint = json.loads(laerecover("key", "check", manifest, "--key-file", key_file, "--json").stdout)[
        "fingerprint"
    ]
    assert laerecover("drill", manifest, "--key-file", key_file, "--pace", "0.001").returncode == 0
    said = [laerecover(verb, manifest, "--key-file", key_file).stdout for verb in ("plan", "status")]
    assert all(f"{fingerprint} (fingerprint)" in text for text in (checked.stdout, *said))
    assert key_file.read_bytes().hex() not in "".join((checked.stdout, *said))
    other = tmp_path / "other" / "other.key"
    other.parent.mkdir()
    other.write_bytes(b"o" * 32)
    other.chmod(0o600)
    refused = laerecover("key", "check", manifest, "--key-file", other)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "this key does not open the manifest" in refused.stderr
    for key in (other, tmp_path / "none.key"):
        assert "fingerprint" not in laerecover("status", manifest, "--key-file", key).stdout


def test_a_changed_manifest_is_not_drilled_on(laerecover, make_manifest, make_account):
    """A state belongs to the manifest that was planned; --again forgets a drill, and nothing but a drill."""
    manifest = make_manifest(count=1)
    assert laerecover("drill", manifest).returncode == 0
    make_manifest(make_account(0, customer_name="Another"))
    refused = laerecover("drill", manifest)
    assert refused.returncode == 2
    assert "not the one that was planned" in refused.stderr
    assert laerecover("drill", manifest, "--again").returncode == 0
    assert laerecover("plan", manifest).returncode == 0
    state = f"{manifest}.state"
    assert laerecover("drill", manifest, "--again", "--state", state).returncode == 2
    assert (Path(state) / "state.json").exists()


def test_a_drill_never_becomes_a_run(laerecover, make_manifest, tmp_path):
    """The mode of a state is recorded: `run` refuses a drill's state."""
    manifest = make_manifest(count=1)
    laerecover("drill", manifest)
    settings = write_settings(tmp_path)
    refused = laerecover("run", manifest, "--state", f"{manifest}.drill", "--settings", settings, "--yes")
    assert refused.returncode == 2
    assert "made by a drill" in refused.stderr


def test_a_run_without_terminal_and_yes_starts_nothing():
    """Where nobody can type it, nobody has confirmed."""
    with pytest.raises(Guarded, match="nobody is there to confirm"):
        ask("Recover 1 accounts")
    assert not ask_word("End 1 instances", "1-abcd")


def test_a_run_whose_cloud_does_not_answer_starts_nothing(laerecover, make_manifest, make_account, tmp_path):
    """Nobody knows whether the old servers are gone, whatever the manifest says: exit 3."""
    manifest = make_manifest(make_account(0, server="GONE"))
    refused = laerecover("run", manifest, "--settings", write_settings(tmp_path), "--yes")
    assert refused.returncode == 3
    assert "EC2 did not say whether the old servers are gone" in refused.stderr
    assert not (Path(f"{manifest}.state") / "ledger.sqlite").exists()


def test_an_unknown_old_server_blocks_and_nothing_is_recorded_that_nobody_confirmed(
    laerecover, make_manifest, make_account, tmp_path
):
    """Without an answer about the old server only a decision lets an account go on.

    A run that did not come to its question keeps none.
    """
    manifest = make_manifest(make_account(0, server="UNKNOWN", old_instance_id=None))
    account_id = make_account(0).account_id
    settings = write_settings(tmp_path)
    blocked = laerecover("run", manifest, "--settings", settings, "--yes")
    assert blocked.returncode == 3
    assert "nobody knows whether its old server still runs" in blocked.stdout
    state = (Path(f"{manifest}.state") / "state.json").read_bytes()
    accepting = ("--accept", account_id, "--because", "seen dead in the console")
    assert laerecover("run", manifest, "--settings", settings, *accepting).returncode == 3
    assert (Path(f"{manifest}.state") / "state.json").read_bytes() == state


def test_a_second_runner_is_told_who_holds_the_lock(laerecover, make_manifest):
    """Two runners on one state: the second exits 75 and names the first."""
    manifest = make_manifest(count=1)
    first = laerecover("drill", manifest, "--pace", "0.5", start=True)
    first.read_lines(1)
    second = laerecover("drill", manifest)
    seen = json.loads(laerecover("status", manifest, "--json").stdout)
    first.wait(signal=signal.SIGKILL)
    assert second.returncode == 75
    assert f"pid {first.pid} on " in second.stderr
    assert f"pid {first.pid} on " in seen["runner"]
    assert laerecover("status", manifest).returncode == 0


@pytest.mark.parametrize("name", ["/".join(["long" * 12] * 6), "new\nline ; echo 'x'", "\x1b[31m"])
def test_what_a_report_proposes_names_the_very_folder(laerecover, make_manifest, name, tmp_path):
    """However long its path is, and whatever stands in it: the command is one line, whole."""
    folder = tmp_path / name / "state"
    folder.parent.mkdir(parents=True)
    shown = laerecover("drill", make_manifest(count=1), "--state", folder).stdout
    assert "\x1b" not in shown
    proposed = re.search("next: (laerecover notify .*)", shown)[1]
    words = subprocess.run(["bash", "-c", f"printf '%s\\0' {proposed}"], capture_output=True, check=True).stdout
    assert str(folder).encode() in words.split(b"\0")


@pytest.mark.parametrize("more", [0, 1])
def test_a_path_too_long_for_a_database_is_refused_before_anything_is_written(
    laerecover, make_manifest, more, tmp_path
):
    """The longest that will do does; one more is told as that."""
    folder = tmp_path
    while (room := 490 + more - len(os.fsencode(folder)) - 1) > 200:
        folder /= "x" * 100
    folder /= "x" * room
    ended = laerecover("drill", make_manifest(count=1), "--state", folder)
    assert ended.returncode == 2 * more
    assert ("path is too long for its databases" in ended.stderr) is bool(more)
    assert folder.exists() is not bool(more)


def test_who_is_refused_stands_in_the_journal_though_somebody_else_holds_the_folder(laerecover, make_manifest):
    """Commands of many processes at once: an end alone for each, in one chain; `status` proposes the first."""
    manifest = make_manifest(count=1)
    folder = Path(f"{manifest}.drill")
    first = laerecover("drill", manifest, "--pace", "0.5", start=True)
    first.read_lines(1)
    others = [laerecover(verb, manifest, start=True) for verb in ("notify", "cleanup") for _ in range(3)]
    others += [laerecover("drill", manifest, "--pace", str(n), start=True) for n in (0.2, 0.3)]
    assert [each.wait().returncode for each in others] == [75] * 8
    first.wait(signal=signal.SIGKILL)
    told = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert sorted(line["command"][1] for line in told if line["exit"] == 75) == [
        *["cleanup"] * 3, *["drill"] * 2, *["notify"] * 3
    ]  # fmt: skip
    assert [line["command"][4] for line in told if line["exit"] is None] == ["0.5"] * len(told[8:])
    assert broken_journal(folder) == ""
    assert "--pace 0.5" in laerecover("status", manifest).stdout


def test_another_manifest_that_a_folder_refused_stands_in_its_journal(laerecover, make_manifest):
    """With its exit code; not where no journal is kept, and nothing is begun."""
    manifest = make_manifest(count=1)
    assert laerecover("drill", manifest, "--pace", "0.001").returncode == 0
    path = Path(f"{manifest}.drill") / "journal.jsonl"
    before = path.read_text()
    assert laerecover("drill", make_manifest(count=2)).returncode == 2
    added = [json.loads(line) for line in path.read_text().removeprefix(before).splitlines()]
    assert [(line["command"][1], line["exit"]) for line in added] == [("drill", 2)]
    path.unlink()
    assert laerecover("drill", manifest).returncode == 2
    assert not path.exists()


def test_an_interrupted_drill_says_how_to_go_on(laerecover, make_manifest):
    """Ctrl-C ends calmly with exit 130, and the same command goes on."""
    manifest = make_manifest(count=2)
    runner = laerecover("drill", manifest, "--pace", "0.005", start=True)
    runner.read_lines(1)
    stopped = runner.wait(signal=signal.SIGINT)
    assert stopped.returncode == 130
    assert "Stopped by you after" in stopped.stderr
    assert f"laerecover drill {manifest}" in stopped.stderr
    assert "Nothing is in doubt." in stopped.stderr
    assert laerecover("drill", manifest).returncode == 0


def test_the_example_settings_are_complete():
    """`settings --example` prints a file that names every section."""
    shown = subprocess.run([*MAIN, "settings", "--example"], capture_output=True, text=True, check=True).stdout
    assert all(f"[{section}]" in shown for section in ("files", "ec2", "mail", "monitoring", "waits"))


def test_no_secret_is_anywhere_but_sealed(laerecover, make_manifest, make_account):
    """Canary secrets stand in no output and in no file of the state, the engine's store decoded included."""
    account = make_account(0, introducer_identity="ABSENT", grade="NEW_FURL")
    manifest = make_manifest(account, make_account(1))
    drilled = laerecover("drill", manifest, "--mail", "send", "--json")
    assert drilled.returncode == 0
    body = account.server_node_pem.reveal().splitlines()
    canaries = ["canary-secret-key", "canary-user-token", "canary-product-token", "canaryswissnum", body[1], body[-2]]
    every = [p for p in Path(f"{manifest}.drill").rglob("*") if p.is_file()]
    # The evidence for the next disaster has its secrets where the HOWTO has them: in the secrets files, nowhere else.
    files = [p for p in every if Path(f"{manifest}.drill/evidence/secrets") not in p.parents]
    assert len(files) > 5
    seen = [drilled.stdout, drilled.stderr, *(p.read_bytes().decode("latin-1") for p in files)]
    seen += store_texts(Path(f"{manifest}.drill"))
    for canary in canaries:
        assert not any(canary in text for text in seen), canary
    assert all(p.stat().st_mode & 0o077 == 0 for p in files)


def store_texts(state):
    """Every text of the engine's store, base64 and escapes undone where there are any."""
    import base64
    import sqlite3

    with sqlite3.connect(state / "ledger.sqlite") as db:
        names = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        cells = [c for n in names for row in db.execute(f'SELECT * FROM "{n}"') for c in row if isinstance(c, str)]
    assert any("install_server" in cell for cell in cells)
    decoded = []
    for cell in cells:
        try:
            decoded.append(base64.b64decode(cell, validate=True).decode("latin-1"))
        except ValueError:
            decoded.append(cell.encode().decode("unicode_escape", "replace"))
    return [*cells, *decoded]


def write_settings(folder):
    """Settings whose cloud is nowhere: port 9 of this machine."""
    operator = folder / "operator"
    operator.mkdir(exist_ok=True)
    (operator / "config.json").write_text(
        json.dumps(
            {
                "ec2_access_key_id": "AKIAEXAMPLE",
                "admin_keypair_name": "admin",
                "admin_privkey_path": "admin.pem",
                "monitor_pubkey_path": "monitor.pub",
                "monitor_privkey_path": "monitor.pem",
                "products": [{"product_code": "7A3C2F01", "ami_image_id": "ami-1", "instance_size": "t1.micro"}],
            }
        )
    )
    (operator / "monitor.pub").write_text("ssh-ed25519 AAAA monitor\n")
    (operator / "ec2secret").write_text("secret\n")
    for name in ("admin.pem", "monitor.pem"):
        (operator / name).touch()
    path = operator / "laerecover.toml"
    path.write_text(
        '[files]\nlae_automation_config = "config.json"\n[ec2]\nendpoint = "http://127.0.0.1:9/"\n'
        '[mail]\nhost = "127.0.0.1"\nsender = "support@example.org"\nstaff = "staff@example.org"\n'
    )
    return path


def test_a_customers_name_with_a_line_break_costs_nobody_the_recovery(laerecover, make_manifest, make_account):
    """A name that would forge a header reaches no mail: the staff hear of it, and every account is recovered."""
    manifest = make_manifest(make_account(0, customer_name="Eve\r\nBcc: mallory@example.net"), make_account(1))
    drilled = laerecover("drill", manifest, "--mail", "send")
    assert "2 of 2 accounts recovered" in drilled.stdout
    with sqlite3.connect(Path(f"{manifest}.drill") / "world.sqlite") as db:
        mails = sorted(db.execute("SELECT recipient, subject FROM mailbox"))
    assert [recipient for recipient, _ in mails] == ["Customer 1 <customer1@example.org>", "staff@example.org"]
    assert not any("mallory" in told or "\n" in told for mail in mails for told in mail)


def test_a_world_readable_key_is_refused(laerecover, make_manifest, key_file, tmp_path):
    """The key file's remedy is on the screen."""
    manifest = make_manifest(count=1)
    key_file.chmod(0o644)
    refused = laerecover("plan", manifest)
    assert refused.returncode == 2
    assert "chmod 600" in refused.stderr


def test_two_folders_of_one_manifest_have_the_same_recovery(laerecover, make_manifest):
    """The recovery's id is the manifest's digest, so that two state folders share their client tokens."""
    manifest = make_manifest(count=1)
    ids = set()
    for name in ("a", "b"):
        assert laerecover("plan", manifest, "--state", manifest.parent / name).returncode == 0
        ids.add(json.loads((manifest.parent / name / "state.json").read_text())["recovery_id"])
    assert len(ids) == 1


def test_planning_anew_lets_a_mended_manifest_in(laerecover, make_manifest, make_account, key_file):
    """`plan` takes another manifest into the state, and the recovery keeps its id."""
    manifest = make_manifest(make_account(0))
    laerecover("plan", manifest)
    path = Path(f"{manifest}.state") / "state.json"
    before = json.loads(path.read_text())
    write_manifest(
        manifest, [make_account(0, user_token=Secret("mended"))], evidence_digest="e" * 64, key_file=key_file
    )
    shown = laerecover("plan", manifest, "--json")
    after = json.loads(path.read_text())
    assert after["planned_digest"] == json.loads(shown.stdout)["manifest_digest"] != before["planned_digest"]
    assert after["recovery_id"] == before["recovery_id"]


def test_a_drills_half_made_instances_are_cleaned_up_on_the_word_that_is_shown(laerecover, make_manifest, make_account):
    """Without a terminal the word is told, and nothing ends; with it the half-made ones end, and the drill goes on."""
    manifest = make_manifest(make_account(0, server_nodeid="a" * 32), make_account(1))
    laerecover("drill", manifest)
    refused = laerecover("cleanup", manifest)
    assert refused.returncode == 3
    assert "customer0@example.org" in refused.stdout
    assert "customer1@example.org" not in refused.stdout
    word = re.search(r"--confirm (\S+)", refused.stderr).group(1)
    assert laerecover("cleanup", manifest, "--confirm", "1-0000").returncode == 3
    ended = laerecover("cleanup", manifest, "--confirm", word)
    assert "1 instance was ended" in ended.stdout
    assert "no half-made instance is left" in laerecover("cleanup", manifest, "--confirm", word).stdout


def journal_of(folder):
    """Its lines."""
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text("utf-8").splitlines()]


def test_the_journal_tells_of_every_command_that_worked_on_the_state(laerecover, commands, make_manifest, key_file):
    """Begin and end, or a begin alone of one that was killed; the words as typed, digests, exit codes; no secret."""
    manifest = make_manifest(count=1)
    killed = commands("drill", manifest, "--key-file", key_file, LAERECOVER_CRASH_AT="deploy_ec2_instance:after-act")
    assert killed.returncode == -signal.SIGKILL
    assert laerecover("drill", manifest).returncode == 0
    assert laerecover("notify", manifest).returncode == 0
    assert laerecover("status", manifest).returncode == 0
    state = Path(f"{manifest}.drill")
    told = journal_of(state)
    assert [(each["command"][1], each["exit"]) for each in told] == [
        ("drill", None), ("drill", None), ("drill", 0), ("notify", None), ("notify", 0)
    ]  # fmt: skip
    assert told[0]["command"] == ["laerecover", "drill", str(manifest), "--key-file", str(key_file)]
    assert told[0]["before"] == "0" * 64
    digest = json.loads((state / "state.json").read_text())["planned_digest"]
    assert {each["digests"].get("manifest") for each in told[1:]} == {digest}
    assert "canary" not in (state / "journal.jsonl").read_text("utf-8")


def test_a_journal_that_was_changed_is_said_and_one_that_cannot_be_written_stops_nothing(laerecover, make_manifest):
    """By the next command once, by `verify` each time; a recovery never waits for its journal."""
    manifest = make_manifest(count=1)
    assert laerecover("drill", manifest).stderr.count("the journal") == 0
    assert laerecover("verify", manifest).returncode == 0
    path = Path(f"{manifest}.drill") / "journal.jsonl"
    path.write_text(path.read_text("utf-8").replace("drill", "plans", 1), "utf-8")
    broken = "line 2 does not follow the one before it"
    assert [laerecover("notify", manifest).stderr.count(broken) for _ in range(2)] == [1, 0]
    verified = laerecover("verify", manifest)
    assert (verified.returncode, broken in verified.stderr) == (4, True), "whoever looks at the code alone hears of it"
    path.unlink()
    path.mkdir()
    again = laerecover("drill", manifest)
    assert again.returncode == 0
    assert "cannot be written: Is a directory" in again.stderr


def test_status_says_the_whole_command_that_goes_on(commands, make_manifest, key_file):
    """As it was typed, key file and all, though whoever asks names no key; after a kill, when it could say nothing."""
    manifest = make_manifest(count=3)
    typed = ("drill", manifest, "--key-file", key_file, "--first", "2", "--concurrency", "1", "--pace", "0.05")
    running = commands.start(*typed)
    while b"bounce_server  begins" not in (line := running.stderr.readline()):
        assert line, "it ended"
    status = commands("status", manifest)
    assert "install done, bounce in hand" in status.stdout
    running.wait(signal=signal.SIGKILL)
    told = next(line for line in commands("status", manifest).stdout.splitlines() if line.startswith("next: "))
    command = shlex.split(told.removeprefix("next: ").partition("    (")[0])
    assert command == ["laerecover", *map(str, typed)]
    assert commands(*command[1:-1], "0.001").returncode == 0
    assert "next: " not in commands("status", manifest).stdout


def test_what_was_mistyped_is_guessed(laerecover, make_manifest, make_account, tmp_path):
    """An account of --only, --order, --canary; the manifest, or a folder on the way to it; and no wild guess."""
    account = make_account(0)
    manifest = make_manifest(account, make_account(1))
    order = tmp_path / "order"
    order.write_text("custmer0@example.org\n")
    mistyped = account.account_id[:-3] + "x" + account.account_id[-2:]
    cases = [
        (("--only", "custmer0@example.org"), "customer0@example.org"),
        (("--order", order), "customer0@example.org"),
    ]
    cases += [(("--canary", mistyped), account.account_id), (("--except", mistyped), account.account_id)]
    for words, wanted in cases:
        refused = laerecover("plan", manifest, *words)
        assert (refused.returncode, "did you mean" in refused.stderr, wanted in refused.stderr) == (2, True, True), (
            words
        )
    assert "did you mean" not in laerecover("plan", manifest, "--only", "somebody else").stderr
    for path in (manifest.with_name("manifst.parquet"), manifest.parent.with_name("cas") / manifest.name):
        refused = laerecover("plan", path)
        assert (refused.returncode, f"did you mean {manifest}?" in refused.stderr) == (2, True), refused.stderr
    assert "did you mean" not in laerecover("plan", tmp_path / "elsewhere/of/all.parquet").stderr


@pytest.mark.parametrize("words", [("plna",), ("plan",), ("plan", "m", "--onlyy"), ("drill", "m", "--faults", "x")])
def test_wrong_usage_says_what_next(commands, words):
    """As every refusal does; the exit code is that of usage."""
    refused = commands(*words)
    assert refused.returncode == 2
    verb = " plan" if words[0] == "plan" else " drill" if words[0] == "drill" else ""
    assert f"  next    `laerecover{verb} -h` says what it takes; nothing was started" in refused.stderr


@pytest.mark.parametrize("program", ["laerecover", "laeforensics"])
def test_a_shell_completes_words(make_manifest, key_file, tmp_path, program):
    """Verbs, options, for --only the accounts of the manifest on the line; nothing is written, whatever is asked."""
    manifest = make_manifest(count=2)
    before = sorted(tmp_path.rglob("*"))

    def completed(*words):
        given = {"COMP_WORDS": " ".join(map(str, words)), "COMP_CWORD": str(len(words) - 1)}
        given[f"_{program.upper()}_COMPLETE"] = "complete_bash"
        asked = {**os.environ, **given, "HOME": str(tmp_path)}
        return subprocess.run(
            [Path(sys.executable).with_name(program)], env=asked, capture_output=True, text=True
        ).stdout.split()

    if program == "laeforensics":
        assert completed(program, "expl") == ["explain"]
    else:
        assert completed(program, "pl") == ["plan"]
        assert completed(program, "run", "--approved") == ["--approved-by"]
        whose = (program, "plan", manifest, "--key-file", key_file, "--only")
        assert completed(*whose, "customer") == ["customer0@example.org", "customer1@example.org"]
        assert len(completed(*whose, "lae-7a3c")) == 2
        assert completed(program, "plan", tmp_path / "nowhere", "--only", "cust") == []
    assert sorted(tmp_path.rglob("*")) == before


def test_of_the_installation_the_command_in_hand_is_told(laerecover, make_manifest):
    """Each of them by its name and number, in their order."""
    drilled = laerecover("drill", make_manifest(count=1), "--seed", "3")
    told = re.findall(r"waits for  (\S+), (\d+) of (\d+), \d+ s at the latest", drilled.stderr)
    numbers = dict.fromkeys(int(number) for _, number, of in told if of == "11")
    assert [*numbers] == [*range(1, 12)]
    assert ("packages", "2", "11") in told
