"""What an HTTP client for upstreams costs: aiohttp as the gateway uses it, beside pyreqwest where it is installed.

    python bench/gateway_transport.py [--json] [--requests N] [--rounds N]

Whole answers and streams of 100 events from a mock upstream, 16 at a time; processor microseconds of this process, as
medians of interleaved rounds, and the ratio. Also how each client reports an upstream that took a request and never
answered, or ended the connection: the gateway asks again only where the upstream has certainly seen nothing. pyreqwest
is no dependency; without it, it is "not run".
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import importlib
import json
import os
import platform
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import ModuleType
from typing import Any

import uvloop
from gateway_parts.processes import mock
from gateway_parts.texts import PADDING, bodies

from lockgate.core.config_upstreams import TimeoutConfig
from lockgate.gateway.upstreams.aiohttp_transport import AiohttpTransport
from lockgate.gateway.upstreams.transport import TransportError

NOT_RUN = "not run"
AT_ONCE = 16
HEADERS = {"authorization": "Bearer k", "content-type": "application/json", "accept-encoding": "identity"}
WAIT_S = 0.5
LONG_S = 900.0

Ask = Callable[[str, bytes], Awaitable[int]]


@asynccontextmanager
async def with_aiohttp(read_s: float) -> AsyncIterator[Ask]:
    limits = TimeoutConfig(total_s=LONG_S)
    transport = AiohttpTransport(limits=limits, read_s=read_s, connections=1024, allowed=frozenset(), tls=None)

    async def ask(url: str, body: bytes) -> int:
        reply = await transport.send(url, HEADERS, body)
        size = 0
        try:
            async for chunk in reply.chunks():
                size += len(chunk)
        finally:
            reply.close()
        return size

    try:
        yield ask
    finally:
        await transport.close()


@asynccontextmanager
async def with_pyreqwest(module: ModuleType, read_s: float) -> AsyncIterator[Ask]:
    """The same duties: a bounded pool, no redirects, proxies, cookies or decompression, bodies read as they come."""
    builder: Any = module.ClientBuilder().max_connections(1024).http1_only().no_proxy().follow_redirects(enable=False)
    builder = builder.gzip(enable=False).brotli(enable=False).zstd(enable=False).deflate(enable=False)
    builder = builder.timeout(dt.timedelta(seconds=LONG_S)).read_timeout(dt.timedelta(seconds=read_s))
    async with builder.connect_timeout(dt.timedelta(seconds=10)).build() as client:

        async def ask(url: str, body: bytes) -> int:
            size = 0
            async with client.post(url).headers(HEADERS).body_bytes(body).build_streamed() as response:
                while (chunk := await response.body_reader.read_chunk()) is not None:
                    size += len(chunk)
            return size

        yield ask


async def microseconds(ask: Ask, url: str, body: bytes, count: int) -> float:
    """Of processor time a request, all threads of this process."""

    async def some() -> None:
        for _ in range(count // AT_ONCE):
            await ask(url, body)

    started = time.process_time()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return (time.process_time() - started) / (count // AT_ONCE * AT_ONCE) * 1e6


async def fault(ask: Ask, *, breaks_off: bool) -> str:
    """The word for an upstream that took the request and then said nothing, or ended the connection."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            if not breaks_off:
                await reader.read()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        try:
            await ask(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/chat/completions", b"{}")
        except TransportError as error:
            return f"{type(error).__name__}({error.fault.value})"
        except Exception as error:  # noqa: BLE001 - the name of whatever it is, is the answer
            return type(error).__name__
    return "no error"


async def measure(requests: int, rounds: int) -> dict[str, Any]:
    """Medians and ratios."""
    try:
        module = importlib.import_module("pyreqwest.client")
    except ImportError:
        module = None
    kinds = {
        "whole": (bodies([PADDING * 9])[0], requests),
        "stream_100_events": (bodies([f"{PADDING} events=100 pause=0 "], stream=True)[0], max(requests // 20, AT_ONCE)),
    }
    found: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        _, port = stack.enter_context(mock())
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        clients = {"aiohttp": await stack.enter_async_context(with_aiohttp(120.0))}
        if module is not None:
            clients["pyreqwest"] = await stack.enter_async_context(with_pyreqwest(module, 120.0))
        for kind, (body, count) in kinds.items():
            times: dict[str, list[float]] = {name: [] for name in clients}
            for number in range(rounds + 1):
                for name, ask in clients.items():
                    spent = await microseconds(ask, url, body, count)
                    times[name] += [spent] if number else []  # the first round warms up
            found[kind] = {name: round(statistics.median(spent), 1) for name, spent in times.items()}
            found[kind].setdefault("pyreqwest", NOT_RUN)
            if module is not None:
                pairs = zip(times["pyreqwest"], times["aiohttp"], strict=True)
                found[kind]["ratio"] = round(statistics.median(ours / theirs for ours, theirs in pairs), 2)
    async with AsyncExitStack() as stack:
        asks = {"aiohttp": await stack.enter_async_context(with_aiohttp(WAIT_S))}
        if module is not None:
            asks["pyreqwest"] = await stack.enter_async_context(with_pyreqwest(module, WAIT_S))
        for name, breaks_off in (("unanswered", False), ("broken_off", True)):
            found[name] = {client: await fault(ask, breaks_off=breaks_off) for client, ask in asks.items()}
            found[name].setdefault("pyreqwest", NOT_RUN)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--requests", type=int, default=4000, help="whole answers a round")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    found = uvloop.run(measure(options.requests, options.rounds))
    found |= {"machine": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()}
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, value in found.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
