"""LG-MONITOR-001: a guard that erred."""

from collections.abc import Iterator

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.monitor.subject import MonitorFacts

GUARD_ERROR = "guard.error"
FAIL_OPEN = "guard.fail-open"


class GuardErred(Check[MonitorFacts], frozen=True):
    """Finds requests that the guard could not judge because it crashed, ran out of time or was overloaded.

    Why it matters:
        Such a request is refused, so nothing slipped through; but a caller who can make the guard err can deny the
        service, and an operator who sees the guard err often is tempted to switch it off. Where `serve.fail_open` names
        the surface, it went on without a judgement: then anything may have slipped through.

    Fails on:
        Three events with the label `guard.error`.

    Passes on:
        A store in which no event carries that label.

    Limits:
        It counts; it cannot tell an attack from a machine that is too small. The label's request ids are in the store.
    """

    card = Card(
        id="LG-MONITOR-001",
        title="Guard that erred",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM10:2025", "AML.T0029"),
    )
    allowed: int = 0

    def inspect(self, subject: MonitorFacts) -> Iterator[Finding]:
        """Compare the number of such events with `allowed`."""
        count = subject.summary.by_label.get(GUARD_ERROR, 0)
        if count > self.allowed:
            opened = subject.summary.by_label.get(FAIL_OPEN, 0)
            fate = f"{opened:,} of them went on unjudged (serve.fail_open)" if opened else "they were refused"
            yield self.finding(
                f"The guard could not judge {count:,} of {subject.summary.requests:,} requests; {fate}.",
                at=Location(subject.ref.uri, f"label/{GUARD_ERROR}"),
            )
