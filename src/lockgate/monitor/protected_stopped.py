"""LG-MONITOR-004: protected values that were stopped on their way out."""

from collections.abc import Iterator

from lockgate.core import Action, Card, Check, Confidence, Finding, Location, Severity
from lockgate.monitor.subject import MonitorFacts

_OUTBOUND = "leak."
_CALLERS = frozenset({"serve", "serve-observe"})
_STOPPED = frozenset({Action.BLOCK.value, Action.HOLD.value, Action.REDACT.value})


class ProtectedStopped(Check[MonitorFacts], frozen=True):
    """Finds answers to real callers that were stopped because they held a protected value or the system prompt.

    Why it matters:
        The guard held, but the model gave the value away: somebody found words that make it do so. Those words belong
        into the red team's corpus, and the value out of the prompt.

    Fails on:
        Two blocked requests of source `serve` with the label `leak.verbatim`.

    Passes on:
        The same two with source `redteam`: there they are the point of the exercise.

    Limits:
        The store holds no prompts, so the words themselves must come from the caller or the application's own log.
    """

    card = Card(
        id="LG-MONITOR-004",
        title="Protected value stopped on its way out",
        severity=Severity.INFO,
        confidence=Confidence.HIGH,
        maps=("LLM02:2025", "LLM07:2025", "AML.T0057"),
    )

    def inspect(self, subject: MonitorFacts) -> Iterator[Finding]:
        """Count stopped leaks of callers by label."""
        counts: dict[str, int] = {}
        for item in subject.summary.labels:
            if item.source in _CALLERS and item.action in _STOPPED and item.label.startswith(_OUTBOUND):
                counts[item.label] = counts.get(item.label, 0) + item.count
        for label, count in counts.items():
            yield self.finding(
                f"{count:,} answers were stopped ({label}): turn the prompts behind them into red-team probes.",
                at=Location(subject.ref.uri, f"label/{label}"),
            )
