"""`lockgate manifest`."""

from pathlib import Path

import click

from lockgate.pipeline.approve import write_manifest


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def manifest(directory: Path) -> None:
    """Write the integrity manifest of the project in DIRECTORY.

    Do this after every change that you mean: the data gate holds on any file that differs from the manifest.
    """
    path, count = write_manifest(directory)
    click.echo(f"Wrote {path} with {count} files.")
