"""Who watches a run."""

from collections.abc import Callable
from typing import Protocol

from lockgate.core.gate import GateDecision, Stage

Progress = Callable[[int, int, str], None]


class Observer(Protocol):
    """Is told what happens while it happens. It cannot change anything."""

    def stage_started(self, stage: Stage) -> None:
        """A stage begins."""
        ...

    def progress(self, stage: Stage, done: int, total: int, note: str = "") -> None:
        """A stage has done `done` of `total` steps."""
        ...

    def gate_decided(self, decision: GateDecision) -> None:
        """A gate was decided and the decision is in the ledger."""
        ...


class Silent:
    """Watches nothing."""

    def stage_started(self, stage: Stage) -> None:
        """Ignore it."""

    def progress(self, stage: Stage, done: int, total: int, note: str = "") -> None:
        """Ignore it."""

    def gate_decided(self, decision: GateDecision) -> None:
        """Ignore it."""
