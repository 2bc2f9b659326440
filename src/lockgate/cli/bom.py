"""`lockgate bom`."""

import datetime as dt
import sys
from pathlib import Path

import click
import msgspec

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import printable
from lockgate.pipeline.billing import Form, write_bom


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; standard output without.")
@click.option("--reproducible", is_flag=True, help="No time, and a serial number made from the content.")
@click.option(
    "--format", "form", type=click.Choice(["cyclonedx", "spdx"]), default="cyclonedx", help="CycloneDX 1.6 or SPDX 2.3."
)
def bom(directory: Path, out: Path | None, reproducible: bool, form: Form) -> int:
    """Write a bill of materials of the application in DIRECTORY.

    It lists models with their cards, data sets, prompts, libraries, and the models, endpoints, MCP servers and prompts
    that code names. Exit code 1 when something could not be read: the bill is written, and says that it is incomplete.
    """
    document, inventory = write_bom(directory, at=None if reproducible else dt.datetime.now(dt.UTC), form=form)
    body = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    if out is None:
        sys.stdout.buffer.write(body)
    else:
        out.write_bytes(body)
        counts = (
            (len(inventory.models), "models"),
            (len(inventory.data), "data files"),
            (len(inventory.prompts), "prompts"),
            (len(inventory.libraries), "libraries"),
            (len(inventory.found), "places in code"),
        )
        shown = ", ".join(f"{count} {noun}" for count, noun in counts)
        click.echo(f"Wrote {printable(str(out))}: {shown}.")
    for reason in inventory.unread:
        click.secho(f"NOT READ  {printable(reason)}", fg="red", err=True)
    return EXIT_HELD if inventory.unread else EXIT_OPEN
