"""Two accounts on one bucket: whoever says so, no second server gets it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from laerecover.afterwards.verify import verify
from laerecover.planning.planner import plan
from laerecover.shared_buckets import SHARED_BUCKET

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def say(tmp_path):
    """Write a file of changed credentials; an entry is whom it is about, and more lines."""

    def write(*entries):
        folder = tmp_path / "case"
        folder.mkdir(exist_ok=True)
        (folder / "renewed.secret").write_text("canary-renewed-secret\n")
        more = 'access_key_id = "AKIARENEWED"\nsecret_key_file = "renewed.secret"\nwho = "ann"\nwhy = "rotated"\n'
        (folder / "credentials.toml").write_text("\n".join(f"[[changed]]\n{entry}\n{more}" for entry in entries))
        (folder / "laerecover.toml").write_text('[files]\ncredentials = "credentials.toml"\n')

    return write


def entry(account, bucket, more=""):
    return f'account = "{account.account_id}"\nbucket = "{bucket}"\n{more}'


def blocked(someone, **options):
    """Who is blocked, and why, by a plan, a check of it and a run alike; none of them starts anything."""
    found = []
    for check in (False, True):
        made, obstacles = plan(someone.options(**options), worlds=someone.worlds, check=check)
        told = {row.account_id: row.why for row in made.blocked}
        assert {o.account_id for o in obstacles if o.what == SHARED_BUCKET and o.blocks} == told.keys()
        found.append(told)
    done = someone.run(**options)
    found.append({row.account_id: row.why for row in done.accounts if row.outcome == "blocked"})
    assert done.exit_code == (3 if found[0] else 0)
    assert len(someone.rows("instances")) == sum(row.outcome == "recovered" for row in done.accounts)
    assert found[0] == found[1] == found[2]
    return found[0]


SAYS = {
    "another_s_of_the_manifest": lambda a, b: [entry(a, b.bucket_name)],
    "another_s_in_another_case": lambda a, b: [entry(a, b.bucket_name.upper())],
    "another_s_at_another_address_of_the_store": lambda a, b: [
        entry(a, b.bucket_name, 'endpoint = "https://s3.example.org"\n')
    ],
    "one_that_another_entry_names": lambda a, b: [entry(a, "moved"), entry(b, "moved")],
    "each_the_other_s": lambda a, b: [entry(a, b.bucket_name), entry(b, a.bucket_name)],
    "one_for_a_whole_product": lambda a, b: ['product = "7A3C2F01"\nbucket = "moved"\n'],
}


@pytest.mark.parametrize("named", SAYS)
def test_a_bucket_of_two_accounts_is_served_to_neither(operator, make_account, say, named):
    """Both are blocked, each with the other's id, file and entry and what to do; a third account goes on."""
    first, second = make_account(0), make_account(1)
    third = make_account(2, product_code="0C4E91D7")
    someone = operator(first, second, third)
    say(*SAYS[named](first, second))
    why = blocked(someone)
    assert why.keys() == {first.account_id, second.account_id}
    assert second.account_id in why[first.account_id]
    assert first.account_id in why[second.account_id]
    assert all("credentials.toml, entry " in each for each in why.values())
    assert all(each.startswith(SHARED_BUCKET) and "name each account's own bucket" in each for each in why.values())


def test_another_account_counts_though_it_is_not_selected(operator, make_account, say):
    """`--only` of the one whose entry is wrong: the other's server may serve already."""
    first, second = make_account(0), make_account(1)
    someone = operator(first, second)
    say(entry(first, second.bucket_name))
    assert blocked(someone, only=(first.account_id,)).keys() == {first.account_id}


@pytest.mark.parametrize("tail", ["", "/"])
def test_two_rows_of_a_manifest_with_one_bucket(operator, make_account, tail):
    """No file of credentials is needed for it. Ids are buckets, so that their names can differ by case alone."""
    first = make_account(0)
    second = make_account(1, account_id=f"{first.account_id.upper()}{tail}")
    why = blocked(operator(first, second))
    assert why.keys() == {first.account_id, second.account_id}
    assert f"{second.account_id} (the manifest)" in why[first.account_id]


def test_keys_may_be_shared_and_a_bucket_may_move(operator, make_account, say):
    """All of S4 had one key; and who has moved away shares nothing with who stays."""
    first, second = make_account(0), make_account(1)
    second = replace(second, user_access_key_id=first.user_access_key_id, user_secret_key=first.user_secret_key)
    someone = operator(first, second)
    say(entry(first, "moved"), f'account = "{second.account_id}"\n')
    assert blocked(someone) == {}


def test_the_bucket_that_another_has_left_is_not_free(operator, make_account, say):
    """Its data may lie there still: only who would get it is blocked."""
    first, second = make_account(0), make_account(1)
    someone = operator(first, second)
    say(entry(first, second.bucket_name), entry(second, "moved"))
    assert blocked(someone).keys() == {first.account_id}


def test_who_serves_one_already_is_told_by_verify(operator, make_account, say):
    """What was recovered before anybody compared buckets is not well."""
    first, second = make_account(0), make_account(1)
    someone = operator(first, second)
    assert {row.outcome for row in someone.run().accounts} == {"recovered"}
    say(entry(first, second.bucket_name))
    told = verify(someone.options(), stop=someone.stop, worlds=someone.worlds)
    assert {c.account_id for c in told if c.kind == SHARED_BUCKET and c.ok is False} == {
        first.account_id,
        second.account_id,
    }
