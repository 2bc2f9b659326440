"""Counters, gauges and histograms, and the text in which Prometheus reads them.

Ours rather than a client library's, because an update then costs a dictionary look-up, and because the counts of
several worker processes must be added up without files between them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import msgspec

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MAX_SERIES = 2_000
_OTHER = "other"


class Sample(msgspec.Struct):
    """One line of a family: the suffix of its name, its label names and values, and the number."""

    suffix: str
    labels: tuple[str, ...]
    values: tuple[str, ...]
    number: float


class Family(msgspec.Struct):
    """Everything that one metric has to say."""

    name: str
    kind: str
    text: str
    samples: list[Sample]


class Counter:
    """A number that only grows, for each combination of label values.

    Args:
        name: Ends in `_total`.
        text: What it counts.
        labels: Names of its labels. Their values must come from a small set; beyond 2,000 combinations they are
            counted as `other`.
    """

    kind = "counter"

    def __init__(self, name: str, text: str, labels: tuple[str, ...] = ()) -> None:
        self.name = name
        self._text = text
        self._labels = labels
        self._numbers: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}

    def add(self, values: tuple[str, ...] = (), amount: float = 1.0) -> None:
        """Add to the number with these label values."""
        numbers = self._numbers
        if values in numbers:
            numbers[values] += amount
        elif len(numbers) < _MAX_SERIES:
            numbers[values] = amount
        else:
            other = (_OTHER,) * len(self._labels)
            numbers[other] = numbers.get(other, 0.0) + amount

    def family(self) -> Family:
        """What it has to say."""
        samples = [Sample("", self._labels, values, number) for values, number in sorted(self._numbers.items())]
        return Family(self.name, self.kind, self._text, samples)


class Gauge(Counter):
    """A number that goes up and down."""

    kind = "gauge"

    def set(self, values: tuple[str, ...], number: float) -> None:
        """Replace the number with these label values."""
        self._numbers[values] = number


class Histogram:
    """How often a measure fell below each bound, for each combination of label values.

    Args:
        name: Ends in its unit.
        text: What it measures.
        labels: Names of its labels.
        bounds: Upper bounds, ascending.
    """

    def __init__(self, name: str, text: str, labels: tuple[str, ...], bounds: Sequence[float]) -> None:
        self.name = name
        self._text = text
        self._labels = labels
        self._bounds = tuple(bounds)
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, values: tuple[str, ...], measure: float) -> None:
        """Add one measure."""
        counts = self._counts.get(values)
        if counts is None:
            if len(self._counts) >= _MAX_SERIES:
                values = (_OTHER,) * len(self._labels)
            counts = self._counts.setdefault(values, [0] * (len(self._bounds) + 1))
            self._sums.setdefault(values, 0.0)
        counts[bisect_left(self._bounds, measure)] += 1
        self._sums[values] += measure

    def add(self, values: tuple[str, ...], counts: Sequence[int], total: float) -> None:
        """Add measures that were counted elsewhere, one number for each bound and one beyond."""
        known = self._counts.setdefault(values, [0] * (len(self._bounds) + 1))
        known[:] = map(sum, zip(known, counts, strict=True))
        self._sums[values] = self._sums.get(values, 0.0) + total

    def family(self) -> Family:
        """What it has to say, cumulative as Prometheus wants it."""
        samples: list[Sample] = []
        labels = (*self._labels, "le")
        for values, counts in sorted(self._counts.items()):
            running = 0
            for bound, count in zip((*map(_number, self._bounds), "+Inf"), counts, strict=True):
                running += count
                samples.append(Sample("_bucket", labels, (*values, bound), running))
            samples.append(Sample("_sum", self._labels, values, self._sums[values]))
            samples.append(Sample("_count", self._labels, values, running))
        return Family(self.name, "histogram", self._text, samples)


def merge(groups: Iterable[Sequence[Family]]) -> list[Family]:
    """Add up what several processes say about the same metrics."""
    found: dict[str, Family] = {}
    for family in (family for group in groups for family in group):
        known = found.get(family.name)
        if known is None:
            found[family.name] = msgspec.structs.replace(family, samples=list(family.samples))
            continue
        places = {(sample.suffix, sample.values): number for number, sample in enumerate(known.samples)}
        for sample in family.samples:
            place = places.get((sample.suffix, sample.values))
            if place is None:
                known.samples.append(sample)
            else:
                before = known.samples[place]
                known.samples[place] = msgspec.structs.replace(before, number=before.number + sample.number)
    return list(found.values())


def exposition(families: Iterable[Family]) -> bytes:
    """The text format 0.0.4 of Prometheus."""
    lines: list[str] = []
    for family in families:
        lines += [f"# HELP {family.name} {family.text}", f"# TYPE {family.name} {family.kind}"]
        for sample in family.samples:
            pairs = ",".join(
                f'{name}="{_escaped(value)}"' for name, value in zip(sample.labels, sample.values, strict=True)
            )
            lines.append(f"{family.name}{sample.suffix}{'{' + pairs + '}' if pairs else ''} {_number(sample.number)}")
    return ("\n".join(lines) + "\n").encode()


def _number(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(float(number))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
