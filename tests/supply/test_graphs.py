"""Computation graphs: what they may be made of, where they may reach, and that broken ones are found."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.detect.coreml_model import walk_coreml
from lockgate.detect.onnx_graph import walk_onnx
from lockgate.detect.part import Notes
from lockgate.detect.source import MalformedError, Memory
from lockgate.detect.tensorflow_graph import walk_tensorflow
from lockgate.detect.tflite_graph import walk_tflite

Judge = Callable[[bytes, str], tuple[str, set[str]]]
OPERATOR, PATH, MALFORMED, CODE = "LG-SUPPLY-009", "LG-SUPPLY-008", "LG-SUPPLY-012", "LG-SUPPLY-007"


def varint(value: int) -> bytes:
    body = b""
    while value > 127:
        body += bytes([value & 127 | 128])
        value >>= 7
    return body + bytes([value])


def field(number: int, value: bytes | int | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    body = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(body)) + body


def node(operator: str, domain: str = "", *attributes: bytes) -> bytes:
    inner = field(1, "x") + field(2, "y") + field(4, operator) + (field(7, domain) if domain else b"")
    return field(1, inner + b"".join(field(5, attribute) for attribute in attributes))


def onnx(*graph: bytes, extra: bytes = b"") -> bytes:
    head = field(1, 8) + field(2, "pytorch") + field(8, field(1, "") + field(2, 17))
    return head + field(7, field(2, "main") + b"".join(graph)) + extra


def subgraph(*nodes: bytes) -> bytes:
    return field(1, "body") + field(6, b"".join(nodes)) + field(20, 5)


def tensor(location: str) -> bytes:
    entries = field(13, field(1, "location") + field(2, location)) + field(13, field(1, "offset") + field(2, "0"))
    return field(5, field(1, 4) + field(2, 1) + field(8, "w") + entries + field(14, 1))


def defined(domain: str, name: str, *operators: str) -> bytes:
    steps = b"".join(field(7, field(4, operator)) for operator in operators)
    return field(25, field(1, name) + steps + field(10, domain))


def test_ordinary_onnx_graphs_pass(judge: Judge):
    models = (
        onnx(node("Conv"), node("Relu"), node("Gelu", "com.microsoft"), node("TreeEnsembleClassifier", "ai.onnx.ml")),
        onnx(node("If", "", subgraph(node("Add")), subgraph(node("Mul")))),
        onnx(node("Twice", "my.own"), extra=defined("my.own", "Twice", "Add")),
        onnx(node("MatMul"), tensor("model.onnx_data")),
        onnx(node("MatMul"), tensor("weights/part-1.bin")),
    )
    for model in models:
        assert judge(model, "m.onnx") == ("onnx", set())


ONNX_ATTACKS = {
    "an operator of a domain of its own": (onnx(node("Steal", "evil.ops")), OPERATOR),
    "the same in a loop": (onnx(node("Loop", "", subgraph(node("If", "", subgraph(node("Steal", "evil")))))), OPERATOR),
    "the same in a function": (onnx(node("F", "f"), extra=defined("f", "F", "Add", "NoSuchOperator")), OPERATOR),
    "Python as an operator": (onnx(node("PythonOp", "com.microsoft")), OPERATOR),
    "Python of the extensions": (onnx(node("PyOp", "ai.onnx.contrib")), OPERATOR),
    "a path that climbs out": (onnx(node("MatMul"), tensor("../../etc/passwd")), PATH),
    "memory of the process": (onnx(node("MatMul"), tensor("*/_ORT_MEM_ADDR_/*")), PATH),
    "an absolute path": (onnx(node("MatMul"), tensor("/etc/passwd")), PATH),
    "a path of another system": (onnx(node("MatMul"), tensor("C:\\secrets")), PATH),
    "an address": (onnx(node("MatMul"), tensor("https://example.org/w")), PATH),
    "an unknown field": (onnx(node("Add"), extra=field(99, b"hidden")), MALFORMED),
    "two graphs": (onnx(node("Add"), extra=field(7, node("Mul"))), MALFORMED),
    "a redefined operator": (onnx(node("Add"), extra=defined("", "Add", "Mul")), MALFORMED),
    "bytes behind it": (onnx(node("Add")) + b"\x00\x00\x00", MALFORMED),
    "a length beyond the end": (onnx(node("Add")) + b"\x3a\xff\xff\xff\xff\x7f", MALFORMED),
}


@pytest.mark.parametrize("attack", ONNX_ATTACKS)
def test_an_onnx_model_that_reaches_out_or_is_broken_fails(judge: Judge, attack: str):
    body, expected = ONNX_ATTACKS[attack]
    assert expected in judge(body, "m.onnx")[1] or judge(body, "m.onnx")[1] == {"LG-SUPPLY-006?"}


def tf_node(operator: str) -> bytes:
    return field(1, "n") + field(2, operator) + field(5, field(1, "T") + field(2, field(6, 1)))


def graph_def(*operators: str, library: bytes = b"") -> bytes:
    return b"".join(field(1, tf_node(operator)) for operator in operators) + library + field(4, field(1, 1000))


def function(name: str, *operators: str) -> bytes:
    return field(1, field(1, field(1, name)) + b"".join(field(3, tf_node(operator)) for operator in operators))


def saved_model(graph: bytes, asset: str = "") -> bytes:
    meta = field(2, graph) + (field(6, field(1, b"") + field(2, asset)) if asset else b"")
    return field(1, 1) + field(2, meta)


def test_ordinary_tensorflow_graphs_pass(judge: Judge):
    library = field(2, function("inference_1", "MatMul", "Relu"))
    plain = graph_def("Placeholder", "Conv2D", "BiasAdd", "inference_1", library=library)
    assert judge(plain, "frozen.pb") == ("tensorflow", set())
    saved = saved_model(graph_def("VarHandleOp", "StatefulPartitionedCall", "SaveV2", "RestoreV2"), "words.txt")
    assert judge(saved, "saved_model.pb") == ("tensorflow", set())


@pytest.mark.parametrize(
    "operator", ["PyFunc", "EagerPyFunc", "ReadFile", "WriteFile", "MatchingFiles", "Evil", "PrintV2"]
)
def test_a_tensorflow_graph_that_reaches_out_fails(judge: Judge, operator: str):
    hidden = field(2, function("f", "MatMul", operator))
    for body in (
        graph_def("Placeholder", operator),
        graph_def("Placeholder", "f", library=hidden),
        saved_model(graph_def("Placeholder", operator)),
        saved_model(graph_def("Placeholder", library=hidden)),
    ):
        assert judge(body, "model.pb")[1] == {OPERATOR}


def test_an_asset_outside_of_the_folder_fails(judge: Judge):
    assert judge(saved_model(graph_def("Placeholder"), "../../etc/passwd"), "saved_model.pb")[1] == {PATH}


def tflite(custom: str = "", *, buffer: tuple[int, int] | None = None, index: int = 0) -> bytes:
    """A model with one operator, one step and one buffer."""
    body = bytearray(b"\x00" * 4 + b"TFL3")

    def table(slots: list[tuple[str, int]]) -> tuple[int, list[int]]:
        """A table with fixed-width slots; gives its position and the positions of its slots."""
        size, places = 4, []
        for kind, _ in slots:
            width = {"b": 1, "I": 4, "Q": 8, "o": 4, "-": 0}[kind]
            size += -size % max(1, width)
            places.append(size if width else 0)
            size += width
        body.extend(bytes(-len(body) % 4))
        layout = len(body)
        body.extend(struct.pack(f"<HH{len(slots)}H", 4 + 2 * len(slots), size, *places))
        body.extend(bytes(-len(body) % 8 + 4))
        at = len(body)
        body.extend(struct.pack("<i", at - layout) + bytes(size - 4))
        for (kind, value), place in zip(slots, places, strict=True):
            if kind in "bIQ":
                struct.pack_into({"b": "<B", "I": "<I", "Q": "<Q"}[kind], body, at + place, value)
        return at, [at + place for place in places]

    def point(slot: int) -> None:
        body.extend(bytes(-len(body) % 4))
        struct.pack_into("<I", body, slot, len(body) - slot)

    def vector(slot: int, count: int) -> list[int]:
        point(slot)
        start = len(body) + 4
        body.extend(struct.pack("<I", count) + bytes(4 * count))
        return [start + 4 * item for item in range(count)]

    at, slots = table([("I", 3), ("o", 0), ("o", 0), ("-", 0), ("o", 0)])
    struct.pack_into("<I", body, 0, at)
    code_slot, graph_slot = vector(slots[1], 1)[0], vector(slots[2], 1)[0]
    buffer_slot = vector(slots[4], 1)[0]
    at, inner = table([("b", 32 if custom else 9), ("o" if custom else "-", 0), ("I", 1)])
    struct.pack_into("<I", body, code_slot, at - code_slot)
    if custom:
        point(inner[1])
        body.extend(struct.pack("<I", len(custom)) + custom.encode() + b"\x00")
    at, inner = table([("-", 0), ("-", 0), ("-", 0), ("o", 0)])
    struct.pack_into("<I", body, graph_slot, at - graph_slot)
    step_slot = vector(inner[3], 1)[0]
    at, _ = table([("I", index)])
    struct.pack_into("<I", body, step_slot, at - step_slot)
    at, _ = table([("-", 0), ("Q", buffer[0]), ("Q", buffer[1])] if buffer else [])
    struct.pack_into("<I", body, buffer_slot, at - buffer_slot)
    return bytes(body)


def test_tensorflow_lite(judge: Judge):
    assert judge(tflite(), "m.tflite") == ("tflite", set())
    assert judge(tflite("TFLite_Detection_PostProcess"), "m.tflite") == ("tflite", set())
    for name in ("FlexReadFile", "EvilOp"):
        assert judge(tflite(name), "m.tflite")[1] == {OPERATOR}
    assert judge(tflite(buffer=(1 << 40, 8)), "m.tflite")[1] == {MALFORMED}
    assert judge(tflite(index=7), "m.tflite")[1] == {MALFORMED}
    assert judge(tflite()[:60], "m.tflite")[1] == {MALFORMED}
    assert judge(tflite() + b"#!/bin/sh\n" + bytes(80), "m.tflite")[1] == {MALFORMED}


def coreml(kind: int, inner: bytes) -> bytes:
    return field(1, 5) + field(2, field(1, b"")) + field(kind, inner)


def test_core_ml(judge: Judge):
    layer = field(1, field(1, "ip") + field(140, field(1, 3)))
    assert judge(coreml(500, layer), "m.mlmodel") == ("coreml", set())
    custom = field(1, field(1, "c") + field(500, field(10, "EvilLayer")))
    pipeline = coreml(202, field(1, coreml(500, custom)))
    linked = coreml(556, field(1, b""))
    for body in (coreml(500, custom), pipeline, linked, coreml(555, field(10, "EvilModel"))):
        assert judge(body, "m.mlmodel")[1] == {CODE}
    blob = struct.pack("<II", 1, 2).ljust(64, b"\0") + (b"\xef\xbe\xad\xde" + struct.pack("<IQQ", 1, 8, 128)).ljust(
        64, b"\0"
    )
    assert judge(blob + bytes(64), "weight.bin") == ("blobs", set())
    assert judge(blob + bytes(64) + b"more", "weight.bin")[1] == {MALFORMED}
    assert judge(blob, "weight.bin")[1] == {MALFORMED}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_bytes_give_notes_or_a_break(data: st.DataObject):
    seeds = (onnx(node("Add"), tensor("a")), graph_def("MatMul"), tflite("X"), coreml(202, field(1, coreml(500, b""))))
    body = bytearray(
        data.draw(st.sampled_from(seeds)) if data.draw(st.booleans()) else data.draw(st.binary(max_size=80))
    )
    for _ in range(data.draw(st.integers(0, 4))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    for walk in (walk_onnx, walk_tensorflow, walk_tflite, walk_coreml):
        try:
            walk(Memory(bytes(body)), Notes())
        except MalformedError:
            continue
