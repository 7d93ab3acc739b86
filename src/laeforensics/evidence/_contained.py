"""What is found inside an archive, as files of the evidence."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from laeforensics.evidence import _archives, _members, _unpack, _zips
from laeforensics.evidence.foreign import is_part_name
from laeforensics.evidence.hindrances import Hindrance, hindrance
from laeforensics.evidence.marks import FIRST_LOOK, SECOND_LOOK, begins_as_object, kind_of
from laeforensics.evidence.read import opened
from laeforensics.evidence.recognise import ARCHIVE, AT_HOME, LEFT_OUT, SECRETS, EvidenceFile, as_text, classify


def first_kind(head: bytes, more: Callable[[int], bytes], size: int) -> str | None:
    """The kind that a file's first bytes tell; more of them where these tell nothing, or are no beginning."""
    text = _unpack.unwrapped_head(head)
    told = kind_of(text) if head else None
    is_sure = told is not None and (told != SECRETS or begins_as_object(text))
    if not is_sure and len(head) < min(size, SECOND_LOOK):
        told = kind_of(_unpack.unwrapped_head(more(SECOND_LOOK)))
    return told


def with_members(path: Path, name: str, prefix: str) -> Iterator[EvidenceFile]:
    """The archive itself, then its members."""
    wrong: list[Hindrance] = []
    size = 0
    members: list[EvidenceFile] = []
    begins = True
    try:
        with opened(path) as raw:
            begins = _archives.is_archive(raw.read(SECOND_LOOK))
            size = raw.seek(0, io.SEEK_END)
            raw.seek(0)
            for found in _archives.members(raw):
                if isinstance(found, Hindrance):
                    wrong.append(found)
                else:
                    members.append(_member(*found, path, as_text(path.name)))
    except _unpack.Damaged as error:
        members, wrong = [], [error.problem]
    except OSError as error:
        wrong.append(hindrance("unreadable", error.strerror or type(error).__name__))
    except _zips.ERRORS:
        wrong.append(hindrance("no archive", "its list of members is damaged"))
    if is_part_name(path.name) and (wrong or not begins):
        wrong, members = [hindrance("split")], members if begins else []
    first, also = (wrong[0] if wrong else None), tuple(wrong[1:])
    yield EvidenceFile(name=name, kind=ARCHIVE, path=path, size=size, problem=first, also=also)
    for file in _resolved(members):
        yield replace(file, name=prefix + file.name)


def _member(member: _members.Member, body: _members.Body, path: Path, root: str) -> EvidenceFile:
    name = as_text(member.name)
    told, found = None, member.problem
    if member.is_archive:
        kind, known = ARCHIVE, AT_HOME
    elif member.link is not None or found is not None:
        found = found or hindrance("lost link", as_text(member.link or ""))
        kind, known = LEFT_OUT, AT_HOME
    else:
        with contextlib.suppress(_unpack.Damaged, *_zips.ERRORS):
            told = first_kind(body.head(FIRST_LOOK), body.head, member.size)
        kind, known = classify(f"{root}/{name}", told)
    return EvidenceFile(
        name=name, kind=kind, known=known, told=told, path=path, size=member.size, member=member.index, problem=found
    )


def _resolved(members: list[EvidenceFile]) -> Iterator[EvidenceFile]:
    """Links among the members are what they lead to; of two members of one name the later one counts."""
    by_name = {file.name: file for file in members}
    ends: dict[str, EvidenceFile] = {}
    for file in members:
        if by_name[file.name] is not file:
            yield replace(file, name=f"{file.name} (earlier)", kind=LEFT_OUT, problem=hindrance("earlier"))
            continue
        target = _end_of_links(file, by_name, ends)
        if target is file or target.kind == LEFT_OUT:
            yield file
        else:
            kind, known = (
                (ARCHIVE, AT_HOME) if target.kind == ARCHIVE else classify(f"{file.path.name}/{file.name}", target.told)
            )
            yield replace(target, name=file.name, kind=kind, known=known)


def _end_of_links(file: EvidenceFile, by_name: dict[str, EvidenceFile], ends: dict[str, EvidenceFile]) -> EvidenceFile:
    """What a link leads to at last, through other links; a link, where it leads to nothing. `ends` are those known."""
    seen: list[str] = []
    while file.name not in ends and file.problem is not None and file.problem.reason == "lost link":
        seen.append(file.name)
        ends[file.name] = file  # as long as nothing better is known: so a circle ends
        file = by_name.get(str(file.problem.told[0]), file)
    file = ends.get(file.name, file)
    ends.update(dict.fromkeys(seen, file))
    return file
