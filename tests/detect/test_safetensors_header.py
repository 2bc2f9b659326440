"""Safetensors headers: exactly one reading, or a problem."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from lockgate.detect.safetensors_header import looks_like_safetensors, read_safetensors
from lockgate.detect.source import Memory


def make(header: str | bytes, data: int = 0) -> bytes:
    body = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(body)) + body + bytes(data)


def entry(begin: int, end: int, dtype: str = "U8", shape: str | None = None) -> str:
    return f'{{"dtype":"{dtype}","shape":{shape or [end - begin]},"data_offsets":[{begin},{end}]}}'


def codes(body: bytes) -> set[str]:
    return {problem.code for problem in read_safetensors(Memory(body)).problems}


GOOD = save(
    {"a": np.ones((2, 3), dtype=np.float32), "b": np.zeros(4, dtype=np.int8), "empty": np.zeros((0, 2))},
    metadata={"format": "np"},
)


def test_what_the_library_writes_passes() -> None:
    facts = read_safetensors(Memory(GOOD), member="m")
    assert (facts.member, facts.tensors, facts.problems) == ("m", 3, ())
    assert looks_like_safetensors(GOOD[:64], len(GOOD))
    assert codes(make("{}")) == set()
    assert codes(make(f'{{"a":{entry(0, 3, "F4", "[6]")}}}', 3)) == set()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "truncated"),
        (bytes(7), "truncated"),
        (struct.pack("<Q", 1 << 60) + b"{}", "header-size"),
        (struct.pack("<Q", 40 << 20) + b"{}" + bytes(40 << 20), "header-size"),
        (make("[]"), "json"),
        (make(' {"a":1}'), "json"),
        (make("{"), "json"),
        (make('{"a":NaN}'), "json"),
        (make(b'{"\xff":1}'), "json"),
        (make('{"a":' + "[" * 100_000 + "]" * 100_000 + "}"), "json"),
        (make('{"a":' + "1" * 5000 + "}"), "json"),
        (make(f'{{"a":{entry(0, 4)},"a":{entry(0, 4)}}}', 4), "duplicate-key"),
        (make('{"a":{"dtype":"U8","dtype":"F32","shape":[4],"data_offsets":[0,4]}}', 4), "entry"),
        (make('{"__metadata__":{"a":1}}'), "metadata"),
        (make('{"__metadata__":{"a":"1","a":"2"}}'), "duplicate-key"),
        (make('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":1}}', 4), "entry"),
        (make('{"a":1}'), "entry"),
        (make(f'{{"a":{entry(0, 4, "U9")}}}', 4), "dtype"),
        (make(f'{{"a":{entry(0, 4, shape="[-4]")}}}', 4), "entry"),
        (make(f'{{"a":{entry(0, 4, shape="[4.0]")}}}', 4), "entry"),
        (make(f'{{"a":{entry(0, 4, shape="[true]")}}}', 4), "entry"),
        (make('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,5]}}', 4), "entry"),
        (make(f'{{"a":{entry(0, 4, shape="[5]")}}}', 4), "size"),
        (make(f'{{"a":{entry(0, 4, shape="[4294967296,4294967296]")}}}', 4), "size"),
        (make(f'{{"a":{entry(0, 1, "F4", "[1]")}}}', 1), "size"),
        (make(f'{{"a":{entry(0, 4)},"b":{entry(2, 6)}}}', 6), "overlap"),
        (make(f'{{"a":{entry(0, 4)},"b":{entry(5, 6)}}}', 6), "hole"),
        (make(f'{{"a":{entry(0, 4)}}}', 5), "hole"),
        (make(f'{{"a":{entry(0, 4)}}}', 3), "size"),
        (make(f'{{"a":{entry(4, 8)},"b":{entry(0, 4)}}}', 8), "unsorted"),
    ],
)
def test_every_lie_is_named(body: bytes, code: str) -> None:
    assert code in codes(body)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=100).map(make))
def test_any_bytes_give_facts(body: bytes) -> None:
    facts = read_safetensors(Memory(body))
    assert facts.tensors == 0
    assert facts.problems or len(body) >= 10


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_passes_is_read_by_the_library_in_the_same_way(data: st.DataObject) -> None:
    body = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    facts = read_safetensors(Memory(bytes(body)))
    if not facts.problems:
        names = json.loads(body[8 : 8 + struct.unpack("<Q", body[:8])[0]]).keys() - {"__metadata__"}
        assert load(bytes(body)).keys() == names
        assert len(names) == facts.tensors
