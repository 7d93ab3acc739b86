"""`resolve`: say what became of a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from laerecover.cli._options import PLACES, takes

if TYPE_CHECKING:
    from laerecover.options import Options


@takes(*PLACES, "because")
def resolve(
    options: Options,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT")],
    matter: Annotated[str, typer.Argument(metavar="mail", help="What it is about: mail.")],
    sent: Annotated[bool, typer.Option("--sent", help="It arrived, or the customer was told another way.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It did not: hold it, to be sent again.")] = False,
    bounced: Annotated[bool, typer.Option("--bounced", help="It was taken, and came back.")] = False,
    by_hand: Annotated[bool, typer.Option("--told-by-hand", help="The customer was told: no mail goes out.")] = False,
) -> None:
    """Say what became of a mail: one in doubt or refused, one that came back, one that is needed no more."""
    from laerecover.afterwards.resolve import resolve_mail, settle_mail

    if matter != "mail" or sent + resend + bounced + by_hand != 1:
        raise typer.BadParameter("say `mail`, with one of --sent, --resend, --bounced, --told-by-hand")
    if bounced or by_hand:
        settle_mail(options, account, bounced=bounced)
        print(
            f"The mail is refused; next: {options.again('report')}"
            if bounced
            else "The mail is settled: nobody sends it."
        )
        return
    resolve_mail(options, account, sent=sent)
    again = f"next: {options.again('notify')}"
    print("The mail is settled: nobody sends it again." if sent else f"The mail is held again; {again}")
