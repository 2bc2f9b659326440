"""How many findings `lockgate scan code` gives on code that is in daily use, for each check, and how fast it reads.

    .venv/bin/python bench/code_scan.py [FOLDER ...] [--most 2000] [--show CHECK] [--classic] [--fuzz SECONDS]

Without folders: the standard library of this Python, and the packages that are installed beside it (at most `--most`
files of each, evenly spread). Most of this code was reviewed by many; a finding there is a candidate for a false alarm,
and `--show` prints the places of one check. The last line of each table is `lockgate scan secrets` on the same
files. Seconds are seconds of processor time of this process.
"""

import argparse
import platform
import random
import sysconfig
import time
from collections import Counter
from pathlib import Path

from lockgate.core import Finding, Status, SubjectRef, run
from lockgate.supply.code import CHECKS, ScannedCode, read_facts, scan_code
from lockgate.supply.errors import SupplyError
from lockgate.supply.secrets import search

PIECES = (
    b"",
    b"(",
    b")",
    b"\n",
    b"    ",
    b"\xff",
    b"\0",
    b"'",
    b"{x}",
    b"f'",
    b"lambda: ",
    b"await ",
    b"*",
    b"if 1:\n",
    b":=",
)


def chosen(folder: Path, most: int) -> tuple[Path, ...]:
    files = sorted(path for path in folder.rglob("*.py") if "site-packages" not in path.relative_to(folder).parts)
    return tuple(files[:: max(1, -(-len(files) // most))])


def quiet(done: int, total: int, path: str) -> None:
    pass


def findings_of(scanned: list[ScannedCode]) -> list[Finding]:
    return [found for item in scanned for outcome in item.outcomes for found in outcome.findings]


def errored_of(scanned: list[ScannedCode]) -> list[ScannedCode]:
    return [item for item in scanned if any(outcome.status is Status.ERRORED for outcome in item.outcomes)]


def report(name: str, files: tuple[Path, ...], *, show: str, classic: bool) -> None:
    begun = time.process_time()
    scanned, _ = scan_code(files, quiet, classic=classic)
    seconds = time.process_time() - begun
    lines = sum(item.lines for item in scanned)
    size = sum(item.size for item in scanned)
    found = findings_of(scanned)
    print(f"\n{name}: {len(scanned):,} files, {lines:,} lines, {size / 1e6:.1f} MB in {seconds:.1f} s", end="")
    print(f" ({lines / seconds:,.0f} lines/s, {size / 1e6 / seconds:.2f} MB/s)")
    errored = errored_of(scanned)
    print(f"files that could not be examined: {len(errored)}")
    for item in errored[:10]:
        print(f"    {Path(item.ref.uri).name}: {next(out.reason for out in item.outcomes if out.reason)}")
    print(f"{'check':<16}{'findings':>9}{'per 100,000 lines':>20}  what")
    counts = Counter(item.check for item in found)
    for check in CHECKS:
        count = counts[check.card.id]
        print(f"{check.card.id:<16}{count:>9,}{count / lines * 1e5:>20.2f}  {check.card.title}")
    print(f"{'all':<16}{len(found):>9,}{len(found) / lines * 1e5:>20.2f}")
    report_secrets(files)
    for item in found:
        if item.check == show:
            print(f"    {item.location.uri}:{item.location.line}: {item.message}")


def report_secrets(files: tuple[Path, ...]) -> None:
    bodies = [(path.name, path.read_bytes()) for path in files]
    begun = time.process_time()
    count = sum(len(search(name, body, b"k" * 32)) for name, body in bodies)
    seconds = time.process_time() - begun
    size = sum(len(body) for _, body in bodies) / 1e6
    print(f"secrets: {count:,} in {size:.1f} MB, {size / seconds:.2f} MB/s")


def fuzz(files: tuple[Path, ...], seconds: float) -> None:
    """Damage files at random, read and judge them, and count; anything but a refusal ends the program."""
    source = random.Random(7)
    bodies = [body for path in files if len(body := path.read_bytes()) < 6_000]
    done = refused = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        body = bytearray(source.choice(bodies))
        for _ in range(source.randint(0, 3)):
            at = source.randrange(len(body) + 1)
            body[at : at + source.randint(0, 9)] = source.choice(PIECES)
        name = source.choice(("a.py", "a.ipynb")) if source.random() < 0.1 else "a.py"
        done += 1
        try:
            facts = read_facts(SubjectRef(name), bytes(body))
        except SupplyError:
            refused += 1
            continue
        if any(run(check(), facts).status is Status.ERRORED for check in CHECKS[:-1]):
            raise SystemExit(f"a check failed on {bytes(body)!r}")
        search(name, bytes(body), b"k" * 32)
    print(f"fuzz: {done:,} damaged files, {refused:,} refused, none crashed a reader or a check")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--most", type=int, default=2000)
    parser.add_argument("--show", default="", metavar="CHECK")
    parser.add_argument("--fuzz", type=float, default=0.0, metavar="SECONDS", help="damage files for so long instead")
    parser.add_argument("--classic", action="store_true", help="with bandit")
    given = parser.parse_args()
    print(f"Python {platform.python_version()} on {platform.machine()}, one process")
    named = [(folder.name, folder) for folder in given.folders] or [
        ("standard library", Path(sysconfig.get_path("stdlib"))),
        ("installed packages", Path(sysconfig.get_path("purelib"))),
    ]
    if given.fuzz:
        fuzz(chosen(named[0][1], given.most), given.fuzz)
        return
    for name, folder in named:
        report(name, chosen(folder, given.most), show=given.show, classic=given.classic)


if __name__ == "__main__":
    main()
