"""`lockgate scan`: a group whose subcommands are imported only when they are used."""

from typing import ClassVar

import click

from lockgate.cli.entry import LazyGroup


class _Scans(LazyGroup):
    """What can be scanned, by name."""

    commands_by_name: ClassVar[dict[str, tuple[str, str]]] = {
        "deps": ("lockgate.cli.scan_deps:deps", "Match dependencies with known vulnerabilities, offline."),
        "model": ("lockgate.cli.scan_model:model", "Examine model files without loading them."),
        "code": ("lockgate.cli.scan_code:code", "Examine Python code, notebooks and MCP settings."),
        "secrets": ("lockgate.cli.scan_secrets:secrets", "Search files and git history for credentials."),
    }


@click.group(cls=_Scans)
def scan() -> None:
    """Look for danger in what comes from outside: models, dependencies, code, secrets.

    Exit codes: 0 everything passed, 1 something did not, 2 nothing could be examined.
    """
