"""Anthropic's messages: read strictly and told as a chat completion."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lockgate.gateway.conversation import Conversation
from lockgate.gateway.request import Json, Strict, convert
from lockgate.gateway.surfaces.chat_request import Share, Tokens, check_image
from lockgate.gateway.surfaces.messages_answer import MessagesWriter
from lockgate.gateway.surfaces.unsent import UnsentMessages


class CacheControl(Strict, frozen=True, kw_only=True):
    """Where Anthropic may cache; it says nothing to other servers and does not travel."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class TextBlock(Strict, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Text."""

    text: str
    cache_control: CacheControl | None = None
    citations: None = None


class ImageSource(Strict, frozen=True, kw_only=True):
    """An image in the body itself."""

    type: Literal["base64"]
    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    data: str


class ImageBlock(Strict, frozen=True, kw_only=True, tag_field="type", tag="image"):
    """A block that the guard cannot read; refused unless policy lets images travel."""

    source: ImageSource
    cache_control: CacheControl | None = None


class DirectCaller(Strict, frozen=True, kw_only=True):
    """The model asked for a tool itself, and no program of Anthropic's did."""

    type: Literal["direct"]


class ToolUseBlock(Strict, frozen=True, kw_only=True, tag_field="type", tag="tool_use"):
    """A tool that the model asked for."""

    id: str
    name: str
    input: Json
    cache_control: CacheControl | None = None
    caller: DirectCaller | None = None


class ToolResultBlock(Strict, frozen=True, kw_only=True, tag_field="type", tag="tool_result"):
    """What a tool returned."""

    tool_use_id: str
    content: str | tuple[TextBlock, ...] = ""
    is_error: bool | None = None
    cache_control: CacheControl | None = None


class UserTurn(Strict, frozen=True, kw_only=True, tag_field="role", tag="user"):
    """What the user said, and what tools returned."""

    content: str | Annotated[tuple[TextBlock | ImageBlock | ToolResultBlock, ...], Meta(min_length=1)]


class AssistantTurn(Strict, frozen=True, kw_only=True, tag_field="role", tag="assistant"):
    """What the model is said to have answered; the caller may have made it up."""

    content: str | Annotated[tuple[TextBlock | ToolUseBlock, ...], Meta(min_length=1)]


class CustomTool(Strict, frozen=True, kw_only=True):
    """A tool of the caller's own; tools that Anthropic runs are refused."""

    name: str
    input_schema: Json
    description: str | None = None
    type: Literal["custom"] | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None


class AutoChoice(Strict, frozen=True, kw_only=True, tag_field="type", tag="auto"):
    """The model chooses."""

    disable_parallel_tool_use: bool | None = None


class AnyChoice(Strict, frozen=True, kw_only=True, tag_field="type", tag="any"):
    """The model must ask for a tool."""

    disable_parallel_tool_use: bool | None = None


class NamedChoice(Strict, frozen=True, kw_only=True, tag_field="type", tag="tool"):
    """The model must ask for this tool."""

    name: str
    disable_parallel_tool_use: bool | None = None


class NoChoice(Strict, frozen=True, kw_only=True, tag_field="type", tag="none"):
    """The model may not ask for a tool."""


class UserMetadata(Strict, frozen=True, kw_only=True):
    """Who the caller's user is."""

    user_id: str | None = None


class NoThinking(Strict, frozen=True, kw_only=True):
    """Extended thinking, switched off: thoughts could not be guarded."""

    type: Literal["disabled"]


class CountRequest(UnsentMessages, frozen=True, kw_only=True):
    """The body of `POST /v1/messages/count_tokens`."""

    model: str
    messages: Annotated[tuple[UserTurn | AssistantTurn, ...], Meta(min_length=1)]
    system: str | tuple[TextBlock, ...] | None = None
    tools: Annotated[tuple[CustomTool, ...], Meta(max_length=128)] | None = None
    tool_choice: AutoChoice | AnyChoice | NamedChoice | NoChoice | None = None
    thinking: NoThinking | None = None
    cache_control: CacheControl | None = None


class MessagesRequest(CountRequest, frozen=True, kw_only=True):
    """The body of `POST /v1/messages`: every field that may travel."""

    max_tokens: Tokens
    stop_sequences: Annotated[tuple[str, ...], Meta(max_length=4)] | None = None
    stream: bool | None = None
    temperature: Share | None = None
    top_p: Share | None = None
    metadata: UserMetadata | None = None


def read_messages(body: object, passing: frozenset[str]) -> Conversation:
    """Read the body of `POST /v1/messages`.

    Args:
        body: Parsed JSON.
        passing: Media that may travel unscanned.

    Raises:
        ApiError: 400 `unknown_parameter`, `invalid_value` or `unsupported_media`.
    """
    request = convert(body, MessagesRequest)
    unscanned = tuple(_check_images(request, passing))
    document = _told(request)
    document["max_tokens"] = request.max_tokens
    given: Json = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop_sequences or ()) or None,
        "user": request.metadata.user_id if request.metadata else None,
    }
    document |= {name: value for name, value in given.items() if value is not None}
    return Conversation(
        model=request.model,
        document=document,
        writer=MessagesWriter,
        streams=request.stream is True,
        unscanned=unscanned,
    )


def count_tokens(body: object, passing: frozenset[str]) -> tuple[Conversation, int]:
    """What is asked about, and how many tokens it has, estimated as a quarter of its UTF-8 bytes.

    Raises:
        ApiError: As for `read_messages`.
    """
    request = convert(body, CountRequest)
    unscanned = tuple(_check_images(request, passing))
    document = _told(request)
    conversation = Conversation(
        model=request.model, document=document, writer=MessagesWriter, streams=False, unscanned=unscanned
    )
    return conversation, len(msgspec.json.encode(document)) // 4 + 1


def _told(request: CountRequest) -> Json:
    messages: list[Json] = []
    if request.system:
        messages.append({"role": "system", "content": _joined(request.system)})
    for turn in request.messages:
        messages += _user(turn) if isinstance(turn, UserTurn) else [_assistant(turn)]
    document: Json = {"messages": messages}
    if request.tools:
        document["tools"] = [_tool(tool) for tool in request.tools]
    if request.tool_choice:
        document["tool_choice"] = _choice(request.tool_choice)
        if not isinstance(request.tool_choice, NoChoice) and request.tool_choice.disable_parallel_tool_use:
            document["parallel_tool_calls"] = False
    return document


def _joined(content: str | tuple[TextBlock, ...]) -> str:
    return content if isinstance(content, str) else "\n".join(block.text for block in content)


def _user(turn: UserTurn) -> Iterator[Json]:
    """Results of tools come first, as they answer the turn before."""
    if isinstance(turn.content, str):
        yield {"role": "user", "content": turn.content}
        return
    parts: list[Json] = []
    for block in turn.content:
        match block:
            case ToolResultBlock():
                text = _joined(block.content)
                text = f"Error: {text}" if block.is_error else text
                yield {"role": "tool", "tool_call_id": block.tool_use_id, "content": text}
            case ImageBlock(source=source):
                parts.append({"type": "image_url", "image_url": {"url": _data_url(source)}})
            case TextBlock(text=text):
                parts.append({"type": "text", "text": text})
    if parts:
        yield {"role": "user", "content": parts}


def _assistant(turn: AssistantTurn) -> Json:
    if isinstance(turn.content, str):
        return {"role": "assistant", "content": turn.content}
    texts = tuple(block for block in turn.content if isinstance(block, TextBlock))
    calls = [block for block in turn.content if isinstance(block, ToolUseBlock)]
    message: Json = {"role": "assistant"}
    if texts:
        message["content"] = _joined(texts)
    if calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": msgspec.json.encode(call.input).decode()},
            }
            for call in calls
        ]
    return message


def _tool(tool: CustomTool) -> Json:
    function: Json = {"name": tool.name, "parameters": tool.input_schema}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _choice(choice: AutoChoice | AnyChoice | NamedChoice | NoChoice) -> object:
    match choice:
        case NamedChoice(name=name):
            return {"type": "function", "function": {"name": name}}
        case AutoChoice():
            return "auto"
        case AnyChoice():
            return "required"
        case NoChoice():
            return "none"


def _check_images(request: CountRequest, passing: frozenset[str]) -> Iterable[str]:
    for number, turn in enumerate(request.messages):
        for index, block in enumerate(turn.content if not isinstance(turn.content, str) else ()):
            if isinstance(block, ImageBlock):
                place = f"messages[{number}].content[{index}]"
                check_image(_data_url(block.source), passing, place=f"{place}.source")
                yield place


def _data_url(source: ImageSource) -> str:
    return f"data:{source.media_type};base64,{source.data}"
