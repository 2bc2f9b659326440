"""`lockgate run`."""

import shutil
import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.core.gate import Decision
from lockgate.core.project import open_project
from lockgate.pipeline.run import take_through, trust_from
from lockgate.pipeline.summary import summarise
from lockgate.pipeline.talk import invitation
from lockgate.report import LiveBoard, print_summary, to_json, write_reports


def _command() -> str:
    """How this user calls us: by name where it is on the path, else as it was called now."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "lockgate" and not shutil.which("lockgate") else "lockgate"


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--trust", type=click.Path(path_type=Path, dir_okay=False), help="Trust file, kept outside the project.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; progress goes to standard error.")
def run(directory: Path, trust: Path | None, as_json: bool) -> int:
    """Take the project in DIRECTORY through its gates: data, train, supply, redteam, deploy, monitor.

    Exit code 0 when every gate is OPEN, 1 when one is HELD, 2 when the run could not take place.
    """
    project = open_project(directory)
    trusted = trust_from(trust, project=project.root)
    console = Console(stderr=as_json, highlight=False)
    with LiveBoard(console) as board:
        outcome = take_through(project, trust=trusted, observer=board)
    report = summarise(project, outcome, shown_as=str(directory))
    write_reports(report, project.state / "report")
    if as_json:
        click.echo(to_json(report), nl=False)
    else:
        print_summary(console, msgspec.structs.replace(report, endpoint="", talk=""))
        if report.decision is Decision.OPEN and project.config.serve:
            click.echo()
            for label, line in invitation(project, command=_command(), shown_as=str(directory)):
                click.echo(f"  {label:<11}{line}")
    return EXIT_OPEN if report.decision is Decision.OPEN else EXIT_HELD
