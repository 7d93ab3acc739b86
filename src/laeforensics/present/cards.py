"""The first look at a case: its numbers, its card."""

from __future__ import annotations

from collections import Counter
from typing import Any

from laeforensics.audit import rules
from laeforensics.audit.judgement import Judgement
from laeforensics.facts.findings import BLOCKING, NOTE
from laeforensics.facts.masking import plain, short
from laeforensics.present import words
from laeforensics.present._templates import template
from laeforensics.present.commands import CommandLines
from laeforensics.present.words import counted

_MOST_UNREAD = 5


def summary(judgement: Judgement) -> dict[str, Any]:
    """The numbers of a case, for the card, the page and the shell; `digest` names exactly this evidence.

    `missing` names the kinds of evidence of which there is no file, `doubtful` counts the attempts of which a log tells
    a bucket that is not believed; they are there only where there are such.
    """
    accounts = [a for a in judgement.accounts if not a.is_attempt]
    verdicts = {rule.name: [a for a in accounts if rules.verdict(a) is rule] for rule in rules.VERDICTS}
    grades = {rule.name: sum(rules.grade(a) is rule for a in verdicts[rules.RECOVERABLE]) for rule in rules.GRADES}
    size = sum(file.size for file, _ in judgement.reading.files)
    log_bytes = sum(log.size for log in judgement.reading.logs)
    residue = sum(r.end - r.start for log in judgement.reading.logs for r in log.residue)
    doubtful = sum(rules.bucket_not_believed(account) is not None for account in judgement.accounts)
    missing = [kind.name for kind in judgement.missing_kinds]
    return {
        "root": plain(str(judgement.root)),
        "files": len(judgement.reading.files),
        "bytes": size,
        "digest": judgement.reading.digest,
        "logs": len(judgement.reading.logs),
        "dialects": len({log.dialect for log in judgement.reading.logs if log.dialect}),
        "understood": 100.0 if not log_bytes else 100.0 * (1 - residue / log_bytes),
        "residue_lines": sum(len(log.residue) for log in judgement.reading.logs),
        "accounts": len(accounts),
        "attempts": len(judgement.accounts) - len(accounts),
        "verdicts": {name: len(found) for name, found in verdicts.items() if found},
        "grades": {name: count for name, count in grades.items() if count},
        "findings": _counts(judgement),
        "why": {
            name: sorted({code for a in found for code in rules.blocking(a)})
            for name, found in verdicts.items()
            if found
        },
        **({"missing": missing} if missing else {}),
        **({"doubtful": doubtful} if doubtful else {}),
    }


def card(judgement: Judgement, commands: CommandLines | None = None, *, is_short: bool = False) -> str:
    """The first look at a case, as text; on a terminal long names are shortened in their middle.

    With `commands`, what is to be typed stands below what it would help.
    """
    told, width = (short, 12) if is_short else (str, 24)
    s = summary(judgement)
    residue = f"{counted(s['residue_lines'], 'line')} {'is' if s['residue_lines'] == 1 else 'are'} residue"
    read = f"{counted(s['logs'], 'signup log')} in {counted(s['dialects'], 'dialect')}"
    lines = [
        f"Evidence  {s['root']} · {counted(s['files'], 'file')} · {s['bytes'] / 1e6:.1f} MB",
        f"Digest    {s['digest']}",
        f"Read      {read} · {s['understood']:.1f} % of bytes understood · {residue}",
        *_not_read(judgement),
        "",
        f"  {s['verdicts'].get(rules.RECOVERABLE, 0)} of {counted(s['accounts'], 'account')} can be recovered",
        *([f"  as far as this evidence tells: it has no {', no '.join(s['missing'])}"] if "missing" in s else []),
    ]
    for name in (name for name in words.LOOKED_AT if name in s["verdicts"]):
        count, why = s["verdicts"][name], _why(judgement, name)
        grades = (f"{number} {words.words(grade)}" for grade, number in s["grades"].items())
        bar = "█" * max(1, round(width * count / max(1, s["accounts"])))
        said = ", ".join(grades if name == rules.RECOVERABLE else why)
        lines.append(f"  {bar:<{width}}  {count:>4} {name:<12} {said}".rstrip())
    if s["attempts"]:
        became = "an account" if s["attempts"] == 1 else "accounts"
        but = f" (of {s['doubtful']} a log tells a bucket, and is not believed)" if "doubtful" in s else ""
        lines.append(f"  and {counted(s['attempts'], 'attempt')} that never became {became}{but}")
    if s["findings"]:
        worst = " · ".join(f"{number} {code}" for code, number in s["findings"].items())
        lines += ["", f"Findings  {worst}"]
    mends = judgement.mends[:5]
    if mends:
        lines += ["", "What would help most"]
        names = [told(plain(m.evidence)) for m in mends]
        width = max(map(len, names))
        for name, m in zip(names, mends, strict=True):
            many, fields = f"{m.effect} {counted(len(m.accounts), 'account')}", ", ".join(m.fields)
            if is_short:  # a narrow line has room for two columns
                lines.append(f"  {many:<18}  {name}")
                lines += [f"{'':22}for {fields}"] if fields and not name.endswith(fields) else []
            else:
                lines.append(f"  {name:<{width}}  {many}  {fields}".rstrip())
            if commands is not None and (command := commands.for_mend(m)) != commands.audit():
                lines.append(f"      {command}")
    return "\n".join(lines)


def _not_read(judgement: Judgement) -> list[str]:
    """The files that are counted, and of which nothing was read, each with why."""
    told = [f"{plain(name)}: {why}" for name, why, _ in judgement.not_read]
    if len(told) > _MOST_UNREAD:
        told[_MOST_UNREAD - 1 :] = [f"and {len(told) - _MOST_UNREAD + 1} more: audit.html names them"]
    return [f"{'' if n else 'Not read':<10}{line}" for n, line in enumerate(told)]


def _why(judgement: Judgement, verdict: str) -> list[str]:
    """What keeps the accounts of a verdict from being recovered, each reason once."""
    found = [a for a in judgement.accounts if not a.is_attempt and rules.verdict(a).name == verdict]
    return sorted({why for account in found for why in words.reasons(account)})


def _counts(judgement: Judgement) -> dict[str, int]:
    """Blocking findings and warnings, counted by code."""
    counts = Counter((f.severity != BLOCKING, f.code) for f in judgement.findings if f.severity != NOTE)
    return {code: number for (_, code), number in sorted(counts.items())}


def card_html(judgement: Judgement) -> str:
    """The first look at a case, for a notebook."""
    return template("card.html").render(
        s=summary(judgement),
        meanings={r.name: r.meaning for r in (*rules.VERDICTS, *rules.GRADES)},
        order=words.LOOKED_AT,
        colours=words.COLOURS,
    )
