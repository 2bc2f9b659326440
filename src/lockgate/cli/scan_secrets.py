"""`lockgate scan secrets`."""

from pathlib import Path

import click

from lockgate.cli.output import emit_json, printable, say_nothing_found
from lockgate.cli.scan_code import exit_code, show_outcome, show_reasons, tally, with_bar, write_beside
from lockgate.pipeline.scan_secrets import SecretOptions, SecretScan, scan_secrets

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON; progress goes to standard error.")
@click.option("--sarif", type=_FILE, help="Also write SARIF to this file.")
@click.option("--junit", type=_FILE, help="Also write JUnit XML to this file.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave these paths out, for instance 'tests/**'.")
@click.option("--no-history", is_flag=True, help="Do not read the history of git repositories.")
@click.option("--baseline", type=_FILE, help="Secrets that are listed there pass.")
@click.option("--write-baseline", type=_FILE, help="Write a baseline of all that was found.")
@click.option("--baseline-key", type=_FILE, help="Key of the baseline; made under LOCKGATE_HOME by default.")
@click.option("--fresh", is_flag=True, help="Search everything again, also what an earlier scan has searched.")
def secrets(
    paths: tuple[Path, ...],
    as_json: bool,
    sarif: Path | None,
    junit: Path | None,
    exclude: tuple[str, ...],
    no_history: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    baseline_key: Path | None,
    fresh: bool,
) -> int:
    """Search files, and the history of repositories whose top is named, for credentials. Values are never shown.

    Exit code 0 when everything passed, 1 when something did not, 2 when nothing could be examined.
    """
    options = SecretOptions(
        exclude=exclude,
        history=not no_history,
        fresh=fresh,
        baseline=baseline,
        write=write_baseline,
        key=baseline_key,
    )
    found = with_bar(lambda advance: scan_secrets(paths, advance, options))
    write_beside(found.report, sarif, junit)
    if as_json:
        emit_json({"files": found.files, "repositories": found.repositories, "left_out": found.left_out})
    else:
        _show(found)
    return exit_code([item.outcome for item in found.files])


def _show(found: SecretScan) -> None:
    for item in found.files:
        if item.outcome != "passed":
            show_outcome(item.outcome, item.path)
            show_reasons(item.path, item.reasons)
    for left_out in found.left_out:
        click.echo(f"left out {printable(left_out.path)}: {left_out.reason}")
    for repository in found.repositories:
        size = f"{repository.objects:,} versions and messages, {repository.bytes:,} bytes"
        click.echo(f"history  {printable(repository.path)}: {size}")
    known = sum(item.known for item in found.files)
    listed = f", {known:,} known secrets" if known else ""
    outcomes = [item.outcome for item in found.files]
    total = sum(item.bytes for item in found.files)
    entries = "1 entry" if len(found.files) == 1 else f"{len(found.files):,} entries"
    click.echo(f"\n{entries}: {tally(outcomes)}{listed}; {total:,} bytes searched.")
    if not found.files:
        say_nothing_found("file")
