"""OpenTelemetry traces and metrics of finished requests (extra `otel`). Imported only where settings ask for it."""

import threading
from collections import deque
from http import HTTPStatus
from typing import Self

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from lockgate.gateway.telemetry.finished import Finished
from lockgate.gateway.telemetry.names import FIRST_SECONDS, GENAI, HTTP, OPERATIONS, OURS, SECONDS, TOKENS
from lockgate.gateway.telemetry.trace_parent import drawn, ids, is_sampled

_CAPACITY = 10_000
_PAUSE_S = 0.25
_NS = 1_000_000_000
_TRACES = TraceContextTextMapPropagator()

Attributes = dict[str, str | int | float | tuple[str, ...]]


class SpanIds(RandomIdGenerator):
    """Draws ids, unless the next span's are told already."""

    def __init__(self) -> None:
        self.told: tuple[int, int] | None = None

    def generate_trace_id(self) -> int:
        """The trace id that was told, for a span without a parent; else a new one."""
        return self.told[0] if self.told else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """The span id that was told, else a new one."""
        return self.told[1] if self.told else super().generate_span_id()


class OtelExporter:
    """Turns finished requests into spans and measures, in a thread of its own.

    Args:
        tracers: Makes spans, with ids from `span_ids`.
        meters: Makes measures.
        span_ids: Takes over the ids that upstreams were told.
        share: Share of requests that are traced; metrics count all of them. Of a caller's trace either every service
            with this share has its part or none.
        capacity: Requests that may wait.
    """

    def __init__(
        self,
        tracers: TracerProvider,
        meters: MeterProvider,
        span_ids: SpanIds,
        *,
        share: float,
        capacity: int = _CAPACITY,
    ) -> None:
        self._tracers, self._meters, self._span_ids = tracers, meters, span_ids
        self._tracer = tracers.get_tracer("lockgate.gateway")
        meter = meters.get_meter("lockgate.gateway")
        make = meter.create_histogram
        self._duration = make(GENAI["duration"], unit="s", explicit_bucket_boundaries_advisory=SECONDS)
        self._tokens = make(GENAI["tokens"], unit="{token}", explicit_bucket_boundaries_advisory=TOKENS)
        self._first_token = make(GENAI["first_token"], unit="s", explicit_bucket_boundaries_advisory=FIRST_SECONDS)
        self._share = share
        self._capacity = capacity
        self._waiting: deque[Finished] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="lockgate-otel", daemon=True)
        self._thread.start()

    @classmethod
    def over_http(cls, share: float) -> Self:
        """Send by OTLP over HTTP to where the `OTEL_EXPORTER_OTLP_*` variables say."""
        resource = Resource.create({"service.name": "lockgate"})
        span_ids = SpanIds()
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False, id_generator=span_ids)
        tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        return cls(tracers, meters, span_ids, share=share)

    def take(self, finished: Finished) -> bool:
        """Queue a request; False when the queue is full."""
        if len(self._waiting) >= self._capacity:
            return False
        self._waiting.append(finished)
        return True

    def close(self) -> None:
        """Send what waits and end."""
        self._closing.set()
        self._thread.join(timeout=5)
        self._tracers.shutdown()
        self._meters.shutdown()

    def _work(self) -> None:
        while not self._closing.wait(_PAUSE_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        while self._waiting:
            self._send(self._waiting.popleft())

    def _send(self, finished: Finished) -> None:
        operation = OPERATIONS.get(finished.route, "")
        known = {"request_model": finished.model, "provider": finished.provider, "operation": operation}
        shared: Attributes = {GENAI[name]: value for name, value in known.items() if value}
        failed = finished.status >= HTTPStatus.BAD_REQUEST
        if failed:
            shared[GENAI["error"]] = finished.labels[0] if finished.labels else str(finished.status)
        if operation:
            self._measure(finished, shared)
        trace = _TRACES.extract({"traceparent": finished.trace})
        if finished.span:
            # What upstreams were told was drawn then.
            if not is_sampled(finished.span):
                return
        elif drawn(get_current_span(trace).get_span_context().trace_id) >= self._share:
            return
        self._span_ids.told = ids(finished.span) if finished.span else None
        span = self._tracer.start_span(
            f"{operation or finished.method} {finished.model or finished.route}",
            context=trace,
            kind=SpanKind.CLIENT if operation else SpanKind.SERVER,
            attributes={**shared, **_about(finished)},
            start_time=int(finished.at * _NS),
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(int((finished.at + finished.total_s) * _NS))

    def _measure(self, finished: Finished, shared: Attributes) -> None:
        self._duration.record(finished.total_s, shared)
        if finished.first_token_s:
            self._first_token.record(finished.first_token_s, shared)
        for kind, count in (("input", finished.input_tokens), ("output", finished.output_tokens)):
            if count:
                self._tokens.record(count, {**shared, GENAI["token_type"]: kind})


def _about(finished: Finished) -> Attributes:
    streamed: Attributes = {GENAI["streams"]: True} if finished.streams else {}
    if finished.first_token_s:
        streamed[GENAI["first_chunk"]] = finished.first_token_s
    return {
        **streamed,
        HTTP["method"]: finished.method,
        HTTP["route"]: finished.route,
        HTTP["status"]: finished.status,
        GENAI["input_tokens"]: finished.input_tokens,
        GENAI["output_tokens"]: finished.output_tokens,
        OURS["verdict"]: finished.action,
        OURS["labels"]: finished.labels,
        OURS["guard_s"]: finished.guard_s,
        OURS["request_id"]: finished.id,
        OURS["key_id"]: finished.key_id,
        OURS["tenant"]: finished.tenant,
        OURS["source"]: finished.source,
    }
