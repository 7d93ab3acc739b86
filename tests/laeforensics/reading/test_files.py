"""One file's bytes, and what is said of those that cannot be read."""

from __future__ import annotations

import pickle

import pytest
from makings import NAME, audit_row, codes, open_files, secrets
from makings import evidence as whole
from packings import write

from laeforensics.evidence import find, read
from laeforensics.reading.files import read_file
from laeforensics.reading.whole import read_all
from laerecover.manifest import Secret


@pytest.mark.parametrize("name", whole())
def test_what_a_file_told_can_travel(name, tmp_path):
    """It pickles as plain texts and numbers, and comes back the same: a process can hand it on."""
    write(tmp_path, whole())
    (file,) = (f for f in find.find(tmp_path) if f.name == name)
    content = read.read(file)
    one = read_file(*pickle.loads(pickle.dumps((file, content))))
    assert pickle.loads(pickle.dumps(one)) == one
    assert one.log or one.secrets or one.activations or one.signups or one.serverinfo or one.products


def test_a_secret_cannot_travel():
    """What may be shown is made where it is shown: a `Secret` refuses to be pickled."""
    with pytest.raises(TypeError):
        pickle.dumps(Secret("invented"))


def test_an_unreadable_file_is_a_finding(tmp_path):
    """The others are read."""
    write(tmp_path, whole())
    files = find.find(tmp_path)
    (tmp_path / "signups.csv").unlink()
    reading = read_all(files)
    assert [(f.code, f.signup) for f in reading.findings] == [("unreadable-file", "signups.csv")]
    assert len(reading.logs) == 1


def test_damage_of_a_compressed_secrets_file_is_told(tmp_path):
    """A .gz that is only its head gives no values; the account that its name bears waits for it."""
    import gzip

    files = {**whole(secrets=None), f"secrets/{NAME}.gz": gzip.compress(secrets())[:12]}
    case = open_files(tmp_path, files)
    assert "unread-evidence" in codes(case)
    assert audit_row(case)["blocking"] == (f"unread:secrets/{NAME}.gz",)
