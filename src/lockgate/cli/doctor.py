"""`lockgate doctor`."""

from pathlib import Path

import click

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.pipeline.doctor import Health, diagnose

_MARKS = {Health.OK: ("ok", "green"), Health.DEGRADED: ("degraded", "yellow"), Health.MISSING: ("missing", "red")}


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(directory: Path | None, as_json: bool) -> int:
    """Say what is missing on this machine, and in the project in DIRECTORY.

    Exit code 1 when something is missing without which a command would fail.
    """
    symptoms = diagnose(directory)
    if as_json:
        emit_json(symptoms)
    else:
        for symptom in symptoms:
            mark, colour = _MARKS[symptom.health]
            click.echo(f"{click.style(f'{mark:<9}', fg=colour)} {symptom.name:<15} {printable(symptom.detail)}")
            if symptom.remedy:
                click.echo(f"{'':<26}{printable(symptom.remedy)}")
    return EXIT_HELD if any(symptom.health is Health.MISSING for symptom in symptoms) else EXIT_OPEN
