"""The chat request of OpenAI's clients: every field that may travel."""

import base64
from collections.abc import Iterable
from typing import Annotated, Literal, cast

from msgspec import Meta

from lockgate.gateway.conversation import Conversation
from lockgate.gateway.errors import ApiError, invalid
from lockgate.gateway.request import Json, Strict, convert, plain
from lockgate.gateway.surfaces.chat_answer import ChatWriter
from lockgate.gateway.surfaces.unsent import EmptyList, UnsentChat

IMAGE = "image"
# No address: whoever fetches it would fetch it for the caller, from inside.
_IMAGES = frozenset(f"data:image/{kind};base64" for kind in ("png", "jpeg", "gif", "webp"))


class TextPart(Strict, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """A content part that the guard reads."""

    text: str


class ImageUrl(Strict, frozen=True, kw_only=True):
    """An image as a `data:` URL."""

    url: str
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Strict, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """A content part that the guard cannot read; refused unless policy lets images travel."""

    image_url: ImageUrl


Content = str | Annotated[tuple[TextPart, ...], Meta(min_length=1)]
UserContent = str | Annotated[tuple[TextPart | ImagePart, ...], Meta(min_length=1)]


class FunctionCall(Strict, frozen=True, kw_only=True):
    """A function that the model asked for, with its arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(Strict, frozen=True, kw_only=True):
    """One tool call of an earlier answer."""

    id: str
    function: FunctionCall
    type: Literal["function"]
    index: int | None = None


class SystemMessage(Strict, frozen=True, kw_only=True, tag_field="role", tag="system"):
    """A caller's system message; it is judged as the caller's words."""

    content: Content
    name: str | None = None


class DeveloperMessage(Strict, frozen=True, kw_only=True, tag_field="role", tag="developer"):
    """A caller's developer message; it is judged as the caller's words."""

    content: Content
    name: str | None = None


class UserMessage(Strict, frozen=True, kw_only=True, tag_field="role", tag="user"):
    """What the user said."""

    content: UserContent
    name: str | None = None


class AssistantMessage(Strict, frozen=True, kw_only=True, tag_field="role", tag="assistant"):
    """What the model is said to have answered; the caller may have made it up."""

    content: Content | None = None
    name: str | None = None
    refusal: None = None
    annotations: EmptyList | None = None
    audio: None = None
    function_call: None = None
    reasoning_content: None = None
    tool_calls: Annotated[tuple[ToolCall, ...], Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        if self.content is None and self.tool_calls is None:
            raise ValueError("An assistant message needs content or tool_calls")


class ToolMessage(Strict, frozen=True, kw_only=True, tag_field="role", tag="tool"):
    """What a tool returned."""

    content: Content
    tool_call_id: str
    name: str | None = None


ChatMessage = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage


class FunctionDefinition(Strict, frozen=True, kw_only=True):
    """A function that the model may ask for."""

    name: str
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None


class Tool(Strict, frozen=True, kw_only=True):
    """A tool that the model may ask for."""

    function: FunctionDefinition
    type: Literal["function"]


class FunctionName(Strict, frozen=True, kw_only=True):
    """A function by name."""

    name: str


class ToolChoice(Strict, frozen=True, kw_only=True):
    """The one tool that the model must ask for."""

    function: FunctionName
    type: Literal["function"]


class JsonSchemaFormat(Strict, frozen=True, kw_only=True):
    """The schema that an answer must follow."""

    name: str
    description: str | None = None
    schema: Json | None = None
    strict: bool | None = None


class ResponseFormat(Strict, frozen=True, kw_only=True):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaFormat | None = None


class StreamOptions(Strict, frozen=True, kw_only=True):
    """What a stream carries beside the answer."""

    include_usage: bool | None = None


Effort = Literal["none", "minimal", "low", "medium", "high"]
Metadata = Annotated[dict[str, str], Meta(max_length=16)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Tokens = Annotated[int, Meta(ge=1)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Share = Annotated[float, Meta(ge=0, le=1)]


class ChatRequest(UnsentChat, frozen=True, kw_only=True):
    """The body of `POST /v1/chat/completions`: every field that may travel."""

    model: str
    messages: Annotated[tuple[ChatMessage, ...], Meta(min_length=1)]
    temperature: Temperature | None = None
    top_p: Share | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    stop: str | Annotated[tuple[str, ...], Meta(max_length=4)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    n: Literal[1] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: Metadata | None = None
    store: Literal[False] | None = None
    tools: Annotated[tuple[Tool, ...], Meta(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Effort | None = None


def read_chat(body: object, passing: frozenset[str]) -> Conversation:
    """Read the body of `POST /v1/chat/completions`.

    Args:
        body: Parsed JSON.
        passing: Media that may travel unscanned.

    Raises:
        ApiError: 400 `unknown_parameter` or `invalid_value`.
    """
    request = convert(body, ChatRequest)
    options = request.stream_options
    document = cast("Json", plain(request))
    for field in ("model", "stream", "stream_options", "store", *UnsentChat.__struct_fields__):
        document.pop(field, None)
    for message in cast("list[Json]", document["messages"]):
        _drop_unsent(message)
    return Conversation(
        model=request.model,
        document=document,
        writer=lambda envelope: ChatWriter(envelope, with_usage=options is not None and options.include_usage is True),
        streams=request.stream is True,
        unscanned=tuple(_find_images(request.messages, passing)),
    )


def _drop_unsent(message: Json) -> None:
    """What an earlier answer came with, and the name of a tool, which stands in the call."""
    message.pop("annotations", None)
    if message["role"] == "tool":
        message.pop("name", None)
    for call in cast("list[Json]", message.get("tool_calls", [])):
        call.pop("index", None)


def _find_images(messages: tuple[ChatMessage, ...], passing: frozenset[str]) -> Iterable[str]:
    for number, message in enumerate(messages):
        if isinstance(message, UserMessage) and not isinstance(message.content, str):
            for index, part in enumerate(message.content):
                if isinstance(part, ImagePart):
                    place = f"messages[{number}].content[{index}]"
                    check_image(part.image_url.url, passing, place=f"{place}.image_url.url")
                    yield place


def check_image(url: str, passing: frozenset[str], *, place: str) -> None:
    """Refuse an image unless policy lets images travel and it is one of the usual kinds, given in the body itself.

    Raises:
        ApiError: 400 `unsupported_media` or `invalid_value`.
    """
    if IMAGE not in passing:
        raise unsupported_media("Images are not accepted, because the guard cannot read them.", place)
    head, _, data = url.partition(",")
    if head not in _IMAGES or not data:
        raise invalid("invalid_value", "An image is given as a data: URL of PNG, JPEG, GIF or WebP.", param=place)
    try:
        base64.b64decode(data, validate=True)
    except ValueError as error:
        raise invalid("invalid_value", "The image is not base64.", param=place) from error


def unsupported_media(why: str, place: str) -> ApiError:
    """A content part that the guard cannot read and policy does not let travel: 400."""
    return invalid("unsupported_media", why, param=place)
