"""LG-MONITOR-002: events that were lost."""

from collections.abc import Iterator

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.monitor.subject import MonitorFacts


class EventsLost(Check[MonitorFacts], frozen=True):
    """Finds that events were lost, so that the record of what happened is incomplete.

    Why it matters:
        An incident is reconstructed from events. A flood of requests that overruns the store hides what came with it.

    Fails on:
        A store that reports 12 lost events.

    Passes on:
        A store that reports none.

    Limits:
        Events that waited in memory when the process was killed leave no trace; that is at most a moment's worth.
    """

    card = Card(
        id="LG-MONITOR-002",
        title="Events lost",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM10:2025", "AML.T0029"),
    )

    def inspect(self, subject: MonitorFacts) -> Iterator[Finding]:
        """Look at the store's own count of refused events."""
        if subject.summary.lost:
            yield self.finding(
                f"{subject.summary.lost:,} events were lost: the store could not keep up or could not be written.",
                at=Location(subject.ref.uri, "lost"),
            )
