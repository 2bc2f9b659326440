"""Answers in the shape of OpenAI's responses, and their numbered events."""

from typing import cast

import msgspec

from lockgate.gateway.conversation import Answer, Envelope, event
from lockgate.gateway.errors import ApiError
from lockgate.gateway.request import Json
from lockgate.gateway.upstream import Usage


class ResponsesWriter:
    """Writes a response, whole or as events from `response.created` to `response.completed`.

    What the caller sent is not told back to it, since a caller has it.

    Args:
        envelope: What surrounds it.
    """

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._number = 0
        self._text_open = False

    def whole(self, answer: Answer) -> bytes:
        """One `response`."""
        return msgspec.json.encode(self._finished(answer))

    def start(self) -> bytes:
        """`response.created` and `response.in_progress`."""
        response = self._response("in_progress", [], None)
        return self._event("created", response=response) + self._event("in_progress", response=response)

    def text(self, released: str) -> bytes:
        """A delta of the one message, which is opened when there is text."""
        begin = b""
        if not self._text_open:
            self._text_open = True
            item = self._message("", "in_progress")
            item["content"] = []
            begin = self._event("output_item.added", output_index=0, item=item)
            begin += self._event("content_part.added", **self._place(), part=_part(""))
        return begin + self._event("output_text.delta", **self._place(), delta=released, logprobs=[])

    def end(self, answer: Answer) -> bytes:
        """The end of the message, an item for every function call, and the whole response."""
        said: list[bytes] = []
        if self._text_open:
            text = answer.text or ""
            item = self._message(text, "completed")
            said = [
                self._event("output_text.done", **self._place(), text=text, logprobs=[]),
                self._event("content_part.done", **self._place(), part=_part(text)),
                self._event("output_item.done", output_index=0, item=item),
            ]
        for index, item in enumerate(self._calls(answer), start=int(self._text_open)):
            place: Json = {"item_id": item["id"], "output_index": index}
            arguments = item["arguments"]
            begun = item | {"arguments": "", "status": "in_progress"}
            said += [
                self._event("output_item.added", output_index=index, item=begun),
                self._event("function_call_arguments.delta", **place, delta=arguments),
                self._event("function_call_arguments.done", **place, arguments=arguments, name=item["name"]),
                self._event("output_item.done", output_index=index, item=item),
            ]
        response = self._finished(answer)
        said.append(self._event(str(response["status"]), response=response))
        return b"".join(said)

    def failure(self, error: ApiError) -> bytes:
        """The event `error`. Clients that look for `error` in the data, as they do elsewhere, find it too."""
        document: Json = {
            "type": "error",
            "code": error.code,
            "message": error.message,
            "param": error.param,
            "sequence_number": self._number,
        }
        return event(document | {"error": msgspec.json.decode(error.body())["error"]}, "error")

    def _finished(self, answer: Answer) -> Json:
        status = "incomplete" if answer.finish_reason in _INCOMPLETE else "completed"
        output = [self._message(answer.text, "completed")] if answer.text else []
        response = self._response(status, [*output, *self._calls(answer)], answer.usage)
        if status == "incomplete":
            response["incomplete_details"] = {"reason": _INCOMPLETE[answer.finish_reason]}
        return response

    def _response(self, status: str, output: list[Json], usage: Usage | None) -> Json:
        return {
            "id": f"resp_{self._envelope.id}",
            "object": "response",
            "created_at": self._envelope.created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": self._envelope.model,
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "truncation": "disabled",
            "usage": _usage(usage) if usage else None,
        }

    def _message(self, text: str, status: str) -> Json:
        return {
            "id": f"msg_{self._envelope.id}",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [_part(text)],
        }

    def _calls(self, answer: Answer) -> list[Json]:
        return [
            {
                "id": f"fc_{self._envelope.id}_{number}",
                "type": "function_call",
                "status": "completed",
                "call_id": call["id"],
                **_function(call),
            }
            for number, call in enumerate(answer.calls)
        ]

    def _place(self) -> Json:
        return {"item_id": f"msg_{self._envelope.id}", "output_index": 0, "content_index": 0}

    def _event(self, kind: str, **fields: object) -> bytes:
        name = f"response.{kind}"
        number, self._number = self._number, self._number + 1
        return event({"type": name, "sequence_number": number, **fields}, name)


_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _function(call: Json) -> Json:
    return cast("Json", call["function"])


def _usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.total_tokens,
    }
