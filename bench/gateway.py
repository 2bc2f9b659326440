"""What the gateway costs: processor time a request, time to the first token, streams, memory; beside the alternatives.

    python bench/gateway.py [--json] [--peers] [--prompts FILE ...] [--requests N] [--rounds N] [--connections N]
                            [--streams N] [--soak N] [--abuse [SECONDS]] [--kill] [--no-cost]

Starts a mock upstream, a bare uvicorn + aiohttp pass-through, a real `lockgate serve` with one worker, nginx where it
is installed, and with `--peers` LiteLLM from an environment of its own; what is missing is "not run". Rounds are
interleaved, medians and ratios are of the rounds. Whatever is measured has the first processor to itself, as far as the
machine lets it. Processor time is the server process's own, as the kernel counts it; nothing is what the server says
of itself. Every request is new to the gateway, which remembers what it allowed; `cpu_us_again` is one that it knows.
`gateway_quick` is with texts that the guard judges without its encoder, `gateway_full` with any. `gateway_linear` is
the former under the name that scripts know: no setting leaves the linear model alone, which weighs too little to tell
attacks by, so it is at most that.

Without `--prompts` the bodies are harmless texts of the guard's own corpus, several joined to about 1 KB. Many of those
were written to look like attacks, so more of them reach the encoder than of what users write. A FILE is JSON lines with
`text`, or with a list `turns` as the question.jsonl of MT-bench and of Vicuna-bench in FastChat's repository; 48 texts
are drawn, of up to 4,000 characters, without those of rows with a `label` of 1 or another `origin` than user.

`--streams` are streams at once. `--soak` sends that many requests and looks at memory and descriptors at ten points.
`--abuse` compares a good client's latency, quiet and beside one that sends what costs most, in five rounds or as many
as fit the time. `--kill` kills the gateway, the upstream and Redis under load. `--no-cost` leaves out the table of
costs, so that what else is asked for comes at once.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import uvloop
from gateway_parts import kills, peers
from gateway_parts.abuse import abuse
from gateway_parts.lasting import held_back_characters, many_streams, soak, stream_cost
from gateway_parts.load import MARK, Address, BadAnswerError, cpu_s, first_token_ms, flood
from gateway_parts.processes import LIMITS, Project, Server, keep_off_the_first, mock, passthrough
from gateway_parts.texts import BadPromptsError, bodies, everyday, prompts_of, reached_encoder, worst

NOT_RUN = "not run"
NAMES = ("passthrough", "gateway_linear", "gateway_quick", "gateway_full", "litellm", "nginx")
SHOWN = (
    "cpu_us_again",
    "failures",
    "encoder_share",
    "ttft_ms",
    "stream_us",
    "stream_event_us",
    "held_back_characters",
    "concurrent_streams",
    "soak",
    "kill",
)

Turns = list[tuple[str, Server, list[bytes]]]


async def cpu_us(servers: Turns, options: argparse.Namespace, failures: dict[str, int]) -> dict[str, list[float]]:
    """Processor microseconds a request for each round, servers taking turns; failures are counted, not hidden."""
    found: dict[str, list[float]] = {name: [] for name, _, _ in servers}
    for number in range(options.rounds + 1):
        for name, server, sent in servers:
            requests = options.requests if name != "litellm" else max(options.requests // 8, options.connections)
            before = cpu_s(server.process)
            _, failed = await flood(server.address, sent, requests, options.connections)
            if failed:
                failures[name] = failures.get(name, 0) + len(failed)
                print(f"{name}: {len(failed)} of {requests} requests failed: {failed[0]}", file=sys.stderr)
            if number:  # the first round warms up
                found[name].append((cpu_s(server.process) - before) / requests * 1e6)
    return found


def as_before(body: bytes) -> bytes:
    """The same request every time."""
    return body.replace(MARK, b"harbours")


async def first_tokens(
    places: dict[str, Address], body: bytes, count: int, failures: dict[str, int]
) -> dict[str, float | None]:
    """Milliseconds to the first text of a stream, servers taking turns; medians, None where no stream succeeded."""
    first: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(count):
        for name, address in places.items():
            try:
                first[name].append(await first_token_ms(address, body))
            except BadAnswerError as error:
                failures[name] = failures.get(name, 0) + 1
                print(f"{name}: a stream failed: {error}", file=sys.stderr)
    return {name: round(statistics.median(times), 3) if times else None for name, times in first.items()}


async def cost(options: argparse.Namespace, folder: Path, texts: tuple[list[str], list[str]]) -> dict[str, Any]:
    """Processor time, first tokens and streams, side by side."""
    allowed, quick = texts
    plain, full = bodies(quick), bodies(allowed)
    with ExitStack() as stack:
        _, port = stack.enter_context(mock())
        upstream = f"http://127.0.0.1:{port}/v1"
        bare = stack.enter_context(passthrough(f"{upstream}/chat/completions"))
        project = Project(folder / "cost", upstream, LIMITS)
        gateway = stack.enter_context(project.serve(project.key("bench")))
        others = [
            stack.enter_context(peers.nginx(port, folder)),
            stack.enter_context(peers.litellm(upstream, folder, asked=options.peers)),
        ]
        turns: Turns = [("passthrough", bare, plain), ("gateway_quick", gateway, plain)]
        turns += [("gateway_full", gateway, full), ("gateway_again", gateway, [as_before(body) for body in full])]
        turns += [(server.name, server, plain) for server in others if server]
        failures: dict[str, int] = {}
        costs = await cpu_us(turns, options, failures)
        costs["gateway_linear"] = costs["gateway_quick"]
        places = {"direct": Address(port)} | {server.name: server.address for _, server, _ in turns}
        streamed = bodies([f"{quick[0]} events=20 pause=0 "], stream=True)[0]
        of_streams = {
            server.name: await stream_cost(server, options.rounds * 4, failures) for server in (bare, gateway)
        }
        result: dict[str, Any] = {
            "cpu_us": {name: round(statistics.median(costs[name]), 1) if name in costs else NOT_RUN for name in NAMES},
            "ratio": {
                name: round(statistics.median(a / b for a, b in zip(rounds, costs["passthrough"], strict=True)), 2)
                for name, rounds in costs.items()
            },
            "cpu_us_again": round(statistics.median(costs["gateway_again"]), 1),
            "failures": failures,
            "body_bytes": round(statistics.mean(map(len, full))),
            "ttft_ms": await first_tokens(places, streamed, options.requests // 100 + 10, failures),
            "stream_us": {name: round(short, 1) for name, (short, _) in of_streams.items()},
            "stream_event_us": {name: round(event, 1) for name, (_, event) in of_streams.items()},
            "held_back_characters": await held_back_characters(gateway),
        }
        return result | await lasting(gateway, full, options)


async def lasting(gateway: Server, full: list[bytes], options: argparse.Namespace) -> dict[str, Any]:
    """What shows only after a while."""
    result: dict[str, Any] = {}
    if options.streams:
        result["concurrent_streams"] = await many_streams(gateway, options.streams)
    if options.soak:
        result["soak"] = await soak(gateway, full, options.soak, options.connections)
    return result


async def lasting_alone(options: argparse.Namespace, folder: Path, full: list[bytes]) -> dict[str, Any]:
    """The same without the table of costs."""
    not_run: dict[str, Any] = {"cpu_us": dict.fromkeys(NAMES, NOT_RUN), "ratio": {}}
    if not options.streams and not options.soak:
        return not_run
    with mock() as (_, port):
        project = Project(folder / "lasting", f"http://127.0.0.1:{port}/v1", LIMITS)
        with project.serve(project.key("bench")) as gateway:
            await flood(gateway.address, full, 2 * options.connections, options.connections)
            return not_run | await lasting(gateway, full, options)


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Everything that was asked for."""
    allowed, quick, share = reached_encoder(prompts_of(options.prompts) if options.prompts else everyday())
    if not quick:
        raise BadPromptsError("Of these prompts the guard settles none without its encoder; take others.")
    keep_off_the_first()
    if options.no_cost:
        result = await lasting_alone(options, folder, bodies(allowed))
    else:
        result = await cost(options, folder, (allowed, quick))
    result["encoder_share"] = round(share, 3)
    prompts = bodies(quick)
    if options.abuse:
        with mock() as (_, port):
            project = Project(folder / "abuse", f"http://127.0.0.1:{port}/v1", "")
            good, bad = project.key("good"), project.key("bad")
            with project.serve(good) as server:
                await flood(
                    server.address, prompts, 2 * options.connections, options.connections
                )  # the first request waits for models
                other = Address(server.address.port, bad)
                result["abuse"] = await abuse(server, other, prompts, worst(), within_s=options.abuse)
    if options.kill:
        redis = await kills.kill_redis(folder / "kill-redis", prompts)
        result["kill"] = {
            "gateway": await kills.kill_gateway(folder / "kill-gateway", prompts),
            "upstream": await kills.kill_upstream(folder / "kill-upstream", prompts),
            "redis": NOT_RUN if redis is None else redis,
        }
    asked = {name: getattr(options, name) for name in ("rounds", "connections", "requests")}
    machine = {"machine": platform.machine(), "cpus": os.cpu_count(), "python": platform.python_version()}
    return result | asked | machine


def table(result: dict[str, Any]) -> None:
    print(f"{'':<18} {'CPU µs a request':>17} {'to pass-through':>16}")
    for name, us in result["cpu_us"].items():
        print(f"{name:<18} {us:>17} {result['ratio'].get(name, ''):>16}")
    for name in SHOWN:
        if name in result:
            print(f"{name}: {result[name]}")
    for name, found in result.get("abuse", {}).items():
        print(f"beside '{name}': {found}" if isinstance(found, dict) else f"{name}: {found}")
    print(f"{result['machine']}, {result['cpus']} CPUs, Python {result['python']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peers", action="store_true", help="install and measure LiteLLM too")
    parser.add_argument(
        "--prompts", type=Path, nargs="+", metavar="FILE", help="prompts to send, JSON lines with 'text' or 'turns'"
    )
    parser.add_argument("--requests", type=int, default=1600, help="requests a round and server")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--streams", type=int, help="streams at once; 1,000 beside the table of costs")
    parser.add_argument("--no-cost", action="store_true", help="leave out the table of costs")
    parser.add_argument("--soak", type=int, default=0, help="requests of the soak; 0 for none")
    parser.add_argument(
        "--abuse",
        type=float,
        nargs="?",
        const=300.0,
        default=0.0,
        metavar="SECONDS",
        help="a good client beside an abusive one, for 300 seconds at most",
    )
    parser.add_argument("--kill", action="store_true", help="kill the gateway, the upstream and Redis under load")
    options = parser.parse_args()
    if options.streams is None:
        options.streams = 0 if options.no_cost else 1000
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server outlives this
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = uvloop.run(measure(options, Path(folder)))
        except BadPromptsError as error:
            print(error, file=sys.stderr)
            sys.exit(2)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        table(result)


if __name__ == "__main__":
    main()
