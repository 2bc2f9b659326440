"""Models and records that are nothing but data: XGBoost's binary JSON and TensorBoard's events."""

import struct
from collections.abc import Callable

import pytest

Judge = Callable[[bytes, str], tuple[str, set[str]]]
MALFORMED, OPAQUE = "LG-SUPPLY-012", "LG-SUPPLY-006"
EVIL = b"cposix\nsystem\n(S'echo gone'\ntR."


def length(count: int) -> bytes:
    return b"L" + struct.pack(">q", count)


def key(name: bytes) -> bytes:
    return length(len(name)) + name


def ubjson(learner: bytes) -> bytes:
    return b"{" + key(b"learner") + learner + key(b"version") + b"[#" + length(2) + b"i\x03i\x00" + b"}"


TYPED = b"[$d#" + length(3) + bytes(12)


@pytest.mark.parametrize(
    ("learner", "expected"),
    [
        (b"{" + key(b"name") + b"S" + key(b"reg:squarederror") + key(b"w") + TYPED + b"}", set[str]()),
        (b"{#i\x01" + key(b"n") + b"H" + key(b"12.5"), set[str]()),
        (b"{$S#i\x01" + key(b"n") + key(b"text"), set[str]()),
        (b"[[[]{}]TFZ]", set[str]()),
        (b"[$d#" + length(1 << 60), {MALFORMED}),
        (b"[$Z#" + length(1 << 60), {MALFORMED}),
        (b"[$d]", {MALFORMED}),
        (b"S" + length(-1), {MALFORMED}),
        (b"Sd\x00\x00\x00\x00", {MALFORMED}),
        (b"x", {MALFORMED}),
        (b"S" + key(EVIL), {MALFORMED}),
        (b"[" * 300 + b"]" * 300, {f"{OPAQUE}?"}),
    ],
)
def test_binary_json_is_data_or_refused(judge: Judge, learner: bytes, expected: set[str]) -> None:
    assert judge(ubjson(learner), "model.ubj") == ("ubjson", expected)
    assert judge(ubjson(learner)[:-1], "model.ubj")[1]
    assert judge(ubjson(learner) + b"x", "model.ubj")[1]


def record(event: bytes) -> bytes:
    return struct.pack("<QI", len(event), 7) + event + bytes(4)


TIME = b"\x09" + bytes(8)
EVENTS = record(TIME + b"\x1a\x0dbrain.Event:2") + record(TIME + b"\x10\x05\x2a\x02\x0a\x00")


def test_events_are_read_to_their_end(judge: Judge) -> None:
    name = "runs/events.out.tfevents.1700000000.host.1.0"
    assert judge(EVENTS, name) == ("events", set())
    for body in (EVENTS[:-1], EVENTS + b"x", EVENTS + record(b"\x0a\x04evil"), EVENTS + EVIL):
        assert judge(body, name) == ("events", {MALFORMED})
