"""Four eyes: a plan, and the mails, that somebody else has signed with an ssh key."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading

import pytest

from laerecover.afterwards.notify import notify
from laerecover.errors import Guarded, LaeRecoverError
from laerecover.options import Options
from laerecover.planning.approval import guard_approval
from laerecover.planning.planner import plan
from laerecover.sections import ApprovalSettings
from laerecover.settings import read_settings
from laerecover.settings_reader import example

if shutil.which("ssh-keygen") is None:
    pytest.skip("OpenSSH's ssh-keygen is not installed", allow_module_level=True)

SIGNER, STRANGER = "second@example.org", "stranger@example.org"
NAMED = {"KEY": SIGNER, "STRANGER": STRANGER}


@pytest.fixture
def keys(tmp_path):
    """Signs as the message of the guard says; gives the signature's file."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in (SIGNER, STRANGER):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name]
        subprocess.run(words, check=True)
    public = (folder / f"{SIGNER}.pub").read_text()
    (folder / "allowed_signers").write_text(f'{SIGNER} namespaces="laerecover" {public}')

    def sign(told, who=SIGNER):
        """`told`: the command that was proposed, of which KEY and FILE.sig are filled in."""
        command = re.search(r"printf '.*> FILE\.sig", told).group()
        path = folder / f"{who}.sig"
        filled = command.replace("KEY", str(folder / who)).replace("FILE.sig", str(path))
        subprocess.run(["sh", "-c", filled], check=True, capture_output=True)
        return path

    return sign


@pytest.fixture
def someone(operator, make_account, keys, tmp_path, monkeypatch):
    """Who works under settings that ask for an approval."""
    four_eyes = {"allowed_signers": tmp_path / "keys" / "allowed_signers", "required": True}
    settings = Options.read_settings(None).changed(approval=four_eyes)
    monkeypatch.setattr(Options, "read_settings", lambda self: settings)
    return operator(make_account(0), make_account(1))


def refused(run, **more):
    """What is said to whoever runs so; nothing was launched."""
    with pytest.raises(Guarded) as refusal:
        run.run(canary=False, **more)
    assert run.rows("instances") == []
    return str(refusal.value)


def test_a_plan_that_must_be_approved_waits_for_a_signature_of_just_this_plan(someone, keys, make_account):
    """Nobody's, a stranger's, a damaged one, one of other mails or of another plan: nothing is launched."""
    told = refused(someone)
    made, _ = plan(someone.options(), worlds=someone.worlds)
    assert f"nobody has approved the plan {made.digest}" in told
    assert "no signature of the plan" in refused(someone, approved_by=keys(told, STRANGER))
    for other in (told.replace(made.digest, "0" * 64), told.replace("laerecover plan", "laerecover mails")):
        assert "no signature of the plan" in refused(someone, approved_by=keys(other))
    signature = keys(told)
    whole = signature.read_bytes()
    for damaged in (b"", b"\0" * 900, whole[:-60], whole.replace(b"A", b"B")):
        signature.write_bytes(damaged)
        assert "no signature of the plan" in refused(someone, approved_by=signature)
    signature.write_bytes(whole)
    assert someone.run(canary=False, approved_by=signature).number("recovered") == 2
    kept = list(someone.folder.glob("approved-plan-*.sig"))
    assert [each.read_bytes() for each in kept] == [whole]
    assert someone.run(canary=False).number("recovered") == 2


def test_mails_that_must_be_approved_are_held_by_a_run_and_wait_for_their_own_signature(someone, keys):
    """`--mail send` is refused; the plan's signature sends none; one of just these mails sends each once."""
    signature = keys(refused(someone))
    assert "nobody could look at these" in refused(someone, mail="send", approved_by=signature)
    someone.run(canary=False, approved_by=signature)

    def send(**more):
        with_these = {"stop": threading.Event(), "confirm": lambda state, letters: True, "worlds": someone.worlds}
        return notify(someone.options(**more), **with_these)[1]

    for more in ({}, {"approved_by": signature}):
        with pytest.raises(Guarded, match="the mails") as told:
            send(**more)
        assert someone.rows("mailbox") == []
    assert set(send(approved_by=keys(str(told.value))).values()) == {"sent"}
    assert len(someone.rows("mailbox")) == 2


def test_a_signature_is_looked_at_though_nobody_asks_for_one(keys, someone, tmp_path, monkeypatch):
    """Whoever gives one means it; without a list of signers nobody can tell whose it is."""
    told = refused(someone)
    optional = someone.options().read_settings().changed(approval={"required": False})
    monkeypatch.setattr(Options, "read_settings", lambda self: optional)
    assert "no signature" in refused(someone, approved_by=keys(told, STRANGER))
    with pytest.raises(LaeRecoverError, match="that file is not there"):
        someone.run(approved_by=tmp_path / "nowhere.sig")
    monkeypatch.setattr(Options, "read_settings", lambda self: optional.changed(approval={"allowed_signers": None}))
    with pytest.raises(LaeRecoverError, match="do not say who may approve"):
        someone.run(approved_by=keys(told))
    assert someone.run(canary=False).number("recovered") == 2


@pytest.mark.parametrize(
    ("lines", "approved"),
    [
        (['other@example.org namespaces="git" KEY', "second@example.org KEY"], "second@example.org"),
        (['old@example.org valid-before="20200101" KEY', "# a line", "", "new@example.org,x KEY"], "new@example.org"),
        (["!no@example.org,*@example.org KEY"], "*@example.org"),
        (['"a b@example.org" KEY'], "a b@example.org"),
        (['old@example.org valid-before="20200101" KEY', 'git@example.org namespaces="git" KEY', "x STRANGER"], ""),
        ([""], ""),
    ],
)
def test_a_key_may_stand_in_several_lines_of_which_one_counts(keys, tmp_path, lines, approved):
    """Those for other texts, those that ended, and strangers' say nothing against it."""
    signers, digest = tmp_path / "keys" / "allowed_signers", "a" * 64
    public = {name: (tmp_path / "keys" / f"{who}.pub").read_text() for name, who in NAMED.items()}
    text = "\n".join(lines)
    for name, key in public.items():
        text = text.replace(name, key.strip())
    signers.write_text(text)
    approval = ApprovalSettings(allowed_signers=signers)
    with pytest.raises(Guarded) as told:
        guard_approval("plan", digest, approval.changed(required=True), None)
    signature = keys(str(told.value))
    if approved:
        assert guard_approval("plan", digest, approval, signature) == approved
    else:
        with pytest.raises(Guarded, match="no signature of the plan"):
            guard_approval("plan", digest, approval, signature)


def test_the_settings_say_who_may_approve(tmp_path):
    """Beside the settings' file; a section that names nobody, or what is no yes or no, is refused."""
    (tmp_path / "lae_automation_config.json").write_text("{}")
    path = tmp_path / "laerecover.toml"

    def told(section):
        path.write_text(f"{example()}\n{section}\n")
        with pytest.raises(LaeRecoverError) as refusal:
            read_settings(path)
        return str(refusal.value)

    assert "allowed_signers" not in told('[approval]\nallowed_signers = "who"\nrequired = true')
    assert "allowed_signers is missing" in told("[approval]\nrequired = true")
    assert "approval.required is none of" in told('[approval]\nallowed_signers = "who"\nrequired = "perhaps"')
    assert "approval.signers is no setting" in told('[approval]\nsigners = "who"')
