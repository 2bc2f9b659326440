"""Something a red team can talk to."""

from collections.abc import Sequence
from typing import Protocol

from lockgate.redteam.corpus import Attack, Benign
from lockgate.redteam.message import Answer, Message
from lockgate.redteam.opinion import Opinion
from lockgate.redteam.transcript import Transcript


class Target(Protocol):
    """A model, or an application around one."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def fingerprint(self) -> str:
        """What it is: model digest, system prompt digest, guard and parameters. A journal of another is not reused."""
        ...

    @property
    def repeatable(self) -> bool:
        """Whether the same fingerprint gives the same replies, so that a later run may use what this one judged."""
        ...

    async def reply(self, history: Sequence[Message], about: Attack | Benign) -> Answer:
        """Answer the last message of a conversation.

        Args:
            history: The conversation so far, without the system prompt that the target itself puts before it.
            about: What is being tried: which tools are offered and how long an answer may be follow from it. A target
                never learns its goal.

        Raises:
            UnusableAnswerError: There is no answer that could be judged.
        """
        ...


class Attacker(Protocol):
    """A model that helps a strategy to word its next message."""

    async def write(self, history: Sequence[Message]) -> str:
        """Continue a conversation between the strategy and its helper.

        Raises:
            UnusableAnswerError: There is no text to use.
        """
        ...


class Opinions(Protocol):
    """A model that says whether an attack reached its goal."""

    async def opine(self, transcript: Transcript) -> Opinion:
        """Ask about one transcript.

        Raises:
            UnusableAnswerError: There is no answer.
        """
        ...
