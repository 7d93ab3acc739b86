"""Whether a recovery would work today: every check is a command of the two programs, run as anybody would type it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any

from laerecover.manifest import written_whole
from laerecover.text import clean, shell_line

ROWS = "readiness.jsonl"
_LONGEST = 4000
"""Every mistake in the settings has its place in one line."""
_NAMED = 3
"""So many accounts are named."""
_PROGRAMS = {name: f"from {name}.cli import main; main()" for name in ("laeforensics", "laerecover")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check: None is one that was left out, for `said`; `next` is what to do about it."""

    check: str
    ok: bool | None
    said: str
    next: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEnd:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def body(self) -> Mapping[str, Any]:
        """What it told for machines; empty where that is no JSON object."""
        try:
            body = json.loads(self.out)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def failed(self, check: str) -> Checked:
        """What it said was wrong."""
        lines = self.err.splitlines()
        what = next((line for line in lines if line.startswith(("laeforensics:", "laerecover:"))), f"exit {self.code}")
        where, remedy = (self._said(word) for word in ("where", "next"))
        said = (what.partition(": ")[2] or what) + (f" ({where})" if where else "")
        return Checked(check=check, ok=False, said=clean(said, limit=_LONGEST), next=clean(remedy, limit=_LONGEST))

    def _said(self, word: str) -> str:
        """What stands behind that word, in the lines below it, too."""
        rest = dropwhile(lambda line: not line.startswith(f"  {word}"), self.err.splitlines())
        first = next(rest, "").strip().removeprefix(word).strip()
        return "; ".join(filter(None, [first, *(line.strip() for line in takewhile(_is_below, rest))]))


def _is_below(line: str) -> bool:
    return line.startswith(" " * 10)


def call(program: str, *words: str | Path) -> CommandEnd:
    """Run a command of ours to its end."""
    command = [sys.executable, "-c", _PROGRAMS[program], *map(str, words)]
    done = subprocess.run(  # noqa: S603  words of ours
        command, check=False, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL
    )
    return CommandEnd(code=done.returncode, out=done.stdout, err=done.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What is checked: the manifest as it lies there, and the evidence where it is still kept.

    `given`: --key-file; `settings`: --settings (`settings_named`), or the file beside the manifest; `offline`: the
    cloud is not asked.
    """

    manifest: Path
    evidence: tuple[Path, ...]
    case: Path | None
    sources: tuple[str, ...]
    given: tuple[str, ...]
    settings: Path
    settings_named: bool
    offline: bool

    @property
    def folder(self) -> Path:
        """Where a readiness leaves its rows, its audit, its drill."""
        return Path(f"{self.manifest}.ready")

    @property
    def rows(self) -> Path:
        """One JSON object a line: each time that this was asked."""
        return self.folder / ROWS

    def last(self) -> Mapping[str, Any] | None:
        """The row of the last time, if there is one that can be read."""
        try:
            row = json.loads(self.rows.read_text("utf-8").splitlines()[-1])
        except (OSError, ValueError, IndexError):
            return None
        return row if isinstance(row, dict) else None

    def checked(self) -> Iterator[Checked]:
        """Each check as it ends."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        checks = (self._custody, self._audit, self._diff, self._drill, self._settings, self._cloud)
        is_sound = True
        for check in checks:
            begun = time.monotonic()
            if check == self._diff and not is_sound:  # the manifest may be the good part
                done = Checked(check="diff", ok=None, said="not compared, for the evidence is not as it was")
            else:
                done = check()
            is_sound = is_sound and (check not in (self._custody, self._audit) or done.ok is not False)
            yield Checked(**{**asdict(done), "seconds": round(time.monotonic() - begun, 3)})

    def remember(self, checks: list[Checked], *, ready: bool) -> None:
        """A row for this time; on disk before it counts."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        row = {"at": at, "manifest": str(self.manifest), "ready": ready, "checks": [asdict(check) for check in checks]}
        before = self.rows.read_bytes() if self.rows.is_file() else b""
        with written_whole(self.rows) as file:
            file.write(before + json.dumps(row).encode() + b"\n")

    def _custody(self) -> Checked:
        if not self.evidence:
            return Checked(check="custody", ok=None, said="no --evidence was given: the manifest alone is checked")
        case: tuple[str | Path, ...] = () if self.case is None else ("--case", self.case)
        ended = call("laeforensics", "custody", *self.evidence, "--check", "--json", *case)
        if ended.code == 0:
            return Checked(check="custody", ok=True, said=_unchanged(ended.err))
        gone = [*ended.body.get("changed", ()), *ended.body.get("vanished", ())]
        if not gone:
            return ended.failed("custody")
        told = f"{len(gone)} files are not what they were when they were first read: {', '.join(gone[:3])}"
        return Checked(check="custody", ok=False, said=clean(told), next="put them back from the other copy")

    def _audit(self) -> Checked:
        if not self.evidence:
            return Checked(check="audit", ok=None, said="as above")
        case, mine = self.case or Path(f"{self.evidence[0]}.case"), self.folder / "case"
        shutil.rmtree(mine, ignore_errors=True)
        (self.folder / "audit.parquet").unlink(missing_ok=True)
        if case.is_dir():  # the decisions count; what this audit writes must not be what the case remembers
            shutil.copytree(case, mine)
        output = self.folder / "manifest.parquet"
        words: tuple[str | Path, ...] = ("--output", output, "--case", mine, *self.given, *self.sources, "--json")
        ended = call("laeforensics", "audit", *self.evidence, *words)
        if ended.code != 0 or not ended.body:
            return ended.failed("audit")
        number, whole = ended.body["verdicts"].get("RECOVERABLE", 0), ended.body["accounts"]
        said = f"{number} of {whole} accounts are RECOVERABLE"
        return Checked(check="audit", ok=number > 0, said=said, next="" if number else "see laeforensics list")

    def _diff(self) -> Checked:
        """Whether the manifest is, to the byte of its content, what the evidence says today."""
        if not self.evidence:
            return Checked(check="diff", ok=None, said="as above")
        digests = []
        for each in (self.manifest, self.folder / "manifest.parquet"):
            ended = call("laerecover", "key", "check", each, *self.given, "--json")
            if ended.code != 0:
                return ended.failed("diff")
            digests.append(ended.body.get("manifest_digest"))
        if digests[0] == digests[1]:
            return Checked(check="diff", ok=True, said="the evidence says of every account what the manifest does")
        told, remedy = self._what_differs()
        said = f"the evidence says something else than the manifest{told}"
        return Checked(check="diff", ok=False, said=said, next=f"{remedy}audit again, and put both copies anew")

    def _what_differs(self) -> tuple[str, str]:
        """Which accounts do, and the command that shows in what; both manifests are laid beside each other for it,
        without secrets.
        """
        from laerecover.manifest import read_manifest, write_audit_table  # they need Arrow

        tables = self.folder / "planned.audit.parquet", self.folder / "today.audit.parquet"
        key_file = Path(self.given[1]) if self.given else None
        for path, table in zip((self.manifest, self.folder / "manifest.parquet"), tables, strict=True):
            told = read_manifest(path, key_file=key_file)
            write_audit_table(table, told.accounts, evidence_digest=told.evidence_digest)
        body = call("laeforensics", "diff", *tables, "--json").body
        found = {word: body.get(word, ()) for word in ("changed", "appeared", "vanished")}
        names = [each["account_id"] for word in found for each in found[word]]
        if not names:
            return ", though of no account", ""
        counts = ", ".join(f"{len(each)} {word}" for word, each in found.items() if each)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        command = shell_line(["laeforensics", "diff", *map(str, tables)])
        return f": {counts}: {', '.join(names[:_NAMED])}{more}", f"{command}, then "

    def _drill(self) -> Checked:
        words: tuple[str | Path, ...] = ("--state", self.folder / "drill", "--again", *self.given, "--json")
        ended = call("laerecover", "drill", self.manifest, *words)
        # What its servers left has the customers' keys in plain text; here may lie the manifest alone.
        shutil.rmtree(self.folder / "drill" / "evidence", ignore_errors=True)
        accounts = ended.body.get("accounts", ())
        back = sum(account["outcome"] == "recovered" for account in accounts)
        wanted = sum(account["outcome"] not in ("blocked", "left out") for account in accounts)
        if ended.code == 0 and back:
            return Checked(check="drill", ok=True, said=f"{back} of {wanted} accounts recovered in a world in one file")
        if not accounts:
            return ended.failed("drill")
        report = ["laerecover", "report", str(self.manifest), "--state", str(self.folder / "drill"), *self.given]
        remedy = shell_line(report)
        return Checked(check="drill", ok=False, said=f"{back} of {wanted} accounts recovered", next=remedy)

    def _settings(self) -> Checked:
        """Whether a run would find all that it wants of the operator."""
        if not self.settings_named and not self.settings.is_file():
            return Checked(check="settings", ok=None, said=f"there are none yet: {clean(self.settings)}")
        ended = call("laerecover", "settings", "--check", self.settings)
        if ended.code != 0:
            return ended.failed("settings")
        return Checked(check="settings", ok=True, said=f"nothing is missing in {clean(self.settings)}")

    def _cloud(self) -> Checked:
        if self.offline:
            return Checked(check="cloud", ok=None, said="--offline: whether it lets us was not asked")
        words: tuple[str | Path, ...] = (
            "--check",
            "--state",
            self.folder / "plan",
            "--settings",
            self.settings,
            *self.given,
            "--json",
        )
        ended = call("laerecover", "plan", self.manifest, *words)
        blocking = [each for each in ended.body.get("checks", ()) if each["blocks"]]
        if ended.code == 0 and ended.body:
            return Checked(
                check="cloud", ok=True, said=f"nothing stands in the way of {ended.body['instances']} accounts"
            )
        if not blocking:
            return ended.failed("cloud")
        more = f" (and {len(blocking) - 1} more)" if len(blocking) > 1 else ""
        said = f"{blocking[0]['what']}: {blocking[0]['message']}{more}"
        return Checked(check="cloud", ok=False, said=clean(said), next=clean(blocking[0]["remedy"]))


def _unchanged(said: str) -> str:
    return clean(" ".join((said.strip().splitlines() or ["unchanged"])[-1].split()))


def is_ready(checks: list[Checked]) -> bool:
    """No check failed; what was left out by choice does not count."""
    return all(check.ok is not False for check in checks)


def conclusion(checks: list[Checked], last: Mapping[str, Any] | None) -> str:
    """One line: ready or not, what was left out, how it was the last time."""
    failed = [check.check for check in checks if check.ok is False]
    left_out = [check.check for check in checks if check.ok is None]
    told = f"NOT READY: {', '.join(failed)} failed" if failed else "READY"
    if left_out:
        told += f"; not checked: {', '.join(left_out)}"
    if last is not None:
        told += f"; last time, {clean(last.get('at', '?'))}: {'READY' if last.get('ready') else 'NOT READY'}"
    return told
