"""What shows only after a while: many streams at once, memory and descriptors over many requests."""

import asyncio
import statistics
from collections import Counter
from typing import Any

from gateway_parts.load import cpu_s, descriptors, flood, held_back, memory_mb, stream_to_end
from gateway_parts.processes import Server
from gateway_parts.texts import PADDING, bodies

EVENTS = 400
_FEW = 2
_POINTS = 10
_STALLS = (3, 7, 12, 20, 33, 47, 60)


async def stream_cost(server: Server, streams: int, failures: dict[str, int]) -> tuple[float, float]:
    """Processor microseconds of a stream with hardly any events, and of each event more.

    Short and long streams take turns, and medians count: what else the machine does would not cancel out of a
    difference of two sums.
    """
    costs: dict[int, list[float]] = {_FEW: [], EVENTS: []}
    for _ in range(streams):
        for count, found in costs.items():
            body = bodies([f"{PADDING} events={count} pause=0 "], stream=True)[0]
            before = cpu_s(server.process)
            if await stream_to_end(server.address, body):
                failures[server.name] = failures.get(server.name, 0) + 1
            found.append(cpu_s(server.process) - before)
    short, long = (statistics.median(found) for found in costs.values())
    return short * 1e6, (long - short) / (EVENTS - _FEW) * 1e6


async def held_back_characters(server: Server) -> dict[str, float]:
    """Characters that the upstream has sent and the caller does not have, while the upstream thinks."""
    sent = bodies([f"{PADDING} events=80 pause=0 stall={stall} " for stall in _STALLS], stream=True)
    found = await asyncio.gather(*(held_back(server.address, body) for body in sent))
    return {"median": statistics.median(found), "most": max(found)}


async def many_streams(server: Server, count: int) -> dict[str, Any]:
    """Streams that all run at once for some seconds."""
    body = bodies([f"{PADDING} events=40 pause=0.1 "], stream=True)[0]
    before = highest = memory_mb(server.process)
    used = cpu_s(server.process)

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, memory_mb(server.process))
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(watch())
    ends = await asyncio.gather(*(stream_to_end(server.address, body) for _ in range(count)))
    failed = [end for end in ends if end]
    watching.cancel()
    return {
        "streams": count,
        "errors": len(failed),
        "why": dict(Counter(failed)),
        "rss_mb_before": round(before, 1),
        "rss_mb": round(highest, 1),
        "cpu_ms_a_stream": round((cpu_s(server.process) - used) / count * 1000, 2),
    }


async def soak(server: Server, sent: list[bytes], count: int, connections: int) -> dict[str, Any]:
    """Many requests; resident memory and descriptors at ten points, after a tenth more to warm up."""
    part = max(count // _POINTS, connections)
    await flood(server.address, sent, part, connections)
    memory, opened, errors = [memory_mb(server.process)], [descriptors(server.process)], 0
    for _ in range(_POINTS):
        errors += len((await flood(server.address, sent, part, connections))[1])
        memory.append(memory_mb(server.process))
        await asyncio.sleep(0.5)  # until the connections of this part are known to be closed
        opened.append(descriptors(server.process))
    return {
        "requests": part * _POINTS,
        "errors": errors,
        "rss_mb": [round(value, 1) for value in memory],
        "descriptors": opened,
        "rss_change": round(memory[-1] / memory[0] - 1, 4),
        "rss_change_second_half": round(memory[-1] / memory[_POINTS // 2] - 1, 4),
        "descriptors_change": opened[-1] - opened[0],
    }
