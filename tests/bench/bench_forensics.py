"""How fast an evidence folder is read, beside the floor of what these bytes cost."""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures"))

import textfsm  # noqa: E402  its folder is put on the path first
from lark import Lark  # noqa: E402  its folder is put on the path first

import laeforensics as lf  # noqa: E402  its folder is put on the path first
from laeforensics.audit.judgement import Judgement  # noqa: E402  its folder is put on the path first
from laeforensics.evidence import find, recognise  # noqa: E402  its folder is put on the path first
from laeforensics.export import tables  # noqa: E402  its folder is put on the path first
from laeforensics.parsing import parser  # noqa: E402  its folder is put on the path first
from laeforensics.reading.whole import read_all  # noqa: E402  its folder is put on the path first

MB = 1e6
LARK, TEXTFSM, WHOLE = "lark alone", "textfsm: a rule for each field", "open_case(...).signups"
AIM = 2.5
"""So many times the time of lark alone, with a callback that does nothing, may the whole take."""
AIM_TEXTFSM = 2.0
"""So many times the rate of textfsm should it have."""
AIM_JOBS = 1.6 / 1.9
"""So much of what two independent processes gain should two jobs gain."""
AIM_JOINING = 0.3
"""So much of the time of reading may joining, judging and the table take."""
AIM_UNKNOWN = 10
"""So many times as fast as one by one should lines be read that nobody knows."""
AIM_AUDIT = 0.7
"""So many seconds should `audit` of 20 logs take where it took 1.4 when a wheel did not bring its compiled grammars."""

# The floor: what it costs merely to find the lines that hold values, without saying what they mean. The regular
# expression is gated by a literal, for which the engine searches fast; only where that stands is the name looked at.
ASSIGNMENT = re.compile(rb" = [^\n]+")
NAMES = frozenset(
    b"activationkey -activationkey access_key_id -access_key_id secret_key usertoken -usertoken bucketname accesskeyid "
    b"secretkey ami_image_id instance_size bucket_name instance_name instance_id launch_time introducer.furl".split()
)
# The same by templates of textfsm: one rule that finds the same lines as the floor, and one rule for each field, which
# says, as the product does, whose value it is. Neither knows blocks, runs, errors, or what a host relayed.
_LINES = {
    "ACTIVATION_KEY": "activationkey = ",
    "ACCESS_KEY": "access_?key_?id = ",
    "SECRET_KEY": "secret_?key = ",
    "TOKEN": "usertoken = ",
    "BUCKET": "bucket_?name = ",
    "IMAGE": "ami_image_id = ",
    "SIZE": "instance_size = ",
    "EMAIL": "instance_name = ",
    "INSTANCE": "instance_id = ",
    "LAUNCHED": "launch_time = ",
    "FURL": r"introducer\.furl = ",
    "PRIVATE": "private_dns_name = ",
    "HOST": ">The server's public address is ",
    "NAME": ">Signing up customer for ",
    "MAIL": ">(?:Sending confirmation|Notifying one of our staff to send the confirmation) e-mail to ",
}
ONE_RULE = f"""Value KEY ({"|".join(line.removesuffix(" = ") for line in list(_LINES.values())[:11])})
Value TEXT (.+)

Start
  ^\\s*-?\\s*${{KEY}} = ${{TEXT}} -> Record
"""
RULE_FOR_EACH = (
    "".join(f"Value List {name} (.+)\n" for name in _LINES)
    + "\nStart\n"
    + "".join(f"  ^-?\\s*{line}${{{name}}}\n" for name, line in _LINES.items())
)


def write_corpus(folder: Path, logs: int, seed: int) -> Path:
    """An evidence folder with about `logs` logs and real noise. An account leaves 1.26 logs on average."""
    from generate import write_evidence

    root = folder / f"evidence-{logs}"
    write_evidence(root, seed=seed, accounts=max(1, round(logs / 1.26)), noise="real")
    return root


def read_logs(root: Path) -> list[bytes]:
    """The bytes of every log of the folder."""
    return [file.path.read_bytes() for file in find.find(root) if file.kind == recognise.LOG]


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor seconds of this process for one call, with the garbage of the call before swept away first."""
    gc.collect()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def find_values(logs: list[bytes]) -> int:
    """The floor: the number of value lines in all logs."""
    found = 0
    for data in logs:
        for match in ASSIGNMENT.finditer(data):
            start = match.start()
            found += data[data.rfind(b"\n", 0, start) + 1 : start].strip() in NAMES
    return found


def parse_by_template(logs: list[bytes], written: str) -> int:
    """textfsm: the number of values that a template finds. (It reads text; latin-1 costs least, and loses nothing.)"""
    template = textfsm.TextFSM(io.StringIO(written))
    found = 0
    for data in logs:
        rows = template.ParseText(data.decode("latin-1"))
        found += len(rows) if written is ONE_RULE else sum(len(told) for row in rows for told in row)
        template.Reset()
    return found


class _Nothing:
    """A callback for each rule, which does nothing but count."""

    items = 0

    def __getattr__(self, rule: str) -> Callable[[object], None]:
        if not rule[0].islower():  # a terminal, or what else the library looks for
            raise AttributeError(rule)
        return self._count

    def _count(self, pieces: object) -> None:
        self.items += 1


_NOTHING = _Nothing()


@cache
def bare() -> Lark:
    """The library as it comes, with its own lexer, of tables that it has compiled before."""
    return Lark.__new__(Lark)._load(parser._tables("signup_log"), transformer=_NOTHING)


def parse_bare(logs: list[bytes]) -> int:
    """lark alone: the number of items that are handed to a callback which does nothing with them."""
    for data in logs:
        bare().parse(data.decode("latin-1"))
    return _NOTHING.items - len(logs)  # the whole text is one, too


def read_whole(root: Path) -> int:
    """The product itself: the number of rows of `case.signups`."""
    return len(lf.open_case(root).signups)


def peak_memory(root: Path) -> tuple[float, float]:
    """Peak resident memory (MB) of a process that has only imported everything, and of one that read the folder too."""

    def peak(*arguments: str) -> float:
        command = [sys.executable, __file__, "--peak", *arguments]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(json.loads(told.stdout))

    return peak(""), peak(str(root))


def print_peak(root: str) -> None:
    """In a process of its own: import, read `root` if one is named, tell the peak in MB."""
    import pandas  # noqa: F401  the table loads it

    parser.grammar("signup_log")
    _ = lf.open_case
    if root:
        read_whole(Path(root))
    print(json.dumps(_peak_of_this_process() / MB))


def _peak_of_this_process() -> int:
    # Linux hands ru_maxrss of the parent on to a child, so that a small child of a large parent looks large.
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(status.read_text().partition("VmHWM:")[2].split()[0])
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


WORKS: dict[str, tuple[Callable[[Path], object], Callable[[object], int], str]] = {
    "floor: a gated bytes regex": (read_logs, find_values, "value lines"),
    LARK: (read_logs, parse_bare, "items"),
    "textfsm: one rule for all": (read_logs, lambda logs: parse_by_template(logs, ONE_RULE), "value lines"),
    TEXTFSM: (read_logs, lambda logs: parse_by_template(logs, RULE_FOR_EACH), "values"),
    WHOLE: (lambda root: root, read_whole, "signups"),
}
"""What is compared: how it is made ready, the work, what it counts."""


def first_pass(root: Path, name: str) -> tuple[float, int]:
    """Processor seconds of one work, and what it found, the first time that a process does it."""
    command = [sys.executable, __file__, "--once", name, str(root)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, found = json.loads(told.stdout)
    return float(seconds), int(found)


def print_first_pass(name: str, root: str) -> None:
    """In a process of its own: what takes its time once, whatever is read, comes before the clock."""
    import pandas  # noqa: F401  the table loads it

    prepare, work, _ = WORKS[name]
    _ = lf.open_case
    parser.each("signup_log", b"\n", lambda rule, pieces: None)
    bare().parse("\n")
    ready, found = prepare(Path(root)), []
    seconds = cpu_seconds(lambda: found.append(work(ready)))
    print(json.dumps([seconds, found[0]]))


def compare(root: Path, rounds: int) -> None:
    """Print the whole beside lark alone and the floor: first passes over the same logs, interleaved in one run."""
    logs = read_logs(root)
    size, number = sum(map(len, logs)) / MB, len(logs)
    del logs
    seconds: dict[str, list[float]] = {name: [] for name in WORKS}
    counts: dict[str, int] = {}
    for _ in range(rounds):
        for name in WORKS:
            took, counts[name] = first_pass(root, name)
            seconds[name].append(took)
    print(f"{number} logs, {size:.1f} MB, {rounds} interleaved rounds of first passes, processor time of one core\n")
    print(f"{'':<31}{'MB/s':>8}{'worst':>8}{'best':>8}{'ms/log':>9}{'x lark':>9}   found")
    for name, (_, _, unit) in WORKS.items():
        median = statistics.median(seconds[name])
        worst, best = size / max(seconds[name]), size / min(seconds[name])
        ratio = _ratio(seconds[name], seconds[LARK])
        speeds = f"{size / median:>8.1f}{worst:>8.1f}{best:>8.1f}{1000 * median / number:>9.2f}{ratio:>9.2f}"
        print(f"{name:<31}{speeds}   {counts[name]} {unit}")
    ratio, rate = _ratio(seconds[WHOLE], seconds[LARK]), _ratio(seconds[TEXTFSM], seconds[WHOLE])
    print(f"\naim {AIM} times lark alone: {'reached' if ratio <= AIM else 'missed'}, it takes {ratio:.2f} times")
    reached = "reached" if rate >= AIM_TEXTFSM else "missed"
    print(f"aim {AIM_TEXTFSM} times the rate of textfsm with a rule for each field: {reached}, it has {rate:.2f} times")
    bare, peak = peak_memory(root)
    print(
        f"peak memory {peak:.0f} MB, of which {bare:.0f} MB stand after the imports: "
        f"{(peak - bare) / size:.1f} B per byte of log"
    )


def print_parts(root: str) -> None:
    """In a process of its own: the processor seconds of reading, and of what is done with all that was read."""
    import pandas  # noqa: F401  the table loads it

    parser.each("signup_log", b"\n", lambda rule, pieces: None)
    done: list[object] = []
    reading = cpu_seconds(lambda: done.append(read_all(find.find(Path(root)))))
    judging = cpu_seconds(lambda: done.append(Judgement(Path(root), done[0], folder=Path(root).with_suffix(".case"))))
    table = cpu_seconds(lambda: tables.SIGNUPS.of(done[1]))
    print(json.dumps([reading, judging + table]))


def compare_parts(root: Path, rounds: int) -> None:
    """Print what joining takes beside reading."""
    command = [sys.executable, __file__, "--parts", str(root)]
    told = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(rounds)]
    part = statistics.median(joining / reading for reading, joining in told)
    reached = "reached" if part <= AIM_JOINING else "missed"
    print(f"joining, judging and the table take {part:.0%} of reading (aim {AIM_JOINING:.0%}, {reached})")


def compare_unknown(rounds: int) -> None:
    """Print how fast short lines are read that nobody knows: one by one, and where so many are passed over at once."""
    some = "".join(f"line {n}\n" for n in range(1000)).encode()

    def take(rule: str, pieces: object) -> None:
        """Nothing."""

    def rate(text: bytes, times: int) -> float:
        return (
            len(text) * times / MB / cpu_seconds(lambda: [parser.each("signup_log", text, take) for _ in range(times)])
        )

    one_by_one, many = (statistics.median(rate(*how) for _ in range(rounds)) for how in ((some, 50), (some * 1000, 1)))
    reached = "reached" if many >= AIM_UNKNOWN * one_by_one else "missed"
    print(
        f"unknown lines: {one_by_one:.1f} MB/s one by one, {many:.1f} MB/s where there are many: "
        f"{many / one_by_one:.0f} times (aim {AIM_UNKNOWN}, {reached})"
    )


def compare_audit(folder: Path, seed: int, rounds: int) -> None:
    """Print what `audit` of 20 logs takes, and what of it every command takes to begin."""
    root = write_corpus(folder, 20, seed)
    written = ["--case", str(folder / "case"), "--output", str(folder / "audit" / "manifest.parquet"), "--quiet"]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept["XDG_CONFIG_HOME"] = str(folder / "key")

    def spent(*words: str) -> float:
        before = os.times()
        subprocess.run([sys.executable, "-m", "laeforensics", *words], env=kept, capture_output=True, check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    spent("audit", str(root), *written)  # what it compiles it keeps
    took = [(spent("audit", str(root), *written), spent("--version")) for _ in range(rounds)]
    audit, begun = (statistics.median(some) for some in zip(*took, strict=True))
    reached = "reached" if audit <= AIM_AUDIT else "missed"
    print(
        f"audit of {len(read_logs(root))} logs takes {audit:.2f} s of processor time, {begun:.2f} of them to begin "
        f"(aim {AIM_AUDIT}, {reached})"
    )


def _ratio(some: list[float], others: list[float]) -> float:
    """The median of the ratios, round by round: what else the machine does weighs on both of a round alike."""
    return statistics.median(a / b for a, b in zip(some, others, strict=True))


def seconds_together(*works: tuple[Path, int]) -> float:
    """Seconds on the clock until every folder is read, each by its own process with so many jobs, all at once."""
    begun = time.perf_counter()
    running = [subprocess.Popen([sys.executable, __file__, "--read", str(root), str(jobs)]) for root, jobs in works]
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit("a process that read did not come to its end")
    return time.perf_counter() - begun


def compare_jobs(root: Path, folder: Path, logs: int, seed: int, rounds: int) -> None:
    """Print what two jobs gain beside what two processes gain that have nothing to do with each other."""
    halves = [write_corpus(folder / str(n), logs // 2, seed + n) for n in (1, 2)]
    gains: list[float] = []
    most: list[float] = []
    for _ in range(rounds):
        gains.append(seconds_together((root, 1)) / seconds_together((root, 2)))
        one_by_one = sum(seconds_together((half, 1)) for half in halves)
        most.append(one_by_one / seconds_together(*((half, 1) for half in halves)))
    gain, bound, part = statistics.median(gains), statistics.median(most), _ratio(gains, most)
    print(
        f"--jobs 2 reads {gain:.2f} times as fast as one job; two halves read apart {bound:.2f} times: "
        f"{part:.2f} of it (aim {AIM_JOBS:.2f}, {'reached' if part >= AIM_JOBS else 'missed'})"
    )


def scale(folder: Path, counts: list[int], seed: int) -> None:
    """Print what a log costs as the number of logs grows."""
    print(f"\n{'logs':>6}{'MB':>8}{'seconds':>9}{'MB/s':>8}{'ms/log':>9}{'peak MB':>9}")
    for count in counts:
        root = write_corpus(folder, count, seed)
        logs = read_logs(root)
        number, size = len(logs), sum(map(len, logs)) / MB
        del logs
        read_whole(root)
        median = statistics.median(cpu_seconds(lambda root=root: read_whole(root)) for _ in range(3))
        _, peak = peak_memory(root)
        print(f"{number:>6}{size:>8.1f}{median:>9.2f}{size / median:>8.1f}{1000 * median / number:>9.2f}{peak:>9.0f}")


def main() -> int:
    """The command line; 0 whatever the numbers are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scaling", action="store_true", help="also the cost for 100, 300, 1000 logs")
    parser.add_argument("--large", action="store_true", help="with --scaling: 3000 logs too")
    parser.add_argument("--parts", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--peak", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--read", nargs=2, metavar=("FOLDER", "JOBS"), help=argparse.SUPPRESS)
    parser.add_argument("--once", nargs=2, metavar=("WORK", "FOLDER"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.peak is not None:
        print_peak(chosen.peak)
        return 0
    if chosen.parts is not None:
        print_parts(chosen.parts)
        return 0
    if chosen.read is not None:
        lf.open_case(chosen.read[0], jobs=int(chosen.read[1]))
        return 0
    if chosen.once is not None:
        print_first_pass(*chosen.once)
        return 0
    with tempfile.TemporaryDirectory(prefix="lae-bench-") as name:
        folder = Path(name)
        root = write_corpus(folder, chosen.logs, chosen.seed)
        compare(root, chosen.rounds)
        compare_parts(root, chosen.rounds)
        compare_unknown(chosen.rounds)
        compare_audit(folder, chosen.seed, chosen.rounds)
        compare_jobs(root, folder, chosen.logs, chosen.seed, chosen.rounds)
        if chosen.scaling:
            scale(folder / "scaling", [100, 300, 1000, *([3000] if chosen.large else [])], chosen.seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
