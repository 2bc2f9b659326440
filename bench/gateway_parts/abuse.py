"""What one client can do to another: the good one's latency while the other sends what costs most.

Beside the latency stands the processor time that the endpoint spent, on whomever, while the good client waited. On a
processor of its own the latency is hardly more; on a machine that is busy with other things the latency says what those
do, and this time still says what the endpoint does.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway_parts.load import Address, cpu_s, read_whole
from gateway_parts.processes import Server

_ABUSER = Path(__file__).with_name("abuser.py")
_ROUNDS = 5
_GOOD = 100
_PHASE_S = 4.0
_START_S = 0.5
_PAUSE_S = 0.005
_CALM_S = 4.0
_CALM = 5
_CALM_RATIO = 1.5
_PATIENCE_S = 20.0


async def abuse(
    server: Server, bad: Address, prompts: list[bytes], worst: Mapping[str, bytes], *, within_s: float
) -> dict[str, Any]:
    """The good client's p99, quiet and beside an abuser, in turns; for each kind of body the median of its rounds.

    Tells on standard error what it sees, as it goes.

    Args:
        server: The endpoint, with the good client's key.
        bad: The same with the abuser's.
        prompts: What the good client sends, one after the other.
        worst: What the abuser sends over several connections, without a pause.
        within_s: Seconds after which no more is begun. The result says how many rounds each kind of body had.
    """
    kinds = {name: _Kind() for name in worst}
    usual_ms, began = 0.0, time.perf_counter()
    for number in range(1, _ROUNDS + 1):
        for name, body in worst.items():
            if (spent_s := time.perf_counter() - began) > within_s:
                _tell(f"ends in round {number} of {_ROUNDS}: {within_s:.0f} s are over")
                return {name: kind.summary() for name, kind in kinds.items() if kind.beside}
            kind = kinds[name]
            quiet = await _waits(server, prompts, Counter())
            usual_ms = usual_ms or statistics.median(quiet.ms)
            kind.quiet.append(quiet)
            async with _abused(bad, body, kind.abuser):
                kind.beside.append(await _waits(server, prompts, kind.good))
            kind.busy_after_s.append(await _calm(server, prompts, usual_ms))
            _tell(f"{spent_s:4.0f} s, round {number} of {_ROUNDS}, '{name}': {kind.last()}")
    return {name: kind.summary() for name, kind in kinds.items()}


def _tell(text: str) -> None:
    print(f"abuse: {text}", file=sys.stderr, flush=True)


class _Waits:
    """How long a client waited for each answer, and how long the endpoint worked meanwhile, in milliseconds."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self.cpu_ms: list[float] = []


class _Kind:
    """What was seen with one kind of body."""

    def __init__(self) -> None:
        self.quiet: list[_Waits] = []
        self.beside: list[_Waits] = []
        self.busy_after_s: list[float] = []
        self.good: Counter[int] = Counter()
        self.abuser: Counter[int] = Counter()

    def last(self) -> str:
        """What the last round gave."""
        quiet, beside = self.quiet[-1], self.beside[-1]
        slower, busier = _p99(beside.ms) / _p99(quiet.ms), _p99(beside.cpu_ms) / _p99(quiet.cpu_ms)
        return (
            f"p99 {_p99(quiet.ms):.1f} ms quiet, {_p99(beside.ms):.1f} ms beside ({slower:.1f} times); "
            f"of the processor {_p99(quiet.cpu_ms):.1f} and {_p99(beside.cpu_ms):.1f} ms ({busier:.1f} times)"
        )

    def summary(self) -> dict[str, Any]:
        """Medians, and the statuses that both clients got."""
        return {
            "rounds": len(self.beside),
            **self._compared("p99_ms", "ratio", [(_p99(b.ms), _p99(q.ms)) for b, q in self._pairs()]),
            **self._compared("p99_cpu_ms", "cpu_ratio", [(_p99(b.cpu_ms), _p99(q.cpu_ms)) for b, q in self._pairs()]),
            "busy_after_s": round(statistics.median(self.busy_after_s), 2),
            "good": dict(sorted(self.good.items())),
            "abuser": dict(sorted(self.abuser.items())),
        }

    def _pairs(self) -> Iterator[tuple[_Waits, _Waits]]:
        return zip(self.beside, self.quiet, strict=True)

    def _compared(self, what: str, ratio: str, pairs: list[tuple[float, float]]) -> dict[str, float]:
        return {
            f"{what}_quiet": round(statistics.median(quiet for _, quiet in pairs), 2),
            what: round(statistics.median(beside for beside, _ in pairs), 2),
            ratio: round(statistics.median(beside / quiet for beside, quiet in pairs), 2),
        }


async def _waits(server: Server, prompts: list[bytes], seen: "Counter[int]", count: int = _GOOD) -> _Waits:
    """Requests one after the other, `count` of them or as many as fit the time."""
    took, address = _Waits(), server.address
    until = time.perf_counter() + _PHASE_S
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    while len(took.ms) < count and time.perf_counter() < until:
        started, worked = time.perf_counter(), cpu_s(server.process)
        writer.write(address.request(prompts[len(took.ms) % len(prompts)]))
        async with asyncio.timeout(_PATIENCE_S):
            status, _, _ = await read_whole(reader)
        took.ms.append((time.perf_counter() - started) * 1000)
        took.cpu_ms.append((cpu_s(server.process) - worked) * 1000)
        seen[status] += 1
        await asyncio.sleep(_PAUSE_S)
    writer.close()
    return took


async def _calm(server: Server, prompts: list[bytes], usual_ms: float) -> float:
    """Seconds until the good client is answered as quickly as before."""
    started = time.perf_counter()
    while (busy_s := time.perf_counter() - started) < _CALM_S:
        if statistics.median((await _waits(server, prompts, Counter(), _CALM)).ms) <= _CALM_RATIO * usual_ms:
            break
    return busy_s


@asynccontextmanager
async def _abused(address: Address, body: bytes, seen: "Counter[int]") -> AsyncIterator[None]:
    """Somebody sends this body without a pause while the block runs."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        command = [sys.executable, str(_ABUSER), str(address.port), address.key, file.name]
        child = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout
        await child.stdout.readline()  # it sends
        await asyncio.sleep(_START_S)
        yield
        told, _ = await child.communicate(b"")  # which ends it
    seen.update({int(status): count for status, count in json.loads(told).items()})


def _p99(values: list[float]) -> float:
    return sorted(values)[max(0, int(len(values) * 0.99) - 1)]
