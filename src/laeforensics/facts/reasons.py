"""The table of reasons for which a fact is doubted, or believed further than its channel would have it."""

from __future__ import annotations

from dataclasses import dataclass

DENIES = "denies"  # the fact is no voice at all
UNSURE = "unsure"  # it may be right, but asserts nothing by itself
ASSURES = "assures"  # a warrant: it is sure all the same
LESSENS = "lessens"  # it is a voice of a lower standing than its channel's
RAISES = "raises"  # a warrant: a voice of a better standing than its channel's


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One row: what it does to a fact, what that means, what a human can do about it.

    `channel` is the word for it in the column `channel` of `case.facts`; `standing` what it lessens or raises to.
    """

    weight: str
    channel: str
    means: str
    remedy: str
    standing: int | None = None


_COPY = "look for another copy of this file"
_AS_DAMAGE = "in a character or two, or in an end that may be another value's"
_ORDER = "compare with another copy of this log"


def _denies(channel: str, means: str, remedy: str = _COPY) -> Reason:
    return Reason(weight=DENIES, channel=channel, means=means, remedy=remedy)


def _unsure(means: str, remedy: str = _COPY) -> Reason:
    return Reason(weight=UNSURE, channel="unsure", means=means, remedy=remedy)


def _raises(channel: str, standing: int, means: str) -> Reason:
    return Reason(weight=RAISES, channel=channel, means=means, remedy="none needed", standing=standing)


REASONS: dict[str, Reason] = {
    # -- within one print -------------------------------------------------------------------------------------
    "redacted": _denies(
        "redacted",
        "it was blacked out, or stands in a manual as an example: no value",
        "look for a copy of this file that nobody has blacked out",
    ),
    "unannounced": _denies("stray", "it stands without the announcement that introduces its print", _ORDER),
    "cut": _denies("stray", "its print does not go on as it must: a hole may have joined two lines"),
    "armour-cut": _denies("damaged", "the armour of a key begins in it, and does not end: its end is cut off"),
    "quoted-twice": _unsure("it is quoted as the site quotes: nobody types so, and a program may have done it again"),
    "in-error": _denies("error", "it stands inside or behind an error message", "none needed: it was not believed"),
    "went-on": _denies(
        "error", "the run went on behind it: it is another log's, or the program did not heed it", "none needed"
    ),
    "before-deployment": _denies("foreign", "it was relayed before the run deployed a server", _ORDER),
    "folded": _denies("broken", "it has letters of one case alone, as all that stands beside it"),
    "host-damaged": _denies("stray", "it names the server of its run with a stretch lost"),
    "broken-key": _denies("broken", "its private key does not fit its certificate"),
    "not-its-id": _denies("stray", "it is not what the certificate beside it hashes to"),
    "not-its-certificate": _denies("broken", "its certificate does not hash to the node id beside it"),
    "impossible-launch": _denies(
        "damaged", "by its file's name its run launched no server then, and with one other digit it could have"
    ),
    "host-differs": _denies("stray", "host and furl beside each other name different servers"),
    "tied": _unsure("something that was written together with it cannot be right: it may be another's, too"),
    "two-buckets": _unsure("its file tells another bucket, too: a piece of another file lies in it"),
    "furl-differs": _unsure("key and furl of one signup beside each other name different nodes"),
    # -- within one file --------------------------------------------------------------------------------------
    "nothing-ties": _denies(
        "foreign",
        "before it lines are missing or not understood, or another host speaks, and nothing ties it to the signup",
        _ORDER,
    ),
    "another-run": _denies("foreign", "it is of another run in the same file", _ORDER),
    "in-turns": _denies("foreign", "the lines of several runs stand in turns in its file, and none says whose it is"),
    "earlier-run": _denies("foreign", "a later run in the same file tells how far it came", "none needed"),
    "inserted": _denies("foreign", "it tells another bucket between two prints of the file's own", _ORDER),
    "behind-a-seam": _denies("foreign", "a value that a run repeats has changed: two runs are glued together", _ORDER),
    "other-day": _denies("foreign", "its instance was launched on another day than the file's name tells", _ORDER),
    "lone-address": _denies("stray", "one line alone tells this address, and fabric's marks name another", _ORDER),
    "older-state": _denies("foreign", "the file that lies in its place says something else, and counts", "none needed"),
    # -- across files -----------------------------------------------------------------------------------------
    "misprint": _denies("damaged", "a character or two are overwritten: other witnesses tell it whole"),
    "code-replaced": _denies(
        "damaged", "its product's code stands in the place of the one that was sold, here as in other accounts"
    ),
    "code-of-others": _unsure("secrets files show that this code was put in the place of others in other accounts"),
    "other-name": _unsure("the bucket is told under another name, too, and nothing tells which is right", _ORDER),
    "impossible-name": _denies("damaged", "no bucket is named like that"),
    "at-a-limit": _denies("damaged", "it is as long as a database keeps a text at most: its end is cut off"),
    "impossible-key": _denies("damaged", "no node could start with it, and another witness tells one that could"),
    "nothing-ties-head": _denies(
        "foreign",
        "the bucket bears another seed than the file's name, and nothing ties head and rest",
        "find out who renamed the file, or look for another copy of it",
    ),
    "of-another-server": _denies(
        "foreign", "its file is a copy of another run's, and this run's log tells its own server"
    ),
    "local-time": _denies(
        "foreign", "it is told by the clock of another place: the other witness fits the file's name"
    ),
    "other-moment": _denies(
        "foreign", "its activation key was sent in at another time than its file's name tells", _ORDER
    ),
    "other-server": _denies("foreign", "the secrets file tells another server than this log goes on with", _ORDER),
    "in-damaged-file": _denies(
        "damaged", "its file is damaged, and the log of its run, which is whole, tells another server"
    ),
    "another-runs-server": _unsure("by serverinfo.csv the run of its name launched another server than it tells"),
    "before-its-bucket": _unsure(
        "its file's name bears an earlier time than the file of the signup whose bucket it names"
    ),
    "other-keys-too": _unsure("the secrets file tells other keys than its log, and another server", _ORDER),
    "of-another-account": _denies("foreign", "another account tells it, too: one holds a piece of the other", _ORDER),
    "among-anothers": _denies(
        "foreign", "in its file stands what is another account's, and nothing tells how much of it is", _ORDER
    ),
    "nameless": _unsure(
        "neither name nor place tells whose its file is, and no log, stamp or row of serverinfo.csv confirms it",
        "if you know its run, give the file the name of that run (TIMESTAMP-SEED) and audit again",
    ),
    "of-many-accounts": _denies("redacted", "the servers of too many accounts have it, or one that ends in 0", _ORDER),
    "at-such-an-address": _denies("redacted", "its address is one that the servers of too many accounts have", _ORDER),
    "in-two-accounts": _unsure("another account tells it, too, and nothing tells whose it is", _ORDER),
    "against-shared": _unsure(
        "another account tells what contradicts it, too, and nothing tells which is foreign", _ORDER
    ),
    "of-two-pieces": _denies("damaged", "one end of it is another account's value's, the other its own account's"),
    "unknown-server": _unsure("a file that is not believed tells of a later server of the account", _ORDER),
    "half-told-server": _unsure(
        "its run's log tells of a later server of the account, and not all of that is believed", _ORDER
    ),
    "perhaps-finished": _unsure("another server of the account may be the one that was finished last", _ORDER),
    "of-several-servers": _denies("damaged", "its file tells this instance id of several servers"),
    "another-at-its-address": _unsure("a log of the account tells another server at the address of its row", _ORDER),
    "launched-later": _denies("damaged", "its row was written before this launch"),
    "other-launch": _unsure("the log tells of another launch of this server", _ORDER),
    "other-address": _unsure("log and row of serverinfo.csv tell two addresses of one server"),
    "unknown-key": _denies("stray", "no csv row knows this activation key, whose length is unusual", _ORDER),
    "rows-of-others": _denies("stray", "every csv row that knows it tells of another customer", _ORDER),
    "cells-moved": _denies("moved", "its row has an address in the cell of something else: the cells have moved"),
    "contradicts-wholesale": _denies("moved", "its file contradicts logs or the other csv file wholesale", _COPY),
    "rows-differ": _unsure("request and result of one run, which tell what was typed in once, differ"),
    "of-another-request": _denies(
        "stray",
        "a request of the second in which its run began tells another, and it was sent in at another time",
        _ORDER,
    ),
    "stripe-against-log": _unsure("log and stripe file of one subscription tell two customers", _ORDER),
    "rows-against-log": _unsure("log and csv rows of one activation key and second tell two customers", _ORDER),
    "lost-a-piece": _denies("stray", "it has lost a piece: both csv rows tell the whole", _ORDER),
    "loosely-tied": Reason(
        weight=LESSENS,
        channel="form",
        means="nothing but second and product tie the row to the run",
        remedy="ask the customer by another way",
        standing=3,
    ),
    "of-another-time": Reason(
        weight=LESSENS,
        channel="site",
        means="several tokens are offered for the product, and the account's own secrets name another of them",
        remedy="none needed: the account's own word was taken",
        standing=2,
    ),
    "another-name": _unsure(
        "the product of this code bears another name than the log tells", "look for the configuration of that month"
    ),
    "contested-elsewhere": _unsure(
        "other accounts of this product tell another token by their own files, and none bears this place out",
        "look for the configuration of that month",
    ),
    "of-two-products": _unsure("its file tells this token of two products: it is of one of them"),
    "of-another-list": _unsure(
        "of most products in its file that accounts tell by their own files, they tell other tokens than stand there",
        "look for the configuration of that month",
    ),
    # -- settling an account ----------------------------------------------------------------------------------
    "neighbour": _denies("damaged", f"independent witnesses tell a value that differs from it {_AS_DAMAGE}"),
    "end-lost": _denies("damaged", "its end is cut off: another witness tells it whole"),
    "outvoted": _denies("damaged", "two independent witnesses tell another value, and fewer tell this one"),
    "near-another": _unsure(f"another witness differs from it {_AS_DAMAGE}, and nothing tells the right one"),
    "among-many": _unsure("more than 64 values stand for one account or server", "look for what multiplied it"),
    "not-its-end": _unsure("it is merely offered, and the account's own token, cut off, begins otherwise"),
    "nodes-exchanged": _unsure(
        "its file tells the introducer's keys as the storage server's: the two have changed places, there or elsewhere",
        "look for another copy of this file; or exchange the two in a copy of it",
    ),
    "of-two-prints": _unsure("the keys and the token that are told most were told together by no file", _ORDER),
    "by-lesser-voices": Reason(
        weight=LESSENS,
        channel="form",
        means="a witness as good as it differs in a character or two; lesser ones decided",
        remedy="ask the customer by another way",
        standing=3,
    ),
    # -- warrants ---------------------------------------------------------------------------------------------
    "certified": _raises("certified", 1, "relayed, proved by its hash"),
    "testimony": _raises("testimony", 1, "read out of the server"),
    "agreed": Reason(
        weight=ASSURES, channel="own", means="independent witnesses that are unsure agree", remedy="none needed"
    ),
    "paired": _raises("paired", 3, "relayed, vouched for by the node id"),
    "relayed-furl": _raises("relayed", 3, "relayed with the proved key's TubID: of its swissnum nothing else tells"),
}
DAMAGE = frozenset(
    {"cut", "host-damaged", "host-differs", "broken-key", "not-its-id", "not-its-certificate", "furl-differs"}
)
"""The reasons that tell of damage to the file in which a fact stands."""
