"""What the world may answer instead of doing as it is asked."""

from __future__ import annotations


class WorldError(Exception):
    """The world said no. `kind` is a word that reports and runbook can act upon, `code` Amazon's own.

    The text holds no secret.

    WorldError ├─ Transient asked again after a pause: the effect may have happened or not ├─ NotListening the host
    refuses connections (the HOWTO's NotListening) ├─ NotFound no such instance, perhaps not yet ├─ Refusal the
    answer is final └─ MailInDoubt the connection was lost after the message was given away
    """

    kind = "world"

    def __init__(self, message: str, *, kind: str | None = None, code: str = "") -> None:
        super().__init__(message)
        self.kind = kind or type(self).kind
        self.code = code


class Transient(WorldError):
    """Connection lost, throttled, temporarily refused."""

    kind = "transient"


class NotListening(WorldError):
    """Nobody answers at the host's ssh port yet."""

    kind = "not_listening"


class NotFound(WorldError):
    """The instance is not known."""

    kind = "not_found"


class Refusal(WorldError):
    """A final no: asking again would not help."""

    kind = "refused"


MAIL_ABOUT_US = ("mail_tls", "mail_login", "mail_sender")
"""The kinds of a mail server's Refusal that every further mail would meet, too: no TLS, no login, our sender or its
policy.
"""


class MailInDoubt(WorldError):
    """Nobody can say whether the message was taken; it must never be sent again by itself."""

    kind = "mail_in_doubt"
