from collections.abc import Callable
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
from lockgate.gateway.telemetry.otel import OtelExporter, SpanIds
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.gateway.telemetry.trace_parent import ids, is_sampled, own_span, trace_parent

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
    span_ids = SpanIds()
    tracers = TracerProvider(id_generator=span_ids)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    return OtelExporter(tracers, MeterProvider([reader]), span_ids, share=share), spans, reader


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


@given(st.sampled_from(["", f"00-{TRACE}-{PARENT}-00", f"00-{TRACE}-{PARENT}-01"]), st.sampled_from([0.0, 0.2, 1.0]))
def test_upstreams_are_told_of_a_span_of_ours_in_the_same_trace(parent: str, share: float) -> None:
    told = own_span(parent, share)
    assert trace_parent([(b"traceparent", told.encode())]) == told
    assert told != own_span(parent, share)
    if parent:
        assert ids(told)[0] == ids(parent)[0]
        assert ids(told)[1] != ids(parent)[1]
    if share == 1:
        assert is_sampled(told) is (not parent or is_sampled(parent))
    if share == 0:
        assert not is_sampled(told)


@pytest.mark.parametrize("trace", ["", f"00-{TRACE}-{PARENT}-01"])
def test_the_span_has_the_ids_that_upstreams_were_told(trace: str) -> None:
    told = own_span(trace, 1.0)
    (first, second), _ = exported(structs.replace(DONE, trace=trace, span=told), DONE)
    assert (first.context.trace_id, first.context.span_id) == ids(told)
    assert (f"{first.parent.span_id:016x}" if first.parent else "") == (PARENT if trace else "")
    assert second.context.trace_id != first.context.trace_id
    assert second.context.span_id != first.context.span_id


def test_a_span_that_upstreams_were_told_is_not_kept_is_not() -> None:
    spans, metrics = exported(structs.replace(DONE, span=own_span("", 0.0)))
    assert spans == ()
    assert metrics["gen_ai.client.operation.duration"][0].count == 1


CALLER = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=said-by-the-caller"}
ASKED = b'{"model": "assistant", "messages": [{"role": "user", "content": "When do you open?"}]}'


async def told_upstream(world: Any, headers: dict[str, str]) -> str:
    world.model.forget()
    assert (await world.send("POST", "/v1/chat/completions", ASKED, headers))[0] == 200
    (got,) = world.model.headers
    assert not {name for name in got if name.lower() == "tracestate"}
    return got.get("traceparent", "")


async def test_an_upstream_is_told_of_no_trace_unless_settings_say_so(start: Callable[..., Any]) -> None:
    exporter, _, _ = in_memory()
    async with start(telemetry=Telemetry(exporter=exporter)) as world:
        assert await told_upstream(world, CALLER) == ""
    exporter.close()


async def test_where_settings_say_so_the_upstream_s_part_hangs_below_ours(start: Callable[..., Any]) -> None:
    exporter, spans, _ = in_memory()
    async with start(telemetry=Telemetry(exporter=exporter), pass_trace=True) as world:
        joined, alone = await told_upstream(world, CALLER), await told_upstream(world, {})
        unkept = await told_upstream(world, {"traceparent": f"00-{TRACE}-{PARENT}-00"})
        await told_upstream(world, {"traceparent": "not one"})
    exporter.close()
    mine = [(span.context.trace_id, span.context.span_id) for span in spans.get_finished_spans()]
    assert mine[:2] == [ids(joined), ids(alone)]
    assert len(mine) == 3
    assert joined.startswith(f"00-{TRACE}-")
    assert unkept.startswith(f"00-{TRACE}-")
    assert not is_sampled(unkept)


async def test_a_gateway_that_traces_nothing_passes_the_caller_s_own(start: Callable[..., Any]) -> None:
    async with start(pass_trace=True) as world:
        assert await told_upstream(world, CALLER) == CALLER["traceparent"]
        assert await told_upstream(world, {}) == ""
        assert await told_upstream(world, {"traceparent": f"00-{TRACE}-{'0' * 16}-01"}) == ""
