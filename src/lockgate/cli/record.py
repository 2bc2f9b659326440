"""`lockgate record`."""

from pathlib import Path

import click

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.core.project import open_project
from lockgate.pipeline.recording import record_command
from lockgate.pipeline.run import trust_from


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--project", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--input", "inputs", multiple=True, help="File or folder that the command may read. Repeatable.")
@click.option("--output", help="The one folder that it may write.")
@click.option("--timeout", "timeout_s", type=click.IntRange(1), help="Seconds after which it is stopped.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def record(
    folder: Path,
    inputs: tuple[str, ...],
    output: str | None,
    timeout_s: int | None,
    as_json: bool,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND isolated and sign what went in and what came out (SLSA provenance v1).

    What is not given comes from the 'train' section of lockgate.yaml. With bubblewrap on this machine the command has
    no network, reads only its inputs and writes only its output; without it, the evidence says so. Exit code 1 when
    the command failed or left nothing behind.

    Example: lockgate record --input data --output build/model -- python train.py
    """
    project = open_project(folder)
    recorded = record_command(
        project,
        trust_from(None, project=project.root),
        command=command,
        inputs=inputs,
        output=output,
        timeout_s=timeout_s,
    )
    recording, entry = recorded.recording, recorded.entry
    if as_json:
        emit_json({"recording": recording, "entry": entry})
    else:
        click.echo(printable(recording.log.tail), nl=not recording.log.tail.endswith("\n"))
        for problem in recording.problems:
            click.secho(printable(problem), fg="red", err=True)
        isolation = recording.sandbox if recording.sandbox != "none" else f"none ({recording.sandbox_reason})"
        click.echo(f"isolation  {printable(isolation)}")
        click.echo(f"inputs     {len(recording.materials)} files")
        for ref in recording.products:
            click.echo(f"product    {ref.sha256[:16]}  {printable(ref.uri)}")
        if entry:
            click.echo(f"evidence   entry {entry.seq} of {project.state / 'ledger.db'}")
    return EXIT_OPEN if recording.kept and recording.exit_code == 0 else EXIT_HELD
