"""`lockgate init`."""

from pathlib import Path

import click

from lockgate.core.config import CONFIG_NAME
from lockgate.core.errors import ConfigError
from lockgate.pipeline.scaffold import scaffold


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--force", is_flag=True, help=f"Replace an existing {CONFIG_NAME}.")
def init(directory: Path, force: bool) -> None:
    """Write a commented lockgate.yaml for the project in DIRECTORY, from what lies there.

    Training rows, documents, model files and prompts are found by their names; models are pinned by their digests.
    """
    path = directory / CONFIG_NAME
    if path.exists() and not force:
        raise ConfigError(f"{path} exists already.", remedy="Edit it, or pass --force to replace it.")
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text(scaffold(directory), encoding="utf-8")
    click.echo(f"Wrote {path}.")
    click.echo("Next: read it, and uncomment what your project has (serve, redteam) or does not have (absent). Then:")
    click.echo(f"  lockgate manifest {directory}")
    click.echo(f"  lockgate run {directory}")
