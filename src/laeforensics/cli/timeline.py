"""`timeline`: what happened to one account."""

from __future__ import annotations

import json

from laeforensics.cli import _shell
from laeforensics.cli._lines import tell
from laeforensics.cli._options import CaseOptions, Key, of_a_case


@of_a_case("case_folder", "inventory", "product_tokens", "closed", "jobs", "as_json")
def timeline(options: CaseOptions, key: Key) -> None:
    """What happened to one account, in the order of time: its runs, its rows in the csv files, its servers, its
    customer's other attempts."""
    from laeforensics.audit.lookup import account_of
    from laeforensics.facts.masking import plain
    from laeforensics.present import words
    from laeforensics.present.timeline import customers_timeline as told_of

    judgement = _shell.open_case(options).judgement
    account = account_of(judgement.accounts, key, where=str(judgement.root))
    rows = told_of(judgement, account)
    if options.as_json:
        print(json.dumps({"account_id": account.account_id, "timeline": rows}, indent=1))
        return
    print(f"{plain(account.account_id)}  {words.short_name(account)}")
    print("times are UTC")
    for row in rows:
        time = (row["time"] or "")[:19].replace("T", " ")
        detail = words.clipped(row["detail"]) if row["what"] == "request sent" else row["detail"]  # an address
        tell(f"{time:<19}  {row['what']:<19}  {detail}  {row['place']}".rstrip())
