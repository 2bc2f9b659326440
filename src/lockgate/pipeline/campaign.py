"""A run of `lockgate redteam`: find the target, choose the attacks, send them, decide."""

import asyncio
import datetime as dt
import signal
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import msgspec
import uvloop

from lockgate.core.config import GateRules, RedteamConfig
from lockgate.core.gate import Decision, GateDecision, Stage
from lockgate.core.home import home, private_folder
from lockgate.core.outcome import Examination, Outcome
from lockgate.core.project import Project
from lockgate.core.subject import sha256_hex
from lockgate.pipeline.baseline import read_baseline, write_baseline
from lockgate.pipeline.observer import Progress
from lockgate.pipeline.opened import Opened, Options, open_target
from lockgate.policy import Case, WaiverBook, decide
from lockgate.redteam import (
    Cassette,
    Corpus,
    JudgeModel,
    Lane,
    ModelAttacker,
    ModelJudge,
    Plan,
    PublicReport,
    RedteamResult,
    RedteamRun,
    Regression,
    adapted,
    attack,
    compare,
    examine,
    load,
    measure,
    plan,
    publish,
    summarise,
    unregressed,
)


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run.

    Attributes:
        report: For outside scripts.
        tested: At least one attack was judged.
        recalled: Attempts that an earlier, unfinished run had made.
        decision: The gate's decision, with everything that holds it.
        outcomes: What the gate was decided on.
        unkept: Why a recording did not take the place of its cassette; empty where it did, or nothing was recorded.
    """

    report: PublicReport
    tested: bool
    recalled: int
    decision: GateDecision
    outcomes: tuple[Outcome, ...]
    unkept: str = ""


def red_team(options: Options, progress: Progress) -> Campaign:
    """Attack a target as the options say.

    Args:
        options: Target, size and way of the run.
        progress: Called after every attempt.

    Raises:
        LockgateError: The target, the corpus, the cassette or the baseline cannot be used.
    """
    config = options.project.config.redteam if options.project else None
    limits = config or RedteamConfig()
    seed = limits.seed if options.seed is None else options.seed
    chosen = _chosen(options, limits, seed)
    baseline = read_baseline(options.baseline) if options.baseline else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        run, judged_by, unkept = runner.run(_drive(options, limits, chosen, seed, progress))
    result = summarise(run)
    regression = compare(baseline, result) if baseline else None
    examination = _examination(result, limits, regression)
    decision = _decide(options.project, examination)
    if options.write_baseline:
        write_baseline(options.write_baseline, result)
    report = publish(
        result,
        target=options.name,
        scripted=frozenset(item.family for item in chosen.corpus.attacks if item.target == "obedient"),
        decision=decision.decision,
        reasons=tuple(hold.message for hold in decision.holds),
        bound=limits.max_upper_bound,
        baseline=regression,
        adaptive=options.adaptive,
        judge_model=judged_by,
    )
    return Campaign(
        report=report,
        tested=result.guarded.attempts > 0,
        recalled=result.recalled,
        decision=decision,
        outcomes=examination.outcomes,
        unkept=unkept,
    )


def _chosen(options: Options, limits: RedteamConfig, seed: int) -> Plan:
    corpus = load(limits.corpus, root=options.project.root) if options.project else load()
    chosen = plan(
        corpus,
        seed=seed,
        budget=options.budget,
        benign=options.benign,
        families=options.families,
        converters=options.converters,
        also=options.training.families,
    )
    if options.adaptive:
        chosen = msgspec.structs.replace(chosen, corpus=adapted(chosen.corpus, options.adaptive, options.tries))
    asked = (options.adaptive, options.tries, options.attacker, options.judge)
    if options.adaptive or options.judge:
        # A run with other helpers is another run: it neither resumes nor is compared with this one.
        digest = sha256_hex(msgspec.json.encode((chosen.corpus.sha256, asked)))
        chosen = msgspec.structs.replace(chosen, corpus=msgspec.structs.replace(chosen.corpus, sha256=digest))
    if options.project is not None:
        return chosen
    # Without a guard of ours before it, the target itself is attacked with everything.
    direct = tuple(msgspec.structs.replace(item, target="application") for item in chosen.corpus.attacks)
    return msgspec.structs.replace(chosen, corpus=msgspec.structs.replace(chosen.corpus, attacks=direct))


async def _drive(
    options: Options, limits: RedteamConfig, chosen: Plan, seed: int, progress: Progress
) -> tuple[RedteamRun, JudgeModel | None, str]:
    task = asyncio.current_task()
    if task is not None:
        # A polite kill keeps what was found, like Ctrl-C. Not every loop can listen to signals.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with AsyncExitStack() as stack:
        progress(0, 0, f"opening {options.name}")
        opened = await open_target(stack, options, limits, chosen.corpus, seed)
        if opened.recording and opened.recording.recalled:
            progress(0, 0, f"{opened.recording.recalled} answers are on the tape of a recording that did not end")
        judge = ModelJudge(opened.judge) if opened.judge else None
        measured = await measure(judge, at_once=options.concurrency, progress=progress) if judge else None
        run = await attack(
            chosen.corpus,
            bare=opened.bare,
            guarded=opened.given,
            seed=seed,
            protected=opened.protected,
            system_prompt=opened.system_prompt,
            progress=progress,
            journal=_journal(options, opened, chosen.corpus, seed),
            concurrency=options.concurrency,
            time_s=options.time_s,
            families=chosen.families,
            in_order=True,
            attacker=ModelAttacker(opened.attacker) if opened.attacker else None,
            opinions=judge,
        )
    return run, measured, _end_recording(opened.recording, run) if opened.recording else ""


def _end_recording(recording: Cassette, run: RedteamRun) -> str:
    """Put a recording in its place where it is worth it, or say why not."""
    if not any(attempt.replies for attempt in run.attempts if attempt.lane is Lane.GUARDED):
        recording.discard()
        return "Nothing was recorded, because the target answered nothing. An earlier cassette is as it was."
    if run.interrupted or run.given_up:
        ended = "the run was interrupted" if run.interrupted else "too much failed in a row"
        return f"The recording is not complete: {ended}. An earlier cassette is as it was; --record --resume goes on."
    recording.keep()
    return ""


def _journal(options: Options, opened: Opened, corpus: Corpus, seed: int) -> Path | None:
    # A recording is its own journal: attempts that were not asked for in this run would be missing on the tape.
    if options.replay or opened.recording:
        return None
    facts = (options.name, opened.given.fingerprint, corpus.sha256, seed)
    name = f"redteam-{sha256_hex(msgspec.json.encode(facts))[:32]}.jsonl"
    # Outside the project: who can write the project must not be able to plant resisted attacks.
    path = private_folder(home() / "journals") / name
    if not options.resume:
        path.unlink(missing_ok=True)
    return path


def _examination(result: RedteamResult, limits: RedteamConfig, regression: Regression | None) -> Examination:
    examination = examine(result, limits)
    if regression is None:
        return examination
    more = unregressed(regression)
    return Examination((*examination.subjects, *more.subjects), (*examination.outcomes, *more.outcomes))


def _decide(project: Project | None, examination: Examination) -> GateDecision:
    case = Case(
        stage=Stage.REDTEAM,
        examination=examination,
        rules=project.config.rules(Stage.REDTEAM) if project else GateRules(),
    )
    waivers = project.config.waivers if project else ()
    return decide(case, WaiverBook(waivers, today=dt.datetime.now(dt.UTC).date()))


def held(report: PublicReport) -> bool:
    """Whether the gate of a report is HELD."""
    return report.gate.decision != Decision.OPEN
