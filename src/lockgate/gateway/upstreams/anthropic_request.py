"""A chat completion request in the words of Anthropic's messages interface."""

from collections.abc import Iterator
from typing import cast

import msgspec

from lockgate.gateway.errors import ApiError, invalid

Json = dict[str, object]
_MAX_TOKENS = 4096
# What the interface has no words for and what changes no meaning: sampling, and how a stream reports its usage.
_DROPPED = frozenset(
    {"temperature", "top_p", "seed", "n", "presence_penalty", "frequency_penalty", "stream_options"}
    | {"logprobs", "top_logprobs", "service_tier", "store", "metadata"}
)
_READ = frozenset(
    {"model", "messages", "max_tokens", "max_completion_tokens", "stream", "stop", "user", "tools", "tool_choice"}
    | {"response_format", "parallel_tool_calls"}
)
_CHOICES = {"auto": "auto", "required": "any", "none": "none"}


def to_messages(body: bytes, model: str) -> Json:
    """Translate a request body.

    Args:
        body: A chat completion request.
        model: Name of the model at Anthropic; empty to leave the body's own.

    Raises:
        ApiError: 400 `unsupported_by_upstream`: it asks for something that the interface cannot say.
    """
    try:
        document = msgspec.json.decode(body, type=Json)
        return _translate(document, model)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unsupported("a request of this form") from error


def unsupported(what: str, param: str | None = None) -> ApiError:
    """This upstream cannot do what the request asks for: 400."""
    error = invalid(
        "unsupported_by_upstream", f"The model server behind this model does not support {what}.", param=param
    )
    error.unused = True
    return error


def _translate(document: Json, model: str) -> Json:
    for field in document:
        if field not in _READ and field not in _DROPPED:
            raise unsupported("this field", field)
    messages = cast("list[Json]", document["messages"])
    found: Json = {
        "model": model or document["model"],
        "max_tokens": document.get("max_completion_tokens") or document.get("max_tokens") or _MAX_TOKENS,
        "messages": _turns(messages),
    }
    if system := "\n\n".join(_plain(item["content"]) for item in messages if item["role"] in {"system", "developer"}):
        found["system"] = system
    if document.get("stream"):
        found["stream"] = True
    if stop := document.get("stop"):
        found["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if user := document.get("user"):
        found["metadata"] = {"user_id": user}
    if tools := cast("list[Json] | None", document.get("tools")):
        found["tools"] = [_tool(tool) for tool in tools]
        found["tool_choice"] = _choice(document.get("tool_choice"), document.get("parallel_tool_calls"))
    if form := cast("Json | None", document.get("response_format")):
        found |= _format(form)
    return found


def _turns(messages: list[Json]) -> list[Json]:
    """The conversation without its system part; neighbours of one role are one turn, as the interface wants it."""
    turns: list[Json] = []
    for message in messages:
        role = cast("str", message["role"])
        if role in {"system", "developer"}:
            continue
        spoken = "assistant" if role == "assistant" else "user"
        blocks = list(_blocks(message, role))
        if turns and turns[-1]["role"] == spoken:
            cast("list[Json]", turns[-1]["content"]).extend(blocks)
        else:
            turns.append({"role": spoken, "content": blocks})
    if not turns:
        raise unsupported("a conversation without a user's message", "messages")
    return turns


def _blocks(message: Json, role: str) -> Iterator[Json]:
    content = message.get("content")
    if role == "tool":
        yield {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": _plain(content)}
        return
    if isinstance(content, str):
        if content:
            yield {"type": "text", "text": content}
    elif isinstance(content, list):
        for part in cast("list[Json]", content):
            yield _part(part)
    for call in cast("list[Json]", message.get("tool_calls") or []):
        function = cast("dict[str, str]", call["function"])
        arguments: object = msgspec.json.decode(function["arguments"] or "{}")
        if not isinstance(arguments, dict):
            raise unsupported("tool arguments that are no JSON object", "messages")
        yield {"type": "tool_use", "id": call["id"], "name": function["name"], "input": arguments}


def _part(part: Json) -> Json:
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    if part["type"] != "image_url":
        raise unsupported("this kind of content", "messages")
    url = cast("dict[str, str]", part["image_url"])["url"]
    if not url.startswith("data:"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    head, _, data = url.removeprefix("data:").partition(",")
    media_type, _, encoding = head.partition(";")
    if encoding != "base64":
        raise unsupported("an image that is not base64", "messages")
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def _plain(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("list[dict[str, str]]", content or [])
    return "\n".join(part["text"] for part in parts)


def _tool(tool: Json) -> Json:
    function = cast("Json", tool["function"])
    found: Json = {"name": function["name"], "input_schema": function.get("parameters") or {"type": "object"}}
    if description := function.get("description"):
        found["description"] = description
    return found


def _choice(choice: object, parallel: object) -> Json:
    found: Json
    if isinstance(choice, dict):
        found = {"type": "tool", "name": cast("dict[str, dict[str, str]]", choice)["function"]["name"]}
    else:
        found = {"type": _CHOICES[cast("str | None", choice) or "auto"]}
    if parallel is False:
        found["disable_parallel_tool_use"] = True
    return found


def _format(form: Json) -> Json:
    match form["type"]:
        case "text":
            return {}
        case "json_schema":
            schema = cast("Json", form["json_schema"])["schema"]
            return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
        case _:
            raise unsupported("JSON without a schema", "response_format")
