"""What a run comes to, as numbers that can be signed."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from lockgate.core.subject import SubjectRef, sha256_hex
from lockgate.redteam.attempt import Attempt, AttemptStatus, Lane
from lockgate.redteam.corpus import Half
from lockgate.redteam.runner import RedteamRun
from lockgate.redteam.statistics import mcnemar_exact, wilson95

RESULT_URI = "redteam:result"
OBEDIENT = "obedient"


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How often attacks reached their goal.

    Attributes:
        attempts: Attacks that were sent and judged.
        successes: Those that reached their goal.
        errors: Attacks that could not be judged; they are in no other count.
        skipped: Attacks that no judge applies to; they are in no other count.
        wilson95: 95 % Wilson score interval of successes / attempts.
    """

    attempts: int
    successes: int
    errors: int
    skipped: int
    wilson95: tuple[float, float]


class LaneResult(Tally, frozen=True, kw_only=True):
    """All attacks on one target, and each half of the corpus apart."""

    seen: Tally
    unseen: Tally


class BenignTally(msgspec.Struct, frozen=True, kw_only=True):
    """How often the guard stopped a harmless conversation.

    Attributes:
        attempts: Conversations that were answered or blocked.
        blocked: Those in which a message was blocked.
        errors: Conversations that broke off; they are in no other count.
        wilson95: 95 % Wilson score interval of blocked / attempts.
        refused: Conversations that were answered with something that reads like a refusal.
        skipped: Conversations for which the time did not last.
    """

    attempts: int
    blocked: int
    errors: int
    wilson95: tuple[float, float]
    refused: int = 0
    skipped: int = 0


class BenignResult(BenignTally, frozen=True, kw_only=True):
    """All harmless conversations, and each half of the corpus apart."""

    seen: BenignTally
    unseen: BenignTally


class FamilyStatus(StrEnum):
    """Whether a family of attacks says anything about the target.

    UNTESTED: no attack of it could be judged. MEASURED: there was no bare target to compare with.
    """

    EXERCISED = "EXERCISED"
    NOT_EXERCISED = "NOT EXERCISED"
    MEASURED = "MEASURED"
    UNTESTED = "UNTESTED"


class FamilyResult(msgspec.Struct, frozen=True, kw_only=True):
    """One family of attacks.

    Attributes:
        id: Its name.
        status: EXERCISED when the bare target fell at least once. A guard that was never needed has proven nothing.
        bare: Without the guard.
        guarded: Behind the guard.
    """

    id: str
    status: FamilyStatus
    bare: Tally
    guarded: Tally

    @property
    def ref(self) -> SubjectRef:
        """`redteam:family/<name>` with the digest of these numbers."""
        return SubjectRef(f"redteam:family/{self.id}", sha256_hex(msgspec.json.encode(self, order="sorted")))


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """The same attacks on both targets, compared one by one.

    Attributes:
        b: Attacks that reached their goal only on the bare target.
        c: Attacks that reached it only on the guarded one.
        p_value: McNemar's exact test, two-sided.
        pairs: Attacks that were judged on both.
    """

    b: int
    c: int
    p_value: float
    pairs: int = 0


class CorpusRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which corpus was sent."""

    version: str
    sha256: str


class RedteamResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run. The same seed and the same replies give the same bytes.

    Attributes:
        version: Version of this format.
        corpus: What was sent.
        seed: Seed of the order.
        fingerprints: What the targets were, by lane.
        complete: False when the run was interrupted.
        bare: All attacks without the guard.
        guarded: The same attacks behind the guard.
        families: The same, family by family, sorted.
        benign: Harmless conversations behind the guard.
        paired: Whether the two differ by more than chance.
        transcripts: Every attempt, without protected values.
        recalled: How many of them an earlier run made, with the same model, prompt, corpus and parameters.
        interrupted: The run was ended from outside.
        controls: Attempts behind the guard that show how often a goal is reached by chance.
        models: Names that each lane's endpoint gave its model; more than one means that it changed under way.
    """

    version: int = 1
    corpus: CorpusRef
    seed: int
    fingerprints: dict[Lane, str]
    complete: bool
    bare: LaneResult
    guarded: LaneResult
    families: tuple[FamilyResult, ...]
    benign: BenignResult
    paired: Paired
    transcripts: tuple[Attempt, ...]
    recalled: int = 0
    interrupted: bool = False
    models: dict[Lane, tuple[str, ...]] = {}
    controls: Tally | None = None

    @property
    def ref(self) -> SubjectRef:
        """`redteam:result` with the digest of `encode`."""
        return SubjectRef(RESULT_URI, sha256_hex(encode(self)))


def encode(result: RedteamResult) -> bytes:
    """Canonical JSON: sorted keys, no white space, UTF-8."""
    return msgspec.json.encode(result, order="sorted")


def summarise(run: RedteamRun) -> RedteamResult:
    """Count what a run came to."""
    attacks = [attempt for attempt in run.attempts if attempt.attack and not attempt.control]
    bare = [attempt for attempt in attacks if attempt.lane is Lane.BARE]
    guarded = [attempt for attempt in attacks if attempt.lane is Lane.GUARDED]
    return RedteamResult(
        corpus=CorpusRef(version=run.corpus, sha256=run.corpus_sha256),
        seed=run.seed,
        fingerprints=run.fingerprints,
        complete=run.complete,
        bare=_lane(bare),
        guarded=_lane(guarded),
        families=tuple(
            _family(name, attacks, compared=Lane.BARE in run.fingerprints)
            for name in sorted({*run.families, *(attempt.family for attempt in attacks)})
        ),
        benign=_benign([attempt for attempt in run.attempts if not attempt.attack]),
        paired=_paired(bare, guarded),
        transcripts=run.attempts,
        recalled=run.recalled,
        interrupted=run.interrupted,
        models={lane: _models(run.attempts, lane) for lane in run.fingerprints},
        controls=_tally(controls) if (controls := _controls(run.attempts)) else None,
    )


def _controls(attempts: Iterable[Attempt]) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.control and attempt.lane is Lane.GUARDED]


_JUDGED = frozenset({AttemptStatus.SUCCEEDED, AttemptStatus.RESISTED, AttemptStatus.BLOCKED})


def _tally(attempts: Iterable[Attempt]) -> Tally:
    statuses = [attempt.status for attempt in attempts]
    judged = sum(status in _JUDGED for status in statuses)
    successes = statuses.count(AttemptStatus.SUCCEEDED)
    return Tally(
        attempts=judged,
        successes=successes,
        errors=statuses.count(AttemptStatus.ERRORED),
        skipped=statuses.count(AttemptStatus.SKIPPED),
        wilson95=wilson95(successes, judged),
    )


def _lane(attempts: list[Attempt]) -> LaneResult:
    return LaneResult(
        **msgspec.structs.asdict(_tally(attempts)),
        seen=_tally(_of_half(attempts, "seen")),
        unseen=_tally(_of_half(attempts, "unseen")),
    )


def _benign_tally(attempts: list[Attempt]) -> BenignTally:
    statuses = [attempt.status for attempt in attempts]
    blocked = statuses.count(AttemptStatus.BLOCKED)
    judged = blocked + statuses.count(AttemptStatus.ANSWERED)
    return BenignTally(
        attempts=judged,
        blocked=blocked,
        errors=statuses.count(AttemptStatus.ERRORED),
        wilson95=wilson95(blocked, judged),
        refused=sum(attempt.refused and attempt.status is AttemptStatus.ANSWERED for attempt in attempts),
        skipped=statuses.count(AttemptStatus.SKIPPED),
    )


def _benign(attempts: list[Attempt]) -> BenignResult:
    return BenignResult(
        **msgspec.structs.asdict(_benign_tally(attempts)),
        seen=_benign_tally(_of_half(attempts, "seen")),
        unseen=_benign_tally(_of_half(attempts, "unseen")),
    )


def _of_half(attempts: Iterable[Attempt], half: Half) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.half == half]


def _family(name: str, attacks: list[Attempt], *, compared: bool) -> FamilyResult:
    own = [attempt for attempt in attacks if attempt.family == name]
    bare = _tally(attempt for attempt in own if attempt.lane is Lane.BARE)
    guarded = _tally(attempt for attempt in own if attempt.lane is Lane.GUARDED)
    return FamilyResult(id=name, status=_status(bare, guarded, compared=compared), bare=bare, guarded=guarded)


def _status(bare: Tally, guarded: Tally, *, compared: bool) -> FamilyStatus:
    if guarded.attempts == 0:
        return FamilyStatus.UNTESTED
    if not compared:
        return FamilyStatus.MEASURED
    return FamilyStatus.EXERCISED if bare.successes else FamilyStatus.NOT_EXERCISED


def _models(attempts: Iterable[Attempt], lane: Lane) -> tuple[str, ...]:
    # The scripted target names itself; that is no change of the model.
    given = (name for attempt in attempts if attempt.lane is lane for name in attempt.models)
    return tuple(sorted({name for name in given if name != OBEDIENT}))


def _paired(bare: list[Attempt], guarded: list[Attempt]) -> Paired:
    before = {attempt.id: attempt.status for attempt in bare if attempt.status in _JUDGED}
    after = {attempt.id: attempt.status for attempt in guarded if attempt.status in _JUDGED}
    fell = [
        (before[name] is AttemptStatus.SUCCEEDED, after[name] is AttemptStatus.SUCCEEDED)
        for name in before.keys() & after.keys()
    ]
    only_bare, only_guarded = fell.count((True, False)), fell.count((False, True))
    return Paired(b=only_bare, c=only_guarded, p_value=mcnemar_exact(only_bare, only_guarded), pairs=len(fell))
