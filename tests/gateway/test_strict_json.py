"""The fast way through JSON and the slow one agree on everything."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lockgate.gateway.strict_json import JsonError, _load_slowly, load

TEXTS = st.text(st.sampled_from('a":\\ \n{}[],1\u00e9\U0001f600'), max_size=8)
COLONS = st.sampled_from([":", ": ", " : ", "\n:", "\r:", "\t:"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def both(raw: bytes) -> list[object]:
    found: list[object] = []
    for read in (lambda: load(raw), lambda: _load_slowly(raw, 32)):
        try:
            found.append(repr(read()))
        except JsonError as error:
            found.append(error.code)
    return found


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 1]))
def test_what_is_json_is_read_alike(document: object, escaped: bool, indent: int | None) -> None:  # noqa: FBT001 - drawn
    raw = json.dumps(document, ensure_ascii=escaped, indent=indent).encode()
    fast, slow = both(raw)
    assert fast == slow == repr(document)


@given(st.lists(st.tuples(TEXTS, DOCUMENTS, COLONS), min_size=1, max_size=5), st.booleans())
@example([("b\\", 1, " : "), ("c", 1, ":"), ("c", 2, ":")], True)  # noqa: FBT003 - drawn
@example([(":", ":", ":"), ("a", 1, ":"), ("a", 1, "\t:")], False)  # noqa: FBT003 - drawn
def test_a_key_that_stands_twice_is_always_found(pairs: list[tuple[str, object, str]], nested: bool) -> None:  # noqa: FBT001 - drawn
    inside = ",".join(f"{json.dumps(key)}{colon}{json.dumps(value)}" for key, value, colon in pairs)
    raw = (f'[{{"x": {{{inside}}}}}]' if nested else f"{{{inside}}}").encode()
    fast, slow = both(raw)
    assert fast == slow
    assert (fast == "duplicate_key") is (len({key for key, *_ in pairs}) < len(pairs))


@given(st.binary(max_size=40) | st.text(st.sampled_from('{}[]":,\\u0d8 1eE-.ntf\t'), max_size=30).map(str.encode))
def test_what_is_no_json_is_refused_alike(raw: bytes) -> None:
    fast, slow = both(raw)
    assert fast == slow


@pytest.mark.parametrize(
    "raw", [b'"' * 200_000, b"\\" * 200_000, b'{"a"' + b" " * 200_000, b'["\\"' + b'\\":' * 100_000]
)
def test_hostile_text_is_refused_soon(raw: bytes) -> None:
    with pytest.raises(JsonError):
        load(raw)
