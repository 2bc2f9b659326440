"""The one object that the data path tells what happens."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Protocol

from lockgate.gateway.errors import FAIL_OPEN
from lockgate.gateway.telemetry.access_log import AccessLog
from lockgate.gateway.telemetry.finished import Finished
from lockgate.gateway.telemetry.names import METRICS
from lockgate.gateway.telemetry.registry import Counter, Family, Gauge, Histogram
from lockgate.gateway.upstreams.server import UpstreamState

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_MAX_LINES = 5_000
_OTHER = ("other", 0, "other", "other")
_PROBES = frozenset({"/livez", "/readyz"})


class Exporter(Protocol):
    """Takes finished requests elsewhere, without waiting."""

    def take(self, finished: Finished) -> bool:
        """Queue a request; False when the queue is full."""
        ...

    def close(self) -> None:
        """Send what waits and end."""
        ...


class _Line:
    """What is counted of requests that are alike; metrics are summed up from it when somebody asks."""

    __slots__ = ("count", "durations", "first_s", "firsts", "guard_s", "guards", "tokens_in", "tokens_out", "total_s")

    def __init__(self) -> None:
        self.count = self.tokens_in = self.tokens_out = 0
        self.total_s = self.guard_s = self.first_s = 0.0
        self.durations = [0] * (len(_SECONDS) + 1)
        self.firsts = [0] * (len(_SECONDS) + 1)
        self.guards = [0] * (len(_FAST) + 1)

    def take(self, finished: Finished) -> None:
        """Count one request."""
        self.count += 1
        total_s, guard_s, first_s = finished.total_s, finished.guard_s, finished.first_token_s
        self.total_s += total_s
        self.durations[bisect_left(_SECONDS, total_s)] += 1
        if guard_s:
            self.guard_s += guard_s
            self.guards[bisect_left(_FAST, guard_s)] += 1
        if first_s:
            self.first_s += first_s
            self.firsts[bisect_left(_SECONDS, first_s)] += 1
        self.tokens_in += finished.input_tokens
        self.tokens_out += finished.output_tokens


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
        self._lines: dict[tuple[str, int, str, str], _Line] = {}
        self._sheds = Counter(*METRICS["sheds"], ("queue",))
        self._unjudged = Counter(*METRICS["unjudged"], ("route",))
        self._calls = Counter(*METRICS["calls"], ("upstream", "outcome"))
        self._second_tries = Counter(*METRICS["second_tries"], ("upstream", "kind"))
        self._call_duration = Histogram(*METRICS["call_duration"], ("upstream",), _SECONDS)

    @property
    def traces(self) -> bool:
        """Whether requests are traced, so that it matters which trace they belong to."""
        return self._exporter is not None

    def request_started(self) -> None:
        """A request came."""
        self._in_flight += 1

    def request_finished(self, finished: Finished) -> None:
        """A request that `request_started` announced was answered, or its caller left."""
        self._in_flight -= 1
        key = (finished.route, finished.status, finished.action, finished.model)
        line = self._lines.get(key)
        if line is None:
            line = self._lines.setdefault(key if len(self._lines) < _MAX_LINES else _OTHER, _Line())
        line.take(finished)
        if FAIL_OPEN in finished.labels:
            self._unjudged.add((finished.route,))
        if finished.route in _PROBES:
            return
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
        """A call is tried again (`retry`, `reconnect`, `fallback`), or the budget refused that (`refused`)."""
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
        queues = (in_flight, self._sheds, self._unjudged)
        rest = (*queues, self._calls, self._call_duration, self._second_tries, circuits, calls)
        return [*self._of_requests(), *(metric.family() for metric in rest)]

    def _of_requests(self) -> list[Family]:
        requests = Counter(*METRICS["requests"], ("route", "status"))
        verdicts = Counter(*METRICS["verdicts"], ("route", "action"))
        tokens = Counter(*METRICS["tokens"], ("model", "direction"))
        duration = Histogram(*METRICS["duration"], ("route",), _SECONDS)
        first_token = Histogram(*METRICS["first_token"], ("route",), _SECONDS)
        guard = Histogram(*METRICS["guard"], ("route",), _FAST)
        for (route, status, action, model), line in self._lines.items():
            requests.add((route, str(status)), line.count)
            if route in _PROBES:
                continue
            verdicts.add((route, action), line.count)
            duration.add((route,), line.durations, line.total_s)
            guard.add((route,), line.guards, line.guard_s)
            first_token.add((route,), line.firsts, line.first_s)
            if line.tokens_in or line.tokens_out:
                tokens.add((model, "input"), line.tokens_in)
                tokens.add((model, "output"), line.tokens_out)
        return [metric.family() for metric in (requests, verdicts, duration, first_token, guard, tokens)]

    def exchange(self, access_log: AccessLog | None, exporter: Exporter | None) -> Callable[[], None]:
        """Send what comes from now on elsewhere; counts go on.

        Returns:
            Writes and sends what the ones before still hold, which may take seconds.
        """
        before = Telemetry(self._access_log, self._exporter)
        self._access_log, self._exporter = access_log, exporter
        return before.close

    def close(self) -> None:
        """Write and send what waits."""
        for part in (self._access_log, self._exporter):
            if part:
                part.close()
