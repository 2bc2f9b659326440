from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lockgate.core.config_upstreams import TelemetryConfig
from lockgate.gateway import GatewayError
from lockgate.gateway.telemetry import Finished, start_telemetry
from lockgate.gateway.telemetry.otel import OtelExporter

DONE = Finished(
    id="req-1",
    at=1_780_000_000.0,
    method="POST",
    route="/v1/chat/completions",
    status=200,
    model="assistant",
    provider="openai",
    total_s=0.5,
    first_token_s=0.1,
    input_tokens=7,
    output_tokens=3,
)


def exported(*requests: Finished, share: float = 1.0) -> tuple[Any, dict[str, Any]]:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    exporter = OtelExporter(tracers, MeterProvider([reader]), share=share)
    for request in requests:
        assert exporter.take(request)
    exporter._closing.set()
    exporter._thread.join()
    data = reader.get_metrics_data()
    metrics = data.resource_metrics[0].scope_metrics[0].metrics if data else []
    found = {metric.name: list(metric.data.data_points) for metric in metrics}
    exporter.close()
    return spans.get_finished_spans(), found


def test_a_request_is_a_span_in_the_words_of_the_conventions() -> None:
    (span,), metrics = exported(DONE)
    assert span.name == "chat assistant"
    assert span.kind.name == "CLIENT"
    assert span.attributes["gen_ai.operation.name"] == "chat"
    assert span.attributes["gen_ai.provider.name"] == "openai"
    assert span.attributes["gen_ai.usage.input_tokens"] == 7
    assert span.attributes["lockgate.verdict"] == "allow"
    assert span.end_time - span.start_time == 500_000_000
    assert metrics["gen_ai.client.operation.duration"][0].sum == 0.5
    assert metrics["gen_ai.server.time_to_first_token"][0].sum == 0.1
    tokens = {point.attributes["gen_ai.token.type"]: point.sum for point in metrics["gen_ai.client.token.usage"]}
    assert tokens == {"input": 7, "output": 3}


def test_a_refusal_is_an_error_and_other_routes_have_no_operation() -> None:
    blocked = Finished(
        id="r", at=1.0, method="POST", route="/v1/messages", status=400, action="block", labels=("injection",)
    )
    models = Finished(id="r", at=1.0, method="GET", route="/v1/models", status=401)
    spans, _ = exported(blocked, models)
    assert [span.attributes["error.type"] for span in spans] == ["injection", "401"]
    assert [span.status.status_code.name for span in spans] == ["ERROR", "ERROR"]
    assert spans[1].name == "GET /v1/models"


def test_traces_can_be_sampled_and_metrics_are_whole() -> None:
    spans, metrics = exported(DONE, DONE, share=0.0)
    assert spans == ()
    assert metrics["gen_ai.client.operation.duration"][0].count == 2


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lockgate.gateway.telemetry.otel", None)
    with pytest.raises(GatewayError, match="not installed") as caught:
        start_telemetry(TelemetryConfig(otel=True))
    assert "lockgate[otel]" in caught.value.remedy


def test_by_default_nothing_is_sent() -> None:
    telemetry = start_telemetry(TelemetryConfig())
    telemetry.request_started()
    telemetry.request_finished(DONE)
    telemetry.close()
