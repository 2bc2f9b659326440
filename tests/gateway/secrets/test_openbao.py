import urllib.error
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.config_auth import SecretsConfig, VaultConfig
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets import Secrets, read_secret

VALUE = "sk-canary-0123456789"
POLICY = 'path "secret/data/team/*" { capabilities = ["read"] }'


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TEST_VAULT_TOKEN", "root-of-the-test")
    return "env:TEST_VAULT_TOKEN"


@asynccontextmanager
async def book(root: Path, **vault: Any) -> AsyncIterator[Secrets]:
    settings = SecretsConfig(vault=VaultConfig(**vault))
    async with Secrets.open(settings, project_root=root) as found:
        yield found


@pytest.fixture
def role(bao: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A role that may read below `team/`, with a login that lives for a minute."""
    # It may be there already.
    with suppress(urllib.error.HTTPError):
        bao.call("POST", "sys/auth/approle", {"type": "approle"})
    bao.call("PUT", "sys/policies/acl/team", {"policy": POLICY})
    bao.call(
        "POST", "auth/approle/role/gateway", {"token_policies": "team", "token_ttl": "60s", "secret_id_ttl": "10m"}
    )
    role_id = bao.call("GET", "auth/approle/role/gateway/role-id")["data"]["role_id"]
    secret_id = bao.call("POST", "auth/approle/role/gateway/secret-id", {})["data"]["secret_id"]
    monkeypatch.setenv("TEST_SECRET_ID", secret_id)
    return {"role_id": role_id, "secret_id": "env:TEST_SECRET_ID"}


async def test_a_field_is_read_with_a_token(bao: Any, token: str, tmp_path: Path) -> None:
    bao.put("team/openai", key=VALUE, other="x")
    async with book(tmp_path, address=bao.address, token=token) as secrets:
        assert (await secrets.get("vault:team/openai#key")).reveal() == VALUE


async def test_a_role_logs_in_reads_and_logs_in_again_when_its_login_was_revoked(
    bao: Any, role: dict[str, str], tmp_path: Path
) -> None:
    bao.put("team/openai", key=VALUE)
    async with book(tmp_path, address=bao.address, **role) as secrets:
        assert (await secrets.get("vault:team/openai#key")).reveal() == VALUE
        for accessor in bao.call("LIST", "auth/token/accessors")["data"]["keys"]:
            found = bao.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})["data"]
            if "team" in found["policies"]:
                bao.call("POST", "auth/token/revoke-accessor", {"accessor": accessor})
        bao.put("team/openai", key=VALUE + "-new")
        secrets.forget("vault:team/openai#key")
        assert (await secrets.get("vault:team/openai#key")).reveal() == VALUE + "-new"


async def test_a_role_reads_only_what_its_policy_names(bao: Any, role: dict[str, str], tmp_path: Path) -> None:
    bao.put("other/openai", key=VALUE)
    async with book(tmp_path, address=bao.address, **role) as secrets:
        with pytest.raises(GatewayError, match="does not let us read"):
            await secrets.get("vault:other/openai#key")


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        ("vault:team/none#key", "no secret"),
        ("vault:team/openai#none", "no such field"),
        ("vault:team/openai#number", "no such field"),
        ("vault:team/openai#empty", "empty"),
        ("vault:team/openai#lines", "more than one line"),
    ],
)
async def test_what_is_not_there_is_said(bao: Any, token: str, tmp_path: Path, reference: str, what: str) -> None:
    bao.put("team/openai", key=VALUE, number=5, empty="", lines="a\nb")
    async with book(tmp_path, address=bao.address, token=token) as secrets:
        with pytest.raises(GatewayError, match=what) as caught:
            await secrets.get(reference)
    assert VALUE not in repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)


async def test_a_deleted_version_is_no_secret(bao: Any, token: str, tmp_path: Path) -> None:
    bao.put("team/gone", key=VALUE)
    bao.call("DELETE", "secret/data/team/gone")
    async with book(tmp_path, address=bao.address, token=token) as secrets:
        with pytest.raises(GatewayError, match="no secret"):
            await secrets.get("vault:team/gone#key")


async def test_a_wrong_token_role_or_address_is_refused(
    bao: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG", "wrong")
    cases = (
        ({"address": bao.address, "token": "env:WRONG"}, "does not let us read"),
        ({"address": bao.address, "role_id": "r", "secret_id": "env:WRONG"}, "refused the AppRole login"),
        ({"address": bao.address, "token": "env:NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE is not set"),
        ({"address": "http://127.0.0.1:1", "token": "env:WRONG"}, "cannot be reached"),
    )
    for settings, what in cases:
        async with book(tmp_path, **settings) as secrets:
            with pytest.raises(GatewayError, match=what):
                await secrets.get("vault:team/openai#key")


async def test_a_secret_is_read_from_inside_a_running_loop_too(bao: Any, token: str, tmp_path: Path) -> None:
    bao.put("team/openai", key=VALUE)
    settings = SecretsConfig(vault=VaultConfig(address=bao.address, token=token))
    assert read_secret("vault:team/openai#key", settings, project_root=tmp_path).reveal() == VALUE
