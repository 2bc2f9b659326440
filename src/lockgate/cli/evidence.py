"""`lockgate evidence`: what was signed, and whether it holds."""

from pathlib import Path

import click
import msgspec

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.core.errors import ConfigError
from lockgate.core.project import open_project
from lockgate.evidence import Ledger, LedgerReport, Trust, first_use_trust, load_trust, open_envelope, verify_ledger

_DIRECTORY = click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
_TRUST = click.option("--trust", "trust_file", type=click.Path(path_type=Path, dir_okay=False), help="Trust file.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_MAX_CHECKPOINT = 1 << 16


@click.group()
def evidence() -> None:
    """List, show and verify the signed evidence of a project."""


@evidence.command("list")
@_DIRECTORY
@_TRUST
@_JSON
def list_(directory: Path, trust_file: Path | None, as_json: bool) -> int:
    """List the entries of the ledger whose signatures hold. Exit code 1 when something in it does not verify."""
    report = verify_ledger(_state(directory), _trust(trust_file))
    rows = [
        {
            "seq": entry.seq,
            "run": entry.run,
            "stage": entry.stage,
            "predicate_type": entry.predicate_type,
            "role": entry.role,
            "keyid": entry.keyid,
            "sha256": entry.sha256,
            "subjects": len(entry.subjects),
        }
        for entry in report.entries
    ]
    if as_json:
        emit_json({"entries": rows, "problems": report.problems})
    else:
        for row in rows:
            click.echo(
                f"{row['seq']:>5}  {row['run']}  {row['stage']:<8} {row['role']:<9} "
                f"{row['subjects']:>6} subjects  {row['predicate_type']}"
            )
        _print_problems(report)
    return EXIT_HELD if report.problems else EXIT_OPEN


@evidence.command()
@_DIRECTORY
@click.argument("name")
@click.option("--envelope", is_flag=True, help="Print the signed envelope instead of the statement in it.")
def show(directory: Path, name: str, envelope: bool) -> None:
    """Print the statement of the entry with number, or digest prefix, NAME. Nothing is verified here."""
    with Ledger.open_readonly(_state(directory)) as ledger:
        entry = ledger.get(int(name) if name.isdecimal() and len(name) < 12 else name)  # noqa: PLR2004 - longer is a digest
    body = entry.envelope if envelope else open_envelope(entry.envelope).payload
    click.echo(msgspec.json.format(body, indent=2).decode())


@evidence.command()
@_DIRECTORY
@_TRUST
@click.option(
    "--checkpoint",
    "kept",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A checkpoint that you kept elsewhere: excludes a rollback.",
)
@_JSON
def verify(directory: Path, trust_file: Path | None, kept: Path | None, as_json: bool) -> int:
    """Recompute the whole ledger and check every signature. Exit code 0 when all holds, 1 when something does not."""
    report = verify_ledger(_state(directory), _trust(trust_file), checkpoint=_read(kept) if kept else None)
    if as_json:
        emit_json(
            {
                "verified": not report.problems,
                "size": report.size,
                "root": report.root,
                "rollback_excluded": report.rollback_excluded,
                "problems": report.problems,
                "notes": report.notes,
            }
        )
    else:
        if not report.problems:
            click.secho(f"Verified: {report.size} entries, root {report.root}.", fg="green")
        _print_problems(report)
        for note in report.notes:
            click.echo(f"Note: {note}.")
    return EXIT_HELD if report.problems else EXIT_OPEN


@evidence.command()
@_DIRECTORY
def checkpoint(directory: Path) -> None:
    """Print the ledger's signed checkpoint. Keep it where nobody who can write the project can change it."""
    with Ledger.open_readonly(_state(directory)) as ledger:
        click.echo(ledger.checkpoint().decode("utf-8"), nl=False)


def _print_problems(report: LedgerReport) -> None:
    for problem in report.problems:
        where = f"entry {problem.seq}: " if problem.seq is not None else ""
        click.secho(f"NOT VERIFIED  {where}{printable(problem.message)}", fg="red", err=True)


def _state(directory: Path) -> Path:
    return open_project(directory).state


def _trust(path: Path | None) -> Trust:
    return load_trust(path) if path else first_use_trust()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_CHECKPOINT)
    except OSError as error:
        message = f"{path} cannot be read: {(error.strerror or 'input/output error').lower()}."
        raise ConfigError(message, remedy="Name a file that 'lockgate evidence checkpoint' printed.") from error
