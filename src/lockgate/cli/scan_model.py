"""`lockgate scan model`."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lockgate.cli.entry import EXIT_ERROR, EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable, say_nothing_found
from lockgate.cli.scan_code import write_beside
from lockgate.pipeline.scan_model import FileResult, ModelScan, scan_models
from lockgate.report import counted, name, shown

_COLOURS = {"passed": "green", "failed": "red", "errored": "yellow"}
_MAX_REASONS = 5


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; progress goes to standard error.")
@click.option("--sarif", type=click.Path(path_type=Path, dir_okay=False), help="Also write SARIF to this file.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Also write JUnit XML to this file.")
@click.option("--fresh", is_flag=True, help="Read everything again, also what an earlier scan has read.")
def model(paths: tuple[str, ...], as_json: bool, sarif: Path | None, junit: Path | None, fresh: bool) -> int:
    """Examine model files: every file at PATHS and below, each by its content. Nothing is loaded or executed.

    A file passes when all of its bytes are accounted for and it does only what such files need. It fails when it
    breaks its format or does more. It is errored when it could not be examined as a whole.

    A path such as s3://BUCKET/PREFIX is fetched to this machine first (extra 's3'; the usual AWS_* variables count).

    Exit code 0 when everything passed, 1 when something did not, 2 when nothing could be examined.
    """
    found = _scan(paths, fresh=fresh)
    write_beside(found.report, sarif, junit)
    if as_json:
        emit_json({"files": found.files})
    else:
        _show(found.files)
    outcomes = {item.outcome for item in found.files}
    if not outcomes - {"errored"}:
        return EXIT_ERROR
    return EXIT_OPEN if outcomes == {"passed"} else EXIT_HELD


def _scan(paths: tuple[str, ...], *, fresh: bool) -> ModelScan:
    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def advance(done: int, total: int, path: str) -> None:
            bar.update(task, completed=done, total=total, description=name(path))

        return scan_models(paths, advance, fresh=fresh)


def _show(files: tuple[FileResult, ...]) -> None:
    for item in sorted(files, key=lambda item: (item.outcome != "passed", item.path)):
        outcome = click.style(f"{item.outcome:<8}", fg=_COLOURS[item.outcome])
        click.echo(f"{outcome} {item.format:<12} {printable(item.path)}")
        for reason in item.reasons[:_MAX_REASONS]:
            message = reason.message.removeprefix(f"{item.path}: ")
            click.echo(f"         {reason.check}  {shown(message)}")
        if len(item.reasons) > _MAX_REASONS:
            click.echo(f"         and {len(item.reasons) - _MAX_REASONS} more")
    counts = {word: sum(item.outcome == word for item in files) for word in _COLOURS}
    covered = sum(item.covered for item in files)
    total = sum(item.bytes for item in files)
    tally = ", ".join(f"{count:,} {word}" for word, count in counts.items())
    click.echo(f"\n{counted(len(files), 'file')}: {tally}; {covered:,} of {total:,} bytes accounted for.")
    if not files:
        say_nothing_found("file")
