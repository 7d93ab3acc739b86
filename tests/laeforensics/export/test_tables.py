"""The tables of a case: their columns, what stands in them."""

from __future__ import annotations

from makings import (
    evidence,
    open_files,
)

from laeforensics.export import tables
from laeforensics.export.tables import SIGNUPS
from laeforensics.facts.fact import Residue
from laeforensics.facts.fields import SIGNUP_FIELDS
from laerecover.manifest import Secret


def test_many_lines_of_residue_read_as_few():
    """Lines that differ in numbers and names only are one kind of residue, counted; the most frequent comes first."""
    lines = [f"Polished {n} of 99 windows at 10.0.0.{n}\n" for n in range(20)] + ["Done.\n"]
    residue = [Residue("a log", n, 40 * n, 40 * n + len(line), line) for n, line in enumerate(lines, start=1)]
    most, least = tables.residue_kinds(residue)
    assert (most["lines"], most["files"], most["first"]) == (20, 1, "a log:1")
    assert (least["lines"], least["template"]) == (1, "Done.")
    assert most["bytes"] == sum(len(line) for line in lines[:-1])


def test_the_columns_are_those_promised():
    """`log_file dialect role stage outcome`, then the fields."""
    assert ("log_file", "dialect", "role", "stage", "outcome", *SIGNUP_FIELDS) == SIGNUPS.columns


def test_secrets_are_of_a_type_that_does_not_show_itself(tmp_path):
    """Keys, tokens, furls and PEMs are Secret in the table; nothing else is."""
    row = open_files(tmp_path, evidence()).signups.iloc[0]
    hidden = {name for name in SIGNUP_FIELDS if isinstance(row[name], Secret)}
    assert {"user_secret_key", "user_token", "product_token", "introducer_furl", "server_node_pem"} <= hidden
    assert hidden.isdisjoint({"bucket_name", "customer_email", "instance_id", "public_host"})
