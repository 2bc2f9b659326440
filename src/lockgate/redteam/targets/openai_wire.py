"""OpenAI's chat completions, without streaming, as most endpoints speak it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lockgate.redteam.message import Answer, Message, ToolCall, UnusableAnswerError
from lockgate.redteam.targets.tools import OFFERED
from lockgate.redteam.targets.wire import Question


class _Function(msgspec.Struct):
    name: str
    arguments: str | dict[str, object] | None = "{}"


class _Call(msgspec.Struct):
    function: _Function


class _Part(msgspec.Struct):
    """A piece of a message: `text`, `output_text`, `refusal`, or `thinking` in pieces of its own."""

    type: str = ""
    text: str = ""
    refusal: str = ""
    thinking: "str | tuple[_Part, ...]" = ""


class _Message(msgspec.Struct):
    content: str | tuple[_Part, ...] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[_Call, ...] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: Annotated[tuple[_Choice, ...], Meta(min_length=1)]
    model: str | None = None


class _Error(msgspec.Struct):
    code: str | int | None = None
    message: object = None


class _Failure(msgspec.Struct):
    error: _Error


class _AnyFailure(msgspec.Struct):
    error: object = None


_completion = msgspec.json.Decoder(_Completion)
_failure = msgspec.json.Decoder(_Failure)


_LONGEST_STOP = 200
_STOPS = {400: ("content_filter",), 403: ("not_allowed", "approval_required")}


class OpenAIWire:
    """Speaks to `<base URL>/chat/completions`."""

    path = "/chat/completions"

    def headers(self, api_key: str) -> dict[str, str]:
        """A bearer token, where there is a key."""
        return {"Authorization": f"Bearer {api_key}"} if api_key else {}

    def encode(self, question: Question) -> bytes:
        """The body of a request."""
        system = [] if question.system_prompt is None else [{"role": "system", "content": question.system_prompt}]
        body: dict[str, object] = {
            "model": question.model,
            "messages": [*system, *(_worded(message) for message in question.history)],
            # Newer models take the limit under another name, and only their own temperature.
            "max_completion_tokens" if "max_tokens" in question.unwelcome else "max_tokens": question.max_tokens,
            "stream": False,
        }
        body |= {name: value for name, value in _sampling(question).items() if name not in question.unwelcome}
        if question.tools:
            body["tools"] = [_tool(name) for name in question.tools]
        if question.schema is not None:
            form = {"name": "answer", "strict": True, "schema": question.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return msgspec.json.encode(body)

    def decode(self, body: bytes) -> Answer:
        """Parse a non-streaming answer.

        Raises:
            UnusableAnswerError: It is not JSON, not a chat completion, carries neither text nor a tool call, or a part
                that is no text.
        """
        return completion(body)


def _sampling(question: Question) -> dict[str, object]:
    return {"seed": question.seed, "temperature": question.temperature}


def _worded(message: Message) -> dict[str, object]:
    if message.role == "tool":
        return {"role": "tool", "content": message.content, "tool_call_id": "call_0"}
    if message.calls:
        calls = [
            {"id": f"call_{place}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for place, call in enumerate(message.calls)
        ]
        return {"role": message.role, "content": message.content, "tool_calls": calls}
    return {"role": message.role, "content": message.content}


def _tool(name: str) -> dict[str, object]:
    tool = OFFERED[name]
    function = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    return {"type": "function", "function": function}


def completion(body: bytes) -> Answer:
    """Parse a non-streaming answer of `/chat/completions`.

    Raises:
        UnusableAnswerError: It is not JSON, not a chat completion, carries neither text nor a tool call, or a part that
            is no text, such as a picture.
    """
    try:
        found = _completion.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnusableAnswerError(instead(body, "a chat completion")) from error
    choice = found.choices[0]
    said = choice.message
    content, declined = _content(said.content)
    # Both names of the reasoning may be there, with the same text or another: a value told in either is told.
    thoughts = dict.fromkeys((said.reasoning_content, said.reasoning))
    texts = [text for text in (*thoughts, content, said.refusal) if text is not None]
    filtered = choice.finish_reason == "content_filter"
    calls = tuple(ToolCall(call.function.name, _arguments(call.function)) for call in said.tool_calls or ())
    if not texts and not filtered and not calls:
        raise UnusableAnswerError("the chat completion carries no text")
    return Answer("\n".join(texts), filtered, declined or bool(said.refusal), calls, _named(found.model or ""))


def _arguments(function: _Function) -> str:
    """The arguments as JSON text, as OpenAI sends them; some servers send the object itself."""
    given = function.arguments
    return given if isinstance(given, str) else msgspec.json.encode(given or {}).decode()


def _content(content: str | tuple[_Part, ...] | None) -> tuple[str | None, bool]:
    """The text of a message and whether a part of it is a refusal.

    Raises:
        UnusableAnswerError: A part is no text, so that nobody could say what the answer was.
    """
    if content is None or isinstance(content, str):
        return content, False
    said = "".join(map(_text_of, content)) if content else None
    return said, any(part.type == "refusal" for part in content)


def _text_of(part: _Part) -> str:
    match part.type:
        case "text" | "output_text":
            return part.text
        case "refusal":
            return part.refusal
        case "thinking" | "reasoning":
            thought = part.thinking or part.text
            return (thought if isinstance(thought, str) else "".join(map(_text_of, thought))) + "\n"
        case _:
            raise UnusableAnswerError("the chat completion carries a part that is no text, which no judge can read")


def instead(body: bytes, wanted: str) -> str:
    """What came in the place of an answer, without its words."""
    if body.lstrip()[:6] in {b"data: ", b"event:"}:
        return "the endpoint streams, although it was asked not to"
    try:
        failed = bool(msgspec.json.decode(body, type=_AnyFailure).error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        failed = False
    if failed:
        return "the endpoint answered HTTP 200 with an error in its body"
    return f"the endpoint did not answer with {wanted} in JSON"


def _named(model: str) -> str:
    """A model's name without the folder of the machine on which a server loaded it; reports are compared."""
    return model.rpartition("/")[2] if model.startswith("/") else model


def guard_stop(body: bytes, status: int = 400) -> str:
    """What an error says of the guard or the rule that stopped the conversation, by `error.code`; empty if none did.

    That is HTTP 400 `content_filter`, and 403 `not_allowed` or `approval_required` of a gateway's rule, for instance on
    the tools that a request brings along. A rule that stops everybody stops harmless conversations as well, which holds
    the gate.
    """
    try:
        error = _failure.decode(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    if error.code not in _STOPS.get(status, ()):
        return ""
    said = error.message if isinstance(error.message, str) else ""
    return said[:_LONGEST_STOP] or str(error.code)
