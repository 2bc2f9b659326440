"""`lockgate serve`."""

from pathlib import Path

import click

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.core.home import home
from lockgate.core.project import open_project
from lockgate.gateway import Running
from lockgate.gateway.telemetry import TOKEN_NAME
from lockgate.pipeline import serving
from lockgate.pipeline.run import trust_from
from lockgate.pipeline.talk import local_key


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option("--trust", type=click.Path(path_type=Path, dir_okay=False), help="Trust file, kept outside the project.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option("--admin-port", type=click.IntRange(0, 65535), help="Open the admin plane (metrics, reload) here.")
@click.option("--observe", is_flag=True, help="Start although the deploy gate is HELD. This is recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document when the endpoint answers.")
def serve(
    directory: Path, port: int, trust: Path | None, workers: int, admin_port: int | None, observe: bool, as_json: bool
) -> int:
    """Serve the guarded, OpenAI-compatible endpoint of the project in DIRECTORY on loopback.

    Starts only when the deploy gate is OPEN for exactly the files that lie there now; exit code 1 otherwise. SIGHUP
    reads the settings again without dropping a request; SIGTERM ends after the requests in progress.
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
    if surfaces := project.config.serve.fail_open if project.config.serve else ():
        named = ", ".join(surfaces)
        click.secho(f"FAIL OPEN: what the guard cannot judge travels on {named} (recorded).", fg="red", err=True)
    key = local_key(project)

    def announce(running: Running) -> None:
        if as_json:
            document = {"served": True, "base_url": running.base_url, "model": running.model, "held": admission.reasons}
            emit_json(document | ({"admin_url": running.admin_url} if running.admin_url else {}))
            return
        click.echo(f"base_url  {running.base_url}")
        click.echo(f"api_key   {key}")
        click.echo(f"model     {running.model}")
        if running.admin_url:
            click.echo(f"admin     {running.admin_url} (token: {home() / TOKEN_NAME})")
        click.echo("Guarded. Ctrl-C stops it.")

    def tell(problem: str) -> None:
        done = f"Not reloaded, the old settings stay: {printable(problem)}" if problem else "Reloaded."
        click.echo(done, err=True)

    serving.serve(
        project,
        trusted,
        admission,
        port=port,
        on_ready=announce,
        workers=workers,
        admin_port=admin_port,
        on_reload=tell,
    )
    return EXIT_OPEN
