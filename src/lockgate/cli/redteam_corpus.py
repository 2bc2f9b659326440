"""`lockgate redteam add`, `import` and `export`."""

import datetime as dt
from pathlib import Path

import click

from lockgate.cli.entry import EXIT_ERROR, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.core.errors import ConfigError, CoreError
from lockgate.core.files import read
from lockgate.core.subject import sha256_hex
from lockgate.redteam.corpus import BUILTIN, Entry, load, load_folder
from lockgate.redteam.exchange import FORMATS, export_attacks, import_attacks
from lockgate.redteam.goal import Goal, Leak, Personal, Say
from lockgate.redteam.intake import accept, append, propose, row_of, twins

_MAX_BYTES = 64 << 20
_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("add")
@click.argument("file", type=_FILE, required=False)
@click.option("--corpus", type=_FOLDER, required=True, help="Folder of the corpus (redteam.corpus).")
@click.option("--family", default="incident", show_default=True, help="What kind of attack it is.")
@click.option("--goal", default="leak", show_default=True, help="What counts as success: leak, personal or say:TEXT.")
@click.option("--protected", type=_FILE, help="File: values that the corpus must not hold, one a line.")
@click.option("--accept", "accepted", metavar="ID", help="Accept a proposal that you have read.")
@click.option("--reviewer", default="", help="Who read it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def add(
    file: Path | None,
    corpus: Path,
    family: str,
    goal: str,
    protected: Path | None,
    accepted: str | None,
    reviewer: str,
    as_json: bool,
) -> int:
    """Propose the transcript in FILE for the corpus, or --accept a proposal.

    The proposal lies in the corpus' folder 'review', redacted. It becomes part of the corpus when somebody accepts it.
    """
    if accepted:
        ledger = accept(accepted, reviewer=reviewer, folder=corpus)
        if as_json:
            emit_json({"version": ledger.version, "sha256": ledger.sha256, "accepted": accepted})
        else:
            click.echo(f"{printable(accepted)} is in version {ledger.version} of the corpus.")
        return EXIT_OPEN
    if file is None:
        raise click.UsageError("Give a FILE with a transcript, or --accept ID.")
    values = (
        tuple(line.strip() for line in _body(protected).decode("utf-8", "replace").splitlines()) if protected else ()
    )
    found = propose(
        _body(file), family=family, goal=_goal(goal), folder=corpus, protected=tuple(value for value in values if value)
    )
    if as_json:
        emit_json(found)
    else:
        click.echo(f"Proposed as {found.id}. Read it, then:")
        click.echo(f"  lockgate redteam add --corpus {corpus} --accept {found.id} --reviewer NAME")
        for turn in found.turns:
            click.echo(f"\n{printable(turn)}")
    return EXIT_OPEN


@click.command("import")
@click.argument("file", type=_FILE)
@click.option("--from", "source", type=click.Choice(FORMATS), required=True, help="Whose format it is.")
@click.option("--corpus", type=_FOLDER, required=True, help="Folder of the corpus to add to.")
@click.option(
    "--goal", default="leak", show_default=True, help="Goal of rows that name none: leak, personal, say:TEXT."
)
@click.option("--reviewer", required=True, help="Who chose the file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_(file: Path, source: str, corpus: Path, goal: str, reviewer: str, as_json: bool) -> int:
    """Add the attacks of another tool's FILE to a corpus. What cannot be judged is left out, and said."""
    body = _body(file)
    found = import_attacks(body, source, goal=_goal(goal))
    known = twins(found.attacks, corpus)
    fresh = [item for item in found.attacks if item.id not in known]
    left_out = found.left_out | ({"the corpus holds one like it": len(known)} if known else {})
    version = 0
    if fresh:
        today = dt.datetime.now(dt.UTC).date().isoformat()
        entries = [Entry(id=item.id, source=sha256_hex(body), reviewer=reviewer, accepted=today) for item in fresh]
        version = append([row_of(item) for item in fresh], entries, corpus).version
    if as_json:
        emit_json({"added": len(fresh), "assumed": found.assumed, "left_out": left_out, "version": version})
    else:
        click.echo(f"{len(fresh)} attacks added; {found.assumed} rows name no goal and took {goal!r}.")
        for reason, count in sorted(left_out.items()):
            click.echo(f"  {count} left out: {reason}")
    return EXIT_OPEN if fresh else EXIT_ERROR


@click.command("export")
@click.argument("file", type=_FILE)
@click.option("--to", "target", type=click.Choice(FORMATS), required=True, help="Whose format to write.")
@click.option("--corpus", type=_FOLDER, help="Folder of the corpus. [default: the built-in one]")
def export(file: Path, target: str, corpus: Path | None) -> int:
    """Write the attacks of a corpus to FILE for another tool. The half that is held out stays here."""
    attacks = (load_folder(corpus) if corpus else load(BUILTIN)).attacks
    seen = [item for item in attacks if item.half == "seen"]
    file.write_bytes(export_attacks(seen, target))
    click.echo(f"{len(seen)} attacks written.")
    return EXIT_OPEN


def _goal(text: str) -> Goal:
    if text == "leak":
        return Leak()
    if text == "personal":
        return Personal()
    kind, _, said = text.partition(":")
    if kind == "say" and said.strip():
        return Say(text=said.strip())
    raise click.UsageError("--goal is leak, personal or say:TEXT.")


def _body(path: Path) -> bytes:
    try:
        return read(path.absolute().parent, path.name, limit=_MAX_BYTES).body
    except CoreError as error:
        raise ConfigError(error.message, remedy=error.remedy) from error
