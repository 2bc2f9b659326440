"""`POST /v1/completions`: a prompt of the old shape becomes the one turn of a conversation."""

from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from lockgate.gateway.conversation import Answer, Conversation, Envelope, event
from lockgate.gateway.errors import ApiError
from lockgate.gateway.request import Json, Strict, convert, plain
from lockgate.gateway.surfaces.chat_answer import DONE, usage_of
from lockgate.gateway.surfaces.chat_request import Penalty, Share, StreamOptions, Temperature, Tokens


class CompletionRequest(Strict, frozen=True, kw_only=True):
    """The body of `POST /v1/completions`: every field that may travel. Tokens cannot be read, so they are refused."""

    model: str
    prompt: str | Annotated[tuple[str, ...], Meta(min_length=1, max_length=1)]
    temperature: Temperature | None = None
    top_p: Share | None = None
    max_tokens: Tokens | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    stop: str | Annotated[tuple[str, ...], Meta(max_length=4)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    n: Literal[1] | None = None
    best_of: Literal[1] | None = None
    echo: Literal[False] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    user: str | None = None


def read_completion(body: object, _: frozenset[str]) -> Conversation:
    """Read the body of `POST /v1/completions`.

    Raises:
        ApiError: 400 `unknown_parameter` or `invalid_value`.
    """
    request = convert(body, CompletionRequest)
    options = request.stream_options
    document = cast("Json", plain(request))
    for field in ("model", "prompt", "stream", "stream_options", "best_of", "echo"):
        document.pop(field, None)
    prompt = request.prompt if isinstance(request.prompt, str) else request.prompt[0]
    document["messages"] = [{"role": "user", "content": prompt}]
    return Conversation(
        model=request.model,
        document=document,
        writer=lambda envelope: CompletionWriter(
            envelope, with_usage=options is not None and options.include_usage is True
        ),
        streams=request.stream is True,
    )


class CompletionWriter:
    """Writes a text completion, whole or in pieces that end with `[DONE]`.

    Args:
        envelope: What surrounds it.
        with_usage: Whether a stream ends with its token counts.
    """

    def __init__(self, envelope: Envelope, *, with_usage: bool) -> None:
        self._envelope = envelope
        self._with_usage = with_usage

    def whole(self, answer: Answer) -> bytes:
        """One `text_completion`."""
        return msgspec.json.encode(self._around(answer.text or "", answer.finish_reason) | usage_of(answer.usage))

    def start(self) -> bytes:
        """Nothing: the shape has no opening."""
        return b""

    def text(self, released: str) -> bytes:
        """A piece of text."""
        return event(self._around(released, None))

    def end(self, answer: Answer) -> bytes:
        """The reason, the token counts where they were asked for, and `[DONE]`."""
        said = event(self._around("", answer.finish_reason))
        if self._with_usage and answer.usage:
            empty: Json = {"choices": []}
            said += event(self._around("", None) | empty | usage_of(answer.usage))
        return said + DONE

    def failure(self, error: ApiError) -> bytes:
        """An error in place of a piece."""
        return b"data: " + error.body() + b"\n\n"

    def _around(self, text: str, finish_reason: str | None) -> Json:
        return {
            "id": f"cmpl-{self._envelope.id}",
            "object": "text_completion",
            "created": self._envelope.created,
            "model": self._envelope.model,
            "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish_reason}],
        }
