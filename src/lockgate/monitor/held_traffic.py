"""LG-MONITOR-003: traffic that was served while the deploy gate was HELD."""

from collections.abc import Iterator

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.monitor.subject import MonitorFacts

OBSERVE_SOURCE = "serve-observe"


class HeldTraffic(Check[MonitorFacts], frozen=True):
    """Finds requests that were served although the deploy gate was HELD.

    Why it matters:
        `lockgate serve --observe` serves an application whose evidence is missing or bad. The override is signed, so
        it is nobody's secret; this finding keeps it from becoming the normal way to run.

    Fails on:
        Forty requests whose source is `serve-observe`.

    Passes on:
        A store in which every request came from `serve` or `redteam`.

    Limits:
        It sees requests that passed the gateway, not an application that was started around it.
    """

    card = Card(
        id="LG-MONITOR-003",
        title="Traffic served while the deploy gate was HELD",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025",),
    )

    def inspect(self, subject: MonitorFacts) -> Iterator[Finding]:
        """Count requests of that source."""
        if count := subject.summary.by_source.get(OBSERVE_SOURCE, 0):
            yield self.finding(
                f"{count:,} requests were served while the deploy gate was HELD.",
                at=Location(subject.ref.uri, f"source/{OBSERVE_SOURCE}"),
            )
