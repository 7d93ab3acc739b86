"""The one method of Tahoe-LAFS 1.20 that destroys shares of 2012 to 2014, patched in the file that a host has installed.

A mutable share tells at byte 92 where its extra leases are. The S3 backend of that time wrote 468 there when the share
was made, never again, and no extra lease. Tahoe-LAFS 1.20 believes it: it takes the first bytes of the data for a number
of leases (16,777,216 in an MDMF share) and moves them, or writes the fifth lease over the data.
"""

from __future__ import annotations

STOCK = "41c2779606e0866ff41e11dfbd85fcb4ae16534c887dadedde631b427d9f3a43"
"""SHA-256 of allmydata/storage/mutable.py in 1.20.0, the only release that `tahoe-lafs==1.20.*` means: wheel and sdist."""
PATCHED = "4288d95a278f49bf256f081b60092223acabe033e381b23bb1aea77060413242"
"""SHA-256 of the same file, patched."""
RELEASE = "tahoe-lafs==1.20.0"

STOCK_METHOD = """\
    def _read_extra_lease_offset(self, f):
        f.seek(self.EXTRA_LEASE_OFFSET)
        (extra_lease_offset,) = struct.unpack(">Q", f.read(8))
        return extra_lease_offset
"""
PATCHED_METHOD = """\
    def _read_extra_lease_offset(self, f):
        f.seek(self.EXTRA_LEASE_OFFSET)
        (extra_lease_offset,) = struct.unpack(">Q", f.read(8))
        # lae-recovery: the S3 backend of 2012-2014 kept 468 here, however
        # long the data, and wrote no extra leases. Whoever writes makes the
        # share one of today's: else, once cut short, it would not tell where
        # its leases begin. A share with bytes missing is left as it is.
        end_of_data = self.DATA_OFFSET + self._read_data_length(f)
        if extra_lease_offset < end_of_data:
            extra_lease_offset = end_of_data
            if f.writable() and f.seek(0, os.SEEK_END) >= end_of_data:
                self._write_extra_lease_offset(f, end_of_data)
                self._write_num_extra_leases(f, 0)
        return extra_lease_offset
"""

PROGRAM = (
    f'STOCK = "{STOCK}"\nPATCHED = "{PATCHED}"\n'
    f"STOCK_METHOD = '''\\\n{STOCK_METHOD}'''\nPATCHED_METHOD = '''\\\n{PATCHED_METHOD}'''\n"
    + """
import hashlib, importlib.util, os, sys, time

# What a node would import, without importing it.
(package,) = importlib.util.find_spec("allmydata").submodule_search_locations
path = os.path.join(package, "storage", "mutable.py")

def digest_of(content):
    return hashlib.sha256(content).hexdigest()

def storage_nodes():
    \"\"\"When each storage node that runs was started, on the clock of files.\"\"\"
    with open("/proc/uptime") as file:
        booted = time.time() - float(file.read().split()[0])
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                words = file.read().split(b"\\0")
            with open(f"/proc/{process}/stat") as file:
                ticks = file.read().rpartition(")")[2].split()[19]
        except OSError:
            continue
        if b"run" in words and b"storageserver" in words:
            yield booted + int(ticks) / os.sysconf("SC_CLK_TCK")

def answer(content):
    if digest_of(content) != PATCHED:
        return "stock" if digest_of(content) == STOCK else "unknown " + digest_of(content)
    return "older" if any(started < os.stat(path).st_mtime for started in storage_nodes()) else "patched"

def put(content):
    with open(path + ".new", "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(path + ".new", os.stat(path).st_mode & 0o777)
    os.replace(path + ".new", path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)

with open(path, "rb") as file:
    content = file.read()
if sys.argv[1] == "ask":
    print(answer(content))
    sys.exit()
if digest_of(content) == STOCK:
    content = content.replace(STOCK_METHOD.encode(), PATCHED_METHOD.encode())
if digest_of(content) != PATCHED:
    print(f"nothing was changed: {path} is unknown, SHA-256 {digest_of(content)}", file=sys.stderr)
    sys.exit(87)
put(content)
"""
)
"""For the host's own Python. `ask` prints `patched`; `older` if a storage node runs that was started before; `stock`; or
`unknown` with the digest. `patch` changes the file if it is the known one, else
its exit status is that of PROBLEMS; done again, it makes every running storage node `older`."""
