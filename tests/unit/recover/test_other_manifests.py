"""A manifest that was mended between two runs, and other things that change beneath a recovery."""

from __future__ import annotations

import pytest

from laerecover.operations import plan
from laerecover.runbook import ALL_STEPS

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
UNFIT = "Eve\r\nBcc: mallory@example.net"
RUNS = "i-0000abcd"


def outcomes(made):
    """Account -> outcome, in the manifest's order."""
    return [account["outcome"] for account in made.accounts]


@pytest.fixture
def someone(operator, make_manifest):
    """Somebody in whose cloud an old server runs, and who can mend the manifest."""

    class Mending(operator):
        def __init__(self, *accounts):
            super().__init__(*accounts)
            with self.file.change() as db:
                db.execute(
                    "INSERT INTO instances (instance_id, client_token, request_digest, account_id, tags, state, launch_time, "
                    "hidden, pending, public_host, private_host, host_key, refusals) VALUES (?, 'old', '', '', '{}', "
                    "'running', '2012-01-01T00:00:00Z', 0, 0, '192.0.2.250', 'ip', 'k', 0)",
                    (RUNS,),
                )

        def mend(self, *accounts):
            self.manifest = make_manifest(*accounts)
            plan(self.options())

    return Mending


@pytest.mark.parametrize("field", ["former_instance_ids", "old_instance_id"])
def test_an_old_server_that_a_mended_manifest_names_is_asked_about(someone, make_account, field):
    """After a round that failed, too: what runs blocks the account, exit 3, though the first manifest's server was gone."""
    me = someone(make_account(0, customer_name=UNFIT))
    assert outcomes(me.run()) == ["failed"]
    me.mend(make_account(0, **{field: (RUNS,) if field == "former_instance_ids" else RUNS}))
    made = me.run()
    assert (outcomes(made), made.exit_code) == (["blocked"], 3)
    assert "still runs" in made.accounts[0]["why"]
    me.world.world.compute.terminate(RUNS)
    assert outcomes(me.run()) == ["recovered"]
