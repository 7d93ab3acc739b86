"""Why a file of the evidence was not read, or not whole: the likely cause, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One row of the table: `cause` in words (with places for what only the file tells), what `remedy` there is."""

    cause: str
    remedy: str


_AS_IT_LIES = "if it is evidence, unpack it beside itself and audit again; else `laeforensics decide --set-aside`"
_ANOTHER_COPY = "look for another copy of this file"
_PLAIN_COPY = "put a plain copy of it into the folder and audit again"

CAUSES: dict[str, Cause] = {
    # What lies in a folder and cannot be opened.
    "unreadable": Cause(cause="it cannot be read: {}", remedy="make it readable for you and audit again"),
    "folder": Cause(
        cause="the folder cannot be read: {}", remedy="make the folder readable for you (chmod u+rx) and audit again"
    ),
    "no file": Cause(
        cause="it is no file: a pipe, a socket or a device", remedy=f"if it stands for one, {_PLAIN_COPY}"
    ),
    "dangling": Cause(
        cause="it is a link to {}, which is not there",
        remedy="copy what it should lead to in its place (cp -L, rsync -L at the source), and audit again",
    ),
    "circle": Cause(cause="it is a link that leads in a circle", remedy=_PLAIN_COPY),
    "link out": Cause(
        cause="it is a link that leads out of the evidence",
        remedy="copy what it leads to into the evidence (cp -L), or name that folder too, and audit again",
    ),
    "folder link": Cause(cause="it is a link to a folder, which is read in its own place", remedy="none needed"),
    # What was put in place of a file by a program that keeps its bytes elsewhere.
    "pointer": Cause(
        cause="it is a pointer that {} left: the bytes are elsewhere",
        remedy="fetch the bytes ({}) and audit again",
    ),
    # What is there, but too large.
    "too large": Cause(
        cause="{} bytes is more than this software reads ({})",
        remedy="if evidence is in it, take it out into files of its own; else `laeforensics decide --set-aside`",
    ),
    "sparse": Cause(
        cause="it claims {} bytes, of which {} are on the disk: a sparse file, which was neither read nor hashed",
        remedy="copy what it holds into a file of its own, or `laeforensics decide --set-aside`",
    ),
    # What is packed.
    "cut": Cause(
        cause="it is cut off or damaged at byte {}; what comes before was read",
        remedy="look for another copy of this file; what was behind the cut is not known",
    ),
    "gap": Cause(
        cause="it is damaged at byte {}; what comes before was read, and what begins whole behind it",
        remedy="look for another copy of this file; what was in between is not known",
    ),
    "cut stream": Cause(
        cause="the compressed file is cut off; what comes before the cut was read", remedy=_ANOTHER_COPY
    ),
    "damaged stream": Cause(
        cause="the compressed file is damaged: its checksum or its structure is wrong", remedy=_ANOTHER_COPY
    ),
    "behind": Cause(
        cause="{} bytes follow the archive's end, and are no archive",
        remedy="look at them (tail -c {} FILE); if they are evidence, put them into a file of their own",
    ),
    "before": Cause(
        cause="{} bytes stand before the archive, and are no archive",
        remedy="look at them (head -c {} FILE); if they are evidence, put them into a file of their own",
    ),
    "behind stream": Cause(
        cause="something that is not compressed follows the compressed bytes; it was left out",
        remedy="if it is evidence, put it into a file of its own",
    ),
    "memory": Cause(
        cause="the compressed file asks for more memory than this software gives ({})",
        remedy="unpack it by hand ({}) and audit again",
    ),
    "bomb": Cause(cause="it unpacks to more than {}", remedy="unpack what is evidence by hand, and audit that folder"),
    "layers": Cause(cause="it is packed more than {} times over", remedy="unpack it by hand and audit again"),
    "locked": Cause(
        cause="it is locked with a password",
        remedy="unpack it with its password (unzip, 7z x) beside the archive, and audit again",
    ),
    "method": Cause(
        cause="it is compressed by a method that this software does not read ({})",
        remedy="unpack it by hand (7z x) beside the archive, and audit again",
    ),
    "split": Cause(
        cause="it is a part of a divided archive",
        remedy="join the parts (`zip -s 0 NAME.zip --out whole.zip`, or `cat NAME.* > NAME`) and audit again",
    ),
    "packing": Cause(cause="it is packed as {}, which this software does not unpack", remedy=_AS_IT_LIES),
    "encrypted": Cause(
        cause="it is encrypted ({})",
        remedy="decrypt it beside itself and audit again; else `laeforensics decide --set-aside`",
    ),
    "document": Cause(
        cause="it is {}",
        remedy="if it is evidence, save it as plain text and audit again; else `laeforensics decide --set-aside`",
    ),
    "edited": Cause(
        cause="it is {}",
        remedy="where it holds nothing that the file beside it does not hold, "
        "`laeforensics decide --set-aside '*.swp' --because WHY` sets all such files aside",
    ),
    "no archive": Cause(cause="it is called an archive, and is none that can be read ({})", remedy=_ANOTHER_COPY),
    "member": Cause(
        cause="the archive is cut off or damaged inside this file", remedy="look for another copy of this file"
    ),
    "before member": Cause(
        cause="it could not be reached: the archive is cut off or damaged before it", remedy=_ANOTHER_COPY
    ),
    "checksum": Cause(
        cause="it is damaged: its checksum or its structure is wrong; nothing of it was read", remedy=_ANOTHER_COPY
    ),
    "earlier": Cause(
        cause="the archive holds a later file of the same name", remedy="none needed: the later one counts"
    ),
    "lost link": Cause(
        cause="it is a link to {}, which the archive does not hold",
        remedy="pack the archive anew with what the link leads to (tar -h), or put that file beside it",
    ),
    "device": Cause(cause="it is a device or a pipe", remedy="none needed: it holds nothing"),
    "no name": Cause(
        cause="it has no name that a file could have", remedy="unpack the archive by hand, and audit that"
    ),
    # What is known, and holds nothing that anybody waits for.
    "page views": Cause(
        cause="its rows tell who came back from DevPay's page, and when: no account is made of them",
        remedy="none needed",
    ),
    "listing": Cause(cause="it names files, and holds nothing of them", remedy="none needed"),
    "empty": Cause(cause="0 bytes", remedy="none needed, unless it once held something"),
    "no evidence": Cause(
        cause="it is of no kind that is read here, and names no account",
        remedy="none needed, unless it is evidence: then bring it into the form its program wrote, and audit again",
    ),
    # What was opened, and is nothing that is known.
    "unknown": Cause(
        cause="it names an account, and is of no kind that is read here",
        remedy="if it is evidence, bring it into the form its program wrote; else `laeforensics decide --set-aside`",
    ),
    "unrecognised": Cause(
        cause="it should be {}, but nothing in it is what one holds: overwritten, encrypted or of another program",
        remedy="look for another copy of this file; if it is none, `laeforensics decide --set-aside`",
    ),
    "read in part": Cause(
        cause="it was read in part: {}; what it told of the product's token is lost", remedy=_ANOTHER_COPY
    ),
    "others named": Cause(
        cause="it was read as {}, but others than that one's customer are named in it as well",
        remedy="if it holds more than one file, put each into a file of its own, and audit again; "
        "else `laeforensics decide --set-aside`",
    ),
    "prefixed": Cause(
        cause="its lines are a log's, but each begins with {}",
        remedy="take that off ({}) and audit again",
    ),
    "several": Cause(
        cause="it holds several accounts' secrets one after another",
        remedy="put each object into a file of its own and audit again",
    ),
    "unforeseen": Cause(
        cause="nobody foresaw what this file holds ({}); nothing of it was used",
        remedy="look at the file; if it is evidence, keep it and tell who wrote this software",
    ),
}


_OF_WHAT_IS_WHOLE = frozenset(
    {"behind", "before", "behind stream", "memory", "bomb", "layers", "locked", "method", "split", "packing"}
)


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why one file was not read: the row of CAUSES, with what this file fills its places with."""

    reason: str
    told: tuple[str | int, ...] = ()
    """For the places of the cause."""
    do: tuple[str | int, ...] = ()
    """For the places of the remedy."""

    def __str__(self) -> str:
        return CAUSES[self.reason].cause.format(*self.told)

    @property
    def is_damage(self) -> bool:
        """False where the file is whole, and this software does not read it, or not all of it."""
        return self.reason not in _OF_WHAT_IS_WHOLE

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return CAUSES[self.reason].remedy.format(*self.do)


def hindrance(reason: str, *told: str | int, do: tuple[str | int, ...] = ()) -> Hindrance:
    """A problem of a reason that the table knows."""
    return Hindrance(reason, told, do)
