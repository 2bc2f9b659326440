"""The gateway, Redis or the upstream is killed under load: it recovers by itself, and what was acknowledged stays."""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lockgate.monitor.store import read_stored

SERVE = """
import sys
from pathlib import Path
from lockgate.core.project import open_project
from lockgate.gateway import create, run_server
project = open_project(Path(sys.argv[1]))
_, key = create(project, "test")
run_server(project, port=0, source="serve", on_ready=lambda it: print(it.base_url, key, flush=True))
"""
UPSTREAM = """
import sys
from aiohttp import web
async def answer(request):
    await request.read()
    message = {"role": "assistant", "content": "Hello."}
    return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
app = web.Application()
app.router.add_post("/v1/chat/completions", answer)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""
BODY = {"model": "assistant", "messages": [{"role": "user", "content": "Hello"}]}
ON_FILE_S = 1.0


class Child:
    """A gateway in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, base_url: str, key: str) -> None:
        self.process, self.base_url, self.key = process, base_url, key

    async def ask(self, session: aiohttp.ClientSession) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {self.key}"}
        async with session.post(f"{self.base_url}/chat/completions", json=BODY, headers=headers) as response:
            await response.read()
            return response.status, response.headers["x-request-id"]

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


def write(root: Path, upstream: str) -> None:
    root.mkdir(exist_ok=True)
    (root / "lockgate.yaml").write_text(
        f'version: 1\nproject: p\nserve:\n  upstream: {{kind: openai, base_url: "{upstream}", model: m}}\n'
    )


async def gateway(root: Path, upstream: str) -> Child:
    write(root, upstream)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, str(root), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    base_url, key = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().split()
    return Child(process, base_url, key)


async def test_a_killed_gateway_loses_no_event_that_was_acknowledged(tmp_path: Path, model: Any) -> None:
    root = tmp_path / "project"
    child = await gateway(root, model.base_url)
    answered: dict[str, float] = {}
    first = asyncio.Event()

    async def load(session: aiohttp.ClientSession) -> None:
        while True:
            try:
                status, request_id = await child.ask(session)
            except aiohttp.ClientError:
                return
            assert status == 200
            answered[request_id] = time.monotonic()
            first.set()

    async with aiohttp.ClientSession() as session:
        clients = [asyncio.ensure_future(load(session)) for _ in range(8)]
        await first.wait()  # it waits for models
        await asyncio.sleep(2 * ON_FILE_S)
        killed = time.monotonic()
        await child.kill()
        await asyncio.gather(*clients)
        stored = {event.id for event in read_stored(root / ".lockgate")}
        acknowledged = {name for name, at in answered.items() if at < killed - ON_FILE_S}
        assert len(acknowledged) > 20
        assert acknowledged <= stored
        again = await gateway(root, model.base_url)
        assert (await again.ask(session))[0] == 200
        await again.kill()
    assert len(read_stored(root / ".lockgate")) >= len(stored)


async def test_a_killed_upstream_is_an_error_until_it_is_back(tmp_path: Path, start: Callable[..., Any]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    async def upstream() -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", UPSTREAM, str(port), env=dict(os.environ))
        for _ in range(1_000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return process
            await asyncio.sleep(0.02)
        pytest.fail("The upstream did not start.")

    process = await upstream()
    async with start(base_url=f"http://127.0.0.1:{port}/v1") as world:
        clients = [asyncio.ensure_future(_statuses(world, 20)) for _ in range(4)]
        await asyncio.sleep(0.05)
        process.kill()
        await process.wait()
        seen = set[int]().union(*await asyncio.gather(*clients))
        assert seen <= {200, 502, 503}
        assert (await world.chat())[0] in {502, 503}
        process = await upstream()
        await _until(world, lambda status: status == 200)
    process.kill()
    await process.wait()


async def _until(world: Any, holds: Callable[[int], bool]) -> None:
    for _ in range(300):
        if holds((await world.chat())[0]):
            return
        await asyncio.sleep(0.05)
    pytest.fail("It did not recover.")


async def _statuses(world: Any, count: int) -> set[int]:
    return {(await world.chat())[0] for _ in range(count)}


async def test_a_killed_redis_refuses_until_it_is_back_and_remembers(redis: Any, start: Callable[..., Any]) -> None:
    settings = f"""  limits:
    rates: [{{per: key, limit: 30, every_s: 360000}}]
    store: {{kind: redis, url: "{redis.url}"}}
"""
    async with start(settings=settings) as world:
        assert await _statuses(world, 10) == {200}
        redis.kill()
        asked = len(world.model.bodies)
        status, answer = await world.chat()
        assert (status, answer["error"]["code"]) == (503, "limits_unavailable")
        assert (await world.send("GET", "/readyz"))[0] == 503
        assert len(world.model.bodies) == asked
        redis.start()
        await _until(world, lambda status: status == 200)
        body = json.dumps(BODY).encode()
        _, headers, _ = await world.send("POST", "/v1/chat/completions", body)
        assert int(headers["x-ratelimit-remaining-requests"]) <= 18  # the ten before the crash still count
