"""`resolve`: say what became of a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from laerecover.cli._options import PLACES, takes

if TYPE_CHECKING:
    from laerecover.options import Options


@takes(*PLACES)
def resolve(
    options: Options,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT")],
    matter: Annotated[str, typer.Argument(metavar="mail", help="What it is about: mail.")],
    sent: Annotated[bool, typer.Option("--sent", help="It arrived, or the customer was told another way.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It did not: hold it, to be sent again.")] = False,
) -> None:
    """Say what became of a mail that is in doubt, or was refused."""
    from laerecover.afterwards.resolve import resolve_mail

    if matter != "mail" or sent == resend:
        raise typer.BadParameter("say `mail`, with either --sent or --resend")
    resolve_mail(options, account, sent=sent)
    again = f"next: laerecover notify {options.places.quoted}{options.repeat('notify', state=True)}"
    print("The mail is settled: nobody sends it again." if sent else f"The mail is held again; {again}")
