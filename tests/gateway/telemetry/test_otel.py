from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from lockgate.core.config_upstreams import TelemetryConfig
from lockgate.gateway import GatewayError
from lockgate.gateway.telemetry import Finished, start_telemetry
from lockgate.gateway.telemetry.otel import OtelExporter
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.gateway.telemetry.trace_parent import trace_parent

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


def in_memory(share: float = 1.0) -> tuple[OtelExporter, InMemorySpanExporter, InMemoryMetricReader]:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    return OtelExporter(tracers, MeterProvider([reader]), share=share), spans, reader


def exported(*requests: Finished, share: float = 1.0) -> tuple[Any, dict[str, Any]]:
    exporter, spans, reader = in_memory(share)
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
    assert "gen_ai.request.stream" not in span.attributes
    assert span.attributes["gen_ai.response.time_to_first_chunk"] == 0.1
    assert metrics["gen_ai.client.operation.time_to_first_chunk"][0].sum == 0.1
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


def test_histograms_have_borders_that_tell_a_fast_answer_from_a_slow_one() -> None:
    _, metrics = exported(DONE, structs.replace(DONE, total_s=3.0, first_token_s=0.3, input_tokens=900))
    for points in metrics.values():
        for point in points:
            assert point.attributes.get("gen_ai.token.type") == "output" or max(point.bucket_counts) == 1


TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def part_of(trace: str = TRACE, *, sampled: bool = True) -> Finished:
    return structs.replace(DONE, trace=f"00-{trace}-{PARENT}-0{int(sampled)}")


def test_a_request_joins_the_trace_of_its_caller() -> None:
    (span,), _ = exported(part_of())
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    assert span.parent.is_remote


def test_a_trace_that_the_caller_does_not_keep_is_not_kept_here_and_one_it_keeps_is_by_its_id() -> None:
    assert exported(part_of(sampled=False))[0] == ()
    low, high = f"{'1' * 16}{'0' * 15}1", f"{'1' * 16}{'f' * 16}"
    assert len(exported(*[part_of(low)] * 20, share=0.1)[0]) == 20
    assert exported(*[part_of(high)] * 20, share=0.9)[0] == ()
    assert len(exported(part_of(high))[0]) == 1


NOT_WELL_FORMED = (
    f"00-{TRACE}-{PARENT}",
    f"00-{TRACE}-{PARENT}-01-x",
    f"01-{TRACE}-{PARENT}-01",
    f"ff-{TRACE}-{PARENT}-01",
    f"00-{TRACE.upper()}-{PARENT}-01",
    f"00-{'0' * 32}-{PARENT}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE}-{PARENT}-01\n",
    "",
)


@pytest.mark.parametrize("value", NOT_WELL_FORMED)
def test_a_header_that_is_not_well_formed_names_no_trace(value: str) -> None:
    assert trace_parent([(b"traceparent", value.encode())]) == ""


def test_of_two_headers_none_counts() -> None:
    good = (b"traceparent", f"00-{TRACE}-{PARENT}-01".encode())
    assert trace_parent([(b"x", b"y"), good]) == good[1].decode()
    assert trace_parent([good, good]) == trace_parent([(b"x", b"y")]) == ""


@given(st.binary(max_size=80) | st.from_regex(rb"0[0-9]-[0-9a-fA-F]{30,33}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True))
def test_what_is_taken_is_what_the_library_takes(value: bytes) -> None:
    taken = trace_parent([(b"traceparent", value)])
    context = TraceContextTextMapPropagator().extract({"traceparent": taken})
    assert get_current_span(context).get_span_context().is_valid == bool(taken)
    assert taken in {"", value.decode("latin-1")}


async def test_the_endpoint_takes_the_trace_from_a_request(start: Any) -> None:
    exporter, spans, _ = in_memory()
    async with start(telemetry=Telemetry(exporter=exporter)) as world:
        await world.send("GET", "/v1/models", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        await world.chat()
        await world.send("GET", "/v1/models", headers={"authorization": "", "traceparent": "nonsense"})
    exporter.close()
    found = spans.get_finished_spans()
    assert [f"{span.context.trace_id:032x}" == TRACE for span in found] == [True, False, False]


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
