"""The mails' texts, one for each grade."""

from __future__ import annotations

from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from laerecover.hosts.identity import weak_key
from laerecover.mail.outbox import CONFIRMATION, FAILURE, STAFF_NOTE, Mail
from laerecover.manifest import Account, Secret
from laerecover.ports.refusals import Refusal
from laerecover.settings import Settings
from laerecover.text import clean

PRICES = {
    "IDENTITY_KEPT": "nothing changes but the address",
    "NEW_FURL": "a new introducer furl is needed; everything stored can be read and changed as before",
    "NEW_STORAGE_IDENTITY": "files can be read; directories and other mutable files that exist can no longer be changed",
}

LEFT = "recovered, but something is left to do: "
"""How the detail of a notice begins where the account did not fail."""

_TAKE = "into the\n[client] section of your tahoe.cfg, in place of the old one"
_ASK = {
    "UNCHANGED": "Your server has kept its identity and its address. Nothing changes for you, and there is nothing to do:\n"
    "a client that was running finds the server again by itself, at the latest when you restart it.\n",
    "IDENTITY_KEPT": "Your server has kept its identity. Its address is new: please put the introducer.furl below "
    f"{_TAKE}. Only its address differs. Then restart your client.\n",
    "NEW_FURL": f"Your introducer could not keep its identity. Please put the new introducer.furl below {_TAKE},\n"
    "then restart your client. Your files and directories work as before.\n",
    "NEW_STORAGE_IDENTITY": f"Your storage server could not keep its identity. Please put the introducer.furl below {_TAKE},\n"
    "then restart your client.\n"
    "All your files can be read. Directories and other mutable files that exist already are read-only from now on:\n"
    "please make a new directory and link what you need into it.\n",
}
_WEAK = (
    "The server keeps its old key, which today's OpenSSL refuses at its default level. If your client does not\n"
    "connect, write these lines into a file, for example tahoe-openssl.cnf,\n\n"
    "    openssl_conf = start\n    [start]\n    ssl_conf = ssl\n    [ssl]\n    system_default = lowered\n    [lowered]\n"
    "    CipherString = DEFAULT@SECLEVEL=0\n\n"
    "and start the client with the environment variable OPENSSL_CONF set to that file's path. Do so for Tahoe-LAFS alone.\n"
)


def audience(account: Account) -> tuple[str, str]:
    """Kind of mail and reason: the furl goes to nobody but a customer whose address is sure and who gave no PGP key."""
    if account.customer_email is None:
        return STAFF_NOTE, "no e-mail address is known"
    if not account.customer_email_confirmed:
        return STAFF_NOTE, "the e-mail address is doubtful: only the web form carries it"
    if account.customer_keyinfo_lost:
        return (
            STAFF_NOTE,
            "the customer gave PGP key information, which is lost: ask for it, and send the furl encrypted",
        )
    if account.customer_keyinfo is not None:
        return STAFF_NOTE, "the customer gave PGP key information: send the furl encrypted"
    return CONFIRMATION, ""


def render(
    mail: Mail, account: Account, settings: Settings, *, furl: Secret | None, public_host: str | None
) -> EmailMessage:
    """The whole message, the same bytes every time. Raises Refusal (`mail_unfit`): a name or address that breaks a header."""
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["From"] = Address(addr_spec=settings.sender)
        message["To"] = _customer(account) if mail.kind == CONFIRMATION else Address(addr_spec=settings.staff)
        message["Subject"] = _subject(mail, account)
        message["Date"] = format_datetime(mail.prepared_at)
        message["Message-ID"] = mail.message_id
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_text(mail, account, furl, public_host))
        message.as_bytes()
    except (ValueError, LookupError, MessageError) as error:
        raise Refusal(f"the mail cannot be written: {clean(error)}", kind="mail_unfit") from None
    return message


def _customer(account: Account) -> Address:
    name, email = account.customer_name or "", account.customer_email or ""
    if len(f"{name}.".splitlines()) != 1:
        raise ValueError("customer_name holds a line break")
    if clean(email) != email or any(c.isspace() for c in email):
        raise ValueError("customer_email holds a line break, a space or a control character")
    return Address(display_name=clean(name), addr_spec=email)


def _subject(mail: Mail, account: Account) -> str:
    if mail.kind == FAILURE and mail.detail.startswith(LEFT):
        return f"Recovered, but something is left to do: {clean(account.account_id)}"
    if mail.kind == FAILURE:
        return f"Recovery failed: {clean(account.account_id)}"
    if mail.kind == STAFF_NOTE:
        return f"Recovered, please tell the customer: {clean(account.account_id)}"
    return "Your storage server has been recovered"


def _text(mail: Mail, account: Account, furl: Secret | None, public_host: str | None) -> str:
    customer = f"Customer:   {clean(account.customer_name or '(name unknown)')}\nE-mail:     {clean(account.customer_email or '(unknown)')}\n"
    place = f"Account:    {clean(account.account_id)}\nSignup log: {clean(account.log_file or '(lost)')}\n"
    if mail.kind == FAILURE and mail.detail.startswith(LEFT):
        left = clean(mail.detail.removeprefix(LEFT))
        return f"An account is recovered, but something is left to do.\n\n{customer}{place}\nLeft: {left}\n"
    if mail.kind == FAILURE:
        return f"A recovery failed.\n\n{customer}{place}\nReason: {clean(mail.detail)}\n\nThe other accounts go on.\n"
    asked = account.grade or "NEW_FURL"
    weak = f"\n{_WEAK}" if weak_key(account) else ""
    if mail.kind == STAFF_NOTE:
        return (
            f"An account is recovered, but the customer was not told: {clean(mail.detail)}.\n\n{customer}{place}"
            f"New address: {clean(public_host)}\nGrade: {asked} ({PRICES[asked]})\n\n"
            "The introducer.furl is not in this mail. Read it on the server, in introducer/private/introducer.furl.\n"
            + weak.replace("your client", "the customer's client")
        )
    if furl is None or public_host is None:
        raise ValueError("the furl of the recovered server is not known")
    greeting = f"Dear {clean(account.customer_name)}," if account.customer_name else "Hello,"
    begun = f"{greeting}\n\nyour storage server was lost and has been recovered. It is "
    if asked == "IDENTITY_KEPT" and public_host == account.old_public_host:
        return f"{begun}at {public_host}, as before.\n\n{_ASK['UNCHANGED']}{weak}"
    return (
        f"{begun}now at {public_host}.\n\n{_ASK[asked]}\n    introducer.furl = {furl.reveal()}\n\n"
        f"Keep that line to yourself: whoever has it can use your server.\n{weak}"
    )
