"""Lines for people: a terminal folds them between words; what is to be typed stays whole."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import TextIO

_TYPED = re.compile(r" *(?:[a-z ]+: )?(?:laeforensics|laerecover) [a-z]+ ")
_HANGING = 6


def tell(text: object, out: TextIO | None = None, *, hanging: int = _HANGING) -> None:
    """Print it; piped, a line is a line, for whoever counts them. What a terminal folds hangs so far in."""
    stream = out or sys.stdout
    told = str(text)
    if stream.isatty():
        width = shutil.get_terminal_size().columns
        told = "\n".join(folded(line, width, hanging) for line in told.split("\n"))
    print(told, file=stream)


def folded(line: str, width: int, hanging: int = _HANGING) -> str:
    """In lines of that width, the further ones behind an indent; no word is broken, nor a command."""
    if len(line) <= width or _TYPED.match(line):
        return line
    margin = " " * min(hanging, width // 4)
    return textwrap.fill(line, width, subsequent_indent=margin, break_long_words=False, break_on_hyphens=False)
