"""From a conversation to the body that is sent upstream: the guard's output and nothing else."""

from collections.abc import Iterator, Sequence
from typing import cast

import msgspec

from lockgate.core import Verdict
from lockgate.gateway.conversation import Conversation
from lockgate.gateway.judging import Judgement, Slot, judge, strings
from lockgate.gateway.request import Json
from lockgate.gateway.wayback import UNCHANGED, WayBack, isolate_results
from lockgate.guard import Guard, Known, Message, Mode, Vault

_LENGTHS = ("max_tokens", "max_completion_tokens")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the application adds to every request.

    Attributes:
        system_prompt: Put before every conversation; empty for none.
        upstream_model: Name of the model at the upstream.
        max_tokens: Longest answer a caller may ask for, and the default.
        isolation: How results of tools are set apart; None where they are not.
        reversible: Whether what is redacted comes back in the answer.
    """

    system_prompt: str
    upstream_model: str
    max_tokens: int
    isolation: Mode | None = None
    reversible: bool = False


class Draft(msgspec.Struct, frozen=True):
    """What may be sent.

    Attributes:
        body: For the upstream.
        judgement: What the guard decided.
        way_back: How to read the answer.
        slots: The texts in it that came from the caller, as the guard let them pass.
    """

    body: bytes
    judgement: Judgement
    way_back: WayBack = UNCHANGED
    slots: Sequence[Slot] = ()


def prepare(guard: Guard, conversation: Conversation, limits: Limits, known: Known | None = None) -> Draft:
    """Judge a conversation as a whole and write the body for the upstream.

    Raises:
        ApiError: 400 `content_filter` when the guard blocks it, 503 when the guard erred.
    """
    groups = _groups(conversation)
    slots = [slot for group in groups for slot in group]
    vault = Vault() if limits.reversible else None
    judgement = judge(guard, slots, lambda: judge_groups(guard, groups, known), what="request", vault=vault)
    return _draft(conversation, limits, judgement, slots, vault)


def prepare_known(guard: Guard, conversation: Conversation, limits: Limits, known: Known) -> Draft | None:
    """As `prepare` where this guard allowed every turn before, and the user's turns together; else None."""
    if limits.reversible:
        return None
    groups = _groups(conversation)
    verdict = guard.recall(_turns(groups), known)
    if verdict is None:
        return None
    slots = [slot for group in groups for slot in group]
    return _draft(conversation, limits, Judgement(score=verdict.score), slots, None)


def _groups(conversation: Conversation) -> list[list[Slot]]:
    """Every text that will travel, turn by turn; what stands outside the turns first."""
    document = conversation.document
    messages = cast("list[Json]", document["messages"])
    for message in messages:
        _flatten(message)
    groups = [group for message in messages for group in _spoken(message)]
    if extras := [*_named(messages), *_others(document)]:
        groups.insert(0, extras)
    return groups


def _draft(
    conversation: Conversation, limits: Limits, judgement: Judgement, slots: list[Slot], vault: Vault | None
) -> Draft:
    document = conversation.document
    messages = cast("list[Json]", document["messages"])
    system_prompt, marks = limits.system_prompt, {}
    if limits.isolation is not None:
        system_prompt, marks = isolate_results(messages, system_prompt, limits.isolation)
    _finish(document, messages, limits, system_prompt)
    if conversation.streams:
        document["stream"] = True
        document["stream_options"] = {"include_usage": True}
    way_back = WayBack(marks, vault) if marks or vault else UNCHANGED
    return Draft(msgspec.json.encode(document), judgement, way_back, slots)


def media_bytes(document: Json) -> int:
    """Bytes that images take in a conversation."""
    return sum(
        len(cast("dict[str, str]", part["image_url"])["url"])
        for message in cast("list[Json]", document["messages"])
        if isinstance(parts := message.get("content"), list)
        for part in cast("list[Json]", parts)
        if part["type"] == "image_url"
    )


def longest_answer(document: Json, limits: Limits) -> int:
    """Tokens of the longest answer that a conversation may get."""
    asked = [cast("int", document[name]) for name in _LENGTHS if name in document]
    return min([limits.max_tokens, *asked])


def judge_groups(guard: Guard, groups: list[list[Slot]], known: Known | None = None) -> Verdict:
    """The verdict on a conversation: each group is a turn of the role of its first slot."""
    return guard.inspect_messages(_turns(groups), known)


def _turns(groups: list[list[Slot]]) -> list[Message]:
    return [Message(role=group[0].role, content="\n".join(slot.text for slot in group)) for group in groups if group]


def _flatten(message: Json) -> None:
    parts = message.get("content")
    if isinstance(parts, list):
        listed = cast("list[dict[str, str]]", parts)
        if all(part["type"] == "text" for part in listed):
            message["content"] = "\n".join(part["text"] for part in listed)


def _spoken(message: Json) -> Iterator[list[Slot]]:
    role = cast("str", message["role"])
    content = message.get("content")
    if isinstance(content, list):
        parts = cast("list[Json]", content)
        yield [slot for part in parts if part["type"] == "text" for slot in strings(part, "text", role=role)]
    elif "content" in message:
        yield list(strings(message, "content", role=role))
    if "tool_calls" in message:
        yield list(strings(message, "tool_calls", role=role))


def _named(messages: list[Json]) -> Iterator[Slot]:
    for message in messages:
        for field in message:
            if field not in {"role", "content", "tool_calls"}:
                yield from strings(message, field, role="user")


def _others(document: Json) -> Iterator[Slot]:
    """Every text outside the messages; a bare number or truth value says nothing."""
    for field, value in document.items():
        if field != "messages" and not isinstance(value, int | float | None):
            yield from strings(document, field, role="user")


def _finish(document: Json, messages: list[Json], limits: Limits, system_prompt: str) -> None:
    document["model"] = limits.upstream_model
    if system_prompt:
        messages.insert(0, {"role": "system", "content": system_prompt})
    asked = [name for name in _LENGTHS if name in document]
    for name in asked or ["max_tokens"]:
        document[name] = min(cast("int", document.get(name, limits.max_tokens)), limits.max_tokens)
