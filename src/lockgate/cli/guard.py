"""`lockgate guard`."""

import sys
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.core.errors import ConfigError
from lockgate.core.verdict import Action, Origin, Verdict
from lockgate.guard import Guard, Suspicion

_ORIGIN = click.Choice([origin.value for origin in Origin])
_MAX_LINE = 16 << 20
_MAX_DETAILS = 8
_MAX_SHOWN = 80


@click.command()
@click.argument("text", required=False)
@click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="Judge this file.")
@click.option("--jsonl", "lines", type=click.File("rb"), help="Judge JSON lines; '-' is standard input.")
@click.option("--origin", type=_ORIGIN, default="user", show_default=True, help="Where the text comes from.")
@click.option("--sensitivity", type=click.Choice(["strict", "balanced", "permissive"]), default="balanced")
@click.option("--explain", "explained", is_flag=True, help="Show what each layer of the guard saw.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def guard(
    text: str | None,
    path: Path | None,
    lines: BinaryIO | None,
    origin: str,
    sensitivity: str,
    explained: bool,
    as_json: bool,
) -> int:
    """Judge TEXT as the gateway would: allow, redact or block, and why.

    With --jsonl each line is {"text": ..., "origin": ...}, and comes back with action, score and reasons, or as
    {"line": ..., "error": ...} where it cannot be judged. Exit code 1 when something is blocked, 2 when a line was not
    judged.
    """
    judge = Guard.default(sensitivity)  # pyright: ignore[reportArgumentType] - click.Choice allows only these words
    if lines is not None:
        return _judge_lines(judge, lines, origin)
    if (text is None) == (path is None):
        raise click.UsageError("Give a TEXT, or one of --file and --jsonl.")
    content = text if text is not None else _read(path or Path())
    verdict = judge.inspect(content, origin=Origin(origin))
    if explained and origin == Origin.MODEL:
        raise click.UsageError("--explain shows how an input is judged; an answer has no such layers.")
    layers = judge.explain(content, Origin(origin)) if explained else None
    if as_json:
        emit_json(verdict if layers is None else {**msgspec.to_builtins(verdict), "layers": layers})
    else:
        _show(verdict)
        if layers is not None:
            _show_layers(layers, judge.threshold, sensitivity)
    return EXIT_HELD if verdict.action is Action.BLOCK else EXIT_OPEN


def _show(verdict: Verdict) -> None:
    colour = {Action.ALLOW: "green", Action.REDACT: "yellow"}.get(verdict.action, "red")
    click.secho(f"{verdict.action}  score {verdict.score:.2f}", fg=colour)
    for reason in verdict.reasons:
        click.echo(f"  {reason.span.start}-{reason.span.end}  {reason.span.label}: {printable(reason.message)}")
    if verdict.action is Action.REDACT:
        click.echo(printable(verdict.text))


def _show_layers(layers: Suspicion, threshold: float, sensitivity: str) -> None:
    click.echo()
    views = [f"{view.encoding} at {view.start}-{view.end}: {_short(view.text)}" for view in layers.views]
    _show_layer("decoded", "nothing" if not views else f"{len(views)} hidden or encoded", views)
    signs = [f"{span.label} at {span.start}-{span.end}, weight {span.score:.2f}" for span in layers.signals]
    signs += [f"{span.label} at {span.start}-{span.end}, weight {span.score:.2f}" for span in layers.hidden]
    _show_layer("signals", f"{layers.signal_score:.2f}", signs)
    _show_layer("n-grams", f"logit {layers.linear:+.2f} for the most suspicious window", [])
    _show_layer("skim", f"logit {layers.convolution:+.2f} of the convolutional model", [])
    if layers.encoder is None:
        _show_layer("encoder", "not asked: the layers before it were sure", [])
    else:
        windows = [f"{span.label} at {span.start}-{span.end}: {span.score:.2f}" for span in layers.windows]
        _show_layer("encoder", f"logit {layers.encoder:+.2f}", windows)
    above = "at or above" if layers.score >= threshold else "below"
    _show_layer("together", f"{layers.score:.3f}, {above} {threshold:.3f} for '{sensitivity}'", [])


def _show_layer(name: str, value: str, details: list[str]) -> None:
    click.echo(f"  {name:<9} {value}")
    for detail in details[:_MAX_DETAILS]:
        click.echo(f"  {'':<9} {printable(detail)}")
    if len(details) > _MAX_DETAILS:
        click.echo(f"  {'':<9} and {len(details) - _MAX_DETAILS} more")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]}..."


def _judge_lines(judge: Guard, lines: BinaryIO, origin: str) -> int:
    blocked = False
    bad: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row, text, source = _row(line, origin)
        except ValueError as error:
            bad.append(f"line {number} {error}")
            _write({"line": number, "error": str(error)})
            continue
        verdict = judge.inspect(text, origin=source)
        blocked = blocked or verdict.action is Action.BLOCK
        _write({**row, **_fields(verdict)})
    sys.stdout.flush()
    if bad:
        message = f"{len(bad)} of the lines could not be judged, first of all {bad[0]}."
        raise ConfigError(message, remedy='Write one object on each line: {"text": "...", "origin": "user"}')
    return EXIT_HELD if blocked else EXIT_OPEN


def _row(line: bytes, origin: str) -> tuple[dict[str, object], str, Origin]:
    if len(line) > _MAX_LINE:
        raise ValueError(f"is larger than {_MAX_LINE:,} bytes")
    try:
        row = msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("is not a JSON object") from error
    text, source = row.get("text"), row.get("origin", origin)
    if not isinstance(text, str):
        raise ValueError("has no text")  # noqa: TRY004 - all of these are about values
    if not isinstance(source, str) or source not in {item.value for item in Origin}:
        raise ValueError("names no known origin")
    return row, text, Origin(source)


def _write(row: dict[str, object]) -> None:
    sys.stdout.write(msgspec.json.encode(row).decode() + "\n")


def _fields(verdict: Verdict) -> dict[str, object]:
    return {"action": verdict.action, "score": verdict.score, "reasons": verdict.reasons, "redacted": verdict.text}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        message = f"{path} cannot be read: {(error.strerror or 'input/output error').lower()}."
        raise ConfigError(message, remedy="Name a file that you may read.") from error
