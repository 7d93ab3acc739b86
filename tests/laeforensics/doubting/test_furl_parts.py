"""A letter overwritten in a furl, where the certificate or the node's internal furl tells it whole."""

from __future__ import annotations

import pytest
from makings import (
    FURL,
    INTRODUCER,
    PARTS,
    audit_row,
    cat,
    codes,
    evidence,
    identities_read,
    log,
    open_files,
    secrets,
    settings,
)

SWISSNUM = "uydhe6qlqvbf33ozmai7ltk5ussvhfmn"
WHOLE = FURL.rpartition("/")[0] + f"/{SWISSNUM}"
OTHER = WHOLE.replace("hfmn", "hfmo")


def internal(furl: str) -> str:
    return f"pb://{INTRODUCER.nodeid}@10.1.2.3:12345,127.0.0.1:12345/{furl.rpartition('/')[2]}"


def row_of(folder, printed: str, relayed: str | None, external: str, inside: str) -> dict:
    """The account: what the log prints and its host relays, what the secrets file tells of both furls."""
    told = cat("introducer/introducer.furl", internal(relayed)) if relayed else ""
    files = evidence(
        log=log(running=PARTS["running"] + told, settings=settings(printed)),
        secrets=secrets(external_introducer_furl=external, internal_introducer_furl=internal(inside)),
    )
    return audit_row(open_files(folder, files))


def test_a_port_that_one_print_alone_tells_is_a_misprint(tmp_path):
    """The internal furl names the right one, too."""
    assert ":12345/" in WHOLE
    row = row_of(tmp_path, WHOLE.replace(":12345/", ":12145/"), WHOLE, WHOLE, WHOLE)
    assert (row["introducer_furl"], row["verdict"]) == (WHOLE, "RECOVERABLE")


@pytest.mark.parametrize("furls", [(OTHER, WHOLE, WHOLE, WHOLE), (WHOLE, WHOLE, OTHER, WHOLE)])
def test_a_swissnum_that_one_print_alone_tells_is_a_misprint(tmp_path, furls):
    """In the log or in the secrets file: the other file tells it whole, and so does the internal furl of both."""
    row = row_of(tmp_path, *furls)
    assert (row["introducer_furl"], row["verdict"]) == (WHOLE, "RECOVERABLE")


@pytest.mark.parametrize(
    "furls", [(OTHER, None, WHOLE, WHOLE), (WHOLE, WHOLE, OTHER, OTHER), (OTHER, OTHER, WHOLE, WHOLE)]
)
def test_one_file_against_another_waits_for_a_human(tmp_path, furls):
    """However often a file tells it, and whatever the host says beside it: one is wrong, and nothing tells which."""
    row = row_of(tmp_path, *furls)
    assert (row["introducer_furl"], row["verdict"]) == (None, "CONTESTED")


@pytest.mark.parametrize("like", ["near", "a piece", "another"])
def test_a_tub_id_almost_that_of_a_whole_certificate_is_a_misprint(tmp_path, like):
    """Of the log alone, whose host relayed the key: no other certificate hashes to what begins or ends alike."""
    node, is_near = INTRODUCER.nodeid, like != "another"
    changed = {
        "near": node[:-2] + ("aa" if node[-2:] != "aa" else "bb"),
        "a piece": node[::-1][:20] + node[20:],
        "another": node[::-1],
    }[like]
    printed = FURL.replace(node, changed)
    whole = log(running=PARTS["running"] + identities_read(), settings=settings(printed))
    case = open_files(tmp_path, evidence(log=whole, secrets=None))
    assert audit_row(case)["introducer_furl"] == (None if is_near else printed)
    assert "contested-field" not in codes(case)
