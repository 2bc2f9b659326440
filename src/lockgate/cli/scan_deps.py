"""`lockgate scan deps`."""

import datetime as dt
import time
from pathlib import Path

import click
import msgspec

from lockgate.cli.entry import EXIT_ERROR, EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable, say_nothing_found
from lockgate.cli.scan_code import write_beside
from lockgate.report import counted, shown
from lockgate.supply.deps import (
    BillWatch,
    DependencyResult,
    DependencyResults,
    ScanOptions,
    default_folder,
    results_of,
    scan_dependencies,
)

_COLOURS = {"passed": "green", "failed": "red", "errored": "yellow"}
_MAX_REASONS = 5


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--db", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder of the database.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--sarif", type=click.Path(path_type=Path, dir_okay=False), help="Also write SARIF to this file.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Also write JUnit XML to this file.")
@click.option("--code", type=click.Path(path_type=Path, file_okay=False, exists=True), help="The application's code.")
@click.option("--allow-licence", "licences", multiple=True, help="An allowed licence (SPDX id); may be repeated.")
@click.option("--max-age", type=click.IntRange(0), default=7, show_default=True, help="Days since the last update.")
@click.option("--max-data-age", type=click.IntRange(0), help="Days since the newest advisory; unlimited without.")
@click.option(
    "--watch",
    "bills",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A deployed bill of materials (CycloneDX): print an event for each vulnerability that is new.",
)
def deps(
    paths: tuple[Path, ...],
    folder: Path | None,
    as_json: bool,
    sarif: Path | None,
    junit: Path | None,
    code: Path | None,
    licences: tuple[str, ...],
    max_age: int,
    max_data_age: int | None,
    bills: tuple[Path, ...],
) -> int:
    """Examine what an application is built from: the requirements and lock files PATHS, and all below a folder.

    Every dependency is matched with the local database of advisories (see 'lockgate db update'); nothing is installed,
    resolved or asked of the network. With --code what the code imports comes first.

    Exit code 0 when every dependency passed, 1 when one did not, 2 when none could be examined. A dependency that
    cannot be looked up, also because the database is missing or too old, is errored and never passed.

    With --watch: exit code 0 when nothing is new, 1 when something is, 2 when it cannot be told.
    """
    options = ScanOptions(
        database=folder or default_folder(),
        now=dt.datetime.now(dt.UTC),
        max_age=dt.timedelta(days=max_age),
        max_data_age=None if max_data_age is None else dt.timedelta(days=max_data_age),
        licences=frozenset(licences),
        code=code,
    )
    if bills:
        if paths:
            raise click.UsageError("Name either PATHS or --watch.")
        return _watch(bills, options)
    if not paths:
        raise click.UsageError("Name a file of dependencies.")
    clock = time.monotonic()
    scan = scan_dependencies(paths, options)
    found = results_of(scan, started=options.now, seconds=time.monotonic() - clock)
    write_beside(found.report, sarif, junit)
    if as_json:
        _emit(found)
    else:
        _show(found)
    return _exit_code(found)


def _exit_code(found: DependencyResults) -> int:
    outcomes = {item.outcome for item in (*found.dependencies, *found.files)}
    if not found.dependencies or not outcomes - {"errored"}:
        return EXIT_ERROR
    return EXIT_OPEN if outcomes == {"passed"} else EXIT_HELD


def _emit(found: DependencyResults) -> None:
    emit_json(
        {
            "files": found.files,
            "dependencies": found.dependencies,
            "database": found.database,
            "database_problem": found.database_problem,
            "statistics": found.statistics,
        }
    )


def _watch(bills: tuple[Path, ...], options: ScanOptions) -> int:
    watch = BillWatch(options)
    found = watch.look(bills)
    for event in found.events:
        click.echo(msgspec.json.encode(event).decode())
    watch.remember()
    for reason in found.unexamined:
        click.secho(f"NOT EXAMINED  {printable(reason)}", fg="yellow", err=True)
    click.echo(f"{len(found.events):,} new, {found.known:,} known.", err=True)
    if found.unexamined:
        return EXIT_ERROR
    return EXIT_HELD if found.events else EXIT_OPEN


def _show(found: DependencyResults) -> None:
    for item in found.files:
        for reason in item.reasons:
            click.echo(
                f"{_word(item.outcome)} {printable(item.path)}\n         {reason.check}  {shown(reason.message)}"
            )
    for item in found.dependencies:
        if item.outcome != "passed":
            _show_one(item)
    counts = {word: sum(item.outcome == word for item in found.dependencies) for word in _COLOURS}
    tally = ", ".join(f"{count:,} {word}" for word, count in counts.items())
    notes = sum(len(item.notes) for item in found.dependencies)
    total = "1 dependency" if len(found.dependencies) == 1 else f"{len(found.dependencies):,} dependencies"
    click.echo(f"\n{total}: {tally}; {counted(notes, 'finding')} of low severity.")
    if not found.files:
        say_nothing_found("file of dependencies")
        return
    if found.database is not None:
        click.echo(
            f"Vulnerability data of {found.database.data_at:%Y-%m-%d}, {found.database.advisories:,} advisories."
        )
    if found.database_problem:
        click.secho(printable(found.database_problem), fg="red", err=True)


def _show_one(item: DependencyResult) -> None:
    place = f"{item.path}:{item.line}" if item.line else item.path
    click.echo(f"{_word(item.outcome)} {printable(f'{item.name} {item.version}'.rstrip())}  {printable(place)}")
    for reason in item.reasons[:_MAX_REASONS]:
        click.echo(f"         {reason.check}  {shown(reason.message)}")
    if len(item.reasons) > _MAX_REASONS:
        click.echo(f"         and {len(item.reasons) - _MAX_REASONS} more")


def _word(outcome: str) -> str:
    return click.style(f"{outcome:<8}", fg=_COLOURS[outcome])
