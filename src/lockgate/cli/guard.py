"""`lockgate guard`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import click
import msgspec

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.core.errors import ConfigError
from lockgate.core.verdict import Action, Origin, Verdict
from lockgate.guard import Guard

_ORIGIN = click.Choice([origin.value for origin in Origin])
_MAX_LINE = 16 << 20


@click.command()
@click.argument("text", required=False)
@click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="Judge this file.")
@click.option(
    "--jsonl", "lines", type=click.File("r", encoding="utf-8"), help="Judge JSON lines; '-' is standard input."
)
@click.option("--origin", type=_ORIGIN, default="user", show_default=True, help="Where the text comes from.")
@click.option("--sensitivity", type=click.Choice(["strict", "balanced", "permissive"]), default="balanced")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def guard(
    text: str | None, path: Path | None, lines: TextIO | None, origin: str, sensitivity: str, as_json: bool
) -> int:
    """Judge TEXT as the gateway would: allow, redact or block, and why.

    With --jsonl each line is {"text": ..., "origin": ...}, and comes back with action, score and reasons. Exit code 1
    when something is blocked.
    """
    judge = Guard.default(sensitivity)  # pyright: ignore[reportArgumentType] - click.Choice allows only these words
    if lines is not None:
        return _judge_lines(judge, lines, origin)
    if (text is None) == (path is None):
        raise click.UsageError("Give a TEXT, or one of --file and --jsonl.")
    verdict = judge.inspect(text if text is not None else _read(path or Path()), origin=Origin(origin))
    if as_json:
        emit_json(verdict)
    else:
        colour = {Action.ALLOW: "green", Action.REDACT: "yellow"}.get(verdict.action, "red")
        click.secho(f"{verdict.action}  score {verdict.score:.2f}", fg=colour)
        for reason in verdict.reasons:
            click.echo(f"  {reason.span.start}-{reason.span.end}  {reason.span.label}: {printable(reason.message)}")
        if verdict.action is Action.REDACT:
            click.echo(printable(verdict.text))
    return EXIT_HELD if verdict.action is Action.BLOCK else EXIT_OPEN


def _judge_lines(judge: Guard, lines: TextIO, origin: str) -> int:
    blocked = False
    for number, row in _rows(lines):
        text, source = row.get("text"), row.get("origin", origin)
        if not isinstance(text, str) or source not in {item.value for item in Origin}:
            raise ConfigError(f"Line {number} needs a text and a known origin.", remedy='Shape: {"text": "..."}')
        verdict = judge.inspect(text, origin=Origin(str(source)))
        blocked = blocked or verdict.action is Action.BLOCK
        sys.stdout.write(msgspec.json.encode({**row, **_fields(verdict)}).decode() + "\n")
    sys.stdout.flush()
    return EXIT_HELD if blocked else EXIT_OPEN


def _rows(lines: TextIO) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, msgspec.json.decode(line[:_MAX_LINE], type=dict[str, object])
        except msgspec.DecodeError as error:
            raise ConfigError(
                f"Line {number} is not a JSON object.", remedy="Write one object on each line."
            ) from error


def _fields(verdict: Verdict) -> dict[str, object]:
    return {"action": verdict.action, "score": verdict.score, "reasons": verdict.reasons, "redacted": verdict.text}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        message = f"{path} cannot be read: {(error.strerror or 'input/output error').lower()}."
        raise ConfigError(message, remedy="Name a file that you may read.") from error
