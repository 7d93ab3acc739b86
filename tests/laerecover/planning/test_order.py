"""Who starts when: named in a file, shown in the plan, and so it happens."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from laerecover.errors import LaeRecoverError
from laerecover.options import Options, Selection
from laerecover.planning.planner import plan

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def listed(tmp_path):
    """Writes a file of these lines."""

    def write(*lines, name="order.txt"):
        (tmp_path / name).write_text("\n".join(lines) + "\n", "utf-8")
        return tmp_path / name

    return write


@pytest.fixture
def five(operator, make_account):
    """Somebody with five accounts, and their ids in the manifest's order; e-mails bear the same numbers."""
    accounts = sorted((make_account(n) for n in range(5)), key=lambda account: account.account_id)
    accounts = [replace(each, customer_email=f"customer{n}@example.org") for n, each in enumerate(accounts)]
    someone = operator(*accounts)
    return someone, [account.account_id for account in accounts]


def launched(someone):
    """The account of each launch, in the order of the world's own diary."""
    with someone.file.change() as db:
        asked = (
            "SELECT account_id FROM effects JOIN instances ON subject = instance_id WHERE effect = 'launch' ORDER BY n"
        )
        return [row[0] for row in db.execute(asked)]


def test_accounts_start_in_the_order_of_the_file(five, listed):
    """Those of the file first, by id or e-mail, then the others as in the manifest: planned so, launched so."""
    someone, ids = five
    order = listed("# the house first", ids[3], "", "  customer1@example.org  ", ids[3])
    given = {"selection": Selection(order=order), "concurrency": 1}
    wanted = [ids[3], ids[1], ids[0], ids[2], ids[4]]
    planned, _ = plan(someone.options(**given), worlds=someone.worlds)
    assert list(planned.starts) == wanted
    assert someone.run(**given).exit_code == 0
    assert launched(someone) == wanted


def test_the_first_of_an_order_are_its_first(five, listed):
    """`--first` counts in the order, and `@FILE` selects as names do."""
    someone, ids = five
    chosen = Selection(order=listed(ids[4], ids[2]), first=2)
    planned, _ = plan(someone.options(selection=chosen), worlds=someone.worlds)
    assert planned.starts == (ids[4], ids[2])
    chosen = Selection(only=(f"@{listed(ids[1], ids[4], name='only')}",), without=(f"@{listed(ids[4], name='not')}",))
    planned, _ = plan(someone.options(selection=chosen), worlds=someone.worlds)
    assert planned.starts == (ids[1],)


@pytest.mark.parametrize("option", ["only", "without", "order"])
def test_unknown_accounts_are_refused_with_their_line(five, listed, option):
    """All of them at once, before anything is launched or written."""
    someone, ids = five
    file = listed(ids[0], "nobody", "", "no one's")
    given = file if option == "order" else (f"@{file}",)
    with pytest.raises(LaeRecoverError) as caught:
        someone.run(selection=Selection(**{option: given}))
    assert caught.value.what == """no account is called 'nobody', "no one's\""""
    assert caught.value.where == f"{file}, line 2\n{file}, line 4"
    assert someone.rows("instances") == []


def test_a_file_that_is_none_is_refused(five, tmp_path):
    """One that is not there, a folder, and one that is no text."""
    someone, _ = five
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name, why in (("none", "No such file"), (".", "Is a directory"), ("bytes", "no text in UTF-8")):
        with pytest.raises(LaeRecoverError, match=why):
            someone.run(selection=Selection(order=tmp_path / name))
    assert someone.rows("instances") == []


def test_the_plan_shows_the_waves(five):
    """The canary alone, then as many as work at a time; once somebody was recovered and reached, no canary."""
    someone, ids = five
    given = {"concurrency": 3, "canary": "customer2@example.org"}
    planned, _ = plan(someone.options(**given), worlds=someone.worlds)
    assert planned.waves == ((ids[2],), (ids[0], ids[1], ids[3]), (ids[4],))
    assert json.loads(json.dumps(planned.body))["first"] == ids[2]
    assert planned.seconds == planned.seconds_of(5) == 3 * planned.forecast.seconds
    assert planned.seconds_of(1) == planned.forecast.seconds
    planned, _ = plan(someone.options(concurrency=4, canary=False), worlds=someone.worlds)
    assert planned.waves == (tuple(ids[:4]), tuple(ids[4:]))
    assert planned.seconds == 2 * planned.forecast.seconds
    someone.run(selection=Selection(only=(ids[1],)))
    planned, _ = plan(someone.options(), worlds=someone.worlds)
    assert planned.waves == ((ids[0], *ids[2:]),)


def test_the_canary_is_who_was_chosen(five):
    """It is recovered before anybody else is launched; without a choice it is the first that starts."""
    someone, ids = five
    planned, _ = plan(someone.options(), worlds=someone.worlds)
    assert planned.first == ids[0]
    assert someone.run(canary=ids[3]).exit_code == 0
    assert launched(someone)[0] == ids[3]
    effects = [row["effect"] for row in someone.rows("effects")]
    second = [number for number, effect in enumerate(effects) if effect == "launch"][1]
    assert effects.index("serverinfo") < second
    assert someone.run(canary=ids[3]).exit_code == 0


def test_the_plan_says_that_nobody_chose_the_canary(five, listed):
    """Not where somebody did, by name or by an order; nor where one account goes alone, or nobody goes ahead."""
    someone, ids = five

    def said(**given):
        planned, _ = plan(someone.options(**given), worlds=someone.worlds)
        return [note for note in planned.notes if note.startswith("nobody has chosen the canary")]

    assert ids[0] in said()[0]
    chosen = [{"canary": ids[2]}, {"canary": False}]
    for selection in (Selection(order=listed(ids[4])), Selection(first=1)):
        chosen.append({"selection": selection})
    assert [said(**given) for given in chosen] == [[]] * 4


@pytest.fixture
def own_canary(monkeypatch):
    """Writes `[run] canary` into the operator's settings."""
    read = Options.read_settings

    def write(name, **mail):
        told = {"run": {"canary": name}, "mail": mail}
        monkeypatch.setattr(Options, "read_settings", lambda self: read(self).changed(**told))

    return write


def test_the_settings_name_the_canary_where_the_command_names_none(five, own_canary, listed):
    """Not where it does, or sends nobody ahead; nor where it is left out, which the plan says."""
    someone, ids = five
    own_canary("customer3@example.org")

    def first(**given):
        planned, _ = plan(someone.options(**given), worlds=someone.worlds)
        return planned.first, any("nobody has chosen the canary" in note for note in planned.notes)

    assert first() == first(selection=Selection(order=listed(ids[4]))) == (ids[3], False)
    assert first(canary=ids[2]) == (ids[2], False)
    assert first(canary=False) == ("", False)
    assert first(selection=Selection(without=(ids[3],))) == (ids[0], True)
    assert someone.run().exit_code == 0
    assert launched(someone)[0] == ids[3]


@pytest.mark.parametrize(("name", "why"), [("nobody", "no account is called 'nobody'"), ("lost", "the verdict is")])
def test_a_canary_of_the_settings_that_cannot_sing_is_refused(operator, make_account, own_canary, name, why):
    """As that of the command is, naming the settings; but for commands that need none."""
    lost = make_account(2, verdict="CONTESTED", customer_email="lost@example.org")
    someone = operator(make_account(0), make_account(1), lost)
    own_canary(name if name == "nobody" else lost.account_id)
    with pytest.raises(LaeRecoverError, match=why) as caught:
        someone.run()
    assert caught.value.where.startswith("run.canary in ")
    assert someone.rows("instances") == []
    assert someone.run(canary=False).exit_code == 0
    plan(someone.options(), worlds=someone.worlds)


@pytest.mark.parametrize(
    ("staff", "chosen", "why"),
    [
        ("Customer3@house.example.org", 3, "whose customer is the staff"),
        ("nobody@house.example.org", 2, "the first whose address is of the staff's own domain"),
        ("nobody@elsewhere.example.org", 0, "it happens to be first"),
    ],
)
def test_where_nobody_chose_it_is_rather_the_staffs_own_account(
    operator, make_account, own_canary, monkeypatch, staff, chosen, why
):
    """As far as addresses tell; the plan says why."""
    domains = ["", "", "house.", "house.", ""]
    accounts = sorted((make_account(n) for n in range(5)), key=lambda account: account.account_id)
    someone = operator(
        *(replace(a, customer_email=f"customer{n}@{domains[n]}example.org") for n, a in enumerate(accounts))
    )
    own_canary(None, staff=staff, sender="sender@sending.example.org")
    planned, _ = plan(someone.options(), worlds=someone.worlds)
    assert planned.first == accounts[0].account_id  # a drill's settings, for there are none yet
    monkeypatch.setattr(Options, "has_settings", True)
    planned, _ = plan(someone.options(), worlds=someone.worlds)
    assert planned.first == accounts[chosen].account_id
    assert [why in note for note in planned.notes if note.startswith("nobody has chosen")] == [True]


def test_a_chosen_canary_goes_ahead_though_others_are_recovered(five):
    """A choice holds for as long as its account is not recovered."""
    someone, ids = five
    someone.run(selection=Selection(only=(ids[0],)))
    planned, _ = plan(someone.options(canary=ids[4]), worlds=someone.worlds)
    assert planned.waves[0] == (ids[4],)


def test_a_canary_that_cannot_sing_is_refused(operator, make_account):
    """Nobody of that name, several of it, one left out, one that is blocked: nothing is started."""
    twins = [make_account(n, customer_email="twins@example.org") for n in range(2)]
    lost = make_account(2, verdict="CONTESTED")
    someone = operator(*twins, lost)
    for name, why in (
        ("nobody", "no account is called 'nobody'"),
        ("twins@example.org", "2 accounts are called"),
        (lost.account_id, "would not be recovered: the verdict is CONTESTED"),
        (twins[1].account_id, "would not be recovered: not selected"),
    ):
        with pytest.raises(LaeRecoverError, match=why):
            someone.run(canary=name, selection=Selection(only=(twins[0].account_id,)))
    assert someone.rows("instances") == []


def test_why_a_canary_cannot_sing_is_told_without_codes(operator, make_account):
    """As the plan tells it."""
    someone = operator(make_account(0), make_account(1, verdict="UNFINISHED", grade=None, blocking=("never-ready",)))
    with pytest.raises(LaeRecoverError) as caught:
        someone.run(canary="customer1@example.org")
    said = "the canary would not be recovered: UNFINISHED: its server was never seen ready"
    assert caught.value.what == said


def test_order_and_canary_are_typed_shown_and_said_again(make_manifest, make_account, key_file, commands, listed):
    """On the command line, and in the commands that the plan proposes."""
    manifest, one = make_manifest(count=2), make_account(1)
    file = listed(one.account_id)
    given = ("--key-file", key_file, "--order", file)
    shown = commands("plan", manifest, *given, "--canary", one.account_id)
    assert f"     1  {one.account_id}  customer1@example.org  (canary" in shown.stdout
    assert f"--order {file} --canary {one.account_id}" in shown.stdout
    assert "--no-canary" in commands("plan", manifest, *given, "--no-canary").stdout
    assert commands("plan", manifest, *given, "--no-canary", "--canary", one.account_id).returncode == 2
    assert commands("drill", manifest, *given, "--pace", "0.001").returncode == 0


def test_the_beginning_of_a_name_is_enough_if_it_is_one_accounts_alone(five):
    """Of an id, a seed, an e-mail, in any capitals; of several it is refused with their ids, and one letter is none."""
    someone, ids = five
    seed = ids[3].rpartition("-")[2]
    for name in ("customer3", "CUSTOMER3@", seed, ids[3]):
        planned, _ = plan(someone.options(selection=Selection(only=(name,))), worlds=someone.worlds)
        assert planned.starts == (ids[3],)
        planned, _ = plan(someone.options(selection=Selection(without=(name,))), worlds=someone.worlds)
        assert set(planned.starts) == {*ids} - {ids[3]}
    for given in ({"only": ("cust",)}, {"without": ("cust",)}):
        with pytest.raises(LaeRecoverError, match="5 accounts are called 'cust'") as caught:
            someone.run(selection=Selection(**given))
        assert all(each in caught.value.next_step for each in ids)
    with pytest.raises(LaeRecoverError, match="no account is called 'cus'"):
        someone.run(selection=Selection(only=("cus",)))
    assert someone.rows("instances") == []
