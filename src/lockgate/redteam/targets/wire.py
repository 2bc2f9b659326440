"""How one kind of endpoint is spoken to."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from lockgate.redteam.corpus import Attack
from lockgate.redteam.message import Answer, Message


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One request, before it is worded for an endpoint.

    Attributes:
        model: Name of the model.
        system_prompt: What the target is told to be; None where the application says it itself.
        history: The conversation.
        tools: Names of the tools that are offered.
        max_tokens: Longest answer.
        seed: Seed of the sampling.
        temperature: 0 for the likeliest answer.
        schema: JSON schema that the answer shall have; None for any text.
        unwelcome: Which of `max_tokens`, `seed` and `temperature` the endpoint has refused by name.
    """

    model: str
    system_prompt: str | None
    history: Sequence[Message]
    tools: tuple[str, ...]
    max_tokens: int
    seed: int
    temperature: float
    schema: Mapping[str, object] | None = None
    unwelcome: frozenset[str] = frozenset()


class Wire(Protocol):
    """Words a question for one kind of endpoint and reads its answer."""

    @property
    def path(self) -> str:
        """Where to post, below the base URL."""
        ...

    def headers(self, api_key: str) -> dict[str, str]:
        """Headers of every request."""
        ...

    def encode(self, question: Question) -> bytes:
        """The body of a request."""
        ...

    def decode(self, body: bytes) -> Answer:
        """The answer in the body of a response.

        Raises:
            UnusableAnswerError: It is no answer.
        """
        ...


def tools_of(about: object) -> tuple[str, ...]:
    """Names of the tools that go with what is being tried."""
    return about.tools if isinstance(about, Attack) else ()
