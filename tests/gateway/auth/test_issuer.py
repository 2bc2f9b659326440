import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.config_auth import IssuerConfig, SecretsConfig, VaultConfig
from lockgate.gateway.auth.issuer import Issuer
from lockgate.gateway.auth.key_set import KeySetError, parse_key_set
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets import Secrets
from support.authority import Authority


@asynccontextmanager
async def opened(given: IssuerConfig, root: Path = Path()) -> AsyncIterator[Issuer]:
    async with Issuer.open(given, project_root=root) as issuer:
        yield issuer


async def test_keys_are_fetched_once_for_many_who_wait(publisher: Any) -> None:
    async with opened(publisher.settings()) as issuer:
        found = await asyncio.gather(*(issuer.key("key of ES256", "ES256") for _ in range(50)))
        assert all(key is not None for key in found)
    assert publisher.asked == 1


async def test_a_new_key_is_found_by_one_more_fetch_and_strangers_cause_no_more(
    publisher: Any, clock: Any, signers: Any
) -> None:
    publisher.keys = [signers["RS256"].jwk()]
    async with opened(publisher.settings(cooldown_s=10)) as issuer:
        assert await issuer.key("key of ES256", "ES256") is None
        asked = publisher.asked
        for number in range(100):
            assert await issuer.key(f"stranger {number}", "RS256") is None
        assert publisher.asked == asked
        clock.move(11)
        publisher.keys = [signers["RS256"].jwk(), signers["ES256"].jwk()]
        assert await issuer.key("key of ES256", "ES256") is not None
        assert publisher.asked == asked + 1
        assert issuer.generation == 2


async def test_old_keys_count_while_the_issuer_is_down_and_no_longer_than_agreed(publisher: Any, clock: Any) -> None:
    async with opened(publisher.settings(refresh_s=60, cooldown_s=1, max_stale_s=600)) as issuer:
        assert await issuer.key("key of ES256", "ES256") is not None
        publisher.status = 500
        for _ in range(5):
            clock.move(100)
            assert await issuer.key("key of ES256", "ES256") is not None
            await asyncio.sleep(0.02)
        assert publisher.asked > 3
        clock.move(101)
        with pytest.raises(KeySetError):
            await issuer.key("key of ES256", "ES256")
        publisher.status = 200
        clock.move(2)
        assert await issuer.key("key of ES256", "ES256") is not None


@pytest.mark.parametrize("body", [b'{"keys": []}', b'{"keys": [{"kty": "oct", "k": "AA"}]}'])
async def test_keys_that_the_issuer_withdrew_count_no_longer(publisher: Any, clock: Any, body: bytes) -> None:
    async with opened(publisher.settings(refresh_s=60, cooldown_s=1, max_stale_s=600)) as issuer:
        assert await issuer.key("key of ES256", "ES256") is not None
        publisher.body = body
        before = issuer.generation
        clock.move(61)
        assert issuer.live
        await asyncio.sleep(0.1)
        assert issuer.generation > before
        with pytest.raises(KeySetError):
            await issuer.key("key of ES256", "ES256")
        publisher.body = None
        clock.move(2)
        assert await issuer.key("key of ES256", "ES256") is not None


@pytest.mark.parametrize(
    "shape", ["500", "redirect", "large", "compressed", "empty", "garbage", "no keys", "many", "list"]
)
async def test_an_issuer_that_misbehaves_lets_nobody_in(publisher: Any, shape: str, caplog: Any) -> None:
    caplog.set_level(logging.WARNING)
    match shape:
        case "500":
            publisher.status = 500
        case "redirect":
            publisher.status, publisher.headers = 302, {"location": publisher.url}
        case "large":
            publisher.body = b" " * 300_000
        case "compressed":
            publisher.headers = {"content-encoding": "deflate"}
        case "many":
            publisher.keys = publisher.keys * 30
        case _:
            publisher.body = {"empty": b"", "garbage": b"{", "no keys": b'{"keys": []}', "list": b"[]"}[shape]
    async with opened(publisher.settings()) as issuer:
        with pytest.raises(KeySetError):
            await issuer.key("key of ES256", "ES256")
    assert publisher.asked == 1
    assert "could not be had" in caplog.text


async def test_an_issuer_that_hangs_is_given_up(clock: Any) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    given_ = IssuerConfig(issuer="i", audience=("a",), jwks_url=f"http://127.0.0.1:{port}/", timeout_s=0.2)
    async with opened(given_) as issuer:
        with pytest.raises(KeySetError):
            await issuer.key(None, "ES256")
        waiting = asyncio.create_task(issuer.key(None, "ES256"))
        clock.move(60)
        await asyncio.sleep(0)
    with pytest.raises((KeySetError, asyncio.CancelledError)):
        await waiting
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.05)


async def test_keys_of_a_file_are_read_again(tmp_path: Path, signers: Any, clock: Any) -> None:
    path = tmp_path / "keys.json"
    given_ = IssuerConfig(issuer="i", audience=("a",), jwks_file="keys.json", refresh_s=60)
    async with opened(given_, tmp_path) as issuer:
        with pytest.raises(KeySetError):
            await issuer.key(None, "ES256")
        path.write_text(json.dumps({"keys": [signers["ES256"].jwk()]}))
        clock.move(61)
        assert await issuer.key(None, "ES256") is not None
        path.write_bytes(b" " * 300_000)
        clock.move(3601)
        with pytest.raises(KeySetError):
            await issuer.key(None, "ES256")


async def test_a_bad_file_of_authorities_is_said_at_once(publisher: Any, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(GatewayError, match="cannot be used"):
        async with opened(publisher.settings(ca_file=str(tmp_path / "ca.pem"))):
            pass


async def test_files_are_relative_to_the_project_and_not_to_whoever_starts_it(
    publisher: Any, tmp_path: Path, signers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    for folder in (project, elsewhere):
        folder.mkdir()
    Authority(project, "ca")
    (elsewhere / "keys.json").write_text(json.dumps({"keys": [signers["ES256"].jwk()]}))
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(elsewhere))
    async with opened(publisher.settings(ca_file="ca.pem"), project) as issuer:
        assert await issuer.key("key of ES256", "ES256") is not None
    vault = VaultConfig(address="https://127.0.0.1:1", token="env:NONE", ca_file="ca.pem")
    async with Secrets.open(SecretsConfig(vault=vault), project_root=project):
        pass
    at_home = IssuerConfig(issuer="https://issuer.example", audience=("gateway",), jwks_file="~/keys.json")
    async with opened(at_home, project) as issuer:
        assert await issuer.key("key of ES256", "ES256") is not None


def usable(*rows: dict[str, object]) -> int:
    try:
        return len(parse_key_set(json.dumps({"keys": rows}).encode()).keys)
    except KeySetError:
        return 0


def test_keys_for_something_else_weak_secret_or_broken_are_left_out(signers: Any) -> None:
    good = signers["RS256"].jwk()
    point = signers["ES256"].jwk()
    edwards = signers["EdDSA"].jwk()
    weak = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n
    for row in (
        {**good, "use": "enc"},
        {**good, "key_ops": ["sign"]},
        {**good, "alg": "RS512"},
        {**good, "alg": "ES256"},
        {**good, "d": "AQAB"},
        {**good, "e": "AQ"},
        {**good, "e": "Aw"},
        {**good, "e": "AQAA"},
        {**good, "n": _number(weak)},
        {**good, "n": _number(2**9000 + 1)},
        {**good, "n": "AQAB="},
        {**good, "n": 5},
        {**good, "n": "é"},
        {**good, "kty": "oct", "k": "c2VjcmV0"},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        {**point, "crv": "P-384"},
        {**point, "y": point["x"]},
        {**point, "x": "AA"},
        {**edwards, "crv": "X25519"},
        {**edwards, "x": "AA"},
        {},
        {"kty": None},
    ):
        assert usable(row) == 0, row
        assert usable(row, edwards) == 1, row
    assert usable(good, point, edwards, {**good, "use": "sig", "key_ops": ["verify"], "alg": "PS256"}) == 4


def test_of_two_keys_with_one_name_neither_counts(signers: Any) -> None:
    twins = [signers["ES256"].jwk(kid="twin"), signers["RS256"].jwk(kid="twin"), signers["PS256"].jwk(kid="twin")]
    found = parse_key_set(json.dumps({"keys": twins}).encode())
    assert found.find("twin", "ES256") is not None
    assert found.find("twin", "RS256") is None
    assert found.find(None, "ES256") is not None
    assert found.find(None, "RS256") is None


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.lists(
        st.dictionaries(
            st.sampled_from(["kty", "kid", "alg", "use", "n", "e", "crv", "x", "y", "key_ops"]),
            st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "sig", "AQAB", "", "=", "A" * 43]) | st.integers(),
        ),
        max_size=4,
    ).map(lambda rows: json.dumps({"keys": rows}).encode())
)
def test_any_body_is_a_key_set_or_refused(body: bytes) -> None:
    try:
        assert parse_key_set(body).keys
    except KeySetError:
        return


def _number(value: int) -> str:
    from base64 import urlsafe_b64encode  # noqa: PLC0415 - a word in a test

    return urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()
