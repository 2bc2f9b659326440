"""Prints what a decision about limits costs: in process, in Redis on our connection, in Redis with redis-py.

Each figure is the median of interleaved rounds, in CPU microseconds of this process; Redis needs its own on top. What
is not installed is said to be not run. `--json` prints the figures alone.
"""

import asyncio
import contextlib
import hashlib
import importlib
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

from lockgate.core.config_limits import Concurrency, LimitsConfig, MemoryStore, Price, RateLimit, RedisStore
from lockgate.gateway.caller import Caller
from lockgate.gateway.limits import Estimate, Limiter
from lockgate.gateway.limits.memory import MemoryMeters
from lockgate.gateway.limits.plan import Planner
from lockgate.gateway.limits.scripts import TAKE
from lockgate.gateway.secrets import Secrets

_ROUNDS = 7
_CALLS = 2_000
_AT_ONCE = 64
_CALLER = Caller("key-1", "harbour")
_ESTIMATE = Estimate(400, 600)
_RATES = (
    RateLimit(per="key", limit=1e9),
    RateLimit(per="tenant", what="tokens", limit=1e12),
    RateLimit(per="model", what="spend", limit=1e9),
)

Work = Callable[[], Awaitable[None]]


def _settings(store: MemoryStore | RedisStore) -> LimitsConfig:
    return LimitsConfig(
        rates=_RATES,
        prices={"*": Price(input=1, output=4)},
        concurrency=Concurrency(per_key=10_000, total=10_000),
        store=store,
    )


def _decide(limits: int) -> Work:
    """One decision alone, without what surrounds it."""
    plan = Planner(_settings(MemoryStore())).plan(_CALLER, "m")
    meters = MemoryMeters(1_000, time.monotonic)
    entries, costs = plan.entries[:limits], plan.costs(400, 600)

    async def work() -> None:
        for _ in range(_CALLS):
            meters.take(entries, costs)

    return work


def _admit(limiter: Limiter) -> Work:
    """A whole request: admit, and settle when it has ended."""

    async def one() -> None:
        for _ in range(_CALLS // _AT_ONCE):
            with await limiter.admit(_CALLER, "m", _ESTIMATE) as admission:
                admission.settle(input_tokens=400, output_tokens=200)

    async def work() -> None:
        await asyncio.gather(*(one() for _ in range(_AT_ONCE)))

    return work


def _general(client: Any) -> Work:
    """The same script with redis-py: admitting alone."""
    sha = hashlib.sha1(TAKE.encode(), usedforsecurity=False).hexdigest()
    plan = Planner(_settings(MemoryStore())).plan(_CALLER, "m")
    costs = plan.costs(400, 600)
    keys = [f"{{bench}}:{entry.key}" for entry in plan.entries]
    arguments: list[object] = [len(keys), 960]
    for entry in plan.entries:
        arguments += (entry.interval, costs[entry.kind], entry.tolerance, int(entry.kind != 0))

    async def one() -> None:
        for _ in range(_CALLS // _AT_ONCE):
            await client.evalsha(sha, len(keys), *keys, *arguments)

    async def work() -> None:
        await asyncio.gather(*(one() for _ in range(_AT_ONCE)))

    return work


def _take_alone(limiter: Limiter) -> Work:
    """The same on our connection: admitting alone."""
    redis = limiter._redis  # noqa: SLF001 - the part that is compared
    assert redis
    plan = limiter._planner.plan(_CALLER, "m")  # noqa: SLF001 - as above
    costs = plan.costs(400, 600)

    async def one() -> None:
        for _ in range(_CALLS // _AT_ONCE):
            await redis.take(plan.entries, costs, None)

    async def work() -> None:
        await asyncio.gather(*(one() for _ in range(_AT_ONCE)))

    return work


@contextlib.contextmanager
def _server() -> Generator[str]:
    program = shutil.which("redis-server")
    if not program:
        yield ""
        return
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while socket.socket().connect_ex(("127.0.0.1", port)):
                time.sleep(0.02)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


async def _measure(url: str) -> dict[str, float | None]:
    jobs: dict[str, Work | None] = {
        "in process, 1 limit, the decision alone": _decide(1),
        "in process, 3 limits, the decision alone": _decide(3),
        "in process, 3 limits, admit and settle": _admit(Limiter(_settings(MemoryStore()))),
        "Redis, 3 limits, our connection, admit": None,
        "Redis, 3 limits, redis-py, admit": None,
        "Redis, 3 limits, our connection, admit and settle": None,
    }
    async with contextlib.AsyncExitStack() as stack:
        if url:
            opening = Limiter.open(
                _settings(RedisStore(url=url, timeout_ms=10_000)),
                project_root=Path(),
                secrets=Secrets(300.0, Path()),
            )
            limiter = await stack.enter_async_context(opening)
            jobs["Redis, 3 limits, our connection, admit"] = _take_alone(limiter)
            jobs["Redis, 3 limits, our connection, admit and settle"] = _admit(limiter)
            with contextlib.suppress(ImportError):
                client: Any = importlib.import_module("redis.asyncio").from_url(url)
                stack.push_async_callback(client.aclose)
                jobs["Redis, 3 limits, redis-py, admit"] = _general(client)
        return await _interleaved(jobs)


async def _interleaved(jobs: dict[str, Work | None]) -> dict[str, float | None]:
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        if job:
            await job()
    calls = _CALLS // _AT_ONCE * _AT_ONCE
    for _ in range(_ROUNDS):
        for name, job in jobs.items():
            if job:
                started = time.process_time()
                await job()
                times[name].append((time.process_time() - started) / (_CALLS if "alone" in name else calls) * 1e6)
    return {name: round(statistics.median(found), 2) if found else None for name, found in times.items()}


def main() -> None:
    with _server() as url:
        figures = asyncio.run(_measure(url))
    if "--json" in sys.argv:
        print(json.dumps(figures))
        return
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {_AT_ONCE} at once")
    print(f"{'':<52} {'CPU µs':>8}")
    for name, figure in figures.items():
        print(f"{name:<52} {'not run' if figure is None else figure:>8}")


if __name__ == "__main__":
    main()
