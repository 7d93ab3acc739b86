"""`decide`, as typed."""

from __future__ import annotations

import json

import pytest
from makings import AUDIT, BUCKET, EMAIL, NAME, as_another, evidence, is_three_lines, open_files, secrets
from packings import write

import laeforensics as lf

OTHER_KEY = "another0secret+key/of+forty/characters/0"


def contested(tmp_path) -> lf.Case:
    return open_files(tmp_path, evidence(secrets=secrets(secret_key=OTHER_KEY)))


def test_a_case_folder_that_cannot_be_made_is_told_with_the_option_that_helps(tmp_path, typed):
    """`decide` where the case folder cannot be made names --case."""
    case = contested(tmp_path)
    (tmp_path / "file").write_text("no folder")
    code, _, err = typed("decide", case.root, BUCKET, "user_secret_key", "--witness", 1, "--because", "x",
        "--case", tmp_path / "file" / "case",
    )  # fmt: skip
    assert code == 2
    assert "--case" in err


MANY = ("decide", "evidence", "--where", "contested=user_secret_key", "--because", "the file was copied later")


@pytest.fixture
def two(folder):
    """Two customers whose secrets files contradict their logs."""
    ours = evidence(secrets=secrets(secret_key=OTHER_KEY))
    other = evidence(secrets=secrets(secret_key="x" + OTHER_KEY[1:]))
    theirs = {as_another(name.encode()).decode(): as_another(data) for name, data in other.items()}
    files = {n: d for n, d in theirs.items() if not n.endswith((".csv", ".json"))}
    write(folder / "evidence", {**files, **ours})
    return folder


def test_many_are_decided_at_once(two, typed):
    """Shown first, recorded with --yes; then no account is contested, and each decision says by which rule."""
    code, out, err = typed(*MANY, "--prefer", "secrets/")
    assert (code, out.count("would be"), err) == (0, 2, "")
    assert not (two / "evidence.case/decisions.jsonl").exists()
    code, out, _ = typed(*MANY, "--prefer", "secrets/", "--yes")
    assert (code, out.count("decided  ")) == (0, 2)
    assert typed("list", "evidence", "--verdict", "CONTESTED")[1] == ""
    _, out, _ = typed("explain", "evidence", EMAIL, "--field", "user_secret_key")
    assert "the file was copied later (--prefer secrets/)" in out
    assert "a human decides" not in out
    code, _, err = typed(*MANY, "--prefer", "secrets/")
    assert (code, is_three_lines(err)) == (2, True)
    assert "of 2 user_secret_key is decided already" in err
    assert "--where decided=user_secret_key" in err


def test_a_rule_that_picks_no_single_value_decides_nothing(two, typed):
    """Log and secrets file are both the account's own, one file each: neither rule tells them apart."""
    for rule in ("own", "most", "serverinfo.csv"):
        code, _, err = typed(*MANY, "--prefer", rule, "--yes")
        assert code == 2
        assert is_three_lines(err)
    assert not (two / "evidence.case/decisions.jsonl").exists()


def test_a_place_that_explain_shows_picks_for_all_who_share_it(folder, typed):
    """A configuration offers two tokens for one product: no rule of files tells them apart, the line of one does."""
    products = [json.loads(evidence()["lae_automation_config.json"])["products"][0]] * 2
    products[1] = {**products[0], "product_token": "{ProductToken}AAAHUHJvZHVjdANOTHER+ONE=="}
    both = json.dumps({"products": products}, indent=1).encode()
    ours = evidence(config=both, secrets=secrets(product_token=None))
    theirs = {as_another(name.encode()).decode(): as_another(data) for name, data in ours.items()}
    write(folder / "evidence", {**{n: d for n, d in theirs.items() if not n.endswith((".csv", ".json"))}, **ours})
    many = (
        "decide",
        "evidence",
        "--where",
        "contested=product_token",
        "--because",
        "the second came later",
        "--prefer",
    )
    config = "lae_automation_config.json"
    for rule in ("own", f"{config}:1", f"{config}:"):
        code, _, err = typed(*many, rule)
        assert (code, is_three_lines(err)) == (2, True)
        assert "FILE:LINE" in err
    code, out, _ = typed(*many, f"{config}:11", "--yes")
    assert (code, out.count("decided  ")) == (0, 2)
    assert out.count(f"witness 2, {config}:11 [") == 2
    assert typed("list", "evidence", "--verdict", "CONTESTED")[1] == ""


def test_from_the_audit_to_the_decision_each_screen_names_the_next_command(two, typed):
    """The audit's `next` lists who is contested, the list's end decides them all, with a rule if one picks."""
    _, out, _ = typed(*AUDIT)
    first = out.rpartition("next: laeforensics ")[2].partition(", then laerecover drill ")[0].split()
    code, out, err = typed(*first)
    assert (code, out.count("CONTESTED"), len(err.splitlines())) == (0, 2, 2)
    told = err.partition("decide: laeforensics ")[2]
    assert "--where contested=user_secret_key --where verdict=CONTESTED --prefer FILE:LINE" in told
    code, out, _ = typed(*told.replace("FILE:LINE", "secrets/").replace("WHY", "x").split())
    assert (code, out.count("would be")) == (0, 2)


def test_who_is_left_is_told_with_the_places_to_choose_from(two, typed):
    """A rule that picks for one of two accounts says of the other what could be named instead."""
    code, out, _ = typed(*MANY, "--prefer", f"secrets/{NAME}:1")
    left = next(line for line in out.splitlines() if line.startswith("left "))
    assert code == 0
    assert as_another(f", secrets/{NAME}:1".encode()).decode() in left


@pytest.mark.parametrize(
    "words",
    [
        ("--where", "contested=user_secret_key", "--because", "x"),
        ("--where", "verdict=CONTESTED", "--prefer", "own", "--because", "x"),
        ("--where", "contested=*", "--prefer", "own", "--because", "x"),
        ("--where", "contested=user_secret_key", "--prefer", "own"),
        ("--where", "contested=user_secret_key", "--prefer", "own", "--because", "x", "--witness", "1"),
    ],
    ids=" ".join,
)
def test_half_a_decision_about_many_is_none(words, two, typed):
    """Which field, by which rule, and why; nothing else beside it."""
    code, _, err = typed("decide", "evidence", *words)
    assert code == 2
    assert is_three_lines(err)


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ((EMAIL,), "FIELD --witness N --because WHY"),
        ((EMAIL, "user_secret_key"), "--witness N --because WHY"),
        ((EMAIL, "user_secret_key", "--witness", "1"), "--because WHY"),
        ((EMAIL, "user_secret_key", "--undo"), "--because WHY"),
        ((EMAIL, "--finish"), "--because WHY"),
        (("--finish", "--because", "x"), "KEY"),
        (("--set-aside", "file"), "--because WHY"),
        (("--where", "contested=user_secret_key", "--because", "x"), "--prefer RULE"),
        (("--where", "contested=user_secret_key"), "--prefer RULE --because WHY"),
        (("--where", "decided=user_secret_key", "--undo"), "--because WHY"),
    ],
)
def test_half_a_decision_is_told_as_the_command_that_was_typed_completed(words, missing, two, typed):
    """Whatever was typed stands there; what is missing stands behind it, to be filled in."""
    code, _, err = typed("decide", "evidence", *words)
    assert (code, is_three_lines(err)) == (2, True)
    assert err.splitlines()[-1] == f"  next    laeforensics decide evidence {' '.join(words)} {missing}"


@pytest.mark.parametrize(
    "words", [("--where", "contested=product_token"), ("--where", "decided=product_token", "--undo")]
)
def test_who_is_picked_by_nothing_is_told_a_command_that_runs(words, two, typed):
    """With this evidence and these options, not with a word to be filled in."""
    more = () if "--undo" in words else ("--prefer", "own")
    _, _, err = typed("decide", "evidence", *words, *more, "--because", "x", "--case", "a case")
    assert "laeforensics list evidence --" in err.splitlines()[-1]
    assert "--case 'a case'" in err.splitlines()[-1]


def test_what_is_shown_first_is_recorded_by_the_line_that_stands_below_it(two, typed):
    """The command that was typed, with --yes."""
    _, out, _ = typed(*MANY, "--prefer", "secrets/")
    line = out.rstrip("\n").split("\n")[-1]
    assert line == "next: laeforensics decide evidence --where contested=user_secret_key --because " + (
        "'the file was copied later' --prefer secrets/ --yes"
    )


def test_the_audit_that_comes_after_is_the_one_that_came_before(two, typed):
    """What `decide` says comes next repeats --output and --key-file, and works; `diff` shows what it did."""
    assert typed(*AUDIT)[0] == 0
    _, out, _ = typed("decide", "evidence", EMAIL, "user_secret_key", "--witness", 1, "--because", "x")
    command = out.rpartition("next: ")[2].split()
    assert command == ["laeforensics", *AUDIT]
    code, out, _ = typed(*command[1:])
    assert code == 0
    (line,) = (line for line in out.split("\n") if line.startswith("what changed: "))
    _, out, _ = typed(*line.split()[3:])
    assert "verdict  CONTESTED -> RECOVERABLE" in out


def test_witnesses_are_numbered_in_order_and_the_command_is_ready(two, typed):
    """1, 2; then the line to type, with a hint or the word that there is none."""
    _, out, _ = typed("explain", "evidence", EMAIL, "--field", "user_secret_key")
    numbers = [line.split()[0] for line in out.split("\n") if line.startswith("  ") and line.split()[0].isdigit()]
    assert numbers == ["1", "2"]
    assert f"decide: laeforensics decide evidence {BUCKET} user_secret_key --witness N --because WHY" in out
    assert "hint: nothing speaks for one of them" in out


UNDO = ("decide", "evidence", "--undo", "--because", "the wrong file", "--where", "decided=user_secret_key")


def kept(folder) -> list[dict[str, object]]:
    """The lines of the case's decisions."""
    return [json.loads(line) for line in (folder / "evidence.case/decisions.jsonl").read_text().splitlines()]


def test_many_are_taken_back_at_once(two, typed):
    """As they were decided: shown first with what was decided, recorded with --yes, entered in the journal."""
    _, out, _ = typed(*MANY, "--prefer", "secrets/", "--yes")
    back = out.partition("to take it back: laeforensics ")[2].split("\n")[0].replace("WHY", "x").split()
    code, out, err = typed(*back[:-1])
    assert (back[-1], code, out.count("would be undone")) == ("--yes", 0, 2)
    code, out, err = typed(*UNDO)
    assert (code, out.count("would be undone"), out.count("is right, says"), err) == (0, 2, 2, "")
    assert len(kept(two)) == 2
    code, out, _ = typed(*UNDO, "--yes")
    assert (code, out.count("undone  ")) == (0, 2)
    assert [(line["place"], line["because"]) for line in kept(two)[2:]] == [("", "the wrong file")] * 2
    assert typed("list", "evidence", "--verdict", "CONTESTED")[1].count("CONTESTED") == 2
    journal = [json.loads(line) for line in (two / "evidence.case/journal.jsonl").read_text().splitlines()]
    assert [line["command"] for line in journal if line["exit"] == 0][-1] == ["laeforensics", *UNDO, "--yes"]
    code, _, err = typed(*UNDO)
    assert (code, is_three_lines(err)) == (2, True)


def test_of_many_decided_some_are_taken_back(two, typed):
    """Whatever else `--where` tells."""
    typed(*MANY, "--prefer", "secrets/", "--yes")
    typed(*UNDO, "--where", f"customer_email={EMAIL}", "--yes")
    out = typed("list", "evidence", "--where", "decided=user_secret_key")[1]
    assert EMAIL not in out
    assert "bob@example.org" in out


def test_witness_0_takes_many_back_as_it_does_one(two, typed):
    """The way that a single decision was withdrawn by."""
    typed(*MANY, "--prefer", "secrets/", "--yes")
    code, out, _ = typed(*(word for word in UNDO if word != "--undo"), "--witness", 0)
    assert (code, out.count("would be undone")) == (0, 2)


def test_one_is_taken_back(two, typed):
    """By the same word, or by witness 0."""
    typed("decide", "evidence", EMAIL, "user_secret_key", "--witness", 1, "--because", "x")
    code, out, _ = typed("decide", "evidence", EMAIL, "user_secret_key", "--undo", "--because", "x")
    assert code == 0
    assert "withdrawn, contested again" in out
    code, _, err = typed("decide", "evidence", EMAIL, "user_secret_key", "--undo", "--because", "x")
    assert (code, is_three_lines(err)) == (2, True)
    assert "nothing is decided" in err


def test_a_file_that_was_set_aside_is_waited_for_again(folder, typed):
    """And may be set aside once more: the last word counts."""
    name = f"secrets/{NAME}.gpg"
    write(folder / "evidence", {name: b"\x85" + bytes(range(200))})
    aside = ("decide", "evidence", "--set-aside", name, "--because", "x")
    for undo, verdict in (((), "RECOVERABLE"), (("--undo",), "INCOMPLETE"), ((), "RECOVERABLE")):
        assert typed(*aside, *undo)[0] == 0
        assert f"  {verdict}  " in typed("list", "evidence")[1]
    typed(*aside, "--undo")
    code, _, err = typed(*aside, "--undo")
    assert (code, is_three_lines(err)) == (2, True)


@pytest.mark.parametrize("words", [(), ("evidence",), ("evidence", EMAIL), ("evidence", EMAIL, "user_secret_key")])
def test_what_is_missing_is_named_in_the_order_in_which_it_is_typed(words, two, typed):
    """The first word is the evidence, however few there are."""
    code, _, err = typed("decide", *words)
    assert (code, is_three_lines(err)) == (2, True)
    missing = ["EVIDENCE", "KEY", "FIELD", "--witness"][len(words) :]
    *some, last = missing
    assert err.startswith(
        f"laeforensics: {', '.join(some)} and {last} are missing" if some else f"laeforensics: {last} is"
    )
