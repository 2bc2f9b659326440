"""`lockgate approve`."""

from pathlib import Path

import click

from lockgate.cli.output import printable
from lockgate.core.project import open_project
from lockgate.evidence import Role, key_for
from lockgate.evidence.signing import read_signing_key
from lockgate.pipeline.approve import write_approval


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--key",
    "key_name",
    metavar="FILE|awskms:NAME|pkcs11:URI",
    help="Private ECDSA P-256 key: a PEM file, in AWS KMS or on a token. Default: the approver's key of this machine.",
)
@click.option("--reason", default="Read and approved.", show_default=True, help="Why, in your words.")
def approve(directory: Path, key_name: str | None, reason: str) -> None:
    """Sign that the project in DIRECTORY, every file as it lies there now, may be deployed.

    The next run files the approval in the ledger. How many keys must approve stands in the trust file.
    """
    key = read_signing_key(key_name) if key_name else key_for(Role.APPROVER)
    path, count = write_approval(open_project(directory), key, reason)
    click.echo(f"Approved {count} files with key {key.public.keyid[:12]}: {printable(str(path))}")
