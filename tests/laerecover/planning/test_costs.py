"""What a plan costs: sums of what the settings tell, and nothing where they tell nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from laerecover.errors import LaeRecoverError
from laerecover.manifest import Manifest
from laerecover.planning.costs import HOW_TO_SET, costs, in_words
from laerecover.planning.forecast import Forecast
from laerecover.planning.plan import Circumstances, make_plan
from laerecover.sections import Prices
from laerecover.settings import drill_settings, read_settings
from laerecover.settings_reader import example


@pytest.fixture
def planned(make_account, tmp_path):
    """Four accounts of two types of instance, two at a time, half an hour each; one is recovered already."""
    accounts = (*(make_account(n) for n in range(3)), make_account(3, instance_size="c1.medium"))
    manifest = Manifest(accounts=accounts, evidence_digest="e", digest="d" * 64)
    ids = tuple(a.account_id for a in accounts)
    forecast = Forecast(seconds=1800.0, rests_on="a drill")
    given = Circumstances(mode="drill", selected=frozenset(ids), concurrency=2, forecast=forecast)
    return replace(make_plan(manifest, drill_settings(tmp_path), given), starts=ids[1:])


@pytest.fixture
def priced(settings_file):
    """The example's settings with these prices in place of its own."""
    text = example()
    rest = text[text.index("[waits]") :]
    return lambda prices: settings_file(text[: text.index("[prices]")] + prices + "\n" + rest)


def test_servers_are_summed_up_by_their_types(planned):
    """Three at 0.01, one at 0.1, four disks and addresses; three to be launched take two rounds of half an hour."""
    prices = Prices(currency="USD", instances={"t1.micro": 0.01}, instance=0.1, disk=0.002, address=0.005)
    found = costs(planned, prices, 0)
    assert found is not None
    assert (found.instances, found.hour, found.month, found.run) == (4, 0.158, 115.34, 0.12)
    assert (found.without, found.storage_month) == ((), None)
    assert in_words(found) == [
        "cost of 4 instances: USD 0.1580 an hour, USD 115.34 a month (730 hours); until the run ends USD 0.12 at most"
    ]


def test_what_has_no_price_is_named(planned):
    """It is in no sum, and nobody takes the sum for the whole."""
    found = costs(planned, Prices(instances={"t1.micro": 0.01}), 5_000_000_000)
    assert found is not None
    assert found.hour == 0.03
    assert found.without == ("instances of type c1.medium", "disks", "addresses", "storage of 5.0 GB of joined shares")
    assert in_words(found)[-1].endswith("type c1.medium, disks, addresses, storage of 5.0 GB of joined shares")


def test_storage_is_that_which_is_added(planned):
    """A price for storage alone tells nothing of servers."""
    found = costs(planned, Prices(storage=0.02), 150_000_000_000)
    assert found is not None
    assert (found.hour, found.storage_month) == (None, 3.0)
    assert in_words(found)[0] == "cost of 150.0 GB of joined shares: 3.00 a month"


def test_storage_that_nobody_counted_is_no_zero(planned):
    """Without a check nobody knows what joining adds, whatever a GB costs."""
    found = costs(planned, Prices(instance=0.1, storage=0.02), None)
    assert found is not None
    assert (found.hour, found.storage_month, found.added_bytes) == (0.4, None, None)
    assert in_words(found)[-1].endswith("disks, addresses, storage that joining may add, which `plan --check` counts")


def test_no_price_is_invented(planned):
    """Nothing is said but how to set one."""
    assert costs(planned, Prices(), 10**9) is None
    assert in_words(None) == (HOW_TO_SET,)


def test_prices_are_read_from_the_settings(tmp_path, priced):
    """Those of the example, uncommented; what is no price, or none that is known, is refused by name."""
    told = example()[example().index("[prices]") : example().index("[waits]")]
    path = priced("\n".join(line.removeprefix("# ") for line in told.splitlines()))
    prices = read_settings(path).prices
    assert prices == Prices(
        currency="USD", instance=0.0208, instances={"t3.micro": 0.0104}, disk=0.0009, address=0.005, storage=0.023
    )
    path = priced('[prices]\ndisk = "cheap"\nlunch = 3\n[prices.instances]\n"t3.micro" = -1\n')
    with pytest.raises(LaeRecoverError) as refused:
        read_settings(path)
    said = str(refused.value.where) + str(refused.value)
    assert all(name in said for name in ("prices.disk", "prices.lunch", "prices.instances.t3.micro"))


def test_plan_tells_the_costs(commands, make_manifest, key_file, priced):
    """In text, and as JSON; without prices the text says how to set them."""
    manifest = make_manifest(count=2)
    plan = ("plan", manifest, "--key-file", key_file)
    assert HOW_TO_SET in commands(*plan).stdout
    assert json.loads(commands(*plan, "--json").stdout)["costs"] is None
    settings = priced("[prices]\ninstance = 0.5\n")
    told = commands(*plan, "--settings", settings)
    assert "cost of 2 instances: 1.0000 an hour, 730.00 a month" in told.stdout
    assert json.loads(commands(*plan, "--settings", settings, "--json").stdout)["costs"]["hour"] == 1.0


@pytest.mark.parametrize("sizes", ["", '[ec2]\nsizes = { "t1.micro" = "t3.micro" }\n'])
def test_prices_alone_are_enough(commands, make_manifest, key_file, tmp_path, sizes):
    """Settings that are not whole yet: what is known is summed up, what is missing is said; `--check` wants all."""
    settings = tmp_path / "laerecover.toml"
    settings.write_text(f'{sizes}[prices]\ncurrency = "EUR"\n[prices.instances]\n"t3.micro" = 0.5\n')
    plan = ("plan", make_manifest(count=2), "--key-file", key_file, "--settings", settings)
    told = commands(*plan)
    assert told.returncode == 0, told.stderr
    assert ("cost of 2 instances: EUR 1.0000 an hour" in told.stdout) == bool(sizes)
    assert ("for want of a price or a count: instances of type t1.micro" in told.stdout) == (not sizes)
    assert "note: the settings are not whole" in told.stdout
    assert "mail.host is missing" in told.stdout
    checked = commands(*plan, "--check")
    assert (checked.returncode, "mail.host is missing" in checked.stderr) == (2, True)
    settings.write_text(settings.read_text() + "\n[mail]\nport = 70000\n")
    wrong = commands(*plan)
    assert (wrong.returncode, "mail.port" in wrong.stderr, wrong.stdout) == (2, True, "")


def test_one_missing_file_takes_nothing_else_away(commands, make_manifest, make_account, key_file, priced, tmp_path):
    """The config's images and the prices count as ever; the note names the file's setting, the JSON has it, too."""
    settings = priced('[prices.instances]\n"t3.micro" = 0.5\n')
    settings.write_text(settings.read_text().replace("[ec2.sizes]", '[ec2.sizes]\n"t1.micro" = "t3.micro"'))
    (tmp_path / "monitor.pub").unlink()
    (tmp_path / "admin.pem").unlink()
    manifest = make_manifest(make_account(0, ami_image_id=None, instance_size=None))
    plan = ("plan", manifest, "--key-file", key_file, "--settings", settings)
    told = commands(*plan)
    assert told.returncode == 0, told.stderr
    assert "launch ami-old as t3.micro" in told.stdout
    assert "cost of 1 instances: 0.5000 an hour" in told.stdout
    config = tmp_path / "lae_automation_config.json"
    assert "a run will want this: monitor_pubkey_path names a file that cannot be read: No such file" in told.stdout
    assert f"{config}, line 5" in told.stdout
    assert f"admin_privkey_path names a file that is not there · {tmp_path}/admin.pem" in told.stdout
    assert len(json.loads(commands(*plan, "--json").stdout)["missing"]) == 2
    config.unlink()
    told = commands(*plan)
    unseen = "so that what it names was not looked at"
    assert f"lae_automation_config cannot be read: No such file or directory, {unseen} · {config}" in told.stdout
    assert "no image or size is known so far: the settings are not whole" in told.stdout
    assert "add its product" not in told.stdout
