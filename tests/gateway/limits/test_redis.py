import asyncio
import datetime as dt
import ipaddress
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lockgate.core.config_limits import DistinctPrompts, LimitsConfig, Patience, Price, RateLimit, RedisStore
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import ApiError, GatewayError
from lockgate.gateway.limits import Estimate, Limiter

ALICE, BOB = Caller("key-a", "harbour"), Caller("key-b", "harbour")
SMALL = Estimate(10, 20)
LONG = 1e6


async def outcome(limits: Limiter, caller: Caller = ALICE, estimate: Estimate = SMALL, used: int = -1) -> str:
    try:
        with await limits.admit(caller, "small", estimate) as admission:
            if used >= 0:
                admission.settle(input_tokens=used, output_tokens=0)
            return "degraded" if admission.degraded else "admitted"
    except ApiError as error:
        return error.code


async def test_a_limit_holds_across_gateways(opened: Any):
    rates = (RateLimit(per="tenant", limit=10, every_s=LONG),)
    async with opened(rates=rates) as one, opened(rates=rates) as other:
        found = [await outcome(limits, caller) for limits in (one, other) for caller in (ALICE, BOB) for _ in range(5)]
    assert Counter(found) == {"admitted": 10, "rate_limit_exceeded": 10}


async def test_a_thousand_requests_at_once_never_pass_a_limit(opened: Any):
    async with opened(
        {"timeout_ms": 20_000},
        rates=(RateLimit(per="key", limit=100, every_s=LONG), RateLimit(per="total", limit=130, every_s=LONG)),
    ) as limits:
        callers = [ALICE if number % 2 else BOB for number in range(1_000)]
        limits._slots._per_key = limits._slots._total = 10_000
        found = await asyncio.gather(*(outcome(limits, caller) for caller in callers))
    assert Counter(found) == {"admitted": 130, "rate_limit_exceeded": 870}


async def test_of_several_limits_either_all_count_or_none(opened: Any):
    async with opened(
        rates=(RateLimit(per="total", limit=6, every_s=LONG), RateLimit(per="key", limit=1, every_s=LONG))
    ) as limits:
        assert [await outcome(limits) for _ in range(20)].count("admitted") == 1
        others = [await outcome(limits, Caller(f"key-{number}")) for number in range(7)]
        assert others == ["admitted"] * 5 + ["rate_limit_exceeded"] * 2


async def test_redis_and_memory_decide_alike(opened: Any):
    rates = (
        RateLimit(per="key", limit=40, every_s=LONG, burst=25.0),
        RateLimit(per="tenant", what="tokens", limit=3_000, every_s=LONG),
    )
    alone = Limiter(LimitsConfig(rates=rates))
    async with opened(rates=rates) as shared:
        for step in range(80):
            caller = Caller(f"key-{step * 7 % 3}", f"tenant-{step * 5 % 2}")
            estimate, used = Estimate(step * 13 % 90, step * 29 % 200), step * 17 % 120
            expected = await outcome(alone, caller, estimate, used)
            assert await outcome(shared, caller, estimate, used) == expected


async def test_what_was_held_and_not_used_comes_back(opened: Any, until: Any):
    async with opened(rates=(RateLimit(per="key", what="tokens", limit=100, every_s=LONG),)) as limits:
        with await limits.admit(ALICE, "small", Estimate(50, 50)) as admission:
            assert dict(admission.headers())[b"x-ratelimit-remaining-tokens"] == b"0"
            assert await outcome(limits) == "rate_limit_exceeded"
            admission.settle(input_tokens=10, output_tokens=5)
        with await limits.admit(ALICE, "small", Estimate(1, 0)) as admission:
            assert dict(admission.headers())[b"x-ratelimit-remaining-tokens"] == b"84"


async def test_what_a_dead_gateway_held_counts_as_used(opened: Any, redis: Any):
    async with opened(rates=(RateLimit(per="key", what="tokens", limit=100, every_s=LONG),)) as limits:
        name = "{lockgate}:" + limits._planner.plan(ALICE, "small").entries[0].key
        assert redis.ask("HSET", name, str(int(time.time()) - 5), "80") == b":1\r\n"
        with await limits.admit(ALICE, "small", Estimate(1, 0)) as admission:
            assert dict(admission.headers())[b"x-ratelimit-remaining-tokens"] == b"19"
        assert await outcome(limits, estimate=Estimate(25, 0)) == "rate_limit_exceeded"
        assert b"80" not in redis.ask("HGETALL", name).split(b"\r\n")


async def test_every_key_expires(opened: Any, redis: Any):
    async with opened(
        rates=(RateLimit(per="key", limit=100), RateLimit(per="key", what="tokens", limit=100)),
        distinct_prompts=DistinctPrompts(limit=100),
    ) as limits:
        await outcome(limits, used=5)
        await outcome(limits)
        for limit in limits._planner.plan(ALICE, "small").entries:
            assert 0 < int(redis.ask("TTL", "{lockgate}:" + limit.key)[1:]) < 1_300
        names = [word for word in redis.ask("KEYS", "*distinct*").split(b"\r\n") if b"distinct" in word]
        assert names
        assert all(0 < int(redis.ask("TTL", name.decode())[1:]) <= 4_600 for name in names)


async def test_different_prompts_are_counted_across_gateways(opened: Any):
    fields: dict[str, Any] = {"distinct_prompts": DistinctPrompts(limit=20, every_s=LONG)}
    async with opened(**fields) as one, opened(**fields) as other:
        found = [
            await outcome((one, other)[number % 2], estimate=Estimate(1, 1, b"prompt %d" % number))
            for number in range(40)
        ]
        assert Counter(found) == {"admitted": 20, "rate_limit_exceeded": 20}
        same = [await outcome(one, BOB, Estimate(1, 1, b"same")) for _ in range(40)]
        assert same == ["admitted"] * 40


async def test_while_redis_is_away_nothing_passes_and_when_it_is_back_it_goes_on(
    opened: Any, redis: Any, until: Any, caplog: pytest.LogCaptureFixture
):
    """Redis is killed in the middle of a load; what it had acknowledged still counts afterwards."""
    async with opened(rates=(RateLimit(per="key", limit=5_000, every_s=LONG),)) as limits:
        found: Counter[str] = Counter()
        slowest = 0.0

        async def load(seconds: float) -> None:
            nonlocal slowest
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                started = time.monotonic()
                found[await outcome(limits)] += 1
                slowest = max(slowest, time.monotonic() - started)
                await asyncio.sleep(0.002)

        async def trouble() -> None:
            await asyncio.sleep(0.3)
            redis.kill()

        await asyncio.gather(trouble(), *(load(0.8) for _ in range(10)))
        assert found["admitted"] > 0
        assert found["limits_unavailable"] > 0
        assert set(found) == {"admitted", "limits_unavailable"}
        assert slowest < 1.0
        assert not limits.healthy
        assert "broke off" in caplog.text
        redis.start()
        await until(lambda: limits.healthy)
        with await limits.admit(ALICE, "small", SMALL) as admission:
            left = int(dict(admission.headers())[b"x-ratelimit-remaining-requests"])
        # A request that Redis counted just before it died may have been refused; none was admitted without a count.
        assert left <= 5_000 - 1 - found["admitted"]


async def test_where_the_settings_say_so_each_process_counts_alone_and_says_it(
    opened: Any, redis: Any, until: Any, caplog: pytest.LogCaptureFixture
):
    async with opened({"when_down": "memory"}, rates=(RateLimit(per="key", limit=3, every_s=LONG),)) as limits:
        assert await outcome(limits) == "admitted"
        redis.kill()
        await until(lambda: not limits.healthy)
        with await limits.admit(ALICE, "small", SMALL) as admission:
            assert dict(admission.headers())[b"x-lockgate-limits"] == b"degraded"
        assert [await outcome(limits) for _ in range(3)] == ["degraded", "degraded", "rate_limit_exceeded"]
        assert limits.degraded
        assert caplog.text.count("counts limits alone") == 1
        redis.start()
        await until(lambda: limits.healthy)
        assert [await outcome(limits) for _ in range(3)] == ["admitted", "admitted", "rate_limit_exceeded"]
        assert not limits.degraded
        assert "Redis is back" in caplog.text


async def test_a_redis_that_hangs_is_given_up_in_time(opened: Any, redis: Any, until: Any):
    async with opened({"timeout_ms": 100}, rates=(RateLimit(per="key", limit=30, every_s=LONG),)) as limits:
        assert await outcome(limits) == "admitted"
        redis.stop()
        started = time.monotonic()
        found = await asyncio.gather(*(outcome(limits) for _ in range(20)))
        assert set(found) == {"limits_unavailable"}
        assert time.monotonic() - started < 1.0
        redis.go_on()
        await until(lambda: limits.healthy)
        assert await outcome(limits, BOB) == "admitted"


async def test_a_reply_that_came_while_this_process_stood_still_counts(opened: Any):
    async with opened({"timeout_ms": 100}, rates=(RateLimit(per="key", limit=30, every_s=LONG),)) as limits:
        task = asyncio.create_task(outcome(limits))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - the point
        assert await task == "admitted"
        assert limits.healthy


async def test_a_caller_who_leaves_while_redis_is_asked_leaves_nothing_behind(opened: Any, redis: Any):
    async with opened(rates=(RateLimit(per="key", what="tokens", limit=1_000, every_s=LONG),)) as limits:
        redis.stop()
        task = asyncio.create_task(outcome(limits))
        await asyncio.sleep(0.05)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        redis.go_on()
        assert await outcome(limits) == "admitted"


async def test_forgotten_scripts_are_sent_again(opened: Any, redis: Any, until: Any):
    async with opened(rates=(RateLimit(per="key", what="tokens", limit=100, every_s=LONG),)) as limits:
        redis.ask("SCRIPT", "FLUSH")
        assert await outcome(limits, estimate=Estimate(40, 0), used=10) == "admitted"
        await until(lambda: limits._redis is not None and limits._redis.unsettled == 1)
        await asyncio.sleep(0.05)
        assert await outcome(limits, estimate=Estimate(60, 0), used=0) == "admitted"
        assert await outcome(limits, estimate=Estimate(60, 0), used=0) == "admitted"


async def test_settling_while_redis_is_away_counts_in_full(opened: Any, redis: Any, until: Any):
    async with opened(rates=(RateLimit(per="key", what="tokens", limit=100, every_s=LONG),)) as limits:
        with await limits.admit(ALICE, "small", Estimate(90, 0)) as admission:
            redis.kill()
            await until(lambda: not limits.healthy)
            admission.settle(input_tokens=1, output_tokens=0)
        assert limits._redis.unsettled == 1
        redis.start()
        await until(lambda: limits.healthy)
        assert await outcome(limits) == "rate_limit_exceeded"


async def test_settling_on_a_connection_that_just_ended_counts_in_full(opened: Any):
    async with opened(rates=(RateLimit(per="key", what="tokens", limit=100, every_s=LONG),)) as limits:
        with await limits.admit(ALICE, "small", Estimate(90, 0)):
            limits._redis._link.close()
            await asyncio.sleep(0)
        assert limits._redis.unsettled == 1


async def test_a_request_larger_than_a_limit_and_a_model_without_a_price_are_told(opened: Any):
    rates = (RateLimit(per="key", what="spend", limit=1.0, every_s=LONG),)
    async with opened(rates=rates, prices={"small": Price(input=100, output=100)}) as limits:
        assert await outcome(limits, estimate=Estimate(10_001, 0)) == "request_exceeds_limit"
        with pytest.raises(ApiError) as caught:
            await limits.admit(ALICE, "other", SMALL)
        assert caught.value.code == "limits_unavailable"
        with pytest.raises(GatewayError, match="patience cannot change"):
            limits.reload(LimitsConfig(store=limits._settings.store, patience=Patience(stream_s=5)))


def test_settings_that_name_redis_are_not_counted_elsewhere_unsaid():
    with pytest.raises(GatewayError, match="count use in Redis"):
        Limiter(LimitsConfig(store=RedisStore(url="redis://localhost")))


async def test_a_redis_that_refuses_to_write_lets_nothing_pass(
    opened: Any, redis: Any, caplog: pytest.LogCaptureFixture
):
    async with opened(rates=(RateLimit(per="key", limit=100),)) as limits:
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        assert await outcome(limits) == "limits_unavailable"
        assert "OOM" in caplog.text
        redis.ask("CONFIG", "SET", "maxmemory", "0")
        assert await outcome(limits) == "admitted"


async def test_a_redis_that_lost_its_data_is_told(
    opened: Any, redis: Any, until: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with opened(rates=(RateLimit(per="key", limit=100),)) as limits:
        redis.ask("FLUSHALL")
        redis.ask("CLIENT", "KILL", "TYPE", "normal")
        await until(lambda: "lost its data" in caplog.text)
        await until(lambda: limits.healthy)


async def test_a_redis_that_lost_its_data_behind_a_standing_connection_is_told(
    opened: Any, redis: Any, until: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("lockgate.gateway.limits.redis_meters._LOOK_S", 0.05)
    async with opened(rates=(RateLimit(per="key", limit=100),)) as limits:
        redis.ask("FLUSHALL")
        await until(lambda: "lost its data" in caplog.text)
        assert limits.healthy
        assert await outcome(limits) == "admitted"
    assert "broke off" not in caplog.text


async def test_a_redis_that_may_drop_counters_is_told(opened: Any, redis: Any, caplog: pytest.LogCaptureFixture):
    redis.ask("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
    async with opened(rates=(RateLimit(per="key", limit=100),)):
        assert "drop counters" not in caplog.text  # there is no bound at which it would
    redis.ask("CONFIG", "SET", "maxmemory", "100mb")
    async with opened(rates=(RateLimit(per="key", limit=100),)) as limits:
        assert "drop counters to make room (maxmemory-policy volatile-lru)" in caplog.text
        assert await outcome(limits) == "admitted"


async def test_a_limiter_opens_before_its_redis(open_at: Any, redis_with: Any, until: Any, tmp_path: Path):
    server = redis_with()
    settings = LimitsConfig(store=RedisStore(url=server.url), rates=(RateLimit(per="key", limit=9),))
    async with open_at(settings, tmp_path) as limits:
        assert not limits.healthy
        assert await outcome(limits) == "limits_unavailable"
        server.start()
        await until(lambda: limits.healthy)
        assert await outcome(limits) == "admitted"


async def test_something_that_is_no_redis_lets_nothing_pass(open_at: Any, tmp_path: Path, until: Any):
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read(10)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = LimitsConfig(store=RedisStore(url=f"redis://127.0.0.1:{port}"), rates=(RateLimit(per="key", limit=9),))
    async with server, open_at(settings, tmp_path) as limits:
        for _ in range(5):
            assert await outcome(limits) == "limits_unavailable"
            await asyncio.sleep(0.02)


PASSWORD = "tide-table-9917"


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis of a test")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "redis.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "redis.key").write_bytes(private)


@pytest.fixture
def secured(redis_with: Callable[..., Any], tmp_path: Path) -> Any:
    """A server that wants TLS, a password and a database."""
    certificate(tmp_path)
    server = redis_with("--port", "0", "--requirepass", PASSWORD, "--tls-auth-clients", "no")
    files = {"--tls-cert-file": "redis.crt", "--tls-key-file": "redis.key", "--tls-ca-cert-file": "redis.crt"}
    for option, name in files.items():
        server._command += [option, str(tmp_path / name)]
    server._command += ["--tls-port", str(server.port)]
    server.start()
    return server


async def test_tls_a_password_from_a_file_and_a_database(open_at: Any, secured: Any, tmp_path: Path):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    store = RedisStore(
        url=f"rediss://127.0.0.1:{secured.port}/3", ca_file=str(tmp_path / "redis.crt"), password=f"file:{secret}"
    )
    settings = LimitsConfig(store=store, rates=(RateLimit(per="key", limit=1, every_s=LONG),))
    async with open_at(settings, tmp_path / "project") as limits:
        assert [await outcome(limits) for _ in range(2)] == ["admitted", "rate_limit_exceeded"]


async def test_a_certificate_that_nobody_vouches_for_and_a_wrong_password_are_refused(
    open_at: Any, secured: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("REDIS_PASSWORD", "wrong-" + PASSWORD)
    url = f"rediss://127.0.0.1:{secured.port}"
    trusted = RedisStore(url=url, ca_file=str(tmp_path / "redis.crt"), password="env:REDIS_PASSWORD")
    stranger = RedisStore(url=url, password="env:REDIS_PASSWORD")
    for store, expected in ((stranger, "SSLCertVerificationError"), (trusted, "WRONGPASS")):
        settings = LimitsConfig(store=store, rates=(RateLimit(per="key", limit=1),))
        async with open_at(settings, tmp_path) as limits:
            assert await outcome(limits) == "limits_unavailable"
        assert expected in caplog.text
    assert PASSWORD not in caplog.text


async def test_a_socket_and_a_named_user(
    open_at: Any, redis_with: Callable[..., Any], tmp_path: Path, monkeypatch: Any
):
    server = redis_with()
    path = tmp_path / "r.sock"
    server._command += ["--unixsocket", str(path), "--user", "gateway", "on", f">{PASSWORD}", "~*", "+@all"]
    server.start()
    monkeypatch.setenv("REDIS_PASSWORD", PASSWORD)
    store = RedisStore(url=f"unix://{path}", username="gateway", password="env:REDIS_PASSWORD")
    async with open_at(LimitsConfig(store=store), tmp_path) as limits:
        assert limits.healthy
        assert await outcome(limits) == "admitted"


async def test_what_cannot_be_an_address_or_a_password_is_told_at_the_start(open_at: Any, tmp_path: Path):
    (tmp_path / "inside").write_text(PASSWORD)
    cases = {
        "lies inside the project": {"password": "file:inside"},
        "is not set": {"password": "env:LOCKGATE_NO_SUCH_VARIABLE"},
        "missing.pem cannot be read": {"url": "rediss://localhost", "ca_file": "missing.pem"},
        "port": {"url": "redis://localhost:99999"},
    }
    for expected, fields in cases.items():
        store = RedisStore(**({"url": "redis://localhost"} | fields))
        with pytest.raises(GatewayError) as caught:
            async with open_at(LimitsConfig(store=store), tmp_path):
                pass
        assert expected in str(caught.value)
        assert PASSWORD not in str(caught.value)
