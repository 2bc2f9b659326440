"""What reaches an upstream is what the guard let pass, whatever a caller sends on whichever surface."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import Action, Origin, Reason, Span, Verdict
from lockgate.core.config import GuardConfig
from lockgate.gateway import ApiError
from lockgate.gateway.draft import Limits, prepare
from lockgate.gateway.request import read_json
from lockgate.gateway.surfaces.chat_request import read_chat
from lockgate.gateway.surfaces.completions import read_completion
from lockgate.gateway.surfaces.embeddings import prepare_embedding, read_embedding
from lockgate.gateway.surfaces.messages_request import read_messages
from lockgate.gateway.surfaces.responses_request import read_response
from lockgate.guard import Guard, Known, Message

PROMPT = "The application's own prompt."
LIMITS = Limits(system_prompt=PROMPT, upstream_model="upstream-model", max_tokens=64)
# Words of the interface itself, which only its types can hold.
WORDS = {"system", "developer", "user", "assistant", "tool", "text", "function", "auto", "required", "none", "float",
         "json_object", "json_schema", "low", "high", "include_usage", "upstream-model", "base64", PROMPT}  # fmt: skip


class Marked(Guard):
    """Blocks what says EVIL, redacts SECRET, and remembers what it let pass last."""

    def __init__(self) -> None:
        super().__init__(GuardConfig())
        self.passed: list[str] = []

    def inspect(self, text: str, origin: Origin | str = Origin.USER) -> Verdict:
        reason = (Reason(Span(0, len(text), "marked"), "marked"),)
        if "EVIL" in text:
            return Verdict(Action.BLOCK, 1.0, reason, "")
        if "SECRET" in text:
            return Verdict(Action.REDACT, 0.0, reason, text.replace("SECRET", "[X]"))
        self.passed.append(text)
        return Verdict(Action.ALLOW, 0.0, (), text)

    def inspect_messages(self, messages: Sequence[Message], known: Known | None = None) -> Verdict:
        self.passed = []
        return self.inspect("\n".join(message.content for message in messages))


GUARD = Marked()
TEXT = st.lists(
    st.sampled_from(
        ["boat", "boat", " ", " ", "\n", "\n", "ü", "ü", '"', '"', "7", "7", "harbour", "x", "EVIL", "SECRET"]
    ),
    min_size=1,
    max_size=3,
).map("".join)
NAME = st.sampled_from(["find", "send", "look", "book", "call", "tell", "SECRET", "EVIL"])


def maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def joined(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


SCHEMA = st.dictionaries(TEXT, TEXT | st.integers() | st.lists(TEXT, max_size=2), max_size=2)
NUMBERS = maybe(temperature=st.floats(0, 1), top_p=st.floats(0, 1), stream=st.booleans())
FUNCTION = joined(st.fixed_dictionaries({"name": NAME}), maybe(description=TEXT, parameters=SCHEMA))
CALLS = st.lists(
    st.fixed_dictionaries(
        {"id": NAME, "type": st.just("function"), "function": st.fixed_dictionaries({"name": NAME, "arguments": TEXT})}
    ),
    min_size=1,
    max_size=2,
)
CONTENT = TEXT | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), min_size=1, max_size=2)
CHAT_MESSAGE = (
    joined(
        st.fixed_dictionaries({"role": st.sampled_from(["system", "developer", "user"]), "content": CONTENT}),
        maybe(name=NAME),
    )
    | st.fixed_dictionaries({"role": st.just("assistant"), "tool_calls": CALLS})
    | st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": NAME, "content": CONTENT})
)
CHAT = joined(
    st.fixed_dictionaries({"model": st.just("m"), "messages": st.lists(CHAT_MESSAGE, min_size=1, max_size=3)}),
    NUMBERS,
    maybe(
        stop=TEXT | st.lists(TEXT, max_size=2),
        user=TEXT,
        metadata=st.dictionaries(TEXT, TEXT, max_size=2),
        safety_identifier=TEXT,
        tools=st.lists(st.fixed_dictionaries({"type": st.just("function"), "function": FUNCTION}), max_size=2),
        tool_choice=st.sampled_from(["auto", "none"]),
        response_format=st.fixed_dictionaries(
            {
                "type": st.just("json_schema"),
                "json_schema": joined(st.fixed_dictionaries({"name": NAME}), maybe(schema=SCHEMA)),
            }
        ),
    ),
)
COMPLETION = joined(
    st.fixed_dictionaries({"model": st.just("m"), "prompt": TEXT | st.lists(TEXT, min_size=1, max_size=1)}),
    NUMBERS,
    maybe(stop=TEXT, user=TEXT),
)
BLOCK = st.fixed_dictionaries({"type": st.just("text"), "text": TEXT})
RESULT = joined(
    st.fixed_dictionaries({"type": st.just("tool_result"), "tool_use_id": NAME}),
    maybe(content=TEXT | st.lists(BLOCK, max_size=2), is_error=st.booleans()),
)
USE = st.fixed_dictionaries({"type": st.just("tool_use"), "id": NAME, "name": NAME, "input": SCHEMA})
TURN = st.fixed_dictionaries(
    {"role": st.just("user"), "content": TEXT | st.lists(BLOCK | RESULT, min_size=1, max_size=3)}
) | st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": TEXT | st.lists(BLOCK | USE, min_size=1, max_size=3)}
)
MESSAGES = joined(
    st.fixed_dictionaries(
        {"model": st.just("m"), "max_tokens": st.integers(1, 99), "messages": st.lists(TURN, min_size=1, max_size=3)}
    ),
    NUMBERS,
    maybe(
        system=TEXT | st.lists(BLOCK, min_size=1, max_size=2),
        stop_sequences=st.lists(TEXT, max_size=2),
        metadata=st.fixed_dictionaries({"user_id": TEXT}),
        tools=st.lists(
            joined(st.fixed_dictionaries({"name": NAME, "input_schema": SCHEMA}), maybe(description=TEXT)), max_size=2
        ),
        tool_choice=st.fixed_dictionaries({"type": st.just("tool"), "name": NAME}),
    ),
)
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("input_text"), "text": TEXT}), min_size=1, max_size=2)
ITEM = (
    st.fixed_dictionaries({"role": st.sampled_from(["user", "developer", "assistant"]), "content": TEXT | PARTS})
    | st.fixed_dictionaries({"type": st.just("function_call"), "call_id": NAME, "name": NAME, "arguments": TEXT})
    | st.fixed_dictionaries({"type": st.just("function_call_output"), "call_id": NAME, "output": TEXT | PARTS})
)
RESPONSE = joined(
    st.fixed_dictionaries({"model": st.just("m"), "input": TEXT | st.lists(ITEM, min_size=1, max_size=3)}),
    NUMBERS,
    maybe(
        instructions=TEXT,
        user=TEXT,
        metadata=st.dictionaries(TEXT, TEXT, max_size=2),
        tools=st.lists(joined(st.fixed_dictionaries({"type": st.just("function")}), FUNCTION), max_size=2),
        text=st.fixed_dictionaries(
            {
                "format": joined(
                    st.fixed_dictionaries({"type": st.just("json_schema"), "name": NAME}), maybe(schema=SCHEMA)
                )
            }
        ),
    ),
)
EMBEDDING = joined(
    st.fixed_dictionaries({"model": st.just("m"), "input": TEXT | st.lists(TEXT, min_size=1, max_size=3)}),
    maybe(user=TEXT),
)


def conversation(read: Callable[..., Any]) -> Callable[[object], bytes]:
    return lambda body: prepare(GUARD, read(body, frozenset()), LIMITS).body


def embedding(body: object) -> bytes:
    GUARD.passed = []
    return prepare_embedding(GUARD, read_embedding(body), "upstream-model").body


SURFACES: dict[str, tuple[st.SearchStrategy[dict[str, Any]], Callable[[object], bytes]]] = {
    "chat": (CHAT, conversation(read_chat)),
    "completions": (COMPLETION, conversation(read_completion)),
    "messages": (MESSAGES, conversation(read_messages)),
    "responses": (RESPONSE, conversation(read_response)),
    "embeddings": (EMBEDDING, embedding),
}


def texts(node: object) -> Iterator[str]:
    """Every text below a node, with the keys that a caller chose."""
    if isinstance(node, dict):
        for key, value in node.items():
            if any(mark in key for mark in ("EVIL", "SECRET", "boat", "ü", "7", "\n", '"', " ")):
                yield key
            yield from texts(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts(item)
    elif isinstance(node, str):
        yield node


@pytest.mark.parametrize("surface", list(SURFACES))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_only_what_the_guard_let_pass_last_travels(surface: str, data: st.DataObject) -> None:
    strategy, send = SURFACES[surface]
    body = data.draw(strategy)
    raw = json.dumps(body).encode()
    try:
        outgoing = send(read_json(raw))
    except ApiError as error:
        refused = error
    else:
        refused = None
    if refused:
        assert (refused.status, refused.code) == (400, "content_filter")
        return
    assert not any("EVIL" in text for text in texts(body))
    passed = "\n".join(GUARD.passed)
    for text in texts(msgspec.json.decode(outgoing)):
        assert "SECRET" not in text
        assert "EVIL" not in text
        # Text that travels as JSON inside a text is judged as it travels.
        assert text in WORDS or text in passed


@pytest.mark.parametrize("surface", list(SURFACES))
@settings(max_examples=30, deadline=None)
@given(data=st.data(), field=st.text(min_size=1, max_size=12), value=st.text(max_size=5) | st.none() | st.booleans())
def test_a_field_that_nobody_named_is_refused(surface: str, data: st.DataObject, field: str, value: object) -> None:
    strategy, send = SURFACES[surface]
    body = data.draw(strategy)
    known = {*body, *field_names(surface)}
    if field in known:
        return
    with pytest.raises(ApiError) as caught:
        send({**body, field: value})
    assert caught.value.status == 400


def field_names(surface: str) -> set[str]:
    from lockgate.gateway.routes import ROUTES  # noqa: PLC0415 - only this needs it

    route = next(
        route for route in ROUTES if route.path.endswith(surface) or route.path.endswith(f"{surface}/completions")
    )
    assert route.body
    return set(route.body.__struct_fields__)
