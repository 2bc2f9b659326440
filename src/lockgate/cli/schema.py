"""`lockgate schema`."""

import click

from lockgate.cli.output import emit_json
from lockgate.core import config


@click.command()
def schema() -> None:
    """Print the JSON schema of lockgate.yaml (2020-12), for editors and for CI."""
    emit_json(config.schema())
