"""The lint finds what is broken: on copies of the grammars and samples with one thing wrong in each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from lark import Lark

from laeforensics.cli import main
from laeforensics.parsing import parser, samples
from laeforensics.reading import linting
from laeforensics.reading.linting import GrammarProblem, lint, render

GRAMMARS = Path(__file__).resolve().parents[2] / "grammars"
OTHERS = {name: samples.written(name) for name in samples.GRAMMARS if name != "signup_log"}
ADDRESS = """
last_resorts = ["OTHER", "MALFORMED"]
[[sample]]
name = "an address"
rule = "address"
facts = { public_host = "192.0.2.1" }
text = ">The server's public address is '192.0.2.1'.>"
"""


def lint_with(samples: str | None) -> list[GrammarProblem]:
    """The problems of signup_log with these samples instead of its own."""
    return [p for p in lint({**OTHERS, "signup_log": samples}) if p.grammar == "signup_log"]


def of_the_samples(samples: str) -> list[GrammarProblem]:
    """The same without the terminals and rules that so few samples cannot show."""
    return [p for p in lint_with(samples) if "no sample hits" not in p.what]


@pytest.fixture
def broken(monkeypatch, tmp_path):
    """Change the text of a copy of the grammars, and let everybody parse with it."""

    def change(before: str, after: str, name: str = "signup_log.lark") -> None:
        copies = tmp_path / "grammars"
        shutil.copytree(GRAMMARS, copies)
        text = (copies / name).read_text("utf-8")
        assert before in text
        (copies / name).write_text(text.replace(before, after), "utf-8")
        compiled = Lark.open(str(copies / "signup_log.lark"), parser="lalr", lexer="contextual")
        whole = parser.source
        monkeypatch.setattr(parser, "source", lambda name: compiled if name == "signup_log" else whole(name))
        monkeypatch.setattr(parser, "_kept", lambda name: str(tmp_path / f"{name}.tables"))
        for made_of_it in ("grammar", "_receiving"):
            monkeypatch.setattr(parser, made_of_it, getattr(parser, made_of_it).__wrapped__)

    return change


def test_a_sound_sample_is_no_problem():
    """One sample that is read as it says leaves only the rules and terminals that it does not hit."""
    assert of_the_samples(ADDRESS) == []


def test_a_terminal_and_a_rule_without_a_sample_are_named():
    """What no sample hits is named once, as rule or as terminal; what a sample hits is not."""
    found = {(p.where, p.what) for p in lint_with(ADDRESS)}
    assert ("MAIL_TO", "is a terminal that no sample hits") in found
    assert ("mail", "is a rule that no sample hits") in found
    assert {"PUBLIC_HOST", "address"}.isdisjoint(where for where, _ in found)


def test_a_grammar_without_samples_is_named():
    """No file, an empty file and a file without a sample are the same omission."""
    for nothing in (None, "", 'last_resorts = ["OTHER"]'):
        assert [(p.where, p.what) for p in lint_with(nothing)] == [("the grammar", "has no samples")]


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        ("[[sample]\n", "cannot be read"),
        (ADDRESS.replace("facts", "fatcs"), "fatcs"),
        (ADDRESS.replace("rule =", "# rule ="), "missing ['rule']"),
        (ADDRESS.replace(">The server's public address is '192.0.2.1'.>", ""), "no text"),
    ],
)
def test_samples_that_cannot_be_understood_are_a_problem(samples, word):
    """Bad TOML, an unknown key, a missing key or an empty text is said, not raised and not skipped."""
    (problem,) = lint_with(samples)
    assert word in problem.what


def test_two_samples_of_one_name_are_named():
    """A sample is known by its name, so no two may share one."""
    twice = ADDRESS + ADDRESS.replace('last_resorts = ["OTHER", "MALFORMED"]', "")
    assert [(p.where, p.what) for p in of_the_samples(twice)] == [("an address", "is the name of several samples")]


def test_a_wrong_value_is_shown_beside_the_right_one():
    """A sample that expects another value than is read fails with both."""
    (problem,) = of_the_samples(ADDRESS.replace('public_host = "192.0.2.1"', 'public_host = "192.0.2.9"'))
    assert problem.where == "an address"
    assert "'192.0.2.9' was not read" in problem.what
    assert "'192.0.2.1' was read" in problem.what


def test_a_wrong_kind_is_shown():
    """A sample whose bytes count as something else than it says fails."""
    (problem,) = of_the_samples(ADDRESS.replace("rule =", 'kind = "remote"\nrule ='))
    assert problem.what == "should count as remote, but counts as fact"


DEPLOYMENT = """
last_resorts = ["OTHER", "MALFORMED"]
[[sample]]
name = "a deployment"
rule = "deployment"
facts = { ami_image_id = "ami-0a1b2c3d", instance_size = "t1.micro" }
text = '''
>Deploying EC2 instance...>
endpoint_uri = 'https://ec2.us-east-1.amazonaws.com/'
ami_image_id = 'ami-0a1b2c3d'
instance_size = 't1.micro'
'''
"""


def test_a_doubt_that_the_sample_does_not_tell_is_a_problem():
    """A value is read, and is not believed: its line is followed by one that never follows it."""
    assert of_the_samples(DEPLOYMENT) == []
    swapped = DEPLOYMENT.replace("instance_size = 't1.micro'\n", "keypair_name = 'InventedKeys'\n")
    swapped = swapped.replace(', instance_size = "t1.micro"', "")
    (problem,) = of_the_samples(swapped)
    assert problem.what == "ami_image_id = 'cut' was doubted or vouched for"
    assert of_the_samples(swapped.replace("text =", 'doubts = { ami_image_id = "cut" }\ntext =')) == []


def test_lines_that_seem_to_be_missing_are_a_problem():
    """A dump whose lines stand in another order than its print has is no sample of one run."""
    torn = DEPLOYMENT.replace("ami_image_id = 'ami-0a1b2c3d'\n", "").replace('ami_image_id = "ami-0a1b2c3d", ', "")
    what = "should be 1 stretches of a run, but falls into 2: lines seem to be missing"
    assert what in [problem.what for problem in of_the_samples(torn)]


def test_a_doubt_that_is_none_is_a_problem():
    """A sample that tells a doubt which nobody has says something false."""
    (problem,) = of_the_samples(ADDRESS.replace("rule =", 'doubts = { public_host = "cut" }\nrule ='))
    assert problem.what == "public_host = 'cut' was not doubted or vouched for"


def test_a_channel_that_is_another_is_a_problem():
    """How a value came is a part of how it is read."""
    (problem,) = of_the_samples(ADDRESS.replace("rule =", 'channel = "remote"\nrule ='))
    assert problem.what == "should come by the channel remote, but comes by own"


def test_a_line_of_a_block_that_no_sample_shows_there_is_named():
    """A terminal that is shown in one block is not shown in the other."""
    found = {(p.where, p.what) for p in lint_with(DEPLOYMENT)}
    assert ("AMI_IMAGE_ID", "is a terminal that no sample hits") not in found
    assert ("BUCKET_NAME", "is a terminal that no sample hits") in found
    stray = '[[sample]]\nname = "stray"\nrule = "stray"\ntext = "location = None\\n"\n'
    found = {(p.where, p.what) for p in lint_with(DEPLOYMENT + stray)}
    assert ("AMI_IMAGE_ID", "may be a line of stray, where no sample hits it") in found


def test_a_failing_sample_shows_how_far_each_terminal_came(broken):
    """One changed letter in the grammar: the terminal that should take the line came to that letter, and leads."""
    broken("public address", "public adress")
    (problem,) = of_the_samples(ADDRESS)
    assert problem.what == "should be taken by address, but at byte 0 residue takes it"
    reached = {name: (reach, size) for name, reach, size in problem.reached}
    assert reached["PUBLIC_HOST"] == (
        len(">The server's public ad"),
        len(">The server's public address is '192.0.2.1'.>"),
    )
    assert reached["MAIL_TO"][0] == len(">")
    assert problem.reached[0][0] == "OTHER"
    assert "PUBLIC_HOST           23 of 45 bytes" in render([problem])


def test_a_text_that_the_grammar_refuses_is_no_crash(broken):
    """Without the last resort a grammar refuses some texts: the place and the reach are told."""
    broken("residue: OTHER | MALFORMED", "residue: MALFORMED")
    unsaid, problem = of_the_samples(ADDRESS.replace("public address", "pubic address"))
    assert (unsaid.where, unsaid.what) == ("OTHER", "has a meaning, and is no word of the grammar")
    assert problem.what == "cannot be read from byte 0 on"
    assert {name: reach for name, reach, _ in problem.reached}["PUBLIC_HOST"] == len(">The server's pub")


def test_a_sample_that_two_terminals_would_take_is_named(broken):
    """A new terminal that takes an old one's line, whatever their priorities, is named until the sample lists it."""
    broken("mail: MAIL_TO", "mail: MAIL_TO | RIVAL\nRIVAL.1: />The server's [^\\n]*\\n?/")
    unsaid, problem = of_the_samples(ADDRESS)
    assert (unsaid.where, unsaid.what) == ("RIVAL", "is a terminal whose meaning is not told")
    assert (problem.where, problem.what) == ("an address", "RIVAL would take a part of it whole, too")
    assert of_the_samples(ADDRESS.replace("rule =", 'overlap = ["RIVAL"]\nrule =')) == [unsaid]


def test_an_overlap_that_is_none_is_named():
    """A sample that lists a rival which would not take it says something false."""
    (problem,) = of_the_samples(ADDRESS.replace("rule =", 'overlap = ["MAIL_TO"]\nrule ='))
    assert problem.what == "does not overlap with MAIL_TO, as it says"


def test_a_terminal_that_can_never_match_is_found(broken):
    """A possessive repetition that eats what must follow makes a terminal dead: its sample fails."""
    broken("'[^'\\n]*+'\\.>(?:\\n|\\Z)/", "'[^\\n]*+'\\.>(?:\\n|\\Z)/")
    (problem,) = of_the_samples(ADDRESS)
    assert problem.what.endswith("residue takes it")


def test_problems_are_told_in_words():
    """No problem is one sentence; each problem is a line, and the last line counts them."""
    assert render([]).endswith("every sample is read as it says")
    told = render(lint_with(None)).split("\n")
    assert told == ["signup_log: the grammar: has no samples", "1 problems"]


def test_without_regex_the_problems_are_told_all_the_same(monkeypatch, broken):
    """The package that tells how far a terminal came is named, and nothing else is missing."""
    broken("public address", "public adress")
    with_it = lint()
    monkeypatch.setattr(linting, "find_spec", lambda name: None)
    without = lint()
    assert any(problem.reached for problem in with_it)
    assert [(p.where, p.what, p.reached) for p in without] == [(p.where, p.what, ()) for p in with_it]
    assert "pip install regex" in render(without)
    assert "pip install regex" not in render([])


def test_the_shell_tells_the_problems_and_fails(monkeypatch, capsys):
    """`laeforensics grammars lint` exits with 1 if something is wrong, with 0 if nothing is; machines get JSON."""
    wrong = GrammarProblem(grammar="signup_log", where="MAIL_TO", what="is a terminal that no sample hits")
    for problems, code in (([wrong], 1), ([], 0)):
        monkeypatch.setattr(linting, "lint", lambda found=problems: found)
        assert _exit_code(["grammars", "lint", "--json"]) == code
        told = capsys.readouterr()
        assert told.err == render(problems) + "\n"
        assert [p["where"] for p in json.loads(told.out)] == [p.where for p in problems]


def _exit_code(argv: list[str]) -> int:
    try:
        main(argv)
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0
