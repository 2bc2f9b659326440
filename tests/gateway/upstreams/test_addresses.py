from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest

from lockgate.core.config import ServeConfig
from lockgate.gateway import ApiError, GatewayError
from lockgate.gateway.upstreams import is_loopback, open_router
from lockgate.gateway.upstreams.addresses import RefusedAddressError, forbidden, refuse_forbidden, resolve

NONE = frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254",
        "169.254.10.2",
        "0.0.0.0",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "fe80::1",
        "fd00:ec2::254",
        "::",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ],
)
def test_addresses_with_credentials_behind_them_are_refused(text: str) -> None:
    address = ip_address(text)
    assert forbidden(address, NONE)
    assert not forbidden(address, frozenset({address}))


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.7", "192.168.1.4", "::1", "8.8.8.8", "fd12::1"])
def test_ordinary_addresses_are_not(text: str) -> None:
    assert not forbidden(ip_address(text), NONE)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://[fe80::1]/v1",
        "http://user:secret@example.org/v1",
        "https://example.org/v1?x=1",
        "https://example.org/v1#x",
        "http://:80/v1",
        "http://2852039166/v1",
        "http://0251.0376.0251.0376/v1",
        "http://example.org:99999/v1",
    ],
)
async def test_a_base_url_that_shows_it_is_refused_at_the_start(tmp_path: Path, url: str) -> None:
    serve = msgspec.convert({"upstream": {"kind": "openai", "base_url": url, "model": "m"}}, ServeConfig)
    with pytest.raises(GatewayError, match="base_url") as caught:
        async with open_router(serve, project_root=tmp_path, endpoints={}):
            pass
    assert "secret" not in str(caught.value)


async def test_another_spelling_of_an_address_is_seen_through_when_connecting(tmp_path: Path) -> None:
    host = "0xA9FEA9FE"
    place = {"kind": "openai", "base_url": f"http://{host}/v1", "model": "m", "timeouts": {"connect_s": 1}}
    serve = msgspec.convert({"upstream": place, "retries": {"attempts": 0}}, ServeConfig)
    async with open_router(serve, project_root=tmp_path, endpoints={}) as router:
        with pytest.raises(ApiError, match="cannot be reached"):
            await router.complete(b"{}")
    with pytest.raises(RefusedAddressError):
        await resolve(host, 80, NONE)


async def test_a_name_is_judged_by_all_its_addresses() -> None:
    assert {address for address, _ in await resolve("localhost", 80, NONE)} <= {"127.0.0.1", "::1"}
    with pytest.raises(RefusedAddressError):
        refuse_forbidden(["8.8.8.8", "169.254.169.254"], NONE)
    with pytest.raises(RefusedAddressError):
        refuse_forbidden(["nonsense"], NONE)


async def test_an_address_may_be_named_all_the_same(tmp_path: Path) -> None:
    place = {"kind": "openai", "base_url": "http://169.254.10.2/v1", "model": "m"}
    serve = msgspec.convert({"upstream": place | {"allow_addresses": ["169.254.10.2"]}}, ServeConfig)
    async with open_router(serve, project_root=tmp_path, endpoints={}) as router:
        assert router.open_for_traffic
    serve = msgspec.convert({"upstream": place | {"allow_addresses": ["metadata"]}}, ServeConfig)
    with pytest.raises(GatewayError, match="no IP address"):
        async with open_router(serve, project_root=tmp_path, endpoints={}):
            pass


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.9:1/v1", True),
        ("https://[::1]/v1", True),
        ("http://LOCALHOST/v1", True),
        ("https://localhost.example.org/v1", False),
        ("https://10.0.0.1/v1", False),
    ],
)
def test_loopback_is_what_cannot_leave_the_machine(url: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_loopback(url) is expected
