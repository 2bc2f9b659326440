"""`lockgate keys`: signing keys and trust."""

from pathlib import Path

import click

from lockgate.cli.output import emit_json
from lockgate.core.project import open_project
from lockgate.evidence import Role, create_key, list_keys, render_trust
from lockgate.evidence.signing import read_verify_key


@click.group()
def keys() -> None:
    """Create and list the keys of this machine that sign evidence, and write a trust file.

    API keys of the endpoint are another matter: see 'lockgate key'.
    """


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List the keys by role and id. Private parts are never printed."""
    found = list_keys()
    if as_json:
        emit_json({"keys": found})
        return
    if not found:
        click.echo("No key yet: one is created on first use, or by 'lockgate keys create ROLE'.")
    for info in found:
        click.echo(f"{info.role:<9} {info.keyid[:16]}  {info.path}")


@keys.command()
@click.argument("role", type=click.Choice([role.value for role in Role]))
def create(role: str) -> None:
    """Create the key of a ROLE: builder signs provenance, scanner results, approver decisions."""
    info = create_key(Role(role))
    click.echo(f"Created the {info.role} key {info.keyid[:16]} in {info.path}.")


@keys.command()
@click.option(
    "--project",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Pin the digest of this project's lockgate.yaml.",
)
def trust(folder: Path | None) -> None:
    """Print a trust file with the keys of this machine. Keep it outside the project that it judges."""
    click.echo(render_trust(open_project(folder).policy.sha256 if folder else None), nl=False)


@keys.command()
@click.argument("key_name", metavar="FILE|awskms:NAME|pkcs11:URI")
def public(key_name: str) -> None:
    """Print the public half of a key (a file, in AWS KMS, on a token), so that others can verify without it."""
    click.echo(read_verify_key(key_name).pem, nl=False)
