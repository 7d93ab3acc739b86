"""Four eyes: somebody whom the settings name has signed this very plan, or these very mails, with an ssh key."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from laerecover.errors import Guarded, LaeRecoverError
from laerecover.planning.guards import NOT_STARTED
from laerecover.text import reason_of, shell_word
from laerecover.writing import write_atomically

if TYPE_CHECKING:
    from laerecover.sections import ApprovalSettings

NAMESPACE = "laerecover"
_SECONDS = 30
_PRINCIPALS = re.compile(r"""^[ \t]*(?:"([^"\n]+)"|([^\s"#]\S*))""", re.MULTILINE)


def digest_of_mails(mails: Sequence[tuple[str, str, str]]) -> str:
    """SHA-256 over Message-ID, recipient and text (as it is shown) of each mail, in the order of their ids."""
    return hashlib.sha256(json.dumps(sorted(mails)).encode()).hexdigest()


def text_of(what: str, digest: str) -> str:
    """What is signed: one line; `what` is plan or mails."""
    return f"laerecover {what} {digest}\n"


def guard_approval(what: str, digest: str, approval: ApprovalSettings, signature: Path | None) -> str:
    """Who has approved it; "" where no signature is given, and none is asked for.

    Raises Guarded: nobody has, or not this; LaeRecoverError: nothing says who may, or it cannot be examined.
    """
    if signature is None and not approval.required:
        return ""
    signers = approval.allowed_signers
    if signers is None:
        raise LaeRecoverError(
            "the settings do not say who may approve",
            where="--approved-by",
            next_step=f"name their keys: [approval] allowed_signers = FILE; {NOT_STARTED}",
        )
    how = (
        f"printf '{text_of(what, digest).strip()}\\n' | ssh-keygen -Y sign -n {NAMESPACE} -f KEY > FILE.sig, by "
        f"somebody in {shell_word(str(signers))} who has looked at it; then --approved-by FILE.sig; {NOT_STARTED}"
    )
    if signature is None:
        raise Guarded(f"nobody has approved the {what} {digest}", where="approval.required", next_step=how)
    for file in (signers, signature):
        if not file.is_file():
            raise LaeRecoverError("that file is not there", where=str(file), next_step=f"name another; {NOT_STARTED}")
    named = ["-s", str(signature.absolute()), "-n", NAMESPACE, "-f", str(signers.absolute())]
    for who in _names(signers):  # ssh-keygen's own search knows the first line of a key alone, be it for other texts
        if _ssh_keygen(["verify", *named, "-I", who], text_of(what, digest)).returncode == 0:
            return who
    raise Guarded(
        f"this is no signature of the {what} {digest} by anybody who may approve it",
        where=str(signature),
        next_step=how,
    )


def guard_mails(approval: ApprovalSettings, mail: str) -> None:
    """Mails are looked at once they are written: where they must be approved, a run holds them. Raises Guarded."""
    if approval.required and mail == "send":
        raise Guarded(
            "mails must be approved, and nobody could look at these before they are sent",
            where="--mail send · approval.required",
            next_step=f"run without it, then `laerecover notify --approved-by FILE.sig`; {NOT_STARTED}",
        )


def keep_approval(folder: Path, what: str, who: str, signature: Path | None) -> None:
    """Keep the signature beside the state, so that anybody can examine it later. Raises OSError."""
    if who and signature is not None:
        kept = signature.read_bytes()
        write_atomically(folder / f"approved-{what}-{hashlib.sha256(kept).hexdigest()[:16]}.sig", kept)


def _names(signers: Path) -> Iterator[str]:
    """One of each line; a pattern stands for itself."""
    for quoted, plain in _PRINCIPALS.findall(signers.read_text("utf-8", "replace")):
        yield from [name for name in (quoted or plain).split(",") if not name.startswith("!")][:1]


def _ssh_keygen(words: Sequence[str], text: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603  no shell, and no path that could be taken for an option
            ["ssh-keygen", "-Y", *words],  # noqa: S607  OpenSSH where the operator has it
            input=text.encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LaeRecoverError(
            f"the signature cannot be examined: {reason_of(error)}",
            where="ssh-keygen",
            next_step=f"install OpenSSH's client; {NOT_STARTED}",
        ) from None
