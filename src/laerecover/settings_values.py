"""What a single setting may be: texts, paths, files whose content is wanted, addresses, lengths of time, prices.

Nothing is converted, and what is refused is never quoted: a line in the wrong place may hold a secret. Paths lie beside
the file that names them; its folder is the context of validation.
"""

from __future__ import annotations

import re
import unicodedata
from email.headerregistry import Address
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationInfo

from laerecover.manifest import Secret
from laerecover.ports.endpoints import NO_ENDPOINT, is_endpoint
from laerecover.ports.ingress import network_of
from laerecover.settings_reader import content, is_file
from laerecover.text import clean

_LONGEST = 4096
_YEAR = 366 * 86_400.0
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PAGE = re.compile(rf"https://{_LABEL}(?:\.{_LABEL})+(?::[1-9][0-9]{{0,4}})?(?:/[A-Za-z0-9/._~%=&?+-]{{0,500}})?")


def _one_line(value: str) -> str:
    if clean(value, limit=_LONGEST) != value:
        raise ValueError("is no plain text on one line")
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def place(value: object, folder: Path) -> Path:
    """A path, as a file in `folder` names it. Raises ValueError with what it is not."""
    text = str(value) if isinstance(value, Path) else value
    if not isinstance(text, str) or not text or any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise ValueError("is no name of a file")
    try:
        return Path(folder, Path(text).expanduser())
    except RuntimeError:
        raise ValueError("is in the home of somebody who is not known here") from None


def _place(value: object, info: ValidationInfo) -> Path:
    return place(value, (info.context or {}).get("folder", Path()))


def _key_file(value: object, info: ValidationInfo) -> Path:
    """One that is not there is noted, not refused: only what launches or mails cannot do without it."""
    path = _place(value, info)
    if not is_file(path):
        (info.context or {}).get("absent", {})[info.field_name] = path
    return path


def _content(value: object, info: ValidationInfo) -> str:
    """What stands in the file of that name, without its edges. The name is not told: it may be the secret itself."""
    path = _place(value, info)
    try:
        text = content(path).strip()
    except ValueError as error:
        raise ValueError(f"names a file that cannot be read: {error}") from error
    if not text or "\0" in text:
        raise ValueError("names a file in which no text stands")
    return text


def _secret(value: object, info: ValidationInfo) -> Secret:
    text = _content(value, info)
    if not text.isprintable():
        raise ValueError("names a file that holds no secret: one line, and nothing else")
    return Secret(text)


def _plain_text(value: object, info: ValidationInfo) -> str:
    """A customer reads it: tabs and line breaks are all that may be invisible in it."""
    text = _content(value, info).removeprefix("\ufeff").replace("\r\n", "\n").strip()
    if len(text) > _LONGEST:
        raise ValueError(f"names a file of more than {_LONGEST:,} characters")
    for number, line in enumerate(text.split("\n"), start=1):
        shown = line.replace("\t", " ")
        if clean(shown, limit=_LONGEST) != shown:
            raise ValueError(f"names a file with a control or invisible character in its line {number}")
    if not text or "pb://" in text:
        raise ValueError("names a file in which " + ("a furl stands" if text else "no text stands"))
    return text


def _page(value: object) -> object:
    """A browser's address without name, password or fragment, which no two programs read in two ways."""
    if not isinstance(value, str) or not _PAGE.fullmatch(value):
        raise ValueError("is no page that customers can open: write it as https://HOST/PAGE, in ASCII")
    return value


def _endpoint(value: object) -> object:
    if not is_endpoint(value):
        raise ValueError(NO_ENDPOINT)
    return value


def _account(value: object) -> object:
    """A cloud account's number may be written without quotes, for none begins with 0 then."""
    return str(value) if type(value) is int and value > 0 else value


def _ranges(value: object) -> object:
    places = value if isinstance(value, list | tuple) else ()
    if not places or not all(isinstance(p, str) and (p.startswith("pl-") or network_of(p)) for p in places):
        raise ValueError('is no list of ranges: write ["0.0.0.0/0"], or narrower ones')
    return tuple(places)


def _address(value: str) -> str:
    try:
        domain = Address(addr_spec=value).domain
    except (ValueError, LookupError, AttributeError):
        domain = ""
    if not domain:
        raise ValueError("is no address of a mail")
    return value


def _encrypted(value: object) -> object:
    if value not in get_args(Encryption):
        raise ValueError(f"is none of {', '.join(get_args(Encryption))} (mail without TLS is refused)")
    return value


Encryption = Literal["starttls", "tls"]
RecipeName = Literal["tahoe", "legacy-2012-s3"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST), AfterValidator(_one_line)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_one_line)]
Place = Annotated[Path, BeforeValidator(_place)]
KeyFile = Annotated[Path, BeforeValidator(_key_file)]
Content = Annotated[str, BeforeValidator(_content)]
PlainText = Annotated[str, BeforeValidator(_plain_text)]
Page = Annotated[str, BeforeValidator(_page)]
SecretFile = Annotated[Secret, BeforeValidator(_secret)]
Endpoint = Annotated[Text, BeforeValidator(_endpoint)]
MailAddress = Annotated[Text, AfterValidator(_address)]
Seconds = Annotated[float, Field(gt=0, le=_YEAR)]
Price = Annotated[float, Field(gt=0, le=1e12)]
CloudAccount = Annotated[Text, BeforeValidator(_account)]
Ranges = Annotated[tuple[Text, ...], BeforeValidator(_ranges)]
MailSecurity = Annotated[Encryption, BeforeValidator(_encrypted)]
NONE_IF_EMPTY = BeforeValidator(_none_if_empty)
