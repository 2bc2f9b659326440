"""Envelopes: only what was written can be read, and every bit counts."""

import base64
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from lockgate.evidence import (
    EvidenceError,
    Role,
    Statement,
    create_key,
    dsse,
    key_for,
    open_envelope,
    parse_statement,
    sign,
    verify,
)
from lockgate.evidence.keys import SigningKey, machine_keys

KEY = SigningKey(ec.generate_private_key(ec.SECP256R1()))


def changed(body: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(body), **fields}, sort_keys=True, separators=(",", ":")).encode()


def test_an_envelope_is_standard_dsse() -> None:
    body = sign(b"{}", KEY)
    wire = json.loads(body)
    assert sorted(wire) == ["payload", "payloadType", "signatures"]
    assert wire["payloadType"] == "application/vnd.in-toto+json"
    assert base64.b64decode(wire["payload"]) == b"{}"
    assert wire["signatures"][0]["keyid"] == KEY.keyid
    signed = b"DSSEv1 28 application/vnd.in-toto+json 2 {}"
    assert KEY.public.verify(base64.b64decode(wire["signatures"][0]["sig"]), signed)


@given(st.binary(max_size=400))
def test_any_payload_comes_back(payload: bytes) -> None:
    envelope = open_envelope(sign(payload, KEY))
    assert envelope.payload == payload
    assert verify(envelope, [KEY.public]) == KEY.keyid


def test_every_flipped_bit_is_found(statement: Callable[[int], Statement]) -> None:
    body = sign(statement(0).encode(), KEY)
    for place in range(len(body)):
        for bit in range(8):
            spoiled = bytearray(body)
            spoiled[place] ^= 1 << bit
            with pytest.raises(EvidenceError):  # noqa: PT012 - any of the three steps may find it
                envelope = open_envelope(bytes(spoiled))
                verify(envelope, [KEY.public])
                parse_statement(envelope.payload)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(EvidenceError):
        open_envelope(body)


def test_a_byte_that_no_signature_covers_is_refused() -> None:
    body = sign(b"{}", KEY)
    wire = json.loads(body)
    signature = wire["signatures"][0]
    shapes = [
        body + b"\n",
        b" " + body,
        json.dumps(wire).encode(),
        changed(body, note="hello"),
        changed(body, signatures=[]),
        changed(body, signatures=[signature, signature]),
        changed(body, signatures=[{**signature, "extra": 1}]),
        changed(body, payloadType="application/json"),
        changed(body, payload="e30"),
        changed(body, payload="e31="),
        changed(body, payload="\u00e9"),
        changed(body, payload=wire["payload"] + "\n"),
        body.replace(b'{"payload":', b'{"payload":"AAAA","payload":'),
        body.replace(b'"payload":', b'"\\u0070ayload":'),
        b"[" * 100_000 + b"]" * 100_000,
    ]
    for shape in shapes:
        assert shape != body
        with pytest.raises(EvidenceError):
            open_envelope(shape)


def test_an_endless_envelope_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dsse, "MAX_ENVELOPE", 100)
    with pytest.raises(EvidenceError, match="larger than 100"):
        open_envelope(b"x" * 101)


def test_only_the_named_key_can_have_signed() -> None:
    key = key_for(Role.LOCAL)
    create_key(Role.BUILDER)
    envelope = open_envelope(sign(b"{}", key))
    assert verify(envelope, machine_keys()) == key.keyid
    with pytest.raises(EvidenceError, match="not trusted"):
        verify(envelope, [KEY.public])
    borrowed = changed(sign(b"{}", key), signatures=json.loads(sign(b"other", key))["signatures"])
    with pytest.raises(EvidenceError, match="does not match"):
        verify(open_envelope(borrowed), machine_keys())
