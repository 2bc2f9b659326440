"""`lockgate explain`."""

import click

from lockgate.cli.output import emit_json
from lockgate.pipeline import manual


@click.command()
@click.argument("check_id", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(check_id: str | None, as_json: bool) -> None:
    """Print the manual page of CHECK_ID (for instance LG-DATA-002); without one, list all checks."""
    if check_id is None:
        listed = manual.pages()
        if as_json:
            emit_json(listed)
            return
        for page in listed:
            severity = dict(page.facts)["Severity"]
            click.echo(f"{page.id:<16} {severity:<9} {page.title}")
        return
    shown = manual.page(check_id)
    if as_json:
        emit_json(shown)
    else:
        click.echo(manual.as_text(shown))
