"""What the gateway costs: processor time a request, time to the first token, streams, memory; beside the alternatives.

    python bench/gateway.py [--json] [--requests N] [--rounds N] [--connections N] [--streams N] [--soak N]

Starts a mock upstream, a bare uvicorn + aiohttp pass-through, a real `lockgate serve` with one worker, and nginx where
it is installed. LiteLLM needs an environment of its own; without one it is "not run". Rounds are interleaved, medians
and ratios are of the rounds. Processor time is the server process's own, as the kernel counts it; nothing is what the
server says of itself.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvloop
from gateway_parts.load import Address, cpu_s, descriptors, first_token_ms, flood, memory_mb, stream_to_end

from lockgate.core.config import GuardConfig
from lockgate.guard import Guard

ROOT = Path(__file__).resolve().parents[1]
SERVERS = ROOT / "bench/gateway_parts/servers.py"
NOT_RUN = "not run"
PADDING = "We are two adults and a child, and we would like to rent a canoe for half a day, from nine to one. "
EVENTS = 400
LIMITS = """  limits:
    concurrency: {per_key: 4096, total: 4096}
    rates:
      - {per: key, limit: 1.0e+9}
      - {per: tenant, what: tokens, limit: 1.0e+12}
      - {per: total, what: tokens, limit: 1.0e+12}
"""
TEXTS = 48
SEED = 7


class Server:
    """A process that answers."""

    def __init__(self, name: str, process: int, address: Address) -> None:
        self.name, self.process, self.address = name, process, address


@contextmanager
def started(command: list[str], **options: Any) -> Iterator[tuple[int, str]]:
    """A process and its first line, ended with the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as child:
        assert child.stdout
        try:
            yield child.pid, child.stdout.readline()
        finally:
            child.terminate()


@contextmanager
def lockgate(upstream: str, folder: Path) -> Iterator[Server]:
    """A real `lockgate serve`: key auth, three limits, events on file, metrics."""
    project = folder / "project"
    project.mkdir()
    head = "version: 1\nproject: bench\nserve:\n"
    settings = f'{head}  upstream: {{kind: openai, base_url: "{upstream}", model: mock}}\n'
    (project / "lockgate.yaml").write_text(settings + LIMITS)
    environment = os.environ | {"LOCKGATE_HOME": str(folder / "home")}
    run = [sys.executable, "-m", "lockgate"]
    made = subprocess.run(
        [*run, "key", "create", "--project", str(project), "--name", "bench", "--json"],
        check=True,
        capture_output=True,
        env=environment,
    )
    command = [*run, "serve", str(project), "--observe", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as child:
        try:
            assert child.stdout
            shown = ""
            while not shown.rstrip().endswith("}"):
                line = child.stdout.readline()
                if not line:
                    raise SystemExit(child.stderr.read() if child.stderr else "lockgate serve ended")
                shown += line
            port = int(json.loads(shown)["base_url"].split(":")[2].split("/")[0])
            yield Server("gateway", child.pid, Address(port, json.loads(made.stdout)["key"]))
        finally:
            child.terminate()


@contextmanager
def nginx(upstream_port: int, folder: Path) -> Iterator[Server | None]:
    """A plain nginx proxy with one worker, where it is installed."""
    program = shutil.which("nginx")
    if program is None:
        yield None
        return
    port = upstream_port + 1
    settings = folder / "nginx.conf"
    settings.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;\n"
        "events { worker_connections 4096; }\n"
        "http { access_log off; keepalive_requests 1000000; upstream m { server 127.0.0.1:"
        f"{upstream_port}; keepalive 64; }}\n"
        f"server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ proxy_pass http://m; proxy_http_version 1.1; "
        'proxy_set_header Connection ""; } } }\n'
    )
    with subprocess.Popen([program, "-c", str(settings)], stderr=subprocess.DEVNULL) as child:
        time.sleep(1)
        children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        yield Server("nginx", int(children[0]), Address(port)) if children else None
        child.terminate()


def bodies(texts: list[str], **fields: object) -> list[bytes]:
    """Chat requests of about 1 KB."""
    base = {"model": "assistant", "max_tokens": 100, **fields}
    return [json.dumps({**base, "messages": [{"role": "user", "content": text}]}).encode() for text in texts]


def everyday() -> list[str]:
    """Harmless prompts of the guard's own corpus, several joined to about 1 KB."""
    rows = [json.loads(line) for line in (ROOT / "corpus/guard/everyday.jsonl").read_text("utf-8").splitlines()]
    texts = [row["text"] for row in rows if row.get("label") in {0, "benign", "harmless"} and len(row["text"]) < 900]
    draw = random.Random(SEED)
    found: list[str] = []
    for _ in range(TEXTS):
        text = ""
        while len(text) < 800:
            text += draw.choice(texts) + "\n"
        found.append(text)
    return found


def reached_encoder(texts: list[str]) -> tuple[list[str], list[str], float]:
    """Texts that the gateway lets pass, once those that the linear stage settles; and the share that went further."""
    guard = Guard(GuardConfig())
    allowed = [text for text in texts if guard.inspect(text).action == "allow"]
    linear = [text for text in allowed if guard.explain(text).encoder is None]
    return allowed, linear, 1 - len(linear) / len(allowed) if allowed else 0.0


async def cpu_us(
    servers: list[tuple[str, Server, list[bytes]]], options: argparse.Namespace, failures: dict[str, int]
) -> dict[str, list[float]]:
    """Processor microseconds a request for each round, servers taking turns; failures are counted, not hidden."""
    found: dict[str, list[float]] = {name: [] for name, _, _ in servers}
    requests = options.requests
    for number in range(options.rounds + 1):
        for name, server, sent in servers:
            before = cpu_s(server.process)
            _, failed = await flood(server.address, sent, requests, options.connections)
            if failed:
                failures[name] = failures.get(name, 0) + len(failed)
                print(f"{name}: {len(failed)} of {requests} requests failed: {failed[0]}", file=sys.stderr)
            if number:  # the first round warms up
                found[name].append((cpu_s(server.process) - before) / requests * 1e6)
    return found


async def events_us(server: Server, streams: int) -> float:
    """Processor microseconds an event of a long stream, over what the stream costs that has hardly any."""
    costs: list[float] = []
    for count in (2, EVENTS):
        body = bodies([f"{PADDING} events={count} pause=0 "], stream=True)[0]
        before = cpu_s(server.process)
        for _ in range(streams):
            if not await stream_to_end(server.address, body):
                raise SystemExit(f"{server.name}: a stream broke off")
        costs.append(cpu_s(server.process) - before)
    return (costs[1] - costs[0]) / streams / (EVENTS - 2) * 1e6


async def many_streams(server: Server, count: int) -> dict[str, Any]:
    """Streams that all run at once for some seconds."""
    body = bodies([f"{PADDING} events=40 pause=0.1 "], stream=True)[0]
    before = memory_mb(server.process)
    highest = before

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, memory_mb(server.process))
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    whole = await asyncio.gather(*(stream_to_end(server.address, body) for _ in range(count)))
    watching.cancel()
    return {
        "streams": count,
        "errors": whole.count(False),
        "rss_mb_before": round(before, 1),
        "rss_mb": round(highest, 1),
    }


async def soak(server: Server, sent: list[bytes], count: int) -> dict[str, Any]:
    """Many requests; memory and descriptors after a tenth of them and at the end."""
    await flood(server.address, sent, max(count // 10, 160))
    early, open_early = memory_mb(server.process), descriptors(server.process)
    rate, failed = await flood(server.address, sent, count)
    late = memory_mb(server.process)
    await asyncio.sleep(1)
    return {
        "requests": count,
        "errors": len(failed),
        "requests_a_second": round(rate),
        "rss_mb_early": round(early, 1),
        "rss_mb_late": round(late, 1),
        "rss_change": round(late / early - 1, 4),
        "descriptors_change": descriptors(server.process) - open_early,
    }


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    allowed, linear, share = reached_encoder(everyday())
    plain, full = bodies(linear), bodies(allowed)
    with ExitStack() as stack:
        _, port = stack.enter_context(started([sys.executable, str(SERVERS), "mock"]))
        upstream = f"http://127.0.0.1:{int(port)}/v1"
        chat = f"{upstream}/chat/completions"
        process, line = stack.enter_context(started([sys.executable, str(SERVERS), "passthrough", chat]))
        bare = Server("passthrough", process, Address(int(line)))
        gateway = stack.enter_context(lockgate(upstream, folder))
        proxy = stack.enter_context(nginx(int(port), folder))
        turns = [("passthrough", bare, plain), ("gateway_linear", gateway, plain), ("gateway_full", gateway, full)]
        turns += [("nginx", proxy, plain)] if proxy else []
        failures: dict[str, int] = {}
        costs = await cpu_us(turns, options, failures)
        first = {name: [] for name in ("direct", "passthrough", "gateway")}
        places = {"direct": Address(int(port)), "passthrough": bare.address, "gateway": gateway.address}
        streamed = bodies([f"{linear[0]} events=20 pause=0 "], stream=True)[0]
        for _ in range(options.requests // 100 + 10):
            for name, address in places.items():
                first[name].append(await first_token_ms(address, streamed))
        per_event = {server.name: await events_us(server, options.rounds * 4) for server in (bare, gateway)}
        result = {
            "cpu_us": {name: round(statistics.median(rounds), 1) for name, rounds in costs.items()}
            | {name: NOT_RUN for name in ("nginx", "litellm") if name not in costs},
            "ratio": {
                name: round(statistics.median(a / b for a, b in zip(rounds, costs["passthrough"], strict=True)), 2)
                for name, rounds in costs.items()
            },
            "failures": failures,
            "encoder_share": round(share, 3),
            "body_bytes": round(statistics.mean(map(len, full))),
            "ttft_ms": {name: round(statistics.median(times), 3) for name, times in first.items()},
            "stream_event_us": {name: round(cost, 1) for name, cost in per_event.items()},
            "concurrent_streams": await many_streams(gateway, options.streams),
        }
        if options.soak:
            result["soak"] = await soak(gateway, full, options.soak)
    machine = {"machine": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()}
    return (
        result | {"rounds": options.rounds, "connections": options.connections, "requests": options.requests} | machine
    )


def table(result: dict[str, Any]) -> None:
    print(f"{'':<18} {'CPU µs a request':>17} {'to pass-through':>16}")
    for name, cost in result["cpu_us"].items():
        print(f"{name:<18} {cost:>17} {result['ratio'].get(name, ''):>16}")
    for name in ("failures", "encoder_share", "ttft_ms", "stream_event_us", "concurrent_streams", "soak"):
        if name in result:
            print(f"{name}: {result[name]}")
    print(f"{result['machine']}, {result['cpus']} CPUs, Python {result['python']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--requests", type=int, default=1600, help="requests a round and server")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--streams", type=int, default=1000, help="streams at once")
    parser.add_argument("--soak", type=int, default=0, help="requests of the soak; 0 for none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = uvloop.run(measure(options, Path(folder)))
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        table(result)


if __name__ == "__main__":
    main()
