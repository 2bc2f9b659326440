"""How many attacks the guard finds, at how many false alarms, and what a call costs; layer by layer and beside others.

    python bench/guard.py [--data FILE ...] [--json] [--peers] [--limit N] [--seed N] [--planted N] [--stress [CALLS]]

FILE is `.jsonl` or `.jsonl.gz`, a row a line: `text` and `label` (1 for an attack, 0 for anything else), and where
known `origin` (user, document or tool), `kind` or `family`, `source`, `lang` and `group`. Without `--data` the
development split of the corpus in this repository is judged: the rows of `corpus/guard/*.jsonl`, carriers and payloads
among them, whose first eight hexadecimal digits of sha256(`group`) are a multiple of 12. Nothing was ever trained on
them, but their authors wrote the rest too, so figures from other people's data mean more.

With `--peers`, guards that others publish run side by side, each installed into an environment of its own in the user's
cache folder. `--stress` adds many tiny calls from eight threads.
"""

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from guard_parts import layers, peers, placing, report, rows, speed, tables
from guard_parts.progress import say

BENCH = Path(__file__).resolve().parent
CORPUS = BENCH.parent / "corpus" / "guard"


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _arguments(arguments)
    try:
        found, name = _rows(asked.data)
    except rows.BadDataError as error:
        print(error, file=sys.stderr)
        return 2
    kept = rows.drawn(found, asked.limit, asked.seed)
    if len(kept) < len(found):
        name += f", {len(kept)} of {len(found)} rows drawn with seed {asked.seed}"
    made = judge(kept, name, asked)
    if asked.json:
        print(msgspec.json.encode(made).decode())
    else:
        print("\n".join(tables.lines(made)))
    return 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", metavar="FILE", type=Path, nargs="+", action="extend", default=[])
    parser.add_argument("--json", action="store_true", help="the same content for programs")
    parser.add_argument("--peers", action="store_true", help="install and measure other guards too")
    parser.add_argument("--limit", metavar="N", type=_positive, help="judge at most N rows, drawn at random")
    parser.add_argument("--seed", metavar="N", type=int, default=7)
    parser.add_argument("--planted", metavar="N", type=_positive, default=40, help="attacks planted in long texts")
    parser.add_argument("--stress", metavar="CALLS", type=_positive, nargs="?", const=100_000)
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _rows(files: Sequence[Path]) -> tuple[list[rows.Row], str]:
    if not files:
        return rows.development_rows(CORPUS), "development split of corpus/guard"
    return [row for path in files for row in rows.read_rows(path)], ", ".join(path.name for path in files)


def judge(kept: Sequence[rows.Row], name: str, asked: argparse.Namespace) -> report.Report:
    """Measure everything."""
    some = report.Rows.of(kept, asked.seed)
    seen = layers.judge(kept)
    say("intervals")
    ours = seen.scores["everything"]
    parts = report.ablation(some, seen)
    timed = report.compared(some, "lockgate", ours, seen.blocked[layers.DEFAULT], kind="all layers", ms=seen.ms)
    return report.Report(
        machine=f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        weights=f"lockgate-guard-model {importlib.metadata.version('lockgate-guard-model')}",
        data=report.describe(some, name),
        threshold=report.cut(some, seen),
        area=timed.area,
        asked=float(seen.asked.mean()),
        failed=seen.failed,
        too_long=seen.too_long,
        recalls=report.slices(some, seen),
        sensitivities=report.at_sensitivities(some, seen),
        false_alarms={column: report.false_alarms(some, seen, column) for column in ("source", "kind")},
        ablation=parts,
        ours=timed,
        baseline=report.naive(some),
        peers=[_peer(peer, some) for peer in peers.PEERS] if asked.peers else [],
        placed=placing.place_attacks(kept, asked.planted, asked.seed),
        timed=speed.time_calls(kept, asked.seed),
        started=speed.start_processes(BENCH),
        stressed=speed.stress(kept, asked.stress) if asked.stress else None,
    )


def _peer(peer: peers.Peer, some: report.Rows) -> report.Compared:
    full = f"{peer.name} {peer.version}"
    try:
        answers = peers.measure(peer, some.rows)
    except peers.NotRunError as error:
        return report.Compared(full, peer.licence, peer.kind, not_run=str(error))
    return report.answered(some, full, peer.licence, peer.kind, answers)


if __name__ == "__main__":
    sys.exit(main())
