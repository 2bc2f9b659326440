"""An issuer that is named alone says itself where its keys are."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lockgate.core.config_auth import IssuerConfig
from lockgate.gateway.auth.issuer import Issuer
from lockgate.gateway.auth.key_set import KeySetError

PATH = "/realms/a/.well-known/openid-configuration"


class Provider:
    """An identity provider with two places for keys."""

    def __init__(self) -> None:
        self.base = ""
        self.keys: dict[str, list[dict[str, object]]] = {"old": [], "new": []}
        self.said: dict[str, object] | bytes = {}
        self.status = 200
        self.headers: dict[str, str] = {}

    @property
    def issuer(self) -> str:
        return f"{self.base}/realms/a"

    def settings(self, **more: Any) -> IssuerConfig:
        return IssuerConfig(issuer=self.issuer, audience=("a",), **more)

    async def configuration(self, _: web.Request) -> web.Response:
        body = self.said if isinstance(self.said, bytes) else json.dumps(self.said).encode()
        return web.Response(status=self.status, body=body, headers=self.headers)

    async def key_set(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": self.keys[request.match_info["place"]]})


@pytest.fixture
async def provider(signers: Any) -> AsyncIterator[Provider]:
    found = Provider()
    app = web.Application()
    app.router.add_get(PATH, found.configuration)
    app.router.add_get("/{place:old|new}", found.key_set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    found.said = {"issuer": found.issuer, "jwks_uri": f"{found.base}/old", "id_token_signing_alg_values_supported": []}
    found.keys = {"old": [signers["ES256"].jwk()], "new": [signers["RS256"].jwk()]}
    yield found
    await runner.cleanup()


async def test_keys_are_found_and_followed_when_they_move(provider: Provider, clock: Any) -> None:
    async with Issuer.open(provider.settings(refresh_s=60, cooldown_s=1), project_root=Path()) as issuer:
        assert await issuer.key("key of ES256", "ES256") is not None
        provider.said = {"issuer": provider.issuer, "jwks_uri": f"{provider.base}/new"}
        clock.move(2)
        assert await issuer.key("key of RS256", "RS256") is not None
        assert await issuer.key("key of ES256", "ES256") is None


async def test_a_name_that_ends_with_a_slash_has_its_configuration_below_it(provider: Provider) -> None:
    name = f"{provider.issuer}/"
    provider.said = {"issuer": name, "jwks_uri": f"{provider.base}/old"}
    async with Issuer.open(IssuerConfig(issuer=name, audience=("a",)), project_root=Path()) as issuer:
        assert await issuer.key("key of ES256", "ES256") is not None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"issuer": "https://another.example"}, "names another issuer"),
        ({"issuer": None}, "names another issuer"),
        ({"jwks_uri": "http://keys.example/set"}, "no 'jwks_uri' that is https"),
        ({"jwks_uri": "http://127.0.0.1.evil.example/set"}, "no 'jwks_uri' that is https"),
        ({"jwks_uri": "file:///etc/passwd"}, "no 'jwks_uri' that is https"),
        ({"jwks_uri": 7}, "no 'jwks_uri' that is https"),
        (b"[]", "no JSON object"),
        (b"{", "one meaning"),
        (b'{"issuer": "a", "issuer": "b"}', "one meaning"),
        (b" " * 300_000, "more than"),
    ],
)
async def test_a_configuration_that_cannot_be_believed_lets_nobody_in(
    provider: Provider, said: dict[str, object] | bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    provider.said = said if isinstance(said, bytes) else {**provider.said, **said}  # type: ignore[dict-item] - a mapping until here
    async with Issuer.open(provider.settings(), project_root=Path()) as issuer:
        with pytest.raises(KeySetError):
            await issuer.key("key of ES256", "ES256")
    assert why in caplog.text


@pytest.mark.parametrize(("status", "headers"), [(404, {}), (500, {}), (302, {"location": "/old"})])
async def test_known_keys_count_on_while_the_configuration_cannot_be_had(
    provider: Provider, clock: Any, status: int, headers: dict[str, str]
) -> None:
    wanted = provider.settings(refresh_s=60, cooldown_s=1, max_stale_s=100)
    async with Issuer.open(wanted, project_root=Path()) as issuer:
        assert await issuer.key("key of ES256", "ES256") is not None
        provider.status, provider.headers = status, headers
        clock.move(61)
        assert await issuer.key("key of ES256", "ES256") is not None
        clock.move(61)
        with pytest.raises(KeySetError):
            await issuer.key("key of ES256", "ES256")
