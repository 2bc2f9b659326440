"""GGUF headers: every count, offset and type is checked, whatever the bytes."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.detect.gguf import BLOCKS, read_gguf
from lockgate.detect.source import Memory

Tensor = tuple[str, tuple[int, ...], int, int]


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key.encode()) + struct.pack("<I", kind) + value


def make(
    pairs: list[bytes],
    tensors: list[Tensor],
    data: int,
    *,
    version: int = 3,
    keys: int | None = None,
    count: int | None = None,
) -> bytes:
    body = struct.pack("<4sIQQ", b"GGUF", version, len(tensors) if count is None else count, keys or len(pairs))
    body += b"".join(pairs)
    for name, shape, kind, offset in tensors:
        body += text(name.encode()) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        body += struct.pack("<IQ", kind, offset)
    return body + bytes(-len(body) % 32) + bytes(data)


def codes(body: bytes) -> set[str]:
    return {problem.code for problem in read_gguf(Memory(body)).problems}


ARCHITECTURE = pair("general.architecture", 8, text(b"llama"))
TEMPLATE = pair("tokenizer.chat_template", 8, text(b"{{ messages }}"))
WORDS = pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + text(b"a") + text(b"\xff"))
NUMBERS = pair("x", 9, struct.pack("<IQ", 9, 1) + struct.pack("<IQ", 4, 2) + bytes(8))
ONE: list[Tensor] = [("a", (8,), 0, 0)]
GOOD = make([ARCHITECTURE, TEMPLATE, WORDS, NUMBERS], [("a", (33,), 0, 0), ("b", (32, 2), 8, 160)], 160 + 68)


def test_a_well_formed_file_passes_with_and_without_padding_at_its_end() -> None:
    facts = read_gguf(Memory(GOOD), member="m")
    assert facts.problems == ()
    assert (facts.member, facts.version, facts.tensors) == ("m", 3, 2)
    assert [(template.key, template.text) for template in facts.templates] == [
        ("tokenizer.chat_template", "{{ messages }}")
    ]
    assert codes(GOOD + bytes(28)) == set()
    wide = make([pair("general.alignment", 4, struct.pack("<I", 64))], ONE, 0)
    assert codes(wide + bytes(-len(wide) % 64) + bytes(32)) == set()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "truncated"),
        (b"GGML" + bytes(40), "magic"),
        (make([], ONE, 32, version=1), "version"),
        (make([], ONE, 32, version=0x03000000), "version"),
        (make([], ONE, 32, count=1 << 40), "count"),
        (make([], [], 0, keys=1 << 40), "count"),
        (make([ARCHITECTURE, ARCHITECTURE], ONE, 32), "duplicate-key"),
        (make([pair("k", 13, bytes(8))], ONE, 32), "type"),
        (make([pair("k", 7, b"\x02")], ONE, 32), "bool"),
        (make([pair("k", 9, struct.pack("<IQ", 8, 1 << 40))], ONE, 32), "count"),
        (make([pair("k", 9, struct.pack("<IQ", 9, 1) * 3)], ONE, 32), "type"),
        (make([pair("k", 8, struct.pack("<Q", 1 << 62))], ONE, 32), "truncated"),
        (make([text(b"\xff") + struct.pack("<IB", 0, 0)], ONE, 32), "encoding"),
        (make([text(b"k" * 2000) + struct.pack("<IB", 0, 0)], ONE, 32), "length"),
        (make([pair("tokenizer.chat_template", 8, text(b"x" * (1 << 19)))], ONE, 32), "length"),
        (make([pair(f"chat_template.{at}", 8, text(b"x")) for at in range(17)], ONE, 32), "count"),
        (make([pair("general.alignment", 4, struct.pack("<I", 24))], ONE, 32), "alignment"),
        (make([pair("general.alignment", 5, struct.pack("<I", 32))], ONE, 32), "alignment"),
        (make([], [("a", (8,), 0, 0), ("a", (8,), 0, 32)], 64), "duplicate-tensor"),
        (make([], [("a" * 65, (8,), 0, 0)], 32), "name"),
        (make([], [("a", (8, 1, 1, 1, 1), 0, 0)], 32), "dimensions"),
        (make([], [("a", (), 0, 0)], 32), "dimensions"),
        (make([], [("a", (0,), 0, 0)], 32), "size"),
        (make([], [("a", (1 << 40, 1 << 40), 0, 0)], 32), "size"),
        (make([], [("a", (8,), 8, 0)], 34), "size"),
        (make([], [("a", (8,), 4, 0)], 32), "tensor-type"),
        (make([], [("a", (8,), 0, 32)], 64), "offset"),
        (make([], [("a", (8,), 0, 0), ("b", (8,), 0, 0)], 64), "offset"),
        (make([], [("a", (16,), 0, 0)], 63), "size"),
        (make([], ONE, 33), "trailing"),
    ],
)
def test_every_lie_is_named(body: bytes, code: str) -> None:
    assert code in codes(body)


def test_a_vocabulary_alone_may_be_padded_with_zeros_and_nothing_else() -> None:
    padded = make([pair("a", 4, bytes(4))], [], 0)
    whole = padded[:41]
    assert len(padded) == 64
    assert codes(whole) == codes(padded) == set()
    assert codes(padded + bytes(1)) == {"trailing"}
    assert codes(padded[:-1] + b"x") == {"trailing"}


def test_what_was_read_before_a_break_is_kept() -> None:
    facts = read_gguf(Memory(GOOD[:-300]))
    assert facts.templates
    assert facts.problems


def test_every_type_has_whole_blocks() -> None:
    assert all(values > 0 and size > 0 for values, size in BLOCKS.values())
    for kind, (values, size) in BLOCKS.items():
        assert codes(make([], [("a", (values,), kind, 0)], size)) == set()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda rest: b"GGUF\x03\x00\x00\x00" + rest))
def test_any_bytes_give_facts(body: bytes) -> None:
    assert read_gguf(Memory(body)).problems


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_files_give_facts(data: st.DataObject) -> None:
    body = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    assert read_gguf(Memory(bytes(body))).tensors <= 1_000
