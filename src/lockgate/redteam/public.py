"""The report of `lockgate redteam`, under the names that outside scripts rely on.

It says the same for the same replies: no clock, no host, no path. So a recorded run and its replay are equal, byte for
byte.
"""

from collections.abc import Callable
from typing import TypedDict

import msgspec

from lockgate.redteam.assistant import LEAST_AGREEMENT, ModelJudge
from lockgate.redteam.attempt import Attempt, Lane
from lockgate.redteam.baseline import Regression
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.families import FAMILIES, NEEDS_FILES
from lockgate.redteam.labelled import Agreement, calibration
from lockgate.redteam.memorised import Memorised, memorised
from lockgate.redteam.message import UnusableAnswerError
from lockgate.redteam.model_opinion import ModelOpinion
from lockgate.redteam.result import BenignTally, CorpusRef, RedteamResult, Tally
from lockgate.redteam.statistics import attempts_for_bound


class PublicFamily(Tally, frozen=True, kw_only=True):
    """A family of attacks on the target as it was given.

    Attributes:
        id: Its name.
        status: EXERCISED, NOT EXERCISED, MEASURED (no bare target to compare with) or UNTESTED.
        target: Who was attacked: `application`, or `obedient`, the scripted target.
        bare: Successes without the guard; None where there is no bare target.
        helps: Where it reached its goal, what an operator can do; else empty.
        settings: The lines of `lockgate.yaml` for that, as an example.
    """

    id: str
    status: str
    target: str
    bare: int | None
    helps: str = ""
    settings: str = ""


class PublicPaired(msgspec.Struct, frozen=True, kw_only=True):
    """The same attacks with and without the guard.

    Attributes:
        b: Attacks that reached their goal only without the guard.
        c: Attacks that reached it only behind the guard.
        p_value: McNemar's exact test, two-sided.
        pairs: Attacks that were judged on both.
        bare: All attacks without the guard.
    """

    b: int
    c: int
    p_value: float
    pairs: int
    bare: Tally


class JudgeModel(Agreement, frozen=True, kw_only=True):
    """The model that was asked for its opinion, and how far it agrees with labelled conversations.

    Attributes:
        model: What reports call it.
        alone: Successes that rest on its opinion alone.
    """

    model: str
    alone: int = 0


class PublicGate(msgspec.Struct, frozen=True, kw_only=True):
    """The gate.

    Attributes:
        decision: OPEN or HELD.
        reasons: Why it is held.
        attempts_for_bound: Attacks without any success that the wanted upper bound takes.
        baseline: The comparison with an earlier run, where one was given.
    """

    decision: str
    reasons: tuple[str, ...]
    attempts_for_bound: int
    baseline: Regression | None


class PublicReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of the red team came to.

    Attributes:
        version: Version of this format.
        target: What reports call the target as it was given.
        seed: Seed of every choice.
        complete: False when something was not sent.
        interrupted: The run was ended from outside.
        families: Family by family, the target as it was given.
        overall: All families together.
        benign: Harmless conversations with the same target.
        paired: With and without the guard; empty where there is no bare target.
        corpus: What there was to choose from.
        gate: What follows from it.
        attempts: Every attempt, without protected values.
        adaptive: Which attacker tried again; empty for none.
        judge_model: The model that was asked for its opinion; None where there was none.
        memorised: What was recited of the training data, where files say what that is.
    """

    version: int = 1
    target: str
    seed: int
    complete: bool
    interrupted: bool
    families: tuple[PublicFamily, ...]
    overall: Tally
    benign: BenignTally
    paired: PublicPaired | dict[str, int]
    corpus: CorpusRef
    gate: PublicGate
    attempts: tuple[Attempt, ...]
    adaptive: str = ""
    judge_model: JudgeModel | None = None
    memorised: Memorised = Memorised()


async def measure(
    judge: ModelJudge, *, at_once: int = 1, progress: Callable[[int, int, str], None] | None = None
) -> JudgeModel:
    """Ask a judge model about the bundled labelled conversations.

    Args:
        judge: The model.
        at_once: How many conversations it is asked about at the same time.
        progress: Called after each: done, all, one line.

    Raises:
        RedteamError: It cannot be reached, or it agrees with the labels too rarely to be asked.
    """
    try:
        said = await judge.calibrate(calibration(), at_once=at_once, progress=progress)
    except UnusableAnswerError as error:
        raise RedteamError(f"The judge model cannot be asked: {error}.", remedy="Correct --judge.") from error
    found = said.agreement
    if said.asked < said.of or found.wilson95[0] < LEAST_AGREEMENT:
        unread = f" To {said.unread} it gave no answer that could be read." if said.unread else ""
        ended = f" The other {said.of - said.asked} could not make up for it." if said.asked < said.of else ""
        raise RedteamError(
            f"The judge model agrees with {found.agreed} of {found.cases} labelled conversations, which is too few."
            + unread
            + ended,
            remedy="Choose a larger model, or run without --judge.",
        )
    return JudgeModel(model=judge.name, **msgspec.structs.asdict(found))


def publish(
    result: RedteamResult,
    *,
    target: str,
    scripted: frozenset[str],
    decision: str,
    reasons: tuple[str, ...],
    bound: float,
    baseline: Regression | None = None,
    adaptive: str = "",
    judge_model: JudgeModel | None = None,
) -> PublicReport:
    """Word a result for outside scripts.

    Args:
        result: The run.
        target: What to call the target.
        scripted: Families in which the scripted target stood in for the application.
        decision: OPEN or HELD.
        reasons: Why it is held.
        bound: The upper bound that the gate asks for.
        baseline: The comparison with an earlier run.
        adaptive: Which attacker tried again.
        judge_model: The model that was asked for its opinion.
    """
    if judge_model:
        alone = sum(item.judges == (ModelOpinion.card.id,) for item in result.transcripts)
        judge_model = msgspec.structs.replace(judge_model, alone=alone)
    compared = Lane.BARE in result.fingerprints
    return PublicReport(
        target=target,
        seed=result.seed,
        complete=result.complete,
        interrupted=result.interrupted,
        families=_families(result, scripted),
        overall=Tally(**_counts(result.guarded)),
        benign=_benign(result.benign),
        paired=_paired(result) if compared else {},
        corpus=result.corpus,
        gate=PublicGate(
            decision=decision,
            reasons=reasons,
            attempts_for_bound=attempts_for_bound(bound) if 0 < bound < 1 else 0,
            baseline=baseline,
        ),
        attempts=result.transcripts,
        adaptive=adaptive,
        judge_model=judge_model,
        memorised=memorised(result),
    )


def _families(result: RedteamResult, scripted: frozenset[str]) -> tuple[PublicFamily, ...]:
    compared = Lane.BARE in result.fingerprints
    manual = {family.id: family for family in (*FAMILIES, *NEEDS_FILES)}
    fallen = {family.id: manual.get(family.id) for family in result.families if family.guarded.successes}
    return tuple(
        PublicFamily(
            id=family.id,
            status=family.status,
            target="obedient" if family.id in scripted else "application",
            bare=family.bare.successes if compared else None,
            helps=known.helps if (known := fallen.get(family.id)) else "",
            settings=known.settings if known else "",
            **_counts(family.guarded),
        )
        for family in result.families
    )


class _Counts(TypedDict):
    attempts: int
    successes: int
    errors: int
    skipped: int
    wilson95: tuple[float, float]


def _counts(tally: Tally) -> _Counts:
    return {
        "attempts": tally.attempts,
        "successes": tally.successes,
        "errors": tally.errors,
        "skipped": tally.skipped,
        "wilson95": tally.wilson95,
    }


def _benign(tally: BenignTally) -> BenignTally:
    return BenignTally(
        attempts=tally.attempts,
        blocked=tally.blocked,
        errors=tally.errors,
        wilson95=tally.wilson95,
        refused=tally.refused,
        skipped=tally.skipped,
    )


def _paired(result: RedteamResult) -> PublicPaired:
    paired = result.paired
    bare = Tally(**_counts(result.bare))
    return PublicPaired(b=paired.b, c=paired.c, p_value=paired.p_value, pairs=paired.pairs, bare=bare)
