import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

SERVE = """
import json, sys
from pathlib import Path
from lockgate.core.project import open_project
from lockgate.gateway import create, read_application, run_server
root = Path(sys.argv[1])
project = open_project(root)
_, key = create(project, "test")
def again():
    now = open_project(root)
    return now, read_application(now)
def say(**fields):
    print(json.dumps(fields), flush=True)
run_server(
    project, port=0, source="serve", workers=int(sys.argv[2]), admin_port=0, read_again=again,
    on_ready=lambda it: say(base_url=it.base_url, admin=it.admin_url, key=key), on_reload=lambda text: say(reload=text),
)
say(ended=True)
"""
PIECE = {"choices": [{"index": 0, "delta": {"content": "This sentence is long enough to be let through. "}}]}


class Slow:
    """An upstream that says its name, in streams only after it was let go on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.go_on = asyncio.Event()
        self.url = ""
        self.calls = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        if not (await request.json()).get("stream"):
            message = {"role": "assistant", "content": f"I am {self.name}."}
            return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(f"data: {json.dumps(PIECE)}\n\n".encode())
        await self.go_on.wait()
        await response.write(f"data: {json.dumps(PIECE)}\n\ndata: [DONE]\n\n".encode())
        return response


@asynccontextmanager
async def slow(name: str) -> AsyncIterator[Slow]:
    fake = Slow(name)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", fake.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield fake
    fake.go_on.set()
    await runner.cleanup()


def write(root: Path, url: str, extra: str = "") -> None:
    root.mkdir(exist_ok=True)
    (root / "lockgate.yaml").write_text(
        f'version: 1\nproject: p\nserve:\n  upstream: {{kind: openai, base_url: "{url}", model: m}}\n{extra}'
    )


class Served:
    """A running `run_server` and ways to talk to it."""

    def __init__(self, process: asyncio.subprocess.Process, session: aiohttp.ClientSession) -> None:
        self.process = process
        self.session = session
        self.base_url = self.admin = self.key = ""

    async def says(self) -> dict[str, Any]:
        assert self.process.stdout
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60))

    def chat(self, **fields: Any) -> Any:
        body = {"model": "assistant", "messages": [{"role": "user", "content": "Who are you?"}], **fields}
        headers = {"authorization": f"Bearer {self.key}"}
        return self.session.post(f"{self.base_url}/chat/completions", json=body, headers=headers)

    async def who(self) -> str:
        async with self.chat() as response:
            document = await response.json()
            assert response.status == 200, document
            return document["choices"][0]["message"]["content"]

    def ask_admin(self, method: str, path: str, token: str | None = None) -> Any:
        given = token if token is not None else (Path(os.environ["LOCKGATE_HOME"]) / "admin-token").read_text().strip()
        return self.session.request(method, self.admin + path, headers={"authorization": f"Bearer {given}"})

    def workers(self) -> list[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in path.read_text().split()]


def alive(processes: list[int]) -> list[int]:
    return [number for number in processes if Path(f"/proc/{number}/cmdline").exists()]


@asynccontextmanager
async def served(root: Path, workers: int) -> AsyncIterator[Served]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, str(root), str(workers), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session:
            running = Served(process, session)
            ready = await running.says()
            running.base_url, running.admin, running.key = ready["base_url"], ready["admin"], ready["key"]
            yield running
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), 30)


async def ask_the_admin_plane(gateway: Served, home: Path) -> None:
    assert (home / "admin-token").stat().st_mode & 0o077 == 0
    for token in ("", "lga-wrong", gateway.key):
        async with gateway.ask_admin("GET", "/metrics", token) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (401, "invalid_admin_token")
    async with gateway.ask_admin("GET", "/metrics") as response:
        assert response.status == 200
        assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert 'lockgate_upstream_circuit{upstream="upstream",state="closed"} 1' in await response.text()
    async with gateway.ask_admin("GET", "/admin/reload") as response:
        assert (response.status, response.headers["allow"]) == (405, "POST")
    async with gateway.ask_admin("GET", "/v1/models") as response:
        assert response.status == 404
    async with gateway.session.get(gateway.base_url.removesuffix("/v1") + "/metrics") as response:
        assert response.status == 404


async def reload_under_a_stream(root: Path, gateway: Served, one: Slow, two: Slow) -> None:
    assert await gateway.who() == "I am one."
    async with gateway.chat(stream=True) as stream:
        assert stream.status == 200
        write(root, two.url)
        gateway.process.send_signal(signal.SIGHUP)
        assert await gateway.says() == {"reload": ""}
        assert {await gateway.who() for _ in range(6)} == {"I am two."}
        one.go_on.set()
        text = await stream.text()
    assert text.count("long enough") == 2
    assert text.endswith("data: [DONE]\n\n")
    (root / "lockgate.yaml").write_text("version: 1\nproject: p\nserve: {upstraem: 1}\n")
    gateway.process.send_signal(signal.SIGHUP)
    assert "unknown key" in (await gateway.says())["reload"]
    write(root, "http://169.254.169.254/v1")
    async with gateway.ask_admin("POST", "/admin/reload") as response:
        assert response.status == 409
        assert "credentials" in (await response.json())["problem"]
    assert "credentials" in (await gateway.says())["reload"]
    assert await gateway.who() == "I am two."
    async with gateway.ask_admin("GET", "/metrics") as response:
        metrics = await response.text()
    assert 'lockgate_reloads_total{result="accepted"} 1' in metrics
    assert 'lockgate_reloads_total{result="refused"} 2' in metrics


async def end_under_a_stream(gateway: Served, two: Slow) -> None:
    async with gateway.chat(stream=True) as stream:
        await stream.content.readuntil(b"\n\n")
        gateway.process.terminate()
        await asyncio.sleep(0.5)
        with pytest.raises(aiohttp.ClientConnectorError):
            await gateway.who()
        two.go_on.set()
        assert (await stream.text()).endswith("data: [DONE]\n\n")
    assert await gateway.says() == {"ended": True}
    assert await asyncio.wait_for(gateway.process.wait(), 30) == 0


async def replace_a_worker(gateway: Served) -> None:
    before = gateway.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    for _ in range(300):
        await asyncio.sleep(0.1)
        after = gateway.workers()
        async with gateway.ask_admin("GET", "/admin/upstreams") as response:
            shown = (await response.json())["workers"]
        if len(after) == len(shown) == 2 and before[0] not in after:
            break
    assert before[0] not in after
    assert {await gateway.who() for _ in range(6)} == {"I am two."}


async def reload_beside_a_lost_worker(root: Path, gateway: Served, one: Slow) -> None:
    lost = gateway.workers()[0]
    write(root, one.url)
    os.kill(lost, signal.SIGKILL)
    gateway.process.send_signal(signal.SIGHUP)
    assert await gateway.says() == {"reload": ""}
    for _ in range(300):
        await asyncio.sleep(0.1)
        if lost not in (now := gateway.workers()) and len(now) == 2:
            break
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        again = Served(gateway.process, session)  # each request on a connection of its own, so that all workers answer
        again.base_url, again.key = gateway.base_url, gateway.key
        found = [await again.who() for _ in range(24)]
    assert set(found) == {"I am one."}


async def test_one_process_reloads_and_ends_without_dropping_a_stream(tmp_path: Path, private_home: Path) -> None:
    root = tmp_path / "p"
    async with slow("one") as one, slow("two") as two:
        write(root, one.url, "  drain_s: 20\n")
        async with served(root, 1) as gateway:
            await ask_the_admin_plane(gateway, private_home)
            await reload_under_a_stream(root, gateway, one, two)
            await end_under_a_stream(gateway, two)


async def test_workers_reload_are_replaced_and_end_with_their_supervisor(tmp_path: Path) -> None:
    root = tmp_path / "p"
    async with slow("one") as one, slow("two") as two:
        write(root, one.url)
        async with served(root, 2) as gateway:
            await reload_under_a_stream(root, gateway, one, two)
            await replace_a_worker(gateway)
            await reload_beside_a_lost_worker(root, gateway, one)
            left = gateway.workers()
            gateway.process.kill()
            await gateway.process.wait()
            for _ in range(100):
                if not alive(left):
                    break
                await asyncio.sleep(0.1)
            assert not alive(left)


async def test_settings_that_no_worker_can_use_stop_the_start(tmp_path: Path) -> None:
    write(tmp_path / "p", "http://169.254.169.254/v1")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, str(tmp_path / "p"), "2", stdout=-1, stderr=-1
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode
    assert b"keep credentials" in errors
