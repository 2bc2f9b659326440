import asyncio
import json
from contextlib import suppress
from typing import Any

import openai
import pytest

from lockgate.gateway.telemetry import AccessLog, Telemetry, exposition

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/v1/chat/completions"


def body(**fields: object) -> bytes:
    return json.dumps({"model": "assistant", "messages": [{"role": "user", "content": "Hi"}], **fields}).encode()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_value"),
        (b"null", "invalid_value"),
        (b"\xff\xfe{}", "invalid_unicode"),
        ('{"a":1}'.encode("utf-16"), "invalid_unicode"),
        (b'{"model":"assistant","model":"assistant","messages":[{"role":"user","content":"Hi"}]}', "duplicate_key"),
        (b'{"model":"assistant","messages":[{"role":"user","content":"a","content":"b"}]}', "duplicate_key"),
        (b'{"model":"assistant","messages":[{"role":"user","content":"Hi"}],"temperature":NaN}', "invalid_json"),
        (b'{"model":"assistant","messages":[{"role":"user","content":"Hi"}],"temperature":1e999}', "invalid_json"),
        (b'{"model":"assistant","messages":[{"role":"user","content":"\\ud800"}]}', "invalid_unicode"),
        (b"[" * 100_000, "nested_too_deeply"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested_too_deeply"),
        (body() + b" {}", "invalid_json"),
        (body(seed=10**30), "invalid_value"),
        (b'{"seed":' + b"9" * 5000 + b"}", "invalid_json"),
    ],
)
async def test_a_body_with_two_meanings_is_refused(shared_world: Any, raw: bytes, code: str) -> None:
    status, _, answer = await shared_world.send("POST", CHAT, raw)
    assert (status, json.loads(answer)["error"]["code"]) == (400, code)
    assert shared_world.model.bodies == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"guard": False}, "guard"),
        ({"extra_body": {}}, "extra_body"),
        ({"messages": [{"role": "user", "content": "Hi", "cache_control": {}}]}, "messages[0].cache_control"),
        ({"stream_options": {"x": True}}, "stream_options.x"),
        ({"tools": [{"type": "function", "function": {"name": "f", "x": 1}}]}, "tools[0].function.x"),
    ],
)
async def test_a_field_that_the_guard_does_not_read_is_named(
    shared_world: Any, fields: dict[str, object], param: str
) -> None:
    status, answer = await shared_world.chat(**fields)
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "unknown_parameter", param)
    assert shared_world.model.bodies == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages[0]"),
        ({"messages": [{"role": "wizard", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "assistant"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
            "messages[0].content[0].type",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, "messages[0].content[0].type"),
        ({"n": 2}, "n"),
        ({"logit_bias": {"50256": -100}}, "logit_bias"),
        ({"functions": [{"name": "find"}]}, "functions"),
        ({"audio": {"voice": "a"}}, "audio"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 2.5}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"tool_choice": "always"}, "tool_choice"),
        ({"model": 5}, "model"),
    ],
)
async def test_a_value_of_the_wrong_kind_is_named(shared_world: Any, fields: dict[str, object], param: str) -> None:
    status, answer = await shared_world.chat(**fields)
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (400, "invalid_value", param)
    assert shared_world.model.bodies == []


async def test_another_model_is_not_found(shared_world: Any) -> None:
    status, answer = await shared_world.chat(model="gpt-5")
    assert (status, answer["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer lg-00000000000000000000000000000000"},
        {"authorization": "Basic abc"},
        {"authorization": "Bearer  \u00fc"},
    ],
)
@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/v1/models/assistant"])
async def test_without_a_valid_key_there_is_nothing(shared_world: Any, headers: dict[str, str], path: str) -> None:
    method = "POST" if path == CHAT else "GET"
    status, _, answer = await shared_world.send(method, path, body() if method == "POST" else None, headers)
    assert (status, json.loads(answer)["error"]["code"]) == (401, "invalid_api_key")
    assert shared_world.model.bodies == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/chat/completions/", 404),
        ("GET", "//v1/models", 404),
        ("GET", "/v1/embeddings", 405),
        ("POST", "/v1/batches", 404),
        ("POST", "/v1/files", 404),
        ("GET", "/v1/responses/resp_1", 404),
        ("GET", "/v1/models/../../admin", 404),
        ("GET", CHAT, 405),
        ("DELETE", "/v1/models", 405),
        ("POST", "/v1/models/assistant", 405),
        ("POST", "/livez", 405),
    ],
)
async def test_other_addresses_and_methods_are_refused_in_openais_shape(
    shared_world: Any, method: str, path: str, status: int
) -> None:
    got, headers, answer = await shared_world.send(method, path)
    assert got == status
    assert json.loads(answer)["error"].keys() == {"message", "type", "param", "code"}
    assert headers["x-request-id"].startswith("req-")


async def test_health_needs_no_key(shared_world: Any) -> None:
    for path in ("/livez", "/readyz"):
        status, _, answer = await shared_world.send("GET", path, headers={"authorization": ""})
        assert (status, json.loads(answer)) == (200, {"status": "ok"})


async def test_every_response_has_its_own_request_id(shared_world: Any) -> None:
    ids = set()
    for sent in (body(), b"{", body(model="x")):
        _, headers, _ = await shared_world.send("POST", CHAT, sent, {"x-request-id": "mine"})
        ids.add(headers["x-request-id"])
    assert len(ids) == 3
    assert "mine" not in ids


async def test_a_body_that_is_too_large_is_refused(shared_world: Any) -> None:
    status, _, answer = await shared_world.send("POST", CHAT, body(user="x" * 300_000))
    assert (status, json.loads(answer)["error"]["code"]) == (413, "body_too_large")


async def test_who_sends_a_huge_body_in_one_go_is_told_why_it_is_refused(shared_world: Any) -> None:
    async with shared_world.client as ask:
        with pytest.raises(openai.APIStatusError) as refused:
            await ask.embeddings.create(model="assistant", input="x" * 20_000_000)
    assert (refused.value.status_code, refused.value.code) == (413, "body_too_large")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(shared_world.base_url.split(":")[2].split("/")[0]))
    writer.write(
        f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shared_world.key}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
    )
    for _ in range(200):
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    assert b"body_too_large" in await asyncio.wait_for(reader.read(), 5)  # to its end: the connection is closed
    writer.close()


async def test_a_body_that_is_refused_is_not_read_without_end(shared_world: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(shared_world.base_url.split(":")[2].split("/")[0]))
    writer.write(
        f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shared_world.key}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
    )
    sent = 0
    with suppress(ConnectionError):
        while sent < 200 << 20:
            writer.write(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
            await asyncio.wait_for(writer.drain(), 5)
            sent += 1 << 20
    assert 64 << 20 <= sent < 100 << 20
    del reader
    writer.close()


async def test_a_body_that_grows_too_large_is_refused(shared_world: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(shared_world.base_url.split(":")[2].split("/")[0]))
    writer.write(
        f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shared_world.key}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
    )
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    writer.write(chunk * 4)
    await writer.drain()
    assert b"413" in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_a_compressed_body_is_refused(shared_world: Any) -> None:
    status, _, answer = await shared_world.send("POST", CHAT, body(), {"content-encoding": "gzip"})
    assert (status, json.loads(answer)["error"]["code"]) == (400, "invalid_encoding")


@pytest.mark.parametrize(
    "path",
    ["/v1/%6dodels", "/%761/models", "//v1/models", "/v1/./models", "/v1/x/../models", "/V1/models", "/v1/models?x=1"],
)
async def test_an_address_is_written_in_one_way(shared_world: Any, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shared_world.key}\r\nConnection: close\r\n\r\n"
    status, _, _ = await raw_answer(shared_world, head.encode())
    assert status.split()[1] == (b"200" if "?" in path else b"404")


async def test_two_authorization_headers_are_refused(shared_world: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(shared_world.base_url.split(":")[2].split("/")[0]))
    writer.write(
        f"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shared_world.key}\r\n"
        "Authorization: Bearer other\r\n\r\n".encode()
    )
    assert b"401" in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def raw_answer(world: Any, sent: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(world.base_url.split(":")[2].split("/")[0]))
    raw = b""
    with suppress(ConnectionError):  # who is cut off in the middle of sending may see a reset
        writer.write(sent)
        await writer.drain()
        raw = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    if not raw:
        return b"", {}, b""
    head, _, content = raw.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return status, dict(line.split(b": ", 1) for line in lines), content


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
async def test_what_is_no_http_gets_an_error_in_the_same_shape(shared_world: Any, sent: bytes) -> None:
    status, headers, content = await raw_answer(shared_world, sent)
    assert status.startswith(b"HTTP/1.1 400")
    assert json.loads(content)["error"]["code"] == "invalid_http"
    assert headers[b"x-request-id"].startswith(b"req-")


@pytest.mark.parametrize("name", ["one header", "many headers", "the address"])
async def test_a_head_without_end_is_cut_off(shared_world: Any, name: str) -> None:
    filler = {
        "one header": b"GET /livez HTTP/1.1\r\nX: " + b"a" * 300_000,
        "many headers": b"GET /livez HTTP/1.1\r\n" + b"X: a\r\n" * 50_000,
        "the address": b"GET /" + b"a" * 300_000,
    }[name]
    status, _, content = await raw_answer(shared_world, filler)
    if content:
        assert status.startswith(b"HTTP/1.1 431")
        assert json.loads(content)["error"]["code"] == "headers_too_large"
    alive, _, _ = await shared_world.send("GET", "/livez")
    assert alive == 200


async def test_a_connection_may_be_used_again_and_again(shared_world: Any) -> None:
    head = f"Host: x\r\nAuthorization: Bearer {shared_world.key}\r\nX: {'a' * 20_000}\r\n"
    many = f"GET /v1/models HTTP/1.1\r\n{head}\r\n" * 5 + f"GET /v1/models HTTP/1.1\r\n{head}Connection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(shared_world.base_url.split(":")[2].split("/")[0]))
    writer.write(many.encode())
    answered = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert answered.count(b"HTTP/1.1 200") == 6


async def test_refusals_carry_the_headers_that_http_wants(shared_world: Any) -> None:
    _, headers, _ = await shared_world.send("GET", CHAT)
    assert headers["allow"] == "POST, OPTIONS"
    _, headers, _ = await shared_world.send("GET", "/v1/models", headers={"authorization": ""})
    assert headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "begin", [f"POST {CHAT}", "GET /v1/models", "GET /livez", "OPTIONS /v1/models", "GET /nowhere"]
)
async def test_a_second_host_header_is_refused(shared_world: Any, begin: str) -> None:
    sent = body() if begin.startswith("POST") else b""
    head = f"{begin} HTTP/1.1\r\nHost: x\r\nHost: y\r\nAuthorization: Bearer {shared_world.key}\r\n"
    end = f"Connection: close\r\nContent-Length: {len(sent)}\r\n\r\n"
    status, _, answer = await raw_answer(shared_world, (head + end).encode() + sent)
    assert (status.split()[1], json.loads(answer)["error"]["code"]) == (b"400", "duplicate_header")


async def test_what_is_no_http_is_counted_and_logged_like_any_request(
    start: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[bytes] = []
    telemetry = Telemetry(AccessLog("json", lines.append))
    async with start(telemetry=telemetry) as world:
        ids = [(await raw_answer(world, b"no http at all\r\n\r\n"))[1][b"x-request-id"].decode() for _ in range(3)]
        await raw_answer(world, b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000)
    telemetry.close()
    logged = [json.loads(line) for line in b"".join(lines).splitlines()]
    assert [line["id"] for line in logged[:3]] == ids
    assert [(line["route"], line["status"], line["labels"]) for line in logged] == [
        *[("-", 400, ["error.invalid_http"])] * 3,
        ("-", 431, ["error.headers_too_large"]),
    ]
    shown = exposition(telemetry.families()).decode()
    assert 'lockgate_requests_total{route="-",status="400"} 3' in shown
    assert "lockgate_requests_in_flight 0" in shown
    assert capfd.readouterr().err == ""


UPGRADES = ["Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "Upgrade: websocket"]


@pytest.mark.parametrize("upgrade", UPGRADES)
async def test_a_body_behind_an_upgrade_is_refused_with_the_reason(shared_world: Any, upgrade: str) -> None:
    content = body()
    head = f"Host: x\r\nAuthorization: Bearer {shared_world.key}\r\nConnection: Upgrade\r\n{upgrade}\r\n"
    sent = f"POST {CHAT} HTTP/1.1\r\n{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    status, _, answer = await raw_answer(shared_world, sent)
    error = json.loads(answer)["error"]
    assert (status.split()[1], error["code"]) == (b"400", "unsupported_upgrade")
    assert "without 'Upgrade'" in error["message"]


@pytest.mark.parametrize("upgrade", UPGRADES)
async def test_an_upgrade_without_a_body_is_ignored_and_ends_the_connection(shared_world: Any, upgrade: str) -> None:
    head = f"Host: x\r\nAuthorization: Bearer {shared_world.key}\r\nConnection: Upgrade\r\n{upgrade}\r\n"
    status, headers, _ = await raw_answer(shared_world, f"GET /v1/models HTTP/1.1\r\n{head}\r\n".encode())
    assert (status.split()[1], headers[b"connection"]) == (b"200", b"close")
