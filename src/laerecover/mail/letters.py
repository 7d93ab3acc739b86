"""The mails' texts, one for each grade."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from laerecover.hosts.identity import weak_key
from laerecover.mail.addresses import address_of, is_international, unfit_address
from laerecover.mail.letterhead import closing, opening
from laerecover.mail.outbox import CONFIRMATION, FAILURE, STAFF_NOTE, Mail
from laerecover.manifest import Account, Secret
from laerecover.ports.refusals import Refusal
from laerecover.text import clean

if TYPE_CHECKING:
    from laerecover.settings import Settings

PRICES = {
    "IDENTITY_KEPT": "nothing changes but the address",
    "NEW_FURL": "a new introducer furl is needed; everything stored can be read and changed as before",
    "NEW_STORAGE_IDENTITY": "files can be read; directories and other mutable files that exist can no longer be "
    "changed",
}

_NEW_SERVICE = "a new service: no server of it was ever ready, so there is nothing of before"

LEFT = "recovered, but something is left to do: "
"""How the detail of a notice begins where the account did not fail."""

_TAKE = "into the\n[client] section of your tahoe.cfg, in place of the old one"
_ASK = {
    "UNCHANGED": "Your server has kept its identity and its address. Nothing changes for you, and there is nothing to "
    "do:\na client that was running finds the server again by itself, at the latest when you restart it.\n",
    "IDENTITY_KEPT": "Your server has kept its identity. Its address is new: please put the introducer.furl below "
    f"{_TAKE}. Only its address differs. Then restart your client.\n",
    "NEW_FURL": f"Your introducer could not keep its identity. Please put the new introducer.furl below {_TAKE},\n"
    "then restart your client. Your files and directories work as before.\n",
    "NEW_STORAGE_IDENTITY": f"Your storage server could not keep its identity. Please put the introducer.furl below "
    f"{_TAKE},\n"
    "then restart your client.\n"
    "All your files can be read. Directories and other mutable files that exist already are read-only from now on:\n"
    "please make a new directory and link what you need into it.\n",
}
_WEAK = (
    "The server keeps its old key, which today's OpenSSL refuses at its default level. If your client does not\n"
    "connect, write these lines into a file, for example tahoe-openssl.cnf,\n\n"
    "    openssl_conf = start\n    [start]\n    ssl_conf = ssl\n    [ssl]\n    system_default = lowered\n    "
    "[lowered]\n    CipherString = DEFAULT@SECLEVEL=0\n\n"
    "and start the client with the environment variable OPENSSL_CONF set to that file's path. Do so for Tahoe-LAFS "
    "alone.\n"
)


_JOINED = """
From May 2014 on the servers cut large files into pieces, which today's Tahoe-LAFS cannot read. So {joined} joined
and {copied} copied, {size:,.1f} MB in all, into the folder recovered/ of the bucket {bucket}
({at}). Your server uses that folder alone.
"""
_OLD_STAND = """The old objects were not changed, and we never delete them; they take up as much storage again.
{lost}Once you are sure that you miss nothing, {how}:

    {command}
"""
_LOST = "Of the shares that could not be joined nothing else is left, and the command removes them, too.\n"
_REMOVES = {
    True: "this hides them. Versioning is on in the bucket: they take up storage until their older versions are\n"
    "removed, too",
    False: "this removes them for ever",
    None: "this removes them for ever, unless the bucket keeps older versions",
}
"""Whether versioning is on, None if nobody knows -> what the command does."""


def grade_means(account: Account) -> str:
    """What its customer notices of its grade; of a signup that is finished, that nothing was there before."""
    return _NEW_SERVICE if account.finishes_signup else PRICES.get(account.grade or "", "")


def audience(account: Account) -> tuple[str, str]:
    """Kind of mail and reason: the furl goes to nobody but a customer whose address is sure and who gave no PGP key.

    Whoever never had a server is told by the staff: the letters speak of one that was lost.
    """
    if account.customer_email is None:
        return STAFF_NOTE, "no e-mail address is known"
    if wrong := unfit_customer(account):
        return STAFF_NOTE, wrong
    if not account.customer_email_confirmed:
        return STAFF_NOTE, "the e-mail address is doubtful: only the web form carries it"
    if account.customer_keyinfo_lost:
        return (
            STAFF_NOTE,
            "the customer gave PGP key information, which is lost: ask for it, and send the furl encrypted",
        )
    if account.customer_keyinfo is not None:
        return STAFF_NOTE, "the customer gave PGP key information: send the furl encrypted"
    if account.finishes_signup:
        return (
            STAFF_NOTE,
            "its signup is finished, not recovered, by the customer's word: write to the customer yourself",
        )
    return CONFIRMATION, ""


def unfit_customer(account: Account) -> str:
    """Why no mail can be addressed to the customer, as far as name and address tell; "" if one can."""
    if len(f"{account.customer_name or ''}.".splitlines()) != 1:
        return "the customer's name holds a line break, which would forge a line of the mail's head"
    wrong = unfit_address(account.customer_email) if account.customer_email else ""
    return f"no envelope can bear the e-mail address: {wrong}" if wrong else ""


def render(
    mail: Mail,
    account: Account,
    settings: Settings,
    *,
    furl: Secret | None,
    public_host: str | None,
    found: Secret | None = None,
) -> EmailMessage:
    """The whole message, the same bytes every time.

    `found`: what bounce_server told of the bucket, and of what was joined there, as JSON.
    Raises Refusal (`mail_unfit`): a name or address that breaks a header.
    """
    try:
        named = settings.mail.organisation if mail.kind == CONFIRMATION else None
        sender = address_of(settings.mail.sender, named or "")
        reader = _customer(account) if mail.kind == CONFIRMATION else address_of(settings.mail.staff)
        international = is_international(sender.addr_spec) or is_international(reader.addr_spec)
        message = EmailMessage(policy=policy.SMTPUTF8 if international else policy.SMTP)
        message["From"], message["To"] = sender, reader
        message["Subject"] = _subject(mail, account)
        message["Date"] = format_datetime(mail.prepared_at)
        message["Message-ID"] = mail.message_id
        message["Auto-Submitted"] = "auto-generated"
        text = _text(mail, account, settings, furl, public_host) + _of_data(mail, account, settings, found)
        message.set_content(text + (closing(settings.mail) if mail.kind == CONFIRMATION else ""))
        message.as_bytes()
    except (ValueError, LookupError, MessageError) as error:
        raise Refusal(f"the mail cannot be written: {clean(error)}", kind="mail_unfit") from None
    return message


def _of_data(mail: Mail, account: Account, settings: Settings, found: Secret | None) -> str:
    """The data as they were found.

    What was joined, what could not be, that the old objects stand, what removes them.
    """
    if found is None or mail.kind == FAILURE:
        return ""
    told = json.loads(found.reveal())
    bucket, joined = told["bucket"], told.get("joined")
    newest = f", the newest of {clean(bucket['newest'])}" if bucket["newest"] else ""
    there = ""
    if bucket.get("complete") and "there" in bucket:
        size = bucket["there_bytes"] / 1e6
        there = f"{_several(bucket['there'], 'share')}, {size:,.1f} MB, in the folder recovered/; beside it "
    text = (
        f"\nYour data as we found it: {there}{_several(bucket['objects'], 'object')}, {bucket['bytes'] / 1e6:,.1f} MB"
        f"{newest}.\nSHA-256 over their names, sizes and ETags: {clean(bucket['digest'])}\n"
    )
    return text if joined is None else text + _of_joining(account, settings, bucket, joined)


def _of_joining(account: Account, settings: Settings, bucket: Mapping[str, Any], joined: Mapping[str, Any]) -> str:
    text = _JOINED.format(
        joined=_several(joined["joined"], "share", (" was", " were")),
        copied=f"{joined['copied']:,}",
        size=joined["bytes"] / 1e6,
        at=clean(joined["at"]),
        bucket=clean(account.bucket_name),
    )
    if any(bucket.get(kind) for kind in ("whole", "cut", "incomplete", "empty")):
        at = settings.s3_endpoint_of(account)
        endpoint = f" --endpoint-url {shlex.quote(clean(at))}" if at else ""
        place = shlex.quote(f"s3://{clean(account.bucket_name)}/shares/")
        text += _OLD_STAND.format(
            lost=_LOST if joined["left_out"] else "",
            how=_REMOVES[joined.get("versioned")],
            command=f"aws s3 rm --recursive {place}{endpoint}",
        )
    else:
        text += "The old objects are not there any more.\n"
    return text + _left_out(joined)


def _several(count: int, what: str, verbs: tuple[str, str] = ("", "")) -> str:
    return f"{count:,} {what}{verbs[0]}" if count == 1 else f"{count:,} {what}s{verbs[1]}"


def _left_out(joined: Mapping[str, Any]) -> str:
    if not joined["left_out"]:
        return ""
    shares = "".join(f"    {clean(name)}: {clean(why)}\n" for name, why in joined["left_out_shares"].items())
    more = joined["left_out"] - len(joined["left_out_shares"])
    return (
        f"\n{_several(joined['left_out'], 'share')} could not be joined: in most cases pieces are missing, as after an "
        "upload that broke off in 2014.\nTheir files can be uploaded again. By storage index and number:\n\n"
        f"{shares}" + (f"    and {more:,} more, which recovered/COMPLETE in the bucket names\n" if more else "")
    )


def _customer(account: Account) -> Address:
    if wrong := unfit_customer(account):
        raise ValueError(wrong)
    return address_of(account.customer_email or "", clean(account.customer_name or ""))


def _subject(mail: Mail, account: Account) -> str:
    if mail.kind == FAILURE and mail.detail.startswith(LEFT):
        return f"Recovered, but something is left to do: {clean(account.account_id)}"
    if mail.kind == FAILURE:
        return f"Recovery failed: {clean(account.account_id)}"
    if mail.kind == STAFF_NOTE:
        return f"Recovered, please tell the customer: {clean(account.account_id)}"
    return "Your storage server has been recovered"


def _text(mail: Mail, account: Account, settings: Settings, furl: Secret | None, public_host: str | None) -> str:
    name, address = account.customer_name or "(name unknown)", account.customer_email or "(unknown)"
    customer = f"Customer:   {clean(name)}\nE-mail:     {clean(address)}\n"
    place = f"Account:    {clean(account.account_id)}\nSignup log: {clean(account.log_file or '(lost)')}\n"
    if mail.kind == FAILURE and mail.detail.startswith(LEFT):
        left = clean(mail.detail.removeprefix(LEFT))
        return f"An account is recovered, but something is left to do.\n\n{customer}{place}\nLeft: {left}\n"
    if mail.kind == FAILURE:
        return f"A recovery failed.\n\n{customer}{place}\nReason: {clean(mail.detail)}\n\nThe other accounts go on.\n"
    asked = account.grade or "NEW_FURL"
    weak = f"\n{_WEAK}" if weak_key(account) else ""
    done = "A signup is finished" if account.finishes_signup else "An account is recovered"
    if mail.kind == STAFF_NOTE:
        return (
            f"{done}, but the customer was not told: {clean(mail.detail)}.\n\n{customer}{place}"
            f"New address: {clean(public_host)}\nGrade: {asked} ({grade_means(replace(account, grade=asked))})\n\n"
            "The introducer.furl is not in this mail. Read it on the server, in introducer/private/introducer.furl.\n"
            + weak.replace("your client", "the customer's client")
        )
    if furl is None or public_host is None:
        raise ValueError("the furl of the recovered server is not known")
    greeting = f"Dear {clean(account.customer_name)}," if account.customer_name else "Hello,"
    begun = f"{greeting}\n\n{opening(settings.mail)} storage server was lost and has been recovered. It is "
    if asked == "IDENTITY_KEPT" and public_host == account.old_public_host:
        return f"{begun}at {public_host}, as before.\n\n{_ASK['UNCHANGED']}{weak}"
    return (
        f"{begun}now at {public_host}.\n\n{_ASK[asked]}\n    introducer.furl = {furl.reveal()}\n\n"
        f"Keep that line to yourself: whoever has it can use your server.\n{weak}"
    )
