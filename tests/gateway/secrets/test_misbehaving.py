"""Servers of secrets that answer with something else: no secret comes of it, and none is shown."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lockgate.core.config_auth import AwsConfig, SecretsConfig, VaultConfig
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets import Secrets

CANARY = "canary-5b1f"


async def refused(settings: SecretsConfig, reference: str, root: Path) -> str:
    async with Secrets.open(settings, project_root=root) as book:
        with pytest.raises(GatewayError) as caught:
            await book.get(reference)
    error: BaseException | None = caught.value
    shown = ""
    while error is not None:
        shown, error = f"{shown} {error!r}", error.__cause__
    assert CANARY not in shown
    return shown


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (503, CANARY, "status 503"),
        (200, f'{{"data": "{CANARY}"}}', "something else"),
        (200, f'{{"data": {{"data": ["{CANARY}"]}}}}', "something else"),
        (200, f'{{"data": {{"data": {{"key": "{CANARY}", "key": "x"}}}}}}', "something else"),
        (200, "", "something else"),
        (307, "", "redirected"),
    ],
)
async def test_a_vault_that_misbehaves(
    served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, status: int, body: str, what: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["x-vault-namespace"] == "team"
        return web.Response(status=status, text=body)

    monkeypatch.setenv("TEST_TOKEN", CANARY)
    address = await served(web.get("/v1/secret/data/a", answer))
    settings = SecretsConfig(vault=VaultConfig(address=address, token="env:TEST_TOKEN", namespace="team"))
    assert what in await refused(settings, "vault:a#key", tmp_path)


@pytest.mark.parametrize("body", ["", "{", f'{{"auth": {{"client_token": ["{CANARY}"], "lease_duration": 1}}}}'])
async def test_a_vault_login_that_misbehaves(
    served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body)

    monkeypatch.setenv("TEST_SECRET_ID", CANARY)
    address = await served(web.post("/v1/auth/approle/login", answer))
    settings = SecretsConfig(vault=VaultConfig(address=address, role_id="r", secret_id="env:TEST_SECRET_ID"))
    assert "something else" in await refused(settings, "vault:a#key", tmp_path)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, CANARY),
        (200, CANARY),
        (200, f'{{"AccessKeyId": "{CANARY}"}}'),
        (200, f'{{"SecretAccessKey": ["{CANARY}"]}}'),
    ],
)
async def test_a_service_of_aws_credentials_that_misbehaves(
    served: Any, aws_environment: pytest.MonkeyPatch, tmp_path: Path, status: int, body: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    base = await served(web.route("*", "/{rest:.*}", answer))
    settings = SecretsConfig(
        aws=AwsConfig(region="eu-central-1", endpoint=base, sts_endpoint=base, instance_metadata=True)
    )
    aws_environment.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", base)
    assert "credentials" in (shown := await refused(settings, "aws-secretsmanager:a", tmp_path)) or "role" in shown
    aws_environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", base)
    assert "credentials" in await refused(settings, "aws-secretsmanager:a", tmp_path)
    aws_environment.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x")
    aws_environment.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "none"))
    assert "cannot be read" in await refused(settings, "aws-secretsmanager:a", tmp_path)
    (tmp_path / "token").write_text(CANARY)
    aws_environment.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    assert "credentials" in await refused(settings, "aws-secretsmanager:a", tmp_path)
