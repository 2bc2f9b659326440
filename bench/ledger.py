"""What the ledger costs at 100,000 entries: appending, proving, verifying.

Run from the repository root, with Lockgate installed:

    python bench/ledger.py
    python bench/ledger.py --entries 10000 --json

The ledger is filled in batches (one transaction, one checkpoint each); the last entries are appended one by one, which
is what a run of Lockgate does and what the milliseconds per append are about. Everything is written, durably, to a
temporary folder inside the one that `--folder` names: the figures depend on how fast that disk syncs.
"""

import argparse
import json
import os
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lockgate import __version__
from lockgate.core import Examination, Outcome, Stage, Status, SubjectRef, sha256_hex
from lockgate.evidence import (
    Ledger,
    Role,
    RunContext,
    SigningKey,
    first_use_trust,
    key_for,
    merkle,
    parse_checkpoint,
    results_statement,
    sign,
    verify_ledger,
)

BATCH = 1_000
PROOFS = 500


def envelope(number: int, key: SigningKey) -> bytes:
    """Test results of three checks on one subject, signed."""
    subject = SubjectRef(f"data/rows-{number}.jsonl", sha256_hex(str(number).encode()))
    outcomes = tuple(Outcome(f"LG-DATA-{check:03}", Status.PASSED, subject) for check in range(1, 4))
    context = RunContext(stage=Stage.DATA, run=f"run-{number}")
    return sign(results_statement(Examination((subject,), outcomes), context=context, configuration=()).encode(), key)


def milliseconds(samples: list[float]) -> dict[str, float]:
    """The 50th and 99th percentile of seconds, in milliseconds."""
    cuts = statistics.quantiles(samples, n=100)
    return {"p50": round(cuts[49] * 1e3, 3), "p99": round(cuts[98] * 1e3, 3)}


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def machine() -> str:
    info = Path("/proc/cpuinfo")
    names = (
        [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        if info.exists()
        else []
    )
    processor = names[0] if names else platform.machine()
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, Lockgate {__version__}"
    )


def measure(folder: Path, entries: int, singles: int) -> dict[str, object]:
    key = key_for(Role.LOCAL)
    chooser = random.Random(1)
    with Ledger.open(folder, key) as ledger:
        filled, batched = 0, 0.0
        while filled < entries - singles:
            batch = [envelope(filled + offset, key) for offset in range(min(BATCH, entries - singles - filled))]
            batched += timed(lambda batch=batch: ledger.append_many(batch))
            filled += len(batch)
        old = parse_checkpoint(ledger.checkpoint())
        bodies = [envelope(filled + offset, key) for offset in range(singles)]
        single = [timed(lambda body=body: ledger.append(body)) for body in bodies]
        places = [chooser.randrange(entries) for _ in range(PROOFS)]
        inclusion = [timed(lambda place=place: ledger.inclusion(place)) for place in places]
        consistency = [timed(lambda place=place: ledger.consistency(place)) for place in places]
        new = parse_checkpoint(ledger.checkpoint())
        proof = ledger.consistency(old.size)
        if not merkle.verify_consistency(old.size, new.size, old.root, new.root, proof.hashes):
            raise SystemExit("The ledger does not prove its own growth.")
    start = time.perf_counter()
    report = verify_ledger(folder, first_use_trust())
    verified = time.perf_counter() - start
    if not report.ok or report.size != entries:
        raise SystemExit(f"The ledger is not right: {report.problems[:3]}")
    return {
        "machine": machine(),
        "entries": entries,
        "append_one_per_s": round(singles / sum(single)),
        "append_one_ms": milliseconds(single),
        "append_batch_per_s": round(filled / batched) if filled else None,
        "inclusion_proof_ms": milliseconds(inclusion),
        "consistency_proof_ms": milliseconds(consistency),
        "verify_all_s": round(verified, 2),
        "file_mb": round((folder / "ledger.db").stat().st_size / 1e6, 1),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--entries", type=int, default=100_000)
    options.add_argument("--singles", type=int, default=2_000, help="how many of them one by one, at the end")
    options.add_argument("--folder", default=".", help="measure on this folder's disk")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        os.environ["LOCKGATE_HOME"] = str(Path(folder) / "home")
        found = measure(Path(folder) / "state", chosen.entries, min(chosen.singles, chosen.entries))
    if chosen.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        figures = ", ".join(f"{part} {figure}" for part, figure in value.items()) if isinstance(value, dict) else value
        print(f"{name:22} {figures}")


if __name__ == "__main__":
    main()
