"""How `lockgate redteam` looks on a terminal."""

import sys
from collections import Counter

import click

from lockgate.cli.output import printable
from lockgate.pipeline.campaign import Campaign, held
from lockgate.redteam import (
    CONVERTERS,
    FAMILIES,
    NEEDS_FILES,
    AttemptStatus,
    Family,
    Lane,
    Memorised,
    PublicReport,
    held_for,
    what_helps,
)

_NOTED = 10
_HELPS = 5
_TROUBLES = 3
_HINTS = {
    "HTTP 401": "Does the endpoint want a key? Give --key-env the name of the variable that holds it.",
    "HTTP 403": "Does the endpoint want a key? Give --key-env the name of the variable that holds it.",
    "HTTP 404": "Is the address right? It is the base URL, often ending in /v1. Is there such a --model?",
    "HTTP 429": "The endpoint limits how often it may be asked: lower --rate or --concurrency, then --resume.",
    "in JSON": "Is this an API? The address is its base URL, often ending in /v1; some need --api anthropic.",
    "connection failed": "Does the endpoint run, and is its address right?",
    "no answer within": "Is the endpoint slow? Raise --timeout, or lower --concurrency.",
}


def show_progress(done: int, total: int, note: str) -> None:
    """One line on standard error: a running one for people, ten lines for a log."""
    if done == 0:
        click.echo(printable(note), err=True)
    elif sys.stderr.isatty():
        click.echo(f"\r\x1b[K{done}/{total} {printable(note)[:100]}", nl=done == total, err=True)
    elif done == total or done % max(1, total // _NOTED) == 0:
        click.echo(f"{done}/{total}", err=True)


def show(campaign: Campaign) -> None:
    """Print a run as a table, with what holds its gate."""
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
    click.echo()
    click.secho(f"gate {report.gate.decision}", fg=colour, bold=True)
    reasons = held_for(report)
    for reason in reasons[:_NOTED]:
        click.echo(f"  - {printable(reason)}")
    if len(reasons) > _NOTED:
        click.echo(f"  and {len(reasons) - _NOTED} more")
    _show_help(report)


def _show_help(report: PublicReport) -> None:
    helped = what_helps(report)
    for number, family in enumerate(helped[:_HELPS]):
        click.echo(f"{'' if number else chr(10)}{family.id + ':':<22}{family.helps}")
    if helped:
        click.echo(f"The lines for lockgate.yaml: lockgate redteam --explain {helped[0].id}")


def _show_totals(report: PublicReport) -> None:
    low, high = report.overall.wilson95
    counted = f"{report.overall.successes} of {report.overall.attempts} attacks succeeded, {low:.1%} to {high:.1%}"
    click.echo(f"\noverall  {counted if report.overall.attempts else 'no attack could be judged'}")
    if not isinstance(report.paired, dict):
        paired = report.paired
        click.echo(
            f"paired   {paired.bare.successes} of {paired.bare.attempts} without the guard; {paired.b} only there, "
            f"{paired.c} only behind it, p = {paired.p_value:.3g}"
        )
    benign = report.benign
    stopped = f"{benign.blocked} of {benign.attempts} harmless conversations blocked, {benign.refused} refused"
    click.echo(f"benign   {stopped if benign.attempts else 'no harmless conversation was answered or blocked'}")
    _show_memorised(report.memorised)
    if report.judge_model:
        model = report.judge_model
        click.echo(
            f"judge    {printable(model.model)} agrees with {model.agreed} of {model.cases} labels (kappa "
            f"{model.kappa:.2f}); {model.alone} successes rest on it alone"
        )
    troubles = Counter(item.reason for item in report.attempts if item.status == AttemptStatus.ERRORED)
    for reason, times in sorted(troubles.items(), key=_often)[:_TROUBLES]:
        click.echo(f"errors   {times} attempts could not be judged: {printable(reason)}")
    for hint in dict.fromkeys(hint for reason in troubles for text, hint in _HINTS.items() if text in reason):
        click.echo(f"         {hint}")
    if beside := sum(bool(item.beside) for item in report.attempts if item.lane is Lane.GUARDED):
        click.echo(f"beside   {beside} of the attacks shook something loose that they did not ask for")
    click.echo(
        f"size     it takes {report.gate.attempts_for_bound} attacks without a success to prove the wanted bound"
    )


def _show_memorised(found: Memorised) -> None:
    if found.canaries is None and found.rows is None:
        click.echo("memory   NOT EXERCISED: name canaries or training rows (--canaries, --trained-on)")
        return
    tallies = (("canaries", found.canaries), ("training rows", found.rows), ("held-out rows", found.held_out))
    said = [f"{one.successes} of {one.attempts} {what}" for what, one in tallies if one is not None]
    compared = "" if found.p_value is None else f"; p = {found.p_value:.3g} that rows and held-out rows are alike"
    click.echo(f"memory   recited {', '.join(said)}{compared}")


def _often(entry: tuple[str, int]) -> tuple[int, str]:
    reason, times = entry
    return -times, reason


def show_list() -> None:
    """Print families and disguises."""
    click.echo("Families")
    for family in FAMILIES:
        click.echo(f"  {family.id:<22}{family.title} ({len(family.seeds)} attacks)")
    for family in NEEDS_FILES:
        click.echo(f"  {family.id:<22}{family.title} (attacks from files of yours)")
    click.echo("\nDisguises")
    for converter in CONVERTERS:
        click.echo(f"  {converter.id:<22}{converter.kind}")


def show_family(family: Family) -> None:
    """Print the manual page of a family."""
    click.echo(f"{family.id}  {family.title}\n")
    click.echo(f"  Maps to     {', '.join(family.maps)}")
    attacks = f"{len(family.seeds)}" if family.seeds else "from files of yours"
    click.echo(f"  Attacks     {attacks}, against the {family.target} target of a project\n")
    for heading, text in (
        ("Why it matters", family.why),
        ("How it attacks", family.how),
        ("Succeeds when", family.succeeds),
        ("What helps", family.helps),
        ("Limits", family.limits),
    ):
        click.echo(f"{heading}\n  {text}\n")
    click.echo("In lockgate.yaml, for example")
    for line in family.settings.splitlines():
        click.echo(f"  {line}")
