"""Checkpoints: C2SP text, one signature, and every bit counts."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from lockgate.evidence import EvidenceError, SigningKey, VerifyKey, parse_checkpoint, verify_checkpoint
from lockgate.evidence.checkpoint import new_origin, sign_checkpoint

KEY = SigningKey(ec.generate_private_key(ec.SECP256R1()))
ORIGIN = "lockgate.dev/ledger/" + "0123456789abcdef" * 2
ROOT = hashlib.sha256(b"root").digest()
TEXT = sign_checkpoint(ORIGIN, 42, ROOT, KEY)


def test_the_text_is_a_signed_note() -> None:
    body, _, signature = TEXT.decode().partition("\n\n")
    assert body.split("\n") == [ORIGIN, "42", base64.b64encode(ROOT).decode()]
    dash, name, signed = signature.rstrip("\n").split(" ")
    assert (dash, name) == ("\u2014", ORIGIN)
    raw = base64.b64decode(signed)
    assert raw[:4].hex() == KEY.keyid[:8]
    assert KEY.public.verify(raw[4:], f"{body}\n".encode())


@given(st.integers(0, 10**18 - 1), st.binary(min_size=32, max_size=32))
def test_any_checkpoint_comes_back(size: int, root: bytes) -> None:
    origin = new_origin()
    found = parse_checkpoint(sign_checkpoint(origin, size, root, KEY))
    assert (found.origin, found.size, found.root) == (origin, size, root)
    assert verify_checkpoint(found, [KEY.public]) == KEY.keyid


def test_every_flipped_bit_is_found() -> None:
    for place in range(len(TEXT)):
        for bit in range(8):
            spoiled = bytearray(TEXT)
            spoiled[place] ^= 1 << bit
            with pytest.raises(EvidenceError):
                verify_checkpoint(parse_checkpoint(bytes(spoiled)), [KEY.public])


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(text: bytes) -> None:
    with pytest.raises(EvidenceError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        TEXT + b"\n",
        TEXT[:-1],
        TEXT + TEXT.split(b"\n\n")[1],
        TEXT.replace(b"\n42\n", b"\n042\n"),
        TEXT.replace(b"\n42\n", b"\n-1\n"),
        TEXT.replace(b"=\n\n", b"=\nextension\n\n"),
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(ORIGIN.encode(), b"lockgate.dev/ledger/" + b"f" * 32, 1),
        TEXT.replace("\u2014".encode(), b"-"),
        TEXT.rstrip(b"\n").rstrip(b"=") + b"AAAA" * 2_000 + b"\n",
        b" ".join(TEXT.split(b" ")[:-1]) + b" AAAAAAAAA\n",
        b" ".join(TEXT.split(b" ")[:-1]) + b" AAAAAAAAAB==\n",
    ],
)
def test_another_shape_is_refused(text: bytes) -> None:
    assert text != TEXT
    with pytest.raises(EvidenceError):
        parse_checkpoint(text)


def test_only_a_trusted_key_may_sign() -> None:
    other = SigningKey(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(EvidenceError, match="not signed by a trusted key"):
        verify_checkpoint(parse_checkpoint(TEXT), [other.public])
    assert verify_checkpoint(parse_checkpoint(TEXT), [other.public, KEY.public]) == KEY.keyid


def test_an_ed25519_checkpoint_is_verified_as_the_note_format_says() -> None:
    private = Ed25519PrivateKey.generate()
    public = VerifyKey.of(private.public_key())
    body = f"{ORIGIN}\n42\n{base64.b64encode(ROOT).decode()}\n".encode()
    hint = hashlib.sha256(ORIGIN.encode() + b"\n\x01" + private.public_key().public_bytes_raw()).digest()[:4]
    signed = base64.b64encode(hint + private.sign(body)).decode()
    text = body + f"\n\u2014 {ORIGIN} {signed}\n".encode()
    assert verify_checkpoint(parse_checkpoint(text), [public]) == public.keyid
