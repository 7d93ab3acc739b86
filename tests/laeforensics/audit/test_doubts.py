"""Every reason for which a witness is not worth what its channel is, with places and remedy; secrets stay masked."""

from __future__ import annotations

import pytest
from makings import (
    ACCESS_KEY_ID,
    BUCKET,
    HOST,
    LOG_FILE,
    OTHER_SEED,
    PARTS,
    SECRET_KEY,
    codes,
    evidence,
    identities_read,
    log,
    open_files,
    re_record,
    replacement,
    secrets,
    serverinfo,
)

from laeforensics.doubting.redacted import is_redacted
from laeforensics.facts.reasons import REASONS
from laerecover.manifest import Secret


def doubtful(folder):
    """A case whose log has another secret key in it, blacked out, and whose secrets file holds a stranger's sector."""
    credentials = PARTS["credentials"].replace(SECRET_KEY, "X" * 40)
    whole = log(credentials=credentials, running=PARTS["running"] + identities_read())
    return open_files(folder, evidence(log=whole, secrets=secrets(publichost="198.51.100.9")))


def test_each_reason_is_told_with_meaning_remedy_and_places(tmp_path):
    """One row for each witness and reason, in the words of the one table of reasons."""
    case = doubtful(tmp_path)
    doubts = case.doubts
    told = {(row.field, row.reason, row.weight) for row in doubts.itertuples()}
    assert ("user_secret_key", "redacted", "denies") in told
    assert ("public_host", "host-differs", "denies") in told
    assert ("user_access_key_id", "tied", "unsure") in told
    assert ("introducer_node_pem", "certified", "raises") in told
    for row in doubts.itertuples():
        assert row.account_id == BUCKET
        assert (row.meaning, row.remedy) == (REASONS[row.reason].means, REASONS[row.reason].remedy)
    tied = doubts[(doubts.reason == "tied") & (doubts.field == "user_access_key_id")].iloc[0]
    assert tied.value == ACCESS_KEY_ID
    assert tied.evidence.startswith("secrets/")
    assert tied.because
    assert all(place.startswith(tied.evidence) for place in tied.because)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_secret_key", "5ebe2294ecd0e0f08eab7690d2a6ee6926ae5cc8"),
        ("user_secret_key", "DummySecretKeyDummySecretKeyDummySecretK"),
        ("user_access_key_id", "AKIADUMMYDUMMYDUMMYD"),
        ("user_access_key_id", "ABCDEFGHIJKLMNOPQRST"),
        ("user_access_key_id", "AKIAKEY0000123456789"),
        ("customer_email", "ann...@example.org"),
        ("customer_email", "an…@example.org"),
    ],
)
def test_what_was_put_in_the_place_of_a_value_is_none(field, value):
    """A digest, a word or an alphabet that fills the place, what archives of mailing lists leave of an address."""
    assert is_redacted(field, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("user_secret_key", SECRET_KEY), ("user_access_key_id", ACCESS_KEY_ID), ("customer_email", "a.b..c@example.org")],
)
def test_a_value_is_one(field, value):
    """What looks like nobody's word stands."""
    assert not is_redacted(field, value)


def test_undamaged_evidence_has_no_doubts(tmp_path):
    """Nothing is doubted without a reason."""
    assert open_files(tmp_path, evidence()).doubts.empty


def test_explain_tells_the_reasons_with_their_places(tmp_path):
    """Beside each witness: how it came, why it is not believed, what speaks for that, what a human can do."""
    case = doubtful(tmp_path)
    text = str(case.explain(BUCKET))
    assert "not believed: it was blacked out" in text
    assert "next: look for a copy of this file that nobody has blacked out" in text
    line = next(line for line in text.splitlines() if ACCESS_KEY_ID in line and "not sure" in line)
    assert "(because of secrets/" in line
    assert "redacted" in codes(case)


def test_no_secret_is_shown(tmp_path):
    """Neither by the table nor by explain."""
    case = doubtful(tmp_path)
    secret = [row.value for row in case.doubts.itertuples() if row.field in ("user_secret_key", "server_node_pem")]
    assert secret
    assert all(isinstance(value, Secret) for value in secret)
    shown = case.doubts.to_string() + str(case.explain(BUCKET)) + case.explain(BUCKET)._repr_html_()
    assert SECRET_KEY not in shown
    assert "PRIVATE KEY" not in shown


def places_of(case, reason: str) -> dict[str, set[str]]:
    """By field: the files that speak for a doubt of this reason."""
    told = case.doubts[case.doubts.reason == reason]
    return {row.field: {place.partition(":")[0] for place in row.because} for row in told.itertuples()}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (serverinfo(host="198.51.100.44"), "other-address"),
        (serverinfo(launched="2012-02-01T11:11:11.000Z"), "other-launch"),
        (serverinfo(host="198.51.100.44", launched="2012-02-01T11:11:11.000Z"), "other-launch"),
    ],
)
def test_a_row_of_another_server_is_told_by_what_differs(row, reason, tmp_path):
    """Its address or its launch, with the places at which the log tells it otherwise."""
    case = open_files(tmp_path, evidence(secrets=None, servers=row))
    told = case.doubts[case.doubts.evidence == "serverinfo.csv"]
    assert set(told.reason) == {reason}
    assert places_of(case, reason)["instance_id"] == {LOG_FILE}


def test_the_secrets_file_of_a_re_record_is_no_copy(tmp_path):
    """It tells the server that the run read, as the first file does, whatever somebody made of its log."""
    stem = f"2012-09-01T080000Z-{OTHER_SEED}"
    read = re_record().replace(HOST.encode(), b"198.51.100.77")
    case = open_files(tmp_path, evidence() | {f"signup_logs/{stem}": read, f"secrets/{stem}": secrets()})
    assert "of-another-server" not in set(case.doubts.reason)
    assert case.audit.public_host.iloc[0] == HOST


def test_of_a_later_server_that_is_half_told_each_witness_has_its_own_reason(tmp_path):
    """The clock of its run was two years slow: what its log tells beside the launch is unsure because of that one."""
    later = f"signup_logs/2010-06-01T080000Z-{OTHER_SEED}"
    case = open_files(tmp_path, evidence() | {later: replacement(bucket=BUCKET)})
    assert places_of(case, "half-told-server")["instance_id"] == {later}
    assert places_of(case, "unknown-server")["instance_id"] == {later}
    launch = case.doubts[case.doubts.reason == "impossible-launch"].iloc[0]
    half = case.doubts[(case.doubts.reason == "half-told-server") & (case.doubts.field == "instance_id")].iloc[0]
    assert half.because == (f"{later}:{launch.line} [{launch.start}:{launch.end})",)


@pytest.mark.parametrize("line", [">package: pyth\0\0\0\0\0\0\0 installed>", ">url: 'https://x.example.org/'>"])
def test_a_print_that_is_damaged_is_no_failure(line, tmp_path):
    """A line of packages with zeros in it, a header in small letters: nothing failed."""
    whole = log(installing=PARTS["installing"] + line + "\n")
    case = open_files(tmp_path, evidence(log=whole))
    assert "failure" not in set(case.facts.field)
    assert set(case.doubts.reason).isdisjoint({"in-error", "went-on"})
