"""`lockgate redteam`."""

import importlib
import os
from pathlib import Path
from typing import Literal, cast

import click

from lockgate.cli.entry import EXIT_ERROR, EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json
from lockgate.cli.redteam_show import show, show_family, show_list, show_progress
from lockgate.core.errors import ConfigError, CoreError
from lockgate.core.files import read
from lockgate.pipeline.campaign import Campaign, held, red_team
from lockgate.pipeline.memorised import MemorisedFiles, training_of
from lockgate.pipeline.opened import Assistant, Options, project_of
from lockgate.redteam import (
    ADAPTIVE,
    CONVERTERS,
    FAMILIES,
    NEEDS_FILES,
    PROFILES,
    Converter,
    Family,
    Training,
    family_named,
    page,
    run_report,
)
from lockgate.redteam.converters import converter_named
from lockgate.report import to_junit, to_sarif

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST = 7
_REPORTS = ("sarif", "junit", "html")
_MAX_TEXT = 1 << 20
_FILE = click.Path(path_type=Path, dir_okay=False)
_PARTS = {
    "add": ("lockgate.cli.redteam_corpus:add", "Propose a transcript for the corpus, or accept a proposal."),
    "import": ("lockgate.cli.redteam_corpus:import_", "Read attacks of garak, PyRIT, promptfoo or spikee."),
    "export": ("lockgate.cli.redteam_corpus:export", "Write the corpus for garak, PyRIT, promptfoo or spikee."),
    "robustness": ("lockgate.cli.redteam_robustness:robustness_", "Attack a classifier of texts."),
}


class _Group(click.Group):
    """Subcommands whose modules are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - same
        if cmd_name not in _PARTS:
            return None
        module, _, name = _PARTS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - same
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _PARTS.items()])


@click.group(cls=_Group, invoke_without_command=True)
@click.option("--target", help="A project folder, http(s)://... of an endpoint, or python:module:function.")
@click.option("--profile", type=click.Choice(list(PROFILES)), default="ci", show_default=True, help="How much is sent.")
@click.option("--budget", type=click.IntRange(min=0), help="Attack attempts, instead of the profile's.")
@click.option("--time", "time_limit", help="Stop sending after this long: 90s, 10m, 1h.")
@click.option("--seed", type=int, help="Seed of every choice. [default: the project's, else 7]")
@click.option("--families", help="Families to try, separated by commas. [default: all]")
@click.option("--converters", help="Disguises to use, separated by commas; 'none' for plain attacks. [default: all]")
@click.option("--concurrency", type=click.IntRange(1, 512), help="Conversations at once. [default: 1, URLs 8]")
@click.option("--rate", type=click.FloatRange(min=0), default=0.0, help="Most requests a second; 0 for no limit.")
@click.option("--cassette", type=_FILE, help="File to record to or replay.")
@click.option("--record/--replay", "record", default=None, help="Whether to write --cassette or to answer from it.")
@click.option("--resume", is_flag=True, help="Go on with an earlier run of the same kind that did not end.")
@click.option("--model", default="default", show_default=True, help="Name of the model at an endpoint.")
@click.option("--key-env", default="", help="Environment variable that holds the endpoint's key.")
@click.option("--api", type=click.Choice(["openai", "anthropic"]), help="How an endpoint is spoken to.")
@click.option("--system-prompt", type=_FILE, help="File: what the target is told.")
@click.option("--protected", type=_FILE, help="File: values to keep, one a line.")
@click.option("--canaries", type=_FILE, help="File: texts planted in the training data, one a line.")
@click.option("--trained-on", type=_FILE, help="JSON Lines: rows that the model was trained on.")
@click.option("--held-out", type=_FILE, help="JSON Lines: rows like them that it was not trained on.")
@click.option("--plant/--no-plant", default=True, help="Send a system prompt with a canary to an endpoint.")
@click.option("--max-tokens", type=click.IntRange(1, 8192), default=128, show_default=True, help="Longest answer.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Seconds to wait for one."
)
@click.option("--baseline", type=_FILE, help="Signed earlier run to compare with.")
@click.option("--write-baseline", type=_FILE, help="Where to sign this run to.")
@click.option("--adaptive", type=click.Choice(list(ADAPTIVE)), help="An attacker that tries again with each attack.")
@click.option(
    "--tries", type=click.IntRange(1, 100), default=25, show_default=True, help="Most messages with --adaptive."
)
@click.option("--attacker", help="Endpoint of the model that words attacks, for --adaptive pair.")
@click.option("--attacker-model", default="default", show_default=True, help="Its name there.")
@click.option("--attacker-key-env", default="", help="Environment variable that holds its key.")
@click.option("--judge", help="Endpoint of a model that is asked about every attack, beside the other judges.")
@click.option("--judge-model", default="default", show_default=True, help="Its name there.")
@click.option("--judge-key-env", default="", help="Environment variable that holds its key.")
@click.option("--sarif", type=_FILE, help="Write the findings for code scanning.")
@click.option("--junit", type=_FILE, help="Write the outcomes for dashboards.")
@click.option("--html", type=_FILE, help="Write a page with a heat map.")
@click.option("--list", "listed", is_flag=True, help="List families and disguises.")
@click.option("--explain", metavar="FAMILY", help="Print the manual page of a family.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; progress goes to standard error.")
@click.pass_context
def redteam(ctx: click.Context, as_json: bool, listed: bool, explain: str | None, **given: object) -> int:
    """Attack a target, judge the answers, count, and hold the gate.

    Exit code 0 within the gate, 1 when it is HELD (also when a family was skipped or errored), 2 when nothing could be
    tested or the run was interrupted. What was found until then is kept; --resume goes on.
    """
    if ctx.invoked_subcommand:
        return EXIT_OPEN
    if listed or explain:
        show_list() if listed else show_family(family_named(explain or ""))
        return EXIT_OPEN
    options = _options(given)
    wanted = len(options.families or (*FAMILIES, *options.training.families))
    if options.budget < wanted:
        click.echo(
            f"A budget of {options.budget} leaves {wanted - options.budget} of {wanted} families untested, which holds "
            "the gate. Raise --budget, or choose --families.",
            err=True,
        )
    _require_writable(given)
    if left_out := options.training.left_out:
        click.echo(f"{left_out} rows cannot be completed and are left out: too short, too long, or twice.", err=True)
    campaign = red_team(options, show_progress)
    report = campaign.report
    _write(campaign, given)
    if as_json:
        emit_json(report)
    else:
        show(campaign)
    if campaign.unkept:
        click.echo(campaign.unkept, err=True)
    if report.interrupted or not campaign.tested:
        ended = "Interrupted: the results are partial. --resume goes on."
        nothing = "Nothing could be tested. See the report's errors and skipped attempts, then run again."
        click.echo(ended if report.interrupted else nothing, err=True)
        return EXIT_ERROR
    return EXIT_HELD if held(report) else EXIT_OPEN


def _options(given: dict[str, object]) -> Options:
    target = cast("str | None", given["target"])
    if not target:
        raise click.UsageError("Give a --target: a folder, a URL or python:module:function.")
    if "://" in target and not target.startswith(("http://", "https://")):
        raise click.UsageError("The address of an endpoint begins with http:// or https://.")
    _require_bare("--target", target)
    if (given["record"] is None) != (given["cassette"] is None):
        raise click.UsageError("--cassette goes with --record or --replay.")
    if given["adaptive"] == "pair" and not given["attacker"]:
        raise click.UsageError("--adaptive pair needs --attacker, the endpoint of a model.")
    profile = PROFILES[str(given["profile"])]
    budget = cast("int | None", given["budget"])
    if budget == 0:
        raise ConfigError("A budget of 0 tests nothing.", remedy="Give --budget a number of attacks.")
    project = project_of(target)
    prompt = cast("Path | None", given["system_prompt"])
    protected = cast("Path | None", given["protected"])
    families = cast("str | None", given["families"])
    seed = cast("int | None", given["seed"])
    known = training_of(project, _files(given), seed)
    default = 8 if target.startswith("http") else 1
    return Options(
        name=target,
        project=project,
        budget=budget or profile.budget,
        benign=profile.benign,
        converters=_converters(cast("str | None", given["converters"])),
        families=_families(families, known) if families else None,
        seed=seed,
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
        adaptive=str(given["adaptive"] or ""),
        tries=cast("int", given["tries"]),
        attacker=_assistant(given, "attacker"),
        judge=_assistant(given, "judge"),
        training=known,
    )


def _files(given: dict[str, object]) -> MemorisedFiles:
    return MemorisedFiles(*(cast("Path | None", given[name]) for name in ("canaries", "trained_on", "held_out")))


def _require_bare(option: str, address: str) -> None:
    """Refuse what may be secret in an address, which reports and progress name; a path is appended to it besides."""
    host = address.partition("://")[2].partition("/")[0]
    if address.startswith(("http://", "https://")) and ("@" in host or "?" in address or "#" in address):
        raise ConfigError(
            f"The address after {option} holds more than the endpoint's base URL: a user, a password or a query.",
            remedy="Leave it out, and name the variable that holds the key with --key-env or its like.",
        )


def _assistant(given: dict[str, object], role: str) -> Assistant | None:
    url = cast("str | None", given[role])
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"--{role} is the address of an endpoint: http(s)://...")
    _require_bare(f"--{role}", url)
    return Assistant(url=url, model=str(given[f"{role}_model"]), key_env=str(given[f"{role}_key_env"]))


def _require_writable(given: dict[str, object]) -> None:
    """Say before the run, and not after it, that a report cannot be written."""
    for kind in (*_REPORTS, "write_baseline"):
        path = cast("Path | None", given[kind])
        if path is None:
            continue
        place = path.absolute()
        while not place.exists() and place.parent != place:
            place = place.parent
        if not os.access(place, os.W_OK) or (place != path.absolute() and not place.is_dir()):
            option = f"--{kind.replace('_', '-')}"
            raise ConfigError(f"{path}, after {option}, cannot be written.", remedy="Name a place that you may write.")


def _write(campaign: Campaign, given: dict[str, object]) -> None:
    wanted = {kind: cast("Path | None", given[kind]) for kind in _REPORTS}
    run = run_report(campaign.report, campaign.decision, campaign.outcomes) if any(wanted.values()) else None
    if run is None:
        return
    bodies = {"sarif": to_sarif, "junit": to_junit}
    for kind, path in wanted.items():
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bodies[kind](run) if kind in bodies else page(campaign.report).encode())


def _families(text: str, known: Training) -> tuple[Family, ...]:
    names = [name.strip() for name in dict.fromkeys(text.split(",")) if name.strip()]
    own = {family.id: family for family in known.families}
    if missing := next((family.id for family in NEEDS_FILES if family.id in names and family.id not in own), ""):
        raise ConfigError(
            f"The family {missing} needs to know what the model was trained on.",
            remedy="Give --canaries or --trained-on, or set redteam.memorised.",
        )
    return tuple(own.get(name) or family_named(name) for name in names)


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
