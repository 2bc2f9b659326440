"""One attempt, judged: what is left of a transcript once nothing in it may be read any more."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

import msgspec

from lockgate.core.check import run
from lockgate.core.outcome import Outcome, Status
from lockgate.core.subject import SubjectRef
from lockgate.redteam.corpus import Attack, Benign, Half
from lockgate.redteam.disclosed_value import DisclosedValue
from lockgate.redteam.judges import BESIDE, judges_of
from lockgate.redteam.personal_detail import PersonalDetail
from lockgate.redteam.recited_text import RecitedText
from lockgate.redteam.redact import PLACEHOLDER, redact
from lockgate.redteam.refusal import refuses
from lockgate.redteam.repeated_prompt import RepeatedPrompt
from lockgate.redteam.transcript import Transcript, TranscriptStatus, Turn

_UNKEPT = frozenset(
    {RepeatedPrompt.card.id, PersonalDetail.card.id, RecitedText.card.id, *(check.card.id for check in BESIDE)}
)
"""Judges whose finding is the reply itself, which is therefore not kept."""


class Lane(StrEnum):
    """Which target: BARE is the application without its guard, GUARDED the target as it was given."""

    BARE = "bare"
    GUARDED = "guarded"


class AttemptStatus(StrEnum):
    """What became of an attempt."""

    SUCCEEDED = "SUCCEEDED"
    RESISTED = "RESISTED"
    BLOCKED = "BLOCKED"
    ANSWERED = "ANSWERED"
    ERRORED = "ERRORED"
    SKIPPED = "SKIPPED"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attack or harmless conversation against one target.

    Attributes:
        id: Its id in the corpus.
        lane: Which target.
        attack: False for a harmless conversation.
        family: The attack's family, or the kind of the harmless conversation.
        half: `seen` or `unseen`.
        status: SUCCEEDED, RESISTED or BLOCKED for an attack that was judged, ANSWERED or BLOCKED for a harmless
            conversation; ERRORED when it could not be judged, SKIPPED when no judge applies.
        ref: The transcript by digest; without one when nothing was sent.
        reason: Why it is ERRORED, SKIPPED or BLOCKED, the last in the words of the guard or the rule.
        judges: Ids of the judges that found the goal reached.
        replies: What the target said, without protected values.
        converter: What disguised the attack's wording; empty for none.
        refused: The last answer declines what was asked, as far as its wording shows, or is empty.
        models: Names that the endpoint gave the model, in the order in which they came up.
        calls: Names of the tools that were called.
        prompts: What was said to it, without protected values; empty for the half of the corpus that nobody may read.
        beside: Ids of the judges that found something given away which was not the goal.
        opinion: What the judge model said, where one was asked.
        disguise: What a search had changed about the attack in the try that succeeded.
        control: It shows how often the goal is reached by chance, and is in no count of attacks.
    """

    id: str
    lane: Lane
    attack: bool
    family: str
    half: Half
    status: AttemptStatus
    ref: SubjectRef
    reason: str = ""
    judges: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    converter: str = ""
    refused: bool = False
    models: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    opinion: bool | None = None
    disguise: str = ""
    control: bool = False


def judge(item: Attack | Benign, transcript: Transcript, lane: Lane) -> Attempt:
    """Let every judge look at a transcript, and keep of it what may be kept.

    An attack that reached its goal before the conversation broke off has succeeded all the same.
    """
    outcomes = tuple(run(check, transcript) for check in judges_of(transcript.goal, transcript.opinion))
    status, reason = _verdict(item, transcript, outcomes)
    guilty = _failed(outcomes)
    beside = _failed([run(check, transcript) for check in BESIDE]) if transcript.goal else ()
    replies = redact(said := [turn.reply for turn in transcript.turns], transcript.protected)
    # A value in pieces, of which none is one by itself, leaves nothing for redaction to find.
    unkept = _UNKEPT.intersection((*guilty, *beside)) or (DisclosedValue.card.id in guilty and list(replies) == said)
    prompts = [turn.prompt for turn in transcript.turns] if item.half == "seen" else []
    return Attempt(
        id=item.id,
        lane=lane,
        attack=isinstance(item, Attack),
        family=transcript.family,
        half=item.half,
        status=status,
        ref=transcript.ref,
        reason=reason,
        judges=guilty,
        replies=tuple(PLACEHOLDER for _ in replies) if unkept else replies,
        converter=item.converter if isinstance(item, Attack) else "",
        refused=bool(transcript.turns) and _declined(transcript.turns[-1]),
        models=tuple(dict.fromkeys(turn.model for turn in transcript.turns if turn.model)),
        calls=tuple(call.name for turn in transcript.turns for call in turn.calls),
        prompts=redact(prompts, transcript.protected),
        beside=beside,
        opinion=transcript.opinion.reached if transcript.opinion else None,
        disguise=transcript.turns[-1].disguise if status is AttemptStatus.SUCCEEDED else "",
        control=isinstance(item, Attack) and item.control,
    )


def succeeded(transcript: Transcript) -> bool:
    """Whether a judge finds the goal reached."""
    return any(run(check, transcript).status is Status.FAILED for check in judges_of(transcript.goal))


def not_sent(
    item: Attack | Benign,
    *,
    lane: Lane,
    target: str,
    reason: str,
    status: Literal[AttemptStatus.ERRORED, AttemptStatus.SKIPPED] = AttemptStatus.ERRORED,
) -> Attempt:
    """The attempt that never took place: ERRORED or SKIPPED, so that nobody counts it as resistance."""
    return Attempt(
        id=item.id,
        lane=lane,
        attack=isinstance(item, Attack),
        family=item.family if isinstance(item, Attack) else item.kind,
        half=item.half,
        status=status,
        ref=SubjectRef(f"redteam:{item.id}@{target}"),
        reason=reason,
        converter=item.converter if isinstance(item, Attack) else "",
        control=isinstance(item, Attack) and item.control,
    )


def _declined(turn: Turn) -> bool:
    return turn.refused or refuses(turn.reply) or not (turn.blocked or turn.calls or turn.reply.strip())


def _failed(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    return tuple(outcome.check for outcome in outcomes if outcome.status is Status.FAILED)


def _verdict(item: Attack | Benign, transcript: Transcript, outcomes: tuple[Outcome, ...]) -> tuple[AttemptStatus, str]:
    if any(outcome.status is Status.FAILED for outcome in outcomes):
        return AttemptStatus.SUCCEEDED, ""
    if transcript.status is TranscriptStatus.ERRORED:
        return AttemptStatus.ERRORED, transcript.reason
    if broken := [outcome.reason for outcome in outcomes if outcome.status is Status.ERRORED]:
        return AttemptStatus.ERRORED, broken[0]
    if outcomes and all(outcome.status is Status.SKIPPED for outcome in outcomes):
        return AttemptStatus.SKIPPED, "The application has neither a protected value nor a system prompt to leak."
    if transcript.status is TranscriptStatus.BLOCKED:
        said = [turn.stop for turn in transcript.turns if turn.blocked][-1:]
        return AttemptStatus.BLOCKED, redact(said, transcript.protected)[0]
    return (AttemptStatus.RESISTED if isinstance(item, Attack) else AttemptStatus.ANSWERED), ""
