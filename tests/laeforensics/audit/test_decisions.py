"""A human's decision on a contested field: taken, kept, applied at the next open, dropped when the evidence changes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from makings import (
    BUCKET,
    EMAIL,
    FURL,
    LOG_FILE,
    NAME,
    OTHER_SEED,
    PARTS,
    SECRET_KEY,
    SEED,
    STORAGE,
    audit_row,
    codes,
    evidence,
    judged,
    log,
    open_files,
    re_record,
    secrets,
)

import laeforensics as lf
from laeforensics import errors
from laeforensics.audit import decisions
from laeforensics.audit.preference import hint
from laeforensics.present import words
from laerecover.manifest import read_manifest

FIELD = "user_secret_key"
OTHER_KEY = "another0secret+key/of+forty/characters/0"
NOW = datetime(2012, 6, 1, 9, 30, 15, 250000, tzinfo=UTC)
WHY = "the customer signed a request with it"


@pytest.fixture
def case(tmp_path) -> lf.Case:
    """Log and secrets file, equally trusted, tell different secret keys."""
    return open_files(tmp_path, evidence(secrets=secrets(secret_key=OTHER_KEY)))


def number_of(case: lf.Case, value: str) -> int:
    """The number under which `explain` shows the witness of a value."""
    choice = decisions.witnesses(judged(case), FIELD)
    return 1 + next(n for n, fact in enumerate(choice) if fact.value == value)


def decided(case: lf.Case, value: str) -> str:
    return case.decide(BUCKET, FIELD, witness=number_of(case, value), who="Carol", because=WHY, now=NOW)


def reopened(case: lf.Case) -> lf.Case:
    return lf.open_case(case.root)


def test_a_contested_field_has_no_value_before_a_decision(case):
    """Two witnesses of equal standing: no value, the verdict CONTESTED, and both may be chosen."""
    row = audit_row(case)
    assert (row["verdict"], row[FIELD]) == ("CONTESTED", None)
    chosen = {fact.value for fact in decisions.witnesses(judged(case), FIELD)}
    assert chosen == {SECRET_KEY, OTHER_KEY}


@pytest.mark.parametrize("value", [SECRET_KEY, OTHER_KEY])
def test_the_chosen_witness_settles_the_field(case, value):
    """After a decision the open case itself has the chosen value, whichever it is, and the account is recoverable."""
    told = decided(case, value)
    row = audit_row(case)
    assert (row["verdict"], row[FIELD]) == ("RECOVERABLE", value)
    assert told.endswith(f"is right, says Carol on 2012-06-01: {WHY}")


def test_a_decision_is_applied_at_the_next_open(case):
    """It is kept in the case folder beside the evidence, which stays as it was."""
    before = {p: p.read_bytes() for p in case.root.rglob("*") if p.is_file()}
    decided(case, OTHER_KEY)
    again = reopened(case)
    assert audit_row(again)[FIELD] == OTHER_KEY
    assert not judged(again).contested
    assert {p: p.read_bytes() for p in case.root.rglob("*") if p.is_file()} == before
    assert [p.name for p in case.folder.iterdir()] == [decisions.FILE]


def test_a_decision_lies_in_the_case_folder_that_was_named(case, tmp_path):
    """Another case folder does not know it."""
    elsewhere = lf.open_case(case.root, folder=tmp_path / "named")
    decided(elsewhere, SECRET_KEY)
    assert audit_row(lf.open_case(case.root, folder=tmp_path / "named"))[FIELD] == SECRET_KEY
    assert audit_row(reopened(case))["verdict"] == "CONTESTED"


def test_what_is_kept_names_the_witness_and_no_secret(case):
    """Account, field, place, fingerprint, who, why, when in UTC; neither of the values that compete."""
    decided(case, OTHER_KEY)
    kept = (case.folder / decisions.FILE).read_text("utf-8")
    (line,) = kept.splitlines()
    told = json.loads(line)
    assert (told["account_id"], told["field"], told["who"], told["because"]) == (BUCKET, FIELD, "Carol", WHY)
    assert told["at"] == "2012-06-01T09:30:15+00:00"
    assert told["place"].startswith(f"secrets/{NAME}:1 [")
    assert SECRET_KEY not in kept
    assert OTHER_KEY not in kept


def test_the_last_decision_counts(case):
    """Whoever decides anew overrules, and the first decision stays on record."""
    decided(case, OTHER_KEY)
    number = 1 + [f.value for f in decisions.witnesses(reopened_undecided(case), FIELD)].index(SECRET_KEY)
    choice = decisions.Choice(field=FIELD, witness=number, who="Dan", because="asked again")
    kept = decisions.decide(reopened_undecided(case), choice, now=NOW, folder=case.folder)
    assert audit_row(reopened(case))[FIELD] == SECRET_KEY
    assert [d.who for d in decisions.load(case.folder)] == ["Carol", "Dan"]
    assert decisions.load(case.folder)[-1] == kept


def test_a_decision_can_be_withdrawn(case):
    """Witness 0: the field is contested again, not a word about stale decisions; who withdrew it, and why, is kept."""
    decided(case, OTHER_KEY)
    told = reopened(case).decide(BUCKET, FIELD, witness=0, who="Dan", because="the wrong customer", now=NOW)
    assert told == f"{FIELD}: withdrawn, contested again, says Dan on 2012-06-01: the wrong customer"
    again = reopened(case)
    row = audit_row(again)
    assert (row["verdict"], row[FIELD]) == ("CONTESTED", None)
    assert "stale-decision" not in set(again.findings["code"])
    assert [d.who for d in decisions.load(case.folder)] == ["Carol", "Dan"]
    decided(again, SECRET_KEY)
    assert audit_row(reopened(case))[FIELD] == SECRET_KEY


def reopened_undecided(case: lf.Case):
    """The account as the evidence alone has it."""
    return judged(lf.open_case(case.root, folder=case.root.with_name("empty")))


def test_explain_shows_the_decision(case):
    """Who decided and why stands beside the field; before, the witnesses are numbered."""
    before = str(case.explain(BUCKET))
    assert "Carol" not in before
    decided(case, OTHER_KEY)
    shown = str(reopened(case).explain(BUCKET))
    assert "Carol" in shown
    assert WHY in shown
    assert SECRET_KEY not in before + shown
    assert OTHER_KEY not in before + shown


def test_the_manifest_carries_the_decision(case, tmp_path):
    """What is recovered with knows that a human chose, and has the chosen value."""
    decided(case, OTHER_KEY)
    key = tmp_path / "key" / "k"
    reopened(case).export(tmp_path / "out.parquet", key_file=key)
    (account,) = read_manifest(tmp_path / "out.parquet", key_file=key).accounts
    (told,) = account.decisions
    assert told.startswith(f"{FIELD}: secrets/{NAME}:1 [")
    assert told.endswith(f"says Carol on 2012-06-01: {WHY}")
    assert account.user_secret_key is not None
    assert account.user_secret_key.reveal() == OTHER_KEY


def test_a_decision_does_not_outlive_a_change_of_its_witness(case):
    """The secrets file now says something else at that place: a finding, and contested as before."""
    decided(case, OTHER_KEY)
    (case.root / "secrets" / NAME).write_bytes(secrets(secret_key=OTHER_KEY[::-1]))
    again = reopened(case)
    assert audit_row(again)["verdict"] == "CONTESTED"
    assert "stale-decision" in codes(again, FIELD)
    assert judged(again).decisions == ()


def test_a_decision_does_not_follow_its_witness_to_another_place(case):
    """The same value a line further down is evidence that changed: the decision is not applied."""
    decided(case, SECRET_KEY)
    path = case.root / LOG_FILE
    path.write_bytes(b">Waiting another 30 seconds...>\n" + path.read_bytes())
    again = reopened(case)
    assert "stale-decision" in codes(again, FIELD)
    assert audit_row(again)[FIELD] is None


def test_a_decision_for_which_an_earlier_version_told_other_bytes_of_the_line_applies(case):
    """Places are corrected at times: file, line and fingerprint are the same."""
    decided(case, OTHER_KEY)
    path = case.folder / decisions.FILE
    path.write_text(re.sub(r"\[\d+:\d+\)", "[7:8)", path.read_text("utf-8")), "utf-8")
    again = reopened(case)
    assert audit_row(again)[FIELD] == OTHER_KEY
    assert "stale-decision" not in codes(again)


def test_a_field_that_is_settled_by_the_evidence_needs_no_decision(case):
    """When the witnesses agree again, an old decision does nothing and is no finding."""
    decided(case, OTHER_KEY)
    (case.root / "secrets" / NAME).write_bytes(secrets())
    again = reopened(case)
    assert (audit_row(again)[FIELD], judged(again).decisions) == (SECRET_KEY, ())
    assert "stale-decision" not in codes(again)


@pytest.mark.parametrize("damage", ["{", "[]", '{"field": "user_token"}', "null"])
def test_a_damaged_line_stops_the_case(case, damage):
    """Decisions are never guessed: the line is named, with what to do."""
    decided(case, OTHER_KEY)
    path = case.folder / decisions.FILE
    path.write_text(path.read_text("utf-8") + damage + "\n", "utf-8")
    with pytest.raises(errors.DecisionError, match="line 2 is no decision"):
        _ = reopened(case).judgement.accounts


@pytest.mark.parametrize("witness", [-1, 0, 3, 99])
def test_there_is_no_such_witness(case, witness):
    """Only the numbers that `explain` shows: nothing is kept."""
    with pytest.raises(errors.DecisionError, match=f"no witness {witness}"):
        case.decide(BUCKET, FIELD, witness=witness, who="Carol", because=WHY, now=NOW)
    assert decisions.load(case.folder) == []


@pytest.mark.parametrize(("who", "because"), [("", WHY), ("Carol", ""), ("Carol", " \n"), ("\t", WHY)])
def test_a_decision_needs_a_name_and_a_reason(case, who, because):
    """Blank is none."""
    with pytest.raises(errors.DecisionError, match="needs a name and a reason"):
        case.decide(BUCKET, FIELD, witness=1, who=who, because=because, now=NOW)
    assert not case.folder.exists()


def test_a_field_that_is_not_contested_cannot_be_decided(case):
    """The error lists the fields that are, and those that were decided; where there is none it says where there are."""
    with pytest.raises(errors.DecisionError, match="not contested") as refused:
        case.decide(BUCKET, "user_token", witness=1, who="Carol", because=WHY, now=NOW)
    assert refused.value.next_step == f"contested here: {FIELD}"
    case.decide(BUCKET, FIELD, witness=1, who="Carol", because=WHY, now=NOW)
    with pytest.raises(errors.DecisionError, match="not contested") as refused:
        case.decide(BUCKET, "user_token", witness=0, who="Carol", because=WHY, now=NOW)
    assert refused.value.next_step == f"decided here: {FIELD}"
    case.decide(BUCKET, FIELD, witness=0, who="Carol", because=WHY, now=NOW)


def test_where_nothing_is_contested_it_is_told_where_something_is(tmp_path):
    """Of an account of which all is sure."""
    with pytest.raises(errors.DecisionError, match="not contested") as refused:
        open_files(tmp_path, evidence()).decide(BUCKET, FIELD, witness=1, who="Carol", because=WHY, now=NOW)
    assert "laeforensics list EVIDENCE --verdict CONTESTED" in refused.value.next_step


# -- as typed ------------------------------------------------------------------------------------------


def test_the_verb_decides(case, typed, monkeypatch):
    """`explain` numbers the witnesses, `decide` takes a number, `explain` shows it and `audit` is of one mind."""
    monkeypatch.chdir(case.root.parent)
    shown = typed("explain", "evidence", EMAIL, "--field", FIELD)[1]
    number = next(m[1] for line in shown.split("\n") if (m := re.search(r"\b([0-9])\b.*secrets/", line)))
    words = ("decide", "evidence", EMAIL, FIELD, "--witness", number, "--because", WHY, "--who", "Carol")
    code, out, err = typed(*words)
    assert (code, err) == (0, "")
    assert f"{FIELD}: secrets/{NAME}:1" in out
    assert "kept in" in out
    assert "Carol" in typed("explain", "evidence", EMAIL)[1]
    code, told, _ = typed("audit", "evidence", "--output", "out/m.parquet", "--key-file", "key/k", "--json")
    assert (code, json.loads(told)["verdicts"]) == (0, {"RECOVERABLE": 1})
    (account,) = read_manifest(Path("out/m.parquet"), key_file=Path("key/k")).accounts
    assert [d.partition(":")[0] for d in account.decisions] == [FIELD]
    everything = shown + out + told + (case.folder / decisions.FILE).read_text("utf-8")
    assert SECRET_KEY not in everything
    assert OTHER_KEY not in everything


@pytest.mark.parametrize(
    ("field", "witness", "because", "says"),
    [
        (FIELD, "3", WHY, "there is no witness 3"),
        (FIELD, "0", WHY, "there is no witness 0"),
        ("user_token", "1", WHY, "this field is not contested"),
        ("no_such_field", "1", WHY, "this field is not contested"),
        (FIELD, "1", " ", "a decision needs a name and a reason"),
    ],
)
def test_the_verb_refuses(case, typed, monkeypatch, field, witness, because, says):
    """Exit code 2 and three lines: what, where and what next; nothing is kept but that it was asked."""
    monkeypatch.chdir(case.root.parent)
    code, out, err = typed(
        "decide", "evidence", EMAIL, field, "--witness", witness, "--because", because, "--who", "Carol"
    )
    assert (code, out) == (2, "")
    assert err.startswith(f"laeforensics: {says}\n")
    assert len(err.rstrip("\n").split("\n")) == 3
    assert [kept.name for kept in case.folder.iterdir()] == ["journal.jsonl"]


@pytest.mark.parametrize("left_out", ["--because", "--witness"])
def test_the_verb_needs_a_witness_and_a_reason(case, typed, monkeypatch, left_out):
    """Left out altogether, they are a mistake in the usage: exit code 2."""
    monkeypatch.chdir(case.root.parent)
    options = {"--witness": "1", "--because": WHY}
    del options[left_out]
    words = [word for pair in options.items() for word in pair]
    assert typed("decide", "evidence", EMAIL, FIELD, *words)[0] == 2
    assert not case.folder.exists()


def test_a_decision_never_goes_into_the_evidence(case, typed, monkeypatch):
    """A case folder inside the evidence is refused."""
    monkeypatch.chdir(case.root.parent)
    words = ("decide", "evidence", EMAIL, FIELD, "--witness", "1", "--because", WHY, "--case", "evidence/case")
    code, _, err = typed(*words)
    assert code == 2
    assert "Traceback" not in err
    assert not (case.root / "case").exists()


def contested(tmp_path) -> lf.Case:
    return open_files(tmp_path, evidence(secrets=secrets(secret_key=OTHER_KEY)))


def test_a_decision_may_be_changed(tmp_path):
    """Whoever decided may decide again: the later one counts."""
    case = contested(tmp_path)
    for number in (1, 2):
        case.decide(BUCKET, "user_secret_key", witness=number, who="Carol", because="seen")
        wanted = decisions.witnesses(judged(lf.open_case(case.root, folder=tmp_path / "none")), "user_secret_key")
        assert audit_row(case)["user_secret_key"] == wanted[number - 1].value


def test_a_third_voice_reopens_the_question(tmp_path):
    """A copy that comes after the decision and says something else makes the field contested again."""
    case = contested(tmp_path)
    case.decide(BUCKET, "user_secret_key", witness=1, who="Carol", because="seen")
    third = case.root / "leastauthority.com" / "secrets" / NAME
    third.parent.mkdir(parents=True)
    third.write_bytes(secrets(secret_key="yet+another/secret+key/of+forty/chars/00"[:40]))
    again = lf.open_case(case.root)
    assert audit_row(again)["verdict"] == "CONTESTED"
    assert "stale-decision" in codes(again, "user_secret_key")


def test_a_decisions_file_that_is_no_text_is_told_in_three_lines(tmp_path, typed):
    """A byte that is not UTF-8 in decisions.jsonl ends with 2 and names the line."""
    case = contested(tmp_path)
    case.folder.mkdir()
    (case.folder / "decisions.jsonl").write_bytes(b"\xff{}\n")
    code, _, err = typed("audit", case.root, "-o", tmp_path / "m.parquet", "--key-file", tmp_path / "k" / "key")
    assert code == 2
    assert "line 1" in err
    assert "Traceback" not in err


# -- what is asked -------------------------------------------------------------------------------------

NO_ADDRESS = "=cmd()@example.org"


def questions(case: lf.Case) -> list[tuple[str | None, str | None]]:
    """Of every question whose finding and whose field it is."""
    return [(f.signup, f.field) for f in case.judgement.findings if f.code == "contested-field"]


@pytest.mark.parametrize("typed_in", [NO_ADDRESS, "two@at@example.org", "tab\t@example.org", "b\u00fc@example.org"])
def test_what_nothing_waits_for_is_told_and_not_asked(tmp_path, typed_in):
    """What stands beside an address that is none is not sure: no recovery needs it, so it is explained."""
    case = open_files(
        tmp_path, {name: data.replace(EMAIL.encode(), typed_in.encode()) for name, data in evidence().items()}
    )
    assert (audit_row(case)["verdict"], questions(case)) == ("RECOVERABLE", [])
    assert "unsettled-field" in codes(case, "ami_image_id")
    assert "a human decides" not in str(case.explain(BUCKET))


def test_an_address_that_is_none_is_told_as_what_it_is(tmp_path):
    """Not that nothing tells it: what stands in its place, and where."""
    files = {name: data.replace(EMAIL.encode(), NO_ADDRESS.encode()) for name, data in evidence().items()}
    (told,) = (f for f in open_files(tmp_path, files).judgement.findings if f.code == "missing-email")
    assert f"'{NO_ADDRESS}'" in told.message
    assert {place.evidence for place in told.locators} == {LOG_FILE, "signups.csv"}


def test_an_address_that_nothing_tells_is_told_so(tmp_path):
    """No log, no row: then nothing stands anywhere."""
    case = open_files(tmp_path, {f"secrets/{NAME}": secrets()})
    (told,) = (f for f in case.judgement.findings if f.code == "missing-email")
    assert (told.message, told.locators) == ("nothing tells the customer's address", ())


def test_several_logs_of_an_account_raise_one_question(tmp_path):
    """The first run and a replacement, both against their secrets files: one finding, with all who may be chosen."""
    name = f"2012-06-01T080000Z-{SEED}"
    again = log(credentials=PARTS["credentials"].replace(SECRET_KEY, OTHER_KEY))
    both = {f"signup_logs/{name}": again, f"secrets/{name}": secrets()}
    case = open_files(tmp_path, {**evidence(secrets=secrets(secret_key=OTHER_KEY)), **both})
    assert sum(f.code == "contested-field" for s in case.judgement.signups for f in s.findings) > 1
    assert len(questions(case)) == 1
    (told,) = (f for f in case.judgement.findings if f.code == "contested-field")
    assert list(told.locators) == [f.locator for f in decisions.witnesses(judged(case), FIELD)]
    assert str(case.explain(BUCKET)).count("contested-field") == 1


@pytest.mark.parametrize(
    "part", ["activation", "credentials", "bucket", "deployment", "instance", "address", "settings"]
)
@pytest.mark.parametrize("beside", ["secrets", None])
def test_what_is_asked_can_be_decided(tmp_path, part, beside):
    """Whatever is damaged: each question has witnesses to choose from, and none is left after the choice."""
    for number, line in enumerate(PARTS[part].split("\n")):
        if " = '" not in line and "'." not in line and "furl" not in line:
            continue
        damaged = PARTS[part].replace(line, line[:-6] + "\ufffd#" + line[-4:])
        files = evidence(log=log(**{part: damaged}))
        if beside is None:
            files.pop(f"secrets/{NAME}")
        case = open_files(tmp_path / str(number), files)
        for signup, field in questions(case):
            account = judged(case, next(a.account_id for a in case.judgement.accounts if field in a.contested))
            assert not account.is_attempt
            assert decisions.witnesses(account, field or ""), (signup, field)
            case.decide(account.account_id, field or "", witness=1, who="Carol", because=WHY, now=NOW)
        assert questions(case) == []


def test_one_voice_that_is_not_sure_is_asked_as_such(tmp_path):
    """Nobody disagrees with it: the question is whether it is right, and nothing hints that it is."""
    torn = PARTS["credentials"].replace(SECRET_KEY, "!" * 40)
    case = open_files(tmp_path, evidence(log=log(credentials=torn), secrets=None))
    asked = [(f.field, f.message) for f in case.judgement.findings if f.code == "contested-field"]
    assert asked
    for field, message in asked:
        assert message.startswith(f"what tells {field} is not sure: ")
        assert hint(judged(case), str(field)) is None
        assert f"nothing is sure of {field}" in words.reasons(judged(case))


def test_nothing_is_asked_of_an_attempt(tmp_path):
    """Two buckets are told, so it is nobody's: a decision would change nothing, and is refused with what would."""
    name = f"2012-03-20T101702Z-{OTHER_SEED}"
    told = secrets(bucket_name=f"lae-ffff0000-{OTHER_SEED}")
    case = open_files(tmp_path, {f"signup_logs/{name}": re_record(), f"secrets/{name}": told})
    (account,) = case.judgement.accounts
    assert account.is_attempt
    (found,) = (f for f in case.judgement.findings if f.code == "contested-field")
    assert "other copies" in found.remedy
    with pytest.raises(errors.DecisionError, match="nothing waits for a decision"):
        case.decide(account.account_id, "bucket_name", witness=1, who="Carol", because=WHY, now=NOW)


@pytest.mark.parametrize(
    "order", [("introducer_furl", "introducer_node_pem"), ("introducer_node_pem", "introducer_furl")]
)
def test_a_key_that_is_decided_asks_for_no_furl_that_was_decided(tmp_path, order):
    """The furl follows the key, and is as unsure as before: what was said of it still holds, whichever came first."""
    cut = STORAGE.pem[:200] + STORAGE.pem[203:]  # so nothing is sure that was written together with it
    case = open_files(tmp_path, evidence(log=log("settings"), secrets=secrets(server_node_pem=cut)))
    assert {"introducer_node_pem", "introducer_furl"} <= judged(case).contested
    for field in order:
        case.decide(BUCKET, field, witness=1, who="Carol", because=WHY, now=NOW)
    account = judged(lf.open_case(case.root))
    assert {field for _, field in questions(case)}.isdisjoint(order)
    assert account.contested.isdisjoint(order)
    assert sorted(told.partition(":")[0] for told in account.decisions) == sorted(order)
    assert account.values["introducer_furl"] == FURL
    assert "stale-decision" not in codes(case)
