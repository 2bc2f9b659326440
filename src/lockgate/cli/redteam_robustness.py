"""`lockgate redteam robustness`."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import cast

import click
import msgspec

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json
from lockgate.cli.redteam_show import show_progress
from lockgate.core.errors import ConfigError, CoreError
from lockgate.core.files import read
from lockgate.guard import Guard
from lockgate.redteam.classifiers import function_scores, onnx_scores
from lockgate.redteam.robustness import KINDS, Kind, LabelledText, Scores, Share, robustness

_MAX_BYTES = 64 << 20
_HALF = 0.5
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("robustness")
@click.option("--classifier", default="guard", show_default=True, help="guard, FILE.onnx or python:module:function.")
@click.option("--data", type=_FILE, required=True, help='JSON Lines of {"text", "label"}, label 1 for attacks.')
@click.option("--attacks", "attacks", default=",".join(KINDS), show_default=True, help="Which changes to try.")
@click.option(
    "--rows",
    "most",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="Rows to try, drawn by the seed.",
)
@click.option("--steps", type=click.IntRange(1, 50), default=4, show_default=True, help="Changes in one text.")
@click.option("--threshold", type=click.FloatRange(0, 1), help="Score of class 1. [default: the guard's, else 0.5]")
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of every change.")
@click.option("--out", type=_FILE, help="Write what got through as rows to train on.")
@click.option("--least", type=click.FloatRange(0, 1), default=0.0, help="HELD where robust accuracy is below.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def robustness_(
    classifier: str,
    data: Path,
    attacks: str,
    most: int,
    steps: int,
    threshold: float | None,
    seed: int,
    out: Path | None,
    least: float,
    as_json: bool,
) -> int:
    """Change texts a little and count how often a classifier is still right.

    Exit code 0, or 1 where the lower end of robust accuracy is below --least.
    """
    kinds = [name.strip() for name in attacks.split(",") if name.strip()]
    if not kinds or not set(kinds) <= set(KINDS):
        raise click.UsageError(f"--attacks is made of {', '.join(KINDS)}.")
    rows = _rows(data)
    chosen = sorted(Random(seed).sample(range(len(rows)), min(most, len(rows))))  # noqa: S311 - a choice to repeat
    with _scores(classifier) as (scores, limit):
        found = robustness(
            [rows[place] for place in chosen],
            scores,
            threshold=limit if threshold is None else threshold,
            kinds=cast("list[Kind]", kinds),
            steps=steps,
            seed=seed,
            progress=_show_progress,
        )
    if out:
        fallen = (msgspec.structs.replace(row, source=chosen[row.source]) for row in found.fallen)
        out.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in fallen))
    if as_json:
        emit_json(msgspec.structs.replace(found, fallen=()))
    else:
        _line("accuracy", found.accuracy)
        for kind, share in found.by_attack.items():
            _line(f"after {kind}", share)
        _line("robust", found.robust)
        click.echo(f"{found.queries:,} queries; {len(found.fallen)} changed texts got another class")
    return EXIT_HELD if found.robust.wilson95[0] < least else EXIT_OPEN


def _show_progress(done: int, total: int) -> None:
    show_progress(done, total, "texts")


@contextmanager
def _scores(classifier: str) -> Generator[tuple[Scores, float]]:
    if classifier == "guard":
        guard = Guard.default()
        yield (lambda texts: [guard.explain(text).score for text in texts]), guard.threshold
    elif classifier.startswith("python:"):
        module, _, function = classifier.removeprefix("python:").partition(":")
        with function_scores(module, function) as scores:
            yield scores, _HALF
    else:
        yield onnx_scores(Path(classifier)), _HALF


def _rows(path: Path) -> list[LabelledText]:
    try:
        body = read(path.absolute().parent, path.name, limit=_MAX_BYTES).body
        return [msgspec.json.decode(line, type=LabelledText) for line in body.splitlines() if line.strip()]
    except CoreError as error:
        raise ConfigError(error.message, remedy=error.remedy) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} is not JSON Lines of text and label.", remedy="Correct it.") from error


def _line(title: str, share: Share) -> None:
    low, high = share.wilson95
    click.echo(f"{title:<18}{share.right:>6} of {share.of:<6}{share.right / share.of:>7.1%}  {low:.1%} to {high:.1%}")
