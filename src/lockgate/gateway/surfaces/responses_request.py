"""OpenAI's responses, without a memory of their own: read strictly and told as a chat completion."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, cast

from msgspec import Meta

from lockgate.gateway.conversation import Conversation
from lockgate.gateway.errors import invalid
from lockgate.gateway.request import Json, Strict, convert
from lockgate.gateway.surfaces.chat_request import Effort, Metadata, Share, Temperature, Tokens, check_image
from lockgate.gateway.surfaces.responses_answer import ResponsesWriter
from lockgate.gateway.surfaces.unsent import UnsentResponses


class InputText(Strict, frozen=True, kw_only=True, tag_field="type", tag="input_text"):
    """Text of the caller's."""

    text: str


class OutputText(Strict, frozen=True, kw_only=True, tag_field="type", tag="output_text"):
    """Text of an earlier answer."""

    text: str
    annotations: Annotated[tuple[Json, ...], Meta(max_length=0)] = ()
    logprobs: Annotated[tuple[Json, ...], Meta(max_length=0)] | None = None


class InputImage(Strict, frozen=True, kw_only=True, tag_field="type", tag="input_image"):
    """A part that the guard cannot read; refused unless policy lets images travel."""

    image_url: str
    detail: Literal["auto", "low", "high"] | None = None


Parts = Annotated[tuple[InputText | OutputText | InputImage, ...], Meta(min_length=1)]


class MessageItem(Strict, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """A turn. Its id and status are ours and do not travel."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | Parts
    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None


class CallItem(Strict, frozen=True, kw_only=True, tag_field="type", tag="function_call"):
    """A function that the model asked for."""

    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None


class ResultItem(Strict, frozen=True, kw_only=True, tag_field="type", tag="function_call_output"):
    """What a function returned."""

    call_id: str
    output: str | Annotated[tuple[InputText, ...], Meta(min_length=1)]
    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None


Item = MessageItem | CallItem | ResultItem


class FunctionTool(Strict, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function of the caller's own; tools that OpenAI runs are refused."""

    name: str
    parameters: Json | None = None
    description: str | None = None
    strict: bool | None = None


class NamedFunction(Strict, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """The one function that the model must ask for."""

    name: str


class Format(Strict, frozen=True, kw_only=True):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    schema: Json | None = None
    strict: bool | None = None


class TextOptions(Strict, frozen=True, kw_only=True):
    """How the text is written."""

    format: Format | None = None
    verbosity: Literal["medium"] | None = None


class StreamOptions(Strict, frozen=True, kw_only=True):
    """What a stream carries beside the answer; nothing here."""

    include_obfuscation: bool | None = None


class Reasoning(Strict, frozen=True, kw_only=True):
    """How much the model thinks; what it thinks is not told, whoever asks for a summary."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: None = None


class ResponsesRequest(UnsentResponses, frozen=True, kw_only=True):
    """The body of `POST /v1/responses`: every field that may travel."""

    model: str
    input: str | Annotated[tuple[Item, ...], Meta(min_length=1)]
    instructions: str | None = None
    max_output_tokens: Tokens | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    stream: bool | None = None
    tools: Annotated[tuple[FunctionTool, ...], Meta(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedFunction | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    reasoning: Reasoning | None = None
    metadata: Metadata | None = None
    user: str | None = None
    safety_identifier: str | None = None
    include: tuple[Literal["reasoning.encrypted_content"], ...] | None = None
    stream_options: StreamOptions | None = None
    store: Literal[False] | None = None
    background: Literal[False] | None = None
    truncation: Literal["disabled"] | None = None
    previous_response_id: None = None
    conversation: None = None


_STATEFUL = {
    "store": "Responses are not stored here. Send 'store': false.",
    "background": "Responses are not made in the background.",
    "previous_response_id": "No response is kept that this one could follow. Send the whole conversation as 'input'.",
    "conversation": "Conversations are not kept. Send the whole conversation as 'input'.",
    "prompt": "Stored prompts are not kept here. Send the text itself.",
}


def read_response(body: object, passing: frozenset[str]) -> Conversation:
    """Read the body of `POST /v1/responses`.

    Args:
        body: Parsed JSON.
        passing: Media that may travel unscanned.

    Raises:
        ApiError: 400 `unsupported_state`, `unsupported_tool`, `unknown_parameter`, `invalid_value` or
            `unsupported_media`.
    """
    _refuse_state(body)
    request = convert(body, ResponsesRequest)
    unscanned: list[str] = []
    messages = list(_told(request, passing, unscanned))
    given: Json = {
        "max_completion_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "tools": [_tool(tool) for tool in request.tools or ()] or None,
        "tool_choice": _choice(request),
        "parallel_tool_calls": request.parallel_tool_calls,
        "response_format": _format(request),
        "reasoning_effort": request.reasoning.effort if request.reasoning else None,
        "metadata": request.metadata,
        "user": request.user,
        "safety_identifier": request.safety_identifier,
    }
    document: Json = {name: value for name, value in given.items() if value is not None}
    return Conversation(
        model=request.model,
        document=document | {"messages": messages},
        writer=ResponsesWriter,
        streams=request.stream is True,
        unscanned=tuple(unscanned),
    )


def _refuse_state(document: object) -> None:
    """Say what is missing, where the type alone would only say that the value is wrong."""
    if not isinstance(document, dict):
        return
    body = cast("Json", document)
    for field, why in _STATEFUL.items():
        if body.get(field):
            raise invalid("unsupported_state", why, param=field)
    tools = body.get("tools")
    for number, tool in enumerate(cast("list[object]", tools) if isinstance(tools, list) else ()):
        if isinstance(tool, Mapping) and cast("Json", tool).get("type") != "function":
            raise invalid(
                "unsupported_tool", "Only tools of the type 'function' are served.", param=f"tools[{number}].type"
            )
    items = body.get("input")
    for item in cast("list[object]", items) if isinstance(items, list) else ():
        if isinstance(item, dict) and "role" in item:
            cast("Json", item).setdefault("type", "message")


def _told(request: ResponsesRequest, passing: frozenset[str], unscanned: list[str]) -> Iterator[Json]:
    if request.instructions:
        yield {"role": "system", "content": request.instructions}
    if isinstance(request.input, str):
        yield {"role": "user", "content": request.input}
        return
    calls: list[Json] = []
    for number, item in enumerate(request.input):
        if calls and not isinstance(item, CallItem):
            yield {"role": "assistant", "tool_calls": calls}
            calls = []
        match item:
            case MessageItem():
                yield {"role": item.role, "content": _content(item, f"input[{number}]", passing, unscanned)}
            case ResultItem():
                output = item.output if isinstance(item.output, str) else "\n".join(part.text for part in item.output)
                yield {"role": "tool", "tool_call_id": item.call_id, "content": output}
            case CallItem():
                function: Json = {"name": item.name, "arguments": item.arguments}
                calls.append({"id": item.call_id, "type": "function", "function": function})
    if calls:
        yield {"role": "assistant", "tool_calls": calls}


def _content(item: MessageItem, place: str, passing: frozenset[str], unscanned: list[str]) -> str | list[Json]:
    if isinstance(item.content, str):
        return item.content
    parts: list[Json] = []
    for index, part in enumerate(item.content):
        if not isinstance(part, InputImage):
            parts.append({"type": "text", "text": part.text})
            continue
        here = f"{place}.content[{index}]"
        if item.role != "user":
            raise invalid("invalid_value", "Only a user's message may hold an image.", param=here)
        check_image(part.image_url, passing, place=f"{here}.image_url")
        unscanned.append(here)
        parts.append({"type": "image_url", "image_url": {"url": part.image_url, "detail": part.detail or "auto"}})
    return parts


def _tool(tool: FunctionTool) -> Json:
    fields: Json = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }
    return {"type": "function", "function": {name: value for name, value in fields.items() if value is not None}}


def _choice(request: ResponsesRequest) -> object:
    choice = request.tool_choice
    return {"type": "function", "function": {"name": choice.name}} if isinstance(choice, NamedFunction) else choice


def _format(request: ResponsesRequest) -> Json | None:
    wanted = request.text.format if request.text else None
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {"type": "json_object"}
    fields: Json = {
        "name": wanted.name or "answer",
        "description": wanted.description,
        "schema": wanted.schema,
        "strict": wanted.strict,
    }
    return {"type": "json_schema", "json_schema": {name: value for name, value in fields.items() if value is not None}}
