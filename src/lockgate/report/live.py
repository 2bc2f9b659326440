"""Progress while the pipeline runs: a table that fills in on a terminal, one line for each event elsewhere."""

import time
from types import TracebackType
from typing import Final, Self

import msgspec
from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lockgate.core.gate import Decision, GateDecision, Stage
from lockgate.report.shown import counted, duration, shown

WAITING: Final = "waiting"
RUNNING: Final = "running"
STYLES: Final = {Decision.OPEN.value: "green", Decision.HELD.value: "bold red", RUNNING: "cyan", WAITING: "dim"}
BAR_CELLS: Final = 16
NOTE_CHARS: Final = 120
QUIET_S: Final = 2.0


class _Row(msgspec.Struct):
    """What the board shows of one stage."""

    state: str = WAITING
    began: float = 0.0
    seconds: float = 0.0
    done: int = 0
    total: int = 0
    note: str = ""
    tenth: int = -1
    said: float = 0.0


class LiveBoard:
    """Shows how far each stage is. Use it as a context manager around the run.

    On a terminal it redraws one table in place. Elsewhere (a pipe, a CI log) it prints a line when a stage starts, when
    another tenth of its work is done and when its gate is decided. Colour follows `NO_COLOR` and the console.

    Args:
        console: Where to draw.
        stages: The stages of this run, in order.
    """

    def __init__(self, console: Console, stages: tuple[Stage, ...] = tuple(Stage)) -> None:
        self._console = console
        self._rows = {stage: _Row() for stage in stages}
        # The table is drawn on request, so that clocks and bars move between two events.
        self._live = (
            Live(get_renderable=self._table, console=console, refresh_per_second=8) if console.is_terminal else None
        )

    def __enter__(self) -> Self:
        """Start drawing."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave the last state on the screen."""
        if self._live:
            self._live.stop()

    def stage_started(self, stage: Stage) -> None:
        """Say that a stage begins."""
        row = self._row(stage)
        row.state, row.began = RUNNING, time.monotonic()
        self._say(stage, Text("started"))

    def progress(self, stage: Stage, done: int, total: int, note: str = "") -> None:
        """Say how far a stage is.

        Args:
            stage: Which stage.
            done: Steps that are finished.
            total: All steps; 0 when nobody knows.
            note: What happens now. May come from a file name: it is shown neutralised.
        """
        row = self._row(stage)
        row.done, row.total, row.note = done, total, shown(note, NOTE_CHARS)
        tenth = 10 * done // total if total > 0 else -1
        now = time.monotonic()
        if tenth > row.tenth and now - max(row.began, row.said) >= QUIET_S:
            row.tenth, row.said = tenth, now
            self._say(stage, Text(f"{done}/{total} {row.note}".rstrip()))

    def gate_decided(self, decision: GateDecision) -> None:
        """Say what a stage's gate decided."""
        row = self._row(decision.stage)
        row.seconds = time.monotonic() - row.began if row.began else 0.0
        row.state = decision.decision.value
        row.note = _why(decision)
        self._say(decision.stage, Text(f"{row.state} {row.note}".rstrip(), style=STYLES[row.state]))

    def _row(self, stage: Stage) -> _Row:
        return self._rows.setdefault(stage, _Row())

    def _say(self, stage: Stage, text: Text) -> None:
        if not self._live:
            self._console.print(Text(f"{stage:<8} ").append_text(text), soft_wrap=True)

    def _table(self) -> RenderableType:
        table = Table.grid(padding=(0, 2, 0, 0), expand=False)
        table.add_column(width=9, no_wrap=True)
        table.add_column(width=7, no_wrap=True)
        table.add_column(width=BAR_CELLS, no_wrap=True)
        table.add_column(width=7, no_wrap=True, justify="right")
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=max(12, self._console.width - 52))
        for stage, row in self._rows.items():
            state = Text(row.state, style=STYLES[row.state])
            table.add_row(Text(f"  {stage}"), state, _bar(row), Text(_clock(row), "dim"), Text(row.note, "dim"))
        return table


def _why(decision: GateDecision) -> str:
    if decision.holds:
        return counted(len(decision.holds), "reason")
    return shown(decision.notes[0], NOTE_CHARS) if decision.notes else ""


def _bar(row: _Row) -> Text:
    if row.state == WAITING:
        return Text("")
    if row.state != RUNNING:
        return Text("━" * BAR_CELLS, style=STYLES[row.state])
    share = min(1.0, max(0.0, row.done / row.total)) if row.total > 0 else 0.0
    full = round(share * BAR_CELLS)
    return Text("━" * full, style="cyan").append("─" * (BAR_CELLS - full), style="dim")


def _clock(row: _Row) -> str:
    if row.state == WAITING:
        return ""
    if row.state == RUNNING:
        return duration(time.monotonic() - row.began)
    return duration(row.seconds) if row.began else ""
