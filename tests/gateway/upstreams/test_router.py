import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lockgate.core.config import ServeConfig
from lockgate.core.config_auth import SecretsConfig
from lockgate.gateway import ApiError, GatewayError
from lockgate.gateway.secrets import Secrets
from lockgate.gateway.upstreams import Router, build_router, check_upstreams, open_router

BODY = b'{"model":"first-model","messages":[{"role":"user","content":"Hi"}],"temperature":0.25}'
PIECE = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'


def answer(text: str = "Hi") -> bytes:
    message = {"role": "assistant", "content": text}
    return http(json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))


def http(body: str, status: str = "200 OK", kind: str = "application/json", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body.encode())}\r\n{extra}\r\n{body}"
    return head.encode()


class Scripted:
    """A server that answers with what it is told, in this order; the last answer repeats."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.url = ""
        self.hold = asyncio.Event()
        self.hold.set()
        self.connections = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                line, *fields = head.strip().split("\r\n")
                headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.append((line, headers, json.loads(body)))
                await self.hold.wait()
                writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[Scripted]:
    fake = Scripted(*answers)
    server = await asyncio.start_server(fake.handle, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield fake
    server.close()


class Seen:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.tries: list[tuple[str, str]] = []

    def call_ended(self, upstream: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.calls.append((upstream, outcome))

    def second_try(self, upstream: str, kind: str) -> None:
        self.tries.append((upstream, kind))


def upstream(fake: Scripted | str, **fields: Any) -> dict[str, Any]:
    url = fake if isinstance(fake, str) else f"{fake.url}/v1"
    return {"kind": "openai", "base_url": url, "model": "first-model", **fields}


@asynccontextmanager
async def routed(
    upstreams: dict[str, dict[str, Any]],
    root: Path,
    *,
    models: dict[str, Any] | None = None,
    retries: dict[str, Any] | None = None,
    seen: Seen | None = None,
) -> AsyncIterator[Router]:
    routes = models or {"assistant": [{"upstream": name} for name in upstreams]}
    fast = {"backoff_s": 0.01} | (retries or {})
    serve = msgspec.convert({"upstreams": upstreams, "models": routes, "retries": fast, "timeout_s": 1}, ServeConfig)
    async with open_router(serve, project_root=root, endpoints={}, observer=seen) as router:
        yield router


async def code(router: Router, alias: str | None = None) -> str:
    with pytest.raises(ApiError) as caught:
        await router.complete(BODY, alias=alias)
    return f"{caught.value.status} {caught.value.code}"


async def text(router: Router, alias: str | None = None) -> str | None:
    message = (await router.complete(BODY, alias=alias)).choices[0].message
    return message.content if message else None


async def drain(router: Router, got: list[object]) -> None:
    async with router.stream(BODY) as chunks:
        async for chunk in chunks:
            got.append(chunk)  # noqa: PERF401 - what came before the fault counts


DEAD = "http://127.0.0.1:1/v1"


async def test_an_alias_chooses_upstream_and_model_and_nothing_else_changes(tmp_path: Path) -> None:
    async with scripted(answer("one")) as one, scripted(answer("two")) as two:
        models = {
            "assistant": [{"upstream": "one"}],
            "small": [{"upstream": "two", "model": "tiny"}],
        }
        async with routed({"one": upstream(one), "two": upstream(two)}, tmp_path, models=models) as router:
            assert router.aliases == ("assistant", "small")
            assert router.model == "first-model"
            assert [await text(router), await text(router, "small")] == ["one", "two"]
            assert await code(router, "none") == "404 model_not_found"
    assert one.requests[0][2] == json.loads(BODY)
    assert two.requests[0][2] == json.loads(BODY) | {"model": "tiny"}
    assert one.requests[0][0] == "POST /v1/chat/completions HTTP/1.1"


@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        (http("{}", "502 Bad Gateway"), "overloaded"),
        (http("{}", "503 Busy"), "overloaded"),
        (http("{}", "504 Slow"), "overloaded"),
        (http("{}", "429 Slow down", extra="retry-after: 9999\r\n"), "limited"),
        (http("{}", "429 Slow down"), "limited"),
    ],
)
async def test_the_next_upstream_answers_where_the_first_did_no_work(
    tmp_path: Path, first: bytes, outcome: str
) -> None:
    seen = Seen()
    async with scripted(first) as bad, scripted(answer("spare")) as spare:
        places = {"bad": upstream(bad), "spare": upstream(spare, model="other")}
        async with routed(places, tmp_path, seen=seen) as router:
            assert await text(router) == "spare"
    assert ("bad", outcome) in seen.calls
    assert seen.tries[-1] == ("spare", "fallback")
    assert spare.requests[0][2]["model"] == "other"


async def test_an_upstream_that_is_not_there_is_passed_over_and_then_left_alone(tmp_path: Path) -> None:
    seen = Seen()
    async with scripted(answer()) as spare:
        places = {"dead": upstream(DEAD, breaker={"failures": 2, "open_s": 60}), "spare": upstream(spare)}
        async with routed(places, tmp_path, seen=seen, retries={"attempts": 0}) as router:
            for _ in range(4):
                assert await text(router) == "Hi"
            assert {state.name: state.circuit for state in router.states} == {"dead": "open", "spare": "closed"}
    dead = [outcome for name, outcome in seen.calls if name == "dead"]
    assert dead == ["unreachable", "unreachable", "circuit_open", "circuit_open"]


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "404 None", "500 Oops", "302 Elsewhere"])
async def test_what_may_have_done_work_or_would_fail_again_is_not_tried_again(tmp_path: Path, status: str) -> None:
    async with (
        scripted(http("{}", status)) as bad,
        scripted(answer()) as spare,
        routed({"bad": upstream(bad), "spare": upstream(spare)}, tmp_path) as router,
    ):
        assert (await code(router)).split()[0] in {"400", "502"}
    assert len(bad.requests) == 1
    assert spare.requests == []


async def test_a_timeout_is_not_tried_again(tmp_path: Path) -> None:
    async with scripted(answer()) as slow, scripted(answer()) as spare:
        slow.hold.clear()
        places = {"slow": upstream(slow, timeouts={"read_s": 0.1}), "spare": upstream(spare)}
        async with routed(places, tmp_path) as router:
            assert await code(router) == "504 upstream_timeout"
            assert router.in_flight == 0
        slow.hold.set()
    assert spare.requests == []


async def test_a_limit_that_names_its_time_is_waited_for(tmp_path: Path) -> None:
    limited = http("{}", "429 Slow down", extra="retry-after: 0\r\n")
    seen = Seen()
    async with scripted(limited, answer()) as fake, routed({"one": upstream(fake)}, tmp_path, seen=seen) as router:
        assert await text(router) == "Hi"
    assert seen.tries == [("one", "retry")]


async def test_second_tries_stop_when_their_budget_is_spent(tmp_path: Path) -> None:
    seen = Seen()
    places = {"one": None}
    async with scripted(http("{}", "503 Busy")) as fake:
        places = {"one": upstream(fake, breaker={"failures": 1000, "window": 1000})}
        async with routed(places, tmp_path, seen=seen, retries={"burst": 3, "share": 0.0}) as router:
            for _ in range(10):
                assert await code(router) == "502 bad_upstream"
    assert len(fake.requests) == 13
    assert [kind for _, kind in seen.tries].count("retry") == 3
    assert [kind for _, kind in seen.tries].count("refused") == 7


async def test_a_stream_is_never_begun_twice(tmp_path: Path) -> None:
    cut = http(PIECE, kind="text/event-stream")
    async with (
        scripted(cut) as fake,
        scripted(cut) as spare,
        routed({"one": upstream(fake), "spare": upstream(spare)}, tmp_path) as router,
    ):
        got: list[object] = []
        with pytest.raises(ApiError, match="broke off"):
            await drain(router, got)
        assert router.in_flight == 0
    assert len(got) == 1
    assert spare.requests == []


async def test_a_stream_that_does_not_begin_falls_back(tmp_path: Path) -> None:
    whole = http(PIECE + "data: [DONE]\n\n", kind="text/event-stream; charset=utf-8")
    async with (
        scripted(http("{}", "503 Busy")) as fake,
        scripted(whole) as spare,
        routed({"one": upstream(fake), "spare": upstream(spare)}, tmp_path) as router,
        router.stream(BODY) as chunks,
    ):
        assert len([chunk async for chunk in chunks]) == 1


async def test_a_full_pool_refuses_and_a_caller_who_leaves_frees_its_place(tmp_path: Path) -> None:
    async with scripted(answer()) as fake, routed({"one": upstream(fake, connections=1)}, tmp_path) as router:
        fake.hold.clear()
        running = [asyncio.ensure_future(router.complete(BODY)) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert await code(router) == "503 upstream_busy"
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        assert router.in_flight == 0
        fake.hold.set()
        assert await text(router) == "Hi"


async def test_waiting_in_vain_for_a_place_is_no_fault_of_the_upstream(tmp_path: Path) -> None:
    seen = Seen()
    async with scripted(answer()) as fake, scripted(answer("spare")) as spare:
        busy = upstream(fake, connections=1, timeouts={"connect_s": 0.1}, breaker={"failures": 1, "open_s": 60})
        places = {"one": busy, "spare": upstream(spare)}
        models = {"assistant": [{"upstream": "one"}], "both": [{"upstream": "one"}, {"upstream": "spare"}]}
        async with routed(places, tmp_path, models=models, seen=seen) as router:
            fake.hold.clear()
            running = asyncio.ensure_future(router.complete(BODY))
            await asyncio.sleep(0.05)
            assert await code(router) == "503 upstream_busy"
            assert await text(router, "both") == "spare"
            assert router.states[0].circuit == "closed"
            fake.hold.set()
            await running
            assert await text(router) == "Hi"
    assert [outcome for name, outcome in seen.calls if name == "one"] == ["busy", "busy", "ok", "ok"]
    assert seen.tries == []


@pytest.mark.parametrize(
    ("status", "named", "told"), [("503 Busy", "30", 30), ("529 Busy", "2.5", 3), ("503 Busy", "", 0)]
)
async def test_when_to_come_again_is_passed_on(tmp_path: Path, status: str, named: str, told: int) -> None:
    extra = f"retry-after: {named}\r\n" if named else ""
    async with (
        scripted(http("{}", status, extra=extra)) as fake,
        routed({"one": upstream(fake)}, tmp_path) as router,
    ):
        with pytest.raises(ApiError) as caught:
            await router.complete(BODY)
    assert (caught.value.code, caught.value.retry_after_s) == ("bad_upstream", told)


async def test_an_open_circuit_tries_again_after_its_rest(tmp_path: Path) -> None:
    async with scripted(http("{}", "500 Oops"), answer()) as fake:
        places = {"one": upstream(fake, breaker={"failures": 1, "open_s": 0.05})}
        async with routed(places, tmp_path, retries={"attempts": 0}) as router:
            assert await code(router) == "502 bad_upstream"
            assert await code(router) == "503 upstream_unavailable"
            await asyncio.sleep(0.06)
            assert await text(router) == "Hi"
            assert router.states[0].circuit == "closed"


BOMB = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b"
)
HOSTILE = {
    "redirect": http("", "307 Elsewhere", extra="location: http://169.254.169.254/\r\n"),
    "gzip": BOMB,
    "html": http("<html>", kind="text/html"),
    "lying length": http("{}").replace(b"content-length: 2", b"content-length: 99"),
    "negative length": http("{}").replace(b"content-length: 2", b"content-length: -1"),
    "two lengths": http("{}", extra="content-length: 7\r\n"),
    "garbage": b"\x00\xff\x00\xff\r\n\r\n",
    "nul header": http("{}", extra="x: a\x00b\r\n"),
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000,
}


@pytest.mark.parametrize("name", list(HOSTILE))
async def test_a_hostile_answer_is_an_error_and_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    async with scripted(HOSTILE[name], answer()) as fake:
        places = {"one": upstream(fake, timeouts={"read_s": 0.3})}
        async with routed(places, tmp_path) as router:
            assert (await code(router)).split()[0] in {"502", "504"}
            assert router.in_flight == 0
            assert await text(router) == "Hi"


async def test_an_endless_body_is_cut_off(tmp_path: Path) -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with routed({"one": upstream(url)}, tmp_path) as router:
        with pytest.raises(ApiError, match="more than"):
            await router.complete(BODY)
        assert router.in_flight == 0
    server.close()


async def test_other_interfaces_pass_whole_documents_and_events(tmp_path: Path) -> None:
    document = {"object": "list", "data": [{"index": 0, "embedding": [0.5]}]}
    events = http('data: {"a":1}\n\ndata: [DONE]\n\n', kind="text/event-stream")
    async with (
        scripted(http(json.dumps(document)), http("[]"), events) as fake,
        routed({"one": upstream(fake)}, tmp_path) as router,
    ):
        async with router.exchange("embeddings", b'{"model":"m","input":"x"}', alias="assistant") as content:
            assert json.loads(content) == document
        with pytest.raises(ApiError, match="more than 1 bytes"):
            async with router.exchange("embeddings", BODY, most=1):
                pass
        async with router.events("completions", BODY) as data:
            assert [item async for item in data] == ['{"a":1}']
    assert [line.split()[1] for line, _, _ in fake.requests] == ["/v1/embeddings", "/v1/embeddings", "/v1/completions"]
    assert fake.requests[0][2]["model"] == "first-model"


async def test_azure_is_asked_by_deployment_with_its_own_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_KEY", "az-1")
    async with scripted(answer()) as fake:
        place = {
            "kind": "azure",
            "base_url": fake.url,
            "model": "gpt prod",
            "api_version": "2024-10-21",
            "api_key_env": "AZURE_KEY",
        }
        async with routed({"azure": place}, tmp_path) as router:
            assert await text(router, "assistant") == "Hi"
            assert router.provider() == "azure.ai.openai"
    line, headers, _ = fake.requests[0]
    assert line.split()[1] == "/openai/deployments/gpt%20prod/chat/completions?api-version=2024-10-21"
    assert headers["api-key"] == "az-1"
    assert "authorization" not in headers


async def test_a_key_may_come_from_a_secret_store(tmp_path: Path) -> None:
    serve = msgspec.convert({"upstream": upstream(DEAD, api_key_ref="vault:kv/openai#key")}, ServeConfig)
    with pytest.raises(GatewayError, match="no secret store"):
        async with open_router(serve, project_root=tmp_path, endpoints={}):
            pass
    async with scripted(answer()) as fake:
        serve = msgspec.convert({"upstream": upstream(fake, api_key_ref="vault:kv/openai#key")}, ServeConfig)
        looked_up: list[str] = []
        resolve: Callable[[str], str] = lambda reference: looked_up.append(reference) or "sk-kept"  # noqa: E731
        async with open_router(serve, project_root=tmp_path, endpoints={}, resolve=resolve) as router:
            assert await text(router) == "Hi"
    assert set(looked_up) == {"vault:kv/openai#key"}
    assert fake.requests[0][1]["authorization"] == "Bearer sk-kept"


async def test_a_key_that_was_refused_is_looked_up_anew(tmp_path: Path) -> None:
    place = tmp_path / "key"
    place.touch(0o600)
    place.write_text("sk-old")
    reference = f"file:{place}"
    root = tmp_path / "project"
    async with scripted(answer(), http("{}", "401 Unauthorized"), answer()) as fake:
        serve = msgspec.convert({"upstream": upstream(fake, api_key_ref=reference)}, ServeConfig)
        async with Secrets.open(SecretsConfig(), project_root=root) as secrets:
            router = build_router(serve, project_root=root, endpoints={}, resolve=lambda _: "sk-old", secrets=secrets)
            assert await text(router) == "Hi"
            place.write_text("sk-new")
            assert await code(router) == "502 bad_upstream"
            assert await text(router) == "Hi"
            await router.close()
    assert [headers["authorization"] for _, headers, _ in fake.requests] == [
        "Bearer sk-old",
        "Bearer sk-old",
        "Bearer sk-new",
    ]


@pytest.mark.parametrize("key", ["", " \n", "one\ntwo", "sk-\x01", "sk-\u00e9"])
@pytest.mark.parametrize("kind", ["env", "file", "ref"])
def test_a_key_that_no_header_could_carry_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, key: str
) -> None:
    monkeypatch.setenv("TEST_KEY", key)
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text(key, encoding="utf-8")
    named = {"env": "TEST_KEY", "file": str(path), "ref": "vault:a#b"}[kind]
    serve = msgspec.convert({"upstream": upstream(DEAD, **{f"api_key_{kind}": named})}, ServeConfig)
    with pytest.raises(GatewayError) as caught:
        check_upstreams(serve, project_root=tmp_path / "project", resolve=lambda _: key)
    assert not key.strip() or key not in str(caught.value)


async def test_of_long_documents_two_are_in_memory_at_a_time(tmp_path: Path) -> None:
    long = http(json.dumps("x" * (9 << 20)))
    inside, most, two, leave = 0, 0, asyncio.Event(), asyncio.Event()

    async with scripted(long) as fake, routed({"one": upstream(fake)}, tmp_path) as router:

        async def ask() -> None:
            nonlocal inside, most
            async with router.exchange("embeddings", BODY, most=16 << 20) as content:
                assert len(content) > 9 << 20
                inside += 1
                most = max(most, inside)
                if inside == 2:
                    two.set()
                await leave.wait()
                inside -= 1

        asking = [asyncio.create_task(ask()) for _ in range(4)]
        await two.wait()
        await asyncio.sleep(0.2)
        leave.set()
        await asyncio.gather(*asking)
        assert most == 2
