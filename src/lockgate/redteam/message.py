"""What travels between an attack and a target."""

from typing import Literal, TypeAlias

import msgspec


class ToolCall(msgspec.Struct, frozen=True):
    """A tool that a target asked for.

    Attributes:
        name: The tool.
        arguments: Its arguments as JSON text, as the target wrote them.
    """

    name: str
    arguments: str = "{}"


class Fetched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A turn in which the application fetches something for the user, and what it fetched speaks to the model.

    Attributes:
        user: What the user asks.
        tool: The tool that the application used.
        result: What that tool returned.
    """

    user: str
    tool: str
    result: str


Prompt: TypeAlias = str | Fetched


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a conversation.

    Attributes:
        role: Who speaks.
        content: What is said.
        calls: Tools that an assistant's message asks for.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    calls: tuple[ToolCall, ...] = ()


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a target answered.

    Attributes:
        text: Everything that reached the caller: the answer, a refusal, visible reasoning.
        filtered: A guard cut it off or replaced it.
        refused: The endpoint itself marks the answer as a refusal.
        calls: Tools that the target asked for.
        model: The model's name as the endpoint gave it; empty where it gave none.
        stop: What the guard or the rule said that cut it off, where it said something.
    """

    text: str
    filtered: bool = False
    refused: bool = False
    calls: tuple[ToolCall, ...] = ()
    model: str = ""
    stop: str = ""


class UnusableAnswerError(Exception):
    """An answer that says nothing about the attack. Its text never quotes the target."""


def typed(prompt: Prompt) -> str:
    """Everything that a turn puts before the model, as one text."""
    return prompt if isinstance(prompt, str) else f"{prompt.user}\n{prompt.result}"


def messages(prompt: Prompt) -> tuple[Message, ...]:
    """A turn as messages."""
    if isinstance(prompt, str):
        return (Message("user", prompt),)
    return (
        Message("user", prompt.user),
        Message("assistant", calls=(ToolCall(prompt.tool),)),
        Message("tool", prompt.result),
    )
