"""Everything that the bench prints, as one value; and how it is computed from rows."""

from collections.abc import Sequence

import msgspec
import numpy as np
from guard_parts.baseline import matches
from guard_parts.layers import DEFAULT, SENSITIVITIES, Layers
from guard_parts.measures import (
    FALSE_POSITIVES,
    Flags,
    Floats,
    Indices,
    Judged,
    Recall,
    area,
    numbered,
    recalls,
    threshold,
)
from guard_parts.peers import Answered
from guard_parts.placing import Placed
from guard_parts.rows import Row
from guard_parts.speed import Started, Stressed, Timed

from lockgate.redteam.statistics import wilson95

ENOUGH_BENIGN = 300


class Data(msgspec.Struct, frozen=True):
    """What was judged."""

    name: str
    rows: int
    attacks: int
    benign: int
    groups: int
    grouping: str
    notes: tuple[str, ...]


class FalseAlarms(msgspec.Struct, frozen=True):
    """Benign rows of one source or kind that are blocked, by sensitivity: how many, and the 95 % Wilson interval."""

    name: str
    rows: int
    blocked: dict[str, int]
    intervals: dict[str, tuple[float, float]]


class Compared(msgspec.Struct, frozen=True):
    """One detector, or one part of ours, on all rows.

    Attributes:
        name: Of the detector.
        licence: Of its package; empty for ours.
        kind: How it works.
        area: Under the curve.
        recalls: By kind of attack, then of all, then the mean over kinds.
        false_alarms: Benign rows that it blocks by its own verdict.
        median: Processor time a call, ms; None where it was not timed.
        p99: The same of the slowest hundredth.
        errors: Calls that failed.
        not_run: Why it was not measured; empty where it was.
    """

    name: str
    licence: str = ""
    kind: str = ""
    area: float | None = None
    recalls: tuple[Recall, ...] = ()
    false_alarms: int | None = None
    median: float | None = None
    p99: float | None = None
    errors: int = 0
    not_run: str = ""


class Report(msgspec.Struct, frozen=True):
    """All of it."""

    machine: str
    weights: str
    data: Data
    threshold: float
    area: float | None
    asked: float
    failed: int
    too_long: int
    recalls: dict[str, list[Recall]]
    sensitivities: dict[str, tuple[int, tuple[float, float]]]
    false_alarms: dict[str, list[FalseAlarms]]
    ablation: list[Compared]
    ours: Compared
    baseline: Compared
    peers: list[Compared]
    placed: list[Placed]
    timed: list[Timed]
    started: Started
    stressed: Stressed | None


class Rows(msgspec.Struct, frozen=True):
    """Rows, and what is looked up of them again and again."""

    rows: tuple[Row, ...]
    attack: Flags
    groups: Indices
    group_count: int
    seed: int

    @classmethod
    def of(cls, rows: Sequence[Row], seed: int) -> "Rows":
        """Number the groups."""
        names, groups = numbered([row.group for row in rows])
        return cls(tuple(rows), np.array([row.attack for row in rows], dtype=np.bool_), groups, len(names), seed)

    def judged(self, scores: Floats, blocked: Flags) -> Judged:
        """These rows with what a detector said."""
        return Judged(self.attack, scores, blocked, self.groups)

    def column(self, name: str) -> list[str]:
        """One field of every row."""
        return [getattr(row, name) for row in self.rows]


def describe(rows: Rows, name: str) -> Data:
    """Sizes, and what keeps the figures from meaning much."""
    attacks = int(rows.attack.sum())
    benign = len(rows.rows) - attacks
    named = sum(row.grouped for row in rows.rows)
    grouping = "source and kind" if not named else "the files' own groups"
    if 0 < named < len(rows.rows):
        grouping = f"the files' own groups for {named} rows, source and kind for the rest"
    notes: list[str] = []
    if benign < ENOUGH_BENIGN:
        notes.append(f"{benign} benign rows are too few for 1 % of them to mean anything; {ENOUGH_BENIGN} would do.")
    if not attacks:
        notes.append("There are no attacks, so there is no recall.")
    return Data(name, len(rows.rows), attacks, benign, rows.group_count, grouping, tuple(notes))


def slices(rows: Rows, layers: Layers) -> dict[str, list[Recall]]:
    """Recall by kind and by source, and by language where rows name one."""
    judged = rows.judged(layers.scores["everything"], layers.blocked[DEFAULT])
    columns = ("kind", "source", "lang") if any(row.lang for row in rows.rows) else ("kind", "source")
    return {column: recalls(judged, rows.column(column), rows.seed) for column in columns}


def false_alarms(rows: Rows, layers: Layers, column: str) -> list[FalseAlarms]:
    """Benign rows that are blocked, by source or kind, then all."""
    names = np.array(rows.column(column), dtype=object)
    found: list[FalseAlarms] = []
    for name in (*sorted(set(names[~rows.attack].tolist())), None):
        mask = ~rows.attack if name is None else ~rows.attack & (names == name)
        count = int(mask.sum())
        blocked = {key: int(layers.blocked[key][mask].sum()) for key in SENSITIVITIES}
        intervals = {key: wilson95(hits, count) for key, hits in blocked.items()}
        found.append(FalseAlarms("all" if name is None else name, count, blocked, intervals))
    return found


def ablation(rows: Rows, layers: Layers) -> list[Compared]:
    """Each layer's own score, and what combinations gain. Only the whole has a verdict of its own."""
    return [
        compared(rows, name, scores, layers.blocked[DEFAULT] if name == "everything" else _over(rows, scores))
        for name, scores in layers.scores.items()
    ]


def _over(rows: Rows, scores: Floats) -> Flags:
    return scores > threshold(scores[~rows.attack])


def naive(rows: Rows) -> Compared:
    """The six patterns; any match is a verdict."""
    counts = np.array([matches(row.text) for row in rows.rows], dtype=np.float64)
    return compared(rows, "six patterns", counts, counts > 0, kind="patterns of many guides")


def compared(
    rows: Rows,
    name: str,
    scores: Floats,
    blocked: Flags,
    *,
    licence: str = "",
    kind: str = "",
    ms: Floats | None = None,
) -> Compared:
    """A detector's figures."""
    return Compared(
        name=name,
        licence=licence,
        kind=kind,
        area=area(scores[rows.attack], scores[~rows.attack]),
        recalls=tuple(recalls(rows.judged(scores, blocked), rows.column("kind"), rows.seed)),
        false_alarms=int(blocked[~rows.attack].sum()),
        median=None if ms is None else float(np.median(ms)),
        p99=None if ms is None else float(np.quantile(ms, 0.99)),
    )


def answered(rows: Rows, name: str, licence: str, kind: str, answers: Answered) -> Compared:
    """A peer's figures."""
    made = compared(rows, name, answers.scores, answers.blocked, licence=licence, kind=kind, ms=answers.ms)
    return msgspec.structs.replace(made, errors=answers.errors)


def cut(rows: Rows, layers: Layers) -> float:
    """The score that 1 % of the benign rows exceed."""
    return threshold(layers.scores["everything"][~rows.attack], FALSE_POSITIVES)


def at_sensitivities(rows: Rows, layers: Layers) -> dict[str, tuple[int, tuple[float, float]]]:
    """Attacks blocked, by sensitivity, with the Wilson interval of their share."""
    count = int(rows.attack.sum())
    hits = {name: int(layers.blocked[name][rows.attack].sum()) for name in SENSITIVITIES}
    return {name: (number, wilson95(number, count)) for name, number in hits.items()}
