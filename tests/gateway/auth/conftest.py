"""Issuers of tokens: their keys, their tokens, and a server that publishes the keys."""

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from lockgate.core.config_auth import IssuerConfig

ISSUER = "https://issuer.example"
AUDIENCE = "gateway"


def b64(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8))


class Signer:
    """A key pair of an issuer, which signs what it is told."""

    def __init__(self, algorithm: str, key_id: str | None) -> None:
        self.algorithm = algorithm
        self.key_id = key_id
        self.key: Any = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "PS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }[algorithm]()

    def jwk(self, **more: object) -> dict[str, object]:
        public = self.key.public_key()
        named: dict[str, object] = {} if self.key_id is None else {"kid": self.key_id}
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), **named, **more}
        if isinstance(public, ec.EllipticCurvePublicKey):
            point = public.public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32), **named, **more}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw()), **named, **more}

    def sign(self, text: bytes) -> bytes:
        match self.algorithm:
            case "RS256":
                return self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
            case "PS256":
                return self.key.sign(text, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
            case "ES256":
                r, s = decode_dss_signature(self.key.sign(text, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(32) + s.to_bytes(32)
            case _:
                return self.key.sign(text)

    def token(self, header: dict[str, object] | None = None, raw: bytes | None = None, **claims: object) -> str:
        """A token with sensible claims, changed by `claims` (None leaves one out) and by `header`."""
        now = int(time.time())
        said: dict[str, object] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "somebody", "iat": now, "exp": now + 600}
        said = {name: value for name, value in {**said, **claims}.items() if value is not None}
        head: dict[str, object] = {"alg": self.algorithm, "typ": "JWT", "kid": self.key_id, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        signed = f"{b64(json.dumps(head).encode())}.{b64(raw if raw is not None else json.dumps(said).encode())}"
        return f"{signed}.{b64(self.sign(signed.encode()))}"


class Publisher:
    """A server that publishes a key set, and can be told to misbehave."""

    def __init__(self) -> None:
        self.keys: list[dict[str, object]] = []
        self.body: bytes | None = None
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.url = ""

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        body = json.dumps({"keys": self.keys}).encode() if self.body is None else self.body
        return web.Response(status=self.status, body=body, headers=self.headers)

    def settings(self, **more: Any) -> IssuerConfig:
        return IssuerConfig(issuer=ISSUER, audience=(AUDIENCE,), jwks_url=self.url, **more)


@pytest.fixture(scope="session")
def signers() -> dict[str, Signer]:
    """One signer for each algorithm, named by it."""
    return {name: Signer(name, f"key of {name}") for name in ("RS256", "PS256", "ES256", "EdDSA")}


@pytest.fixture
async def publisher(signers: dict[str, Signer]) -> AsyncIterator[Publisher]:
    found = Publisher()
    found.keys = [signer.jwk() for signer in signers.values()]
    app = web.Application()
    app.router.add_get("/keys", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    yield found
    await runner.cleanup()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    return Clock(monkeypatch)


class Clock:
    """Both clocks of the token code, which a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset = 0.0
        real, wall = time.monotonic, time.time
        monkeypatch.setattr("lockgate.gateway.auth.issuer.monotonic", lambda: real() + self.offset)
        monkeypatch.setattr("lockgate.gateway.auth.tokens.wall_clock", lambda: wall() + self.offset)

    def move(self, seconds: float) -> None:
        self.offset += seconds
