"""The operator's files: what they may say, and how each mistake in them is told."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import traceback
from pathlib import Path
from typing import get_args

import pytest

from laerecover.errors import LaeRecoverError, explain
from laerecover.planning.guards import guard_files
from laerecover.sections import Section
from laerecover.settings import SettingsFile, drill_settings, read_settings, unfinished_settings
from laerecover.settings_reader import example

MAIL = 'host = "smtp.example.org"\nsender = "support@example.org"\nstaff = "staff@example.org"\n'


def test_the_example_is_a_settings_file(settings_file, make_account):
    """What `settings --example` prints can be read, old and new config keys alike, and shows no secret."""
    settings = read_settings(settings_file())
    assert settings.config.admin_keypair_name == "old-name-of-the-key-pair"
    assert settings.files.ec2secret.reveal() == "canary-ec2-secret"
    assert "canary-" not in repr(settings)
    assert settings.image_of(make_account(product_code="7A3C2F01")) == "ami-old"


def test_customers_may_be_anywhere_unless_the_settings_say_where(settings_file):
    """Ranges of addresses, or lists that the cloud keeps."""
    assert read_settings(settings_file()).ec2.customers_from == ("0.0.0.0/0",)
    places = '[ec2]\ncustomers_from = ["203.0.113.0/24", "pl-0123abcd"]'
    assert read_settings(settings_file(example().replace("[ec2]", places))).ec2.customers_from == (
        "203.0.113.0/24",
        "pl-0123abcd",
    )


def test_images_are_mapped_explicitly(settings_file, make_account):
    """What no longer exists is replaced by what the operator wrote, and by nothing else."""
    text = example().replace("[ec2.images]", '[ec2.images]\n"ami-old" = "ami-new"')
    settings = read_settings(settings_file(text))
    assert settings.image_of(make_account()) == "ami-new"
    assert settings.image_of(make_account(product_code=None)) == "ami-11111111"
    assert settings.image_of(make_account(product_code=None, ami_image_id=None)) is None


@pytest.mark.parametrize(
    ("text", "config", "wanted"),
    [
        ("= nonsense", {}, "cannot be read: it is no TOML from there on"),
        ('[mail]\nsecurity = "none"', {}, "without TLS is refused"),
        ("[waits]\naddress_poll = 0", {}, "waits.address_poll"),
        ("[waits]\nnonsense = 1", {}, "waits.nonsense is no setting"),
        ("[nonsense]\nx = 1", {}, "nonsense is no setting"),
        ("ec2 = 3", {}, r"\[ec2\] is no table"),
        ('[ec2]\ncustomers_from = "0.0.0.0/0"', {}, "ec2.customers_from is no list of ranges"),
        ('[ec2]\ncustomers_from = ["the office"]', {}, "ec2.customers_from is no list of ranges"),
        ('[ec2]\nendpoint = "ec2.example.org"', {}, "ec2.endpoint is no address of a service"),
        ('[recipe]\ns3_endpoint = "https://me:word@s3.example.org"', {}, "recipe.s3_endpoint is no address"),
        ("[ec2]\ncustomers_from = []", {}, "ec2.customers_from is no list of ranges"),
        ('[files]\nec2secret = "nosuch"\n[mail]\nhost = "h"\nsender = "s"\nstaff = "t"', {}, "cannot be read"),
        (None, {"ec2_access_key_id": None}, "ec2_access_key_id is missing"),
        ("[mail]\n", {}, "is missing"),
    ],
)
def test_wrong_settings_are_refused_by_name(settings_file, text, config, wanted):
    """File, key and remedy of every wrong setting are told."""
    with pytest.raises(LaeRecoverError, match=wanted):
        read_settings(settings_file(text, **config))


def test_a_config_that_is_no_json_is_told_in_words(settings_file):
    """What it is not, and where it ceases to be that; nothing of what stands there."""
    path = settings_file()
    (path.parent / "lae_automation_config.json").write_text('{\n "ec2_access_key_id": AKIASECRET')
    with pytest.raises(LaeRecoverError, match="it is no JSON from there on") as refused:
        read_settings(path)
    assert str(refused.value.where).endswith("lae_automation_config.json, line 2, column 23")
    assert "AKIASECRET" not in f"{refused.value} {refused.value.where}"


def test_everything_that_is_wrong_is_told_at_once(settings_file):
    """Nobody wants to mend a settings file one try at a time."""
    path = settings_file(
        '[mail]\nsecurity = "none"\n[waits]\nlisten_poll = 0\n[nonsense]\n', admin_privkey_path=None, key_filename=None
    )
    (path.parent / "ec2secret").unlink()
    with pytest.raises(LaeRecoverError) as refused:
        read_settings(path)
    assert "8 settings are missing or wrong" in refused.value.what
    wanted = ("nonsense", "TLS", "listen_poll", "admin_privkey_path is missing", "sender", "staff", "host", "ec2secret")
    assert all(word in refused.value.where for word in wanted), refused.value.where
    assert len(explain(refused.value).splitlines()) == 2 + 8


def test_key_files_that_are_not_there_are_told_with_the_rest_or_by_themselves(settings_file):
    """In the round in which settings are told, if there is one; without them only what launches asks for them."""
    path = settings_file(f"[mail]\n{MAIL}ca_file = 'ca.pem'\n[waits]\nlisten_poll = 0\n")
    absent = {"admin_privkey_path": "admin.pem", "monitor_privkey_path": "monitor.pem"}
    absent |= {"zenoss_privkey_path": "zenoss.pem", "ca_file": "ca.pem"}
    for file in ("admin.pem", "monitor.pem", "zenoss.pem"):
        (path.parent / file).unlink()
    with pytest.raises(LaeRecoverError) as refused:
        read_settings(path)
    told = set(refused.value.where.splitlines())
    assert told == {
        f"waits.listen_poll is no positive number · {path}, line 7",
        *(f"{name} names a file that is not there · {path.parent / file}" for name, file in absent.items()),
    }
    path.write_text(path.read_text().replace("listen_poll = 0", ""))
    settings = read_settings(path)
    with pytest.raises(LaeRecoverError, match="the settings name 4 files that cannot be found") as refused:
        guard_files(settings)
    assert set(refused.value.where.splitlines()) == {
        f"{name} names a file that is not there · {path.parent / file}" for name, file in absent.items()
    }
    for file in ("admin.pem", "monitor.pem", "zenoss.pem"):
        (path.parent / file).touch()
    with pytest.raises(LaeRecoverError, match="the settings name 1 file that cannot be found"):
        guard_files(settings)
    (path.parent / "ca.pem").touch()
    guard_files(settings)


UNFINISHED = {
    "monitor_pubkey_path names a file that cannot be read": ("monitor.pub", "config.monitor_pubkey"),
    "files.ec2secret names a file that cannot be read": ("ec2secret", "files.ec2secret"),
    "monitor_privkey_path names a file that is not there": ("monitor.pem", ""),
    "ca_file names a file that is not there": ("ca.pem", ""),
    "monitor_privkey_path is missing": ("-monitor_privkey_path", "config.monitor_privkey_path"),
    "admin_keypair_name is missing": ("-keypair_name", "config.admin_keypair_name"),
    "ec2_access_key_id is missing": ("-ec2_access_key_id", "config.ec2_access_key_id"),
    "mail.staff is missing": ('staff = "staff@example.org"', "mail.staff"),
    "mail.host is missing": ('host = "smtp.example.org"', "mail.host"),
    "mail.sender is missing": (f"[mail]\n{MAIL}ca_file = 'ca.pem'\n", "mail"),
    "files.lae_automation_config cannot be read": ("lae_automation_config.json", "config"),
}
"""What is said -> what is taken away to hear it; the setting that a drill's stands for then, which is all that may."""


def _flat(settings) -> dict[str, object]:
    known = {}
    for name, section in settings:
        inner = dict(section) if isinstance(section, Section) else {"": section}
        known |= {f"{name}.{key}": getattr(value, "reveal", lambda v=value: v)() for key, value in inner.items()}
    return known


@pytest.mark.parametrize("wanted", [[each] for each in UNFINISHED] + [[*UNFINISHED][3:8], [*UNFINISHED][:3]], ids=len)
def test_of_unfinished_settings_all_that_is_told_counts(settings_file, tmp_path, make_account, wanted):
    """What is missing is named with its place; in place of that alone stands what a drill has."""
    text = f"[prices]\ndisk = 0.5\n[ec2]\nregion = 'eu-west-1'\n[mail]\n{MAIL}ca_file = 'ca.pem'\n"
    path = settings_file(text)
    (tmp_path / "ca.pem").touch()
    whole, drills = _flat(read_settings(path)), _flat(drill_settings(tmp_path))
    for what, _ in map(UNFINISHED.get, wanted):
        if (tmp_path / what).is_file():
            (tmp_path / what).unlink()
        elif what.startswith("-"):
            config = json.loads((tmp_path / "lae_automation_config.json").read_text())
            (tmp_path / "lae_automation_config.json").write_text(json.dumps({**config, what[1:]: None}))
        else:
            path.write_text(path.read_text().replace(what, ""))
    settings, missing = unfinished_settings(path, tmp_path)
    assert all(any(said in each for each in missing) for said in wanted), missing
    assert all(str(tmp_path) in each for each in missing), "each with its place"
    stood_in = tuple(filter(None, (setting for _, setting in map(UNFINISHED.get, wanted))))
    for name, value in _flat(settings).items():
        known = drills if name.startswith(stood_in or "-") else whole
        assert value == known[name] or name.startswith("evidence_out"), name
    assert settings.image_of(make_account()) == ("ami-11111111" if "config" in stood_in else "ami-old")


WRONG = """\
[ec2]
reqion = "us-east-1"                    # did you mean region?
account = 123456789012
customers_from = [                      # is no list of ranges
  "the office",
]
fallbacks = [{ size = "t3.small" }, { sise = "t3.small" }]   # ec2.fallbacks.1.sise is no setting; did you mean size?
[ec2.images]
"ami-11111111" = 3                      # ec2.images.ami-11111111 is no text
[mail]                                  # mail.staff is missing
host = \'\'\'
smtp.example.org\'\'\'
port = 70_000                           # mail.port is more than 65535
security = "none"                       # without TLS is refused
sender = "support"                      # is no address of a mail
user = "sign\\u0000up"                  # is no plain text on one line
password_file = "nowhere"               # names a file that cannot be read: No such file or directory
[recipe]
name = "tahoe-lafs"                     # is none of 'tahoe' or 'legacy-2012-s3'
s3_endpoint = "s3.example.org"          # is no address of a service
session_token = 1                       # is none of true, false
[approval]                              # lets nobody approve: allowed_signers is missing
required = true
[prices]
disk = nan                              # is no finite number
lunch = 3                               # is no setting; known are address, currency
[prices.instances]
"t3.micro" = -1                         # prices.instances.t3.micro is no positive number
[waits]
address_poll = inf                      # is no finite number
listen_tries = 3.0                      # is no whole number
mail_deadline = true                    # is no number
dial_deadline = 1979-05-27              # is no number
[mial]                                  # mial is no setting; did you mean mail?
"""


def test_each_mistake_is_told_with_its_line_and_what_is_expected(settings_file):
    """Those that the comments say, each with the number of its line, and no other."""
    path = settings_file(WRONG)
    with pytest.raises(LaeRecoverError) as refused:
        read_settings(path)
    told = [line.rpartition(" · ") for line in str(refused.value.where).splitlines()]
    lines = enumerate(WRONG.splitlines(), start=1)
    wanted = [(n, line.partition("# ")[2]) for n, line in lines if "# " in line]
    assert [place for _, _, place in told] == [f"{path}, line {n}" for n, _ in wanted]
    for (what, _, _), (_, said) in zip(told, wanted, strict=True):
        assert said in what
    assert f"{len(wanted)} settings are missing or wrong" in str(refused.value)


def test_mistakes_of_the_config_are_told_with_theirs(settings_file):
    """The config of 2012 keeps what else stands in it, and says where it is wrong."""
    path = settings_file(ec2_access_key_id=7, monitor_pubkey_path="nowhere.pub", ssh_port=22)
    with pytest.raises(LaeRecoverError) as refused:
        read_settings(path)
    one, other = str(refused.value.where).splitlines()
    assert one == f"ec2_access_key_id is no text · {path.parent}/lae_automation_config.json, line 2"
    assert "monitor_pubkey_path names a file that cannot be read" in one + other
    assert other.endswith("lae_automation_config.json, line 5")


KEYS = [
    (name, key, field.annotation)
    for name, section in SettingsFile.model_fields.items()
    for key, field in ((f.validation_alias or n, f) for n, f in section.annotation.model_fields.items())
]
WHOLE, NUMBERS = {("mail", "port"), ("waits", "listen_tries")}, {"waits", "prices"}


def accepts(section: str, key: str, literal: str) -> bool:
    """Whether a value of that type, which is no text, may stand there."""
    if literal == "true":
        return key in ("required", "session_token")
    if literal == "7":
        return (section, key) in WHOLE or key == "account" or accepts(section, key, "7.5")
    if literal == "7.5":
        return section in NUMBERS and key not in ("listen_tries", "currency", "instances")
    if literal == "{}":
        return key in ("images", "sizes", "instances")
    return literal == "[]" and key == "fallbacks"


@pytest.mark.parametrize("literal", ["true", "7", "7.5", "[]", "{}", "[[]]", "{ x = { y = 1 } }", "1979-05-27", "-1"])
def test_nothing_is_converted(settings_file, literal):
    """What is no text is taken where it belongs, and nowhere else: true is no 1, and 7 no "7", but for a number."""
    for section, key, _ in KEYS:
        text = f"[{section}]\n{key} = {literal}\n"
        text += 'allowed_signers = "who"\n' if (section, key) == ("approval", "required") else ""
        whole = text + MAIL if section == "mail" and key not in MAIL else f"{text}[mail]\n{MAIL}"
        if section == "mail":
            whole = text + "".join(line + "\n" for line in MAIL.splitlines() if not line.startswith(f"{key} "))
        path = settings_file(whole)
        if accepts(section, key, literal):
            read_settings(path)
        else:
            with pytest.raises(LaeRecoverError, match=f"{section}.{key}") as refused:
                read_settings(path)
            assert refused.value.exit_code == 2
            assert str(refused.value.where).startswith(f"{path}, line "), (section, key, refused.value.where)


HOSTILE = [
    '"\\u0000"',
    '"a\\nb"',
    '"\\u202Eevil"',
    '"\\u001B[2J"',
    f'"{"x" * 10_000}"',
    '"~nobody-at-all/file"',
    '"/"',
    '"/dev/zero"',
    "nan",
    "-inf",
    "1e999",
    "0x" + "f" * 5_000,
    "9" * 6_000,
    "[" * 3_000 + "]" * 3_000,
    "{ a = " * 400 + "1" + " }" * 400,
    '["\\u0000", 1, {}]',
]


@pytest.mark.parametrize("literal", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values_are_taken_as_they_are_or_refused(settings_file, literal):
    """Neither a crash nor a control character in what is shown, whatever stands where."""
    for section, key, _ in KEYS:
        path = settings_file(f"[{section}]\n{key} = {literal}\n" + ("" if section == "mail" else f"[mail]\n{MAIL}"))
        try:
            settings = read_settings(path)
        except LaeRecoverError as error:
            assert error.exit_code == 2
            shown = explain(error)
            assert all(c == "\n" or c.isprintable() for c in shown)
            assert len(shown) < 3_000
        else:
            told = getattr(getattr(settings, section), key)
            assert isinstance(told, str | Path | int | float), (section, key)
            assert "\0" not in str(told)


def canaries(path: Path) -> list[str]:
    """Settings in which secrets stand where they do not belong, each once alone and once among other mistakes."""
    texts = [
        f'[mail]\n{MAIL}password = "canary-1"\n',
        f'[mail]\n{MAIL}password_file = "canary-2"\n',
        f'[mail]\n{MAIL}password_file = ["canary-3"]\n',
        f'[mail]\n{MAIL}password_file = {{ text = "canary-4" }}\n',
        f'[mail]\n{MAIL}"canary 5 = with blanks" = 1\n',
        f'[mail]\n{MAIL}[mail.password_file]\nvalue = "canary-6"\n',
        f'[mail]\n{MAIL}port = "canary-7"\nsecurity = "canary-8"\nca_file = 7\n',
        f'[files]\nec2secret = "canary-9"\n[mail]\n{MAIL}',
        f'[files]\nec2secret = {{ key = "canary-10" }}\n[mail]\n{MAIL}',
        f'[files.ec2secret]\nkey = "canary-11"\n[mail]\n{MAIL}',
        f'ec2secret = "canary-12"\n[mail]\n{MAIL}',
        f'[ec2]\nsecret = "canary-13"\nimages = "canary-14"\n[mail]\n{MAIL}',
        f'[ec2]\nendpoint = "https://me:canary-15@example.org"\n[mail]\n{MAIL}',
        f'[ec2.images]\nsecret = ["canary-16"]\n[mail]\n{MAIL}',
        '[[mail]]\npassword = "canary-17"\n',
        'mail = "canary-18"\nec2 = ["canary-19"]\nwaits = "canary-20"\n',
        f"[mail]\n{MAIL}password = canary-21\n",
        f'[mail]\n{MAIL}password = "canary-22\n',
        f"[mail]\n{MAIL}canary-23\n",
        f'[approval]\nrequired = "canary-24"\nallowed_signers = {{ canary = "canary-25" }}\n[mail]\n{MAIL}',
    ]
    return texts + [f"{text}\n[waits]\nlisten_poll = 0\n" for text in texts]


def test_no_mistake_shows_what_stands_in_the_file(settings_file):
    """Neither message nor traceback, nor what hangs on the exception, holds a value of the file; no repr a secret."""
    for text in canaries(settings_file()):
        path = settings_file(text, ec2_secret_key="canary-30", monitor_privkey_path=["canary-31"])
        with pytest.raises(LaeRecoverError) as refused:
            read_settings(path)
        error, told = refused.value, [explain(refused.value), *traceback.format_exception(refused.value)]
        while error is not None:
            told += [str(error), repr(error), repr(error.args)]
            error = error.__cause__ or error.__context__
        assert not [line for line in told if "canary" in line], text


def test_a_traceback_shows_no_more(commands, make_manifest, key_file, settings_file):
    """By the command line, with --traceback, and with the exit code of refused settings."""
    manifest = make_manifest(count=1)
    for text in canaries(settings_file())[:19:3]:
        more = ("--settings", settings_file(text), "--key-file", key_file)
        for words in (("--traceback", "plan"), ("plan",)):
            ended = commands(*words, manifest, *more)
            assert ended.returncode == 2
            assert "canary" not in ended.stdout + ended.stderr


def test_the_example_names_every_setting_and_shows_defaults(settings_file):
    """Uncommented it is a whole file; what stands there uncommented is what holds without it."""
    active = tomllib.loads(example())
    lines = (line.removeprefix("# ") if line.startswith(("# ", '# "')) else line for line in example().splitlines()[4:])
    whole = tomllib.loads("\n".join(lines))
    for name, section in SettingsFile.model_fields.items():
        fields = {f.validation_alias or n: f for n, f in section.annotation.model_fields.items()}
        assert set(whole[name]) == set(fields), name
        for key, value in active.get(name, {}).items():
            default = fields[key].default
            assert fields[key].is_required() or value in (default, str(default)) or value == {}, (name, key)


def test_every_section_is_strict():
    """None converts, passes over or shows what it does not know."""
    for name, field in SettingsFile.model_fields.items():
        section = next(each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type))
        assert issubclass(section, Section)
        config = section.model_config
        assert (config["strict"], config["frozen"], config["hide_input_in_errors"]) == (True, True, True), name
        assert config["extra"] == "forbid"


@pytest.mark.parametrize("words", [("--help",), ("status", "MANIFEST"), ("settings", "--example")])
def test_what_needs_no_settings_does_not_import_what_reads_them(words, make_manifest, tmp_path):
    """Models take their time to be made: whoever asks how it goes does not wait for them."""
    code = (
        "import sys\nfrom laerecover.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('found:', sorted({'laerecover.settings', 'laerecover.sections'} & set(sys.modules)))\n"
    )
    given = [str(make_manifest(count=1)) if word == "MANIFEST" else word for word in words]
    ended = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, check=False)
    assert "found: []" in ended.stdout, ended.stdout + ended.stderr
