"""`lockgate key`: API keys of the endpoint."""

from pathlib import Path

import click

from lockgate import gateway
from lockgate.cli.output import emit_json, printable
from lockgate.core.project import open_project

_PROJECT = click.option(
    "--project",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The project's folder.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def key() -> None:
    """Create, list and revoke API keys of the endpoint. The project keeps only an HMAC of a key.

    Keys that sign evidence are another matter: see 'lockgate keys'.
    """


@key.command()
@_PROJECT
@click.option("--name", required=True, help="Who or what will use it.")
@_JSON
def create(folder: Path, name: str, as_json: bool) -> None:
    """Make a key and print it, this once."""
    key_id, secret = gateway.create(open_project(folder), name)
    if as_json:
        emit_json({"id": key_id, "key": secret})
    else:
        click.echo(f"{key_id}  {secret}")


@key.command("list")
@_PROJECT
@_JSON
def list_(folder: Path, as_json: bool) -> None:
    """List the keys by id, name and date."""
    rows = [
        {"id": item.id, "name": item.name, "created": item.created, "revoked": item.revoked}
        for item in gateway.list_keys(open_project(folder))
    ]
    if as_json:
        emit_json({"keys": rows})
        return
    for row in rows:
        state = f"revoked {row['revoked']}" if row["revoked"] else "valid"
        click.echo(f"{row['id']}  {row['created']}  {state:<8}  {printable(str(row['name']))}")


@key.command()
@_PROJECT
@click.argument("key_id")
def revoke(folder: Path, key_id: str) -> None:
    """Refuse KEY_ID from now on, also in a running endpoint."""
    gateway.revoke(open_project(folder), key_id)
    click.echo(f"Revoked {key_id}.")
