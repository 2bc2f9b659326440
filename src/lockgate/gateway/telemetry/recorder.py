"""The one object that the data path tells what happens."""

from collections.abc import Iterable
from typing import Protocol

from lockgate.gateway.telemetry.access_log import AccessLog
from lockgate.gateway.telemetry.finished import Finished
from lockgate.gateway.telemetry.names import METRICS
from lockgate.gateway.telemetry.registry import Counter, Family, Gauge, Histogram
from lockgate.gateway.upstreams.server import UpstreamState

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_PROBES = frozenset({"/livez", "/readyz"})


class Exporter(Protocol):
    """Takes finished requests elsewhere, without waiting."""

    def take(self, finished: Finished) -> bool:
        """Queue a request; False when the queue is full."""
        ...

    def close(self) -> None:
        """Send what waits and end."""
        ...


class Telemetry:
    """Counts what happens and hands it to the access log and to OpenTelemetry. It also observes calls to upstreams.

    Every method that the data path calls only updates memory: no lock, no file, no socket.

    Args:
        access_log: Writes a line a request; None for none.
        exporter: Sends traces and metrics; None for none.
    """

    def __init__(self, access_log: AccessLog | None = None, exporter: Exporter | None = None) -> None:
        self._access_log = access_log
        self._exporter = exporter
        self._in_flight = 0
        self._requests = Counter(*METRICS["requests"], ("route", "status"))
        self._verdicts = Counter(*METRICS["verdicts"], ("route", "action"))
        self._tokens = Counter(*METRICS["tokens"], ("model", "direction"))
        self._sheds = Counter(*METRICS["sheds"], ("queue",))
        self._calls = Counter(*METRICS["calls"], ("upstream", "outcome"))
        self._second_tries = Counter(*METRICS["second_tries"], ("upstream", "kind"))
        self._duration = Histogram(*METRICS["duration"], ("route",), _SECONDS)
        self._first_token = Histogram(*METRICS["first_token"], ("route",), _SECONDS)
        self._guard = Histogram(*METRICS["guard"], ("route",), _FAST)
        self._call_duration = Histogram(*METRICS["call_duration"], ("upstream",), _SECONDS)

    def request_started(self) -> None:
        """A request came."""
        self._in_flight += 1

    def request_finished(self, finished: Finished) -> None:
        """A request that `request_started` announced was answered, or its caller left."""
        self._in_flight -= 1
        route = finished.route
        self._requests.add((route, str(finished.status)))
        if route in _PROBES:
            return
        self._verdicts.add((route, finished.action))
        place = (route,)
        self._duration.observe(place, finished.total_s)
        if finished.guard_s:
            self._guard.observe(place, finished.guard_s)
        if finished.first_token_s:
            self._first_token.observe(place, finished.first_token_s)
        if finished.input_tokens or finished.output_tokens:
            self._tokens.add((finished.model, "input"), finished.input_tokens)
            self._tokens.add((finished.model, "output"), finished.output_tokens)
        if self._access_log and not self._access_log.take(finished):
            self._sheds.add(("access_log",))
        if self._exporter and not self._exporter.take(finished):
            self._sheds.add(("otel",))

    def shed(self, queue: str) -> None:
        """A full queue turned something away: `guard`, `events`, `requests`."""
        self._sheds.add((queue,))

    def call_ended(self, upstream: str, outcome: str, seconds: float) -> None:
        """One call to an upstream ended, or the head of its answer arrived."""
        self._calls.add((upstream, outcome))
        self._call_duration.observe((upstream,), seconds)

    def second_try(self, upstream: str, kind: str) -> None:
        """A call is tried again (`retry`, `fallback`), or the budget refused that (`refused`)."""
        self._second_tries.add((upstream, kind))

    def families(self, upstreams: Iterable[UpstreamState] = ()) -> list[Family]:
        """Every metric as it stands now."""
        in_flight = Gauge(*METRICS["in_flight"])
        in_flight.set((), self._in_flight)
        circuits = Gauge(*METRICS["circuits"], ("upstream", "state"))
        calls = Gauge(*METRICS["upstream_in_flight"], ("upstream",))
        for state in upstreams:
            for circuit in ("closed", "half-open", "open"):
                circuits.set((state.name, circuit), float(state.circuit == circuit))
            calls.set((state.name,), state.in_flight)
        known = (
            *(self._requests, self._verdicts, self._duration, self._first_token, self._guard, self._tokens, in_flight),
            *(self._sheds, self._calls, self._call_duration, self._second_tries, circuits, calls),
        )
        return [metric.family() for metric in known]

    def close(self) -> None:
        """Write and send what waits."""
        for part in (self._access_log, self._exporter):
            if part:
                part.close()
