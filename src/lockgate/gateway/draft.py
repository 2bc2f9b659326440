"""From a request to the body that is sent upstream: the guard's output and nothing else."""

from collections.abc import Iterator
from typing import cast

import msgspec

from lockgate.core import Verdict
from lockgate.gateway.judging import Judgement, Slot, judge, strings
from lockgate.gateway.request import ChatRequest, Json
from lockgate.guard import Guard, Message


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the application adds to every request.

    Attributes:
        system_prompt: Put before every conversation; empty for none.
        upstream_model: Name of the model at the upstream.
        max_tokens: Longest answer a caller may ask for, and the default.
    """

    system_prompt: str
    upstream_model: str
    max_tokens: int


def prepare(guard: Guard, request: ChatRequest, limits: Limits) -> tuple[bytes, Judgement]:
    """Judge a request as a whole and write the body for the upstream.

    Raises:
        ApiError: 400 `content_filter` when the guard blocks it, 503 when the guard erred.
    """
    document = cast("Json", msgspec.json.decode(msgspec.json.encode(request)))
    messages = cast("list[Json]", document["messages"])
    for message in messages:
        _flatten(message)
    groups = [group for message in messages for group in _spoken(message)]
    if extras := [*_named(messages), *_others(document)]:
        groups.insert(0, extras)
    slots = [slot for group in groups for slot in group]
    judgement = judge(guard, slots, lambda: _whole(guard, groups), what="request")
    _finish(document, messages, limits)
    return msgspec.json.encode(document), judgement


def _whole(guard: Guard, groups: list[list[Slot]]) -> Verdict:
    return guard.inspect_messages(
        [Message(role=group[0].role, content="\n".join(slot.text for slot in group)) for group in groups]
    )


def _flatten(message: Json) -> None:
    content = message.get("content")
    if isinstance(content, list):
        parts = cast("list[dict[str, str]]", content)
        message["content"] = "\n".join(part["text"] for part in parts)


def _spoken(message: Json) -> Iterator[list[Slot]]:
    for field in ("content", "tool_calls"):
        if field in message:
            yield list(strings(message, field, role=cast("str", message["role"])))


def _named(messages: list[Json]) -> Iterator[Slot]:
    for message in messages:
        for field in ("name", "tool_call_id"):
            if field in message:
                yield from strings(message, field, role="user")


def _others(document: Json) -> Iterator[Slot]:
    for field in ("stop", "user", "tools", "tool_choice", "response_format"):
        if field in document:
            yield from strings(document, field, role="user")


def _finish(document: Json, messages: list[Json], limits: Limits) -> None:
    document["model"] = limits.upstream_model
    if limits.system_prompt:
        messages.insert(0, {"role": "system", "content": limits.system_prompt})
    asked = [name for name in ("max_tokens", "max_completion_tokens") if name in document]
    for name in asked or ["max_tokens"]:
        document[name] = min(cast("int", document.get(name, limits.max_tokens)), limits.max_tokens)
