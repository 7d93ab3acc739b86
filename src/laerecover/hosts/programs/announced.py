"""A subscriber on the host: which storage nodes the introducer tells its clients.

Prints their TubIDs, one a line, each with the public half of the node.privkey that signed its announcement; waits some
seconds for the one that is wanted.
"""

# -- What a host is given begins below. --
from allmydata.introducer.common import get_tubid_string_from_ann, unsign_from_foolscap
from allmydata.introducer.interfaces import RIIntroducerSubscriberClient_v2
from foolscap.api import Referenceable, Tub
from twisted.internet import defer, reactor, task
from zope.interface import implementer
import os, sys

@implementer(RIIntroducerSubscriberClient_v2)
class Subscriber(Referenceable):
    heard = {}

    def remote_announce_v2(self, announcements):
        for each in announcements:
            announced, key = unsign_from_foolscap(each)  # raises if nobody signed it
            self.heard.setdefault(get_tubid_string_from_ann(announced).decode("ascii"), set()).add(key.decode("ascii"))

async def main(file, port, wanted):
    tub, subscriber = Tub(), Subscriber()
    tub.startService()
    tub_id, _, rest = open(file).read().strip().partition("@")
    furl = f"{tub_id}@tcp:127.0.0.1:{port}/{rest.rpartition('/')[2]}"
    introducer = await tub.getReference(furl).addTimeout(20, reactor)
    about = {b"version": 0, b"nickname": "verify", b"app-versions": [], b"my-version": "", b"oldest-supported": ""}
    await introducer.callRemote("subscribe_v2", subscriber, b"storage", about).addTimeout(20, reactor)
    for _ in range(30):  # a node that has lost its introducer comes back within seconds
        if wanted in subscriber.heard:
            break
        await task.deferLater(reactor, 0.5)
    print(*sorted(f"{node} {key}" for node, keys in subscriber.heard.items() for key in keys), sep="\n", flush=True)

def ended(outcome):
    if outcome is not None:  # its text could tell the furl
        print(f"the introducer cannot be asked: {outcome.type.__name__}", file=sys.stderr, flush=True)
    os._exit(0 if outcome is None else 1)

defer.ensureDeferred(main(*sys.argv[1:])).addBoth(ended)
reactor.run()
