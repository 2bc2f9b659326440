"""`lockgate key`: API keys of the endpoint."""

import datetime as dt
import re
import time
from pathlib import Path

import click
import msgspec

from lockgate.cli.output import emit_json, printable
from lockgate.core.project import open_project
from lockgate.gateway import keys

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"([0-9]{1,6})([smhdw])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_LENGTH_S = 100 * 366 * 86_400


def _length(text: str) -> float:
    """Seconds of a length of time such as `90d`."""
    found = _LENGTH.fullmatch(text)
    if found is None or int(found[1]) * _UNITS[found[2]] > _MAX_LENGTH_S:
        raise click.BadParameter("write a number and one of s, m, h, d, w, for instance 90d")
    return float(int(found[1]) * _UNITS[found[2]])


def _expiry(text: str) -> float:
    """Seconds since 1970 of a length of time from now, a day that still counts, or a moment."""
    if _LENGTH.fullmatch(text):
        return time.time() + _length(text)
    wrong = click.BadParameter("write 90d, a day such as 2027-01-31, or a moment with its time zone")
    try:
        if _DAY.fullmatch(text):
            day = dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
            return (day + dt.timedelta(days=1)).timestamp()
        moment = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise wrong from error
    if moment.tzinfo is None:
        raise wrong
    return moment.timestamp()


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
    """Create, list, revoke and rotate API keys of the endpoint. The project keeps only an HMAC of a key.

    Keys that sign evidence are another matter: see 'lockgate keys'.
    """


@key.command()
@_PROJECT
@click.option("--name", required=True, help="Who or what will use it.")
@click.option("--expires", type=_expiry, help="When it ends: 90d, 2027-01-31 (that day still counts), or a moment.")
@click.option("--tenant", default="", help="Whose traffic it carries.")
@click.option("--scope", "scopes", multiple=True, help="A word that rules can ask for. Can be repeated.")
@_JSON
def create(folder: Path, name: str, expires: float | None, tenant: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a key and print it, this once."""
    project = open_project(folder)
    made = keys.create(project, name, expires_at=expires, tenant=tenant, scopes=scopes)
    _show(*made, as_json=as_json)
    serve = project.config.serve
    rules, cedar = (serve.rules, serve.cedar) if serve else (None, "")
    if scopes and not cedar and not any("caller.scopes" in rule.when for rule in rules or ()):
        click.echo("No rule in 'serve.rules' speaks of caller.scopes: a scope by itself forbids nothing.", err=True)


@key.command("list")
@_PROJECT
@_JSON
def list_(folder: Path, as_json: bool) -> None:
    """List the keys by id, date, state, tenant, name and scopes."""
    project = open_project(folder)
    states = keys.key_states(project)
    rows = [
        {
            "id": item.id,
            "name": item.name,
            "created": item.created,
            "state": states.get(item.id, ""),
            "expires": item.expires or "",
            "revoked": item.revoked or "",
            "tenant": item.tenant or "",
            "scopes": list(item.scopes),
            "replaces": item.replaces or "",
        }
        for item in keys.list_keys(project)
    ]
    if as_json:
        emit_json({"keys": rows})
        return
    for row in rows:
        ends = f"until {row['expires']}" if row["expires"] and row["state"] == "valid" else ""
        words = [row["id"], row["created"], f"{row['state']:<8}", ends, row["tenant"], row["name"], *row["scopes"]]
        # A row that somebody wrote into the file by hand must not look like two.
        click.echo("  ".join(printable(str(word)).replace("\n", "\ufffd") for word in words if word))


@key.command()
@_PROJECT
@click.argument("key_id")
def revoke(folder: Path, key_id: str) -> None:
    """Refuse KEY_ID from now on, also in a running endpoint."""
    keys.revoke(open_project(folder), key_id)
    click.echo(f"Revoked {key_id}.")


@key.command()
@_PROJECT
@click.argument("key_id")
@click.option(
    "--grace", type=_length, default="24h", show_default=True, help="How long the old key still counts; 0s: not."
)
@click.option("--expires", type=_expiry, help="When the new key ends; by default it lives as long as the old one.")
@_JSON
def rotate(folder: Path, key_id: str, grace: float, expires: float | None, as_json: bool) -> None:
    """Make a successor of KEY_ID with the same name, tenant and scopes, and print it, this once."""
    project = open_project(folder)
    made = keys.rotate(project, key_id, grace_s=grace, expires_at=expires)
    _show(*made, as_json=as_json)
    ends = next((item.expires for item in keys.list_keys(project) if item.id == key_id), None)
    if ends is not None:
        click.echo(f"{key_id} counts until {ends}." if grace else f"{key_id} does not count any more.", err=True)
    if key_id.encode() in msgspec.json.encode(project.config.serve):
        click.echo(f"lockgate.yaml speaks of {key_id}: what stands there does not hold for {made[0]}.", err=True)


def _show(key_id: str, secret: str, *, as_json: bool) -> None:
    if as_json:
        emit_json({"id": key_id, "key": secret})
    else:
        click.echo(f"{key_id}  {secret}")
