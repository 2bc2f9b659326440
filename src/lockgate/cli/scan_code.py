"""`lockgate scan code`."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lockgate.cli.entry import EXIT_ERROR, EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable, say_nothing_found
from lockgate.core.home import write_private
from lockgate.pipeline.scan_code import CodeResult, CodeScan, Reason, scan_sources
from lockgate.report import RunReport, counted, name, shown, to_junit, to_sarif

Result = TypeVar("Result")
_COLOURS = {"passed": "green", "failed": "red", "errored": "yellow"}
_MAX_REASONS = 20


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON; progress goes to standard error.")
@click.option("--sarif", type=click.Path(path_type=Path, dir_okay=False), help="Also write SARIF to this file.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Also write JUnit XML to this file.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave these paths out, for instance 'tests/**'.")
@click.option("--strict", is_flag=True, help="Checks that did not look hold, too: bandit must be installed.")
@click.option("--fresh", is_flag=True, help="Judge everything again, also what an earlier scan has judged.")
def code(
    paths: tuple[Path, ...],
    as_json: bool,
    sarif: Path | None,
    junit: Path | None,
    exclude: tuple[str, ...],
    strict: bool,
    fresh: bool,
) -> int:
    """Examine Python code, notebooks and MCP settings at PATHS and below. Nothing is imported or run.

    A file fails when a finding is at least of medium severity. It is errored when it could not be parsed.

    Exit code 0 when everything passed, 1 when something did not, 2 when nothing could be examined.
    """
    found = with_bar(lambda advance: scan_sources(paths, advance, exclude=exclude, fresh=fresh, strict=strict))
    write_beside(found.report, sarif, junit)
    if as_json:
        emit_json({"files": found.files, "left_out": found.left_out})
    else:
        _show(found)
    return exit_code([item.outcome for item in found.files])


def with_bar(scan: Callable[[Callable[[int, int, str], None]], Result]) -> Result:
    """Run a scan with a progress bar on standard error, where that is a terminal."""
    console = Console(stderr=True, highlight=False)
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def advance(done: int, total: int, path: str) -> None:
            bar.update(task, completed=done, total=total, description=name(path))

        return scan(advance)


def write_beside(report: RunReport, sarif: Path | None, junit: Path | None) -> None:
    """Write the reports that were asked for."""
    if sarif is not None:
        _write(sarif, to_sarif(report))
    if junit is not None:
        _write(junit, to_junit(report))


def _write(path: Path, body: bytes) -> None:
    # A file in the place of a device, a pipe or a link such as /dev/stdout would destroy it.
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_bytes(body)
    else:
        write_private(path, body)


def exit_code(outcomes: list[str]) -> int:
    """2 when nothing could be examined, 1 when something did not pass, else 0."""
    if not set(outcomes) - {"errored"}:
        return EXIT_ERROR
    return EXIT_OPEN if set(outcomes) == {"passed"} else EXIT_HELD


def show_reasons(path: str, reasons: tuple[Reason, ...]) -> None:
    """Print what was found in a file, a line for each."""
    for reason in reasons[:_MAX_REASONS]:
        place = f"{path}:{reason.line}" if reason.line else path
        level = f" {reason.severity}" if reason.severity else ""
        click.echo(f"         {printable(place)}  {reason.check}{level}  {shown(reason.message)}")
    if len(reasons) > _MAX_REASONS:
        click.echo(f"         and {len(reasons) - _MAX_REASONS} more")


def tally(outcomes: list[str]) -> str:
    """How many files passed, failed and were errored."""
    counts = Counter(outcomes)
    return ", ".join(f"{counts[word]:,} {word}" for word in _COLOURS)


def show_outcome(outcome: str, path: str) -> None:
    """Print a file's line."""
    click.echo(f"{click.style(f'{outcome:<8}', fg=_COLOURS[outcome])} {printable(path)}")


def _show(found: CodeScan) -> None:
    for item in found.files:
        if item.outcome != "passed" or item.reasons:
            show_outcome(item.outcome, item.path)
            show_reasons(item.path, item.reasons)
    for left_out in found.left_out:
        click.echo(f"left out {printable(left_out.path)}: {left_out.reason}")
    _show_skipped(found.files)
    lines = counted(sum(item.lines for item in found.files), "line")
    files = counted(len(found.files), "file")
    click.echo(f"\n{files}: {tally([item.outcome for item in found.files])}; {lines}.")
    if not found.files:
        say_nothing_found("Python code, notebooks or MCP settings")


def _show_skipped(files: tuple[CodeResult, ...]) -> None:
    for check, count in sorted(Counter(check for item in files for check in item.skipped).items()):
        click.echo(f"skipped  {check} on {counted(count, 'file')}: install lockgate[code] for it.")
