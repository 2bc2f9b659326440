"""The chat request, strictly: a field that is not named here does not travel."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lockgate.gateway.errors import ApiError, invalid
from lockgate.gateway.strict_json import JsonError, load

Json = dict[str, object]
_LONGEST_REASON = 300


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An object that refuses fields it does not know."""


class TextPart(_Strict, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """The one kind of content part that the guard can read."""

    text: str


Content = str | Annotated[tuple[TextPart, ...], Meta(min_length=1)]


class FunctionCall(_Strict, frozen=True, kw_only=True):
    """A function that the model asked for, with its arguments as JSON text."""

    name: str
    arguments: str


class ToolCall(_Strict, frozen=True, kw_only=True):
    """One tool call of an earlier answer."""

    id: str
    function: FunctionCall
    type: Literal["function"]


class SystemMessage(_Strict, frozen=True, kw_only=True, tag_field="role", tag="system"):
    """A caller's system message; it is judged as the caller's words."""

    content: Content
    name: str | None = None


class DeveloperMessage(_Strict, frozen=True, kw_only=True, tag_field="role", tag="developer"):
    """A caller's developer message; it is judged as the caller's words."""

    content: Content
    name: str | None = None


class UserMessage(_Strict, frozen=True, kw_only=True, tag_field="role", tag="user"):
    """What the user said."""

    content: Content
    name: str | None = None


class AssistantMessage(_Strict, frozen=True, kw_only=True, tag_field="role", tag="assistant"):
    """What the model is said to have answered; the caller may have made it up."""

    content: Content | None = None
    name: str | None = None
    tool_calls: Annotated[tuple[ToolCall, ...], Meta(min_length=1)] | None = None

    def __post_init__(self) -> None:
        if self.content is None and self.tool_calls is None:
            raise ValueError("An assistant message needs content or tool_calls")


class ToolMessage(_Strict, frozen=True, kw_only=True, tag_field="role", tag="tool"):
    """What a tool returned."""

    content: Content
    tool_call_id: str


ChatMessage = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage


class FunctionDefinition(_Strict, frozen=True, kw_only=True):
    """A function that the model may ask for."""

    name: str
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None


class Tool(_Strict, frozen=True, kw_only=True):
    """A tool that the model may ask for."""

    function: FunctionDefinition
    type: Literal["function"]


class FunctionName(_Strict, frozen=True, kw_only=True):
    """A function by name."""

    name: str


class ToolChoice(_Strict, frozen=True, kw_only=True):
    """The one tool that the model must ask for."""

    function: FunctionName
    type: Literal["function"]


class JsonSchemaFormat(_Strict, frozen=True, kw_only=True):
    """The schema that an answer must follow."""

    name: str
    description: str | None = None
    schema: Json | None = None
    strict: bool | None = None


class ResponseFormat(_Strict, frozen=True, kw_only=True):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaFormat | None = None


class StreamOptions(_Strict, frozen=True, kw_only=True):
    """What a stream carries beside the answer."""

    include_usage: bool | None = None


_Penalty = Annotated[float, Meta(ge=-2, le=2)]
_Tokens = Annotated[int, Meta(ge=1)]


class ChatRequest(_Strict, frozen=True, kw_only=True):
    """The body of `POST /v1/chat/completions`: every field that may travel."""

    model: str
    messages: Annotated[tuple[ChatMessage, ...], Meta(min_length=1)]
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    stop: str | Annotated[tuple[str, ...], Meta(max_length=4)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    n: Literal[1] | None = None
    presence_penalty: _Penalty | None = None
    frequency_penalty: _Penalty | None = None
    user: str | None = None
    tools: Annotated[tuple[Tool, ...], Meta(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    response_format: ResponseFormat | None = None

    @property
    def streams(self) -> bool:
        """Whether the caller wants server-sent events."""
        return self.stream is True

    @property
    def wants_usage(self) -> bool:
        """Whether a stream must end with its token counts."""
        return self.stream_options is not None and self.stream_options.include_usage is True


def parse(body: bytes, *, model_name: str) -> ChatRequest:
    """Read a request body.

    Args:
        body: The bytes as they came, already bounded.
        model_name: The one model that is served.

    Raises:
        ApiError: 400 with the code `invalid_json`, `duplicate_key`, `nested_too_deeply`, `invalid_unicode`,
            `unknown_parameter` or `invalid_value`; 404 `model_not_found`.
    """
    try:
        request = msgspec.convert(load(body), ChatRequest)
    except JsonError as error:
        raise invalid(error.code, str(error)) from error
    except msgspec.ValidationError as error:
        raise _explain(str(error)) from error
    if request.model != model_name:
        raise ApiError(404, "model_not_found", "This model is not served here.", param="model")
    return request


def _explain(text: str) -> ApiError:
    problem, _, place = text.partition(" - at ")
    param = place.strip("`").removeprefix("$").removeprefix(".")
    unknown = problem.startswith("Object contains unknown field")
    if unknown:
        field = problem.split("`", 1)[1].rstrip("`")
        param = f"{param}.{field}" if param else field
        problem = "This field is not supported, because the guard does not read it"
    return invalid(
        "unknown_parameter" if unknown else "invalid_value",
        f"{problem[:_LONGEST_REASON]}.",
        param=param[:_LONGEST_REASON] or None,
    )
