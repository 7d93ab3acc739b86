"""The first look at a case: its numbers, its card."""

from __future__ import annotations

from typing import Any

from laeforensics.audit import rules
from laeforensics.audit.judgement import Judgement
from laeforensics.facts.findings import BLOCKING, NOTE
from laeforensics.facts.masking import plain, short
from laeforensics.present._templates import template
from laeforensics.present.words import counted


def summary(judgement: Judgement) -> dict[str, Any]:
    """The numbers of a case, for the card, the page and the shell; `digest` names exactly this evidence."""
    accounts = [a for a in judgement.accounts if not a.is_attempt]
    verdicts = {rule.name: [a for a in accounts if rules.verdict(a) is rule] for rule in rules.VERDICTS}
    grades = {rule.name: sum(rules.grade(a) is rule for a in verdicts[rules.RECOVERABLE]) for rule in rules.GRADES}
    size = sum(file.size for file, _ in judgement.reading.files)
    log_bytes = sum(log.size for log in judgement.reading.logs)
    residue = sum(r.end - r.start for log in judgement.reading.logs for r in log.residue)
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
    }


def card(judgement: Judgement, *, is_short: bool = False) -> str:
    """The first look at a case, as text; on a terminal long names are shortened in their middle."""
    told = short if is_short else str
    s = summary(judgement)
    residue = f"{counted(s['residue_lines'], 'line')} {'is' if s['residue_lines'] == 1 else 'are'} residue"
    read = f"{counted(s['logs'], 'signup log')} in {counted(s['dialects'], 'dialect')}"
    lines = [
        f"Evidence  {s['root']} · {counted(s['files'], 'file')} · {s['bytes'] / 1e6:.1f} MB",
        f"Digest    {s['digest']}",
        f"Read      {read} · {s['understood']:.1f} % of bytes understood · {residue}",
        "",
        f"  {counted(s['accounts'], 'account')}",
    ]
    for name, count in s["verdicts"].items():
        words = (
            ", ".join(f"{n} {g.lower().replace('_', ' ')}" for g, n in s["grades"].items())
            if name == rules.RECOVERABLE
            else ""
        )
        bar = "█" * max(1, round(24 * count / max(1, s["accounts"])))
        lines.append(f"  {bar:<24}  {count:>4} {name:<12} {words or ', '.join(s['why'][name])}".rstrip())
    if s["attempts"]:
        became = "an account" if s["attempts"] == 1 else "accounts"
        lines.append(f"  and {counted(s['attempts'], 'attempt')} that never became {became}")
    worst = _worst_findings(judgement)
    if worst:
        lines += ["", f"Findings  {worst}"]
    mends = judgement.mends[:5]
    if mends:
        lines += ["", "What would help most"]
        names = [told(plain(m.evidence)) for m in mends]
        width = max(map(len, names))
        lines += [
            f"  {name:<{width}}  {m.effect} {counted(len(m.accounts), 'account')}  {', '.join(m.fields)}".rstrip()
            for name, m in zip(names, mends, strict=True)
        ]
    return "\n".join(lines)


def _worst_findings(judgement: Judgement) -> str:
    """Blocking findings and warnings, counted by code."""
    return " · ".join(f"{number} {code}" for code, number in _counts(judgement).items())


def _counts(judgement: Judgement) -> dict[str, int]:
    counts: dict[tuple[bool, str], int] = {}
    for f in judgement.findings:
        if f.severity != NOTE:
            key = (f.severity != BLOCKING, f.code)
            counts[key] = counts.get(key, 0) + 1
    return {code: number for (_, code), number in sorted(counts.items())}


def card_html(judgement: Judgement) -> str:
    """The first look at a case, for a notebook."""
    return template("card.html").render(
        s=summary(judgement), meanings={r.name: r.meaning for r in (*rules.VERDICTS, *rules.GRADES)}
    )
