"""A customer's mail as a file."""

from __future__ import annotations

import json
import stat

import pytest

from laerecover.afterwards.letter import JOURNAL, write_letter
from laerecover.errors import LaeRecoverError
from laerecover.mail.outbox import Outbox

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture
def someone(operator, make_account):
    """An operator of one recovered account, whose mail is held."""
    made = operator(make_account(0, server="GONE"))
    made.run()
    made.account_id = make_account(0).account_id
    made.mail = lambda: Outbox(made.folder / "outbox.sqlite").of(made.account_id)[-1]
    return made


def test_a_letter_is_its_owner_s_alone_and_stands_in_the_journal(someone, tmp_path):
    """The mail with its furl, in a new file; what exists is never written over, a link is not followed."""
    place = tmp_path / "letter.txt"
    write_letter(someone.options(), someone.account_id, place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert "introducer.furl = pb://" in place.read_text()
    journal = someone.folder / JOURNAL
    (line,) = map(json.loads, journal.read_text().splitlines())
    assert (line["account"], line["to"]) == (someone.account_id, str(place))
    assert line["message_id"] == someone.mail().message_id
    assert "pb://" not in journal.read_text()
    assert someone.mail().state == "held", "its fate is another matter"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for taken in (place, tmp_path / "link"):
        with pytest.raises(LaeRecoverError, match="cannot be written anew"):
            write_letter(someone.options(), someone.account_id, taken)
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(LaeRecoverError, match="no mail to its customer"):
        write_letter(someone.options(), "nobody", tmp_path / "other")
