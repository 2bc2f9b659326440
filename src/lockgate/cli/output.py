"""How the command line speaks: text for people, one JSON document for programs."""

import contextlib
import os
import sys
import unicodedata

import click
import msgspec


def emit_json(value: object) -> None:
    """Print one JSON document, indented, and nothing else, on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=2).decode())


def fail(message: str, *, remedy: str, as_json: bool) -> None:
    """Say what went wrong on standard error, and as JSON on standard output where JSON was asked for."""
    if as_json:
        # Standard output may be what broke; standard error and the exit code say it all the same.
        with contextlib.suppress(OSError):
            emit_json({"error": {"message": message, "remedy": remedy}})
    click.echo(f"{click.style('error', fg='red', bold=True)}: {printable(message)}", err=True, color=_colour())
    if remedy:
        click.echo(f"  {printable(remedy)}", err=True, color=_colour())


def say_nothing_found(wanted: str) -> None:
    """Say on standard error why a scan of places without such files has nothing to show."""
    click.echo(f"Nothing to examine: no {wanted} at these paths or below.", err=True)


def printable(text: str) -> str:
    """Replace control, format and surrogate characters, so that a file name cannot drive the terminal."""
    return "".join("�" if unicodedata.category(char) in {"Cc", "Cf", "Cs"} and char != "\n" else char for char in text)


def _colour() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
