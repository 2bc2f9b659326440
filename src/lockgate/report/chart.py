"""Numbers as shapes: positions for the inline SVG of the page, in percent of its width."""

from typing import Final

import msgspec

from lockgate.core.gate import Decision, Stage
from lockgate.report.model import RunReport, Tally

TITLES: Final = {
    Stage.DATA: "Data",
    Stage.TRAIN: "Train",
    Stage.SUPPLY: "Supply",
    Stage.REDTEAM: "Red team",
    Stage.DEPLOY: "Deploy",
    Stage.MONITOR: "Monitor",
}


class Bar(msgspec.Struct, frozen=True):
    """A share as a bar with the whisker of its interval; every field is in percent of the axis.

    Attributes:
        width: Length of the bar.
        low: Lower end of the whisker.
        high: Upper end of the whisker.
    """

    width: float
    low: float
    high: float


def bar(tally: Tally) -> Bar | None:
    """Place a tally on an axis from 0 to 100 %, or return None when nothing was tried."""
    if tally.rate is None:
        return None
    low, high = tally.wilson95
    return Bar(_place(tally.rate), _place(low), _place(high))


def _place(share: float) -> float:
    return round(100 * min(1.0, max(0.0, share)), 2)


class Lock(msgspec.Struct, frozen=True):
    """One gate of the drawn canal.

    Attributes:
        title: Name of its stage.
        state: `open`, `held` or `idle` (not decided in this run).
        word: The same for the reader.
        above: Whether there is water before the gate.
        below: Whether there is water behind it.
        boat: `above` or `below` where the boat lies at this gate, else empty.
        gist: What to know about it, in a few words.
    """

    title: str
    state: str
    word: str
    above: bool
    below: bool
    boat: str
    gist: str


def canal(report: RunReport, gists: dict[Stage, str]) -> tuple[Lock, ...]:
    """Draw the pipeline as a canal: water stands up to the first gate that is not open, and there the boat waits."""
    locks: list[Lock] = []
    water = True
    for stage in Stage:
        gate = report.gate(stage)
        state = _state(gate.decision if gate else None)
        passes = water and state == "open"
        boat = "above" if water and not passes else ""
        if passes and stage is list(Stage)[-1]:
            boat = "below"
        word = {"open": "OPEN", "held": "HELD", "idle": "NOT RUN"}[state]
        locks.append(Lock(TITLES[stage], state, word, water, passes, boat, gists.get(stage, "")))
        water = passes
    return tuple(locks)


def _state(decision: Decision | None) -> str:
    if decision is None:
        return "idle"
    return "open" if decision is Decision.OPEN else "held"
