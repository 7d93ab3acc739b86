"""`settings --check`: whole is what a recovery in earnest can use."""

from __future__ import annotations

import tomllib

import pytest

from laerecover.settings_reader import example

OWN = {
    "smtp.example.org": "smtp.storage.localhost",
    "support@example.org": "support@storage.localhost",
    "staff@example.org": "staff@storage.localhost",
}


def filled_in(text):
    for left, own in OWN.items():
        text = text.replace(left, own)
    return text


def uncommented(text):
    first, *lines = text.splitlines()[3:]
    return "\n".join([first, *(x.removeprefix("# ") if x.startswith(("# ", '# "')) else x for x in lines)])


def test_the_example_as_it_is_printed_is_not_whole(commands, settings_file):
    """Each value that is nobody's own, with its line; once they are filled in, it is."""
    path = settings_file()
    told = commands("settings", "--check", path)
    assert told.returncode == 2
    for name in ("mail.host", "mail.sender", "mail.staff"):
        line = next(n for n, x in enumerate(example().splitlines(), 1) if x.startswith(name.removeprefix("mail.")))
        assert f"{name} is still the example's · {path}, line {line}" in told.stderr
    assert (told.stderr.count("still the example's"), "3 settings are" in told.stderr) == (3, True)
    path.write_text(filled_in(example()))
    assert commands("settings", "--check", path).stdout == f"whole: {path}\n"


def test_of_what_the_example_shows_commented_only_what_somebody_may_have_is_whole(commands, settings_file):
    """Sizes, zones and prices are; addresses, accounts, images, keys are not."""
    text = filled_in(uncommented(example()))
    tomllib.loads(text)
    told = commands("settings", "--check", settings_file(text)).stderr
    named = {line.split(" is still ")[0].split()[-1] for line in told.splitlines() if " is still " in line}
    own = {"customers_from.0", "subnet", "account", "image", "images.ami-11111111"}
    mine = {"mail.organisation", "mail.contact", "mail.page"}
    assert named == {f"ec2.{x}" for x in own} | mine - {"mail.contact"} | {
        "recipe.s3_endpoint",
        "monitoring.host_key",
        "run.canary",
    }


@pytest.mark.parametrize("host", ["mx.example.org", "192.0.2.25", "my-example.net", "localhost"])
def test_what_somebody_chose_is_his_own(commands, settings_file, host):
    """Whatever it is called: a rehearsal has a mail server, too."""
    text = filled_in(example()).replace(OWN["smtp.example.org"], host)
    assert commands("settings", "--check", settings_file(text)).returncode == 0


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ('"us-esat-1"', "us-east-1"),
        ('"moon-base-7"', "one that is newer than this program needs ec2.endpoint"),
        ('"cn-north-1"', ""),
        ('"us-esat-1"\nendpoint = "https://ec2.us-esat-1.internal/"', ""),
    ],
)
def test_a_region_that_amazon_does_not_have_is_told(commands, settings_file, said, hint):
    """By botocore's own list, without asking anybody; an endpoint of one's own may have any."""
    path = settings_file(filled_in(example()).replace('"us-east-1"', said, 1))
    told = commands("settings", "--check", path)
    assert (told.returncode, hint in told.stderr) == (2 if hint else 0, True)
    assert (f"{path}, line 12" in told.stderr) is bool(hint)


def test_of_files_that_are_missing_the_remedy_is_about_files(commands, settings_file):
    """No example prints a key; of a config that is not there it is said that more may be missing."""
    path = settings_file(filled_in(example()))
    for name in ("monitor.pub", "admin.pem"):
        (path.parent / name).unlink()
    told = commands("settings", "--check", path).stderr
    assert ("2 settings are missing or wrong" in told, "settings --example" in told) == (True, False)
    assert "next    put each file there, or name another; nothing was started" in told
    (path.parent / "lae_automation_config.json").unlink()
    told = commands("settings", "--check", path).stderr
    assert "cannot be read: No such file or directory, so that what it names was not looked at" in told
    assert ("put each file there" in told, "settings --example" in told) == (True, False)
    path.write_text(filled_in(example()).replace("port = 587", 'port = "587"'))
    told = commands("settings", "--check", path).stderr
    assert "settings --example` prints a whole one; put each file there" in told
    path.write_text("= nonsense")
    assert "next    mend it; `laerecover settings --example`" in commands("settings", "--check", path).stderr
