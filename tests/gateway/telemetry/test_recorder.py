import json
import re
import time
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lockgate.gateway.telemetry import AccessLog, Finished, Telemetry, exposition, merge
from lockgate.gateway.telemetry.registry import Counter, Histogram
from lockgate.gateway.upstreams import UpstreamState

DONE = Finished(
    id="req-1",
    at=1_780_000_000.0,
    method="POST",
    route="/v1/chat/completions",
    status=200,
    model="assistant",
    provider="openai",
    action="redact",
    labels=("pii.email",),
    key_id="key-1",
    guard_s=0.002,
    first_token_s=0.03,
    total_s=0.2,
    input_tokens=7,
    output_tokens=3,
)
LINE = re.compile(r'^[a-z_]+(\{[a-z_]+="(?:[^"\\]|\\.)*"(,[a-z_]+="(?:[^"\\]|\\.)*")*\})? [0-9.e+-]+$')


def test_a_request_shows_in_every_metric_it_concerns() -> None:
    telemetry = Telemetry()
    telemetry.request_started()
    telemetry.request_started()
    telemetry.request_finished(DONE)
    telemetry.shed("guard")
    telemetry.call_ended("main", "ok", 0.1)
    telemetry.second_try("main", "retry")
    text = exposition(telemetry.families([UpstreamState("main", "openai", "open", 2, 8)])).decode()
    for line in (
        'lockgate_requests_total{route="/v1/chat/completions",status="200"} 1',
        'lockgate_verdicts_total{route="/v1/chat/completions",action="redact"} 1',
        'lockgate_request_duration_seconds_bucket{route="/v1/chat/completions",le="0.25"} 1',
        'lockgate_request_duration_seconds_bucket{route="/v1/chat/completions",le="0.1"} 0',
        'lockgate_guard_duration_seconds_sum{route="/v1/chat/completions"} 0.002',
        'lockgate_time_to_first_token_seconds_count{route="/v1/chat/completions"} 1',
        'lockgate_tokens_total{model="assistant",direction="input"} 7',
        "lockgate_requests_in_flight 1",
        'lockgate_shed_total{queue="guard"} 1',
        'lockgate_upstream_calls_total{upstream="main",outcome="ok"} 1',
        'lockgate_upstream_second_tries_total{upstream="main",kind="retry"} 1',
        'lockgate_upstream_circuit{upstream="main",state="open"} 1',
        'lockgate_upstream_circuit{upstream="main",state="closed"} 0',
        'lockgate_upstream_in_flight{upstream="main"} 2',
    ):
        assert line in text.splitlines()
    assert all(LINE.match(line) for line in text.splitlines() if not line.startswith("#"))


def test_probes_are_counted_and_nothing_more() -> None:
    telemetry = Telemetry()
    telemetry.request_started()
    telemetry.request_finished(Finished(id="r", at=0, method="GET", route="/livez", status=200))
    text = exposition(telemetry.families()).decode()
    assert 'lockgate_requests_total{route="/livez",status="200"} 1' in text
    assert 'lockgate_verdicts_total{route="/livez"' not in text


@given(st.lists(st.floats(0, 100), max_size=50), st.lists(st.floats(0, 100), max_size=50))
def test_workers_add_up_to_what_one_would_have_counted(first: list[float], second: list[float]) -> None:
    def measured(measures: list[float]) -> Histogram:
        histogram = Histogram("h", "A measure.", ("route",), (0.5, 10.0))
        for measure in measures:
            histogram.observe(("r",), round(measure, 1))
        return histogram

    merged = exposition(merge([[measured(first).family()], [measured(second).family()]])).decode()
    alone = exposition([measured(first + second).family()]).decode()
    counts = re.compile(r"^(?!.*_sum).*$", re.MULTILINE)
    assert counts.findall(merged) == counts.findall(alone)


def test_label_values_cannot_forge_lines_or_fill_the_memory() -> None:
    counter = Counter("c_total", "Things.", ("name",))
    counter.add(('a"\n# x\\',))
    assert exposition([counter.family()]).decode().splitlines()[2] == 'c_total{name="a\\"\\n# x\\\\"} 1'
    for number in range(3_000):
        counter.add((str(number),))
    assert len(counter.family().samples) <= 2_001
    assert counter.family().samples[-1].values == ("other",)


def written(form: str, **options: Any) -> tuple[AccessLog, list[bytes]]:
    lines: list[bytes] = []
    return AccessLog(form, lines.append, **options), lines


def test_the_access_log_has_one_line_a_request() -> None:
    log, lines = written("json")
    telemetry = Telemetry(log)
    telemetry.request_started()
    telemetry.request_finished(DONE)
    telemetry.close()
    (line,) = b"".join(lines).splitlines()
    assert json.loads(line)["route"] == "/v1/chat/completions"
    assert json.loads(line)["labels"] == ["pii.email"]
    log, lines = written("text")
    log.take(DONE)
    log.close()
    assert lines == [
        b"2026-05-28T20:26:40Z POST /v1/chat/completions 200 redact 200.0ms guard=2.0ms tokens=7+3 key-1 req-1\n"
    ]


def test_a_reader_that_is_slow_or_gone_costs_lines_and_says_so() -> None:
    log, _ = written("json", capacity=1)
    telemetry = Telemetry(log)
    for _ in range(3):
        telemetry.request_started()
        telemetry.request_finished(DONE)
    assert 'lockgate_shed_total{queue="access_log"} 2' in exposition(telemetry.families()).decode()
    telemetry.close()

    def gone(lines: bytes) -> None:
        raise BrokenPipeError

    broken = AccessLog("json", gone)
    broken.take(DONE)
    broken.close()
    assert broken.lost == 1


def cost_us(hook: Callable[[], object]) -> float:
    """The best of several rounds, so that a busy machine does not count."""
    rounds = 2_000
    best = float("inf")
    for _ in range(7):
        started = time.perf_counter()
        for _ in range(rounds):
            hook()
        best = min(best, (time.perf_counter() - started) / rounds * 1e6)
    return best


def test_every_hook_is_cheap() -> None:
    telemetry = Telemetry()
    hooks = {
        "started": telemetry.request_started,
        "finished": lambda: telemetry.request_finished(DONE),
        "call": lambda: telemetry.call_ended("main", "ok", 0.1),
        "second": lambda: telemetry.second_try("main", "retry"),
        "shed": lambda: telemetry.shed("guard"),
    }
    costs = {name: cost_us(hook) for name, hook in hooks.items()}
    # 5 µs on a quiet machine: there, this loop body takes about 0.05 µs.
    yardstick = max(1.0, cost_us(lambda: None) / 0.05)
    assert max(costs.values()) < 5 * yardstick, costs
