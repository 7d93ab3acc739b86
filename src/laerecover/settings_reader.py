"""Settings being read, with everything that is wrong in them told at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from laerecover.errors import LaeRecoverError


class SettingsReader:
    """Settings being read: whatever is wrong is noted, and told together."""

    def __init__(self, path: Path) -> None:
        self._path, self._unread = path, set[Path]()
        self._wrong: list[tuple[str, Path]] = []

    def refuse(self) -> None:
        """Raises LaeRecoverError if anything was wrong."""
        if self._wrong:
            what, where = self._wrong[0]
            several = "\n".join(f"{wrong} · {place}" for wrong, place in self._wrong)
            raise LaeRecoverError(
                what if len(self._wrong) == 1 else f"{len(self._wrong)} settings are missing or wrong",
                where=str(where) if len(self._wrong) == 1 else several,
                next_step="mend it; `laerecover settings --example` prints a whole one; nothing was started",
            )

    def note(self, what: str, where: Path | None = None) -> None:
        """Something is wrong; told by `refuse`."""
        self._wrong.append((what, where or self._path))

    def text(self, path: Path, named_by: str = "") -> str:
        """A whole file; "" if it cannot be read. `named_by` is the setting that names it, for people."""
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self._unread.add(path)
            which = f"the file that {named_by} names" if named_by else "a file"
            why = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self.note(f"{which} cannot be read: {why}", path)
            return ""

    def parsed(self, path: Path, loads: Callable[[str], Any], named_by: str = "") -> dict[str, Any]:
        """A file's table; empty if there is none."""
        text = self.text(path, named_by)
        try:
            parsed = {} if path in self._unread else loads(text)
        except ValueError as error:
            self.note(f"that file cannot be read: {type(error).__name__}", path)
        else:
            if isinstance(parsed, dict):
                return parsed
            self.note("that file holds no table", path)
        self._unread.add(path)
        return {}

    def section(self, table: Mapping[str, Any], name: str) -> dict[str, Any]:
        """One table of a table; empty if it is not there."""
        section = table.get(name, {})
        if isinstance(section, dict):
            return section
        self.note(f"[{name}] is no table")
        return {}

    def known(self, table: Mapping[str, Any], names: Collection[str], prefix: str) -> None:
        """Note every key that is not one of `names`."""
        for key in table.keys() - set(names):
            self.note(f"{prefix}{key} is no setting; known are {', '.join(sorted(names))}")

    def one_of(self, value: object, words: Sequence[object], name: str) -> None:
        """Note a value that is none of `words`."""
        if value not in words:
            self.note(f"{name} is none of {', '.join(str(word).lower() for word in words)}")

    def number(self, value: object, name: str) -> float:
        """A positive number; 1 if it is none."""
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return value
        self.note(f"{name} is no positive number")
        return 1

    def need(self, table: Mapping[str, Any], path: Path, key: str, *older: str) -> str:
        """A text under `key` or one of its older names; "" if there is none."""
        value = next((table[k] for k in (key, *older) if table.get(k)), None)
        if isinstance(value, str):
            return value
        if path not in self._unread:
            self.note(f"{key} is missing", path)
        return ""
