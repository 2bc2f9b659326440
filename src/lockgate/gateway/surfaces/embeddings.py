"""`POST /v1/embeddings`: each text is judged by itself, and vectors are all that comes back."""

import base64
import binascii
import struct
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lockgate.core import Action, Origin, Verdict
from lockgate.gateway.conversation import Envelope
from lockgate.gateway.draft import Draft
from lockgate.gateway.errors import bad_upstream, invalid
from lockgate.gateway.judging import Judgement, Slot, judge
from lockgate.gateway.request import Json, Strict, convert
from lockgate.gateway.upstream import Usage
from lockgate.gateway.upstreams.server import MAX_BYTES
from lockgate.gateway.upstreams.wire import read_usage
from lockgate.guard import Guard

_UNKNOWN = {"prompt_tokens": 0, "total_tokens": 0}
_FLOAT_BYTES = 4
_PART_TEXTS = 8
_PART_CHARACTERS = 8_192
_TEXT_BYTES = 64 << 10
_MOST_BYTES = 128 << 20
_STRICTNESS = (Action.ALLOW, Action.REDACT, Action.HOLD, Action.BLOCK)
_Base64 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


class EmbeddingRequest(Strict, frozen=True, kw_only=True):
    """The body of `POST /v1/embeddings`: every field that may travel. Tokens cannot be read, so they are refused."""

    model: str
    input: str | Annotated[tuple[str, ...], Meta(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Meta(ge=1, le=1 << 16)] | None = None
    user: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """What is to be embedded."""
        return (self.input,) if isinstance(self.input, str) else self.input


class _Vector(msgspec.Struct, frozen=True):
    index: int
    embedding: msgspec.Raw


class _Vectors(msgspec.Struct, frozen=True):
    """What an upstream answers; fields that are not named here are dropped."""

    data: tuple[_Vector, ...]
    usage: object = None


class Judged(msgspec.Struct, frozen=True):
    """Some of a request's texts as the guard left them, and what it decided on them together."""

    slots: list[Slot]
    judgement: Judgement


_VECTORS = msgspec.json.Decoder(_Vectors)
_VECTOR: msgspec.json.Decoder[tuple[float, ...] | str] = msgspec.json.Decoder(tuple[float, ...] | _Base64)


def read_embedding(body: object) -> EmbeddingRequest:
    """Read the body of `POST /v1/embeddings`.

    Raises:
        ApiError: 400 `unknown_parameter` or `invalid_value`.
    """
    request = convert(body, EmbeddingRequest)
    if not all(request.texts):
        raise invalid("invalid_value", "An empty text has no embedding.", param="input")
    return request


def parts(request: EmbeddingRequest) -> Iterator[tuple[str, ...]]:
    """What the guard reads, in parts that take it no longer than a conversation: a few texts, or one long one."""
    part: list[str] = []
    size = 0
    for text in (*request.texts, *(() if request.user is None else (request.user,))):
        if part and (len(part) == _PART_TEXTS or size + len(text) > _PART_CHARACTERS):
            yield tuple(part)
            part, size = [], 0
        part.append(text)
        size += len(text)
    yield tuple(part)


def judge_part(guard: Guard, texts: tuple[str, ...]) -> Judged:
    """Judge some of the texts, each by itself.

    Raises:
        ApiError: 400 `content_filter` when the guard blocks one, 503 when the guard erred.
    """
    container: list[object] = list(texts)
    slots = [Slot(text, "user", container, index) for index, text in enumerate(texts)]
    return Judged(slots, judge(guard, slots, lambda: _strictest(guard, slots), what="request"))


def write_request(request: EmbeddingRequest, model: str, judged: Iterable[Judged]) -> Draft:
    """The body for the upstream, from everything that `parts` gave once it is judged."""
    slots: list[Slot] = []
    whole = Judgement()
    for part in judged:
        slots += part.slots
        whole = whole.joined(part.judgement)
    texts = [slot.text for slot in slots]
    document: Json = {"model": model, "input": texts, "encoding_format": request.encoding_format or "float"}
    if request.dimensions is not None:
        document["dimensions"] = request.dimensions
    if request.user is not None:
        document["user"] = texts.pop()
    return Draft(msgspec.json.encode(document), whole, slots=slots)


def prepare_embedding(guard: Guard, request: EmbeddingRequest, model: str) -> Draft:
    """Judge all texts and write the body for the upstream.

    Raises:
        ApiError: As `judge_part` does.
    """
    return write_request(request, model, [judge_part(guard, part) for part in parts(request)])


def _strictest(guard: Guard, slots: list[Slot]) -> Verdict:
    """The texts have nothing to do with each other, so they are not read as one conversation."""
    verdicts = [guard.inspect(slot.text, Origin.USER) for slot in slots]
    return max(verdicts, key=lambda verdict: (_STRICTNESS.index(verdict.action), verdict.score))


def longest_embedding(request: EmbeddingRequest) -> int:
    """Bytes that an answer may have: 64 KiB a text, which is some 3,000 numbers with every digit they can have.

    At least what any answer may have, and 128 MiB at most.
    """
    return min(max(MAX_BYTES, _TEXT_BYTES * len(request.texts)), _MOST_BYTES)


def write_embedding(answer: bytearray, request: EmbeddingRequest, envelope: Envelope) -> tuple[bytearray, Usage | None]:
    """The vectors, written anew in the order of the texts, and what they cost.

    One vector at a time, so that a long answer is in memory as it came and as it goes, and not as numbers as well.

    Raises:
        ApiError: 502 when the upstream's answer is no list of one vector a text.
    """
    try:
        vectors = _VECTORS.decode(answer)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise bad_upstream("answered with something that is no list of embeddings") from error
    ordered = sorted(vectors.data, key=lambda vector: vector.index)
    if [vector.index for vector in ordered] != list(range(len(request.texts))):
        raise bad_upstream("answered without exactly one embedding a text")
    write = _as_text if request.encoding_format == "base64" else _as_numbers
    written = bytearray(b'{"object":"list","data":[')
    try:
        for index, vector in enumerate(ordered):
            sent = write(_VECTOR.decode(vector.embedding))
            written += msgspec.json.encode({"object": "embedding", "index": index, "embedding": sent})
            written += b","
    except (msgspec.DecodeError, binascii.Error, struct.error, OverflowError, UnicodeError) as error:
        raise bad_upstream("answered with something that is no list of embeddings") from error
    usage = read_usage(vectors.usage)
    shown = {"prompt_tokens": usage.prompt_tokens, "total_tokens": usage.total_tokens} if usage else _UNKNOWN
    written[-1:] = (
        b'],"model":' + msgspec.json.encode(envelope.model) + b',"usage":' + msgspec.json.encode(shown) + b"}"
    )
    return written, usage


def _as_text(vector: tuple[float, ...] | str) -> str:
    """Base64 of 32-bit floats, little-endian, which OpenAI's clients ask for and many servers do not know."""
    return vector if isinstance(vector, str) else base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _as_numbers(vector: tuple[float, ...] | str) -> tuple[float, ...]:
    if not isinstance(vector, str):
        return vector
    raw = base64.b64decode(vector, validate=True)
    return struct.unpack(f"<{len(raw) // _FLOAT_BYTES}f", raw)
