"""`lockgate redteam`."""

import sys
from pathlib import Path
from typing import Literal, cast

import click

from lockgate.cli.entry import EXIT_ERROR, EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.core.errors import ConfigError, CoreError
from lockgate.core.files import read
from lockgate.pipeline.campaign import Campaign, held, red_team
from lockgate.pipeline.opened import Options, project_of
from lockgate.redteam import CONVERTERS, FAMILIES, PROFILES, Converter, Family, PublicReport, family_named
from lockgate.redteam.converters import converter_named

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST = 7
_MAX_TEXT = 1 << 20
_NOTED = 10


@click.command()
@click.option("--target", help="A project folder, http(s)://... of an endpoint, or python:module:function.")
@click.option("--profile", type=click.Choice(list(PROFILES)), default="ci", show_default=True, help="How much is sent.")
@click.option("--budget", type=click.IntRange(min=0), help="Attack attempts, instead of the profile's.")
@click.option("--time", "time_limit", help="Stop sending after this long: 90s, 10m, 1h.")
@click.option("--seed", type=int, help="Seed of every choice. [default: the project's, else 7]")
@click.option("--families", help="Families to try, separated by commas. [default: all]")
@click.option("--converters", help="Disguises to use, separated by commas; 'none' for plain attacks. [default: all]")
@click.option("--concurrency", type=click.IntRange(1, 512), help="Conversations at once. [default: 1, URLs 8]")
@click.option("--rate", type=click.FloatRange(min=0), default=0.0, help="Most requests a second; 0 for no limit.")
@click.option("--cassette", type=click.Path(path_type=Path, dir_okay=False), help="File to record to or replay.")
@click.option("--record/--replay", "record", default=None, help="What to do with --cassette.")
@click.option("--resume", is_flag=True, help="Go on with an earlier run of the same kind that did not end.")
@click.option("--model", default="default", show_default=True, help="Name of the model at an endpoint.")
@click.option("--key-env", default="", help="Environment variable that holds the endpoint's key.")
@click.option("--api", type=click.Choice(["openai", "anthropic"]), help="How an endpoint is spoken to.")
@click.option("--system-prompt", type=click.Path(path_type=Path, dir_okay=False), help="File: what the target is told.")
@click.option("--protected", type=click.Path(path_type=Path, dir_okay=False), help="File: values to keep, one a line.")
@click.option("--plant/--no-plant", default=True, help="Send a system prompt with a canary to an endpoint.")
@click.option("--max-tokens", type=click.IntRange(1, 8192), default=128, show_default=True, help="Of an answer.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Seconds an answer.")
@click.option("--baseline", type=click.Path(path_type=Path, dir_okay=False), help="Signed earlier run to compare with.")
@click.option("--write-baseline", type=click.Path(path_type=Path, dir_okay=False), help="Where to sign this run to.")
@click.option("--list", "listed", is_flag=True, help="List families and disguises.")
@click.option("--explain", metavar="FAMILY", help="Print the manual page of a family.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; progress goes to standard error.")
def redteam(as_json: bool, listed: bool, explain: str | None, **given: object) -> int:
    """Attack a target, judge the answers, count, and hold the gate.

    Exit code 0 within the gate, 1 when it is HELD (also when a family was skipped or errored), 2 when nothing could be
    tested or the run was interrupted. What was found until then is kept; --resume goes on.
    """
    if listed or explain:
        _show_list() if listed else _show_family(family_named(explain or ""))
        return EXIT_OPEN
    campaign = red_team(_options(given), _progress)
    report = campaign.report
    if as_json:
        emit_json(report)
    else:
        _show(campaign)
    if report.interrupted or not campaign.tested:
        click.echo(
            "Interrupted: the results are partial." if report.interrupted else "Nothing could be tested.", err=True
        )
        return EXIT_ERROR
    return EXIT_HELD if held(report) else EXIT_OPEN


def _options(given: dict[str, object]) -> Options:
    target = cast("str | None", given["target"])
    if not target:
        raise click.UsageError("Give a --target: a folder, a URL or python:module:function.")
    if (given["record"] is None) != (given["cassette"] is None):
        raise click.UsageError("--cassette goes with --record or --replay.")
    profile = PROFILES[str(given["profile"])]
    budget = cast("int | None", given["budget"])
    if budget == 0:
        raise ConfigError("A budget of 0 tests nothing.", remedy="Give --budget a number of attacks.")
    project = project_of(target)
    prompt = cast("Path | None", given["system_prompt"])
    protected = cast("Path | None", given["protected"])
    families = cast("str | None", given["families"])
    default = 8 if target.startswith("http") else 1
    return Options(
        name=target,
        project=project,
        budget=budget or profile.budget,
        benign=profile.benign,
        converters=_converters(cast("str | None", given["converters"])),
        families=_families(families) if families else None,
        seed=cast("int | None", given["seed"]),
        concurrency=cast("int | None", given["concurrency"]) or default,
        rate=cast("float", given["rate"]),
        time_s=_seconds(cast("str | None", given["time_limit"])),
        resume=bool(given["resume"]),
        cassette=cast("Path | None", given["cassette"]),
        replay=given["record"] is False,
        model=str(given["model"]),
        key_env=str(given["key_env"]),
        api=cast("Literal['openai', 'anthropic'] | None", given["api"]),
        system_prompt=_text(prompt).strip() if prompt else None,
        protected=tuple(line.strip() for line in _text(protected).splitlines() if line.strip()) if protected else (),
        plant=bool(given["plant"]),
        max_tokens=cast("int", given["max_tokens"]),
        timeout_s=cast("float", given["timeout"]),
        baseline=cast("Path | None", given["baseline"]),
        write_baseline=cast("Path | None", given["write_baseline"]),
    )


def _families(text: str) -> tuple[Family, ...]:
    return tuple(family_named(name.strip()) for name in dict.fromkeys(text.split(",")) if name.strip())


def _converters(text: str | None) -> tuple[Converter, ...]:
    if text is None:
        return CONVERTERS
    names = [name.strip() for name in dict.fromkeys(text.split(",")) if name.strip()]
    return () if names == ["none"] else tuple(converter_named(name) for name in names)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _SECONDS else (text, "s")
    if not (number.isascii() and number.isdecimal()) or len(number) > _LONGEST or int(number) == 0:
        raise click.UsageError("--time is a number with s, m or h, for instance 10m.")
    return float(int(number) * _SECONDS[unit])


def _text(path: Path) -> str:
    try:
        return read(path.absolute().parent, path.name, limit=_MAX_TEXT).body.decode("utf-8")
    except CoreError as error:
        raise ConfigError(error.message, remedy=error.remedy) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8.", remedy="Save it as UTF-8.") from error


def _progress(done: int, total: int, note: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{done}/{total} {printable(note)[:100]}", nl=done == total, err=True)
    elif done == total or done % max(1, total // _NOTED) == 0:
        click.echo(f"{done}/{total}", err=True)


def _show(campaign: Campaign) -> None:
    report = campaign.report
    click.echo(f"{'family':<22}{'attempts':>9}{'success':>9}{'95 %':>16}{'bare':>6}{'err':>5}{'skip':>5}  status")
    for row in report.families:
        low, high = row.wilson95
        bare = "-" if row.bare is None else str(row.bare)
        named = f"{row.status}{', scripted target' if row.target == 'obedient' else ''}"
        click.echo(
            f"{row.id:<22}{row.attempts:>9}{row.successes:>9}{f'{low:.1%} to {high:.1%}':>16}{bare:>6}"
            f"{row.errors:>5}{row.skipped:>5}  {named}"
        )
    _show_totals(report)
    if campaign.recalled:
        click.echo(f"{campaign.recalled} attempts are an earlier run's, which did not end.")
    colour = "red" if held(report) else "green"
    click.secho(f"\ngate {report.gate.decision}", fg=colour, bold=True)
    for reason in report.gate.reasons[:_NOTED]:
        click.echo(f"  - {printable(reason)}")
    if len(report.gate.reasons) > _NOTED:
        click.echo(f"  and {len(report.gate.reasons) - _NOTED} more")


def _show_totals(report: PublicReport) -> None:
    low, high = report.overall.wilson95
    click.echo(
        f"\noverall  {report.overall.successes} of {report.overall.attempts} attacks succeeded, {low:.1%} to {high:.1%}"
    )
    if not isinstance(report.paired, dict):
        paired = report.paired
        click.echo(
            f"paired   {paired.bare.successes} of {paired.bare.attempts} without the guard; {paired.b} only there, "
            f"{paired.c} only behind it, p = {paired.p_value:.3g}"
        )
    benign = report.benign
    click.echo(
        f"benign   {benign.blocked} of {benign.attempts} harmless conversations blocked, {benign.refused} refused"
    )
    click.echo(f"size     {report.gate.attempts_for_bound} attacks without a success reach the wanted upper bound")


def _show_list() -> None:
    click.echo("Families")
    for family in FAMILIES:
        click.echo(f"  {family.id:<22}{family.title} ({len(family.seeds)} attacks)")
    click.echo("\nDisguises")
    for converter in CONVERTERS:
        click.echo(f"  {converter.id:<22}{converter.kind}")


def _show_family(family: Family) -> None:
    click.echo(f"{family.id}  {family.title}\n")
    click.echo(f"  Maps to     {', '.join(family.maps)}")
    click.echo(f"  Attacks     {len(family.seeds)}, against the {family.target} target of a project\n")
    for heading, text in (
        ("Why it matters", family.why),
        ("How it attacks", family.how),
        ("Succeeds when", family.succeeds),
        ("Limits", family.limits),
    ):
        click.echo(f"{heading}\n  {text}\n")
