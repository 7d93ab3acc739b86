"""The statuses by which a host says what is wrong."""

from __future__ import annotations

import ast
import inspect

from laerecover.hosts.recipes import recipe


def test_no_two_problems_share_a_status():
    """Of two that did, a table would keep the last without a word, and the other would be told as it."""
    tree = ast.parse(inspect.getsource(recipe))
    (table,) = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "PROBLEMS"
    )
    assert isinstance(table, ast.Dict)
    assert len(table.keys) == len(recipe.PROBLEMS)
