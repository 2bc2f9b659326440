"""What was said between an attack and a target: the subject of the judges."""

from enum import StrEnum

import msgspec

from lockgate.core.finding import Location
from lockgate.core.subject import SubjectRef, sha256_hex
from lockgate.redteam.corpus import Attack, Benign
from lockgate.redteam.goal import Goal
from lockgate.redteam.message import ToolCall
from lockgate.redteam.opinion import Opinion


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message and what came back.

    Attributes:
        prompt: The user's message, with what a tool fetched for it.
        reply: The target's answer; empty where a guard stopped it.
        blocked: A guard refused this message or its answer. The conversation ends here.
        calls: Tools that the target asked for.
        fetched: The part of `prompt` that the user did not type.
        refused: The endpoint marks the answer as a refusal.
        model: The model's name as the endpoint gave it.
        disguise: What a search had changed about the attack in this try.
        stop: What the guard or the rule said that blocked it.
    """

    prompt: str
    reply: str
    blocked: bool = False
    calls: tuple[ToolCall, ...] = ()
    fetched: str = ""
    refused: bool = False
    model: str = ""
    disguise: str = ""
    stop: str = ""


class Conversation(msgspec.Struct, frozen=True):
    """What a target made of some turns.

    Attributes:
        turns: The turns that were answered or blocked, in order.
        error: Why the conversation ended early for a reason other than a guard; empty if it did not. Never quotes the
            target.
    """

    turns: tuple[Turn, ...]
    error: str = ""


class TranscriptStatus(StrEnum):
    """How a conversation ended."""

    ANSWERED = "ANSWERED"
    BLOCKED = "BLOCKED"
    ERRORED = "ERRORED"


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation of the corpus with one target, with all that a judge needs.

    Attributes:
        ref: `redteam:<id>@<target>`, with the digest of what was said.
        attack: Id of the attack or of the harmless conversation.
        family: The attack's family, or the kind of the harmless conversation.
        goal: What the attack wants; None for a harmless conversation.
        turns: What was said.
        protected: Values that no reply may disclose.
        system_prompt: The application's system prompt; empty if it has none.
        status: How the conversation ended.
        reason: Why it is ERRORED.
        opinion: What the judge model said about it, where one was asked.
    """

    ref: SubjectRef
    attack: str
    family: str
    goal: Goal | None
    turns: tuple[Turn, ...]
    protected: tuple[str, ...]
    system_prompt: str
    status: TranscriptStatus
    reason: str = ""
    opinion: Opinion | None = None

    @property
    def prompts(self) -> str:
        """Every user message, one after the other."""
        return "\n".join(turn.prompt for turn in self.turns)

    def reply_at(self, number: int) -> Location:
        """Where the reply to a message is.

        Args:
            number: The turn's place, from 0.
        """
        return Location(self.ref.uri, f"/turns/{number}/reply")


def transcribe(
    item: Attack | Benign, talk: Conversation, *, target: str, protected: tuple[str, ...], system_prompt: str
) -> Transcript:
    """Put a conversation on record.

    The digest is that of canonical JSON over the id, the target, the status and the turns.
    """
    status = _status(talk)
    said = {"attack": item.id, "status": status, "target": target, "turns": talk.turns}
    return Transcript(
        ref=SubjectRef(f"redteam:{item.id}@{target}", sha256_hex(msgspec.json.encode(said, order="sorted"))),
        attack=item.id,
        family=item.family if isinstance(item, Attack) else item.kind,
        goal=item.goal if isinstance(item, Attack) else None,
        turns=talk.turns,
        protected=protected,
        system_prompt=system_prompt,
        status=status,
        reason=talk.error,
    )


def _status(talk: Conversation) -> TranscriptStatus:
    if talk.error:
        return TranscriptStatus.ERRORED
    blocked = any(turn.blocked for turn in talk.turns)
    return TranscriptStatus.BLOCKED if blocked else TranscriptStatus.ANSWERED
