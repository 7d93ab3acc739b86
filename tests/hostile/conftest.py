"""The laboratory and the generator are imported by name, and what is known to be wrong is marked so until it is mended."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "fixtures"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

# Test (as pytest prints it, without its file) -> what is wrong. Strict: when it is mended, its line here must go.
MEMORY = "a repeated group keeps a state per repetition: hundreds of bytes of memory for each byte of the log"
SEAM = "a value whose next line cannot follow it in its print stands at a seam, and is believed"
STRIPE = "a stripe file whose e-mail is none, or not the log's, still tells its key info"
NOT_YET = {
    "test_a_hole_from_one_print_into_another_does_not_join_two_values[user_token-ami_image_id]": SEAM,
    "test_a_hole_from_one_print_into_another_does_not_join_two_values[user_token-instance_id]": SEAM,
    "test_a_hole_from_one_print_into_another_does_not_join_two_values[user_token-launch_time]": SEAM,
    "test_a_huge_log_is_read_in_little_memory[one value]": MEMORY,
    "test_a_huge_log_is_read_in_little_memory[one value of escapes]": MEMORY,
    "test_a_huge_log_is_read_in_little_memory[lines of a dump]": MEMORY,
    "test_a_huge_log_is_read_in_little_memory[local lines]": MEMORY,
    "test_a_stripe_file_of_any_kind_does_not_change_what_the_log_prints[9]": STRIPE,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the failures that are known, and only them."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.name in NOT_YET:
            item.add_marker(pytest.mark.xfail(strict=True, reason=NOT_YET[item.name]))
