import asyncio
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.config_limits import LimitsConfig, RedisStore
from lockgate.gateway.limits import Limiter
from lockgate.gateway.secrets import Secrets


class Redis:
    """A real redis-server on a free loopback port, which can be killed and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        program = shutil.which("redis-server")
        assert program, "These tests need redis-server (Debian package redis-server)."
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = [program, "--dir", str(folder), "--appendonly", "yes", "--appendfsync", "always"]
        self._command += ["--save", "", "--bind", "127.0.0.1", *(options or ("--port", str(self.port)))]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        pytest.fail("redis-server did not start.")

    def kill(self) -> None:
        """As `kill -9`."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Let it hang."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def ask(self, *words: str) -> bytes:
        """One command on a connection of its own, the raw reply."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            parts = b"".join(b"$%d\r\n%b\r\n" % (len(word.encode()), word.encode()) for word in words)
            connection.sendall(b"*%d\r\n" % len(words) + parts)
            return connection.recv(1 << 16)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_with(tmp_path: Path) -> Iterator[Callable[..., Redis]]:
    started: list[Redis] = []

    def start(*options: str) -> Redis:
        server = Redis(tmp_path, *options)
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()


def open_limiter(settings: LimitsConfig, root: Path) -> AbstractAsyncContextManager[Limiter]:
    return Limiter.open(settings, project_root=root, secrets=Secrets(300.0, root))


Opened = Callable[..., AbstractAsyncContextManager[Limiter]]


@pytest.fixture
def opened(redis: Redis, tmp_path: Path) -> Opened:
    """Opens a limiter at the server of this test: `async with opened(rates=...) as limiter`."""

    def open_here(store: dict[str, Any] | None = None, **fields: Any) -> AbstractAsyncContextManager[Limiter]:
        settings = LimitsConfig(store=RedisStore(url=redis.url, **(store or {})), **fields)
        return open_limiter(settings, tmp_path / "project")

    return open_here


@pytest.fixture
def open_at() -> Callable[[LimitsConfig, Path], AbstractAsyncContextManager[Limiter]]:
    return open_limiter


@pytest.fixture
def until() -> Callable[..., Any]:
    """Waits for something: `await until(lambda: limiter.healthy)`."""

    async def wait(holds: Callable[[], bool], seconds: float = 10.0) -> None:
        for _ in range(int(seconds * 100)):
            if holds():
                return
            await asyncio.sleep(0.01)
        pytest.fail("It did not come about.")

    return wait
