"""Whatever bytes an endpoint sends, reading them gives an answer or says that there is none."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.redteam.message import Answer, UnusableAnswerError
from lockgate.redteam.targets.openai_wire import completion, guard_stop

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["choices", "message", "content", "error", "code", "x"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.binary(max_size=200) | ANYTHING.map(msgspec.json.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_an_answer_or_a_refusal(body: bytes) -> None:
    with suppress(UnusableAnswerError):
        assert isinstance(completion(body), Answer)
    assert isinstance(guard_stop(body), str)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": ["a"]}}]}',
        b'{"choices": [{"message": {"content": "\\ud800"}}]}',
        b'{"choices": [{"message": {"content": "\xff"}}]}',
        b"[" * 200_000,
    ],
)
def test_wrong_shapes_are_unusable(body: bytes) -> None:
    with pytest.raises(UnusableAnswerError):
        completion(body)


def test_a_refusal_in_a_field_of_its_own_is_the_answer() -> None:
    assert completion(b'{"choices": [{"message": {"refusal": "No."}}]}') == Answer("No.", refused=True)


@pytest.mark.parametrize("body", [b'{"error": {"code": 400}}', b'{"error": "content_filter"}', b"content_filter", b""])
def test_only_the_code_says_content_filter(body: bytes) -> None:
    assert not guard_stop(body)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (
            b'{"error": {"code": "content_filter", "message": "The guard blocked this request."}}',
            400,
            "The guard block",
        ),
        (b'{"error": {"code": "not_allowed", "message": "No shells."}}', 403, "No shells."),
        (b'{"error": {"code": "content_filter", "message": {"of": "another"}}}', 400, "content_filter"),
        (b'{"error": {"code": "content_filter"}}', 400, "content_filter"),
    ],
)
def test_who_stopped_a_conversation_says_why(body: bytes, status: int, said: str) -> None:
    assert guard_stop(body, status).startswith(said)
    assert not guard_stop(body, 500)
