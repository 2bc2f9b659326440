import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lockgate.core.project import open_project
from lockgate.gateway import (
    GatewayError,
    build_guard,
    create,
    open_endpoint,
    read_application,
    revoke,
    run_server,
    serve_app,
    serve_settings,
)
from lockgate.monitor import read_stored


def settings(root: Path, text: str) -> Any:
    root.mkdir(exist_ok=True)
    (root / "lockgate.yaml").write_text(f"version: 1\nproject: p\n{text}")
    return open_project(root)


def openai_upstream(extra: str) -> str:
    return f'serve: {{upstream: {{kind: openai, base_url: "http://127.0.0.1:1/v1", model: m, {extra}}}}}\n'


async def test_a_port_that_is_taken_is_told(start: Callable[..., Any]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(GatewayError, match=f"Port {port} is taken") as caught:
            async with start(port=port):
                pass
    assert "--port" in caught.value.remedy


async def test_a_port_that_does_not_exist_is_told(start: Callable[..., Any]) -> None:
    with pytest.raises(GatewayError, match="cannot be opened"):
        async with start(port=70_000):
            pass


async def test_who_is_cut_off_at_the_end_is_told_and_nothing_else_is_logged(
    start: Callable[..., Any], model: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Queue[str]()

    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        if (await request.json()).get("stream"):
            await response.prepare(request)
            piece = {"choices": [{"index": 0, "delta": {"content": "We open at nine. " * 30}}]}
            await response.write(f"data: {json.dumps(piece)}\n\n".encode())
        asked.put_nowait("here")
        await asyncio.sleep(60)
        return response

    model.reply = reply
    async with start(settings="  drain_s: 0.2\n") as world:
        running = [asyncio.ensure_future(world.chat()), asyncio.ensure_future(world.chat_stream())]
        for _ in running:
            await asyncio.wait_for(asked.get(), 30)
        await asyncio.sleep(0.2)
    (status, answer), (begun, events) = await asyncio.gather(*running)
    assert (status, answer["error"]["code"]) == (503, "shutting_down")
    assert begun == 200
    assert "We open at nine." in events
    last = events.strip().split("\n\n")[-1]
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "shutting_down"
    ours = [record for record in caplog.records if record.name.startswith(("lockgate", "uvicorn"))]
    assert [record.getMessage() for record in ours if record.levelname in {"WARNING", "ERROR"}] == [
        "2 requests were cut off: they took longer than serve.drain_s."
    ]


async def refusal(world: Any, expected: int) -> str:
    """The code of a refusal with this status, which may come a moment after the file of keys changed."""
    for _ in range(200):
        status, _, raw = await world.send("GET", "/v1/models")
        if status == expected:
            return json.loads(raw)["error"]["code"]
        await asyncio.sleep(0.05)
    pytest.fail(f"It was {status} and never {expected}.")


async def test_stored_keys_open_the_door_until_they_are_revoked(start: Callable[..., Any]) -> None:
    async with start(verifier=None) as world:
        status, _, _ = await world.send("GET", "/v1/models")
        assert status == 401
        key_id, world.key = create(world.project, "laptop")
        status, headers, _ = await world.send("GET", "/v1/models")
        assert status == 200
        assert "server" not in headers
        revoke(world.project, key_id)
        assert await refusal(world, 401) == "invalid_api_key"
        (world.project.state / "api-keys.json").write_bytes(b"{")
        assert await refusal(world, 503) == "keys_unavailable"


async def test_the_source_is_what_events_say(start: Callable[..., Any]) -> None:
    async with start(source="redteam") as world:
        await world.chat()
        assert [event.source for event in await world.events()] == ["redteam"]


async def test_requests_in_progress_end_before_the_server_does(start: Callable[..., Any]) -> None:
    async with start() as world:
        answers = await asyncio.gather(*(world.chat() for _ in range(20)))
    assert [status for status, _ in answers] == [200] * 20


_SERVE = """
import sys
from pathlib import Path
from lockgate.core.project import open_project
from lockgate.gateway import create, run_server
project = open_project(Path(sys.argv[1]))
_, key = create(project, "test")
run_server(project, port=0, source="serve", on_ready=lambda running: print(running.base_url, key, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    project = settings(tmp_path / "p", openai_upstream(""))
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(project.root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        assert child.stderr
        base_url, key = child.stdout.readline().split()
        request = urllib.request.Request(f"{base_url}/models", headers={"authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request) as response:
            assert response.status == 200
        child.send_signal(number)
        assert child.wait(10) == 0
        assert child.stdout.read() == "ended\n"
        assert child.stderr.read() == ""
    assert [event.route for event in read_stored(project.state)] == ["/v1/models"]


def test_a_project_without_a_serve_section_is_told(tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="no 'serve' section"):
        serve_settings(settings(tmp_path, ""))
    with pytest.raises(GatewayError, match="no 'serve' section"):
        run_server(settings(tmp_path, ""), port=0, source="serve", on_ready=print)


async def test_a_missing_prompt_stops_the_start(tmp_path: Path) -> None:
    project = settings(tmp_path, "application: {system_prompt: none.md}\n" + openai_upstream(""))
    with pytest.raises(GatewayError, match=r"none\.md"):
        async with serve_app(project):
            pass


@pytest.mark.parametrize(("content", "message"), [(b"\n \n", "is empty"), (b"\xff\n", "not UTF-8")])
def test_protected_values_that_say_nothing_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "values.txt").write_bytes(content)
    project = settings(tmp_path, "application: {protected: values.txt}\n")
    with pytest.raises(GatewayError, match=message):
        read_application(project)


def test_the_application_is_read_once_and_named_by_digest(tmp_path: Path) -> None:
    (tmp_path / "values.txt").write_text("SECRET-VALUE-1\n\nSECRET-VALUE-2\n")
    project = settings(tmp_path, "application: {protected: values.txt}\n")
    application = read_application(project)
    assert application.protected == ("SECRET-VALUE-1", "SECRET-VALUE-2")
    assert [ref.uri for ref in application.refs] == ["values.txt"]
    assert "SECRET" not in repr(application)
    assert build_guard(project).inspect("It is secret-value-2.", "model").text == "It is [PROTECTED]."


async def test_the_upstreams_key_comes_from_the_environment_or_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UP_KEY", " sk-up ")
    async with open_endpoint(settings(tmp_path / "p", openai_upstream("api_key_env: UP_KEY"))) as endpoint:
        assert endpoint.api_key == "sk-up"
        assert "sk-up" not in repr(endpoint)
    (tmp_path / "key").write_text("sk-file\n")
    (tmp_path / "key").chmod(0o600)
    async with open_endpoint(settings(tmp_path / "p", openai_upstream("api_key_file: ../key"))) as endpoint:
        assert endpoint.api_key == "sk-file"
    async with open_endpoint(settings(tmp_path / "p", openai_upstream(""))) as endpoint:
        assert endpoint.api_key == ""


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("api_key_env: NOT_SET_ANYWHERE", "NOT_SET_ANYWHERE is not set"),
        ("api_key_file: inside.key", "inside the project"),
        ("api_key_file: link.key", "inside the project"),
        ("api_key_file: ../none.key", "cannot be read"),
        ("api_key_file: ../open.key", "open to others"),
    ],
)
async def test_an_upstream_key_that_is_not_safe_is_refused(tmp_path: Path, extra: str, message: str) -> None:
    (tmp_path / "open.key").write_text("sk-open")
    (tmp_path / "open.key").chmod(0o644)
    project = settings(tmp_path / "p", openai_upstream(extra))
    (project.root / "inside.key").write_text("sk")
    (project.root / "link.key").symlink_to(project.root / "inside.key")
    with pytest.raises(GatewayError, match=message):
        async with open_endpoint(project):
            pass


async def test_the_upstream_gets_its_own_key_and_never_the_callers(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "http_proxy", "http://127.0.0.1:1")
    async with start() as world:
        status, _ = await world.chat()
        assert status == 200
        assert "Authorization" not in world.model.headers[0]
        assert world.key not in json.dumps(world.model.headers)


async def test_a_model_that_is_not_pinned_is_not_started(tmp_path: Path) -> None:
    project = settings(tmp_path, "serve: {upstream: {kind: embedded, model: m.gguf}}\n")
    with pytest.raises(GatewayError, match="not among the models"):
        async with open_endpoint(project):
            pass
