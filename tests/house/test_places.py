"""Tests lie at the path of what they test; those of a whole program are listed, each with what it is about."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Exactly those that name no module. A name may be struck off; a new one needs a reason as good.
WHOLE_PROGRAM = {
    "laeforensics/audit/test_many_alike.py": "an audit of very many files that are nearly alike",
    "laeforensics/cli/test_cli.py": "all verbs as typed",
    "laeforensics/cli/test_finishing.py": "a signup that is to be finished, from the audit to the manifest",
    "laeforensics/cli/test_preference.py": "what is offered to decide, from explain to the rule for many",
    "laeforensics/cli/test_where_it_runs.py": "all verbs, where a shell lacks something",
    "laeforensics/companions/test_monthly.py": "an audit with monthly tokens, from the file to the manifest",
    "laeforensics/evidence/test_archives_as_made.py": "finding, reading and unpacking of what people pack",
    "laeforensics/evidence/test_many_files.py": "finding and recognising of very many files",
    "laeforensics/parsing/test_invented_dialect.py": "a new dialect, from its grammar to the manifest",
    "laeforensics/reading/test_copies_and_names.py": "an audit of evidence at other places",
    "laeforensics/reading/test_somebodys_disk.py": "an audit of evidence as it lies on somebody's disk",
    "laeforensics/test_door.py": "the package from outside",
    "laeforensics/test_old_cases.py": "cases of earlier versions",
    "laerecover/cli/test_cli.py": "all verbs as typed",
    "laerecover/cli/test_readers_gone.py": "a run whose output nobody reads any more",
    "laerecover/cli/test_screens.py": "a run as it stands on terminals",
    "laerecover/mail/test_refused_in_a_row.py": "a recovery whose mails are refused",
    "laerecover/manifest/test_manifest.py": "the contract: every module of the room",
    "laerecover/planning/test_min_grade.py": "accounts that wait for better evidence, from the plan to the report",
    "laerecover/rehearsal/test_killed.py": "drills that are killed",
    "laerecover/rehearsal/test_walks.py": "recoveries among drawn mishaps",
    "laerecover/runbook/steps/test_steps.py": "every step of the room",
    "laerecover/runbook/test_full_disk.py": "a recovery on a disk that is full",
    "laerecover/runbook/test_matrix.py": "an account that is killed at each point",
    "laerecover/runbook/test_seeded_kills.py": "recoveries through the engine, killed where seeds say",
    "laerecover/runbook/test_simulation.py": "recoveries over a model of the engine, in virtual time",
    "laerecover/test_kept_on_disk.py": "ledger and outbox, wherever their folder lies",
    "laerecover/test_old_recoveries.py": "recoveries of earlier versions",
    "laerecover/test_other_manifests.py": "a recovery beneath which something changes",
    "laerecover/test_other_states.py": "a recovery with two state folders",
    "laerecover/test_told_again.py": "a recovery whose customers hear of it again",
    "laerecover/test_two_recoveries.py": "two recoveries on one cloud",
}


def names_a_module(test: Path) -> bool:
    """Whether a module, a room or a host's program lies at the path that the test's name tells."""
    place, name = ROOT / "src" / test.parent, test.stem.removeprefix("test_")
    return any((place / each).exists() for each in (f"{name}.py", f"_{name}.py", f"{name}.sh", name))


def test_tests_lie_at_the_path_of_what_they_test():
    """A test that names no module is about a whole program, and is listed with a reason."""
    tests = ROOT / "tests"
    found = [
        path.relative_to(tests) for room in ("laeforensics", "laerecover") for path in (tests / room).rglob("*.py")
    ]
    named = [path for path in found if path.name.startswith("test_")]
    assert len(named) > len(WHOLE_PROGRAM), "the tests were not found"
    assert {path.as_posix() for path in named if not names_a_module(path)} == WHOLE_PROGRAM.keys()
