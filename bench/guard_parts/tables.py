"""The report as plain text."""

import math
from collections.abc import Iterable, Iterator, Sequence

from guard_parts.layers import SENSITIVITIES
from guard_parts.measures import Recall, Share
from guard_parts.report import Compared, FalseAlarms, Report
from guard_parts.speed import TINY

_NAMES = {"kind": "kind of attack", "source": "source", "lang": "language"}


def lines(report: Report) -> Iterator[str]:
    """Every line of the report."""
    data = report.data
    yield f"{report.machine}; {report.weights}"
    sizes = f"{data.rows} rows, {data.attacks} attacks, {data.benign} benign; {data.groups} groups, by {data.grouping}"
    yield f"{data.name}: {sizes}"
    yield from data.notes
    yield "Intervals are 95 %: of recall by drawing whole groups 1,000 times, of single rates by Wilson's score."
    yield from _recall(report)
    yield from _alarms(report)
    yield from _compared(report)
    yield from _places(report)
    yield from _costs(report)


def _recall(report: Report) -> Iterator[str]:
    rate, area = _number(report.threshold, 4), _number(report.area, 4)
    yield f"\nRecall, %. 1 % of all benign rows score above {rate}; area under the curve {area}"
    for column, found in report.recalls.items():
        head = (_NAMES[column], "attacks", "groups", "at 1 % FPR", "95 %", "default verdict", "95 %")
        rows = [
            (
                row.name,
                row.attacks,
                row.groups,
                _percent(row.at_rate.value),
                _range(row.at_rate),
                _percent(row.verdict.value),
                _range(row.verdict),
            )
            for row in found
        ]
        yield from _table(head, rows)
    yield from _table(
        ("sensitivity", "attacks blocked", "%", "95 %"),
        [
            (name, hits, _percent(_ratio(hits, report.data.attacks)), _pair(interval))
            for name, (hits, interval) in report.sensitivities.items()
        ],
    )


def _alarms(report: Report) -> Iterator[str]:
    yield "\nBenign rows blocked, %, by sensitivity (the default is balanced)"
    for column, found in report.false_alarms.items():
        head = (f"benign {column}", "rows", *(part for name in SENSITIVITIES for part in (name, "95 %")))
        yield from _table(head, [_alarm(row) for row in found])
    if report.failed:
        yield f"The guard erred on {report.failed} rows, and so blocked them."
    if report.too_long:
        yield f"{report.too_long} rows are longer than the guard inspects, and were blocked for that."


def _alarm(row: FalseAlarms) -> tuple[object, ...]:
    cells = ((_percent(_ratio(row.blocked[name], row.rows)), _pair(row.intervals[name])) for name in SENSITIVITIES)
    return (row.name, row.rows, *(cell for pair in cells for cell in pair))


def _compared(report: Report) -> Iterator[str]:
    yield "\nEach layer by its own score; the encoder reads the windows of a text that the linear model suspects most"
    head = ("layer", "recall at 1 % FPR", "95 %", "mean over kinds", "95 %", "area")
    yield from _table(head, [(row.name, *_overall(row), _number(row.area, 4)) for row in report.ablation])
    yield f"The encoder is asked about {_percent(report.asked)} % of these rows."
    yield "\nSide by side on the same rows; ties count against a detector, so one with few distinct scores may show 0"
    everyone = (report.ours, report.baseline, *report.peers)
    ours = ("detector", "licence", "recall at 1 % FPR", "95 %", "mean over kinds", "95 %", "area")
    yield from _table(ours, [_side(row) for row in everyone])
    verdicts = (
        "by its own verdict",
        "recall",
        "95 %",
        "benign blocked",
        "CPU ms median",
        "p99",
        "errors",
        "how it works",
    )
    yield from _table(verdicts, [_verdict(row, report.data.benign) for row in everyone if not row.not_run])
    if report.peers:
        yield from _by_kind(everyone)


def _overall(row: Compared) -> tuple[str, str, str, str]:
    if not row.recalls:
        return "-", "-", "-", "-"
    whole, mean = row.recalls[-2:]
    return _percent(whole.at_rate.value), _range(whole.at_rate), _percent(mean.at_rate.value), _range(mean.at_rate)


def _side(row: Compared) -> tuple[str, ...]:
    if row.not_run:
        return row.name, row.licence, f"not run, {row.not_run}"
    return row.name, row.licence or "this project", *_overall(row), _number(row.area, 4)


def _verdict(row: Compared, benign: int) -> tuple[object, ...]:
    recall = row.recalls[-2].verdict if row.recalls else Share(None)
    alarms = _percent(_ratio(row.false_alarms or 0, benign))
    return (
        row.name,
        _percent(recall.value),
        _range(recall),
        alarms,
        _number(row.median, 2),
        _number(row.p99, 2),
        row.errors,
        row.kind,
    )


def _by_kind(everyone: Sequence[Compared]) -> Iterator[str]:
    ran = [row for row in everyone if row.recalls]
    yield "\nRecall at 1 % FPR by kind of attack, %"
    kinds: list[Recall] = list(ran[0].recalls) if ran else []
    body = [
        (kind.name, *(_percent(row.recalls[place].at_rate.value) for row in ran)) for place, kind in enumerate(kinds)
    ]
    yield from _table(("kind of attack", *(row.name for row in ran)), body)


def _places(report: Report) -> Iterator[str]:
    yield "\nAttacks in 6,000 characters of benign rows, as documents, at the default verdict"
    yield from _table(
        ("place", "attacks", "blocked", "%", "95 %"),
        [
            (row.place, row.rows, row.blocked, _percent(_ratio(row.blocked, row.rows)), _pair(row.interval))
            for row in report.placed
        ],
    )


def _costs(report: Report) -> Iterator[str]:
    yield "\nProcessor time of a call, one thread, real rows cut or joined to length"
    yield from _table(
        ("characters", "texts", "calls", "median ms", "p99 ms", "reached the encoder %"),
        [
            (f"{row.length:,}", row.mix, row.calls, f"{row.median:.2f}", f"{row.p99:.2f}", _percent(row.encoder))
            for row in report.timed
        ],
    )
    started = report.started
    times = f"{started.wall_ms:.0f} ms ({started.cpu_ms:.0f} ms of processor time)"
    yield f"\nFresh process to its first verdict, median of 5: {times}; then {started.resident_mb:.0f} MB resident"
    if report.stressed:
        many = report.stressed
        yield (
            f"{many.calls:,} calls of up to {TINY} characters from {many.threads} threads: "
            f"{many.per_second:,.0f} a second, "
            f"{many.errors} errors, {many.before_mb:.0f} MB resident before, {many.after_mb:.0f} MB after"
        )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Columns as wide as they need be; the first is aligned left, and a row may be shorter than the head."""
    body = [tuple(map(str, row)) for row in rows]
    full = [row for row in body if len(row) == len(head)]
    widths = [max(map(len, column)) for column in zip(head, *full, strict=True)]
    widths[0] = max(widths[0], *(len(row[0]) for row in body)) if body else widths[0]
    yield ""
    for row in (tuple(head), *body):
        first, *others = row
        if len(row) < len(head):
            yield "  ".join((first.ljust(widths[0]), *others))
        else:
            yield "  ".join(
                (first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)))
            )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None or math.isinf(value) else f"{value:.{digits}f}"


def _range(share: Share) -> str:
    if share.low is None or share.high is None:
        return "-" if share.value is None else "one group"
    return _pair((share.low, share.high))


def _pair(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"
