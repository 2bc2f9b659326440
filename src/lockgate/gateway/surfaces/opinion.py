"""Asking the guard itself: `POST /v1/guard`, and OpenAI's `POST /v1/moderations`. Nothing travels to a model."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lockgate.core import Action, Origin, Verdict
from lockgate.gateway.errors import GUARD_ERROR, guard_failed, invalid
from lockgate.gateway.judging import Judgement, labels_of
from lockgate.gateway.limits.plan import GUARD_MODEL
from lockgate.gateway.request import Json, Strict, convert
from lockgate.gateway.surfaces.chat_request import TextPart
from lockgate.guard import Guard, Message

# Every family of labels that the guard can give (`lockgate.guard`), so that a client can rely on the keys.
CATEGORIES = ("code", "exfiltration", "hidden", "injection", "leak", "link", "markup", "pii", "secret", "term")


class Turn(Strict, frozen=True, kw_only=True):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str


class GuardRequest(Strict, frozen=True, kw_only=True):
    """The body of `POST /v1/guard`: a text and where it comes from, or a conversation."""

    text: str | None = None
    origin: Literal["user", "document", "tool", "model"] | None = None
    messages: Annotated[tuple[Turn, ...], Meta(min_length=1)] | None = None


class ModerationRequest(Strict, frozen=True, kw_only=True):
    """The body of `POST /v1/moderations`. Whatever model is named, the guard answers."""

    input: str | Annotated[tuple[str | TextPart, ...], Meta(min_length=1, max_length=256)]
    model: str | None = None


def give_opinion(guard: Guard, body: object, request_id: str) -> tuple[bytes, Judgement]:
    """Answer `POST /v1/guard`.

    Returns:
        `{"id", "action", "score", "reasons": [{"label", "message", "start", "end"}], "text", "messages"}`. `text` and
        `messages` are what may be used from here on, and empty where `action` is `block`. Offsets count characters of
        the text, or of all contents joined by one line feed.

    Raises:
        ApiError: 400 when the body is no such request, 503 when the guard erred.
    """
    request = convert(body, GuardRequest)
    if (request.text is None) == (request.messages is None):
        raise invalid("invalid_value", "Send either 'text' or 'messages'.", param="text")
    messages: list[Json] = []
    if request.messages is None:
        verdict = guard.inspect(request.text or "", Origin(request.origin or "user"))
    elif request.origin is not None:
        raise invalid("invalid_value", "The roles of 'messages' tell their origin.", param="origin")
    else:
        screening = guard.screen([Message(turn.role, turn.content) for turn in request.messages])
        verdict = screening.verdict
        messages = [{"role": message.role, "content": message.content} for message in screening.messages]
    _refuse_fault(verdict)
    reasons = [
        {"label": item.span.label, "message": item.message, "start": item.span.start, "end": item.span.end}
        for item in verdict.reasons
    ]
    document = {
        "id": request_id,
        "action": verdict.action.value,
        "score": verdict.score,
        "reasons": reasons,
        "text": "" if verdict.action is Action.BLOCK else verdict.text,
        "messages": messages,
    }
    return msgspec.json.encode(document), Judgement(verdict.action, labels_of(verdict), verdict.score)


def moderate(guard: Guard, body: object, request_id: str) -> tuple[bytes, Judgement]:
    """Answer `POST /v1/moderations` in OpenAI's shape, with the guard's own categories.

    OpenAI's categories (hate, violence and the like) are not among them: the guard does not look for them, and `false`
    would say that it did.

    Raises:
        ApiError: 400 when the body is no such request, 503 when the guard erred.
    """
    request = convert(body, ModerationRequest)
    given = (request.input,) if isinstance(request.input, str) else request.input
    texts = [item if isinstance(item, str) else item.text for item in given]
    if any(isinstance(item, TextPart) for item in given):
        texts = ["\n".join(texts)]  # parts are one input, strings are as many as there are
    verdicts = [guard.inspect(text, Origin.USER) for text in texts]
    for verdict in verdicts:
        _refuse_fault(verdict)
    document = {
        "id": f"modr-{request_id.removeprefix('req-')}",
        "model": GUARD_MODEL,
        "results": [_result(verdict) for verdict in verdicts],
    }
    labels = dict.fromkeys(label for verdict in verdicts for label in labels_of(verdict))
    action = Action.BLOCK if any(v.action is Action.BLOCK for v in verdicts) else Action.ALLOW
    action = Action.REDACT if action is Action.ALLOW and labels else action
    return msgspec.json.encode(document), Judgement(action, tuple(labels), max(v.score for v in verdicts))


def _result(verdict: Verdict) -> Json:
    found = {label.partition(".")[0] for label in labels_of(verdict)}
    names = (*CATEGORIES, *sorted(found.difference(CATEGORIES)))
    return {
        "flagged": verdict.action is not Action.ALLOW,
        "categories": {name: name in found for name in names},
        # Only injections are a matter of degree; everything else is found or is not.
        "category_scores": {name: float(name in found) for name in names} | {"injection": verdict.score},
        "category_applied_input_types": {name: ["text"] for name in names},
    }


def _refuse_fault(verdict: Verdict) -> None:
    if GUARD_ERROR in labels_of(verdict):
        raise guard_failed(GUARD_ERROR)
