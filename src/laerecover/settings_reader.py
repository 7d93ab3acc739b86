"""The operator's files being read: everything that is wrong in them is told at once, never what stands there.

It imports no pydantic; the models come from whoever reads.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from laerecover.errors import Mistakes
from laerecover.text import clean

if TYPE_CHECKING:
    from pydantic import BaseModel

    M = TypeVar("M", bound=BaseModel)

DEFAULT_NAME = "laerecover.toml"
DRILL_IMAGE = "ami-0d2111a0"
"""What a drill launches where neither evidence nor settings name an image; nobody's."""
ABSENT = "names a file that is not there"
_MEND_SETTINGS = "mend it; `laerecover settings --example` prints a whole one"
_MEND_FILES = "put each file there, or name another"
_OF_FILES = re.compile(r"names a file|^files\.\w+ cannot be read")
_LARGEST = 1_000_000
_MOST_LINES = 500
"""Behind them no line is told, for each is found by reading all before it."""
_SAYS = {
    "missing": "is missing",
    "bool_type": "is none of true, false",
    "string_type": "is no text",
    "string_unicode": "is no text",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "int_type": "is no whole number",
    "float_type": "is no number",
    "finite_number": "is no finite number",
    "greater_than": "is no positive number",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
    "literal_error": "is none of {expected}",
    "model_type": "is no table",
    "mapping_type": "is no table",
    "dict_type": "is no table",
    "tuple_type": "is no list",
}
"""Type of pydantic's error -> what is said of the setting; what it got is in none of them."""
_Keys = tuple[int | str, ...]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_NOBODYS = re.compile(r"(?:^|[@/.])example\.org\b|…|^ami-(\w)\1+$|^123456789012$|^203\.0\.113\.|^Example Storage$")
"""What the example says in place of something of the reader's own."""


def example() -> str:
    """The commented settings file that `laerecover settings --example` prints."""
    return resources.files("laerecover").joinpath("settings.example.toml").read_text("utf-8")


class NoFileError(ValueError):
    """That file is not there."""

    def __init__(self, why: str, path: Path) -> None:
        super().__init__(why)
        self.path = path


def content(path: Path) -> str:
    """The text of a file that settings name.

    Raises ValueError with the reason why it cannot be read, NoFileError if it is not there.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("no ordinary file")
        with path.open("rb") as file:
            told = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise NoFileError(str(error.strerror), path) from None
    except OSError as error:
        raise ValueError(error.strerror) from None
    if len(told) > _LARGEST:
        raise ValueError(f"larger than {_LARGEST:,} bytes")
    try:
        return told.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None


def is_file(path: Path) -> bool:
    """Whether it is a file; no file bears a name that the system does not take."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


class OperatorFile:
    """A file being read, of TOML unless it is JSON.

    `named`: what it is called where it cannot be read. `table`: what stands in it, empty then; `mistakes`: what is
    missing or wrong, and where; `wrong`: whether anything is wrong, rather than not there; `absent`: as `mistakes`, of
    key files that are not there, which is no mistake to whoever can do without them; `lacking`: the keys that lead to
    each setting with which something is the matter.
    """

    def __init__(self, path: Path, *, is_json: bool = False, named: str = "a file") -> None:
        self.path, self._is_json, self._text = path, is_json, ""
        self.lacking: list[_Keys] = []
        self.table: dict[str, Any] = {}
        self.mistakes: list[tuple[str, str]] = []
        self.wrong = False
        self.absent: list[tuple[str, str]] = []
        try:
            self._text = content(path)
        except ValueError as error:
            self.wrong = not isinstance(error, NoFileError)
            unseen = "" if self.wrong else ", so that what it names was not looked at"
            self.mistakes.append((f"{named} cannot be read: {error}{unseen}", str(path)))
        else:
            self._parse()

    def _parse(self) -> None:
        try:
            parsed = json.loads(self._text) if self._is_json else tomllib.loads(self._text)
        except (ValueError, RecursionError) as error:
            # Its words may quote the file, so only the place is taken from them.
            found = re.search(r"line (\d+),? column (\d+)", str(error))
            line = f", line {found[1]}, column {found[2]}" if found else ""
            why = f"it is no {'JSON' if self._is_json else 'TOML'}" + (" from there on" if found else "")
            why = "nested too deeply" if isinstance(error, RecursionError) else why
            what = f"that file cannot be read: {why}"
            self.wrong = True
            self.mistakes.append((what, f"{self.path}{line}"))
            return
        if isinstance(parsed, dict):
            self.table = parsed
        else:
            self.wrong = True
            self.mistakes.append(("that file holds no table", str(self.path)))

    def read(self, model: type[M]) -> M | None:
        """What it tells; None if anything is wrong, which is among the mistakes then."""
        from pydantic import ValidationError

        if self.mistakes:
            return None
        absent: dict[str, Path] = {}
        try:
            return model.model_validate(self.table, context={"folder": self.path.parent, "absent": absent})
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        finally:
            self.absent = [(f"{name} {ABSENT}", str(path)) for name, path in absent.items()]
        lines = {} if self._is_json else self._lines()
        told = []
        self.wrong = not all(_is_missing(detail) for detail in details)
        self.lacking = [detail["loc"] for detail in details]
        for detail in details:
            keys = tuple(key for key in detail["loc"] if key != "[key]")
            above = (lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in lines)
            line = self._first_line(keys) if self._is_json else next(above, 0)
            said = f"{self._named(keys, detail['type'])} {_said(detail, keys, model)}"
            told.append((line, said + self._looked_for(detail, keys)))
        self.mistakes += [(what, f"{self.path}, line {n}" if n else str(self.path)) for n, what in sorted(told)]
        return None

    def _named(self, keys: _Keys, kind: str) -> str:
        """A setting for people. Where it is unknown, its name may be anything, a secret in the wrong place even."""
        shown = list(map(str, keys))
        if kind == "extra_forbidden":
            shown[-1] = shown[-1] if _NAME.fullmatch(shown[-1]) else "a name of other characters"
        elif len(shown) == 1 and not self._is_json:
            return f"[{shown[0]}]"
        return clean(".".join(shown))

    def _looked_for(self, detail: Mapping[str, Any], keys: _Keys) -> str:
        """The place of a file that nobody named, which is not there: a name that was given may be a secret."""
        cause = _cause(detail)
        is_given = keys in _all_keys(self.table)
        return f": {clean(cause.path)}" if isinstance(cause, NoFileError) and not is_given else ""

    def _first_line(self, keys: _Keys) -> int:
        """Where the first of these keys stands in a JSON file; 0 if it does not."""
        pattern = re.compile(rf"{re.escape(json.dumps(keys[0] if keys else ''))}\s*:")
        return next((n for n, line in enumerate(self._text.splitlines(), start=1) if pattern.search(line)), 0)

    def line_of(self, *keys: int | str) -> int:
        """The line of TOML on which that setting begins; 0 if it is not known."""
        return self._lines().get(keys, 0)

    def not_filled_in(self) -> list[tuple[str, str]]:
        """As `mistakes`, of what the example says in place of the reader's own, and what was left as it is there."""
        shown = example()
        left = (keys for keys, text in _texts(self.table) if _NOBODYS.search(text) and f'"{text}"' in shown)
        found = dict.fromkeys(left)
        return [(f"{clean('.'.join(map(str, keys)))} is still the example's", self.place_of(*keys)) for keys in found]

    def place_of(self, *keys: int | str) -> str:
        """File and line of a setting of TOML, for people."""
        line = self.line_of(*keys)
        return f"{self.path}, line {line}" if line else str(self.path)

    def _lines(self) -> dict[_Keys, int]:
        """Key -> the line on which it begins: the file, cut behind it, tells it, and cut before it does not."""
        lines, found, begin = self._text.split("\n"), dict[_Keys, int](), 0
        for end in range(1, min(len(lines), _MOST_LINES) + 1):
            try:
                table = tomllib.loads("\n".join(lines[:end]))
            except ValueError:
                continue  # It ends within a value of several lines.
            told = (n for n in range(begin, end) if lines[n].strip() and not lines[n].lstrip().startswith("#"))
            first = next(told, end - 1)
            for keys in _all_keys(table):
                found.setdefault(keys, first + 1)
            begin = end
        return found


def refusal(mistakes: Sequence[tuple[str, str]]) -> Mistakes:
    """One error that tells all mistakes in the settings: what is wrong, and where."""
    of_files = [bool(_OF_FILES.search(what)) for what, _ in mistakes]
    steps = [_MEND_SETTINGS] * (not all(of_files)) + [_MEND_FILES] * any(of_files)
    return Mistakes(mistakes, of="settings", next_step=f"{'; '.join(steps)}; nothing was started")


def _all_keys(table: object, above: _Keys = ()) -> Iterator[_Keys]:
    """Of a table and of all in it, each with those above it."""
    if isinstance(table, dict | list):
        for key, value in table.items() if isinstance(table, dict) else enumerate(table):
            yield (*above, key)
            yield from _all_keys(value, (*above, key))


def _texts(table: object, above: _Keys = ()) -> Iterator[tuple[_Keys, str]]:
    """Each text that names no file, with the keys that lead to it; what a key is called is one, too."""
    if isinstance(table, str) and above[0] != "files" and not str(above[-1]).endswith(("_file", "_signers")):
        yield above, table
    elif isinstance(table, dict | list):
        for key, value in table.items() if isinstance(table, dict) else enumerate(table):
            yield (*above, key), str(key)
            yield from _texts(value, (*above, key))


def _is_missing(detail: Mapping[str, Any]) -> bool:
    return detail["type"] == "missing" or isinstance(_cause(detail), NoFileError)


def _cause(detail: Mapping[str, Any]) -> object:
    return getattr(detail.get("ctx", {}).get("error"), "__cause__", None)


def _said(detail: Mapping[str, Any], keys: _Keys, model: type[BaseModel]) -> str:
    """What is wrong with a setting, and what is expected."""
    if detail["type"] == "extra_forbidden":
        known = _known(model, keys[:-1])
        near = get_close_matches(str(keys[-1]), known, 1)
        return f"is no setting; {f'did you mean {near[0]}? ' if near else ''}known are {', '.join(known)}"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return _SAYS.get(str(detail["type"]), "is not what it must be").format(**detail.get("ctx", {}))


def _known(model: type[BaseModel], keys: _Keys) -> list[str]:
    """The settings of the section to which these keys lead."""
    for key in keys:
        if isinstance(key, str):
            told = model.model_fields[key].annotation
            model = next(each for each in (*get_args(told), told) if hasattr(each, "model_fields"))
    return sorted(str(field.validation_alias or name) for name, field in model.model_fields.items())
