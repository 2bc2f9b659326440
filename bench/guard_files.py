"""How many stretches of files in daily use the guard blocks as documents: source code, documentation, data.

    .venv/bin/python bench/guard_files.py [FOLDER ...] [--each 150] [--chars 2000] [--seed 5] [--plant]
                                            [--show] [--json]

Without folders: the standard library of this Python and the packages installed beside it. Of every kind of text file as
many as `--each` are drawn, and of each file one stretch of `--chars` characters anywhere in it. Hardly any of them was
written for a model, so what is blocked is a candidate for a false alarm; `--show` prints where the guard points.
Files that speak about attacks on models, such as other guards', are no fair test: leave their folders out.

`--plant` judges each stretch once more with an attack of our own development rows at its start, its middle or its end,
in turn, and that attack by itself.

Times are processor time of one call each, as the files come.
"""

import argparse
import itertools
import json
import os
import platform
import random
import statistics
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from guard_parts.placing import PLACES, plant
from guard_parts.progress import counted
from guard_parts.speed import percentile99
from training.rows import read_corpus

from lockgate.core import Action
from lockgate.guard import Guard
from lockgate.redteam.statistics import wilson95

ENDINGS = (
    *(
        ".c",
        ".cfg",
        ".css",
        ".csv",
        ".h",
        ".html",
        ".ini",
        ".ipynb",
        ".js",
        ".json",
        ".md",
        ".pl",
        ".py",
        ".pyi",
        ".rs",
    ),
    *(".rst", ".sh", ".sql", ".svg", ".toml", ".ts", ".txt", ".xml", ".yaml", ".yml"),
)
LEAST, MOST = 400, 2_000_000
LONGEST = 400
SHOWN = 160


class Judged(NamedTuple):
    """One stretch of a file.

    Attributes:
        blocked: Whether it was.
        ms: Processor time of the call.
        encoder: Whether the encoder was asked.
    """

    blocked: bool
    ms: float
    encoder: bool


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="*")
    parser.add_argument("--each", metavar="N", type=int, default=150, help="files of a kind at most")
    parser.add_argument("--chars", metavar="N", type=int, default=2000, help="characters of a file at most")
    parser.add_argument("--seed", metavar="N", type=int, default=5)
    parser.add_argument("--plant", action="store_true", help="once more with an attack in each stretch")
    parser.add_argument("--show", action="store_true", help="print what is blocked")
    parser.add_argument("--json", action="store_true", help="the same content for programs")
    asked = parser.parse_args(arguments)
    folders = asked.folders or [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    draw, guard = random.Random(asked.seed), Guard.default()
    judged: dict[str, list[Judged]] = {}
    attacks = planted(asked.seed) if asked.plant else iter(())
    found: dict[str, list[tuple[bool, bool]]] = {}
    chosen = [path for paths in by_ending(folders).values() for path in draw.sample(paths, min(asked.each, len(paths)))]
    for path in counted(chosen, "files"):
        text = stretch(path, asked.chars, draw)
        if text is None:
            continue
        began = time.process_time()
        verdict = guard.inspect(text, origin="document")
        took = 1000 * (time.process_time() - began)
        blocked = verdict.action is Action.BLOCK
        asked_encoder = guard.explain(text, origin="document").encoder is not None
        judged.setdefault(path.suffix, []).append(Judged(blocked, took, asked_encoder))
        for attack, place in itertools.islice(attacks, 1):
            within = guard.inspect(plant(attack, text, PLACES[place], len(text)), origin="document")
            alone = guard.inspect(attack, origin="document")
            found.setdefault(place, []).append((within.action is Action.BLOCK, alone.action is Action.BLOCK))
        if blocked and asked.show:
            where = max(verdict.reasons, key=lambda reason: reason.span.score).span
            print(f"{path}\n    {text[where.start : where.end][:SHOWN]!r}", file=sys.stderr)
    return report(judged, found, as_json=asked.json)


def planted(seed: int) -> Iterator[tuple[str, str]]:
    """Attacks of up to 400 characters and where to put each, without end."""
    attacks = [row.text for row in read_corpus().development if row.label and len(row.text) <= LONGEST]
    random.Random(seed).shuffle(attacks)
    return zip(itertools.cycle(attacks), itertools.cycle(PLACES), strict=False)


def by_ending(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """Text files of some size below the folders, each once, in a fixed order."""
    found: dict[str, list[Path]] = {}
    for path in sorted({path for folder in folders for path in files_below(folder)}):
        found.setdefault(path.suffix, []).append(path)
    return found


def files_below(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            if path.suffix in ENDINGS and not path.is_symlink() and LEAST <= path.stat().st_size <= MOST:
                yield path


def stretch(path: Path, chars: int, draw: random.Random) -> str | None:
    """A stretch anywhere in the file; None where it is not UTF-8."""
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return None
    start = draw.randrange(max(1, len(text) - chars + 1))
    return text[start : start + chars]


def report(judged: dict[str, list[Judged]], found: dict[str, list[tuple[bool, bool]]], *, as_json: bool) -> int:
    """Print the tables; 2 where nothing was judged."""
    total = [each for some in judged.values() for each in some]
    if not total:
        print("no text file was found", file=sys.stderr)
        return 2
    rows = {**dict(sorted(judged.items())), "all": total}
    if as_json:
        content = {name: figures(some) for name, some in rows.items()}
        places = {
            name: {"files": len(some), "found": sum(within for within, _ in some), "alone": sum(one for _, one in some)}
            for name, some in found.items()
        }
        print(json.dumps({**content, **({"planted": places} if places else {})}))
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    print("Stretches of files, judged as documents at the default verdict\n")
    print(f"{'ending':<8}{'files':>7}{'blocked':>9}{'%':>7}{'95 %':>14}{'encoder':>9}{'ms':>7}{'p99':>7}")
    for name, some in rows.items():
        each = figures(some)
        low, high = wilson95(each["blocked"], len(some))
        share, interval = 100 * each["blocked"] / len(some), f"{100 * low:.1f} to {100 * high:.1f}"
        print(
            f"{name:<8}{len(some):>7}{each['blocked']:>9}{share:>7.1f}{interval:>14}"
            f"{each['encoder']:>9.0%}{each['ms']:>7.1f}{each['p99_ms']:>7.1f}"
        )
    if found:
        print("\nThe same stretches with an attack, and those attacks by themselves\n")
        print(f"{'attack at the':<16}{'files':>7}{'blocked':>9}{'alone':>9}")
    for name, pairs in found.items():
        print(f"{name:<16}{len(pairs):>7}{sum(one for one, _ in pairs):>9}{sum(one for _, one in pairs):>9}")
    return 0


def figures(some: Sequence[Judged]) -> dict[str, Any]:
    """Of stretches: how many, how many blocked, the share that reached the encoder, median and 99th percentile."""
    times = [each.ms for each in some]
    return {
        "files": len(some),
        "blocked": sum(each.blocked for each in some),
        "encoder": sum(each.encoder for each in some) / len(some),
        "ms": round(statistics.median(times), 2),
        "p99_ms": round(percentile99(times), 2),
    }


if __name__ == "__main__":
    sys.exit(main())
