"""`lockgate db`."""

import datetime as dt
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TextColumn

from lockgate.cli.entry import EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.supply.deps import Database, DatabaseInfo, default_folder
from lockgate.supply.deps import update as update_database

_DIGEST_LENGTH = 64


class _Sha256(click.ParamType[str]):
    """64 hex digits."""

    name = "sha256"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The digest in lower case."""
        digits = value.lower()
        if len(digits) != _DIGEST_LENGTH or set(digits) - set("0123456789abcdef"):
            self.fail("A SHA-256 digest has 64 hex digits.", param, ctx)
        return digits


@click.group()
def db() -> None:
    """Keep the vulnerability database of 'lockgate scan deps'."""


@db.command()
@click.option("--from", "source", required=True, help="A zip archive, a folder, or an https address, in OSV's format.")
@click.option("--db", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder of the database.")
@click.option("--sha256", type=_Sha256(), help="Digest that the archive must have.")
@click.option("--older", is_flag=True, help="Accept data that is older than what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; progress goes to standard error.")
def update(source: str, folder: Path | None, sha256: str | None, older: bool, as_json: bool) -> int:
    """Replace the database by the advisories that a source holds, such as OSV's all.zip of PyPI.

    The database stays as it is, and the exit code is 2, when a single file of the source cannot be read, when it holds
    no advisory about PyPI or npm packages, or when its data is older than what is there.
    """
    target = folder or default_folder()
    console = Console(stderr=True, highlight=False)
    with Progress(
        TextColumn("{task.description}"), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)

        def advance(count: int) -> None:
            if count % 100 == 0:
                bar.update(task, description=f"{count:,} advisories read")

        info = update_database(
            source, target, now=dt.datetime.now(dt.UTC), sha256=sha256 or "", older=older, progress=advance
        )
    _say(info, as_json=as_json)
    return EXIT_OPEN


@db.command()
@click.option("--db", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder of the database.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(folder: Path | None, as_json: bool) -> int:
    """Say how old the database is and where it comes from. Exit code 2 when there is none."""
    with Database(folder or default_folder()) as database:
        _say(database.info, as_json=as_json)
    return EXIT_OPEN


def _say(info: DatabaseInfo, *, as_json: bool) -> None:
    if as_json:
        emit_json(info)
        return
    click.echo(
        f"{info.advisories:,} advisories about {info.packages:,} packages, {info.withdrawn:,} withdrawn ones left out."
    )
    click.echo(f"Newest of {info.data_at:%Y-%m-%d %H:%M} UTC, updated {info.updated_at:%Y-%m-%d %H:%M} UTC.")
    click.echo(f"From {printable(info.source)}, sha256 {info.sha256}.")
