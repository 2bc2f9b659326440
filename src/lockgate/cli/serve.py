"""`lockgate serve`."""

from pathlib import Path

import click

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.core.project import open_project
from lockgate.gateway import Running
from lockgate.pipeline import serving
from lockgate.pipeline.run import trust_from
from lockgate.pipeline.talk import local_key


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--trust", type=click.Path(path_type=Path, dir_okay=False), help="Trust file, kept outside the project.")
@click.option("--observe", is_flag=True, help="Start although the deploy gate is HELD. This is recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document when the endpoint answers.")
def serve(directory: Path, port: int, trust: Path | None, observe: bool, as_json: bool) -> int:
    """Serve the guarded, OpenAI-compatible endpoint of the project in DIRECTORY on loopback.

    Starts only when the deploy gate is OPEN for exactly the files that lie there now; exit code 1 otherwise.
    """
    project = open_project(directory)
    trusted = trust_from(trust, project=project.root)
    admission = serving.consider(project, trusted)
    if admission.reasons and not observe:
        if as_json:
            emit_json({"served": False, "reasons": admission.reasons})
        click.echo("Not served: the deploy gate does not admit this application.", err=True)
        for reason in admission.reasons:
            click.echo(f"  - {printable(reason)}", err=True)
        click.echo(f"Run 'lockgate run {directory}', or pass --observe to start all the same (recorded).", err=True)
        return EXIT_HELD
    for reason in admission.reasons:
        click.secho(f"OBSERVE: served although HELD: {printable(reason)}", fg="red", bold=True, err=True)
    key = local_key(project)

    def announce(running: Running) -> None:
        if as_json:
            emit_json({"served": True, "base_url": running.base_url, "model": running.model, "held": admission.reasons})
            return
        click.echo(f"base_url  {running.base_url}")
        click.echo(f"api_key   {key}")
        click.echo(f"model     {running.model}")
        click.echo("Guarded. Ctrl-C stops it.")

    serving.serve(project, trusted, admission, port=port, on_ready=announce)
    return EXIT_OPEN
