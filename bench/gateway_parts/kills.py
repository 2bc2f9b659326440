"""What is lost when the gateway, Redis or the upstream is killed under load, and how long until all is well again."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway_parts.load import OK, Address, field, read_whole
from gateway_parts.processes import Project, end, free_port, mock, wait_for

from lockgate.monitor.store import read_stored

_CONNECTIONS = 8
_LOAD_S = 3.0
_AWAY_S = 2.0
_RECOVERY_S = 30.0
_PAUSE_S = 0.02
_LOOK_S = 0.05


class Load:
    """Requests over several connections, until told to stop, and what came of each.

    Attributes:
        answers: Moment, status and request id of every answer; status 0 where the connection broke.
    """

    def __init__(self, address: Address, prompts: list[bytes]) -> None:
        self._address = address
        self._prompts = prompts
        self._stop = asyncio.Event()
        self.answers: list[tuple[float, int, str]] = []
        self._tasks = [asyncio.create_task(self._ask(number)) for number in range(_CONNECTIONS)]

    async def stop(self) -> None:
        """Let what runs end."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    def statuses(self, since: float = 0.0, until: float = float("inf")) -> dict[int, int]:
        """How many answers of each status came in a span of time."""
        return dict(sorted(Counter(status for at, status, _ in self.answers if since <= at < until).items()))

    def first(self, since: float, status: int = OK) -> float | None:
        """Seconds from `since` to the first answer of a status."""
        return next((round(at - since, 2) for at, seen, _ in self.answers if at >= since and seen == status), None)

    async def _ask(self, number: int) -> None:
        while not self._stop.is_set():
            writer = None
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._address.port)
                while not self._stop.is_set():
                    number += 1
                    writer.write(self._address.request(self._prompts[number % len(self._prompts)]))
                    status, head, _ = await read_whole(reader)
                    self.answers.append((time.monotonic(), status, field(head, b"x-request-id").decode()))
                    if status != OK:
                        await asyncio.sleep(_PAUSE_S)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                self.answers.append((time.monotonic(), 0, ""))
                await asyncio.sleep(_PAUSE_S)
            finally:
                if writer is not None:
                    writer.close()


async def kill_gateway(folder: Path, prompts: list[bytes]) -> dict[str, Any]:
    """Kill the gateway: answers whose event is not on file, all of them and those older than a second."""
    with mock() as (_, port):
        project = Project(folder, f"http://127.0.0.1:{port}/v1", "")
        key = project.key("bench")
        with project.serve(key) as server:
            load = Load(server.address, prompts)
            await asyncio.sleep(_LOAD_S)
            os.kill(server.process, signal.SIGKILL)
            killed = time.monotonic()
            await load.stop()
        stored = {event.id for event in read_stored(project.folder / ".lockgate")}
        answered = {name: at for at, status, name in load.answers if status == OK}
        lost = [at for name, at in answered.items() if name not in stored]
        began = time.monotonic()
        with project.serve(key) as again:
            ready = time.monotonic() - began
            more = Load(again.address, prompts)
            await asyncio.sleep(1)
            await more.stop()
    return {
        "answered": len(answered),
        "not_on_file": len(lost),
        "oldest_not_on_file_ms": round(max((killed - at for at in lost), default=0.0) * 1000, 1),
        "ready_again_s": round(ready, 2),
        "answered_again": more.statuses(),
    }


async def kill_upstream(folder: Path, prompts: list[bytes]) -> dict[str, Any]:
    """Kill the upstream and start it again: what callers see, and that every answer is on file."""
    with mock() as (child, port):
        project = Project(folder, f"http://127.0.0.1:{port}/v1", "")
        key = project.key("bench")
        with project.serve(key) as server:
            load = Load(server.address, prompts)
            await asyncio.sleep(_LOAD_S)
            child.kill()
            killed = time.monotonic()
            await asyncio.sleep(_AWAY_S)
            with mock(port):
                back = time.monotonic()
                recovered = await _until_answered(load, back)
                await load.stop()
    stored = {event.id for event in read_stored(project.folder / ".lockgate")}
    return {
        "while_away": load.statuses(killed, back),
        "answered_again_s": recovered,
        "not_on_file": sum(bool(name) and name not in stored for _, _, name in load.answers),
    }


async def kill_redis(folder: Path, prompts: list[bytes]) -> dict[str, Any] | None:
    """Kill Redis, which counts the limits, and start it again; None where there is none.

    `let_through` counts successful answers that began after it was gone.
    """
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        return None
    port = free_port()
    with mock() as (_, upstream), _redis(program, port, folder) as child:
        store = f'{{kind: redis, url: "redis://127.0.0.1:{port}"}}'
        limits = f"  limits:\n    rates: [{{per: key, limit: 1.0e+9}}]\n    store: {store}\n"
        project = Project(folder / "gateway", f"http://127.0.0.1:{upstream}/v1", limits)
        key = project.key("bench")
        with project.serve(key) as server:
            load = Load(server.address, prompts)
            await asyncio.sleep(_LOAD_S)
            child.kill()
            child.wait()
            killed = time.monotonic()
            await asyncio.sleep(_AWAY_S)
            with _redis(program, port, folder):
                back = time.monotonic()
                recovered = await _until_answered(load, back)
                await load.stop()
    return {
        "while_away": load.statuses(killed, back),
        "let_through_after_1_s": load.statuses(killed + 1, back).get(OK, 0),
        "answered_again_s": recovered,
    }


async def _until_answered(load: Load, since: float) -> float | None:
    for _ in range(round(_RECOVERY_S / _LOOK_S)):
        if load.first(since) is not None:
            break
        await asyncio.sleep(_LOOK_S)
    await asyncio.sleep(0.5)
    return load.first(since)


@contextmanager
def _redis(program: str, port: int, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    folder.mkdir(parents=True, exist_ok=True)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        try:
            if not wait_for(port, child, within_s=10):
                raise SystemExit("redis-server does not start.")
            yield child
        finally:
            end(child)
