"""The customer's file comes back: a real grid destroyed and recovered, twice, byte for byte."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from story import Person, Story
from tahoe_client import ClientError

from conftest import start
from laerecover.hosts.identity import parse_furl
from laerecover.manifest import Secret, read_manifest
from old_shares import is_mdmf, says_468

GRADES = {"ann": "IDENTITY_KEPT", "bob": "IDENTITY_KEPT", "cora": "NEW_STORAGE_IDENTITY"}


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Three customers: keys of 2012, all papers; S4, shares in pieces; secrets file lost, log cut before its keys."""
    rig = start(tmp_path / "rig")
    people = [
        Person(name="ann", old_keys=True),
        Person(name="bob", s4=True),
        Person(name="cora", secrets_survive=False, cut_before_keys=True),
    ]
    told = Story(folder=tmp_path, rig=rig, people=people)
    yield told
    told.close()
    rig.down()


def old_in_mdmf(story: Story, person: Person) -> int:
    """How many of the person's shares in MDMF say 468, as the S3 backend left them."""
    return sum(says_468(share) and is_mdmf(share) for share in story.shares(person))


def change_again(story: Story, person: Person) -> None:
    """Both directories, old for the second time, take a file.

    What was changed is a share of today's, and no larger than it must be.
    """
    for directory, name in ((person.directory, "again.bin"), (person.mdmf, "again-mdmf.bin")):
        story.add_file(person, directory, name, 5_000)
        assert person.client.read(f"{directory}/{name}") == person.files[name][1]
    story.settle(person)
    # Nobody can change the directory that was made under an identity that is lost: it stays as it was.
    assert old_in_mdmf(story, person) == (0 if GRADES[person.name] == "IDENTITY_KEPT" else 1)
    assert max(map(len, story.shares(person))) < 1.1 * max(len(content) for _, content in person.files.values())


def test_customers_read_their_files_again_after_two_disasters(story: Story) -> None:
    """Old clients with old caps read what they had; old directories can be changed just where the grade says so."""
    began = time.monotonic()
    story.for_all("sign-up", story.sign_up)
    story.for_all("use", story.use_storage)
    furls = {person.name: parse_furl(Secret(person.client.furl)) for person in story.people}

    story.destroy_all_hosts()
    for person in story.people:
        assert len(story.objects(person)) == 2 + len(person.files), "two directories and the files"
        story.age(person)
        assert old_in_mdmf(story, person) == 1
    cut, untouched = story.people[1], story.untouched(story.people[1])
    assert sum(size for size, _ in untouched.values()) > 8_000_000
    shares_then = 2 + len(cut.files)
    assert {0, 524_288} <= {size for size, _ in untouched.values()}, "pieces, an empty one among them"
    manifest = story.audit("first", story.evidence)
    accounts = read_manifest(manifest, key_file=story.folder / "key" / "manifest.key").accounts
    assert {a.account_id: a.grade for a in accounts} == {p.account_id: GRADES[p.name] for p in story.people}
    report = story.recover(manifest, list(accounts), story.folder / "left-behind", kill=True)
    for about in report["accounts"]:
        counts = about["instances_launched"], about["serverinfo_rows"], about["outcome"]
        assert counts == (1, 1, "recovered"), about
        assert bool(about["joined"]) == (about["account_id"] == cut.account_id)
    mails = story.notify(manifest)
    assert set(mails) == {person.address for person in story.people}
    told_how = [address for address, text in mails.items() if f"aws s3 rm --recursive s3://{cut.account_id}/" in text]
    assert told_how == [cut.address], "how the old objects are removed, by the one whose shares were joined"
    story.verify(manifest)

    story.for_all("reading", lambda person: story.read_everything(person, mails[person.address]))
    for person in story.people:
        same = parse_furl(Secret(person.client.furl)).same_capability(furls[person.name])
        assert same == (GRADES[person.name] == "IDENTITY_KEPT"), person.name
        if GRADES[person.name] == "IDENTITY_KEPT":
            story.add_file(person, person.directory, "after.bin", 5_000)
            story.add_file(person, person.mdmf, "after-mdmf.bin", 5_000)
            assert person.client.names(person.mdmf) == ["after-mdmf.bin", "mdmf.bin"]
        else:
            for directory in (person.directory, person.mdmf):
                with pytest.raises(ClientError):
                    story.add_file(person, directory, "after.bin", 5_000)
            person.directory, old = person.client.mkdir(), person.directory
            assert "200.bin" in person.client.names(old)
            story.add_file(person, person.directory, "200.bin", 200)
            person.mdmf = person.client.mkdir("MDMF")

    survivor = story.people[0]
    story.reboot(survivor)
    survivor.client.stop()
    survivor.client.start()
    assert survivor.client.read(survivor.files["after.bin"][0]) == survivor.files["after.bin"][1]

    story.destroy_all_hosts()
    for person in story.people:
        story.age(person)
    again = story.audit("second", *story.evidence_of_the_second(story.folder / "left-behind"))
    accounts = read_manifest(again, key_file=story.folder / "key" / "manifest.key").accounts
    assert {a.account_id: a.grade for a in accounts} == {p.account_id: "IDENTITY_KEPT" for p in story.people}
    report = story.recover(again, list(accounts), story.folder / "left-behind-again", kill=False)
    assert {about["outcome"] for about in report["accounts"]} == {"recovered"}
    joined = {about["account_id"]: about["joined"] for about in report["accounts"]}[cut.account_id]
    assert joined["copied"] + joined["joined"] == shares_then, "once and for all"
    mails = story.notify(again)
    story.for_all("reading again", lambda person: story.read_everything(person, mails[person.address]))
    story.for_all("changing again", lambda person: change_again(story, person))
    assert story.untouched(cut) == untouched, "what the old servers left stays as it is"
    for chapter, minutes in {**story.minutes, "all": (time.monotonic() - began) / 60}.items():
        print(f"{minutes:6.2f} min  {chapter}")
