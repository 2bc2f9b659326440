"""Files of authorities may lie at home, whichever setting names them."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lockgate.core.config_limits import RedisStore
from lockgate.core.config_upstreams import TlsConfig
from lockgate.gateway import GatewayError
from lockgate.gateway.bounded_fetch import open_session
from lockgate.gateway.limits.redis_address import read_address
from lockgate.gateway.upstreams.credentials import tls_context
from support.authority import Authority


async def of_redis(name: str, project: Path) -> None:
    read_address(RedisStore(url="rediss://127.0.0.1", ca_file=name), project_root=project)


async def of_an_upstream(name: str, project: Path) -> None:
    tls_context(TlsConfig(ca_file=name), "https://models.example/v1", project_root=project)


async def of_an_issuer_or_vault(name: str, project: Path) -> None:
    async with open_session(timeout_s=1, ca_file=name, project_root=project):
        pass


@pytest.mark.parametrize("read", [of_redis, of_an_upstream, of_an_issuer_or_vault])
async def test_an_authority_is_looked_for_at_home_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[str, Path], Awaitable[None]]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    project = tmp_path / "project"
    project.mkdir()
    Authority(tmp_path, "ours")
    Authority(project, "inside")
    for name in ("~/ours.pem", "inside.pem", str(tmp_path / "ours.pem")):
        await read(name, project)
    for name in ("~/missing.pem", "ours.pem", "~nobody-of-that-name/ours.pem"):
        with pytest.raises(GatewayError):
            await read(name, project)
