"""A foolscap client on the host itself: who answers at the port is whom the furl in the file names.

Exit status 85: another does. 86: nobody. What it prints is the kind of failure.
"""

# -- What a host is given begins below. --
from foolscap.api import Tub
from twisted.internet import defer, error, reactor, task
import os, sys, time

async def trouble(tub, file, port):
    try:
        tub_id, _, rest = open(file).read().strip().partition("@")
    except OSError as problem:
        return type(problem)
    asked = tub.getReference(f"{tub_id}@tcp:127.0.0.1:{port}/{rest.rpartition('/')[2]}").addTimeout(20, reactor)
    return await asked.addCallbacks(lambda _: None, lambda failure: failure.type)

async def main(file, port, until=time.monotonic() + 120):
    tub = Tub()
    tub.startService()
    while kind := await trouble(tub, file, port):  # a node that just starts may listen before it knows its own furl
        if time.monotonic() > until:
            print(getattr(kind, "__name__", kind))
            silent = (OSError, error.ConnectError, error.ConnectionClosed, defer.TimeoutError)
            return 86 if isinstance(kind, type) and issubclass(kind, silent) else 85
        await task.deferLater(reactor, 0.5)
    return 0

def ended(status):
    sys.stdout.flush()
    os._exit(status if isinstance(status, int) else 1)

defer.ensureDeferred(main(sys.argv[1], sys.argv[2])).addBoth(ended)
reactor.run()
