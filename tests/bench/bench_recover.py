"""What the runner costs: makespan beside the ideal, overhead of a step, commands repeated after a kill in the twin.

Ssh for real.
"""

from __future__ import annotations

import argparse
import functools
import math
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_ssh import ssh

from laerecover.hosts.identity import new_node_pem, tub_id_of
from laerecover.manifest import Account, Secret, write_manifest

PACE = 0.01
"""A twin's second lasts this long.

Its launch takes 3 s, packages 60, Tahoe-LAFS 60, reboot 20, a connection 2, a mail 2.
"""
QUICK = 0.0001
LIMIT = 600.0
"""Seconds that no command of these may take at that pace."""
MAIN = [sys.executable, "-c", "from laerecover.cli import main; main()"]
PEAK = """
import resource, sys
from laerecover.cli import main
try:
    main()
finally:
    sys.stderr.write("PEAK %d" % resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@functools.cache
def node_pem(node: str) -> Secret:
    """A certificate with its key; all accounts have the same ones, for nothing here depends on which."""
    del node
    return new_node_pem()


def account(number: int) -> Account:
    """Recoverable as most are: with its identity."""
    name = f"lae-7a3c2f01-{number:032d}"
    introducer, storage = node_pem("introducer"), node_pem("storage")
    return Account(
        account_id=name,
        verdict="RECOVERABLE",
        grade="IDENTITY_KEPT",
        introducer_identity="PROVED",
        storage_identity="PROVED",
        introducer_node_pem=introducer,
        introducer_furl=Secret(f"pb://{tub_id_of(introducer)}@192.0.2.1:12345/swissnum{number}"),
        server_node_pem=storage,
        bucket_name=name,
        user_access_key_id=f"AKIA{number:016d}",
        user_secret_key=Secret(f"secret {number}"),
        customer_email=f"customer{number}@example.org",
        customer_email_confirmed=True,
    )


class Case:
    """A manifest of so many accounts, drilled in a folder of its own each time."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder / f"case{count}", count
        self.folder.mkdir(exist_ok=True)
        self.manifest, self.key = self.folder / "manifest.parquet", folder / "key" / "manifest.key"
        self.key.parent.mkdir(mode=0o700, exist_ok=True)
        write_manifest(self.manifest, [account(n) for n in range(count)], evidence_digest="e" * 64, key_file=self.key)

    def command(self, state: str, *, concurrency: int, pace: float, main: list[str] = MAIN) -> list[str]:
        given = ["--key-file", self.key, "--state", self.folder / state, "--concurrency", concurrency, "--pace", pace]
        return [*main, "drill", *map(str, [self.manifest, *given])]

    def drill(self, state: str, *, concurrency: int, pace: float, main: list[str] = MAIN) -> tuple[float, str]:
        """Seconds of the whole command, with what it told on stderr."""
        begun = time.perf_counter()
        command = self.command(state, concurrency=concurrency, pace=pace, main=main)
        limit = LIMIT * max(1.0, pace / PACE)
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        if done.returncode:
            print(f"  ended with {done.returncode}: {done.stdout[-300:]}")
        return time.perf_counter() - begun, done.stderr

    def query(self, state: str, database: str, sql: str) -> list[tuple[float, ...]]:
        with sqlite3.connect(self.folder / state / database) as db:
            return db.execute(sql).fetchall()

    def makespan(self, state: str) -> float:
        """Seconds between the first step's beginning and the last one's end, as the ledger has them."""
        sql = "SELECT (max(completed_at_epoch_ms) - min(started_at_epoch_ms)) / 1000.0 FROM operation_outputs"
        return float(self.query(state, "ledger.sqlite", sql)[0][0])


def makespan(folder: Path, count: int, pace: float) -> None:
    """(a) N accounts beside `ceil(N/c) x critical path`; one account alone, in the same world, is the critical path."""
    alone = Case(folder, 1)
    alone.drill("alone", concurrency=1, pace=pace)
    path, many = alone.makespan("alone"), Case(folder, count)
    print(f"\nmakespan of {count} accounts; latencies x {pace}; one account alone takes {path:.2f} s")
    print(f"{'at a time':>10}{'ideal s':>9}{'ledger s':>10}{'share':>8}{'command s':>11}{'processor s an account':>24}")
    for concurrency in (8, 50):
        before = processor()
        whole, _ = many.drill(f"c{concurrency}", concurrency=concurrency, pace=pace)
        spent = (processor() - before) / count
        ideal, took = math.ceil(count / concurrency) * path, many.makespan(f"c{concurrency}")
        numbers = f"{concurrency:>10}{ideal:>9.1f}{took:>10.1f}{took / ideal:>7.2f}x{whole:>11.1f}{spent:>24.3f}"
        print(numbers, flush=True)


def processor() -> float:
    """Seconds of processor time that the commands so far took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def overhead(folder: Path, count: int) -> None:
    """(b) A world without latencies: what is left is ours."""
    case = Case(folder, count)
    _, told = case.drill("quick", concurrency=1, pace=QUICK, main=[sys.executable, "-c", PEAK])
    steps = int(case.query("quick", "ledger.sqlite", "SELECT count(*) FROM operation_outputs")[0][0])
    peak = int(told.rpartition("PEAK ")[2] or 0) / 1024
    took = case.makespan("quick")
    sql = "SELECT sum(completed_at_epoch_ms - started_at_epoch_ms) / 1000.0 FROM operation_outputs"
    inside = float(case.query("quick", "ledger.sqlite", sql)[0][0])
    print(f"\noverhead: {steps} steps of {count} accounts one after the other, latencies x {QUICK}")
    between, within = (1000 * seconds / steps for seconds in (took - inside, inside))
    print(f"  {between:.1f} ms between two steps (engine, ledger), {within:.1f} ms within")
    print(f"  one (our asking, the twin's file); peak memory {peak:.0f} MB")


def repeated(folder: Path, count: int) -> None:
    """(d) Effects that were carried out twice because a kill at half-way came between act and record."""
    case = Case(folder, count)
    whole, _ = case.drill("calm", concurrency=8, pace=PACE)
    runner = subprocess.Popen(
        case.command("killed", concurrency=8, pace=PACE), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(whole / 2)
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    case.drill("killed", concurrency=8, pace=PACE)
    print(f"\nafter a kill at half-way of {count} accounts, 8 at a time")
    for state in ("calm", "killed"):
        sql = "SELECT count(*), coalesce(sum(n), 0), coalesce(sum(n - 1), 0)"
        sql += " FROM (SELECT count(*) AS n FROM effects GROUP BY effect, subject)"
        different, all_, again = case.query(state, "world.sqlite", sql)[0]
        print(
            f"  {state:>7}: {different} different effects (commands, files, launches), "
            f"{all_} carried out, {again} repeated"
        )


def main() -> int:
    """The command line; 0 whatever the numbers are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200, help="of the makespan")
    parser.add_argument("--pace", type=float, help="the makespan alone, with latencies so many times real ones")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="lae-bench-") as name:
        makespan(Path(name), chosen.accounts, chosen.pace or PACE)
        if chosen.pace:
            return 0
        overhead(Path(name), 10)
        ssh(Path(name))
        repeated(Path(name), 16)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
